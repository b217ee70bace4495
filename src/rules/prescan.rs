//! How a check looks at bytes before anybody knows where they stand, so that of very many blobs only those have to be read
//! where they stand in which it could find anything, and of these no more than that. Owns the concept; each check owns
//! what it remembers.

use bstr::BStr;

use crate::error::Result;
use crate::finding::Findings;
use crate::subject::{DeltaResult, File};

/// What a check remembers of bytes, to judge others that were made out of them.
pub trait Sieve: Send + Sync {
    fn whole(&self, bytes: &[u8]) -> Trace;

    /// The same as [`Sieve::whole`] of the bytes made, or more; it reads only what is new, and what is near that.
    fn made(&self, base: &Trace, made: &DeltaResult<'_>) -> Trace;

    /// Whether the check could find anything in bytes with this trace, if they stand under this path.
    fn wants(&self, interest: Interest, path: &BStr) -> bool;

    /// What is worth keeping of a trace until it is known where the bytes stand; `None`: they are checked as ever.
    fn leads(&self, bytes: &[u8], trace: &Trace) -> Option<Seen>;

    /// The same as the check of a file, of bytes that gave these leads.
    fn follow(&self, leads: &Seen, file: &File<'_>, out: &mut Findings<'_>) -> Result<()>;

    /// What that has cost so far.
    fn work(&self) -> Work;
}

/// How much was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Bytes of which nothing was known.
    pub bytes: u64,
    /// Texts that were looked at as wholes.
    pub whole: u64,
}

/// What was seen in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trace {
    /// Of a kind in which the check looks for nothing, wherever it stands.
    Indifferent,
    /// Not looked at: it has to be read where it stands.
    Unread,
    Seen(Seen),
}

impl Trace {
    pub fn interest(&self) -> Interest {
        match self {
            Self::Indifferent => Interest::NONE,
            Self::Unread => Interest::ALL,
            Self::Seen(seen) => {
                let marks = seen.marks.iter().fold(Interest::NONE, |all, mark| all.and(mark.found));
                seen.extents.iter().fold(marks, |all, extent| all.and(extent.found))
            }
        }
    }
}

/// Where under which circumstances a check could find something; what the bits mean is the check's affair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interest(pub u8);

impl Interest {
    pub const NONE: Self = Self(0);
    pub const ALL: Self = Self(0x3f);

    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Everything in a text that a check would look at more closely, and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Sorted by place.
    pub marks: Vec<Mark>,
    /// Sorted by first place.
    pub extents: Vec<Extent>,
}

/// A word, and what was found near it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    pub at: u32,
    /// Its number.
    pub word: u16,
    pub found: Interest,
    /// How many times eight bytes were looked at from its start on.
    pub reach: u8,
}

/// A part of the text that is judged as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Where its first and its last word start.
    pub first: u32,
    pub last: u32,
    /// For what.
    pub what: u16,
    pub found: Interest,
}
