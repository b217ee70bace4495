//! `portcullis policy diff`: what a change of the policy does, line by line. Owns how the two policies are named.

use std::path::Path;

use super::Outside;
use super::backtest;
use super::gate::{Gate, Judging};
use super::policy_file;
use crate::cli::PolicyCommand;
use crate::cli::{JudgeArgs, OutputArgs};
use crate::error::{Error, Result};
use crate::git::{self, Repo};
use crate::options::PolicyFile;
use crate::policy::{Effect, Policy, compare, trust};

pub fn run(command: &PolicyCommand, outside: &Outside) -> Result<u8> {
    match command {
        PolicyCommand::Diff { a, b } => diff(a, b, outside),
        PolicyCommand::Backtest(args) => backtest::run(args, outside),
    }
}

fn diff(a: &str, b: &str, outside: &Outside) -> Result<u8> {
    let repo = git::discover(&outside.directory)?;
    let load = |name: &str| -> Judging<Policy> {
        let files = named(name, repo.as_ref(), outside)?;
        Ok(Policy::load(files).and_then(trust::valid)?)
    };
    let (old, new) = match load(a).and_then(|old| Ok((old, load(b)?))) {
        Ok(both) => both,
        Err(refusal) => {
            let gate = Gate::new(repo.as_ref(), outside, JudgeArgs::default(), OutputArgs::default());
            return gate.write_refusal(refusal);
        }
    };
    let changes = compare(&old, &new);
    let mut text: String = changes.iter().map(|c| format!("{:9}  {}\n", c.effect.name(), c.what)).collect();
    let count = |effect| changes.iter().filter(|c| c.effect == effect).count();
    let counts = [Effect::Relaxed, Effect::Tightened, Effect::Neutral].map(|e| format!("{} {}", count(e), e.name()));
    text.push_str(&format!("{}\n", counts.join(", ")));
    outside.say(&text)?;
    Ok(u8::from(count(Effect::Relaxed) > 0))
}

/// A file, else the policy of a revision; a revision without one has the built-in defaults.
fn named(name: &str, repo: Option<&Repo>, outside: &Outside) -> Result<Vec<PolicyFile>> {
    let untrusted = policy_file::untrusted(repo, &outside.directory);
    let path = outside.directory.join(name);
    let files = policy_file::with_baseline(&path, Path::new(name), &untrusted)?;
    if files.iter().any(|file| !file.is_baseline) && !path.is_dir() {
        return Ok(files);
    }
    let Some(repo) = repo else { return Err(Error::usage(format!("there is no file {name}"))) };
    let local = repo.thread_local();
    let commit = local.commit_named(name).map_err(|_| {
        Error::usage(format!("`{name}` is neither a file nor a revision"))
            .hint("for example: portcullis policy diff origin/main portcullis.yaml")
    })?;
    policy_file::at_revision(&local, commit, name)
}
