//! Applies a plan with git itself in a temporary work tree, for repositories that want hooks or signing. Stops where git
//! stops and leaves the work tree for the next run to continue; removes it at the end.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::apply::{self, Applied, Apply};
use super::plan::Plan;
use crate::error::{Error, Result};
use crate::git::{ThreadRepo, Write};
use crate::subject::Oid;

pub fn apply(local: &ThreadRepo<'_>, plan: &Plan, how: &Apply<'_>) -> Result<Applied> {
    apply::refuse_stale(local, plan)?;
    apply::refuse_unready(plan, how.partial)?;
    if let Some(done) = apply::earlier(local, plan, how.branch)? {
        return Ok(done);
    }
    let branch = apply::name(plan, how);
    let repo = local.repo.common_dir();
    let git = Git { tree: repo.join("portcullis").join(plan.short()), repo };
    let onto = plan.onto.oid.0.to_string();
    if !git.tree.join(".git").exists() {
        git.in_repo(&["worktree", "prune"])?;
        git.in_repo(&["worktree", "add", "--quiet", "--detach", &git.tree.to_string_lossy(), &onto])?;
    } else if git.in_tree(&["rev-parse", "--verify", "--quiet", "CHERRY_PICK_HEAD"]).is_ok() {
        git.in_tree(&["cherry-pick", "--abort"])?;
    }
    let list = git.in_tree(&["rev-list", "--reverse", &format!("{onto}..HEAD")])?;
    let mut done: Vec<Oid> = list.lines().filter_map(|l| Oid::from_hex(l.as_bytes())).collect();
    let steps: Vec<Oid> = plan.picks().map(|s| s.commit.0).collect();
    for step in steps.iter().skip(done.len()) {
        git.in_tree(&["cherry-pick", "-x", &step.to_string()]).map_err(|e| {
            let place = git.tree.display().to_string();
            e.while_doing(format_args!("git stopped at {}", step.short())).hint(format!(
                "see to it in {place}, or run the same command again; git worktree remove --force {place} gives up"
            ))
        })?;
        let head = git.in_tree(&["rev-parse", "HEAD"])?;
        done.extend(Oid::from_hex(head.trim().as_bytes()));
    }
    let tip = done.last().copied().unwrap_or(plan.onto.oid.0);
    git.in_repo(&["branch", "--", &branch, &tip.to_string()])?;
    git.in_repo(&["worktree", "remove", "--force", &git.tree.to_string_lossy()])?;
    Ok(Applied { branch, tip, picks: steps.into_iter().zip(done).collect(), already: false })
}

/// Creates a branch that must not exist yet; git does it where the library cannot.
pub fn create_branch(local: &ThreadRepo<'_>, write: &Write<'_, '_>, full_name: &str, at: Oid, why: &str) -> Result<()> {
    if !local.has_reftable()? {
        return write.branch(full_name, at, why);
    }
    let git = Git { tree: PathBuf::new(), repo: local.repo.common_dir() };
    let nothing = "0".repeat(2 * at.as_bytes().len());
    git.in_repo(&["update-ref", "-m", why, "--create-reflog", full_name, &at.to_string(), &nothing]).map(drop)
}

struct Git {
    repo: PathBuf,
    tree: PathBuf,
}

impl Git {
    fn in_repo(&self, arguments: &[&str]) -> Result<String> {
        let own = format!("--git-dir={}", self.repo.display());
        run(&self.repo, &[&[own.as_str()], arguments].concat())
    }

    fn in_tree(&self, arguments: &[&str]) -> Result<String> {
        run(&self.tree, arguments)
    }
}

fn run(directory: &Path, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new("git");
    // Where we stand says which repository and work tree is meant, nothing else.
    command
        .current_dir(directory)
        .args(arguments)
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE");
    let out = command
        .stdin(std::process::Stdio::null())
        .output()
        .map_err(|e| Error::undecided(format!("git cannot be started: {e}")))?;
    if out.status.success() {
        return Ok(String::from_utf8_lossy(&out.stdout).into_owned());
    }
    let trailers = String::from_utf8_lossy(&out.stderr);
    let first =
        trailers.lines().find(|l| !l.trim().is_empty() && !l.starts_with("hint:")).unwrap_or("it gave no reason");
    Err(Error::undecided(format!(
        "git {}: {}",
        arguments.iter().find(|a| !a.starts_with('-')).unwrap_or(&""),
        first.trim()
    )))
}
