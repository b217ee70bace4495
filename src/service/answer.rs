//! The answer to a caller: status, message, findings. Its shape is that of the service that this one replaces, with
//! additions. Owns the status and exit code of each outcome. Texts must be masked before they come here.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::finding::Severity;
use crate::report::Report;
use crate::report::json::{self as shown, Origin};

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SyncOutcome {
    Pushed,
    Unchanged,
    /// Refused by the policy.
    Refused,
    /// The request is invalid.
    Invalid,
    /// The wait for a turn timed out.
    Busy,
    /// Too many requests are waiting.
    Full,
    /// Git, Windmill or the service itself failed.
    Failed,
    /// Abandoned because the service stops.
    Abandoned,
}

impl SyncOutcome {
    /// All outcomes, in the order of the metrics.
    pub const ALL: [Self; 8] = [
        Self::Pushed,
        Self::Unchanged,
        Self::Refused,
        Self::Invalid,
        Self::Busy,
        Self::Full,
        Self::Failed,
        Self::Abandoned,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Pushed => "pushed",
            Self::Unchanged => "unchanged",
            Self::Refused => "refused",
            Self::Invalid => "invalid",
            Self::Busy => "busy",
            Self::Full => "full",
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
        }
    }

    /// The HTTP status.
    pub fn status(self) -> u16 {
        match self {
            Self::Pushed | Self::Unchanged => 200,
            Self::Refused => 422,
            Self::Invalid => 400,
            Self::Busy => 409,
            Self::Full => 429,
            Self::Failed => 500,
            Self::Abandoned => 503,
        }
    }
}

/// One finding without its excerpt, which may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub rule: String,
    pub severity: String,
    pub message: String,
    pub help: Option<String>,
    /// `None` for a finding in the commit message.
    pub path: Option<String>,
    /// 1-based; 0 for the whole file.
    pub line: usize,
    pub fingerprint: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Answer {
    pub outcome: SyncOutcome,
    pub message: String,
    /// The commit that was pushed.
    pub commit: Option<String>,
    /// The findings of a refused sync.
    pub findings: Vec<Finding>,
}

impl Answer {
    fn new(outcome: SyncOutcome, message: impl Into<String>) -> Self {
        Self { outcome, message: message.into(), commit: None, findings: Vec::new() }
    }

    pub fn pushed(workspace: &str, commit: String) -> Self {
        let message = format!("Successfully synced workspace '{workspace}' to Git");
        Self { commit: Some(commit), ..Self::new(SyncOutcome::Pushed, message) }
    }

    pub fn unchanged() -> Self {
        Self::new(SyncOutcome::Unchanged, "Sync completed - no changes to commit")
    }

    pub fn refused(report: &Report) -> Self {
        let counts = |f: &&crate::finding::Finding| f.severity != Severity::Note;
        let findings: Vec<Finding> = report.standing().into_iter().filter(counts).map(Finding::of).collect();
        let mut rules: Vec<&str> = findings.iter().filter(|f| f.severity == "error").map(|f| f.rule.as_str()).collect();
        rules.sort_unstable();
        rules.dedup();
        let message = format!("Refused by policy, nothing was pushed: {}", rules.join(", "));
        Self { findings, ..Self::new(SyncOutcome::Refused, message) }
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(SyncOutcome::Invalid, message)
    }

    pub fn busy() -> Self {
        Self::new(SyncOutcome::Busy, "Another sync of this repository and branch is running; try again later")
    }

    pub fn full() -> Self {
        Self::new(SyncOutcome::Full, "Too many syncs of this repository and branch are waiting; try again later")
    }

    pub fn crowded() -> Self {
        Self::new(SyncOutcome::Full, "Too many syncs are waiting; try again later")
    }

    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(SyncOutcome::Failed, message)
    }

    pub fn abandoned() -> Self {
        Self::new(SyncOutcome::Abandoned, "Sync abandoned: the service is stopping; try again later")
    }

    /// One line of JSON.
    pub fn body(&self) -> String {
        let success = matches!(self.outcome, SyncOutcome::Pushed | SyncOutcome::Unchanged);
        let mut body = json!({ "success": success, "message": self.message });
        if let Some(commit) = &self.commit {
            body["commit"] = json!(commit);
        }
        if self.outcome == SyncOutcome::Refused {
            body["findings"] = json!(self.findings);
        }
        super::log::escape_unsafe(&body.to_string())
    }

    /// The exit code of `portcullis-sync once`: the same codes as the gate's.
    pub fn exit_code(&self) -> u8 {
        match self.outcome {
            SyncOutcome::Pushed | SyncOutcome::Unchanged => 0,
            SyncOutcome::Refused => 1,
            SyncOutcome::Invalid => 2,
            SyncOutcome::Busy | SyncOutcome::Full | SyncOutcome::Failed | SyncOutcome::Abandoned => 3,
        }
    }
}

impl Finding {
    fn of(finding: &crate::finding::Finding) -> Self {
        let shown = shown::Finding::of(finding);
        let path = match shown.origin {
            Origin::File { path, .. } | Origin::Policy { path, .. } => Some(path),
            _ => None,
        };
        Self {
            rule: shown.rule,
            severity: finding.severity.to_string(),
            message: shown.message,
            help: shown.help,
            path,
            line: finding.span.line,
            fingerprint: finding.fingerprint.clone(),
        }
    }
}
