//! One run of the engine: what all its parts share, and how their results are collected.

use std::cell::Cell;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;

use rayon::prelude::*;

use super::{Outcome, RunConfig};
use crate::finding::{Findings, InlineAllow};
use crate::git::{ChangeQuery, Changes, Repo, StatDigest, ThreadRepo};
use crate::policy::Batch;
use crate::report::Undecided;
use crate::rules::secrets::{patterns_compiled, redactor};
use crate::stats::Stats;
use crate::subject::{Oid, RefSet};
use crate::text::count;

/// With fewer jobs than this, starting threads costs more than it saves.
const SERIAL: usize = 64;

pub(super) struct Run<'a> {
    pub config: &'a RunConfig<'a>,
    /// The refs to which the whole change goes.
    pub refs: RefSet,
    pub out: Outcome,
    /// LFS pointers among the blobs.
    pointers: u64,
}

/// The result of one job.
#[derive(Default)]
pub(super) struct JobResult {
    pub batches: Vec<Batch>,
    pub trailer: Option<(Option<Oid>, Vec<InlineAllow>)>,
    pub errors: Vec<Undecided>,
    pub stats: Stats,
    pub pointers: u64,
    pub clean: Option<StatDigest>,
}

impl<'a> Run<'a> {
    pub fn new(config: &'a RunConfig<'a>) -> Self {
        Self::with_key(config, RandomState::new().hash_one(0))
    }

    /// A run that gives equal secrets the same identity as another run does.
    pub fn with_key(config: &'a RunConfig<'a>, key: u64) -> Self {
        let out = Outcome { key, ..Outcome::default() };
        Self { config, refs: RefSet::default(), out, pointers: 0 }
    }

    /// The question to git about any source.
    pub fn query(&self) -> ChangeQuery {
        let RunConfig { checks, path_budget, threads, .. } = *self.config;
        ChangeQuery { kinds: checks.kinds(), path_budget, threads }
    }

    /// An empty collection for the findings of one subject.
    pub fn findings(&self) -> Findings<'a> {
        Findings::new(self.config.checks.redactor.as_deref().unwrap_or(redactor()), self.out.key)
    }

    pub fn keep(&mut self, batch: Batch) {
        if !batch.findings.is_empty() {
            self.out.batches.push(batch);
        }
    }

    pub fn collect(&mut self, results: Vec<JobResult>) {
        for result in results {
            result.batches.into_iter().for_each(|batch| self.keep(batch));
            self.out.trailers.extend(result.trailer);
            self.out.errors.extend(result.errors);
            self.out.stats += result.stats;
            self.pointers += result.pointers;
            self.out.clean.extend(result.clean);
        }
    }

    /// Reports what only several subjects together violate, and what of the change was not checked.
    pub fn finish(mut self, changes: Changes) -> Outcome {
        let mut findings = self.findings();
        let checks = self.config.checks;
        let mut errors = Vec::new();
        errors.extend(checks.files.iter().filter_map(|s| s.check.finish(&mut findings).err()));
        errors.extend(checks.commits.iter().filter_map(|s| s.check.finish(&mut findings).err()));
        errors.extend(checks.refs.iter().filter_map(|s| s.check.finish(&mut findings).err()));
        errors.extend(checks.trees.iter().filter_map(|s| s.check.finish(&mut findings).err()));
        errors.extend(changes.errors);
        self.out.errors.extend(errors.into_iter().map(|error| Undecided { error, origin: None }));
        self.keep(Batch { refs: self.refs.clone(), findings: findings.into_vec() });
        if changes.submodules > 0 {
            let submodules = count(changes.submodules, "submodule");
            self.out.notes.push(format!("{submodules}: content not seen, each is judged in its own repository"));
        }
        if self.pointers > 0 {
            let pointers = count(self.pointers, "LFS pointer");
            self.out.notes.push(format!("{pointers}: content not seen, it is kept elsewhere"));
        }
        self.out.redactor = checks.redactor.clone();
        self.out.stats.policies_parsed = checks.policies_parsed;
        self.out.stats.patterns_compiled = patterns_compiled() as u64;
        self.out
    }
}

/// What one thread works with.
pub(super) struct Worker<'r> {
    pub local: ThreadRepo<'r>,
    /// The last file's buffer, for the next file: fresh pages would cost as much as reading it.
    pub spare: Cell<Vec<u8>>,
}

/// Runs jobs, on all threads if there are many, and returns the results in the jobs' order. The last jobs are run
/// first: packs keep the newest version of a file whole, and older ones as deltas on it.
pub(super) fn in_parallel<J: Sync>(
    repo: &Repo,
    jobs: &[J],
    one: impl Fn(&Worker<'_>, &J) -> JobResult + Sync,
) -> Vec<JobResult> {
    let worker = || Worker { local: repo.thread_local(), spare: Cell::default() };
    if jobs.len() < SERIAL {
        let worker = worker();
        return jobs.iter().map(|job| one(&worker, job)).collect();
    }
    let backwards = jobs.par_iter().rev().with_min_len(8);
    let mut results: Vec<JobResult> = backwards.map_init(worker, |worker, job| one(worker, job)).collect();
    results.reverse();
    results
}
