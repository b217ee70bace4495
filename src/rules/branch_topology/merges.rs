//! What a merge adds to its parents: content that is in none of them and that merging them does not make.
//! Owns the merge of a merge's parents in memory, and the cheap test that usually spares it.

use std::collections::HashSet;
use std::rc::Rc;

use bstr::BString;

use super::graph::{CommitIndex, Region};
use super::patches::{CommitChanges, PatchCache};
use crate::error::Result;
use crate::subject::{Graph, Merged, Oid};

/// What a merge has beyond the merge of its parents.
pub struct MergeAdditions {
    /// The tree that merging the parents makes.
    pub tree: Oid,
    /// From the first parent to that tree.
    pub merged: CommitChanges,
    /// From that tree to the merge's, without the paths that conflict.
    pub changes: CommitChanges,
}

/// All other parents are in the history of the first one, or of production already.
pub fn parents_bring_nothing(region: &Region<'_>, first: CommitIndex, others: &[CommitIndex]) -> bool {
    if others.iter().all(|other| !region.is_gained(*other)) {
        return true;
    }
    let below: HashSet<CommitIndex> = region.side(first, |_| false).into_iter().collect();
    others.iter().all(|other| !region.is_gained(*other) || below.contains(other))
}

/// `None` where a merge adds nothing, or the budget is spent.
pub fn added(
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
    // Each path is as one of the parents has it.
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
