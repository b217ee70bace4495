//! The Windmill CLI: how it is called, how it gets its token, what its exit codes mean.
//!
//! It reads tokens from a profile, a file in its configuration folder. That file is a link to its standard input, which is a
//! file in memory, so that the token is in no argument, environment variable or file on disk.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::answer::Answer;
use super::child::{self, ProgramOutput};
use super::options::{SyncSettings, passed_on};
use super::request::Request;
use super::scrub::Scrub;

/// The settings for the first sync of a workspace, which the gate accepts.
const STARTER: &str = "\
# What Windmill exports to git. Written by the first sync. You may change it, but do not export keys or secrets.
defaultTs: bun
skipSecrets: true
includeKey: false
plainSecrets: false
includeSettings: false
includeUsers: false
includeGroups: false
";

pub struct Wmill<'a> {
    pub settings: &'a SyncSettings,
    /// Windmill's base URL.
    pub base: &'a str,
    /// The job's own folder, outside the repository.
    pub folder: &'a Path,
    pub scrub: &'a Scrub,
}

impl Wmill<'_> {
    /// Pulls the workspace into `directory`, and creates `wmill.yaml` if there is none.
    pub async fn pull(&self, directory: &Path, request: &Request) -> Result<(), Answer> {
        let cannot = |e: io::Error| Answer::failed(format!("Windmill sync failed: the work folder: {e}"));
        starter(directory).map_err(cannot)?;
        let configuration = self.folder.join("wmill");
        let profile = self.profile(request, &configuration.join("windmill")).map_err(cannot)?;
        let mut command = child::program(&self.settings.wmill, directory, Some(profile));
        command.args(["sync", "pull", "--yes", "--workspace", &request.workspace, "--config-dir"]).arg(&configuration);
        command.env("NO_COLOR", "1");
        let failed = |why: String| {
            tracing::warn!(why, "wmill failed");
            Err(Answer::failed(format!("Windmill sync failed: {why}")))
        };
        match child::run(command, self.settings.wmill_limit()).await {
            Ok(ran) if ran.succeeded() => Ok(()),
            Ok(ran) => failed(self.why(&ran, &request.workspace)),
            Err(child::ProgramError::NotFound) => failed("wmill was not found: install windmill-cli".to_owned()),
            Err(e) => failed(format!("wmill {e}")),
        }
    }

    /// Explains a failure: exit code 1 is an answer of Windmill, 2 means that our command line is wrong.
    fn why(&self, ran: &ProgramOutput, workspace: &str) -> String {
        let said = [&ran.stdout[..], b"\n", &ran.stderr].concat();
        let text = String::from_utf8_lossy(&said);
        let says = |words: &[&str]| words.iter().any(|w| text.contains(w));
        match ran.code {
            Some(1) if says(&["Unauthorized", "Could not authenticate", "Not a TTY, can't login"]) => {
                "authentication error".to_owned()
            }
            Some(1) if says(&["Network error", "Could not connect", "ECONNREFUSED", "ENOTFOUND"]) => {
                "network error: Windmill cannot be reached".to_owned()
            }
            Some(1) if says(&["Workspace id '"]) => format!("unknown workspace '{workspace}'"),
            Some(2) => {
                let words = self.scrub.last_line(&ran.stderr);
                format!("wmill did not understand its command line ({words}): this version may be too old or too new")
            }
            Some(code) => {
                let stream = if ran.stderr.iter().all(u8::is_ascii_whitespace) { &ran.stdout } else { &ran.stderr };
                format!("wmill ended with {code}: {}", self.scrub.last_line(stream))
            }
            None => "wmill was killed".to_owned(),
        }
    }

    /// A profile with the workspace's name, in a file in memory.
    fn profile(&self, request: &Request, folder: &Path) -> io::Result<File> {
        private_folder(folder)?;
        let line = json!({
            "name": request.workspace,
            "remote": format!("{}/", self.base),
            "workspaceId": request.workspace,
            "token": request.windmill_token,
        });
        let file = folder.join("remotes.ndjson");
        let _ = fs::remove_file(&file);
        in_memory(&file, format!("{line}\n").as_bytes())
    }
}

/// wmill's version.
pub async fn version(program: &Path, folder: &Path) -> Option<String> {
    let mut command = child::program(program, folder, None);
    command.env_clear().envs(passed_on()).env("HOME", folder);
    command.arg("--version").env("NO_COLOR", "1");
    let ran = child::run(command, Duration::from_secs(30)).await.ok().filter(ProgramOutput::succeeded)?;
    let text = String::from_utf8_lossy(&ran.stdout).into_owned();
    let found = text.split_whitespace().find(|w| w.starts_with(|c: char| c.is_ascii_digit()))?;
    Some(crate::text::sanitise(found.as_bytes()))
}

fn starter(directory: &Path) -> io::Result<()> {
    let file = directory.join("wmill.yaml");
    if file.symlink_metadata().is_ok() {
        return Ok(());
    }
    fs::write(file, STARTER)
}

/// Creates a folder that only this user can access.
pub fn private_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Creates a file in memory to use as standard input, and a link to it at `name`.
#[cfg(target_os = "linux")]
fn in_memory(name: &Path, text: &[u8]) -> io::Result<File> {
    use std::io::Seek as _;
    let memory = rustix::fs::memfd_create("profile", rustix::fs::MemfdFlags::CLOEXEC)?;
    let mut file = File::from(memory);
    file.write_all(text)?;
    file.rewind()?;
    std::os::unix::fs::symlink("/dev/stdin", name)?;
    Ok(file)
}

/// On other systems standard input cannot be opened twice: use a private file, which is removed with the work folder.
#[cfg(not(target_os = "linux"))]
fn in_memory(name: &Path, text: &[u8]) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(name)?.write_all(text)?;
    File::open("/dev/null")
}
