//! What a push does to the policy that will judge the next one. Owns `policy/changed` and `policy/invalid`; the policy
//! that judges *this* push is chosen before anything of the push is read.

use bstr::BString;

use super::{Mistake, Policy, PolicyFile};
use crate::finding::{Findings, Origin, Severity, Violation};

/// The policy that stands in a trusted place (`None`: there is none), else the built-in defaults; with a remark where a
/// policy is there and cannot be followed.
pub fn or_built_in(file: Option<PolicyFile>) -> (Policy, Option<String>) {
    let built_in = || Policy::load(Vec::new()).expect("the built-in defaults are tested");
    let Some(file) = file else { return (built_in(), None) };
    let name = file.path.clone();
    match Policy::load(vec![file]).and_then(valid) {
        Ok(policy) => (policy, None),
        Err(mistakes) => {
            let what = mistakes.first().map_or("", |m| m.wrong.message.as_str());
            let judged = "judged by the built-in defaults; a change that mends it can pass";
            (built_in(), Some(format!("the policy {name} cannot be followed ({what}): {judged}")))
        }
    }
}

/// A policy whose every option can be followed, not only its shared words.
pub fn valid(policy: Policy) -> Result<Policy, Vec<Mistake>> {
    let mistakes = policy.validate();
    if mistakes.is_empty() { Ok(policy) } else { Err(mistakes) }
}

/// Judges the policy file of the default branch before and after a change (`None`: there is none), with the policy
/// that is in force.
pub fn judge_change(
    old: Option<&PolicyFile>,
    new: Option<&PolicyFile>,
    pusher: Option<&BString>,
    in_force: &Policy,
    out: &mut Findings<'_>,
) {
    if old == new {
        return;
    }
    let approvers = &in_force.vocabulary().approvers;
    let approved = pusher.is_some_and(|p| approvers.iter().any(|a| a.as_bytes() == p.as_slice()));
    let severity = if approvers.is_empty() || approved { Severity::Warning } else { Severity::Error };
    let text = new.map_or(&[][..], |file| &file.bytes);
    let path = || new.or(old).map(|file| file.path.clone()).unwrap_or_default();
    let origin = Origin::Policy { path: path() };
    let changed = Violation::new("policy/changed", severity, origin, text, 0..first_line(text))
        .message(match (old, new) {
            (None, _) => "this push brings a policy",
            (_, None) => "this push takes the policy away",
            _ => "this push changes the policy",
        })
        .note("the push itself was judged by the policy as it was");
    out.push(match severity {
        Severity::Error => changed.help(format!("ask one of the approvers to push it: {}", approvers.join(", "))),
        _ => changed,
    });
    let Some(new) = new else { return };
    if let Err(mistakes) = Policy::load(vec![new.clone()]).and_then(valid) {
        for mistake in mistakes {
            let span = mistake.wrong.span.clone();
            let origin = Origin::Policy { path: path() };
            let violation = Violation::new("policy/invalid", Severity::Error, origin, &mistake.file.bytes, span)
                .message(format!("the policy that this push brings cannot be followed: {}", mistake.wrong.message));
            out.push(match mistake.wrong.help {
                Some(help) => violation.help(help),
                None => violation,
            });
        }
    }
}

fn first_line(text: &[u8]) -> usize {
    memchr::memchr(b'\n', text).unwrap_or(text.len())
}
