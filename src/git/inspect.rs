//! Passes commits, tags and trees of a push to a caller as they are stored. Owns that each commit and tag is passed
//! once; a tree is passed under every path at which the listing opens it.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use bstr::BStr;

use super::ThreadRepo;
use crate::error::Result;
use crate::subject::{Object, ObjectKind, Oid};

/// Called with every new object, on any thread.
pub struct Inspector<'a> {
    show: &'a (dyn Fn(&Object<'_>) + Sync),
    shown: Mutex<HashSet<Oid>>,
}

impl<'a> Inspector<'a> {
    pub fn new(show: &'a (dyn Fn(&Object<'_>) + Sync)) -> Self {
        Self { show, shown: Mutex::default() }
    }

    /// Passes a tree that the listing opened. `before`: the tree under the same path in each parent that has one.
    pub(super) fn tree(&self, id: Oid, bytes: &[u8], path: &BStr, before: &[&[u8]]) {
        self.is_first(id);
        (self.show)(&Object { id, kind: ObjectKind::Tree, bytes, path, before });
    }

    /// Reads and passes an object, unless it was passed before. Its path is not known.
    pub(super) fn read(&self, local: &ThreadRepo<'_>, id: Oid) -> Result<()> {
        if self.is_first(id) {
            let (kind, bytes) = local.object(id)?;
            (self.show)(&Object { id, kind: kind.into(), bytes: &bytes, path: BStr::new(""), before: &[] });
        }
        Ok(())
    }

    fn is_first(&self, id: Oid) -> bool {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).insert(id)
    }
}
