//! The git-sync service as its callers meet it: the built binary, the real wmill, real remotes over HTTP with a password.
//! Owns the harness; what is expected of the service is in the files below.

mod ending;
mod forms;
mod hostile;
mod http;
mod leaks;
mod page;
mod remote;
mod sync;
mod trouble;
mod turns;
mod windmill;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Sandbox, TestRepo, write_program};
use remote::Remote;
use windmill::Windmill;

/// Made up; in pieces, so that no scanner takes them for real.
const WINDMILL_TOKEN: &str = concat!("wm_Kq83", "vXzR41tYbn27LpQe");
const GIT_TOKEN: &str = concat!("gt_Zw59", "sHdJ66mCfu08VaTo");

const BINARY: &str = env!("CARGO_BIN_EXE_portcullis-sync");

/// Windmill's own tool, where `tests/service/set-up.sh` has put it; `None`: the test is to be skipped, and says why.
fn real_wmill() -> Option<PathBuf> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/wmill/node_modules/.bin/wmill");
    if file.exists() {
        return Some(file);
    }
    let required = std::env::var_os("PORTCULLIS_TEST_WMILL").is_some();
    assert!(!required, "wmill is not installed: run tests/service/set-up.sh");
    eprintln!("skipped: wmill is not installed (tests/service/set-up.sh does it; needs npm)");
    None
}

/// A Windmill, a server with remotes, and somewhere to work.
struct World {
    sandbox: Arc<Sandbox>,
    windmill: Windmill,
    remote: Remote,
}

impl World {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        std::fs::create_dir(sandbox.path().join("work")).expect("a folder");
        Self { windmill: Windmill::start(WINDMILL_TOKEN), remote: Remote::start(&sandbox, GIT_TOKEN), sandbox }
    }

    fn work(&self) -> PathBuf {
        self.sandbox.path().join("work")
    }

    /// A program that is called as wmill is, and does what the script says instead. `$profile` is the file with the
    /// token, `$job` the process id of the job.
    fn fake_wmill(&self, script: &str) -> PathBuf {
        let file = self.sandbox.path().join("fake-wmill");
        let text = format!(
            "#!/bin/sh\nset -eu\n[ \"$1\" = --version ] && {{ echo CLI version: 9.9.9; exit 0; }}\n\
             for last; do :; done\nprofile=$last/windmill/remotes.ndjson\njob=$PPID\n{script}\n"
        );
        write_program(&file, text.as_bytes(), 0o755);
        file
    }

    /// What every test adds to the command line: loopback is private, and has no certificates.
    fn arguments(&self, wmill: &Path) -> Vec<String> {
        let work = self.work();
        let text = |p: &Path| p.to_str().expect("a plain path").to_owned();
        [
            "--allow-scheme",
            "http",
            "--allow-scheme",
            "https",
            "--allow-private",
            "--work-dir",
            &text(&work),
            "--wmill",
            &text(wmill),
        ]
        .map(ToOwned::to_owned)
        .into()
    }

    fn serve(&self, wmill: &Path, more: &[&str]) -> Service {
        self.serve_with(wmill, more, &[])
    }

    fn serve_with(&self, wmill: &Path, more: &[&str], environment: &[(&str, &str)]) -> Service {
        let mut command = self.sandbox.command(BINARY, self.sandbox.path());
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(self.arguments(wmill)).args(more);
        command.env("WINDMILL_BASE_URL", self.windmill.url()).envs(environment.iter().copied());
        Service::start(command)
    }

    /// Runs one request without a server.
    fn once(&self, wmill: &Path, body: &Value) -> (i32, Value) {
        self.once_with(wmill, &[], body)
    }

    fn once_with(&self, wmill: &Path, more: &[&str], body: &Value) -> (i32, Value) {
        let mut command = self.sandbox.command(BINARY, self.sandbox.path());
        command.arg("once").args(self.arguments(wmill)).args(more).env("WINDMILL_BASE_URL", self.windmill.url());
        let output = with_input(command, body.to_string().as_bytes());
        let answer = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
        (output.status.code().expect("no signal"), answer)
    }

    /// The fields that have no default.
    fn body(&self, repository: &str) -> Value {
        json!({
            "windmill_token": WINDMILL_TOKEN,
            "git_remote_url": self.remote.url(repository),
            "git_token": GIT_TOKEN,
        })
    }
}

fn with_input(mut command: std::process::Command, input: &[u8]) -> Output {
    use std::io::Write as _;
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    child.stdin.take().expect("a pipe").write_all(input).expect("it reads");
    child.wait_with_output().expect("it ends")
}

/// The service, running; killed when dropped.
struct Service {
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
    address: SocketAddr,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Service {
    /// Waits until it listens.
    fn start(mut command: std::process::Command) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the service starts");
        let stderr = child.stderr.take().expect("a pipe");
        let log = Arc::new(Mutex::new(Vec::new()));
        let inside = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                inside.lock().expect("no panic").push(line);
            }
        });
        let mut service = Self { child, log, address: ([127, 0, 0, 1], 0).into() };
        let line = service.logged("listening");
        service.address = line["address"].as_str().expect("an address").parse().expect("an address");
        service
    }

    fn post(&self, body: &Value) -> (u16, Value) {
        post(self.address, body)
    }

    fn get(&self, path: &str) -> (u16, String) {
        http::ask(self.address, "GET", path, "", b"").expect("an answer")
    }

    fn log(&self) -> String {
        self.log.lock().expect("no panic").join("\n")
    }

    /// The first line of the log with this message; waits for it.
    fn logged(&self, message: &str) -> Value {
        let line = || {
            let log = self.log.lock().expect("no panic");
            log.iter().filter_map(|l| serde_json::from_str::<Value>(l).ok()).find(|l| l["message"] == message)
        };
        until(|| line().is_some(), || format!("no `{message}` in\n{}", self.log()));
        line().expect("it is there")
    }

    fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    /// Waits for the end, and gives the exit code.
    fn ended(&mut self) -> Option<i32> {
        until(|| self.child.try_wait().expect("it is ours").is_some(), || "the service does not end".to_owned());
        self.child.wait().expect("it is ours").code()
    }
}

fn post(address: SocketAddr, body: &Value) -> (u16, Value) {
    let (status, text) =
        http::ask(address, "POST", "/sync", "Content-Type: application/json\r\n", body.to_string().as_bytes())
            .expect("an answer");
    (status, serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}")))
}

fn signal(process: u32, name: &str) {
    let sent = std::process::Command::new("kill").args(["-s", name, &process.to_string()]).status();
    assert!(sent.expect("kill runs").success());
}

/// Waits until it holds, for as long as a machine with much to do may need.
fn until(mut holds: impl FnMut() -> bool, otherwise: impl Fn() -> String) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(120), "{}", otherwise());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The paths in a branch's tree.
fn files(repository: &TestRepo, branch: &str) -> Vec<String> {
    repository.git(["ls-tree", "-r", "--name-only", branch]).lines().map(ToOwned::to_owned).collect()
}

fn is_empty(repository: &TestRepo) -> bool {
    repository.git(["for-each-ref"]).trim().is_empty()
}

/// Puts files onto a branch of a bare repository, as somebody else's push would.
fn push(sandbox: &Arc<Sandbox>, repository: &TestRepo, branch: &str, content: &[(&str, &str)]) -> String {
    let name = format!("clone-{}", repository.path().file_name().expect("a name").to_string_lossy());
    let place = sandbox.path().join(&name);
    let url = repository.path().to_str().expect("a plain path");
    if !place.exists() {
        sandbox.init(&name, repository.hash()).git(["remote", "add", "origin", url]);
    }
    let clone = sandbox.at(&name);
    clone.git(["fetch", "-q", "origin"]);
    let there = clone.try_git(["checkout", "-q", "-B", branch, &format!("origin/{branch}")]).status.success();
    if !there {
        clone.git(["checkout", "-q", "--orphan", branch]);
    }
    for (path, text) in content {
        clone.write(path, text);
    }
    let commit = clone.commit("docs: something else");
    clone.git(["push", "-q", "origin", branch]);
    commit
}

/// What is under `rules` of the findings of an answer.
fn rules(answer: &Value) -> Vec<&str> {
    answer["findings"].as_array().expect("findings").iter().map(|f| f["rule"].as_str().expect("a rule")).collect()
}

/// Whether a process is there.
fn lives(file: &Path) -> bool {
    let process = fs::read_to_string(file).expect("it was written");
    let asked = std::process::Command::new("kill").args(["-0", process.trim()]).output().expect("kill runs");
    asked.status.success()
}

fn has_no_folders(work: &Path) -> bool {
    fs::read_dir(work).expect("a folder").next().is_none()
}

/// Nothing but the lock is left in the service's folder.
fn only_lock(world: &World) -> bool {
    let own = fs::read_dir(world.work()).expect("a folder").next().expect("the service's").expect("one").path();
    fs::read_dir(own).expect("a folder").all(|e| e.expect("an entry").file_name() == "lock")
}
