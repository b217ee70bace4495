//! Conflicts of a pick, by path.

use bstr::BString;

use super::lines::Overlap;
use super::tree_edits::Leaf;

/// A path at which a pick conflicts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    pub path: BString,
    pub kind: ClashKind,
    /// The conflicting lines, for [`ClashKind::Content`].
    pub overlaps: Vec<Overlap>,
    pub base: Option<Leaf>,
    pub ours: Option<Leaf>,
    pub theirs: Option<Leaf>,
}

/// How two changes of a path conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ClashKind {
    /// Both changed the same lines.
    Content,
    /// The picked commit changes a file that is missing.
    Missing,
    /// The picked commit removes a file that has changed.
    Changed,
    /// Both added the path, differently.
    BothAdded,
    /// Both changed a file without lines: binary, link, submodule.
    Binary,
    /// A file is where a directory has to be, or the reverse.
    Directory,
    /// `.gitattributes` sets a merge driver or strategy for the path, which is not run here.
    Attribute,
    /// A rename on one side may involve what the other side changed.
    Rename,
}

impl Clash {
    /// A conflict that only rename detection could resolve.
    pub(super) fn rename(path: BString) -> Self {
        Self { path, kind: ClashKind::Rename, overlaps: Vec::new(), base: None, ours: None, theirs: None }
    }
}
