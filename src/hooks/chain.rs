//! Running the hook that was there before ours: same arguments, same environment, a copy of what git wrote to us.
//! Owns nothing but that; where the hook is kept is the shim's business, when to run it the judge's.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use super::slot::{KEPT, is_executable};
use crate::error::{Error, Result};

/// The operating system does not know the file's format: a script without `#!`.
const ENOEXEC: i32 = 8;

/// Runs `hook` to its end and answers with its exit code; 128 + n for signal n, as shells have it.
///
/// `stdin` is what git wrote to us, all of it; `None` leaves the hook our own standard input. A hook that does not
/// read it is no error. One that is not executable, or a link to nowhere, is skipped with 0, as git itself does; one
/// that is not there is an error: the shim says that it should be.
pub fn run_existing(hook: &Path, arguments: &[OsString], stdin: Option<&[u8]>) -> Result<u8> {
    let problem = |e: io::Error| Error::undecided(format!("cannot run the kept hook {}: {e}", hook.display()));
    if let Err(e) = hook.symlink_metadata() {
        return Err(problem(e).hint("`portcullis hook install` looks again at what is there"));
    }
    if !hook.metadata().is_ok_and(|m| m.is_file() && is_executable(&m)) {
        return Ok(0);
    }
    let mut child = match start(command(hook, hook.as_os_str().into(), arguments), stdin.is_some()) {
        // As git does, and every shell.
        Err(e) if e.raw_os_error() == Some(ENOEXEC) => {
            let script = [with_directory(hook).into_os_string()];
            let arguments = [&script, arguments].concat();
            start(command(Path::new("/bin/sh"), "sh".into(), &arguments), stdin.is_some())
        }
        other => other,
    }
    .map_err(problem)?;
    if let (Some(bytes), Some(mut pipe)) = (stdin, child.stdin.take()) {
        match pipe.write_all(bytes) {
            // It has closed its end: it knows what it wants to know.
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => {}
            other => other.map_err(problem)?,
        }
    }
    let status = child.wait().map_err(problem)?;
    Ok(code(status))
}

/// `name` is what the hook sees as its own: a binary that knows its task by it still does.
fn command(program: &Path, name: OsString, arguments: &[OsString]) -> Command {
    let mut command = Command::new(with_directory(program));
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt as _;
        let text = name.to_string_lossy();
        command.arg0(text.strip_suffix(KEPT).map(OsString::from).unwrap_or(name));
    }
    #[cfg(not(unix))]
    let _ = (name, KEPT);
    // For a script with our block in it: it is our child already, and goes on with its own lines.
    command.args(arguments).env("PORTCULLIS_CHAIN", std::process::id().to_string());
    command
}

/// A bare name would be looked for in PATH.
fn with_directory(path: &Path) -> std::path::PathBuf {
    if path.components().count() == 1 { Path::new(".").join(path) } else { path.to_path_buf() }
}

fn start(mut command: Command, piped: bool) -> io::Result<Child> {
    command.stdin(if piped { Stdio::piped() } else { Stdio::inherit() }).spawn()
}

fn code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt as _;
        if let Some(signal) = status.signal() {
            return 128u8.saturating_add(signal.unsigned_abs().try_into().unwrap_or(127));
        }
    }
    // Whatever does not fit is a failure, not a multiple of 256 that looks like success.
    status.code().map_or(1, |code| u8::try_from(code).unwrap_or(1))
}
