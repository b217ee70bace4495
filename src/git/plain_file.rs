//! Reads one file at the top of a commit's tree if it is a plain file, as a policy has to be.

use bstr::BStr;

use super::{ThreadRepo, gix_id, unreadable};
use crate::error::Result;
use crate::plain_file::{DIRECTORY, LINK, Limit, PlainFile};
use crate::subject::Oid;

impl ThreadRepo<'_> {
    /// The file of that name, if there is exactly one and it is no longer than the limit.
    pub fn plain_file_at(&self, commit: Oid, name: &BStr, limit: Limit) -> Result<PlainFile> {
        let tree = self.tree_of(commit)?;
        if gix_id(tree).is_empty_tree() {
            return Ok(PlainFile::Absent);
        }
        let mut named = self.tree_entries(tree)?.into_iter().filter(|entry| entry.name == name);
        let Some(entry) = named.next() else { return Ok(PlainFile::Absent) };
        if named.next().is_some() {
            // Without fsck git accepts such a tree, and readers differ in which of the two entries they use.
            return Ok(PlainFile::Refused("there twice"));
        }
        if entry.mode.is_blob() {
            let header = self.gix.find_header(gix_id(entry.id));
            let length = header.map_err(unreadable(format_args!("object {} cannot be read", entry.id)))?.size();
            return if length > limit.bytes {
                Ok(PlainFile::Refused(limit.exceeded))
            } else {
                Ok(limit.of(self.blob(entry.id)?))
            };
        }
        Ok(PlainFile::Refused(match entry.mode {
            mode if mode.is_link() => LINK,
            mode if mode.is_commit() => "a submodule",
            _ => DIRECTORY,
        }))
    }
}
