//! The audit log: one JSON line per push, appended under a lock, never lost and never waited for longer than allowed.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::error::{Error, Result};
use crate::finding::Mask;
use crate::report::Report;
use crate::rules::secrets::redactor;
use crate::subject::Update;
use crate::text::sanitise;

/// What is kept of a push. Field names are a contract: people grep this file.
#[derive(Clone, Serialize)]
pub struct Line {
    /// RFC 3339, in UTC.
    pub time: String,
    pub hook: String,
    /// The account that pushed; `null` where the server did not say.
    pub identity: Option<String>,
    pub refs: Vec<LoggedRef>,
    /// `pass`, `fail`, `undecided` or `bypass`.
    pub verdict: String,
    /// Exit code given to git.
    pub exit_code: u8,
    /// Rules with findings that count, and how many each.
    pub rules: Vec<Counted>,
    /// Exceptions that took a finding out, by their reasons.
    pub exceptions: Vec<Counted>,
    /// What could not be decided, or why the push was let through.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
}

#[derive(Clone, Serialize)]
pub struct LoggedRef {
    pub name: String,
    pub old: Option<String>,
    pub new: Option<String>,
}

#[derive(Clone, Serialize)]
pub struct Counted {
    pub name: String,
    pub count: usize,
}

impl Line {
    pub fn new(hook: &str, identity: Option<&[u8]>, updates: &[Update]) -> Self {
        Self {
            time: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            hook: hook.to_owned(),
            identity: identity.map(shown),
            refs: updates
                .iter()
                .map(|u| LoggedRef {
                    name: shown(&u.name),
                    old: u.old.map(|o| o.to_string()),
                    new: u.new.map(|o| o.to_string()),
                })
                .collect(),
            verdict: String::new(),
            exit_code: 0,
            rules: Vec::new(),
            exceptions: Vec::new(),
            remarks: Vec::new(),
        }
    }

    /// Fills in what a report says.
    pub fn judged(mut self, report: &Report) -> Self {
        self.verdict = report.verdict().to_string();
        self.exit_code = report.exit_code();
        self.rules = count(report.standing().into_iter().map(|f| f.rule.to_string()));
        self.exceptions =
            count(report.suppressed().filter_map(|f| f.suppressed.as_ref()).map(|s| shown(s.reason.as_bytes())));
        self.remarks = report.errors.iter().map(|u| shown(u.error.message.as_bytes())).collect();
        self
    }
}

/// Fit for a file that is kept long and read by many.
fn shown(bytes: &[u8]) -> String {
    sanitise(&Mask::new(redactor()).bytes(bytes))
}

fn count(names: impl Iterator<Item = String>) -> Vec<Counted> {
    let mut all: std::collections::BTreeMap<String, usize> = Default::default();
    for name in names {
        *all.entry(name).or_default() += 1;
    }
    all.into_iter().map(|(name, count)| Counted { name, count }).collect()
}

/// Appends a line. Errors: the file cannot be written, or its lock was held for longer than `patience`.
pub fn append(file: &Path, line: &Line, patience: Duration) -> Result<()> {
    let cannot = |e: std::io::Error| {
        Error::undecided(format!("the audit log {} cannot be written: {e}", file.display()))
            .hint("a push that leaves no trace is not accepted; mend the log or take --audit-log away")
    };
    let mut log = OpenOptions::new().read(true).append(true).create(true).open(file).map_err(cannot)?;
    lock(&log, patience).map_err(cannot)?;
    let mut bytes = serde_json::to_vec(line).map_err(|e| cannot(e.into()))?;
    bytes.push(b'\n');
    let before = log.metadata().map_err(cannot)?.len();
    if !ends_a_line(&mut log, before).map_err(cannot)? {
        // Somebody was killed while writing: their half line stays theirs.
        bytes.insert(0, b'\n');
    }
    let written = log.write_all(&bytes).and_then(|()| log.sync_data());
    if written.is_err() {
        // A full disk may have taken half a line: the next reader must not find it.
        let _ = log.set_len(before);
    }
    written.map_err(cannot)
}

fn ends_a_line(log: &mut File, length: u64) -> std::io::Result<bool> {
    let mut last = [b'\n'];
    if length > 0 {
        log.seek(SeekFrom::Start(length - 1))?;
        log.read_exact(&mut last)?;
    }
    Ok(last == [b'\n'])
}

fn lock(file: &File, patience: Duration) -> std::io::Result<()> {
    let started = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(e)) => return Err(e),
            Err(TryLockError::WouldBlock) if started.elapsed() >= patience => {
                return Err(std::io::Error::new(std::io::ErrorKind::TimedOut, "another push holds its lock"));
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(2)),
        }
    }
}
