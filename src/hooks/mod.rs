//! Installing git hooks: where they go, what stands there, what is written, and whether it works.
//! Owns the names of the hooks and everything below the hooks directory; judging is not here: an installed hook
//! becomes `portcullis hook run`. Asks `git` in a subprocess, which no hook does: installing is not a hook path.

pub mod chain;
pub mod config;
pub mod directory;
pub mod doctor;
pub mod host;
pub mod install;
pub mod managers;
pub mod remote;
pub mod server;
pub mod shim;
pub mod slot;
pub mod status;
mod tar;

use std::fmt;

use crate::error::{Error, Result};
use crate::text;

pub use host::Host;
pub use server::Server;

/// A hook that portcullis can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hook {
    PreCommit,
    CommitMsg,
    PreMergeCommit,
    PrePush,
    PreReceive,
    Update,
    ReferenceTransaction,
}

impl Hook {
    pub const ALL: [Self; 7] = [
        Self::PreCommit,
        Self::CommitMsg,
        Self::PreMergeCommit,
        Self::PrePush,
        Self::PreReceive,
        Self::Update,
        Self::ReferenceTransaction,
    ];
    /// What a plain `hook install` puts in place. `reference-transaction` sees fast-forwards too, but runs for every
    /// moved ref: it has to be asked for.
    pub const CLIENT: [Self; 4] = [Self::PreCommit, Self::CommitMsg, Self::PreMergeCommit, Self::PrePush];

    /// Git's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::PreCommit => "pre-commit",
            Self::CommitMsg => "commit-msg",
            Self::PreMergeCommit => "pre-merge-commit",
            Self::PrePush => "pre-push",
            Self::PreReceive => "pre-receive",
            Self::Update => "update",
            Self::ReferenceTransaction => "reference-transaction",
        }
    }

    /// The hook of that name. An unknown one is a usage error that names the nearest.
    pub fn from_name(name: &str) -> Result<Self> {
        if let Some(hook) = Self::ALL.into_iter().find(|h| h.name() == name) {
            return Ok(hook);
        }
        let names = Self::ALL.map(Self::name);
        let error = Error::usage(format!("`{}` is not a hook that portcullis can be", text::sanitise(name.as_bytes())));
        Err(match text::nearest(name, names) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("one of: {}", names.join(", "))),
        })
    }

    /// Whether git writes lines about refs to its standard input.
    pub fn reads_stdin(self) -> bool {
        matches!(self, Self::PrePush | Self::PreReceive | Self::ReferenceTransaction)
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
