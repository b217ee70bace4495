//! Finds commits of development that production has in its history but reverted: a merge by mistake that was undone. They
//! are ancestors of production, but their changes are not there, and no merge will bring them again. Looks beyond the
//! commits that only production has.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use bstr::ByteSlice as _;

use super::evidence;
use super::history::{Change, History};
use super::requests;
use crate::error::Result;
use crate::git::{Picked, ThreadRepo, new_commits};
use crate::subject::Oid;

/// A line of first parents is followed no further.
const LONGEST_LINE: usize = 20_000;
/// So many commits before a revert are looked at for what it means, where it names no commit.
const LOOK_BACK: usize = 2_000;

/// Commits that production's standing reverts took back and that development has of its own, parents before children,
/// each with the revert.
pub fn find(history: &History<'_>) -> Result<Vec<(Oid, Oid)>> {
    let local = history.picker.repo();
    let gone = evidence::taken_back(history);
    let mut by: HashMap<Oid, Oid> = HashMap::new();
    for (at, change) in history.main.iter().enumerate().filter(|(at, _)| gone[*at].is_none()) {
        if !is_revert(change) || change.is_merge() {
            continue;
        }
        let known = |id: &Oid| history.main[..at].iter().position(|c| c.id == *id);
        for undone in undone(local, change)? {
            // Production's own, taken back and brought again since.
            if known(&undone).is_none_or(|own| gone[own].is_some()) {
                by.insert(undone, change.id);
            }
        }
    }
    if by.is_empty() {
        return Ok(Vec::new());
    }
    let mut out = Vec::new();
    for id in own_commits(history, by.keys().copied().collect())? {
        let raw = local.commit(id)?;
        let base = match raw.node.parents.first() {
            Some(parent) => Some(local.commit(*parent)?.node.tree),
            None => None,
        };
        // A revert of a part, or what was brought again by hand: nothing is left to do.
        let stands = raw.node.parents.len() < 2
            && matches!(history.picker.pick(base, raw.node.tree, history.tree)?, Picked::Clean(t) if t == history.tree);
        if !stands {
            out.push((id, by[&id]));
        }
    }
    Ok(out)
}

fn is_revert(change: &Change) -> bool {
    let trailers = &change.trailers;
    if !trailers.reverts.is_empty() || trailers.reverts_subject.is_some() {
        return true;
    }
    let message = change.raw.message.to_ascii_lowercase();
    ["revert", "back out", "backout", "roll back", "rollback", "undo"].iter().any(|word| message.contains_str(word))
}

/// What a revert says or shows that it undoes.
fn undone(local: &ThreadRepo<'_>, revert: &Change) -> Result<BTreeSet<Oid>> {
    let Some(parent) = revert.raw.node.parents.first().copied() else { return Ok(BTreeSet::new()) };
    let mut targets: Vec<Oid> = revert.trailers.reverts.iter().filter_map(|hex| local.commit_named(hex).ok()).collect();
    if targets.is_empty() {
        targets.extend(by_words(local, revert, parent)?);
    }
    let mut out = BTreeSet::new();
    for target in &targets {
        let parents = local.commit(*target)?.node.parents;
        if parents.len() < 2 {
            out.insert(*target);
            continue;
        }
        // `reversing changes made to X`: X is the parent that stays.
        let stays = revert.trailers.mainline.as_ref().and_then(|hex| local.commit_named(hex).ok());
        let stays = stays.filter(|id| parents.contains(id)).unwrap_or(parents[0]);
        out.extend(new_commits(local, &[*target], &[stays])?.iter().map(|s| s.id).filter(|id| id != target));
    }
    if targets.is_empty()
        && let Some(earlier) = earlier_state(local, revert, parent)?
    {
        out.extend(new_commits(local, &[parent], &[earlier])?.iter().map(|s| s.id));
    }
    Ok(out)
}

/// The commit with the subject, or of the pull request, that the revert quotes: the newest one before it.
fn by_words(local: &ThreadRepo<'_>, revert: &Change, parent: Oid) -> Result<Option<Oid>> {
    let trailers = &revert.trailers;
    if trailers.reverts_subject.is_none() && trailers.reverts_request.is_none() {
        return Ok(None);
    }
    let mut queue = std::collections::BinaryHeap::new();
    let mut seen = HashSet::from([parent]);
    queue.push((i64::MAX, parent));
    let mut looked_at = 0;
    while let Some((_, id)) = queue.pop() {
        looked_at += 1;
        if looked_at > LOOK_BACK {
            break;
        }
        let commit = local.commit(id)?;
        let subject = commit.message.lines().next().unwrap_or_default().trim().to_str_lossy();
        if trailers.reverts_subject.as_deref() == Some(&*subject) {
            return Ok(Some(id));
        }
        if let Some(number) = &trailers.reverts_request
            && requests::numbers(&commit.message.to_str_lossy()).contains(number)
        {
            return Ok(Some(id));
        }
        for above in commit.node.parents.iter().filter(|p| seen.insert(**p)).collect::<Vec<_>>() {
            // The parents of what a shallow clone ends with are not here.
            if let Ok(raw) = local.commit(*above) {
                queue.push((raw.node.committer.time, *above));
            }
        }
    }
    Ok(None)
}

/// Several commits reverted by one: it leaves exactly the files of an earlier commit of production's line.
fn earlier_state(local: &ThreadRepo<'_>, revert: &Change, parent: Oid) -> Result<Option<Oid>> {
    let mut at = parent;
    for _ in 0..LOOK_BACK {
        let Ok(commit) = local.commit(at) else { break };
        if commit.node.tree == revert.tree() && at != parent {
            return Ok(Some(at));
        }
        let Some(next) = commit.node.parents.first() else { break };
        at = *next;
    }
    Ok(None)
}

/// Those of `wanted` that the development branch has without having taken them from production's line, parents before
/// children.
fn own_commits(history: &History<'_>, wanted: BTreeSet<Oid>) -> Result<Vec<Oid>> {
    let local = history.picker.repo();
    let mut line = HashSet::new();
    let mut next = Some(history.onto.oid.0);
    while let Some(at) = next.filter(|_| line.len() < LONGEST_LINE) {
        line.insert(at);
        next = local.commit(at).ok().and_then(|c| c.node.parents.first().copied());
    }
    let mut oldest = i64::MAX;
    for id in &wanted {
        oldest = oldest.min(local.commit(*id)?.node.committer.time);
    }
    // Clocks are a day wrong at most, as elsewhere.
    let since = oldest.saturating_sub(86_400);
    let mut parents: BTreeMap<Oid, Vec<Oid>> = BTreeMap::new();
    let mut stack = vec![(history.from.oid.0, false)];
    let mut out = Vec::new();
    while let Some((id, done)) = stack.pop() {
        if done {
            out.extend(Some(id).filter(|id| wanted.contains(id) && history.position(*id).is_none()));
            continue;
        }
        if parents.contains_key(&id) || line.contains(&id) {
            continue;
        }
        let Ok(commit) = local.commit(id) else { continue };
        if commit.node.committer.time < since {
            continue;
        }
        stack.push((id, true));
        stack.extend(commit.node.parents.iter().rev().map(|p| (*p, false)));
        parents.insert(id, commit.node.parents);
    }
    Ok(out)
}
