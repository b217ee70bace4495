//! What a CI platform says about the change that it runs for. Owns the shape and the choice of the platform; each
//! platform's own words are in its file. Pure: variables and event files come in as functions.

use super::woodpecker;
use super::{
    azure, bitbucket, buildkite, circleci, codebuild, drone, github, gitlab, jenkins, semaphore, teamcity, travis,
};
use crate::error::Result;
use crate::subject::Oid;

/// The platforms that are known: the one list, in the order in which they are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// Gitea and Forgejo: they speak GitHub's variables, so they are asked for first.
    Gitea,
    Github,
    Gitlab,
    Bitbucket,
    Azure,
    CircleCi,
    Woodpecker,
    Drone,
    Buildkite,
    Travis,
    CodeBuild,
    Semaphore,
    TeamCity,
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
    let Some(platform) = Platform::ALL.into_iter().find(|p| p.is_running(variable)) else { return Ok(None) };
    Ok(Some(match platform {
        Platform::Gitea | Platform::Github => github::read(platform, variable, read)?,
        Platform::Gitlab => gitlab::read(variable),
        Platform::Bitbucket => bitbucket::read(variable),
        Platform::Azure => azure::read(variable),
        Platform::CircleCi => circleci::read(variable),
        Platform::Woodpecker => woodpecker::read(variable),
        Platform::Drone => drone::read(variable),
        Platform::Buildkite => buildkite::read(variable),
        Platform::Travis => travis::read(variable),
        Platform::CodeBuild => codebuild::read(variable),
        Platform::Semaphore => semaphore::read(variable),
        Platform::TeamCity => teamcity::read(variable),
        Platform::Jenkins => jenkins::read(variable),
    }))
}

impl Change {
    /// A change of which nothing is known but the platform.
    pub fn unknown(platform: Platform) -> Self {
        Self {
            platform,
            since: Since::Untold,
            head: None,
            target: None,
            default_branch: None,
            pull: Pull::default(),
            actor: None,
        }
    }
}

/// The first side of `A...B` or `A..B`, as some platforms tell what is new.
pub fn range_start(range: Option<&str>) -> Option<Oid> {
    id(range.and_then(|r| r.split("..").next()))
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
    pub const ALL: [Self; 14] = [
        Self::Gitea,
        Self::Github,
        Self::Gitlab,
        Self::Bitbucket,
        Self::Azure,
        Self::CircleCi,
        Self::Woodpecker,
        Self::Drone,
        Self::Buildkite,
        Self::Travis,
        Self::CodeBuild,
        Self::Semaphore,
        Self::TeamCity,
        Self::Jenkins,
    ];

    /// Whether the variables are those of this platform.
    fn is_running(self, variable: Variables<'_>) -> bool {
        let is = |name: &str, value: &str| variable(name).is_some_and(|v| v.eq_ignore_ascii_case(value));
        match self {
            Self::Gitea => is("GITEA_ACTIONS", "true") || is("FORGEJO_ACTIONS", "true"),
            Self::Github => is("GITHUB_ACTIONS", "true"),
            Self::Gitlab => is("GITLAB_CI", "true"),
            Self::Bitbucket => variable("BITBUCKET_BUILD_NUMBER").is_some(),
            Self::Azure => is("TF_BUILD", "true"),
            Self::CircleCi => is("CIRCLECI", "true"),
            Self::Woodpecker => is("CI", "woodpecker") || is("CI_SYSTEM_NAME", "woodpecker"),
            Self::Drone => is("DRONE", "true"),
            Self::Buildkite => is("BUILDKITE", "true"),
            Self::Travis => is("TRAVIS", "true"),
            Self::CodeBuild => variable("CODEBUILD_BUILD_ID").is_some(),
            Self::Semaphore => is("SEMAPHORE", "true"),
            Self::TeamCity => variable("TEAMCITY_VERSION").is_some(),
            Self::Jenkins => variable("JENKINS_URL").is_some(),
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Github => "GitHub Actions",
            Self::Gitea => "Gitea or Forgejo Actions",
            Self::Gitlab => "GitLab CI",
            Self::Bitbucket => "Bitbucket Pipelines",
            Self::Azure => "Azure Pipelines",
            Self::CircleCi => "CircleCI",
            Self::Woodpecker => "Woodpecker",
            Self::Drone => "Drone",
            Self::Buildkite => "Buildkite",
            Self::Travis => "Travis CI",
            Self::CodeBuild => "AWS CodeBuild",
            Self::Semaphore => "Semaphore",
            Self::TeamCity => "TeamCity",
            Self::Jenkins => "Jenkins",
        }
    }

    /// How its checkout is told to bring the whole history.
    pub fn full_checkout(self) -> &'static str {
        match self {
            Self::Github | Self::Gitea => "give actions/checkout `with: { fetch-depth: 0 }`",
            Self::Gitlab => "set `variables: { GIT_DEPTH: 0 }` in the job",
            Self::Bitbucket => "set `clone: { depth: full }` in the step",
            Self::Azure => "set `fetchDepth: 0` in the `checkout: self` step",
            Self::CircleCi => "give the checkout step `method: full`",
            Self::Woodpecker => "set `depth: 0` and `partial: false` in the clone step",
            Self::Drone => "set `clone: { depth: 0 }` in the pipeline",
            Self::Buildkite => "take `--depth` out of BUILDKITE_GIT_CLONE_FLAGS and BUILDKITE_GIT_FETCH_FLAGS",
            Self::Travis => "set `git: { depth: false }`",
            Self::CodeBuild => "set the source's `gitCloneDepth: 0`",
            Self::Semaphore => "run `checkout` with SEMAPHORE_GIT_DEPTH unset, then `git fetch --unshallow`",
            Self::TeamCity => "set the VCS root's checkout policy to a full clone",
            Self::Jenkins => "switch shallow clone off in the checkout step (CloneOption, shallow: false)",
        }
    }
}
