//! Where a change comes from. Owns the description only; `changes` reads it.

use std::path::PathBuf;

use bstr::BString;

use crate::subject::{Oid, Person, Pusher};

/// What is to be judged.
#[derive(Clone, Debug)]
pub enum Source {
    /// Files on disk: everything tracked, and untracked that is not ignored; or only what lies under some paths.
    WorkTree { paths: Vec<PathBuf> },
    /// The index that git names against HEAD and further parents of the commit to be (`MERGE_HEAD`).
    Index { parents: Vec<Oid> },
    /// A merge about to be committed: the index, and the branch as the merge will leave it.
    Merge { heads: Vec<Oid>, message: BString },
    /// One message about to become a commit; already cleaned up by blanking.
    /// `author`: as git names it to the hook.
    Message { text: BString, parents: Vec<Oid>, author: Option<Person> },
    /// Refs that move: a push, a range, a ref.
    Push(Push),
    /// Every object reachable from any ref; `all`: every object in the store.
    History { all: bool },
}

/// Refs that move together.
#[derive(Clone, Debug, Default)]
pub struct Push {
    pub updates: Vec<Update>,
    pub known: Excluded,
    pub pusher: Pusher,
    /// Head ref of the pull request that lands; empty where only the fact is known.
    pub head_ref: Option<BString>,
    /// Prefix under which the server's branches are known here (`refs/remotes/origin/`); `None` on the server itself.
    pub branches_at: Option<String>,
    /// The gate is the server's: what it learns of its branches is kept there.
    pub on_server: bool,
    /// A user asks about refs as they are: nothing is pushed, and what was there before excuses nothing.
    pub asked: bool,
}

impl Push {
    /// Whether the refs move now, so that a new one began where others stand.
    pub fn is_made_now(&self) -> bool {
        !self.asked && !matches!(self.known, Excluded::Old | Excluded::Commits(_))
    }
}

/// One ref's move. Both ids absent: nothing to judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// Full name, or whatever the user called it.
    pub name: BString,
    pub old: Option<Oid>,
    pub new: Option<Oid>,
}

/// What was there before the change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Excluded {
    /// What the old ids reach, and nothing else.
    #[default]
    Old,
    /// What the old ids and these commits reach.
    Commits(Vec<Oid>),
    /// What remote-tracking branches reach, and what the remote says it has, where it was asked.
    Tracking(Option<Vec<Oid>>),
    /// What branches and tags reach: a server that has accepted the objects already.
    Refs,
    /// The same; what waits in the quarantine is on none of them.
    Quarantine,
}
