//! The commit graph behind a trait, so that rules can be tested on graphs in memory.

use bstr::{BStr, BString};

use super::{Oid, Person};
use crate::error::{Error, Result};

/// A ref and its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ref {
    /// Full name.
    pub name: BString,
    /// Not peeled: a tag object for annotated tags.
    pub target: Oid,
}

/// What kind of object an id names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    Commit,
    Tag,
    Tree,
    Blob,
}

/// A commit's data, as graph rules need it.
#[derive(Clone, Debug)]
pub struct Node {
    pub oid: Oid,
    pub parents: Vec<Oid>,
    pub tree: Oid,
    /// Raw, as stored.
    pub message: BString,
    pub author: Person,
    pub committer: Person,
    /// There is a `gpgsig` (or `gpgsig-sha256`) header.
    pub signed: bool,
}

/// An annotated tag object.
#[derive(Clone, Debug)]
pub struct TagObject {
    pub oid: Oid,
    /// The name inside the object, `v1.2.0`.
    pub name: BString,
    pub target: Oid,
    pub target_kind: ObjectKind,
    pub tagger: Option<Person>,
    pub message: BString,
    pub signed: bool,
    /// The object as stored, for the positions of findings.
    pub raw: BString,
}

/// The result of merging trees in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Merged {
    Clean(Oid),
    /// The tree with the non-conflicting parts merged, and the paths that conflict.
    Conflict(Oid, Vec<BString>),
}

/// The commit graph and refs as they are **before** the change, plus the objects that the change brings.
/// Every `Err` means that something could not be read (shallow, missing, corrupt).
pub trait Graph {
    /// Parents only: the cheapest query, answered from the commit-graph file if there is one.
    fn parents(&self, commit: Oid) -> Result<Vec<Oid>>;
    fn node(&self, commit: Oid) -> Result<Node>;
    /// Commit time in seconds. Only orders walks, as anyone can set it.
    fn time(&self, commit: Oid) -> Result<i64>;
    /// The commit lies on the shallow boundary: its parents exist but are not here.
    fn is_shallow(&self, commit: Oid) -> Result<bool>;
    fn kind(&self, object: Oid) -> Result<ObjectKind>;
    fn tag(&self, object: Oid) -> Result<TagObject>;
    /// A ref's target before the change, by full name.
    fn find_ref(&self, name: &BStr) -> Result<Option<Oid>>;
    /// Earlier tips of a branch (short name), from its reflog and [`Graph::keep_tip`].
    fn earlier_tips(&self, _branch: &BStr) -> Result<Vec<Oid>> {
        Ok(Vec::new())
    }
    /// Records a tip of a branch on a server: later first parents may not lead there.
    fn keep_tip(&self, _branch: &BStr, _tip: Oid) -> Result<()> {
        Ok(())
    }
    /// All refs under a prefix (`refs/tags/`) before the change, sorted by name.
    fn refs(&self, prefix: &str) -> Result<Vec<Ref>>;
    /// Best common ancestors.
    fn merge_bases(&self, a: Oid, b: Oid) -> Result<Vec<Oid>>;
    fn is_ancestor(&self, ancestor: Oid, descendant: Oid) -> Result<bool>;
    /// Three-way merge of trees in memory (criss-cross bases are merged first, as git does).
    fn merge_commits(&self, ours: Oid, theirs: Oid) -> Result<Merged>;
    /// Three-way merge of trees (ids of trees) in memory with a known base; `None` is the empty tree.
    fn merge_trees(&self, base: Option<Oid>, ours: Oid, theirs: Oid) -> Result<Merged>;
    /// `(path, old, new)` between two trees (ids of trees, not commits): files, links and submodules that differ in id,
    /// kind or mode; renames not followed.
    fn diff_trees(&self, old: Option<Oid>, new: Oid) -> Result<Vec<PathChange>>;

    /// Everything that a walk needs of a commit, in one query.
    fn links(&self, commit: Oid) -> Result<Links> {
        let generation = self.generation(commit)?;
        Ok(Links { parents: self.parents(commit)?, time: self.time(commit)?, generation })
    }

    /// Topological level from the commit-graph file: one more than the largest of its parents'. `None` for a commit
    /// outside the file; as the file is closed under ancestry, no commit that has a level reaches one that has none.
    fn generation(&self, _commit: Oid) -> Result<Option<u32>> {
        Ok(None)
    }

    /// Whether the object came with this change, so that no ref reached it before; `false` if that is not known.
    fn is_new(&self, _object: Oid) -> Result<bool> {
        Ok(false)
    }

    /// The commit behind an object, through tags of tags; `None` where it ends in a tree or blob.
    fn peel(&self, object: Oid) -> Result<Option<Oid>> {
        let mut at = object;
        // Ids are hashes, so a chain of tags cannot be a cycle, but a hostile one may be long.
        for _ in 0..MAX_NESTED_TAGS {
            match self.kind(at)? {
                ObjectKind::Commit => return Ok(Some(at)),
                ObjectKind::Tag => at = self.tag(at)?.target,
                ObjectKind::Tree | ObjectKind::Blob => return Ok(None),
            }
        }
        Err(Error::undecided(format!("tag object {object} is nested more than {MAX_NESTED_TAGS} deep")))
    }

    /// git's stable patch-id of a commit with one parent; `None` for a merge, or if it is not computed.
    fn patch_id(&self, _commit: Oid) -> Result<Option<Vec<u8>>> {
        Ok(None)
    }
}

/// What a walk needs of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    pub parents: Vec<Oid>,
    /// See [`Graph::time`].
    pub time: i64,
    /// See [`Graph::generation`].
    pub generation: Option<u32>,
}

/// A path, and the id under it before and after: equal where the mode alone differs.
pub type PathChange = (BString, Option<Oid>, Option<Oid>);

/// The most tag objects between a ref and its commit.
pub const MAX_NESTED_TAGS: usize = 64;
