//! What a tool that is led astray, or a caller who means ill, cannot do: live on, make git run programs, lead a push
//! elsewhere, hide in the log, keep others from an answer.

use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::json;

use super::{Service, World, files, is_empty, lives, push, with_input};

/// What an ordinary sync brings.
const WRITE: &str = "mkdir -p f/a && echo 'export const n = 1;' >f/a/x.ts";

#[test]
fn orphans_of_wmill_are_killed_before_the_check() {
    let world = World::new();
    let mark = world.sandbox.path().join("child");
    // In a session of its own; twice removed; with the pipes of the tool still open; in the group of nobody.
    let ways = [
        ("session", "setsid sh -c 'echo $$ >MARK; exec sleep 1000' >/dev/null 2>&1 </dev/null &"),
        ("twice", "(setsid sh -c '(setsid sh -c \"echo \\$\\$ >MARK; exec sleep 1000\" &) &' >/dev/null 2>&1 &)"),
        ("pipes", "setsid sh -c 'echo $$ >MARK; exec sleep 1000' &"),
        ("deaf", "setsid sh -c 'trap \"\" HUP TERM INT; echo $$ >MARK; while :; do sleep 1; done' &"),
    ];
    for (name, leave) in ways {
        let _ = fs::remove_file(&mark);
        let repository = world.remote.repository(&format!("{name}.git"));
        let path = mark.display().to_string();
        let wait = format!("while ! [ -s {path} ]; do sleep 0.05; done");
        let wmill = world.fake_wmill(&format!("{WRITE}\n{}\n{wait}", leave.replace("MARK", &path)));
        let (code, answer) = world.once(&wmill, &world.body(&format!("{name}.git")));
        assert_eq!(code, 0, "{name}: {answer}");
        assert!(!lives(&mark), "{name}: the tool's child lives on");
        assert!(files(&repository, "main").contains(&"f/a/x.ts".to_owned()), "{name}");
    }
}

#[test]
fn orphans_of_a_killed_job_are_killed_and_other_jobs_go_on() {
    let world = World::new();
    world.remote.repository("a.git");
    world.remote.repository("b.git");
    let (mark, go) = (world.sandbox.path().join("child"), world.sandbox.path().join("go"));
    let wmill = world.fake_wmill(&format!(
        "if [ \"$5\" = breaks ]; then\n\
         setsid sh -c 'echo $$ >{mark}; exec sleep 1000' >/dev/null 2>&1 </dev/null &\n\
         while ! [ -s {mark} ]; do sleep 0.05; done\nkill -KILL $job; sleep 1000; fi\n\
         while ! [ -e {go} ]; do sleep 0.05; done\n{WRITE}",
        mark = mark.display(),
        go = go.display()
    ));
    let service = world.serve(&wmill, &[]);
    let (address, calm) = (service.address, world.body("a.git"));
    let other = std::thread::spawn(move || super::post(address, &calm));
    service.logged("sync");
    let mut body = world.body("b.git");
    body["workspace"] = json!("breaks");
    let (status, answer) = service.post(&body);
    assert_eq!((status, answer["message"].as_str()), (500, Some("The job ended without an answer")));
    assert!(!lives(&mark), "the tool's child lives on");
    fs::write(go, "").expect("a mark");
    let (status, answer) = other.join().expect("no panic");
    assert_eq!(status, 200, "{answer}");
}

#[test]
fn changes_of_wmill_below_dot_git_are_refused() {
    let world = World::new();
    let (ran, other) =
        (world.sandbox.path().join("ran"), world.sandbox.init_bare("other.git", crate::support::Hash::Sha1));
    let (run, other_url) = (format!("touch {}", ran.display()), other.path().display().to_string());
    let hook = format!("printf '#!/bin/sh\\n{run}\\n' >.git/hooks/pre-commit && chmod +x .git/hooks/pre-commit");
    let changes = [
        ("filter", format!("git config filter.f.clean '{run}; cat' && echo '* filter=f' >.gitattributes")),
        ("process", format!("git config filter.f.process '{run}' && echo '* filter=f' >.gitattributes")),
        ("attributes", "mkdir -p .git/info && echo '* filter=f' >.git/info/attributes".to_owned()),
        ("monitor", format!("git config core.fsmonitor '{run}'")),
        ("hook", format!("mkdir -p .git/hooks && {hook}")),
        ("include", format!("printf '[filter \"f\"]\\nclean = {run}\\n' >x.inc && git config include.path ../x.inc")),
        ("insteadOf", format!("git config url.{other_url}.insteadOf \"$(echo REMOTE)\"")),
        ("pushInsteadOf", format!("git config url.{other_url}.pushInsteadOf \"$(echo REMOTE)\"")),
        ("proxy", "git config http.proxy http://127.0.0.1:1".to_owned()),
        ("alternates", "mkdir -p .git/objects/info && echo /nowhere >.git/objects/info/alternates".to_owned()),
        ("worktree", "git config core.worktree /".to_owned()),
        ("replaced", "mv .git git-was && cp -r git-was .git && git config core.pager x".to_owned()),
        ("elsewhere", "mv .git .elsewhere && echo 'gitdir: .elsewhere' >.git".to_owned()),
        ("gone", "rm -rf .git".to_owned()),
        ("removed", "rm .git/HEAD".to_owned()),
        ("pipe", "mkfifo .git/pipe".to_owned()),
        ("submodule", format!("git init -q f/sub && git -C f/sub config core.fsmonitor '{run}'")),
        ("case", "mkdir f/.GIT".to_owned()),
    ];
    for (name, change) in changes {
        let place = format!("{}.git", name.to_lowercase());
        let repository = world.remote.repository(&place);
        let before = push(&world.sandbox, &repository, "main", &[("README.md", "# a\n")]);
        let change = change.replace("REMOTE", &world.remote.url(&place));
        let (code, answer) = world.once(&world.fake_wmill(&format!("{WRITE}\n{change}")), &world.body(&place));
        let told = answer["message"].as_str().expect("a message");
        assert!(code == 3 && told.contains("must leave git's settings alone: "), "{name}: {code} {told}");
        assert_eq!(repository.rev("main"), before, "{name}");
        assert!(!ran.exists() && is_empty(&other), "{name}");
    }
}

#[test]
fn reading_the_clone_does_not_count_as_a_change() {
    let world = World::new();
    let repository = world.remote.repository("a.git");
    push(&world.sandbox, &repository, "main", &[("README.md", "# a\n")]);
    let reads = "touch README.md; git status -s >/dev/null; git branch --show-current >/dev/null";
    let (code, answer) = world.once(&world.fake_wmill(&format!("{WRITE}\n{reads}")), &world.body("a.git"));
    assert_eq!(code, 0, "{answer}");
}

#[test]
fn names_are_logged_with_unsafe_characters_escaped() {
    let world = World::new();
    let repository = world.remote.repository("a.git");
    push(&world.sandbox, &repository, "main", &[("README.md", "# a\n")]);
    repository.git(["symbolic-ref", "HEAD", "refs/heads/main"]);
    let wmill = world.fake_wmill(WRITE);
    let once = |name: &str| {
        let mut command = world.sandbox.command(super::BINARY, world.sandbox.path());
        command.arg("once").args(world.arguments(&wmill)).env("WINDMILL_BASE_URL", world.windmill.url());
        let mut body = world.body("a.git");
        body["git_branch"] = json!(name);
        with_input(command, body.to_string().as_bytes())
    };
    // Refused, and shown to nobody as they are.
    for name in ["to\u{202e}pic", "to\u{200b}pic", "to\u{2066}pic", "to\u{feff}pic"] {
        let output = once(name);
        let told = String::from_utf8([output.stdout, output.stderr].concat()).expect("UTF-8");
        assert!(!output.status.success() && !told.contains(name), "{name:?}: {told}");
    }
    let name = "topic/größe-日本";
    let log = String::from_utf8(once(name).stderr).expect("UTF-8");
    assert!(log.contains(&format!("\"branch\":\"{name}\"")), "an ordinary name is logged as it is: {log}");
}

/// Sends this much, and stays.
fn hold(address: SocketAddr, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("a connection");
    // It may have to make way already.
    let _ = stream.write_all(text.as_bytes());
    stream
}

#[test]
fn idle_connections_do_not_block_other_requests() {
    let world = World::new();
    world.remote.repository("a.git");
    let go = world.sandbox.path().join("go");
    let wmill = world.fake_wmill(&format!("while ! [ -e {} ]; do sleep 0.05; done\n{WRITE}", go.display()));
    // As many files as the test may open are no measure.
    let mut command = world.sandbox.command("sh", world.sandbox.path());
    command.args(["-c", "ulimit -n 128; exec \"$0\" \"$@\"", super::BINARY, "serve", "--listen", "127.0.0.1:0"]);
    command.args(world.arguments(&wmill)).env("WINDMILL_BASE_URL", world.windmill.url());
    let service = Service::start(command);
    let (address, body) = (service.address, world.body("a.git"));
    let at_work = std::thread::spawn(move || super::post(address, &body));
    service.logged("sync");
    let halves = [
        "",
        "GET /health HTTP/1.1\r\nX: ",
        "POST /sync HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
        "GET /health HTTP/1.1\r\nHost: x\r\n\r\n",
    ];
    // More than there may be.
    let held: Vec<TcpStream> = (0..250).map(|n| hold(address, halves[n % halves.len()])).collect();
    assert_eq!(service.get("/health").0, 200);
    assert_eq!(service.get("/metrics").0, 200);
    fs::write(go, "").expect("a mark");
    let (status, answer) = at_work.join().expect("no panic");
    assert_eq!(status, 200, "who waits for an answer makes way for nobody: {answer}");
    drop(held);
}

#[test]
fn a_request_that_never_ends_times_out() {
    let world = World::new();
    let service = world.serve(&world.fake_wmill(WRITE), &[]);
    let held = ["", "GET /health HTTP/1.1\r\nX: "].map(|half| hold(service.address, half));
    for mut stream in held {
        stream.set_read_timeout(Some(Duration::from_secs(100))).expect("a limit");
        let ended = stream.read_to_end(&mut Vec::new());
        let open = ended.as_ref().is_err_and(|e| matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut));
        assert!(!open, "it is open after 100 seconds: {ended:?}");
    }
}
