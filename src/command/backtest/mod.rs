//! `portcullis policy backtest`: what a policy would have refused. Replays the landings of protected branches as pushes to a
//! server whose refs stand as they stood then, and judges each as `pre-receive` does.

mod landings;
mod render;

use jiff::Timestamp;
use rayon::prelude::*;

pub use self::landings::Reach;
use self::landings::{Landing, Lines};
use super::Outside;
use super::gate::Gate;
use super::gate::pipeline::{Judgement, Target, protected};
use super::since::since;
use crate::cli::backtest::Backtest as Args;
use crate::cli::{JudgeArgs, OutputArgs};
use crate::engine;
use crate::error::{Error, Result};
use crate::finding::{Finding, Severity};
use crate::git::{self, Excluded, GitGraph, Push, Repo, Source, TreeDiffs};
use crate::policy::{self, Compiled, Policy};
use crate::subject::{Kinds, Update};

/// What became of the landings.
#[derive(Default)]
pub struct Backtest {
    /// Each branch with its landings and how many of them would have been refused.
    pub branches: Vec<(String, usize, usize)>,
    pub refused: Vec<Refused>,
    /// When the oldest one came.
    oldest: Option<i64>,
    /// Landings that cannot be judged here, with the reason.
    undecided: Vec<(Landing, String)>,
}

/// A landing that the policy would have refused.
pub struct Refused {
    landing: Landing,
    pub findings: Vec<Finding>,
}

/// Runs it; the exit code is 1 if anything would have been refused, 3 if anything could not be judged.
pub fn run(args: &Args, outside: &Outside) -> Result<u8> {
    let repo = git::discover(&outside.directory)?.ok_or_else(|| Error::no_repository(&outside.directory))?;
    let judge = JudgeArgs {
        policy: args.policy.clone(),
        policy_from: args.policy_from.clone(),
        only: args.only.clone(),
        ..JudgeArgs::default()
    };
    let gate = Gate::new(Some(&repo), outside, judge, OutputArgs::default());
    let compiled = gate.policy().and_then(|policy| Ok((policy, policy.compile(PUSH, &args.only)?)));
    let (policy, compiled) = match compiled {
        Ok(both) => both,
        Err(refusal) => return gate.write_refusal(refusal),
    };
    let from = since(&args.since, outside.now.as_second())?;
    let replay = Replay { repo: &repo, policy, compiled: &compiled, outside, only: &args.only };
    let backtest = replay.run(&args.branch, Reach::Since(from))?;
    outside.say(&render::render(&backtest, day(from), args.format)?)?;
    Ok(match (backtest.undecided.is_empty(), backtest.refused.is_empty()) {
        (false, _) => 3,
        (true, false) => 1,
        (true, true) => 0,
    })
}

/// What a push has.
pub const PUSH: Kinds = Kinds::ALL;

/// Judges landings by one policy.
pub struct Replay<'a> {
    pub repo: &'a Repo,
    pub policy: &'a Policy,
    pub compiled: &'a Compiled,
    pub outside: &'a Outside,
    pub only: &'a [String],
}

impl Replay<'_> {
    /// `only`: names and globs of the branches to replay; empty: all protected ones.
    pub fn run(&self, only: &[String], reach: Reach) -> Result<Backtest> {
        let local = self.repo.thread_local();
        let graph = GitGraph::new(&local, Some("refs/remotes/origin/".to_owned()), u64::MAX)?;
        let vocabulary = self.policy.vocabulary();
        let replayed = if only.is_empty() { protected(self.policy) } else { only.to_vec() };
        let environments = vocabulary.environments.iter().flat_map(|e| &e.branches);
        let standing: Vec<String> = replayed.iter().chain(environments).cloned().collect();
        let lines = Lines::read(&graph, &standing, reach)?;
        let is_replayed = |name: &&str| replayed.iter().any(|w| git::branch_matches(w, name.as_bytes()));
        let mut all = Vec::new();
        let mut backtest = Backtest::default();
        for branch in lines.branches().filter(is_replayed) {
            let landings = lines.landings(&graph, branch, reach)?;
            backtest.branches.push((branch.to_owned(), landings.len(), 0));
            all.extend(landings);
        }
        backtest.oldest = all.iter().map(|landing: &Landing| landing.time).min();
        let head = local.head_name()?.unwrap_or_else(|| "refs/heads/main".into());
        let diffs = TreeDiffs::default();
        let judged: Vec<(Landing, Result<Vec<Finding>>)> = all
            .into_par_iter()
            .map_init(
                || self.repo.thread_local(),
                |local, landing| {
                    let findings = GitGraph::new(local, None, u64::MAX).and_then(|graph| {
                        let refs = lines.before(&graph, &landing)?;
                        self.judge(&self.repo.with_refs(refs, head.as_ref(), &diffs), &landing)
                    });
                    (landing, findings)
                },
            )
            .collect();
        for (landing, findings) in judged {
            match findings {
                Ok(findings) if findings.is_empty() => {}
                Ok(findings) => {
                    let of = backtest.branches.iter_mut().filter(|(name, ..)| *name == landing.branch);
                    of.for_each(|(.., refused)| *refused += 1);
                    backtest.refused.push(Refused { landing, findings });
                }
                Err(error) => backtest.undecided.push((landing, error.to_string())),
            }
        }
        Ok(backtest)
    }

    /// What would have refused a landing.
    fn judge(&self, then: &Repo, landing: &Landing) -> Result<Vec<Finding>> {
        let name = format!("refs/heads/{}", landing.branch).into();
        let updates = vec![Update { name, old: Some(landing.old), new: Some(landing.new) }];
        let source = Source::Push(Push { updates, known: Excluded::Refs, ..Push::default() });
        debug_assert_eq!(engine::kinds(&source), PUSH);
        let run = policy::Run { only: self.only.to_vec(), ..policy::Run::new(self.outside.today()) };
        // Landings are judged in parallel, each on one thread.
        let judgement = Judgement { threads: 1, ..Judgement::new(self.policy, self.compiled) };
        let report = judgement.report(&Target::Change(then, &source), run, |_| Ok(()))?;
        if let Some(undecided) = report.errors.into_iter().next() {
            return Err(undecided.error);
        }
        // Faults of today's exceptions are no landing's.
        let stands =
            |f: &Finding| f.suppressed.is_none() && f.severity == Severity::Error && !f.rule.starts_with("exceptions/");
        Ok(report.findings.into_iter().filter(stands).collect())
    }
}

impl Backtest {
    /// How many landings were replayed, and how many would have been refused.
    pub fn counts(&self) -> (usize, usize) {
        (self.branches.iter().map(|(_, all, _)| all).sum(), self.refused.len())
    }

    /// The day of the oldest landing.
    pub fn since(&self) -> Option<String> {
        self.oldest.map(day)
    }
}

/// The day of a time, UTC.
fn day(seconds: i64) -> String {
    let day = Timestamp::from_second(seconds).map(|t| t.to_zoned(jiff::tz::TimeZone::UTC).date());
    day.map_or_else(|_| "an impossible day".to_owned(), |day| day.to_string())
}
