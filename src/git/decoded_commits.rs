//! The commits of the packs, each decoded once from its delta: parents, tree and time for the history walk, and whether
//! a check has anything to say about it. Commits that are not here (loose or damaged) have to be read by their ids.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use gix::objs::Kind;

use super::pack::ObjectVisitor;
use super::walk::WalkedCommit;
use super::{RawCommit, Repo, ThreadRepo};
use crate::error::Result;
use crate::subject::{DeltaResult, Oid};

/// What a history walk needs of a commit.
#[derive(Clone)]
pub(crate) struct CommitInfo {
    pub parents: Vec<Oid>,
    pub tree: Oid,
    /// The committer's, in seconds.
    pub time: i64,
    /// No check would say anything about it.
    can_skip: bool,
}

#[derive(Default)]
pub(crate) struct DecodedCommits(HashMap<Oid, CommitInfo>);

impl DecodedCommits {
    /// `can_skip` is called with each commit, on any thread.
    pub fn read(repo: &Repo, can_skip: &(dyn Fn(Oid, RawCommit) -> bool + Sync)) -> Result<Self> {
        let decoder = Decoder { repo, can_skip, out: Mutex::default() };
        repo.read_objects(Kind::Commit, None, &decoder)?;
        Ok(Self(decoder.out.into_inner().unwrap_or_else(PoisonError::into_inner)))
    }

    pub fn can_skip(&self, id: Oid) -> bool {
        self.0.get(&id).is_some_and(|c| c.can_skip)
    }

    /// A commit and its time, from here or else from the object store.
    pub fn walked(&self, local: &ThreadRepo<'_>, id: Oid) -> Result<(i64, WalkedCommit)> {
        if let Some(c) = self.0.get(&id) {
            return Ok((c.time, WalkedCommit { id, parents: c.parents.clone(), tree: Some(c.tree) }));
        }
        let node = local.commit(id)?.node;
        Ok((node.committer.time, WalkedCommit { id, parents: node.parents, tree: Some(node.tree) }))
    }
}

struct Decoder<'a> {
    repo: &'a Repo,
    can_skip: &'a (dyn Fn(Oid, RawCommit) -> bool + Sync),
    out: Mutex<HashMap<Oid, CommitInfo>>,
}

impl ObjectVisitor for Decoder<'_> {
    type State = ();

    fn read_whole(&self, _: &[u8]) {}

    fn read_delta(&self, (): &(), _: &DeltaResult<'_>) {}

    fn label(&self, id: Oid, _: u32, bytes: &[u8], (): &()) -> u8 {
        // A commit that cannot be parsed is an error of the walk that reaches it.
        if let Ok(raw) = RawCommit::parse(id, bytes) {
            self.repo.counters().commits.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let (tree, parents, time) = (raw.node.tree, raw.node.parents.clone(), raw.node.committer.time);
            let can_skip = (self.can_skip)(id, raw);
            let info = CommitInfo { parents, tree, time, can_skip };
            self.out.lock().unwrap_or_else(PoisonError::into_inner).insert(id, info);
        }
        0
    }
}
