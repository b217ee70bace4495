//! All commits of the packs, each decoded_commits once by its family of deltas: where history goes, and whose text somebody has to look
//! at. A commit that is not known here (loose, damaged) has to be read from the store.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use gix::objs::Kind;

use super::pack::ObjectVisitor;
use super::walk::WalkedCommit;
use super::{RawCommit, Repo, ThreadRepo};
use crate::error::Result;
use crate::subject::{DeltaResult, Oid};

/// What a walk has to know of a commit.
#[derive(Clone)]
pub(crate) struct CommitInfo {
    pub parents: Vec<Oid>,
    pub tree: Oid,
    /// Of its committer, in seconds.
    pub time: i64,
    /// Nobody would say anything of its text.
    silent: bool,
}

/// Commits by their ids.
#[derive(Default)]
pub(crate) struct DecodedCommits(HashMap<Oid, CommitInfo>);

impl DecodedCommits {
    /// `silent` is asked about each commit, on any thread.
    pub fn read(repo: &Repo, silent: &(dyn Fn(Oid, RawCommit) -> bool + Sync)) -> Result<Self> {
        let decoder = Decoder { repo, silent, out: Mutex::default() };
        repo.read_objects(Kind::Commit, None, &decoder)?;
        Ok(Self(decoder.out.into_inner().unwrap_or_else(PoisonError::into_inner)))
    }

    pub fn is_silent(&self, id: Oid) -> bool {
        self.0.get(&id).is_some_and(|c| c.silent)
    }

    /// A step of a walk and its time, from here or from the store.
    pub fn step(&self, local: &ThreadRepo<'_>, id: Oid) -> Result<(i64, WalkedCommit)> {
        if let Some(c) = self.0.get(&id) {
            return Ok((c.time, WalkedCommit { id, parents: c.parents.clone(), tree: Some(c.tree) }));
        }
        let node = local.commit(id)?.node;
        Ok((node.committer.time, WalkedCommit { id, parents: node.parents, tree: Some(node.tree) }))
    }
}

struct Decoder<'a> {
    repo: &'a Repo,
    silent: &'a (dyn Fn(Oid, RawCommit) -> bool + Sync),
    out: Mutex<HashMap<Oid, CommitInfo>>,
}

impl ObjectVisitor for Decoder<'_> {
    type Trace = ();

    fn whole(&self, _: &[u8]) {}

    fn made(&self, (): &(), _: &DeltaResult<'_>) {}

    fn note(&self, id: Oid, _: u32, bytes: &[u8], (): &()) -> u8 {
        // What cannot be decoded_commits is told by whoever comes upon it on a walk.
        if let Ok(raw) = RawCommit::parse(id, bytes) {
            self.repo.counters().commits.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let (tree, parents, time) = (raw.node.tree, raw.node.parents.clone(), raw.node.committer.time);
            let silent = (self.silent)(id, raw);
            let info = CommitInfo { parents, tree, time, silent };
            self.out.lock().unwrap_or_else(PoisonError::into_inner).insert(id, info);
        }
        0
    }
}
