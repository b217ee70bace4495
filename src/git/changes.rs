//! Lists what a source brings: ids, paths and names. One function for each kind of source; no blob is read here.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::introduced::group;
use super::jobs::{Blob, BlobJob, ChangeQuery, Changes, HistoryFilter, Occurrence, PushPolicy, SnapshotOf, TreeJob};
use super::source::Push;
use super::stat_digest::StatDigests;
use super::trees::PathBudget;
use super::{Repo, history, index, push, worktree};
use crate::error::{Error, Result};
use crate::subject::{Kinds, Oid, RefSet};

impl Repo {
    /// Files of the work tree below `paths`; all of it if there are none. `stat_digests`: give each unchanged file its
    /// digest.
    pub fn work_tree_changes(&self, paths: &[PathBuf], query: &ChangeQuery, stat_digests: bool) -> Result<Changes> {
        let root = self.workdir().ok_or_else(|| {
            Error::usage("a bare repository has no work tree to check")
                .hint("`portcullis check --ref HEAD` judges a ref, `--history` everything")
        })?;
        let local = self.thread_local();
        let mut out = Changes::default();
        if query.kinds.intersects(Kinds::FILE) {
            let listing = worktree::tracked_and_new(&local, root, paths, query.threads)?;
            if paths.is_empty() && query.kinds.intersects(Kinds::TREE) {
                // The snapshot lists the same files: a run sees one state of the work tree.
                self.work_tree.get_or_init(|| listing.entries());
            }
            let digests = stat_digests.then(|| StatDigests::new(&local)).transpose()?;
            out.blobs = from_disk(listing.files, digests.as_ref());
            out.errors = listing.errors;
            out.submodules = listing.submodules;
        }
        if query.kinds.intersects(Kinds::TREE) {
            let (snapshot, name) = (SnapshotOf::WorkTree, local.head_name()?);
            out.trees.push(TreeJob { snapshot, commit: None, name, before: None });
        }
        Ok(out)
    }

    /// What the index brings that neither HEAD nor any of `parents` (further parents of the commit to be) has.
    pub fn staged_changes(&self, parents: &[Oid], query: &ChangeQuery) -> Result<Changes> {
        let local = self.thread_local();
        let mut out = Changes::default();
        if query.kinds.intersects(Kinds::FILE) {
            let trees: Vec<Oid> = parents.iter().map(|c| local.tree_of(*c)).collect::<Result<_>>()?;
            let (pairs, submodules) = index::introduced(&local, &trees, &PathBudget::new(query.path_budget))?;
            out.submodules = submodules;
            out.blobs = group(pairs.into_iter().map(|p| (p, None)));
        }
        if query.kinds.intersects(Kinds::TREE) {
            let (name, before) = (local.head_name()?, local.head()?);
            out.trees.push(TreeJob { snapshot: SnapshotOf::Index, commit: None, name, before });
        }
        Ok(out)
    }

    /// What a push, or a range as one, brings.
    pub fn push_changes(&self, push: &Push, query: &ChangeQuery, policy: &PushPolicy<'_>) -> Result<Changes> {
        push::changes(&self.thread_local(), push, query, policy)
    }

    /// Everything that refs reach; with `all`, every object of the store.
    pub fn history_changes(
        &self,
        all: bool,
        query: &ChangeQuery,
        filter: Option<HistoryFilter<'_>>,
    ) -> Result<Changes> {
        history::changes(&self.thread_local(), all, query, filter)
    }
}

/// Lists files outside any repository.
pub fn plain_files(root: &Path, paths: &[PathBuf], threads: usize) -> Changes {
    let listing = worktree::plain(root, paths, threads);
    Changes { blobs: from_disk(listing.files, None), errors: listing.errors, ..Changes::default() }
}

fn from_disk(files: Vec<worktree::Disk>, digests: Option<&StatDigests>) -> Vec<BlobJob> {
    let job = |f: worktree::Disk, stat_digest| BlobJob {
        blob: Blob::Disk(f.file),
        occurrences: vec![Occurrence { path: f.path, commit: None, symlink: f.symlink, new_to: RefSet::default() }],
        stat_digest,
    };
    match digests {
        None => files.into_iter().map(|f| job(f, None)).collect(),
        Some(digests) => files
            .into_par_iter()
            .with_min_len(64)
            .map(|f| {
                let digest = digests.of(&f);
                job(f, digest)
            })
            .collect(),
    }
}
