//! Orphans: processes that programs leave behind. This process adopts them, whatever their process group or session, and
//! kills them. Owns the list of children that this process started itself.
//!
//! A job adopts the orphans of its tools; the service adopts those of a killed job.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal};

/// Children that this process started and waits for.
static OWN: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// Give up on a killed process that still exists after so many checks.
const MAX_CHECKS: u32 = 1000;
const CHECK_INTERVAL: Duration = Duration::from_millis(5);

fn own() -> MutexGuard<'static, BTreeSet<u32>> {
    OWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Registers a child of our own until dropped. Create it right after the child, with no `await` in between.
pub struct OwnChild(Option<u32>);

impl OwnChild {
    pub fn new(child: Option<u32>) -> Self {
        own().extend(child);
        Self(child)
    }
}

impl Drop for OwnChild {
    fn drop(&mut self) {
        if let Some(child) = self.0 {
            own().remove(&child);
        }
    }
}

/// Makes this process the parent of orphans among its descendants.
#[cfg(target_os = "linux")]
pub fn adopt_orphans() {
    if let Err(e) = rustix::process::set_child_subreaper(Some(rustix::process::getpid())) {
        tracing::warn!("cannot adopt orphans of jobs: {e}");
    }
}

/// Other systems reparent orphans to the first process, so that only a job's process group is killed.
#[cfg(not(target_os = "linux"))]
pub fn adopt_orphans() {}

/// Kills every child that this process did not start itself, and their children. False if some cannot be killed.
pub async fn kill_orphans() -> bool {
    for _ in 0..MAX_CHECKS {
        // A killed process passes its children to us, so repeat until none is left.
        if !kill_orphans_once() {
            return true;
        }
        tokio::time::sleep(CHECK_INTERVAL).await;
    }
    tracing::error!("orphans of a job cannot be killed");
    false
}

/// Kills the current orphans. False if there were none.
fn kill_orphans_once() -> bool {
    let (me, my_group) = (rustix::process::getpid(), rustix::process::getpgrp());
    let own = own();
    let mut found = false;
    for (process, group) in children(me) {
        if own.contains(&number(process)) {
            continue;
        }
        found = true;
        // Kill its whole group at once, so that it cannot fork faster; but not our group or another job's.
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

/// The children of a process with their groups, if those are in our namespace. Systems without `/proc` do not adopt orphans
/// either.
fn children(of: Pid) -> Vec<(Pid, Option<Pid>)> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let child = |entry: std::fs::DirEntry| {
        let process = entry.file_name().to_str()?.parse().ok().and_then(Pid::from_raw)?;
        let stat = std::fs::read(entry.path().join("stat")).ok()?;
        // After the name, which is in parentheses and may contain anything: state, parent, group.
        let end = stat.iter().rposition(|b| *b == b')')?;
        let rest = std::str::from_utf8(stat.get(end + 1..)?).ok()?;
        let mut words = rest.split_ascii_whitespace().skip(1).map(|w| w.parse().ok().and_then(Pid::from_raw));
        let (parent, group) = (words.next()??, words.next()?);
        (parent == of).then_some((process, group))
    };
    processes.filter_map(child).collect()
}
