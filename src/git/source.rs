//! Where a change comes from. Owns the description only; `changes` lists what is in it.

use std::path::PathBuf;

use bstr::BString;

use crate::subject::{Oid, Person, Pusher, Update};

/// Where the change to judge comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// Files on disk: tracked ones, and untracked ones that are not ignored; all of them, or those below some paths.
    WorkTree { paths: Vec<PathBuf> },
    /// The index (`GIT_INDEX_FILE` honoured) against HEAD and further parents of the commit to be (`MERGE_HEAD`).
    Index { parents: Vec<Oid> },
    /// A merge about to be committed: the index, and the branch's update.
    Merge { heads: Vec<Oid>, message: BString },
    /// The message of a commit about to be made, cleaned up by blanking. `author`: as git passes it to the hook.
    Message { text: BString, parents: Vec<Oid>, author: Option<Person> },
    /// Ref updates: of a push, or a range or ref as one.
    Push(Push),
    /// Every object that a ref reaches; with `all`, every object in the store.
    History { all: bool },
}

/// Ref updates that are made together.
#[derive(Clone, Debug, Default)]
pub struct Push {
    pub updates: Vec<Update>,
    pub known: Excluded,
    pub pusher: Pusher,
    /// Head ref of the pull request that lands; empty if only the fact is known.
    pub head_ref: Option<BString>,
    /// Prefix of the server's branches here (`refs/remotes/origin/`); `None` on the server itself.
    pub branches_at: Option<String>,
    /// The gate runs on the server: it records the tips of its branches.
    pub on_server: bool,
    /// A user checks existing refs (`check --ref`): nothing is pushed, and earlier states excuse nothing.
    pub asked: bool,
}

impl Push {
    /// Whether the refs are moved now, so that a new one forks from others.
    pub fn is_made_now(&self) -> bool {
        !self.asked && !matches!(self.known, Excluded::Old | Excluded::Commits(_))
    }
}

/// The commits that were there before the change and are not judged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Excluded {
    /// Those that the old ids reach.
    #[default]
    Old,
    /// Those that the old ids and these commits reach.
    Commits(Vec<Oid>),
    /// Those that remote-tracking branches reach, and those that the remote has advertised, if it was asked.
    Tracking(Option<Vec<Oid>>),
    /// Those that branches and tags reach: on a server that has accepted the objects already.
    Refs,
    /// The same, with the new objects in quarantine, which no ref reaches.
    Quarantine,
}
