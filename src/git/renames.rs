//! Rename detection for a pick: one side renamed a file that the other side changed. Applies the change to the new path
//! if there is only one candidate; everything else is a conflict.

use std::collections::BTreeMap;

use bstr::{BStr, BString, ByteSlice as _};

use super::clash::{Clash, ClashKind};
use super::picker::Picker;
use super::similarity::{RenameTarget, rename_target};
use super::tree_edits::{Edit, Leaf};
use crate::error::Result;
use crate::subject::Oid;

/// The two sides of a pick, as edits against its base.
pub(super) struct Renames<'p, 'r> {
    pub picker: &'p Picker<'r>,
    pub ours: Oid,
    pub our_edits: &'p [Edit],
    pub their_edits: &'p [Edit],
}

impl Renames<'_, '_> {
    /// Resolves the conflicts that renames explain into `take`, and returns the others.
    pub fn resolve(&self, clashes: Vec<Clash>, take: &mut BTreeMap<BString, Option<Leaf>>) -> Result<Vec<Clash>> {
        let mut left = Vec::new();
        for clash in clashes {
            let resolved = match (clash.kind, clash.base, clash.ours, clash.theirs) {
                (ClashKind::Missing, Some(base), None, Some(theirs)) => self.moved_by_us(&clash, base, theirs)?,
                (ClashKind::Changed, Some(base), Some(ours), None) => self.moved_by_them(&clash, base, ours)?,
                _ => None,
            };
            match resolved {
                // If two files would get the same path, the rename is not certain.
                Some((path, leaf)) if self.is_free(take, &path, clash.kind) => {
                    if clash.kind == ClashKind::Changed {
                        take.insert(clash.path.clone(), None);
                    }
                    take.insert(path, Some(leaf));
                }
                _ => left.push(clash),
            }
        }
        Ok(left)
    }

    /// Whether nothing else of the pick sets `path`: for a rename by us, the pick must not touch it; for one by them, it
    /// is added in `take` as they have it.
    fn is_free(&self, take: &BTreeMap<BString, Option<Leaf>>, path: &BString, kind: ClashKind) -> bool {
        match kind {
            ClashKind::Missing => !take.contains_key(path) && !self.their_edits.iter().any(|e| e.path == *path),
            _ => self.their_edits.iter().any(|e| e.path == *path && take.get(path) == Some(&e.new)),
        }
    }

    fn moved_by_us(&self, clash: &Clash, base: Leaf, theirs: Leaf) -> Result<Option<(BString, Leaf)>> {
        let RenameTarget::To(edit) = rename_target(self.picker, self.our_edits, clash.path.as_ref(), base)? else {
            return Ok(None);
        };
        let Some(ours) = edit.new else { return Ok(None) };
        Ok(self.content(edit.path.as_ref(), base, ours, theirs)?.map(|leaf| (edit.path.clone(), leaf)))
    }

    fn moved_by_them(&self, clash: &Clash, base: Leaf, ours: Leaf) -> Result<Option<(BString, Leaf)>> {
        let RenameTarget::To(edit) = rename_target(self.picker, self.their_edits, clash.path.as_ref(), base)? else {
            return Ok(None);
        };
        let Some(theirs) = edit.new else { return Ok(None) };
        Ok(self.content(edit.path.as_ref(), base, ours, theirs)?.map(|leaf| (edit.path.clone(), leaf)))
    }

    fn content(&self, path: &BStr, base: Leaf, ours: Leaf, theirs: Leaf) -> Result<Option<Leaf>> {
        if ![base, ours, theirs].iter().all(|l| l.is_file()) {
            return Ok(None);
        }
        Ok(self.picker.merge_files(self.ours, path, base, ours, theirs)?.ok())
    }

    /// Whether a file that both sides removed was renamed by neither, or to the same path by both.
    pub fn both_removed(&self, path: &BStr, base: Leaf) -> Result<bool> {
        let (by_us, by_them) = (
            rename_target(self.picker, self.our_edits, path, base)?,
            rename_target(self.picker, self.their_edits, path, base)?,
        );
        Ok(match (by_us, by_them) {
            (RenameTarget::None, RenameTarget::None) => true,
            (RenameTarget::To(a), RenameTarget::To(b)) => a.path == b.path && a.new == b.new,
            _ => false,
        })
    }

    /// Whether no file that one side (its edits) removed from `directory` was renamed.
    pub fn nothing_moved_from(&self, directory: &BStr, side: &[Edit]) -> Result<bool> {
        for edit in side.iter().filter(|e| e.new.is_none() && is_below(e.path.as_bstr(), directory)) {
            let Some(old) = edit.old else { continue };
            if rename_target(self.picker, side, edit.path.as_ref(), old)? != RenameTarget::None {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub fn we_added_below(&self, directory: &BStr) -> bool {
        self.our_edits.iter().any(|e| e.old.is_none() && is_below(e.path.as_bstr(), directory))
    }
}

fn is_below(path: &BStr, directory: &BStr) -> bool {
    path.strip_prefix(directory.as_bytes()).is_some_and(|rest| rest.starts_with(b"/"))
}
