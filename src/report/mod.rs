//! What a run found, and how it is told. Owns [`Report`] with its verdict and exit code, and one renderer per file.
//! Sees only findings and errors: never a blob, never the repository. What stands is decided before (`policy::settle`).
//!
//! Every renderer has the shape `fn render(&Report, &Context, &mut dyn Write) -> io::Result<()>`.

use std::cmp::Reverse;
use std::fmt;

use serde::Serialize;

use crate::error::{self, Error};
use crate::finding::{Finding, Origin, Severity};
use crate::stats::Stats;

pub mod checkstyle;
mod context;
mod format;
mod formats;
pub mod github;
pub mod gitlab;
pub mod gitlab_secrets;
pub mod html;
pub mod human;
pub mod json;
pub mod jsonl;
pub mod junit;
mod mask;
mod output;
pub mod page;
mod place;
pub mod rdjson;
pub mod remote;
pub mod sarif;
mod show;
pub mod summary;

pub use context::{Context, RuleInfo, Verbosity};
pub use format::Format;
pub use formats::FORMATS;
pub use output::{Output, UntilClosed, plan, write_all};

/// Everything a run has to say.
#[derive(Clone, Debug)]
pub struct Report {
    /// Sorted and settled; suppressed ones are included.
    pub findings: Vec<Finding>,
    /// What could not be decided.
    pub errors: Vec<Undecided>,
    pub stats: Stats,
    /// Remarks on the whole run: `not a git repository: scanned the files`.
    pub notes: Vec<String>,
    /// `false` under `mode: report`: the verdict is told, the exit code is 0.
    pub enforce: bool,
    /// Warnings fail the run too.
    pub deny_warnings: bool,
}

/// One thing that nobody could say, and the place it is about, where there is one.
#[derive(Clone, Debug)]
pub struct Undecided {
    pub error: Error,
    pub origin: Option<Origin>,
}

/// The answer of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Pass,
    Fail,
    Undecided,
}

/// How many findings stand, by severity, and how many do not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub errors: usize,
    pub warnings: usize,
    pub notes: usize,
    pub suppressed: usize,
    pub not_decided: usize,
}

impl Report {
    /// A standing error fails, whatever else could not be seen: nothing unseen can mend it. Without one, anything
    /// unseen leaves the run undecided.
    pub fn verdict(&self) -> Verdict {
        let counts = self.counts();
        if counts.errors > 0 || (self.deny_warnings && counts.warnings > 0) {
            Verdict::Fail
        } else if self.errors.is_empty() {
            Verdict::Pass
        } else {
            Verdict::Undecided
        }
    }

    /// `0` pass, `1` fail, `2` undecided because something was asked wrongly, `3` undecided; always `0` when the
    /// policy only reports.
    pub fn exit_code(&self) -> u8 {
        match self.verdict() {
            _ if !self.enforce => 0,
            Verdict::Pass => 0,
            Verdict::Fail => 1,
            Verdict::Undecided if self.errors.iter().any(|u| u.error.kind == error::Kind::Usage) => 2,
            Verdict::Undecided => 3,
        }
    }

    pub fn counts(&self) -> Counts {
        let mut counts = Counts { not_decided: self.errors.len(), ..Counts::default() };
        for finding in &self.findings {
            *match (&finding.suppressed, finding.severity) {
                (Some(_), _) => &mut counts.suppressed,
                (None, Severity::Error) => &mut counts.errors,
                (None, Severity::Warning) => &mut counts.warnings,
                (None, Severity::Note) => &mut counts.notes,
            } += 1;
        }
        counts
    }

    /// Findings that count, worst first; equally bad ones keep their order.
    pub fn standing(&self) -> Vec<&Finding> {
        let mut list: Vec<_> = self.findings.iter().filter(|f| f.suppressed.is_none()).collect();
        list.sort_by_key(|f| Reverse(f.severity));
        list
    }

    /// Findings that an exception, an inline allow or a trailer took out.
    pub fn suppressed(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|f| f.suppressed.is_some())
    }

    /// The verdict in one line: `fail: 2 errors, 1 warning; 0 suppressed, 0 not decided`.
    pub fn sentence(&self) -> String {
        let counts = self.counts();
        let found: Vec<_> = [(counts.errors, "error"), (counts.warnings, "warning"), (counts.notes, "note")]
            .into_iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, what)| show::count(n as u64, what))
            .collect();
        let found = if found.is_empty() { "no findings".to_owned() } else { found.join(", ") };
        let verdict = self.verdict();
        let denied = verdict == Verdict::Fail && counts.errors == 0;
        format!(
            "{verdict}{}: {found}{}; {} suppressed, {} not decided",
            if self.enforce || verdict == Verdict::Pass { "" } else { " (reported only, nothing is refused)" },
            if denied { " (warnings are denied)" } else { "" },
            counts.suppressed,
            counts.not_decided,
        )
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Undecided => "undecided",
        })
    }
}

impl std::ops::AddAssign for Stats {
    fn add_assign(&mut self, other: Self) {
        self.policies_parsed += other.policies_parsed;
        self.commits_decoded += other.commits_decoded;
        self.trees_diffed += other.trees_diffed;
        self.blobs_read += other.blobs_read;
        self.bytes_read += other.bytes_read;
        self.patterns_compiled += other.patterns_compiled;
        self.blobs_skipped_binary += other.blobs_skipped_binary;
        self.blobs_resolved += other.blobs_resolved;
        self.bytes_inflated += other.bytes_inflated;
        self.bytes_made += other.bytes_made;
        self.bytes_sifted += other.bytes_sifted;
        self.blobs_sifted_whole += other.blobs_sifted_whole;
        self.blobs_seen += other.blobs_seen;
    }
}
