//! What a CI platform says about the change that it runs for. Owns the shape and the choice of the platform; each
//! platform's own words are in its file. Pure: variables and event files come in as functions.

use super::{bitbucket, github, gitlab, jenkins};
use crate::error::Result;
use crate::subject::Oid;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    Github,
    /// Gitea and Forgejo: they speak GitHub's variables.
    Gitea,
    Gitlab,
    Bitbucket,
    Jenkins,
}

/// A change, as the platform tells it. What is not told is `None`; nothing is guessed here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub platform: Platform,
    pub since: Since,
    /// What the platform runs for; `None`: what is checked out.
    pub head: Option<Oid>,
    /// Full name of the ref that moves. For a pull request: its target branch.
    pub target: Option<String>,
    /// Short name.
    pub default_branch: Option<String>,
    pub pull: Pull,
    /// The account that started the run.
    pub actor: Option<String>,
}

/// What stood before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// The target branch of a pull request, at this commit where the platform says which.
    Target(Option<Oid>),
    /// The ref named this.
    Before(Oid),
    /// The ref is new.
    New,
    /// The platform does not say.
    Untold,
    /// Nothing moves: a schedule, a button.
    Standing,
}

/// What is told of the pull request that is to land.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pull {
    /// Tip of the pull request's own branch.
    pub head: Option<Oid>,
    /// Short name of that branch.
    pub head_ref: Option<String>,
    pub title: Option<String>,
}

/// Looks up a variable; empty ones are absent.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;
/// Reads the event's file.
pub type Files<'a> = &'a dyn Fn(&str) -> Result<Vec<u8>>;

/// The change that this process runs for; `None` outside every platform that we know.
pub fn detect(variable: Variables<'_>, read: Files<'_>) -> Result<Option<Change>> {
    let is_true = |name: &str| variable(name).is_some_and(|v| v == "true");
    if is_true("GITEA_ACTIONS") || is_true("FORGEJO_ACTIONS") {
        return github::read(Platform::Gitea, variable, read).map(Some);
    }
    if is_true("GITHUB_ACTIONS") {
        return github::read(Platform::Github, variable, read).map(Some);
    }
    if is_true("GITLAB_CI") {
        return Ok(Some(gitlab::read(variable)));
    }
    if variable("BITBUCKET_BUILD_NUMBER").is_some() {
        return Ok(Some(bitbucket::read(variable)));
    }
    if variable("JENKINS_URL").is_some() {
        return Ok(Some(jenkins::read(variable)));
    }
    Ok(None)
}

/// An object id as platforms write it: zeroes and empty words stand for none.
pub fn id(word: Option<&str>) -> Option<Oid> {
    word.and_then(|w| Oid::from_hex(w.as_bytes())).filter(|o| !o.is_null())
}

/// Full name of a branch.
pub fn branch(short: Option<String>) -> Option<String> {
    short.map(|b| format!("refs/heads/{b}"))
}

impl Platform {
    pub fn name(self) -> &'static str {
        match self {
            Self::Github => "GitHub Actions",
            Self::Gitea => "Gitea or Forgejo Actions",
            Self::Gitlab => "GitLab CI",
            Self::Bitbucket => "Bitbucket Pipelines",
            Self::Jenkins => "Jenkins",
        }
    }

    /// How its checkout is told to bring the whole history.
    pub fn full_checkout(self) -> &'static str {
        match self {
            Self::Github | Self::Gitea => "give actions/checkout `with: { fetch-depth: 0 }`",
            Self::Gitlab => "set `variables: { GIT_DEPTH: 0 }` in the job",
            Self::Bitbucket => "set `clone: { depth: full }` in the step",
            Self::Jenkins => "switch shallow clone off in the checkout step (CloneOption, shallow: false)",
        }
    }
}
