//! What a colleague would say after looking at the plan. Decides nothing.

use std::collections::BTreeSet;

use super::history::History;
use super::plan::{Plan, Role, State};
use super::render::short_ref;
use crate::error::Result;

/// Which way the commits go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From development to production.
    Promotion,
    /// From production back to development.
    Backport,
}

/// Adds advice to a plan, most important first.
pub fn give(
    direction: Direction,
    history: &History<'_>,
    promoted: &BTreeSet<usize>,
    selected: &BTreeSet<usize>,
    plan: &mut Plan,
) -> Result<()> {
    let open: Vec<usize> =
        (0..history.dev.len()).filter(|at| !history.dev[*at].is_merge() && !promoted.contains(at)).collect();
    let mut out = Vec::new();
    let (from, onto) = (short_ref(&plan.from.name).to_owned(), short_ref(&plan.onto.name).to_owned());
    if direction == Direction::Promotion && open.len() >= 5 && selected.len() * 10 >= open.len() * 9 {
        out.push(format!(
            "nearly everything is selected ({} of {}): tag the tip of {from} and merge the tag into {onto} instead",
            selected.len(),
            open.len()
        ));
    }
    let dependencies = plan.steps.iter().filter(|s| s.role == Role::Dependency).count();
    if dependencies > 0 {
        let conflicts = plan.in_state(State::Conflict).count();
        let saved = alone(history, selected)?.saturating_sub(conflicts);
        out.push(format!(
            "{} {} along so that {} would not conflict",
            dependencies,
            if dependencies == 1 { "commit comes" } else { "commits come" },
            count(saved, "pick"),
        ));
    }
    let conflicts: Vec<_> = plan.in_state(State::Conflict).collect();
    let mut blockers: Vec<String> = conflicts
        .iter()
        .flat_map(|s| s.conflicts.iter().filter_map(|c| c.blocker.as_ref()))
        .map(|b| format!("{} ({})", b.commit.0.short(), b.subject))
        .collect();
    blockers.sort_unstable();
    blockers.dedup();
    for blocker in blockers {
        out.push(match direction {
            Direction::Promotion => format!(
                "{blocker} is on {onto} only: bring it back with `portcullis promote backport`, then plan again"
            ),
            Direction::Backport => format!("{blocker} is on {onto} and says otherwise: one of the two has to give way"),
        });
    }
    if !plan.result.proved {
        out.push("the search was bounded: the plan is clean, but not proved smallest".to_owned());
    }
    let taken = plan.steps.iter().filter(|s| matches!(s.state, State::Clean | State::Empty | State::Refused)).count();
    let left = open.len().saturating_sub(taken);
    if left > 0 {
        out.push(format!("{} would still not be on {onto}", count(left, "commit")));
    }
    plan.advice.extend(out);
    Ok(())
}

/// How many of the selected commits would conflict if nothing came along.
fn alone(history: &History<'_>, selected: &BTreeSet<usize>) -> Result<usize> {
    let mut tree = history.tree;
    let mut conflicts = 0;
    for at in selected {
        let change = &history.dev[*at];
        match history.picker.pick(change.base, change.tree(), tree)? {
            crate::git::Picked::Clean(next) => tree = next,
            crate::git::Picked::Conflict(_) => conflicts += 1,
        }
    }
    Ok(conflicts)
}

pub fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}
