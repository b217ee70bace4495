//! Which commits a change brings: the walk from new tips down to what is known, parents before children.

use std::collections::{HashMap, HashSet};

use super::decoded_commits::DecodedCommits;
use super::{ThreadRepo, gix_id, oid, unreadable};
use crate::error::{Error, Result};
use crate::subject::Oid;

/// A commit of a walk.
#[derive(Clone, Debug)]
pub(crate) struct WalkedCommit {
    pub id: Oid,
    pub parents: Vec<Oid>,
    /// Where the walk has seen it.
    pub tree: Option<Oid>,
}

/// `tips --not hidden`, each parent before its children. Commits that are not here end the walk with an error:
/// a range that cannot be walked is not a clean one.
pub(crate) fn new_commits(local: &ThreadRepo<'_>, tips: &[Oid], hidden: &[Oid]) -> Result<Vec<WalkedCommit>> {
    let steps = unordered(local, tips, hidden)?;
    let boundary = local.shallow_boundary()?;
    if let Some(step) = steps.iter().find(|s| boundary.contains(&s.id)) {
        return Err(Error::undecided(format!(
            "this clone is shallow: the range cannot be walked past commit {}",
            step.id.short()
        ))
        .hint("`git fetch --unshallow` (in CI: `fetch-depth: 0`) brings the missing history"));
    }
    Ok(parents_first(steps))
}

/// Everything reachable, shallow boundaries included. Where branches run side by side, the older commits come first.
pub(crate) fn all_commits(
    local: &ThreadRepo<'_>,
    tips: &[Oid],
    decoded_commits: &DecodedCommits,
) -> Result<Vec<WalkedCommit>> {
    let boundary = local.shallow_boundary()?;
    let mut seen: HashSet<Oid> = tips.iter().copied().collect();
    let mut waiting: Vec<Oid> = seen.iter().copied().collect();
    let mut found: Vec<(i64, WalkedCommit)> = Vec::new();
    while let Some(id) = waiting.pop() {
        let (time, step) = decoded_commits.step(local, id)?;
        if !boundary.contains(&id) {
            waiting.extend(step.parents.iter().filter(|p| seen.insert(**p)));
        }
        found.push((time, step));
    }
    found.sort_unstable_by_key(|(time, step)| (std::cmp::Reverse(*time), step.id));
    Ok(parents_first(found.into_iter().map(|(_, step)| step).collect()))
}

fn unordered(local: &ThreadRepo<'_>, tips: &[Oid], hidden: &[Oid]) -> Result<Vec<WalkedCommit>> {
    let what = "the range of commits cannot be walked";
    // Hidden commits that are not here (a remote's id we never fetched) hide nothing.
    let hidden = hidden.iter().filter(|h| local.has(**h)).map(|h| gix_id(*h));
    let walk = local
        .gix
        .rev_walk(tips.iter().map(|t| gix_id(*t)))
        .sorting(gix::revision::walk::Sorting::ByCommitTime(Default::default()))
        .with_hidden(hidden)
        .all()
        .map_err(unreadable(what))?;
    walk.map(|info| {
        let info = info.map_err(unreadable(what))?;
        Ok(WalkedCommit { id: oid(&info.id), parents: info.parent_ids.iter().map(|p| oid(p)).collect(), tree: None })
    })
    .collect()
}

/// The same steps, each parent before its children.
pub(super) fn parents_first(steps: Vec<WalkedCommit>) -> Vec<WalkedCommit> {
    let index: HashMap<Oid, usize> = steps.iter().enumerate().map(|(i, s)| (s.id, i)).collect();
    let mut state = vec![Visit::New; steps.len()];
    let mut order = Vec::with_capacity(steps.len());
    let mut stack: Vec<usize> = Vec::new();
    for start in (0..steps.len()).rev() {
        stack.push(start);
        while let Some(&at) = stack.last() {
            match state[at] {
                Visit::New => {
                    state[at] = Visit::Open;
                    let parents = steps[at].parents.iter().rev().filter_map(|p| index.get(p));
                    stack.extend(parents.filter(|p| state[**p] == Visit::New));
                }
                Visit::Open => {
                    state[at] = Visit::Done;
                    order.push(at);
                    stack.pop();
                }
                Visit::Done => drop(stack.pop()),
            }
        }
    }
    let mut steps: Vec<Option<WalkedCommit>> = steps.into_iter().map(Some).collect();
    order.into_iter().filter_map(|i| steps[i].take()).collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Visit {
    New,
    Open,
    Done,
}
