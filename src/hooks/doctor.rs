//! Whether the hooks that stand there work: each is run, with an empty search path and in a linked work tree, with an
//! argument that makes it answer instead of judging. Owns that question and its answer.
//!
//! The question is an argument, never a variable: what a hook's caller writes cannot be set by somebody who pushes.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::directory::{Directory, Reach};
use super::shim::VERSION;
use super::slot::Standing;
use super::status::{Place, Status, status};
use super::{Hook, Host};
use crate::error::Result;
use crate::text;

/// The only argument of a hook that is asked whether it works. Git never gives it.
pub const QUESTION: &str = "--portcullis-doctor";

/// How long a hook may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// To be called first by `hook run`: answers when the hook was only asked, and then nothing is to be judged and no
/// kept hook run. `arguments` are those that git would give.
pub fn answer(hook: Hook, arguments: &[OsString], out: &mut dyn Write) -> io::Result<bool> {
    let asked = matches!(arguments, [only] if only == QUESTION);
    if asked {
        writeln!(out, "portcullis {VERSION} {hook}")?;
    }
    Ok(asked)
}

/// What was found about one hook.
#[derive(Clone, Debug)]
pub struct Diagnosis {
    pub hook: Hook,
    /// What was tried.
    pub trial: &'static str,
    /// What is wrong, and what helps; `None` when nothing is.
    pub problem: Option<(String, String)>,
}

/// Runs the hooks. Those of others are never run; that they are in the way is said.
pub fn examine(host: &Host, names: &[Hook]) -> Result<Vec<Diagnosis>> {
    let (directory, all) = status(host, names)?;
    let linked = LinkedWorktree::add(host, &directory);
    let mut found = Vec::new();
    for one in all {
        let mut note = |trial, problem| found.push(Diagnosis { hook: one.hook, trial, problem });
        let problem = standing(host, &one);
        let is_well = problem.is_none();
        note("in place", problem);
        let Place::File(path) = &one.place else { continue };
        if !is_well || one.through.is_some() {
            continue;
        }
        note(
            if is_block(&one) { "with the system's PATH only" } else { "with an empty PATH" },
            ask(host, &one, path, &directory.base),
        );
        if let Some(linked) = &linked {
            note("in a linked work tree", linked.ask(&one, path));
        }
    }
    Ok(found)
}

/// What can be seen without running anything.
fn standing(host: &Host, one: &Status) -> Option<(String, String)> {
    let hook = one.hook;
    let install = format!("`portcullis hook install {hook}`");
    let say = |problem: String, help: String| Some((problem, help));
    match &one.standing {
        _ if one.through.is_some() => None,
        Standing::Nothing => say(format!("{} is not there", one.shown), install),
        Standing::Managed(manager) => {
            say(format!("{} is {manager}'s, which does not call portcullis", one.shown), install)
        }
        Standing::Other => say(format!("{} is not ours", one.shown), install),
        Standing::Shim(marker) | Standing::Block(marker) if !marker.intact => {
            say(format!("{} was changed by hand", one.shown), format!("`portcullis hook install --force {hook}`"))
        }
        _ if !one.executable && one.place == Place::Setting => {
            say("this git passes over hooks in its configuration".into(), "git 2.54 or later".into())
        }
        _ if !one.executable => say(format!("{} is not executable, so that git skips it", one.shown), install),
        Standing::Shim(marker) | Standing::Block(marker) if marker.version != VERSION => {
            say(format!("{} is of version {}, this is {VERSION}", one.shown, marker.version), install)
        }
        _ if one.binary.is_none() => say(
            format!("{} finds no binary", one.shown),
            format!("put portcullis back, or {install} with the one at {}", host.binary.display()),
        ),
        _ => None,
    }
}

/// Lines in somebody's script: its interpreter may be one that `env` has to find.
fn is_block(one: &Status) -> bool {
    matches!(one.standing, Standing::Block(_))
}

/// Asks a hook as git would start it, but with nothing in PATH.
fn ask(host: &Host, one: &Status, path: &Path, directory: &Path) -> Option<(String, String)> {
    let mut command = Command::new(path);
    command
        .arg(QUESTION)
        .current_dir(directory)
        .env_clear()
        .env("PATH", if is_block(one) { "/usr/bin:/bin" } else { "" });
    if let Some(home) = host.variable("HOME") {
        command.env("HOME", home);
    }
    let wrong = |what: String| {
        let help = "without PATH (graphical clients, servers) only the path in the shim counts: \
                    `portcullis hook install` writes it anew";
        Some((format!("{}: {what}", one.shown), help.to_owned()))
    };
    match run(&mut command) {
        Err(e) => wrong(e.to_string()),
        Ok((code, said)) => {
            let expected = format!("portcullis {VERSION} {}", one.hook);
            let last = said.lines().next_back().unwrap_or("no answer").to_owned();
            if code == Some(0) && said.lines().any(|line| line == expected) {
                None
            } else if code == Some(0) {
                wrong(format!("it answers with `{last}`, not with `{expected}`"))
            } else {
                wrong(format!("it ends with {}: {last}", code.map_or("a signal".into(), |c| c.to_string())))
            }
        }
    }
}

/// Exit code and what was said, sanitised.
fn run(command: &mut Command) -> io::Result<(Option<i32>, String)> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (send, said) = mpsc::channel();
    let pipes = [
        child.stdout.take().map(|p| Box::new(p) as Box<dyn Read + Send>),
        child.stderr.take().map(|p| Box::new(p) as Box<dyn Read + Send>),
    ];
    for pipe in pipes.into_iter().flatten() {
        let send = send.clone();
        // Not joined: something that the hook left running may hold the pipe open for ever.
        std::thread::spawn(move || {
            let mut text = Vec::new();
            let _ = pipe.take(4096).read_to_end(&mut text);
            let _ = send.send(text);
        });
    }
    drop(send);
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if Instant::now() > deadline {
            child.kill()?;
            child.wait()?;
            return Err(io::Error::new(io::ErrorKind::TimedOut, "no answer in 10 seconds"));
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let mut text = Vec::new();
    while let Ok(more) = said.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        text.extend(more);
    }
    Ok((status.code(), text::sanitise_lines(&String::from_utf8_lossy(&text))))
}

/// A linked work tree that exists as long as this does.
struct LinkedWorktree<'h> {
    host: &'h Host,
    base: PathBuf,
    path: PathBuf,
}

impl<'h> LinkedWorktree<'h> {
    /// `None` where there can be none: a bare repository, or no commit yet.
    fn add(host: &'h Host, directory: &Directory) -> Option<Self> {
        if directory.base == directory.common {
            return None;
        }
        let path = directory.common.join(format!("portcullis-doctor-{}", std::process::id()));
        let mut args: Vec<OsString> =
            // Its own hooks have no part in this.
            ["-c", "core.hooksPath=/dev/null", "worktree", "add", "-q", "--detach", "--no-checkout"]
                .map(OsString::from)
                .into();
        args.push(path.clone().into());
        host.ask(&directory.base, &args).ok()?;
        let linked = Self { host, base: directory.base.clone(), path };
        if let Ok(tracked) = directory.path.strip_prefix(&directory.base)
            && directory.reach == Reach::Clones
        {
            // Nothing else is checked out; that they are not committed is found out below.
            let args = ["checkout".as_ref(), "-q".as_ref(), "HEAD".as_ref(), "--".as_ref(), tracked.as_os_str()];
            let _ = host.ask(&linked.path, &args);
        }
        Some(linked)
    }

    fn ask(&self, one: &Status, path: &Path) -> Option<(String, String)> {
        let there = Host { directory: self.path.clone(), ..self.host.clone() };
        let found = match Directory::find(&there) {
            Ok(directory) => directory.path.join(path.file_name().unwrap_or_default()),
            Err(e) => return Some((e.message, e.hint.unwrap_or_default())),
        };
        if !found.exists() {
            return Some((
                format!("a linked work tree looks for {} in its own files, where it is not", one.shown),
                "commit the hooks directory, or make core.hooksPath an absolute path".into(),
            ));
        }
        ask(self.host, one, &found, &self.path)
    }
}

impl Drop for LinkedWorktree<'_> {
    fn drop(&mut self) {
        let args = ["worktree".as_ref(), "remove".as_ref(), "--force".as_ref(), self.path.as_os_str()];
        let _ = self.host.ask(&self.base, &args);
    }
}
