//! What a merge commit adds itself: content that no parent has and that merging the parents does not produce.
//! Owns redoing the merge in memory, and the cheap test that usually makes it unnecessary.

use std::collections::HashSet;
use std::rc::Rc;

use bstr::BString;

use super::graph::{CommitIndex, Region};
use super::patches::{CommitChanges, PatchCache};
use crate::error::Result;
use crate::subject::{Graph, Merged, Oid};

/// The changes of a merge commit beyond the merge of its parents.
pub struct MergeAdditions {
    /// The tree that merging the parents produces.
    pub tree: Oid,
    /// Changes from the first parent to that tree.
    pub merged: CommitChanges,
    /// Changes from that tree to the merge commit's, without conflicting paths.
    pub changes: CommitChanges,
}

/// Whether all other parents are in the first parent's history or in production already.
pub fn parents_bring_nothing(region: &Region<'_>, first: CommitIndex, others: &[CommitIndex]) -> bool {
    if others.iter().all(|other| !region.is_gained(*other)) {
        return true;
    }
    let below: HashSet<CommitIndex> = region.side(first, |_| false).into_iter().collect();
    others.iter().all(|other| !region.is_gained(*other) || below.contains(other))
}

/// `None` if the merge adds nothing, or the budget is spent.
pub fn additions(
    region: &Region<'_>,
    at: CommitIndex,
    graph: &dyn Graph,
    patches: &mut PatchCache<'_>,
) -> Result<Option<MergeAdditions>> {
    let commit = region.oid(at);
    let node = patches.node(commit)?;
    let [first, others @ ..] = &node.parents[..] else { return Ok(None) };
    let Some(delta) = patches.delta(commit)? else { return Ok(None) };
    let mut own: HashSet<BString> = delta.iter().map(|(path, ..)| path.clone()).collect();
    for other in others {
        let tree = patches.node(*other)?.tree;
        let Some(changes) = patches.diff(Some(tree), node.tree)? else { return Ok(None) };
        let differs: HashSet<BString> = changes.into_iter().map(|(path, ..)| path).collect();
        own.retain(|path| differs.contains(path));
    }
    // Every path equals that of some parent.
    if own.is_empty() || !patches.take_merge() {
        return Ok(None);
    }
    let ours = patches.node(*first)?.tree;
    let (mut tree, mut conflicts) = (ours, HashSet::new());
    for other in others {
        let merged = match others {
            [_] => graph.merge_commits(*first, *other)?,
            _ => {
                let base = match graph.merge_bases(*first, *other)?.first() {
                    Some(base) => Some(patches.node(*base)?.tree),
                    None => None,
                };
                graph.merge_trees(base, tree, patches.node(*other)?.tree)?
            }
        };
        match merged {
            Merged::Clean(merged) => tree = merged,
            Merged::Conflict(merged, paths) => {
                tree = merged;
                conflicts.extend(paths);
            }
        }
    }
    let Some(mut changes) = patches.diff(Some(tree), node.tree)? else { return Ok(None) };
    changes.retain(|(path, ..)| !conflicts.contains(path));
    let Some(merged) = patches.diff(Some(ours), tree)? else { return Ok(None) };
    let added = MergeAdditions { tree, merged: Rc::new(merged), changes: Rc::new(changes) };
    Ok((!added.changes.is_empty()).then_some(added))
}
