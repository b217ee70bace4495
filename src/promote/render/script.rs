//! The plan as a POSIX script of `git cherry-pick -x` lines, which checks first that the branches have not moved.

use std::fmt::Write as _;

use super::short_ref;
use crate::promote::advice::count;
use crate::promote::plan::{Plan, State};
use crate::shell::quote;

pub fn script(plan: &Plan) -> String {
    let mut out = String::new();
    let (from, onto) = (&plan.from, &plan.onto);
    // Writing to a String does not fail. Names of refs are quoted: git allows `$` and `;` in them.
    let _ = writeln!(
        out,
        "#!/bin/sh\n# Promotes to {}: {}.",
        comment(short_ref(&onto.name)),
        count(plan.picks().count(), "pick")
    );
    for step in plan.steps.iter().filter(|s| matches!(s.state, State::Conflict | State::Refused)) {
        let why = if step.state == State::Conflict { "conflict" } else { "refused" };
        let _ = writeln!(out, "# Left out ({why}): {} {}", step.commit.0, comment(&step.subject));
    }
    let _ = writeln!(out, "set -eu");
    for tip in [from, onto] {
        let name = quote(&tip.name);
        let _ = writeln!(
            out,
            "[ \"$(git rev-parse --verify {name}^0)\" = {} ] || {{ echo {} has moved: plan again >&2; exit 1; }}",
            tip.oid.0, name
        );
    }
    let _ = writeln!(out, "git switch --create {} {}", quote(format!("promote/{}", plan.short())), onto.oid.0);
    for step in plan.picks() {
        let _ = writeln!(out, "git cherry-pick -x {}  # {}", step.commit.0, comment(&step.subject));
    }
    if plan.picks().next().is_some() {
        let _ = writeln!(
            out,
            "[ \"$(git rev-parse 'HEAD^{{tree}}')\" = {} ] || {{ echo the result is not the planned one >&2; exit 1; }}",
            plan.result.tree.0
        );
    }
    out
}

/// Text in a comment: one line.
fn comment(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
