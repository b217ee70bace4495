//! The job's clone. Owns which git commands run, with which credentials, and what their failures mean. Never forces a push or
//! rewrites history; creates a branch without history only in an empty remote.
//!
//! Credentials are a header in the environment of commands that need the network, never in an argument or file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bstr::{BString, ByteSlice as _};
use tokio::process::Command;

use super::answer::Answer;
use super::child::{self, ProgramError, ProgramOutput};
use super::message::ItemChange;
use super::remote::Remote;
use super::request::Request;
use super::scrub::{Scrub, Token};

/// Time limit for commands without network access.
const LOCAL_TIMEOUT: Duration = Duration::from_secs(120);

/// Configuration for every command: no programs, no links, and nothing from the machine or the repository.
const GIT_CONFIG: &[(&str, &str)] = &[
    ("advice.detachedHead", "false"),
    ("commit.gpgSign", "false"),
    ("core.autocrlf", "false"),
    ("core.fsmonitor", "false"),
    ("core.hooksPath", "/dev/null"),
    // A link in the repository must not let wmill write outside the work folder.
    ("core.symlinks", "false"),
    ("credential.helper", ""),
    ("gc.auto", "0"),
    // A server must not redirect us, with the token, to an unchecked host.
    ("http.followRedirects", "false"),
    ("maintenance.auto", "false"),
    ("submodule.recurse", "false"),
];

/// A remote and what is needed to access it.
pub struct Access<'a> {
    pub remote: Remote,
    /// The checked addresses: `host:port:addresses`.
    pub pinned: Option<String>,
    /// The value of the `Authorization` header.
    pub header: Token,
    pub limit: Duration,
    pub scrub: &'a Scrub,
}

pub struct Repository<'a> {
    pub tree: PathBuf,
    access: Access<'a>,
}

/// The result of a push.
pub enum PushResult {
    Done,
    /// The branch moved: start again from its new tip.
    Moved,
}

/// The branches of the remote.
struct RemoteHeads {
    /// The branch that `HEAD` names, if it exists.
    default: Option<String>,
    names: Vec<String>,
    sha256: bool,
}

impl<'a> Repository<'a> {
    /// Creates the clone and lists the remote's branches.
    pub async fn open(folder: &Path, access: Access<'a>) -> Result<(Self, Start), Answer> {
        let mut repository = Self { tree: folder.join("tree"), access };
        super::wmill::private_folder(&repository.tree)
            .map_err(|e| Answer::failed(format!("Git pull failed: the work folder: {e}")))?;
        let heads = repository.heads_or_suffixed().await?;
        let format = if heads.sha256 { "sha256" } else { "sha1" };
        let format = format!("--object-format={format}");
        repository.local("pull", &["init", "-q", "--template=", &format, "."]).await?;
        Ok((repository, Start(heads)))
    }

    /// Checks out the remote's branch, else its default branch, else an unborn branch if the remote is empty.
    pub async fn check_out(&self, start: Option<Start>, branch: &str) -> Result<(), Answer> {
        let heads = match start {
            Some(start) => start.0,
            None => self.heads().await.map_err(|why| self.failed("pull", why))?,
        };
        if heads.names.is_empty() {
            tracing::info!("the remote is empty");
            let head = format!("refs/heads/{branch}");
            self.local("pull", &["symbolic-ref", "HEAD", &head]).await?;
            return Ok(());
        }
        let base = match heads.default {
            _ if heads.names.iter().any(|n| n == branch) => branch.to_owned(),
            Some(default) => default,
            None => {
                let why = format!("the remote has neither the branch {branch} nor a default branch to begin it from");
                return Err(Answer::failed(format!("Git pull failed: {why}")));
            }
        };
        self.network(
            "pull",
            &["fetch", "-q", "--depth=1", "--no-tags", "--prune"],
            &["+refs/heads/*:refs/remotes/origin/*"],
        )
        .await
        .map_err(|why| self.failed("pull", why))?;
        let tip = format!("refs/remotes/origin/{base}");
        self.local("pull", &["checkout", "-q", "-f", "--no-track", "-B", branch, &tip, "--"]).await?;
        self.local("pull", &["clean", "-qffdx"]).await?;
        Ok(())
    }

    /// Stages everything and returns the changes.
    pub async fn stage(&self) -> Result<Vec<(BString, ItemChange)>, Answer> {
        self.local("commit", &["add", "-A"]).await?;
        let args = if self.has_head().await? {
            ["diff-index", "--cached", "--name-status", "--no-renames", "-z", "HEAD"].as_slice()
        } else {
            ["ls-files", "-z"].as_slice()
        };
        let ran = self.local("commit", args).await?;
        let mut words = ran.stdout.split_str("\0").filter(|w| !w.is_empty());
        if args[0] == "ls-files" {
            return Ok(words.map(|path| (path.into(), ItemChange::Added)).collect());
        }
        let mut changes = Vec::new();
        while let (Some(status), Some(path)) = (words.next(), words.next()) {
            let change = match status {
                b"A" => ItemChange::Added,
                b"D" => ItemChange::Removed,
                _ => ItemChange::Changed,
            };
            changes.push((path.into(), change));
        }
        Ok(changes)
    }

    async fn has_head(&self) -> Result<bool, Answer> {
        let command = self.command(&["rev-parse", "-q", "--verify", "HEAD"], &[]);
        let ran = child::run(command, LOCAL_TIMEOUT).await.map_err(|e| self.failed("commit", e.to_string()))?;
        Ok(ran.succeeded())
    }

    /// Commits the staged changes and returns the commit's id.
    pub async fn commit(&self, request: &Request, message: &str) -> Result<String, Answer> {
        let file = self.tree.join(".git/portcullis-message");
        std::fs::write(&file, message).map_err(|e| self.failed("commit", format!("the work folder: {e}")))?;
        let mut command = self.command(&["commit", "-q", "--no-verify", "--cleanup=whitespace", "-F"], &[]);
        command.arg(&file);
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), &request.git_user_name);
            command.env(format!("GIT_{who}_EMAIL"), &request.git_user_email);
        }
        self.finish("commit", child::run(command, LOCAL_TIMEOUT).await)?;
        let ran = self.local("commit", &["rev-parse", "HEAD"]).await?;
        Ok(ran.stdout.trim().to_str_lossy().into_owned())
    }

    /// Pushes to the remote's branch, as a fast-forward only.
    pub async fn push(&self, branch: &str) -> Result<PushResult, Answer> {
        let to = format!("HEAD:refs/heads/{branch}");
        let ran = self.run_network(&["push", "--porcelain", "--no-verify"], &[&to]).await;
        let ran = ran.map_err(|e| self.failed("push", e.to_string()))?;
        if ran.succeeded() {
            return Ok(PushResult::Done);
        }
        let text = String::from_utf8_lossy(&ran.stdout).into_owned();
        let Some(line) = text.lines().find(|l| l.starts_with('!')) else {
            return Err(self.failed("push", self.why(&ran)));
        };
        let moved = [
            "fetch first",
            "non-fast-forward",
            "stale info",
            "cannot lock ref",
            "failed to update ref",
            "incorrect old value",
        ];
        if moved.iter().any(|m| line.contains(m)) {
            return Ok(PushResult::Moved);
        }
        let reason = line.rsplit_once('(').map_or(line, |(_, r)| r.trim_end_matches(')'));
        // Messages of the server's hooks are on standard error, after `remote:`.
        let stderr = String::from_utf8_lossy(&ran.stderr).into_owned();
        let hint = stderr.lines().filter_map(|l| l.strip_prefix("remote:")).map(str::trim).find(|l| !l.is_empty());
        let hint = hint.map_or_else(String::new, |h| format!(": {}", self.access.scrub.last_line(h.as_bytes())));
        let reason = self.access.scrub.last_line(reason.as_bytes());
        Err(self.failed("push", format!("rejected by the remote ({reason}){hint}")))
    }

    async fn heads_or_suffixed(&mut self) -> Result<RemoteHeads, Answer> {
        match self.heads().await {
            Ok(heads) => Ok(heads),
            Err(why) if why.starts_with(REDIRECTED) => {
                let Some(remote) = self.access.remote.with_suffix() else { return Err(self.failed("pull", why)) };
                self.access.remote = remote;
                self.heads().await.map_err(|_| self.failed("pull", why))
            }
            Err(why) => Err(self.failed("pull", why)),
        }
    }

    async fn heads(&self) -> Result<RemoteHeads, String> {
        let ran = self.network("pull", &["ls-remote", "--symref"], &["HEAD", "refs/heads/*"]).await?;
        let mut heads = RemoteHeads { default: None, names: Vec::new(), sha256: false };
        let mut named = None;
        for line in String::from_utf8_lossy(&ran.stdout).lines() {
            let Some((what, name)) = line.split_once('\t') else { continue };
            if let (Some(target), "HEAD") = (what.strip_prefix("ref: refs/heads/"), name) {
                named = Some(target.to_owned());
            } else if let Some(name) = name.strip_prefix("refs/heads/") {
                heads.names.push(name.to_owned());
                heads.sha256 |= what.len() == 64;
            }
        }
        heads.default = named.filter(|n| heads.names.contains(n));
        Ok(heads)
    }

    /// Runs a command without network access; `doing` names the failed step in messages.
    async fn local(&self, doing: &str, args: &[&str]) -> Result<ProgramOutput, Answer> {
        self.finish(doing, child::run(self.command(args, &[]), LOCAL_TIMEOUT).await)
    }

    fn finish(&self, doing: &str, ran: Result<ProgramOutput, ProgramError>) -> Result<ProgramOutput, Answer> {
        match ran {
            Ok(ran) if ran.succeeded() => Ok(ran),
            Ok(ran) => Err(self.failed(doing, self.why(&ran))),
            Err(e) => Err(self.failed(doing, e.to_string())),
        }
    }

    /// Runs a command against the remote; the error is the reason of the failure.
    async fn network(&self, doing: &str, args: &[&str], refs: &[&str]) -> Result<ProgramOutput, String> {
        let ran = self.run_network(args, refs).await.map_err(|e| format!("git {doing} {e}"))?;
        if ran.succeeded() { Ok(ran) } else { Err(self.why(&ran)) }
    }

    async fn run_network(&self, args: &[&str], refs: &[&str]) -> Result<ProgramOutput, ProgramError> {
        let origin = self.access.remote.origin();
        let mut settings =
            vec![(format!("http.{origin}/.extraHeader"), format!("Authorization: {}", self.access.header.expose()))];
        settings.extend(self.access.pinned.iter().map(|p| ("http.curloptResolve".to_owned(), p.clone())));
        let mut command = self.command(args, &settings);
        command.arg("--").arg(self.access.remote.to_string()).args(refs);
        command.env("GIT_ALLOW_PROTOCOL", self.access.remote.scheme());
        child::run(command, self.access.limit).await
    }

    fn command(&self, args: &[&str], more: &[(String, String)]) -> Command {
        let mut command = child::program("git", &self.tree, None);
        command.args(args);
        command.env("LC_ALL", "C").env("GIT_TERMINAL_PROMPT", "0").env("GIT_ASKPASS", "/bin/false");
        // Do not use a repository above before this one exists.
        command.env("GIT_CEILING_DIRECTORIES", self.tree.parent().unwrap_or(&self.tree));
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
        let fixed = GIT_CONFIG.iter().map(|(k, v)| (*k, *v));
        let settings: Vec<(&str, &str)> = fixed.chain(more.iter().map(|(k, v)| (k.as_str(), v.as_str()))).collect();
        command.env("GIT_CONFIG_COUNT", settings.len().to_string());
        for (n, (key, value)) in settings.into_iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{n}"), key).env(format!("GIT_CONFIG_VALUE_{n}"), value);
        }
        command
    }

    fn failed(&self, doing: &str, why: String) -> Answer {
        tracing::warn!(doing, why, "git failed");
        Answer::failed(format!("Git {doing} failed: {why}"))
    }

    /// Explains git's error output.
    fn why(&self, ran: &ProgramOutput) -> String {
        let text = String::from_utf8_lossy(&ran.stderr);
        let says = |words: &[&str]| words.iter().any(|w| text.contains(w));
        let known = if says(&[
            "Authentication failed",
            "could not read Username",
            "could not read Password",
            "error: 401",
            "error: 403",
        ]) {
            "authentication error"
        } else if says(&["from redirection", "error: 301", "error: 302", "error: 307", "error: 308"]) {
            REDIRECTED
        } else if says(&["not found", "does not appear to be a git repository", "does not exist"]) {
            "repository not found"
        } else if says(&["certificate", "SSL"]) {
            "the remote's certificate is not trusted"
        } else if says(&["Could not resolve", "Failed to connect", "Couldn't connect", "refused", "timed out", "reset"])
        {
            "network error"
        } else {
            return self.access.scrub.last_line(&ran.stderr);
        };
        known.to_owned()
    }
}

const REDIRECTED: &str = "the remote redirects: use its final address";

/// The remote's branches when the clone was created.
pub struct Start(RemoteHeads);
