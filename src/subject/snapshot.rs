//! Trees of files behind a trait, so that rules can be tested on trees in memory.

use std::rc::Rc;

use bstr::{BStr, BString};

use super::Oid;
use crate::document::Stored;
use crate::error::Result;

/// One file of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub path: BString,
    /// `None` for a work tree's file.
    pub blob: Option<Oid>,
    pub symlink: bool,
}

/// A tree of files, listed and read on demand.
pub trait Snapshot {
    /// All files, sorted by path. Submodules are left out.
    fn entries(&self) -> Result<Vec<Entry>>;
    /// Paths that differ from the same ref before the change, deletions included. `Ok(None)` if the state before is not
    /// known: then everything counts as changed. The cost grows with the change, not with the tree.
    fn changed_paths(&self) -> Result<Option<Vec<BString>>> {
        Ok(None)
    }
    /// The content of one file; `Ok(None)` if there is none under that path. May be cached.
    fn read(&self, path: &BStr) -> Result<Option<Rc<Stored>>>;
    /// Another ref's tree as it will be after the change; `Ok(None)` if there is no such ref. `name` may be a branch
    /// (`main`), a tag, or a full ref name.
    fn other(&self, name: &str) -> Result<Option<Box<dyn Snapshot + '_>>>;
    /// Short names of all branches after the change.
    fn branches(&self) -> Result<Vec<BString>>;
}

/// A snapshot that a change results in.
pub struct Tree<'a> {
    /// The tip; `None` for index, work tree and planned trees.
    pub commit: Option<Oid>,
    /// Full name of the branch (or tag) that will have this tree, where one will.
    pub name: Option<BString>,
    pub snapshot: &'a dyn Snapshot,
    /// The same ref before the change; findings that it has as well are notes.
    pub before: Option<&'a dyn Snapshot>,
}
