//! What a push does to the policy that will judge the next one. Owns `policy/changed` and `policy/invalid`; the policy
//! that judges *this* push is chosen before anything of the push is read.

use bstr::BString;

use super::Policy;
use super::effect::{Change, Effect, compare};
use crate::finding::{Findings, Origin, Severity, Violation};
use crate::options::{Mistake, PolicyFile};

/// The policy that stands in a trusted place, with its baseline (none: the built-in defaults), else the built-in defaults
/// with a remark where a policy is there and cannot be followed.
pub fn or_built_in(files: Vec<PolicyFile>) -> (Policy, Option<String>) {
    match Policy::load(files).and_then(valid) {
        Ok(policy) => (policy, None),
        Err(mistakes) => {
            let (name, what) = first(&mistakes);
            let judged = "judged by the built-in defaults; a change that mends it can pass";
            (built_in(), Some(format!("the policy {name} cannot be followed ({what}): {judged}")))
        }
    }
}

/// The file of the first mistake, and what is wrong there.
pub fn first(mistakes: &[Mistake]) -> (String, &str) {
    mistakes.first().map_or_else(Default::default, |m| (m.file.path.to_string(), m.wrong.message.as_str()))
}

/// A policy whose every option can be followed, not only its shared words.
pub fn valid(policy: Policy) -> Result<Policy, Vec<Mistake>> {
    let mistakes = policy.validate();
    if mistakes.is_empty() { Ok(policy) } else { Err(mistakes) }
}

/// The policy that will judge after a change, beside the one that did before.
pub struct PolicyChange<'a> {
    /// With the baseline; empty where there is none.
    pub old: &'a [PolicyFile],
    pub new: &'a [PolicyFile],
    /// Who brings it; `None` where nobody knows.
    pub account: Option<&'a BString>,
    /// Accounts that may relax the policy.
    pub approvers: &'a [String],
    /// The administrator lets everybody.
    pub anyone: bool,
}

impl PolicyChange<'_> {
    /// Tightening passes with a warning; relaxing needs an approver.
    pub fn judge(&self, out: &mut Findings<'_>) {
        let (old, new) = (self.old, self.new);
        let same = |(a, b): (&PolicyFile, &PolicyFile)| {
            (a.is_baseline, a.refused, &a.bytes) == (b.is_baseline, b.refused, &b.bytes)
        };
        if old.len() == new.len() && old.iter().zip(new).all(same) {
            return;
        }
        let after = Policy::load(new.to_vec()).and_then(valid);
        let changes = after.as_ref().map_or_else(|_| Vec::new(), |after| self.effects(after));
        let approved = self.account.is_some_and(|p| self.approvers.iter().any(|a| a.as_bytes() == p.as_slice()));
        let refused = !approved && !self.anyone && changes.iter().any(|c| c.effect == Effect::Relaxed);
        let severity = if refused { Severity::Error } else { Severity::Warning };
        // Where the policy itself stays as it is, its baseline changed.
        let told = new.iter().find(|file| !old.iter().any(|before| same((before, file)))).or(new.first());
        let text = told.map_or(&[][..], |file| &file.bytes);
        let path = told.or(old.first()).map(|file| file.path.clone()).unwrap_or_default();
        let what = match (policy_of(old), policy_of(new)) {
            (None, Some(_)) => "this push brings a policy",
            (Some(_), None) => "this push takes the policy away",
            (a, b) if a.zip(b).is_none_or(same) => "this push changes the baseline of the policy",
            _ => "this push changes the policy",
        };
        let origin = Origin::Policy { path: path.clone() };
        let changed = Violation::new("policy/changed", severity, origin, text, 0..first_line(text))
            .message(format!("{what} ({})", summary(&changes)))
            .note("the push itself was judged by the policy as it was");
        out.push(if refused { changed.help(self.way_on()) } else { changed });
        for mistake in after.err().unwrap_or_default() {
            let span = mistake.wrong.span.clone();
            let origin = Origin::Policy { path: mistake.file.path.clone() };
            let violation = Violation::new("policy/invalid", Severity::Error, origin, &mistake.file.bytes, span)
                .message(format!("the policy that this push brings cannot be followed: {}", mistake.wrong.message));
            out.push(match mistake.wrong.help {
                Some(help) => violation.help(help),
                None => violation,
            });
        }
    }

    /// The first policy of a repository may be what its team wants, as long as it leaves the gate in force; so may one
    /// that mends a policy that nobody could follow.
    fn effects(&self, after: &Policy) -> Vec<Change> {
        let there = policy_of(self.old).is_some();
        let before = there.then(|| Policy::load(self.old.to_vec()).and_then(valid).ok()).flatten();
        match before {
            // After it anybody could bring a first one.
            Some(_) if policy_of(self.new).is_none() => {
                let what = "no policy is left".to_owned();
                vec![Change { effect: Effect::Relaxed, what, disarms: true }]
            }
            Some(before) => compare(&before, after),
            None => {
                let mut changes = compare(&built_in(), after);
                changes.retain(|c| c.effect != Effect::Relaxed || c.disarms);
                changes
            }
        }
    }

    fn way_on(&self) -> String {
        if self.approvers.is_empty() {
            return "the policy lists no `approvers`: ask the administrator to let it through once, or for a --policy \
                    file with `approvers` or `policy-changes: anyone`"
                .into();
        }
        format!("ask one of the approvers to push it: {}", self.approvers.join(", "))
    }
}

/// The policy itself, without its baseline.
fn policy_of(files: &[PolicyFile]) -> Option<&PolicyFile> {
    files.iter().find(|file| !file.is_baseline)
}

/// In one line: what is relaxed, and how much else there is.
fn summary(changes: &[Change]) -> String {
    const NAMED: usize = 3;
    let of = |effect| changes.iter().filter(move |c| c.effect == effect);
    let part = |effect: Effect| {
        let named: Vec<&str> = of(effect).take(NAMED).map(|c| c.what.as_str()).collect();
        let more = match of(effect).count().saturating_sub(NAMED) {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        (!named.is_empty()).then(|| format!("{}: {}{more}", effect.name(), named.join(", ")))
    };
    let parts: Vec<String> = [Effect::Relaxed, Effect::Tightened].into_iter().filter_map(part).collect();
    if parts.is_empty() { "neutral".into() } else { parts.join("; ") }
}

fn built_in() -> Policy {
    Policy::load(Vec::new()).expect("the built-in defaults are tested")
}

fn first_line(text: &[u8]) -> usize {
    memchr::memchr(b'\n', text).unwrap_or(text.len())
}
