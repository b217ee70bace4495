//! What stops a run from giving a verdict. Owns the two kinds of "no answer": the user asked wrongly, or
//! something could not be read. A violation is never an error: that is a [`crate::finding::Finding`].

use std::fmt;
use std::path::Path;

/// Why there is no verdict; decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The command line or the policy is wrong (exit code 2).
    Usage,
    /// Something needed for the verdict could not be seen: a shallow clone, a missing ref, an unreadable
    /// object, a spent budget (exit code 3).
    Undecided,
}

/// One sentence on what went wrong, and one on what to do about it.
#[derive(Clone, Debug)]
pub struct Error {
    pub kind: Kind,
    /// A full sentence without a full stop. May quote paths and ref names; renderers sanitise it.
    pub message: String,
    /// The next step: a command to paste where there is one.
    pub hint: Option<String>,
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub fn usage(message: impl Into<String>) -> Self {
        Self { kind: Kind::Usage, message: message.into(), hint: None }
    }

    pub fn undecided(message: impl Into<String>) -> Self {
        Self { kind: Kind::Undecided, message: message.into(), hint: None }
    }

    /// No repository at a place or above it, in git's own words.
    pub fn no_repository(directory: &Path) -> Self {
        Self::undecided(format!("not a git repository: {}", directory.display()))
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says what was being done, in front of what failed: `cannot read x: permission denied`.
    pub fn while_doing(mut self, what: impl fmt::Display) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
