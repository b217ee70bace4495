//! The change that a CI platform runs for, in one shape for all platforms. Pure: variables and event files come in as
//! functions.

use super::platform::Platform;
use crate::subject::Oid;

/// A change, as the platform tells it. What is not told is `None`; nothing is guessed here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub platform: &'static Platform,
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

impl Change {
    /// A change of which nothing is known but the platform.
    pub fn unknown(platform: &'static Platform) -> Self {
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
