//! The caches for picks in one repository: trees, edits, blobs and outcomes. Owns reading and writing through object
//! memory; `pick` owns what is done with it.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use bstr::{BStr, BString};

use super::ThreadRepo;
use super::clash::Clash;
use super::tree_edits::{Edit, Leaf, PathLookup, Trees, put};
use crate::error::Result;
use crate::subject::Oid;

/// The outcome of a pick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Picked {
    /// The resulting tree; equal to `ours` if the change is there already.
    Clean(Oid),
    /// At least one conflict, sorted by path.
    Conflict(Vec<Clash>),
}

/// Byte counts of a blob by hash of its lines (or of 64 bytes of a longer line), sorted by hash: see `similarity`.
pub(super) type Spans = Rc<Vec<(u32, u32)>>;

/// Picks onto trees of one repository, with caches for many picks. Writes go to memory; [`super::Write`] stores them.
pub struct Picker<'r> {
    pub(super) local: ThreadRepo<'r>,
    pub(super) trees: Trees,
    edits: RefCell<HashMap<(Option<Oid>, Oid), Rc<Vec<Edit>>>>,
    blobs: RefCell<HashMap<Oid, Rc<Vec<u8>>>>,
    /// Bytes of content in `blobs`.
    blob_bytes: Cell<usize>,
    pub(super) spans: RefCell<HashMap<Oid, Spans>>,
    /// The outcome of each pick, and whether it needed rename detection.
    pub(super) picked: RefCell<HashMap<(Option<Oid>, Oid, Oid), (Rc<Picked>, bool)>>,
    pub(super) rename_detections: Cell<u64>,
    pub(super) merges: Cell<u64>,
}

/// Bytes of blob content after which the blob cache is emptied.
const MAX_BLOB_BYTES: usize = 64 << 20;

impl<'r> Picker<'r> {
    pub fn new(local: &ThreadRepo<'r>) -> Self {
        let mut gix = local.gix.clone().with_object_memory();
        gix.object_cache_size(32 << 20);
        Self {
            local: ThreadRepo { gix, repo: local.repo },
            trees: Trees::default(),
            edits: RefCell::default(),
            blobs: RefCell::default(),
            blob_bytes: Cell::new(0),
            spans: RefCell::default(),
            picked: RefCell::default(),
            rename_detections: Cell::new(0),
            merges: Cell::new(0),
        }
    }

    /// The repository with the objects that this picker has written to memory.
    pub fn repo(&self) -> &ThreadRepo<'r> {
        &self.local
    }

    /// Every path that differs between two trees; `None` is the empty tree. Cached.
    pub fn edits(&self, old: Option<Oid>, new: Oid) -> Result<Rc<Vec<Edit>>> {
        if let Some(edits) = self.edits.borrow().get(&(old, new)) {
            return Ok(Rc::clone(edits));
        }
        let edits = Rc::new(self.trees.diff(&self.local, old, Some(new))?);
        self.edits.borrow_mut().insert((old, new), Rc::clone(&edits));
        Ok(edits)
    }

    /// A file's content. Cached while there is room.
    pub fn blob(&self, id: Oid) -> Result<Rc<Vec<u8>>> {
        if let Some(bytes) = self.blobs.borrow().get(&id) {
            return Ok(Rc::clone(bytes));
        }
        let bytes = Rc::new(self.local.blob(id)?);
        let mut blobs = self.blobs.borrow_mut();
        if self.blob_bytes.get() > MAX_BLOB_BYTES {
            blobs.clear();
            self.blob_bytes.set(0);
        }
        self.blob_bytes.set(self.blob_bytes.get() + bytes.len());
        blobs.insert(id, Rc::clone(&bytes));
        Ok(bytes)
    }

    /// The file, link or submodule under a path.
    pub fn leaf(&self, tree: Oid, path: &BStr) -> Result<Option<Leaf>> {
        Ok(match self.trees.find(&self.local, tree, path)? {
            PathLookup::Leaf(leaf) => Some(leaf),
            _ => None,
        })
    }

    /// Writes a tree with some paths set or removed, to memory.
    pub fn with(&self, tree: Oid, changes: &BTreeMap<BString, Option<Leaf>>) -> Result<Oid> {
        self.trees.set(&self.local, tree, changes)
    }

    /// Writes a blob to memory.
    pub fn make_blob(&self, bytes: &[u8]) -> Result<Oid> {
        put(&self.local.gix, gix::objs::Kind::Blob, bytes)
    }

    pub(super) fn is_directory(&self, tree: Oid, path: &BStr) -> Result<bool> {
        Ok(self.trees.find(&self.local, tree, path)? == PathLookup::Directory)
    }
}
