//! What stands: from what the checks said of every subject to a [`Report`]. Owns the order of it: severity and scope of the
//! policy, then what excuses a finding, then merging and sorting. The same findings in any order make the same report.

use std::cmp::{Ordering, Reverse};
use std::collections::HashMap;

use jiff::civil::Date;
use sha2::{Digest as _, Sha256};

use super::setting::{covers, family_of};
use super::told_once::tell_once;
use super::{Mode, Policy};
use crate::finding::{
    Finding, Findings, Former, InlineAllow, Location, NothingToHide, Origin, Redact, Severity, Suppression,
};
use crate::report::{Report, Undecided};
use crate::rules::exceptions;
use crate::stats::Stats;
use crate::subject::{Oid, RefSet};

/// Said of a value that took the place of an excepted one.
const ANOTHER: &str = "the exception for this place is for another value: it does not excuse this one";

/// What the checks said of one subject.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The refs that the subject goes to; empty where nobody knows.
    pub refs: RefSet,
    pub findings: Vec<Finding>,
}

/// What settling must know of a run beside its findings.
pub struct Run<'r> {
    /// In UTC, so that every gate agrees on what has expired.
    pub today: Date,
    /// The whole tree was checked with all rules: exceptions that nothing needed are told.
    pub complete: bool,
    /// Families or codes that were asked for; empty means all.
    pub only: Vec<String>,
    /// Families or codes that the user skips here and now.
    pub skip: Vec<String>,
    /// Allows from the trailers of each commit (`None`: the pending message).
    pub trailers: HashMap<Option<Oid>, Vec<InlineAllow>>,
    pub deny_warnings: bool,
    pub redactor: &'r dyn Redact,
}

impl Run<'_> {
    pub fn new(today: Date) -> Self {
        Self {
            today,
            complete: false,
            only: Vec::new(),
            skip: Vec::new(),
            trailers: HashMap::new(),
            deny_warnings: false,
            redactor: &NothingToHide,
        }
    }
}

impl Policy {
    /// The report: `errors` and `stats` go into it as they are.
    pub fn settle(&self, batches: Vec<Batch>, errors: Vec<Undecided>, stats: Stats, run: &Run<'_>) -> Report {
        let (in_force, faults) = self.judge_exceptions(run);
        let mut used = vec![false; self.exceptions.len()];
        let mut settled: Vec<Finding> = Vec::new();
        let mut unreasoned: Vec<Finding> = Vec::new();
        for Batch { refs, findings } in batches {
            for finding in findings {
                let Some(mut finding) = self.settings.apply(finding, &refs) else { continue };
                if !Self::is_wanted(&run.only, &finding.rule) {
                    continue;
                }
                if finding.stood {
                    finding.severity = Severity::Note;
                    finding.notes.push("it stood before this change".to_owned());
                }
                // Every one that holds is used, lest the order in the file decide which of two is called unused.
                let mut excuses = in_force.iter().copied().filter(|n| self.excuses(*n, &finding, &refs));
                if let Some(n) = excuses.next() {
                    used[n] = true;
                    excuses.for_each(|n| used[n] = true);
                    let reason = self.exceptions[n].reason.clone();
                    finding.suppressed = Some(Suppression { by: "exception", reason });
                } else {
                    if finding.former == Former::Another {
                        finding.notes.push(ANOTHER.to_owned());
                    }
                    unreasoned.extend(self.allow(&mut finding, run));
                }
                settled.push(finding);
            }
        }
        tell_once(&mut settled);
        let mut own = faults.into_vec();
        if run.complete && run.only.is_empty() {
            let mut unused = Findings::new(run.redactor, 0);
            for n in in_force.into_iter().filter(|n| !used[*n] && self.exceptions[*n].shows_in_tree(self.rules)) {
                unused.push(self.exceptions[n].unused(&self.files[self.exceptions[n].source]));
            }
            own.extend(unused.into_vec());
        }
        own.extend(unreasoned);
        settled.extend(
            own.into_iter()
                .filter_map(|f| self.settings.apply(f, &RefSet::default()))
                .filter(|f| Self::is_wanted(&run.only, &f.rule)),
        );
        Report {
            findings: merge(settled),
            errors,
            stats,
            notes: Vec::new(),
            enforce: self.mode == Mode::Enforce,
            deny_warnings: run.deny_warnings,
        }
    }

    /// Which exceptions count today, and what is wrong with the others.
    fn judge_exceptions<'r>(&self, run: &Run<'r>) -> (Vec<usize>, Findings<'r>) {
        let mut faults = Findings::new(run.redactor, 0);
        if self.exceptions.is_empty() {
            return (Vec::new(), faults);
        }
        let (max_days, _) = self.with_options(&exceptions::RULE, |options| options.number("max-days"));
        let in_force = (0..self.exceptions.len()).filter(|n| {
            let exception = &self.exceptions[*n];
            let fault = exception.fault(&self.files[exception.source], run.today, max_days);
            let counts = fault.is_none();
            fault.into_iter().for_each(|f| faults.push(f));
            counts
        });
        (in_force.collect(), faults)
    }

    /// Inline allows, trailers and skips. Gives back a finding where an allow has no reason.
    fn allow(&self, finding: &mut Finding, run: &Run<'_>) -> Option<Finding> {
        let commit = match &finding.origin {
            Origin::File { commit, .. } | Origin::Message { commit } => Some(*commit),
            _ => None,
        };
        let trailers = commit.and_then(|c| run.trailers.get(&c)).into_iter().flatten().map(|a| ("trailer", a));
        let allows = finding.allows.iter().map(|a| ("inline", a)).chain(trailers);
        let meant: Vec<(&'static str, InlineAllow)> =
            allows.filter(|(_, a)| covers(&a.rule, &finding.rule)).map(|(by, a)| (by, a.clone())).collect();
        let mut unreasoned = None;
        if !meant.is_empty() {
            let family = family_of(&finding.rule);
            if self.inline_deny.iter().any(|d| d == family) {
                finding.notes.push(format!("an allow stands here, but the policy denies inline allows of `{family}`"));
            } else if let Some((by, allow)) = meant.iter().find(|(_, a)| !a.reason.is_empty()) {
                finding.suppressed = Some(Suppression { by, reason: allow.reason.clone() });
            } else {
                unreasoned = Some(no_reason(finding));
            }
        }
        if finding.suppressed.is_none() && run.skip.iter().any(|name| covers(name, &finding.rule)) {
            finding.suppressed = Some(Suppression { by: "skip", reason: "skipped by the user".into() });
        }
        unreasoned
    }
}

/// An allow without a reason, at the place of what it was to excuse.
fn no_reason(finding: &Finding) -> Finding {
    let digest = Sha256::digest(format!("exceptions/no-reason\0{}", finding.fingerprint));
    Finding {
        rule: "exceptions/no-reason".into(),
        severity: Severity::Error,
        confidence: None,
        message: format!("the allow of `{}` here gives no reason, so it does not count", finding.rule),
        help: Some(format!("write `allow({}) because ...`", finding.rule)),
        notes: Vec::new(),
        fingerprint: digest.iter().take(16).map(|b| format!("{b:02x}")).collect(),
        also: Vec::new(),
        same: None,
        allows: Vec::new(),
        secrets: Vec::new(),
        merged: Vec::new(),
        ..finding.clone()
    }
}

/// Sorts, and makes one finding of those that are the same: of the same rule, and about the same secret or with the
/// same fingerprint. Only of those that count alike, so that an excused place never hides another.
fn merge(mut list: Vec<Finding>) -> Vec<Finding> {
    list.sort_by(order);
    let mut merged: Vec<Finding> = Vec::with_capacity(list.len());
    let mut seen: HashMap<(String, Option<String>, Identity), usize> = HashMap::new();
    for finding in list {
        let standing = finding.suppressed.as_ref().map(|s| format!("{}\0{}", s.by, s.reason));
        let key = |identity| (finding.rule.to_string(), standing.clone(), identity);
        let same = finding.same.map(|s| key(Identity::Same(s)));
        let print = key(Identity::Fingerprint(finding.fingerprint.clone()));
        let known = same.as_ref().and_then(|k| seen.get(k)).or_else(|| seen.get(&print)).copied();
        let at = known.unwrap_or(merged.len());
        seen.insert(print, at);
        seen.extend(same.map(|k| (k, at)));
        match known {
            Some(at) => absorb(&mut merged[at], finding),
            None => merged.push(finding),
        }
    }
    merged.iter_mut().filter(|finding| !finding.merged.is_empty()).for_each(order_places);
    merged
}

/// Worst first, standing ones before excused ones, then by place and rule.
fn order(a: &Finding, b: &Finding) -> Ordering {
    let rank = |f: &Finding| (Reverse(f.severity), f.suppressed.is_some());
    rank(a)
        .cmp(&rank(b))
        .then_with(|| a.origin.cmp(&b.origin))
        .then_with(|| (a.span.byte_start, a.span.byte_end).cmp(&(b.span.byte_start, b.span.byte_end)))
        .then_with(|| (&a.rule, &a.fingerprint, &a.message).cmp(&(&b.rule, &b.fingerprint, &b.message)))
}

#[derive(PartialEq, Eq, Hash)]
enum Identity {
    Same(u64),
    Fingerprint(String),
}

fn absorb(first: &mut Finding, other: Finding) {
    first.merged.push((other.origin.path().cloned(), other.fingerprint.clone()));
    first.also.extend(place(&other).into_iter().chain(other.also));
}

/// Puts the further places of a finding in order, each once.
fn order_places(finding: &mut Finding) {
    let own = place(finding);
    finding.also.retain(|place| own.as_ref() != Some(place));
    finding.also.sort();
    finding.also.dedup();
}

/// Where a finding is, if that can be said by a path or a commit.
fn place(finding: &Finding) -> Option<Location> {
    let line = finding.span.line;
    match &finding.origin {
        Origin::File { path, commit, .. } => Some(Location { path: path.clone(), commit: *commit, line }),
        Origin::Policy { path } => Some(Location { path: path.clone(), commit: None, line }),
        Origin::Message { commit } => Some(Location { path: "commit message".into(), commit: *commit, line }),
        Origin::Tag { name, oid } => Some(Location { path: name.clone(), commit: Some(*oid), line }),
        Origin::Ref { name, new, .. } => Some(Location { path: name.clone(), commit: *new, line }),
    }
}
