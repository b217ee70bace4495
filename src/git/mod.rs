//! The only folder that uses gix. Opens repositories, lists the [`Changes`] of each [`Source`], implements graph and
//! snapshots, merges trees in object memory. Judges nothing; only [`Write`] writes to a repository.

mod attributes;
mod changes;
mod clash;
mod decoded_commits;
mod default_branch;
mod delta_cache;
mod graph;
mod history;
mod index;
mod inspect;
mod introduced;
mod jobs;
mod large;
mod lines;
mod merge_file;
mod message;
mod newness;
mod objects;
mod open;
mod pack;
mod patch;
mod pick;
mod picker;
mod plain_file;
mod pruned_trees;
mod push;
mod quarantine;
mod queries;
mod refs;
mod reftable;
mod released;
mod renames;
mod similarity;
mod snapshot;
mod source;
mod stat_digest;
mod tips;
mod tree_diffs;
mod tree_edits;
mod trees;
mod walk;
mod worktree;
mod write;

pub use changes::plain_files;
pub use clash::{Clash, ClashKind};
pub use default_branch::DefaultBranch;
pub use graph::GitGraph;
pub use inspect::Inspector;
pub use jobs::{
    Blob, BlobJob, ChangeQuery, Changes, CommitJob, HistoryFilter, Occurrence, PushPolicy, SnapshotOf, TreeJob,
};
pub use lines::{Overlap, Region, is_binary, merge_or, regions};
pub use message::MessageSettings;
pub use objects::RawCommit;
pub use open::{Repo, ThreadRepo, discover};
pub use pack::{Counts, ObjectLabels, ObjectVisitor, UNLABELLED};
pub use patch::PatchId;
pub use picker::{Picked, Picker};
pub use push::branch_matches;
pub use quarantine::Quarantine;
pub use queries::merge_heads;
pub use snapshot::GitSnapshot;
pub use source::{Excluded, Push, Source};
pub use stat_digest::StatDigest;
pub use tree_diffs::TreeDiffs;
pub use tree_edits::{Edit, Leaf};
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

/// Wraps an error of gix or the file system: something could not be read, so there is no verdict.
pub(crate) fn unreadable<E: Display>(what: impl Display) -> impl FnOnce(E) -> Error {
    move |e| Error::undecided(format!("{what}: {e}"))
}
