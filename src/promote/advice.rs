//! Hints beside a plan: what a reviewer should know and do. Decides nothing.

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
    out.extend(reverts_of_reverts(history, selected, &onto)?);
    let again = selected.iter().any(|at| history.dev[*at].taken_back.is_some());
    let going = open.iter().filter(|at| selected.contains(at)).count();
    // What production took back is in its history: merging a tag would not bring it.
    if direction == Direction::Promotion && !again && open.len() >= 5 && going * 10 >= open.len() * 9 {
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

/// The other way to bring what production took back: to revert the revert, tried out.
fn reverts_of_reverts(history: &History<'_>, selected: &BTreeSet<usize>, onto: &str) -> Result<Vec<String>> {
    let mut by_revert: BTreeMap<Hex, (usize, usize)> = BTreeMap::new();
    for (at, change) in history.dev.iter().enumerate().filter(|(_, c)| !c.is_merge()) {
        if let Some(by) = change.taken_back {
            let entry = by_revert.entry(by).or_default();
            entry.0 += 1;
            entry.1 += usize::from(selected.contains(&at));
        }
    }
    let mut out = Vec::new();
    for (by, (all, chosen)) in by_revert.into_iter().filter(|(_, (_, chosen))| *chosen > 0) {
        let Some(revert) = history.main.iter().find(|c| c.id == by.0) else { continue };
        let id = by.0.short();
        let head = format!("{onto} took back {} by {id} ({})", count(all, "commit"), revert.subject);
        let tried = match revert.base {
            Some(before) => history.picker.pick(Some(revert.tree()), before, history.tree)?,
            None => continue,
        };
        out.push(match tried {
            crate::git::Picked::Clean(_) if chosen == all => format!(
                "{head}: no merge brings them again, {} or `git revert {id}` on {onto} would, without conflict",
                count(chosen, "pick")
            ),
            crate::git::Picked::Clean(_) => format!(
                "{head}: {} of them selected; `git revert {id}` on {onto} would bring all of them, without conflict",
                chosen
            ),
            crate::git::Picked::Conflict(clashes) => format!(
                "{head}: picks bring them again; `git revert {id}` on {onto} would conflict in {}",
                count(clashes.len(), "file")
            ),
        });
    }
    Ok(out)
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
