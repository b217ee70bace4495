//! Brings what a shallow or narrow checkout lacks, with the git that made it: the one command that may, because a
//! runner's checkout is thrown away. Nothing that git says is repeated, for a remote's address may hold a token.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::git::Repo;
use crate::subject::Oid;

/// A checkout and the remote that it came from.
pub struct Checkout {
    directory: PathBuf,
    pub remote: String,
}

impl Checkout {
    /// `None`: there is no remote to ask, or no git to ask it with.
    pub fn of(repo: &Repo) -> Option<Self> {
        let directory = repo.workdir().map_or_else(|| repo.git_dir(), ToOwned::to_owned);
        let mut checkout = Self { directory, remote: "origin".into() };
        let remotes = checkout.output(&["remote"], None)?;
        if !remotes.lines().any(|r| r == checkout.remote) {
            checkout.remote = remotes.lines().next()?.to_owned();
        }
        Some(checkout)
    }

    /// Brings the whole history of these refs and every tag, without the content of old files.
    pub fn unshallow(&self, branches: &[String]) -> bool {
        self.fetch(&["--filter=blob:none", "--unshallow", "--tags", "--force"], &self.refspecs(branches))
            // One of the branches may be gone; the history is what matters.
            || self.fetch(&["--filter=blob:none", "--unshallow", "--tags", "--force"], &[])
    }

    /// Brings branches to where remotes' branches are kept.
    pub fn branches(&self, branches: &[String]) -> bool {
        branches.is_empty() || self.fetch(&self.filter(), &self.refspecs(branches))
    }

    /// The short name of the remote's default branch, as the remote says.
    pub fn default_branch(&self) -> Option<String> {
        let told = self.output(&["ls-remote", "--symref", &self.remote, "HEAD"], None)?;
        let line = told.lines().find_map(|l| l.strip_prefix("ref: refs/heads/"))?;
        line.split_whitespace().next().map(str::to_owned)
    }

    /// Brings the true tags: some checkouts write a tag's commit where its tag object should be.
    pub fn tags(&self) -> bool {
        self.fetch(&[&self.filter()[..], &["--force"]].concat(), &["+refs/tags/*:refs/tags/*".into()])
    }

    /// Brings one object by its id.
    pub fn object(&self, id: Oid) -> bool {
        self.fetch(&self.filter(), &[id.to_string()])
    }

    /// In a checkout without old content: brings the files that `new` has over `old`, and those of some snapshots.
    pub fn content(&self, new: &[Oid], old: &[Oid], snapshots: &[Oid]) -> bool {
        if !self.is_partial() {
            return true;
        }
        let words = |ids: &[Oid]| ids.iter().map(Oid::to_string).collect::<Vec<_>>();
        let list = |more: &[&str], wanted: Vec<String>| {
            let missing = ["rev-list", "--objects", "--no-object-names", "--missing=print"];
            let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
            self.output(&[&missing[..], more, &wanted, &["--"]].concat(), None)
        };
        let range = [words(new), old.iter().map(|o| format!("^{o}")).collect()].concat();
        let (Some(range), Some(standing)) = (list(&[], range), list(&["--no-walk"], words(snapshots))) else {
            return false;
        };
        let mut missing: Vec<&str> =
            range.lines().chain(standing.lines()).filter_map(|l| l.strip_prefix('?')).collect();
        missing.sort_unstable();
        missing.dedup();
        // As git itself asks for what a partial clone lacks.
        let ask = [
            "-c",
            "fetch.negotiationAlgorithm=noop",
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--recurse-submodules=no",
            "--filter=blob:none",
            "--stdin",
            &self.remote,
        ];
        missing.is_empty() || self.output(&ask, Some(missing.join("\n") + "\n")).is_some()
    }

    fn is_partial(&self) -> bool {
        let promisor = format!("remote.{}.promisor", self.remote);
        self.output(&["config", "--type=bool", &promisor], None).is_some_and(|v| v.trim() == "true")
    }

    fn filter(&self) -> Vec<&'static str> {
        if self.is_partial() { vec!["--filter=blob:none"] } else { Vec::new() }
    }

    fn refspecs(&self, branches: &[String]) -> Vec<String> {
        branches.iter().map(|b| format!("+refs/heads/{b}:refs/remotes/{}/{b}", self.remote)).collect()
    }

    fn fetch(&self, options: &[&str], refspecs: &[String]) -> bool {
        let mut words = vec!["fetch", "--quiet", "--no-recurse-submodules"];
        words.extend(options);
        words.push(&self.remote);
        words.extend(refspecs.iter().map(String::as_str));
        self.output(&words, None).is_some()
    }

    /// Standard output of a git that succeeded.
    fn output(&self, words: &[&str], input: Option<String>) -> Option<String> {
        let mut git = Command::new("git")
            .args(words)
            .current_dir(&self.directory)
            // Nobody is there to be asked.
            .env("GIT_TERMINAL_PROMPT", "0")
            // A list of what is missing must not bring it object by object.
            .env("GIT_NO_LAZY_FETCH", "1")
            .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        if let (Some(mut stdin), Some(text)) = (git.stdin.take(), input) {
            // A git that reads no further says why by its exit code.
            let _ = stdin.write_all(text.as_bytes());
        }
        let done = git.wait_with_output().ok()?;
        done.status.success().then(|| String::from_utf8_lossy(&done.stdout).into_owned())
    }
}
