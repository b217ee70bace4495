//! The job's clone: git as a child process. Owns which commands run, with which credentials, and what their failures
//! mean. Nothing is forced, no history is rewritten; a branch without history is made in an empty remote only.
//!
//! Credentials are a header in the environment of the commands that need the network: in no argument, no file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bstr::{BString, ByteSlice};
use tokio::process::Command;

use super::answer::Answer;
use super::child::{self, Failure, Ran};
use super::message::Change;
use super::remote::Remote;
use super::request::Request;
use super::scrub::{Scrub, Token};

/// Commands that stay on this machine have as long as those over the network at least.
const LOCAL: Duration = Duration::from_secs(120);

/// For every command: nothing of the machine's or the repository's that runs programs or follows links.
const SETTINGS: &[(&str, &str)] = &[
    ("advice.detachedHead", "false"),
    ("commit.gpgSign", "false"),
    ("core.autocrlf", "false"),
    ("core.fsmonitor", "false"),
    ("core.hooksPath", "/dev/null"),
    // A link in the repository must not lead what wmill writes out of the work folder.
    ("core.symlinks", "false"),
    ("credential.helper", ""),
    ("gc.auto", "0"),
    // A server must not send us, and the token, to where nobody looked.
    ("http.followRedirects", "false"),
    ("maintenance.auto", "false"),
    ("submodule.recurse", "false"),
];

/// A remote, and all it takes to talk to it.
pub struct Access<'a> {
    pub remote: Remote,
    /// `host:port:addresses`, as they were checked.
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

/// What a push came to.
pub enum Pushed {
    Done,
    /// The branch is not what it was: start again from what it is now.
    Moved,
}

/// What the remote has.
struct Heads {
    /// The branch that `HEAD` names, if it is there.
    default: Option<String>,
    names: Vec<String>,
    sha256: bool,
}

impl<'a> Repository<'a> {
    /// Asks the remote what it has and brings the tip of each branch, without history.
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

    /// Stands on the branch as the remote has it, or on the default branch if it lacks it, or on nothing.
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

    /// Stages everything, and says what that changes.
    pub async fn stage(&self) -> Result<Vec<(BString, Change)>, Answer> {
        self.local("commit", &["add", "-A"]).await?;
        let args = if self.has_head().await? {
            ["diff-index", "--cached", "--name-status", "--no-renames", "-z", "HEAD"].as_slice()
        } else {
            ["ls-files", "-z"].as_slice()
        };
        let ran = self.local("commit", args).await?;
        let mut words = ran.stdout.split_str("\0").filter(|w| !w.is_empty());
        if args[0] == "ls-files" {
            return Ok(words.map(|path| (path.into(), Change::Added)).collect());
        }
        let mut changes = Vec::new();
        while let (Some(status), Some(path)) = (words.next(), words.next()) {
            let change = match status {
                b"A" => Change::Added,
                b"D" => Change::Removed,
                _ => Change::Changed,
            };
            changes.push((path.into(), change));
        }
        Ok(changes)
    }

    async fn has_head(&self) -> Result<bool, Answer> {
        let command = self.command(&["rev-parse", "-q", "--verify", "HEAD"], &[]);
        let ran = child::run(command, LOCAL).await.map_err(|e| self.failed("commit", e.to_string()))?;
        Ok(ran.succeeded())
    }

    /// Commits what is staged; gives the id.
    pub async fn commit(&self, request: &Request, message: &str) -> Result<String, Answer> {
        let file = self.tree.join(".git/portcullis-message");
        std::fs::write(&file, message).map_err(|e| self.failed("commit", format!("the work folder: {e}")))?;
        let mut command = self.command(&["commit", "-q", "--no-verify", "--cleanup=whitespace", "-F"], &[]);
        command.arg(&file);
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), &request.git_user_name);
            command.env(format!("GIT_{who}_EMAIL"), &request.git_user_email);
        }
        self.finish("commit", child::run(command, LOCAL).await)?;
        let ran = self.local("commit", &["rev-parse", "HEAD"]).await?;
        Ok(ran.stdout.trim().to_str_lossy().into_owned())
    }

    /// Moves the remote's branch forward, or not at all.
    pub async fn push(&self, branch: &str) -> Result<Pushed, Answer> {
        let to = format!("HEAD:refs/heads/{branch}");
        let ran = self.run_network(&["push", "--porcelain", "--no-verify"], &[&to]).await;
        let ran = ran.map_err(|e| self.failed("push", e.to_string()))?;
        if ran.succeeded() {
            return Ok(Pushed::Done);
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
            return Ok(Pushed::Moved);
        }
        let reason = line.rsplit_once('(').map_or(line, |(_, r)| r.trim_end_matches(')'));
        // What the server's hooks say is on the other stream, behind `remote:`.
        let stderr = String::from_utf8_lossy(&ran.stderr).into_owned();
        let hint = stderr.lines().filter_map(|l| l.strip_prefix("remote:")).map(str::trim).find(|l| !l.is_empty());
        let hint = hint.map_or_else(String::new, |h| format!(": {}", self.access.scrub.last_words(h.as_bytes())));
        let reason = self.access.scrub.last_words(reason.as_bytes());
        Err(self.failed("push", format!("rejected by the remote ({reason}){hint}")))
    }

    async fn heads_or_suffixed(&mut self) -> Result<Heads, Answer> {
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

    async fn heads(&self) -> Result<Heads, String> {
        let ran = self.network("pull", &["ls-remote", "--symref"], &["HEAD", "refs/heads/*"]).await?;
        let mut heads = Heads { default: None, names: Vec::new(), sha256: false };
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

    /// Runs a command that stays here; `doing` is what fails with it.
    async fn local(&self, doing: &str, args: &[&str]) -> Result<Ran, Answer> {
        self.finish(doing, child::run(self.command(args, &[]), LOCAL).await)
    }

    fn finish(&self, doing: &str, ran: Result<Ran, Failure>) -> Result<Ran, Answer> {
        match ran {
            Ok(ran) if ran.succeeded() => Ok(ran),
            Ok(ran) => Err(self.failed(doing, self.why(&ran))),
            Err(e) => Err(self.failed(doing, e.to_string())),
        }
    }

    /// Runs a command against the remote; the error is why it failed.
    async fn network(&self, doing: &str, args: &[&str], refs: &[&str]) -> Result<Ran, String> {
        let ran = self.run_network(args, refs).await.map_err(|e| format!("git {doing} {e}"))?;
        if ran.succeeded() { Ok(ran) } else { Err(self.why(&ran)) }
    }

    async fn run_network(&self, args: &[&str], refs: &[&str]) -> Result<Ran, Failure> {
        let place = self.access.remote.place();
        let mut settings =
            vec![(format!("http.{place}/.extraHeader"), format!("Authorization: {}", self.access.header.expose()))];
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
        // Before there is a repository here, none above it counts.
        command.env("GIT_CEILING_DIRECTORIES", self.tree.parent().unwrap_or(&self.tree));
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
        let fixed = SETTINGS.iter().map(|(k, v)| (*k, *v));
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

    /// What git's words mean.
    fn why(&self, ran: &Ran) -> String {
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
            return self.access.scrub.last_words(&ran.stderr);
        };
        known.to_owned()
    }
}

const REDIRECTED: &str = "the remote redirects: give its final address";

/// What the remote had when the clone was opened.
pub struct Start(Heads);
