//! Runs a job as a process of its own. Owns the job's folder, its process group and its end: whatever becomes of the
//! job, nothing of it is left, neither a process nor a file. Who has left the group is `family`'s.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use super::answer::Answer;
use super::family::{self, Known};
use super::job::Order;
use super::options::{self, Settings};
use super::request::Request;
use super::wmill::private_folder;

/// Folders are called so, with a number behind.
const PREFIX: &str = "portcullis-sync-";
/// Held by whoever owns the folder, as long as it lives.
const LOCK: &str = "lock";
/// A job's answer is short; more is no answer.
const ANSWER: u64 = 4 << 20;
/// What the steps between the children may take altogether.
const MARGIN: Duration = Duration::from_secs(600);

pub struct Worker {
    settings: Settings,
    windmill: String,
    /// Below it, every job has a folder.
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
    /// Makes the folder for jobs, and takes away what others have left who were killed.
    pub fn start(settings: Settings, windmill: String) -> Result<Arc<Self>, String> {
        let parent = settings.work_dir.clone().unwrap_or_else(std::env::temp_dir);
        let cannot = |e: io::Error| format!("the work folder {} cannot be used: {e}", parent.display());
        fs::create_dir_all(&parent).map_err(cannot)?;
        // Absolute: a job stands somewhere else.
        let parent = parent.canonicalize().map_err(cannot)?;
        sweep(&parent);
        let folder = own_folder(&parent).map_err(cannot)?;
        let lock = File::create(folder.join(LOCK)).and_then(|f| f.lock().map(|()| f)).map_err(cannot)?;
        Ok(Arc::new(Self { settings, windmill, folder, _lock: lock, count: AtomicU64::new(0) }))
    }

    /// Where programs can run that are no job.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs a job. When `stop` is ready first, the job is ended where it is.
    pub async fn run(&self, request: Request, stop: impl Future<Output = ()>) -> Answer {
        let folder = self.folder.join(self.count.fetch_add(1, Ordering::Relaxed).to_string());
        let failed = |e: io::Error| {
            tracing::error!("the job cannot be run: {e}");
            Answer::failed("The job cannot be run")
        };
        let answer = match self.spawn(&folder) {
            Ok(child) => self.attend(child, request, folder.clone(), stop).await.unwrap_or_else(failed),
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
            // A group of its own, so that all of it can be ended at once.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
    }

    async fn attend(
        &self,
        mut child: Child,
        request: Request,
        folder: PathBuf,
        stop: impl Future<Output = ()>,
    ) -> io::Result<Answer> {
        let known = Known::new(child.id());
        let group = Group::of(&child);
        let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("a job without pipes"));
        };
        let order = Order { request, settings: self.settings.clone(), windmill: self.windmill.clone(), folder };
        let mut line = serde_json::to_vec(&order)?;
        line.push(b'\n');
        let mut said = Vec::new();
        let ask = async {
            // A job that is gone already has its say below.
            let _ = input.write_all(&line).await;
            output.take(ANSWER).read_to_end(&mut said).await
        };
        let limit = self.limit();
        let ended = tokio::select! {
            read = ask => read.map(|_| None),
            () = stop => Ok(Some(Answer::abandoned())),
            () = tokio::time::sleep(limit) => Ok(Some(Answer::failed(format!("The job timed out after {} s", limit.as_secs())))),
        };
        // Before anybody waits for the job: until then its number is nobody else's.
        drop(group);
        drop(input);
        let status = child.wait().await;
        drop(known);
        // It may have been killed before it could end what its tools had left.
        family::end_strangers().await;
        if let Some(answer) = ended? {
            return Ok(answer);
        }
        Ok(serde_json::from_slice(&said).unwrap_or_else(|_| {
            let status = status.map_or_else(|e| e.to_string(), |s| s.to_string());
            tracing::error!(status, "the job ended without an answer");
            Answer::failed("The job ended without an answer")
        }))
    }

    /// More than all its children may take, one after the other.
    fn limit(&self) -> Duration {
        (self.settings.git_limit() * 3 + self.settings.wmill_limit()) * 3 + MARGIN
    }
}

/// A job and all its children; ended when dropped.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            // Nobody left is what is wanted.
            let _ = rustix::process::kill_process_group(leader, Signal::KILL);
        }
    }
}

/// Ends this process and all of its group, if the group is its own.
pub fn end_own_group() {
    let own = rustix::process::getpid();
    if rustix::process::getpgrp() == own {
        let _ = rustix::process::kill_process_group(own, Signal::KILL);
    }
}

/// Memory that holds tokens must not be written to a disk when a process breaks.
pub fn leave_no_core() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    // Somebody who forbade this has forbidden more already.
    let _ = rustix::process::setrlimit(Resource::Core, none);
}

/// Takes a folder away. What cannot be removed is told: it may hold what the gate refused.
pub fn remove(folder: &Path) {
    if let Err(e) = fs::remove_dir_all(folder)
        && e.kind() != io::ErrorKind::NotFound
    {
        tracing::error!(folder = %folder.display(), "a work folder cannot be removed: {e}");
    }
}

fn own_folder(parent: &Path) -> io::Result<PathBuf> {
    let mut number = std::process::id();
    loop {
        let folder = parent.join(format!("{PREFIX}{number}"));
        // Not one that somebody else has made, and may look into.
        match fs::DirBuilder::new().mode(0o700).create(&folder) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => number = number.wrapping_add(1),
            made => return made.map(|()| folder),
        }
    }
}

/// Removes folders of services that are gone: whoever lives holds a lock.
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
