//! The changes of commits, and whether two commits are the same patch: by paths and blobs, or by git's patch-id.
//! Owns the budget of tree diffs and merges that bounds the rules on content.

use std::collections::HashMap;
use std::rc::Rc;

use bstr::{BString, ByteSlice as _};

use crate::error::Result;
use crate::subject::{Graph, Node, Oid, PathChange};

/// A commit's changes against its first parent, by path.
pub type CommitChanges = Rc<Vec<PathChange>>;

/// The blobs after a change: equal for a commit and its copy if both changed the same version of a file.
pub type ResultingBlobs = Vec<(BString, Option<Oid>)>;

/// Caches the changes of commits, computed within a budget.
pub struct PatchCache<'g> {
    graph: &'g dyn Graph,
    deltas: HashMap<Oid, CommitChanges>,
    nodes: HashMap<Oid, Rc<Node>>,
    ids: HashMap<Oid, Option<Vec<u8>>>,
    diffs_left: usize,
    merges_left: usize,
    ids_left: usize,
    spent: bool,
}

/// Tree diffs per allowed merge of trees: a diff costs a fraction of a merge.
const DIFFS_PER_MERGE: usize = 20;

/// Patch-ids per allowed merge of trees: one for a copy, one for its original.
const IDS_PER_MERGE: usize = 2;

impl<'g> PatchCache<'g> {
    /// `cap` is the number of allowed merges of trees.
    pub fn new(graph: &'g dyn Graph, cap: usize) -> Self {
        Self {
            graph,
            deltas: HashMap::new(),
            nodes: HashMap::new(),
            ids: HashMap::new(),
            diffs_left: cap.saturating_mul(DIFFS_PER_MERGE),
            merges_left: cap,
            ids_left: cap.saturating_mul(IDS_PER_MERGE),
            spent: false,
        }
    }

    /// Number of tree diffs left in the budget.
    pub fn diffs_left(&self) -> usize {
        self.diffs_left
    }

    /// Something was skipped because the budget was spent.
    pub fn is_spent(&self) -> bool {
        self.spent
    }

    pub fn mark_spent(&mut self) {
        self.spent = true;
    }

    /// Takes one merge from the budget; false if none is left.
    pub fn take_merge(&mut self) -> bool {
        if self.merges_left == 0 {
            self.spent = true;
            return false;
        }
        self.merges_left -= 1;
        true
    }

    pub fn node(&mut self, commit: Oid) -> Result<Rc<Node>> {
        if let Some(node) = self.nodes.get(&commit) {
            return Ok(node.clone());
        }
        let node = Rc::new(self.graph.node(commit)?);
        self.nodes.insert(commit, node.clone());
        Ok(node)
    }

    /// A commit's changes against its first parent; `None` if the budget is spent.
    pub fn delta(&mut self, commit: Oid) -> Result<Option<CommitChanges>> {
        if let Some(delta) = self.deltas.get(&commit) {
            return Ok(Some(delta.clone()));
        }
        let node = self.node(commit)?;
        let before = match node.parents.first() {
            Some(parent) => Some(self.node(*parent)?.tree),
            None => None,
        };
        let delta = self.diff(before, node.tree)?.map(Rc::new);
        if let Some(delta) = &delta {
            self.deltas.insert(commit, delta.clone());
        }
        Ok(delta)
    }

    /// Changes between two trees, sorted by path; `None` if the budget is spent.
    pub fn diff(&mut self, old: Option<Oid>, new: Oid) -> Result<Option<Vec<PathChange>>> {
        if self.diffs_left == 0 {
            self.spent = true;
            return Ok(None);
        }
        self.diffs_left -= 1;
        let mut changes = self.graph.diff_trees(old, new)?;
        // Ignore changes of the mode only.
        changes.retain(|(_, old, new)| old != new);
        changes.sort_unstable();
        Ok(Some(changes))
    }

    /// Whether two commits are the same patch; `None` if the budget is spent.
    pub fn is_same_patch(&mut self, a: Oid, b: Oid) -> Result<Option<bool>> {
        let (Some(left), Some(right)) = (self.delta(a)?, self.delta(b)?) else { return Ok(None) };
        if resulting_blobs(&left) == resulting_blobs(&right) {
            return Ok(Some(true));
        }
        if left.is_empty() || !left.iter().map(|c| &c.0).eq(right.iter().map(|c| &c.0)) {
            return Ok(Some(false));
        }
        for commit in [a, b] {
            if self.ids.contains_key(&commit) {
                continue;
            }
            if self.ids_left == 0 {
                self.spent = true;
                return Ok(None);
            }
            self.ids_left -= 1;
            let id = self.graph.patch_id(commit)?;
            self.ids.insert(commit, id);
        }
        Ok(Some(self.ids[&a].is_some() && self.ids[&a] == self.ids[&b]))
    }
}

pub fn resulting_blobs(delta: &[PathChange]) -> ResultingBlobs {
    delta.iter().map(|(path, _, new)| (path.clone(), *new)).collect()
}

/// The originals that a message names, in lower case: `(cherry picked from commit X)`, `Original commit: X`.
pub fn named_originals(message: &[u8]) -> Vec<String> {
    let marks = ["(cherry picked from commit ", "Original commit: "];
    let rests = message.lines().filter_map(|line| marks.iter().find_map(|m| line.trim().strip_prefix(m.as_bytes())));
    rests
        .map(|rest| rest.iter().take_while(|b| b.is_ascii_graphic() && **b != b')'))
        .map(|word| word.map(|b| b.to_ascii_lowercase() as char).collect::<String>())
        .filter(|word| !word.is_empty())
        .collect()
}

/// Whether a word looks like a commit id. Git does not shorten ids below seven digits by itself.
pub fn is_commit_id(word: &str) -> bool {
    word.len() >= 7 && word.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Whether one of the words is this commit's id, possibly abbreviated.
pub fn contains_commit(originals: &[String], commit: Oid) -> bool {
    let full = commit.to_string();
    originals.iter().any(|o| is_commit_id(o) && full.starts_with(o.as_str()))
}
