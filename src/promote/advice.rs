//! What a colleague would say after looking at the plan. Decides nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::evidence;
use super::history::{Hex, History};
use super::plan::{Plan, Role, State};
use super::render::short_ref;
use crate::error::Result;
pub use crate::text::count;

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
    for (at, pick, by) in evidence::pulled(history, selected) {
        let (what, was, by) = (&history.dev[at], pick.id.short(), by.id.short());
        out.push(format!(
            "{} ({}) was on {onto} as {was} and was taken back by {by}: picking it brings it back",
            what.id.short(),
            what.subject
        ));
    }
    let going = open.iter().filter(|at| selected.contains(at)).count();
    if direction == Direction::Promotion && open.len() >= 5 && going * 10 >= open.len() * 9 {
        out.push(format!(
            "nearly everything is selected ({going} of {}): tag the tip of {from} and merge the tag into {onto} instead",
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
                "{blocker} is on {onto} only: bring it to {from} with portcullis promote backport, then plan again"
            ),
            Direction::Backport => format!("{blocker} is on {onto} and says otherwise: one of the two has to give way"),
        });
    }
    if !plan.result.proved {
        out.push("the search was bounded: the plan is clean, but not proved smallest".to_owned());
    }
    out.extend(left(history, &open, plan).map(|left| format!("still not on {onto}: {left}")));
    plan.advice.extend(out);
    Ok(())
}

/// What of the open commits the plan leaves behind, by why.
fn left(history: &History<'_>, open: &[usize], plan: &Plan) -> Option<String> {
    let mut by_why: BTreeMap<&str, usize> = BTreeMap::new();
    for at in open {
        let id = Hex(history.dev[*at].id);
        let why = match plan.steps.iter().find(|s| s.commit == id).map(|s| s.state) {
            Some(State::Clean | State::Empty) => continue,
            Some(State::Conflict) => "because of conflicts",
            Some(State::Refused) => "refused",
            None => match plan.skipped.iter().find(|s| s.commit == id) {
                // A commit and its revert are no loss.
                Some(s) if s.reason.starts_with("cancels out") => continue,
                Some(_) => "left out",
                None => "not selected",
            },
        };
        *by_why.entry(why).or_default() += 1;
    }
    let parts: Vec<String> = by_why.iter().map(|(why, n)| format!("{} {why}", count(*n, "commit"))).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
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
