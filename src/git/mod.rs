//! The only place that knows gix. Opens repositories, turns a [`Source`] into [`Changes`], answers graph and tree
//! questions. Judges nothing, writes nothing: merges happen in object memory.

mod attributes;
mod bases;
mod changes;
mod decoded;
mod default_branch;
mod edits;
mod graph;
mod history;
mod index;
mod inspect;
mod large;
mod lines;
mod local;
mod marks;
mod message;
mod newness;
mod objects;
mod open;
mod pack;
mod patch;
mod pick;
mod plain_file;
mod prune;
mod push;
mod quarantine;
mod refs;
mod reftable;
mod released;
mod renames;
mod similar;
mod snapshot;
mod source;
mod tips;
mod trees;
mod walk;
mod worktree;
mod write;

pub use changes::{Ask, Blob, BlobJob, Changes, CommitJob, Place, RefJob, Sifting, TreeJob, plain_files};
pub use default_branch::DefaultBranch;
pub use edits::{Edit, Leaf};
pub use graph::GitGraph;
pub use inspect::Inspector;
pub use lines::{Overlap, Region, is_binary, merge_or, regions};
pub use local::merge_heads;
pub use marks::Mark;
pub use message::MessageSettings;
pub use objects::RawCommit;
pub use open::{Local, Repo, discover};
pub use pack::{Counts, NOTHING, Notes, Reading};
pub use patch::PatchId;
pub use pick::{Clash, ClashKind, Picked, Picker};
pub use push::branch_matches;
pub use quarantine::Quarantine;
pub use snapshot::{GitSnapshot, SnapshotOf};
pub use source::{Known, Push, Source, Update};
pub(crate) use walk::new_commits;
pub use worktree::{open as open_file, read as read_file};
pub use write::{Committer, Memory, Write};

use std::fmt::Display;

use crate::error::Error;
use crate::subject::Oid;

/// Our id for gix's.
pub(crate) fn oid(id: &gix::hash::oid) -> Oid {
    Oid::from_bytes(id.as_bytes()).expect("gix knows sha1 and sha256 only")
}

/// gix's id for ours.
pub(crate) fn gix_id(id: Oid) -> gix::ObjectId {
    gix::ObjectId::from_bytes_or_panic(id.as_bytes())
}

/// Wraps a failure of the library: something could not be read, so nothing can be said.
pub(crate) fn unreadable<E: Display>(what: impl Display) -> impl FnOnce(E) -> Error {
    move |e| Error::undecided(format!("{what}: {e}"))
}
