//! The three-way merge of one file: mode, and content line by line.

use bstr::BStr;

use super::attributes;
use super::clash::ClashKind;
use super::lines::{self, Overlap};
use super::picker::Picker;
use super::tree_edits::Leaf;
use crate::error::Result;
use crate::subject::Oid;

impl Picker<'_> {
    /// Merges one file's content and mode, or says how they conflict. `tree`: the one that is merged onto.
    pub(super) fn merge_files(
        &self,
        tree: Oid,
        path: &BStr,
        base: Leaf,
        ours: Leaf,
        theirs: Leaf,
    ) -> Result<std::result::Result<Leaf, (ClashKind, Vec<Overlap>)>> {
        let mode = if ours.mode == base.mode { theirs.mode } else { ours.mode };
        let id = if ours.id == base.id || ours.id == theirs.id {
            theirs.id
        } else if theirs.id == base.id {
            ours.id
        } else {
            if attributes::has_merge_attribute(self, tree, path)? {
                return Ok(Err((ClashKind::Attribute, Vec::new())));
            }
            let (old, mine, other) = (self.blob(base.id)?, self.blob(ours.id)?, self.blob(theirs.id)?);
            if [&old, &mine, &other].iter().any(|b| lines::is_binary(b)) {
                return Ok(Err((ClashKind::Binary, Vec::new())));
            }
            match lines::merge(&old, &mine, &other) {
                Ok(merged) => self.make_blob(&merged)?,
                Err(overlaps) => return Ok(Err((ClashKind::Content, overlaps))),
            }
        };
        Ok(Ok(Leaf { mode, id }))
    }
}
