//! The five things that a rule may look at: [`File`], [`Commit`], [`RefUpdate`], [`Tree`], [`Object`].
//! Owns their shapes and the two traits that git implements ([`Graph`], [`Snapshot`]). Reads nothing itself and knows no
//! git library.

mod commit;
mod content;
mod graph;
mod oid;
mod ref_set;
mod ref_update;
mod snapshot;

use bstr::BStr;

pub use self::commit::{CameBy, Carrier, Commit, Person};
pub use self::content::{Content, Open, TOO_LARGE};
pub use self::graph::{Graph, Links, MAX_NESTED_TAGS, Merged, Node, ObjectKind, PathChange, Ref, TagObject};
pub use self::oid::Oid;
pub use self::ref_set::RefSet;
pub use self::ref_update::{Pusher, RefLine, RefUpdate, Shared, Update};
pub use self::snapshot::{Entry, Snapshot, Tree};
use crate::error::Result;

/// A set of subject kinds: what a rule wants, what a source can feed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds(u8);

impl Kinds {
    pub const NONE: Self = Self(0);
    pub const FILE: Self = Self(1);
    pub const COMMIT: Self = Self(2);
    pub const REF: Self = Self(4);
    pub const TREE: Self = Self(8);
    pub const OBJECT: Self = Self(16);
    pub const ALL: Self = Self(31);

    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// A (blob, path) pair that a change introduces.
#[derive(Clone, Copy)]
pub struct File<'a> {
    /// Relative to the repository's root (or to the working directory outside a repository), `/` between parts.
    pub path: &'a BStr,
    /// The first commit of the change that introduces the pair; `None` for the index and the work tree.
    pub commit: Option<Oid>,
    /// `None` for a file of the work tree.
    pub blob: Option<Oid>,
    /// A symbolic link: the content is its target.
    pub symlink: bool,
    pub content: &'a Content<'a>,
}

impl<'a> File<'a> {
    /// Reads on first call.
    pub fn bytes(&self) -> Result<&'a [u8]> {
        self.content.bytes()
    }
}

/// The result of applying a delta to a base.
pub struct DeltaResult<'a> {
    pub bytes: &'a [u8],
    /// Length of the base in bytes.
    pub base_len: usize,
    /// The runs that were copied from the base, in the order of `bytes` and without overlaps there. Runs that are
    /// adjacent in both are one.
    pub copied: &'a [CopiedRun],
}

/// A run of bytes copied from a delta's base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopiedRun {
    /// Offset in the base.
    pub from: usize,
    /// Offset in the result.
    pub at: usize,
    pub len: usize,
}

/// A commit, tag or tree of a push, as stored.
pub struct Object<'a> {
    pub id: Oid,
    pub kind: ObjectKind,
    pub bytes: &'a [u8],
    /// A tree's path; empty for the root, and if the path is not known.
    pub path: &'a BStr,
    /// The trees under the same path in the parents.
    pub before: &'a [&'a [u8]],
}

impl Object<'_> {
    /// The length in bytes of an id in this repository.
    pub fn hash_length(&self) -> usize {
        self.id.as_bytes().len()
    }
}
