//! Commits, annotated tags, and the message about to become a commit.

use bstr::{BStr, BString};

use super::{Oid, RefSet};
use crate::error::Result;

/// Name, address and time of an author, committer or tagger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    pub name: BString,
    pub email: BString,
    /// Seconds since 1970-01-01 UTC.
    pub time: i64,
}

/// What kind of object a message belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// Not an object yet: the message file of the `commit-msg` hook.
    Pending,
    Commit(Oid),
    /// An annotated tag object; the name is the one inside the object (`v1.2.0`).
    Tag(Oid, BString),
}

/// A commit, an annotated tag, or the message about to become one.
pub struct Commit<'a> {
    pub carrier: Carrier,
    /// As git will store it, converted to UTF-8 by its `encoding` header. Text that git's clean-up would remove is replaced
    /// by spaces, not cut, so offsets are those of the original.
    pub message: BString,
    /// Every header line of the object, raw: `mergetag` and signatures included. Empty while pending.
    pub headers: BString,
    pub parents: Vec<Oid>,
    /// `None` while pending.
    pub tree: Option<Oid>,
    pub author: Person,
    pub committer: Person,
    /// The branches on which its message is new; message rules skip the commit if there are none. While pending: the
    /// checked-out branch.
    pub new_to: RefSet,
    /// Lists the paths that the commit changes against its first parent.
    pub changed_paths: &'a dyn Fn() -> Result<Vec<BString>>,
    /// Whether it came by a branch whose full name the function accepts.
    pub came_by: &'a CameBy<'a>,
}

/// Whether the commit, or a squash of it, was on such a branch before the change, or lands by a pull request of one.
pub type CameBy<'a> = dyn Fn(&dyn Fn(&BStr) -> bool) -> Result<bool> + 'a;
