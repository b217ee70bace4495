//! Merges development commits into production in memory, with merge bases from the walked region where possible.

use std::collections::{HashMap, HashSet};

use super::content::ContentScope;
use super::graph::{CommitIndex, NEW, OLD, Region};
use super::patches::PatchCache;
use crate::error::Result;
use crate::subject::{Merged, Oid};

/// Maximum number of merge-base queries: each may walk far if development was never merged.
const MAX_BASE_QUERIES: usize = 20;

/// Merge bases of development commits and production, taken from the walked region where possible.
pub(super) struct MergeBases<'s> {
    scope: &'s ContentScope<'s>,
    /// The development side was walked down to production's and no commit above production's old tip is shared, so the
    /// region has the merge bases.
    region_has_bases: bool,
    /// The commits are production's own line, which has every merge base. A topic may have been cut before one.
    is_chain: bool,
    queried: HashMap<CommitIndex, Vec<Oid>>,
    queries_left: usize,
}

impl<'s> MergeBases<'s> {
    pub(super) fn new(region: &Region<'_>, scope: &'s ContentScope<'s>, is_chain: bool) -> Self {
        let forward = region.find(scope.old).is_some_and(|c| region.has_paint(c, NEW));
        let apart = !region.members().any(|c| region.is_shared(c));
        let region_has_bases = forward && apart && region.is_complete();
        Self { scope, region_has_bases, is_chain, queried: HashMap::new(), queries_left: MAX_BASE_QUERIES }
    }

    /// Merges a development commit into `base` of production, or into `ours_tree`. `None` if finding the merge base would cost
    /// too much.
    pub(super) fn merge(
        &mut self,
        region: &Region<'_>,
        base: CommitIndex,
        tip: CommitIndex,
        ours_tree: Option<Oid>,
        patches: &mut PatchCache<'_>,
    ) -> Result<Option<Merged>> {
        let graph = self.scope.query.graph;
        let (ours, theirs) = (region.oid(base), region.oid(tip));
        let mut bases = self.bases_in_region(region, tip);
        if let (false, Some([end])) = (self.is_chain, bases.as_deref())
            && !graph.is_ancestor(*end, ours)?
        {
            bases = None;
        }
        let bases = match bases {
            Some(bases) => bases,
            None => {
                // The merge base only changes at merges.
                let key = self.key(region, tip);
                if !self.queried.contains_key(&key) {
                    // If our walk was given up, git's would be at least as long.
                    if self.queries_left == 0 || !region.is_complete() {
                        patches.mark_spent();
                        return Ok(None);
                    }
                    self.queries_left -= 1;
                    self.queried.insert(key, graph.merge_bases(ours, theirs)?);
                }
                self.queried[&key].clone()
            }
        };
        let base = match bases.as_slice() {
            [] => None,
            [_, _, ..] if ours_tree.is_none() => return graph.merge_commits(ours, theirs).map(Some),
            [first, ..] => Some(patches.node(*first)?.tree),
        };
        let ours = match ours_tree {
            Some(tree) => tree,
            None => patches.node(ours)?.tree,
        };
        graph.merge_trees(base, ours, patches.node(theirs)?.tree).map(Some)
    }

    /// Where the commit's side left production, if at one commit only.
    fn bases_in_region(&self, region: &Region<'_>, tip: CommitIndex) -> Option<Vec<Oid>> {
        if !self.region_has_bases {
            return None;
        }
        let side = region.side(tip, |_| false);
        let ends: HashSet<CommitIndex> =
            side.iter().flat_map(|c| region.parents(*c)).copied().filter(|c| region.has_paint(*c, OLD)).collect();
        (ends.len() < 2).then(|| ends.into_iter().map(|c| region.oid(c)).collect())
    }

    fn key(&self, region: &Region<'_>, tip: CommitIndex) -> CommitIndex {
        let mut at = tip;
        while let [parent] = region.parents(at)[..]
            && !region.has_paint(parent, OLD)
        {
            at = parent;
        }
        at
    }
}
