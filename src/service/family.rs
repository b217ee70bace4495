//! What programs leave behind: processes whose parent has ended come to this process, whatever group or session they
//! have gone to, and are ended here. Owns the list of children that this process has started itself.
//!
//! A job takes in what its tools leave; the service takes in what a job leaves that was killed.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal};

/// Children that somebody here waits for.
static OWN: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// A killed process that is there after so many looks cannot be killed.
const LOOKS: u32 = 1000;
const BETWEEN: Duration = Duration::from_millis(5);

fn own() -> MutexGuard<'static, BTreeSet<u32>> {
    OWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A child of our own, until dropped. Made in the same breath as the child, with no `await` between.
pub struct Known(Option<u32>);

impl Known {
    pub fn new(child: Option<u32>) -> Self {
        own().extend(child);
        Self(child)
    }
}

impl Drop for Known {
    fn drop(&mut self) {
        if let Some(child) = self.0 {
            own().remove(&child);
        }
    }
}

/// From now on, orphans among the descendants become children of this process.
#[cfg(target_os = "linux")]
pub fn adopt_orphans() {
    if let Err(e) = rustix::process::set_child_subreaper(Some(rustix::process::getpid())) {
        tracing::warn!("processes that jobs leave cannot be adopted: {e}");
    }
}

/// Elsewhere they go to the first process of the machine, and only a job's group is ended.
#[cfg(not(target_os = "linux"))]
pub fn adopt_orphans() {}

/// Ends every child that this process has not started itself, and theirs. `false`: some cannot be ended.
pub async fn end_strangers() -> bool {
    for _ in 0..LOOKS {
        // Whoever is killed gives its own children to us before it can be waited for: only nobody left is the end.
        if !kill_strangers() {
            return true;
        }
        tokio::time::sleep(BETWEEN).await;
    }
    tracing::error!("processes that a job left cannot be ended");
    false
}

/// Whether there was any.
fn kill_strangers() -> bool {
    let (me, my_group) = (rustix::process::getpid(), rustix::process::getpgrp());
    let own = own();
    let mut found = false;
    for (process, group) in children(me) {
        if own.contains(&number(process)) {
            continue;
        }
        found = true;
        // All of its group at once: it cannot fork faster than that. Not our group, and not that of another job.
        if let Some(group) = group
            && group != my_group
            && !own.contains(&number(group))
        {
            let _ = rustix::process::kill_process_group(group, Signal::KILL);
        }
        let _ = rustix::process::kill_process(process, Signal::KILL);
        let _ = rustix::process::waitpid(Some(process), rustix::process::WaitOptions::NOHANG);
    }
    found
}

fn number(process: Pid) -> u32 {
    process.as_raw_nonzero().get().unsigned_abs()
}

/// The children of a process, with their groups, unless those are of another namespace. Where there is no `/proc`,
/// nobody can be adopted either.
fn children(of: Pid) -> Vec<(Pid, Option<Pid>)> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let child = |entry: std::fs::DirEntry| {
        let process = entry.file_name().to_str()?.parse().ok().and_then(Pid::from_raw)?;
        let stat = std::fs::read(entry.path().join("stat")).ok()?;
        // Behind the name, which is in parentheses and may hold anything: state, parent, group.
        let end = stat.iter().rposition(|b| *b == b')')?;
        let rest = std::str::from_utf8(stat.get(end + 1..)?).ok()?;
        let mut words = rest.split_ascii_whitespace().skip(1).map(|w| w.parse().ok().and_then(Pid::from_raw));
        let (parent, group) = (words.next()??, words.next()?);
        (parent == of).then_some((process, group))
    };
    processes.filter_map(child).collect()
}
