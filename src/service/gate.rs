//! The gate before the commit: checks the staged changes and the message with the engine in this process. Owns whose policy
//! counts: that of the remote branch, which nothing in the sync can change.

use std::path::Path;

use super::answer::Answer;
use crate::cli::{JudgeArgs, OutputArgs, When};
use crate::command::Outside;
use crate::command::gate::{Gate, Target};
use crate::command::policy_file;
use crate::error::Result;
use crate::git::{self, Repo, Source};
use crate::policy::{Policy, trust};

/// Rules that also check existing settings, because this sync has just followed them.
const WORK_TREE_RULES: &[&str] = &["windmill/include-key", "windmill/plain-secrets"];

/// Checks the index of the repository at `tree` against HEAD, the fetched remote branch. The error is the answer to a sync
/// that must not continue.
pub fn check(tree: &Path, message: &str) -> Result<(), Answer> {
    decide(tree, message).unwrap_or_else(|e| Err(Answer::failed(format!("Could not check the sync: {e}"))))
}

fn decide(tree: &Path, message: &str) -> Result<Result<(), Answer>> {
    let Some(repo) = git::discover(tree)? else {
        return Ok(Err(Answer::failed("Could not check the sync: no repository")));
    };
    let outside =
        Outside { directory: tree.to_owned(), color: When::Never, terminal: false, now: jiff::Timestamp::now() };
    let policy = trusted(&repo)?;
    let message = Source::Message { text: message.into(), parents: Vec::new(), author: None };
    let everything = [
        (Source::Index { parents: Vec::new() }, &[][..]),
        (message, &[]),
        (Source::WorkTree { paths: Vec::new() }, WORK_TREE_RULES),
    ];
    for (source, only) in everything {
        let judge = JudgeArgs { only: only.iter().map(ToString::to_string).collect(), ..JudgeArgs::default() };
        let gate = Gate::new(Some(&repo), &outside, judge, OutputArgs::default()).by_policy(policy.clone());
        let (outcome, code) = gate.judge_and_report(&Target::Change(&repo, &source))?;
        let counts = outcome.report.counts();
        tracing::info!(verdict = %outcome.report.verdict(), errors = counts.errors, warnings = counts.warnings, "checked");
        match code {
            0 => {}
            1 => return Ok(Err(Answer::refused(&outcome.report))),
            _ => {
                let why =
                    outcome.report.errors.first().map_or_else(|| outcome.report.sentence(), |e| e.error.to_string());
                return Ok(Err(Answer::failed(format!("Could not check the sync: {why}"))));
            }
        }
    }
    Ok(Ok(()))
}

/// The policy of the commit that was fetched, else the built-in defaults.
fn trusted(repo: &Repo) -> Result<Policy> {
    let local = repo.thread_local();
    let files = local.head()?.map(|head| policy_file::at_revision(&local, head, "HEAD")).transpose()?;
    let (policy, remark) = trust::or_built_in(files.unwrap_or_default());
    if let Some(remark) = remark {
        tracing::warn!("{remark}");
    }
    Ok(policy)
}
