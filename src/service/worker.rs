//! Runs each job as its own process. Owns the job's folder and process group: however the job ends, no process or file is
//! left. Processes that left the group are handled by `orphans`.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

use super::answer::Answer;
use super::job::JobOrder;
use super::options::{self, SyncSettings};
use super::orphans::{self, OwnChild};
use super::request::Request;
use super::wmill::private_folder;

/// Prefix of the work folders, followed by a number.
const PREFIX: &str = "portcullis-sync-";
/// A lock file that the folder's owner holds while it runs.
const LOCK: &str = "lock";
/// Maximum size of a job's answer.
const MAX_ANSWER: u64 = 4 << 20;
/// Time for the steps between the children.
const STEP_MARGIN: Duration = Duration::from_secs(600);

pub struct Worker {
    settings: SyncSettings,
    windmill: String,
    /// Contains a folder for every job.
    folder: PathBuf,
    _lock: File,
    count: AtomicU64,
}

impl Drop for Worker {
    fn drop(&mut self) {
        remove(&self.folder);
    }
}

impl Worker {
    /// Creates the work folder, and removes those of killed services.
    pub fn start(settings: SyncSettings, windmill: String) -> Result<Arc<Self>, String> {
        let parent = settings.work_dir.clone().unwrap_or_else(std::env::temp_dir);
        let cannot = |e: io::Error| format!("the work folder {} cannot be used: {e}", parent.display());
        fs::create_dir_all(&parent).map_err(cannot)?;
        // Absolute, because jobs run in another directory.
        let parent = parent.canonicalize().map_err(cannot)?;
        sweep(&parent);
        let folder = own_folder(&parent).map_err(cannot)?;
        let lock = File::create(folder.join(LOCK)).and_then(|f| f.lock().map(|()| f)).map_err(cannot)?;
        Ok(Arc::new(Self { settings, windmill, folder, _lock: lock, count: AtomicU64::new(0) }))
    }

    /// A directory for running other programs.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs a job; kills it if `stop` resolves first.
    pub async fn run(&self, request: Request, stop: impl Future<Output = ()>) -> Answer {
        let folder = self.folder.join(self.count.fetch_add(1, Ordering::Relaxed).to_string());
        let failed = |e: io::Error| {
            tracing::error!("cannot run the job: {e}");
            Answer::failed("The job cannot be run")
        };
        let answer = match self.spawn(&folder) {
            Ok(child) => self.wait_for(child, request, folder.clone(), stop).await.unwrap_or_else(failed),
            Err(e) => failed(e),
        };
        remove(&folder);
        answer
    }

    fn spawn(&self, folder: &Path) -> io::Result<Child> {
        let (home, temporary) = (folder.join("home"), folder.join("tmp"));
        for new in [folder, &home, &temporary] {
            private_folder(new)?;
        }
        Command::new(std::env::current_exe()?)
            .arg("job")
            .current_dir(folder)
            .env_clear()
            .envs(options::passed_on())
            .env("HOME", &home)
            .env("TMPDIR", &temporary)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Its own process group, so that it can be killed as a whole.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
    }

    async fn wait_for(
        &self,
        mut child: Child,
        request: Request,
        folder: PathBuf,
        stop: impl Future<Output = ()>,
    ) -> io::Result<Answer> {
        let own_child = OwnChild::new(child.id());
        let group = ProcessGroup::of(&child);
        let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("a job without pipes"));
        };
        let order = JobOrder { request, settings: self.settings.clone(), windmill: self.windmill.clone(), folder };
        let mut line = serde_json::to_vec(&order)?;
        line.push(b'\n');
        let mut output_text = Vec::new();
        let ask = async {
            // If the job is gone already, its answer is read below.
            let _ = input.write_all(&line).await;
            output.take(MAX_ANSWER).read_to_end(&mut output_text).await
        };
        let limit = self.limit();
        let ended = tokio::select! {
            read = ask => read.map(|_| None),
            () = stop => Ok(Some(Answer::abandoned())),
            () = tokio::time::sleep(limit) => Ok(Some(Answer::failed(format!("The job timed out after {} s", limit.as_secs())))),
        };
        // Kill the group before waiting for the job: until then its process id cannot be reused.
        drop(group);
        drop(input);
        let status = child.wait().await;
        drop(own_child);
        // A killed job may have left orphans.
        orphans::kill_orphans().await;
        if let Some(answer) = ended? {
            return Ok(answer);
        }
        Ok(serde_json::from_slice(&output_text).unwrap_or_else(|_| {
            let status = status.map_or_else(|e| e.to_string(), |s| s.to_string());
            tracing::error!(status, "the job ended without an answer");
            Answer::failed("The job ended without an answer")
        }))
    }

    /// More than the sum of its children's time limits.
    fn limit(&self) -> Duration {
        (self.settings.git_limit() * 3 + self.settings.wmill_limit()) * 3 + STEP_MARGIN
    }
}

/// A job's process group, killed on drop.
struct ProcessGroup(Option<Pid>);

impl ProcessGroup {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)))
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            // An error means that no process is left.
            let _ = rustix::process::kill_process_group(leader, Signal::KILL);
        }
    }
}

/// Kills this process and its group, if the group is its own.
pub fn kill_own_group() {
    let own = rustix::process::getpid();
    if rustix::process::getpgrp() == own {
        let _ = rustix::process::kill_process_group(own, Signal::KILL);
    }
}

/// Disables core dumps: memory with tokens must not be written to disk.
pub fn disable_core_dumps() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    // Ignore errors: then the limit is already lower.
    let _ = rustix::process::setrlimit(Resource::Core, none);
}

/// Removes a folder. Logs a failure, because it may contain what the gate refused.
pub fn remove(folder: &Path) {
    if let Err(e) = fs::remove_dir_all(folder)
        && e.kind() != io::ErrorKind::NotFound
    {
        tracing::error!(folder = %folder.display(), "cannot remove a work folder: {e}");
    }
}

fn own_folder(parent: &Path) -> io::Result<PathBuf> {
    let mut number = std::process::id();
    loop {
        let folder = parent.join(format!("{PREFIX}{number}"));
        // Never reuse a folder that another user may have created.
        match fs::DirBuilder::new().mode(0o700).create(&folder) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => number = number.wrapping_add(1),
            made => return made.map(|()| folder),
        }
    }
}

/// Removes the folders of services that no longer run: a running one holds its lock.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let ours = entry.file_name().to_str().is_some_and(|n| n.starts_with(PREFIX));
        if ours && entry.file_type().is_ok_and(|t| t.is_dir()) {
            let free = File::open(entry.path().join(LOCK)).is_ok_and(|f| f.try_lock().is_ok());
            if free {
                remove(&entry.path());
            }
        }
    }
}
