//! Where the policy of a laptop or a CI run is: the file the user names, a commit's, or the work tree's. A server's
//! trusted policy is `hook::run::server`'s.

use std::path::{Path, PathBuf};

use crate::cli::JudgeArgs;
use crate::command::policy_file::{self, POLICY_FILE};
use crate::error::{Error, Result};
use crate::git::Repo;
use crate::options::PolicyFile;

pub struct PolicySource<'a> {
    pub repo: Option<&'a Repo>,
    /// Where the user stands.
    pub directory: &'a Path,
    pub args: &'a JudgeArgs,
}

impl PolicySource<'_> {
    /// The policy's files, and what the command line says on top of them.
    pub fn files(&self) -> Result<Vec<PolicyFile>> {
        let mut files = self.written()?;
        if self.args.binary {
            files.push(PolicyFile::new("--binary", "version: 1\nrules: { secrets: { binary: true } }\n"));
        }
        Ok(files)
    }

    /// Whether the policy can be part of the change that is judged.
    pub fn is_judged_too(&self) -> bool {
        self.args.policy.is_none() && self.args.policy_from.is_none()
    }

    /// The file that the policy stands in, or would stand in.
    fn path(&self) -> PathBuf {
        match (&self.args.policy, self.repo) {
            (Some(file), _) => self.directory.join(file),
            (None, Some(repo)) => repo.workdir().map_or_else(|| repo.git_dir(), Path::to_owned).join(POLICY_FILE),
            (None, None) => self.directory.join(POLICY_FILE),
        }
    }

    fn written(&self) -> Result<Vec<PolicyFile>> {
        if let (Some(revision), Some(repo)) = (&self.args.policy_from, self.repo) {
            let local = repo.thread_local();
            let commit = local.commit_named(revision)?;
            return policy_file::at_revision(&local, commit, revision);
        }
        let shown = self.args.policy.as_deref().unwrap_or(Path::new(POLICY_FILE));
        let untrusted = policy_file::untrusted(self.repo, self.directory);
        let files = policy_file::with_baseline(&self.path(), shown, &untrusted)?;
        let is_there = files.iter().any(|file| !file.is_baseline);
        match &self.args.policy {
            Some(_) if !is_there => Err(Error::usage(format!("the policy {} is not there", shown.display()))),
            // A bare repository, or nobody wrote a policy: what HEAD has counts, else the built-in defaults.
            None if files.is_empty() => self.at_head(),
            _ => Ok(files),
        }
    }

    /// Where the policy stands, or would stand, and its baseline as the user knows it.
    pub fn acceptance_files(&self) -> (PathBuf, PathBuf) {
        let shown = self.args.policy.as_deref().unwrap_or(Path::new(POLICY_FILE));
        (self.path(), policy_file::baseline_of(shown))
    }

    fn at_head(&self) -> Result<Vec<PolicyFile>> {
        let Some(repo) = self.repo.filter(|r| r.workdir().is_none()) else { return Ok(Vec::new()) };
        let local = repo.thread_local();
        let Some(head) = local.head()? else { return Ok(Vec::new()) };
        policy_file::at_revision(&local, head, "HEAD")
    }
}
