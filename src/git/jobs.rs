//! The work that a source brings, as data: which blobs, commits, refs and snapshots have to be checked, and the question
//! that lists them. Owns the types only; the walkers that fill them are `introduced`, `push`, `history`, `index` and
//! `worktree`.

use std::path::PathBuf;

use bstr::{BStr, BString};

use super::RawCommit;
use super::inspect::Inspector;
use super::stat_digest::StatDigest;
use crate::error::Error;
use crate::subject::{Kinds, ObjectKind, Oid, RefSet, Update};

/// A path under which a change puts a blob, and the first commit that does.
#[derive(Clone, Debug, PartialEq)]
pub struct Occurrence {
    pub path: BString,
    /// `None` for the index, the work tree, and a blob that no commit reaches.
    pub commit: Option<Oid>,
    pub symlink: bool,
    /// The refs to which the blob is new under this path. Empty: those of the whole change.
    pub new_to: RefSet,
}

/// Where a job's bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blob {
    Object(Oid),
    Disk(PathBuf),
}

/// One distinct blob with all its paths: read once.
#[derive(Clone, Debug)]
pub struct BlobJob {
    pub blob: Blob,
    pub occurrences: Vec<Occurrence>,
    /// Of a file of the work tree that is unchanged since git wrote its index entry, if the query asked for it.
    pub stat_digest: Option<StatDigest>,
}

impl BlobJob {
    /// An object under one path of no commit.
    pub fn at(id: Oid, path: BString) -> Self {
        Self {
            blob: Blob::Object(id),
            occurrences: vec![Occurrence { path, commit: None, symlink: false, new_to: RefSet::default() }],
            stat_digest: None,
        }
    }

    /// The id; `None` for a file on disk.
    pub fn object(&self) -> Option<Oid> {
        if let Blob::Object(id) = &self.blob { Some(*id) } else { None }
    }
}

/// A commit or tag object to check.
#[derive(Clone, Debug)]
pub struct CommitJob {
    pub id: Oid,
    pub kind: ObjectKind,
    /// The refs to which it is new.
    pub refs: RefSet,
    /// The branches on which its message is checked.
    pub new_to: RefSet,
}

/// Which tree a snapshot shows.
#[derive(Clone, Copy, Debug)]
pub enum SnapshotOf {
    Tree(Oid),
    Index,
    WorkTree,
}

/// A snapshot to check.
#[derive(Clone, Debug)]
pub struct TreeJob {
    pub snapshot: SnapshotOf,
    /// `None` for index and work tree.
    pub commit: Option<Oid>,
    /// Full name of the ref that will have the tree.
    pub name: Option<BString>,
    /// The commit that the snapshot is compared with.
    pub before: Option<Oid>,
}

/// Everything that a source brings.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    pub blobs: Vec<BlobJob>,
    pub commits: Vec<CommitJob>,
    pub refs: Vec<Update>,
    pub trees: Vec<TreeJob>,
    /// What could not be listed.
    pub errors: Vec<Error>,
    /// How many submodules the change has; their content is not listed.
    pub submodules: u64,
}

/// Blobs with their paths that a commit or the index introduces.
#[derive(Debug, Default)]
pub(crate) struct Introduced {
    pub pairs: Vec<Pair>,
    /// For the index only: paths of HEAD that it no longer has.
    pub removed: Vec<BString>,
    pub submodules: u64,
}

/// A blob under a path.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub path: BString,
    pub blob: Oid,
    pub symlink: bool,
}

impl Introduced {
    pub(crate) fn add(&mut self, path: BString, blob: Oid, symlink: bool, submodule: bool) {
        if submodule {
            self.submodules += 1;
        } else {
            self.pairs.push(Pair { path, blob, symlink });
        }
    }
}

/// What to list of a source.
#[derive(Clone, Copy)]
pub struct ChangeQuery {
    /// The kinds of subject that some check wants; nothing else is listed.
    pub kinds: Kinds,
    /// The most paths that are listed before the run gives up.
    pub path_budget: u64,
    pub threads: usize,
}

/// What the policy says about the refs and commits of a push.
pub struct PushPolicy<'a> {
    /// Short names or globs of protected branches.
    pub protected: &'a [String],
    /// The conditions under which the policy checks a ref, given its full name; the same ones in the same order for
    /// every ref.
    pub strictness: &'a (dyn Fn(&BStr) -> Vec<bool> + Sync),
    /// Whether an exception names the commit.
    pub is_excused: &'a (dyn Fn(Oid) -> bool + Sync),
    /// Whether the ref with this full name is a release tag, whose tree is checked like a branch's.
    pub is_release_tag: &'a (dyn Fn(&BStr) -> bool + Sync),
    /// Called with each new commit, tag and tree as stored.
    pub inspector: Option<&'a Inspector<'a>>,
}

/// What history need not list. With a filter, packs are read delta by delta; without, each object by its id.
#[derive(Clone, Copy)]
pub struct HistoryFilter<'a> {
    /// Whether no check wants a blob, under any path; `None`: every blob is listed.
    pub blob: Option<&'a (dyn Fn(Oid) -> bool + Sync)>,
    /// Whether no check would say anything about a commit.
    pub commit: &'a (dyn Fn(Oid, RawCommit) -> bool + Sync),
}
