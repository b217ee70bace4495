//! One judgement, the same at every gate: compiled checks -> engine -> exceptions' values -> title -> settled report.

use std::path::{Path, PathBuf};

use super::excepted_values::compare_values;
use super::title::title_for_messages;
use crate::engine::{self, BlobReading, CleanCache, Outcome, RunConfig};
use crate::error::{Error, Result};
use crate::finding::Mask;
use crate::git::{Repo, Source};
use crate::policy::{self, Batch, Compiled, Policy};
use crate::report::Report;
use crate::rules::secrets::redactor;
use crate::subject::Kinds;

/// What there is to judge.
#[derive(Clone, Copy)]
pub enum Target<'a> {
    Change(&'a Repo, &'a Source),
    /// Files under these paths, in no repository; relative names are shown from `directory`.
    Files {
        directory: &'a Path,
        paths: &'a [PathBuf],
    },
}

impl Target<'_> {
    /// The kinds of subject that it can have.
    pub fn kinds(&self) -> Kinds {
        match self {
            Self::Change(_, source) => engine::kinds(source),
            Self::Files { .. } => Kinds::FILE,
        }
    }

    /// Whether it is the whole work tree.
    pub fn is_work_tree(&self) -> bool {
        matches!(self, Self::Change(_, Source::WorkTree { paths }) if paths.is_empty())
    }
}

/// By what, and how, a target is judged.
pub struct Judgement<'a> {
    pub policy: &'a Policy,
    pub checks: &'a Compiled,
    /// The policy is part of what is judged, so that an exception can come with the value that it is for.
    pub own_policy: bool,
    /// Title of the pull request, judged in place of the messages that its squash drops.
    pub title: Option<&'a str>,
    pub threads: usize,
    pub blob_reading: BlobReading,
    pub clean_cache: Option<&'a CleanCache>,
}

impl<'a> Judgement<'a> {
    pub fn new(policy: &'a Policy, checks: &'a Compiled) -> Self {
        let (own_policy, title, threads, clean_cache) = (false, None, 0, None);
        Self { policy, checks, own_policy, title, threads, blob_reading: BlobReading::Prescan, clean_cache }
    }

    /// Runs the checks. `add` adds what is found beside the engine, before exceptions are applied.
    pub fn report(
        &self,
        target: &Target<'_>,
        run: policy::Run<'_>,
        add: impl FnOnce(&mut Outcome) -> Result<()>,
    ) -> Result<Report> {
        let protected = protected(self.policy);
        let config = RunConfig {
            checks: self.checks,
            protected: &protected,
            path_budget: self.policy.vocabulary().budgets.paths,
            threads: self.threads,
            clean_cache: self.clean_cache,
            blob_reading: self.blob_reading,
        };
        let mut outcome = match target {
            Target::Change(repo, source) => {
                let mut outcome = engine::run(repo, source, &config)?;
                compare_values(self.policy, repo, source, &config, self.own_policy, &mut outcome);
                if let Some(title) = self.title {
                    title_for_messages(repo, source, title, &config, &mut outcome)?;
                }
                outcome
            }
            Target::Files { directory, paths } => engine::run_outside(directory, paths, &config),
        };
        add(&mut outcome)?;
        if let Some(cache) = self.clean_cache.filter(|_| target.is_work_tree()) {
            cache.keep(std::mem::take(&mut outcome.clean));
        }
        Ok(settle(self.policy, outcome, run))
    }
}

/// Applies severities, scopes and exceptions, and masks what must not be shown.
fn settle(policy: &Policy, outcome: Outcome, run: policy::Run<'_>) -> Report {
    let redactor = outcome.redactor.as_deref().unwrap_or(redactor());
    let mask = Mask::of(redactor, outcome.batches.iter().flat_map(|batch: &Batch| &batch.findings));
    let run = policy::Run { trailers: outcome.trailers, redactor, ..run };
    let mut report = policy.settle(outcome.batches, outcome.errors, outcome.stats, &run);
    report.notes.extend(outcome.notes);
    if !run.skip.is_empty() {
        report.notes.push(format!("skipped here, judged at the push: {}", run.skip.join(", ")));
    }
    report.masked(&mask)
}

/// Short names and globs of protected branches.
pub fn protected(policy: &Policy) -> Vec<String> {
    policy.vocabulary().protected.iter().map(|p| p.branch.clone()).collect()
}

/// Sets the number of threads for the whole process; asked for once, before anything runs.
pub fn use_threads(jobs: Option<usize>) -> Result<()> {
    let Some(jobs) = jobs else { return Ok(()) };
    if jobs == 0 {
        return Err(Error::usage("--jobs takes a number of at least 1"));
    }
    // A pool that stands already (a second judgement in one process) keeps its size.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(jobs).build_global();
    Ok(())
}
