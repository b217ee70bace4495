//! Source -> Subjects -> Checks -> Findings. Each source has its own list of steps here or in a file of its own, built
//! from the same parts (`commits`, `refs`, `trees`, `blobs`), so that a message never meets what history needs. Reads
//! each distinct blob once, only if a check wants one of its paths; in parallel when there is enough to do, with the
//! same result for any number of threads.

mod blobs;
mod clean_cache;
mod commits;
mod delta_visit;
mod history;
mod objects;
mod prescan;
mod push;
mod refs;
mod run;
mod trees;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use self::blobs::findings_in;
pub use self::clean_cache::CleanCache;
use self::run::Run;
use crate::error::Result;
use crate::finding::{InlineAllow, Redact};
use crate::git::{self, Repo, Source, StatDigest};
use crate::policy::{Batch, Compiled};
use crate::report::Undecided;
use crate::stats::Stats;
use crate::subject::{Kinds, Oid, RefSet};

/// All findings and errors of a run, before the policy's exceptions are applied.
#[derive(Default)]
pub struct Outcome {
    pub batches: Vec<Batch>,
    /// Allows from the trailers of each checked message; `None`: the pending one.
    pub trailers: HashMap<Option<Oid>, Vec<InlineAllow>>,
    pub errors: Vec<Undecided>,
    pub stats: Stats,
    /// Remarks on the run as a whole.
    pub notes: Vec<String>,
    /// Unchanged files of the work tree without a finding, for the clean cache.
    pub clean: Vec<StatDigest>,
    /// The policy's own detectors, if it has any.
    pub redactor: Option<Arc<dyn Redact>>,
    /// Random key of the hash that tells whether two secrets of this run are equal ([`crate::finding::Finding::same`]).
    pub key: u64,
}

/// What the engine needs beside repository and source.
pub struct RunConfig<'a> {
    pub checks: &'a Compiled,
    /// Short names or globs of protected branches.
    pub protected: &'a [String],
    pub path_budget: u64,
    pub threads: usize,
    pub blob_reading: BlobReading,
    /// Files that passed an earlier run under the same policy.
    pub clean_cache: Option<&'a CleanCache>,
}

/// How the engine reads a large number of blobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BlobReading {
    /// Prescans packs delta by delta, then checks only the blobs in which something could be found.
    #[default]
    Prescan,
    /// Reads each blob by its id: slower, with the same result.
    OneByOne,
}

/// The kinds of subject that a source can feed.
pub fn kinds(source: &Source) -> Kinds {
    match source {
        Source::WorkTree { .. } | Source::Index { .. } => Kinds::FILE.union(Kinds::TREE),
        Source::Merge { .. } => Kinds::FILE.union(Kinds::TREE).union(Kinds::REF),
        Source::Message { .. } => Kinds::COMMIT,
        Source::Push(_) => Kinds::ALL,
        Source::History { .. } => Kinds::FILE.union(Kinds::COMMIT),
    }
}

/// Checks everything that a source feeds. `Err`: the source itself could not be read; an error about a single subject is
/// in [`Outcome::errors`].
pub fn run(repo: &Repo, source: &Source, config: &RunConfig<'_>) -> Result<Outcome> {
    let mut run = Run::new(config);
    let changes = match source {
        Source::WorkTree { paths } => run.work_tree(repo, paths)?,
        Source::Index { parents } => run.staged(repo, parents)?,
        Source::Merge { heads, message } => run.pending_merge(repo, heads, message)?,
        Source::Message { text, parents, author } => {
            run.message(&repo.thread_local(), text, parents, author.as_ref())?;
            git::Changes::default()
        }
        Source::Push(push) => run.push(repo, push)?,
        Source::History { all } => run.history(repo, *all)?,
    };
    let mut outcome = run.finish(changes);
    repo.count_into(&mut outcome.stats);
    Ok(outcome)
}

/// Checks files outside any repository.
pub fn run_outside(root: &Path, paths: &[PathBuf], config: &RunConfig<'_>) -> Outcome {
    let mut run = Run::new(config);
    run.out.notes.push("not a git repository: the files under the given paths were checked as they are".to_owned());
    let changes = git::plain_files(root, paths, config.threads);
    run.plain_blobs(&changes.blobs);
    run.finish(changes)
}

impl Run<'_> {
    fn work_tree(&mut self, repo: &Repo, paths: &[PathBuf]) -> Result<git::Changes> {
        let changes = repo.work_tree_changes(paths, &self.query(), self.config.clean_cache.is_some())?;
        let local = repo.thread_local();
        self.refs = head_ref(&local)?;
        self.trees(&local, &changes);
        self.blobs(repo, &changes.blobs, &Default::default());
        Ok(changes)
    }

    fn staged(&mut self, repo: &Repo, parents: &[Oid]) -> Result<git::Changes> {
        let changes = repo.staged_changes(parents, &self.query())?;
        let local = repo.thread_local();
        self.refs = head_ref(&local)?;
        self.trees(&local, &changes);
        self.blobs(repo, &changes.blobs, &Default::default());
        Ok(changes)
    }
}

/// The checked-out branch, as the ref to which a local change goes; empty when HEAD is detached.
fn head_ref(local: &git::ThreadRepo<'_>) -> Result<RefSet> {
    Ok(local.head_name()?.into_iter().collect())
}
