//! Reports that no engine run made.

use crate::error::Error;
use crate::finding::{Findings, Mask};
use crate::options::Mistake;
use crate::report::{Report, Undecided};
use crate::rules::secrets::redactor;
use crate::stats::Stats;

/// A report of something that could not be decided.
pub fn undecided(error: Error) -> Report {
    let report = Report { errors: vec![Undecided { error, origin: None }], ..empty() };
    report.masked(&Mask::new(redactor()))
}

/// A report of what is wrong with a policy.
pub fn policy_mistakes(mistakes: &[Mistake]) -> Report {
    let mut findings = Findings::new(redactor(), 0);
    for mistake in mistakes {
        findings.push(mistake.violation());
    }
    Report { findings: findings.into_vec(), ..empty() }
}

fn empty() -> Report {
    let (findings, errors, notes) = (Vec::new(), Vec::new(), Vec::new());
    Report { findings, errors, stats: Stats::default(), notes, enforce: true, deny_warnings: false }
}
