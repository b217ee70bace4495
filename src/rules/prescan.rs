//! The prescan of a file check: what it can tell from a blob's bytes before anyone knows under which paths the blob
//! occurs. History holds far more blobs than anyone wants to look up by path, so only those in which the check could
//! find something are checked, and of these only the hotspots. Owns the trait and the state that it passes on from a
//! delta's base to its result; each check owns what the state means.

use bstr::BStr;

use crate::error::Result;
use crate::finding::Findings;
use crate::subject::{DeltaResult, File};

/// Scans blobs without their paths, and a delta's result from the state of its base.
pub trait Prescan: Send + Sync {
    /// Scans a whole content.
    fn scan(&self, bytes: &[u8]) -> PrescanState;

    /// Scans the result of a delta, reading only what is new and what is near that. Finds at least what
    /// [`Prescan::scan`] of the result finds.
    fn scan_delta(&self, base: &PrescanState, delta: &DeltaResult<'_>) -> PrescanState;

    /// Whether the check could find anything in a content with a match in these kinds of file, under this path.
    fn needs_check(&self, kinds: FileKindSet, path: &BStr) -> bool;

    /// The part of a state that is worth keeping until the paths are known; `None`: the whole file has to be checked.
    fn hotspots(&self, bytes: &[u8], state: &PrescanState) -> Option<TextScan>;

    /// Checks a file as the check itself does, reading only near its hotspots.
    fn check_hotspots(&self, hotspots: &TextScan, file: &File<'_>, out: &mut Findings<'_>) -> Result<()>;

    /// The work done so far.
    fn work(&self) -> Work;
}

/// How much a prescan has read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Bytes scanned, without those whose state was taken over from a base.
    pub bytes: u64,
    /// Contents that were scanned from the first byte to the last.
    pub whole: u64,
}

/// The result of a prescan, and what the scan of a delta on these bytes needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrescanState {
    /// Of a kind in which the check finds nothing under any path.
    Ignored,
    /// Not scanned: the file has to be checked.
    Unread,
    Text(TextScan),
}

impl PrescanState {
    /// The kinds of file in which the check could find something in these bytes.
    pub fn kinds(&self) -> FileKindSet {
        match self {
            Self::Ignored => FileKindSet::NONE,
            Self::Unread => FileKindSet::ALL,
            Self::Text(scan) => {
                let keywords = scan.keywords.iter().fold(FileKindSet::NONE, |all, hit| all.union(hit.found));
                scan.extents.iter().fold(keywords, |all, extent| all.union(extent.found))
            }
        }
    }
}

/// Bit set: the file kinds in which a match is possible. The check gives each bit its meaning; there are six of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileKindSet(pub u8);

impl FileKindSet {
    pub const NONE: Self = Self(0);
    pub const ALL: Self = Self(0x3f);

    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Every part of a text that the check would look at more closely, each with what it found there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextScan {
    /// Sorted by offset.
    pub keywords: Vec<KeywordHit>,
    /// Sorted by their first offset.
    pub extents: Vec<Extent>,
}

/// A keyword in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeywordHit {
    /// Byte offset of its start.
    pub at: u32,
    /// The keyword's number.
    pub word: u16,
    /// The file kinds in which something near it matches.
    pub found: FileKindSet,
    /// How far the check read from its start on, in units of eight bytes.
    pub reach: u8,
}

/// A part of the text, from one keyword to another, that is checked as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Byte offset at which its first keyword starts.
    pub first: u32,
    /// Byte offset at which its last keyword starts.
    pub last: u32,
    /// The number of the detector or form that it is checked for.
    pub what: u16,
    pub found: FileKindSet,
}
