//! Commit walks, parents before children: from new tips down to what was there before, and over all of history.

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
    /// `None`: the walk did not read it.
    pub tree: Option<Oid>,
}

/// The commits of `git rev-list TIPS --not HIDDEN`, each parent before its children. A missing commit is an error: a
/// range that cannot be walked is not clean.
pub(crate) fn new_commits(local: &ThreadRepo<'_>, tips: &[Oid], hidden: &[Oid]) -> Result<Vec<WalkedCommit>> {
    let commits = unordered(local, tips, hidden)?;
    let boundary = local.shallow_boundary()?;
    if let Some(commit) = commits.iter().find(|c| boundary.contains(&c.id)) {
        return Err(Error::undecided(format!(
            "this clone is shallow: the range cannot be walked past commit {}",
            commit.id.short()
        ))
        .hint("`git fetch --unshallow` (in CI: `fetch-depth: 0`) brings the missing history"));
    }
    Ok(parents_first(commits))
}

/// Everything reachable, shallow boundaries included. Of commits on parallel branches, the older come first.
pub(crate) fn all_commits(local: &ThreadRepo<'_>, tips: &[Oid], decoded: &DecodedCommits) -> Result<Vec<WalkedCommit>> {
    let boundary = local.shallow_boundary()?;
    let mut seen: HashSet<Oid> = tips.iter().copied().collect();
    let mut waiting: Vec<Oid> = seen.iter().copied().collect();
    let mut found: Vec<(i64, WalkedCommit)> = Vec::new();
    while let Some(id) = waiting.pop() {
        let (time, commit) = decoded.walked(local, id)?;
        if !boundary.contains(&id) {
            waiting.extend(commit.parents.iter().filter(|p| seen.insert(**p)));
        }
        found.push((time, commit));
    }
    found.sort_unstable_by_key(|(time, commit)| (std::cmp::Reverse(*time), commit.id));
    Ok(parents_first(found.into_iter().map(|(_, commit)| commit).collect()))
}

fn unordered(local: &ThreadRepo<'_>, tips: &[Oid], hidden: &[Oid]) -> Result<Vec<WalkedCommit>> {
    let what = "the range of commits cannot be walked";
    // A hidden commit can be missing: the remote has it, and nobody fetched it here.
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

/// The same commits, each parent before its children.
pub(super) fn parents_first(commits: Vec<WalkedCommit>) -> Vec<WalkedCommit> {
    let index: HashMap<Oid, usize> = commits.iter().enumerate().map(|(i, s)| (s.id, i)).collect();
    let mut state = vec![Visit::New; commits.len()];
    let mut order = Vec::with_capacity(commits.len());
    let mut stack: Vec<usize> = Vec::new();
    for start in (0..commits.len()).rev() {
        stack.push(start);
        while let Some(&at) = stack.last() {
            match state[at] {
                Visit::New => {
                    state[at] = Visit::Open;
                    let parents = commits[at].parents.iter().rev().filter_map(|p| index.get(p));
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
    let mut commits: Vec<Option<WalkedCommit>> = commits.into_iter().map(Some).collect();
    order.into_iter().filter_map(|i| commits[i].take()).collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Visit {
    New,
    Open,
    Done,
}
