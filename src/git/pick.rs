//! One pick: the change from `base` to `theirs` carried onto `ours`, as a three-way merge of trees in object memory.
//! First path by path, which costs microseconds; with rename detection where a rename could change the answer.
//! Says "conflict" where it is not sure: a merge it calls clean is git's own.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice};

use super::lines::{self, Overlap};
use super::renames::Renames;
use super::similarity::Measured;
use super::tree_edits::{Edit, Found, Leaf, Trees, put};
use super::{ThreadRepo, attributes};
use crate::error::Result;
use crate::subject::Oid;

/// What became of a pick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Picked {
    /// The tree; equal to `ours` when there was nothing left to do.
    Clean(Oid),
    /// At least one clash, sorted by path.
    Conflict(Vec<Clash>),
}

/// A path where the pick does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    pub path: BString,
    pub kind: ClashKind,
    /// Where in the text, for [`ClashKind::Content`].
    pub overlaps: Vec<Overlap>,
    pub base: Option<Leaf>,
    pub ours: Option<Leaf>,
    pub theirs: Option<Leaf>,
}

/// How two changes of a path clash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ClashKind {
    /// Both changed the same lines.
    Content,
    /// The picked commit changes a file that is not there.
    Missing,
    /// The picked commit removes a file that has changed.
    Changed,
    /// Both added the path, differently.
    BothAdded,
    /// Both changed a file without lines: binary, link, submodule.
    Binary,
    /// A file stands where a directory must be, or the reverse.
    Directory,
    /// `.gitattributes` gives the path a merge of its own, which is not run here.
    Attribute,
    /// A rename on one side meets something on the other.
    Rename,
}

/// Picks onto trees of one repository. Writes go to memory; [`super::Write`] makes them last.
pub struct Picker<'r> {
    pub(super) local: ThreadRepo<'r>,
    pub(super) trees: Trees,
    edits: RefCell<HashMap<(Option<Oid>, Oid), Rc<Vec<Edit>>>>,
    blobs: RefCell<HashMap<Oid, Rc<Vec<u8>>>>,
    /// Bytes of content in `blobs`.
    kept: Cell<usize>,
    pub(super) measured: Measured,
    /// What became of each pick, and whether renames were looked for.
    picked: RefCell<HashMap<(Option<Oid>, Oid, Oid), (Rc<Picked>, bool)>>,
    retries: Cell<u64>,
    merges: Cell<u64>,
}

/// Blobs kept in memory, in bytes of content.
const BLOBS: usize = 64 << 20;

impl<'r> Picker<'r> {
    pub fn new(local: &ThreadRepo<'r>) -> Self {
        let mut gix = local.gix.clone().with_object_memory();
        gix.object_cache_size(32 << 20);
        Self {
            local: ThreadRepo { gix, repo: local.repo },
            trees: Trees::default(),
            edits: RefCell::default(),
            blobs: RefCell::default(),
            kept: Cell::new(0),
            measured: Measured::default(),
            picked: RefCell::default(),
            retries: Cell::new(0),
            merges: Cell::new(0),
        }
    }

    /// This picker's view of the repository: what was picked can be read through it.
    pub fn repo(&self) -> &ThreadRepo<'r> {
        &self.local
    }

    /// Every path that differs between two trees; `None` is the empty tree. Kept, so asking again is free.
    pub fn edits(&self, old: Option<Oid>, new: Oid) -> Result<Rc<Vec<Edit>>> {
        if let Some(edits) = self.edits.borrow().get(&(old, new)) {
            return Ok(Rc::clone(edits));
        }
        let edits = Rc::new(self.trees.diff(&self.local, old, Some(new))?);
        self.edits.borrow_mut().insert((old, new), Rc::clone(&edits));
        Ok(edits)
    }

    /// A file's content. Kept while there is room.
    pub fn blob(&self, id: Oid) -> Result<Rc<Vec<u8>>> {
        if let Some(bytes) = self.blobs.borrow().get(&id) {
            return Ok(Rc::clone(bytes));
        }
        let bytes = Rc::new(self.local.blob(id)?);
        let mut blobs = self.blobs.borrow_mut();
        if self.kept.get() > BLOBS {
            blobs.clear();
            self.kept.set(0);
        }
        self.kept.set(self.kept.get() + bytes.len());
        blobs.insert(id, Rc::clone(&bytes));
        Ok(bytes)
    }

    /// The leaf under a path, if there is one.
    pub fn leaf(&self, tree: Oid, path: &BStr) -> Result<Option<Leaf>> {
        Ok(match self.trees.find(&self.local, tree, path)? {
            Found::Leaf(leaf) => Some(leaf),
            _ => None,
        })
    }

    /// A tree with some paths set or removed, in memory.
    pub fn with(&self, tree: Oid, changes: &BTreeMap<BString, Option<Leaf>>) -> Result<Oid> {
        self.trees.set(&self.local, tree, changes)
    }

    /// A blob made in memory.
    pub fn make_blob(&self, bytes: &[u8]) -> Result<Oid> {
        put(&self.local.gix, gix::objs::Kind::Blob, bytes)
    }

    /// Carries the change `base` -> `theirs` (trees; `None`: a root commit's parent) onto the tree `ours`.
    pub fn pick(&self, base: Option<Oid>, theirs: Oid, ours: Oid) -> Result<Picked> {
        self.pick_once(base, theirs, ours).map(|picked| picked.as_ref().clone())
    }

    /// As [`Picker::pick`]. Kept, so asking again is free.
    pub fn pick_once(&self, base: Option<Oid>, theirs: Oid, ours: Oid) -> Result<Rc<Picked>> {
        let key = (base, theirs, ours);
        let known = self.picked.borrow().get(&key).cloned();
        let (picked, renames) = match known {
            Some(known) => known,
            None => {
                let before = self.retries.get();
                let made = Rc::new(self.work_out(base, theirs, ours)?);
                let renames = self.retries.replace(before) > before;
                self.picked.borrow_mut().insert(key, (Rc::clone(&made), renames));
                (made, renames)
            }
        };
        // Whoever asks is told, whether it was worked out now or before.
        self.retries.set(self.retries.get() + u64::from(renames));
        Ok(picked)
    }

    /// How many merges were worked out.
    pub fn merges(&self) -> u64 {
        self.merges.get()
    }

    /// What stands in the way of a pick, without the tree that it leads to, which is half the work. `None`: it fits.
    pub fn clash(&self, base: Option<Oid>, theirs: Oid, ours: Oid) -> Result<Option<Rc<Picked>>> {
        if self.picked.borrow().contains_key(&(base, theirs, ours)) {
            let picked = self.pick_once(base, theirs, ours)?;
            return Ok(matches!(*picked, Picked::Conflict(_)).then_some(picked));
        }
        if base == Some(ours) {
            return Ok(None);
        }
        let before = self.retries.get();
        let Err(clashes) = self.merge(base, theirs, ours)? else { return Ok(None) };
        let picked = Rc::new(Picked::Conflict(clashes));
        self.picked.borrow_mut().insert((base, theirs, ours), (Rc::clone(&picked), self.retries.get() > before));
        Ok(Some(picked))
    }

    fn work_out(&self, base: Option<Oid>, theirs: Oid, ours: Oid) -> Result<Picked> {
        if base == Some(ours) {
            return Ok(Picked::Clean(theirs));
        }
        Ok(match self.merge(base, theirs, ours)? {
            Ok(take) => Picked::Clean(self.trees.set(&self.local, ours, &take)?),
            Err(clashes) => Picked::Conflict(clashes),
        })
    }

    /// What a pick sets and removes in `ours`; or its clashes, sorted by path.
    fn merge(
        &self,
        base: Option<Oid>,
        theirs: Oid,
        ours: Oid,
    ) -> Result<std::result::Result<BTreeMap<BString, Option<Leaf>>, Vec<Clash>>> {
        self.merges.set(self.merges.get() + 1);
        let edits = self.edits(base, theirs)?;
        let (take, clashes) = (BTreeMap::new(), Vec::new());
        let mut merge = Merge { picker: self, ours, edits: &edits, take, clashes, removed: Vec::new() };
        for edit in edits.iter() {
            merge.edit(edit)?;
        }
        let Merge { mut take, mut clashes, removed, .. } = merge;
        let content = clashes.iter().any(|c| matches!(c.kind, ClashKind::Content | ClashKind::Attribute));
        // Lines that both changed in place stay a conflict, whatever moved elsewhere.
        if !content && (!clashes.is_empty() || !removed.is_empty() || !take.is_empty()) {
            let suspects = self.suspects(&edits, base, theirs, ours)?;
            if !(clashes.is_empty() && removed.is_empty() && suspects.is_empty()) {
                self.retries.set(self.retries.get() + 1);
                let our_edits = self.trees.diff(&self.local, base, Some(ours))?;
                let renames = Renames { picker: self, ours, our_edits: &our_edits, their_edits: &edits };
                clashes = renames.mend(clashes, &mut take)?;
                for (path, leaf) in removed {
                    if !renames.both_removed(path.as_ref(), leaf)? {
                        clashes.push(Clash::rename(path));
                    }
                }
                for (directory, by_them) in suspects {
                    let side: &[Edit] = if by_them { &edits } else { &our_edits };
                    if by_them && !renames.we_added_below(directory.as_ref()) {
                        continue;
                    }
                    if !renames.nothing_moved_from(directory.as_ref(), side)? {
                        clashes.push(Clash::rename(directory));
                    }
                }
            }
        }
        if clashes.is_empty() {
            return Ok(Ok(take));
        }
        clashes.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Err(clashes))
    }

    /// How many answers needed to look for renames. Their outcome may depend on files that the picked commit does not touch.
    pub fn retries(&self) -> u64 {
        self.retries.get()
    }

    /// Directories that git may take for moved, and whether the pick moved them: one that the pick leaves empty while
    /// production has more in it, and one that is gone from production while the pick adds to it.
    fn suspects(&self, edits: &[Edit], base: Option<Oid>, theirs: Oid, ours: Oid) -> Result<Vec<(BString, bool)>> {
        let Some(base) = base else { return Ok(Vec::new()) };
        let mut out = Vec::new();
        if edits.iter().any(|e| e.old.is_none()) {
            for directory in directories(edits.iter().filter(|e| e.new.is_none())) {
                if self.is_directory(ours, directory)? && !self.is_directory(theirs, directory)? {
                    out.push((directory.to_owned(), true));
                }
            }
        }
        for directory in directories(edits.iter().filter(|e| e.old.is_none())) {
            if !self.is_directory(ours, directory)? && self.is_directory(base, directory)? {
                out.push((directory.to_owned(), false));
            }
        }
        Ok(out)
    }

    /// Merges one file's content and mode; what clashes otherwise.
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
            if attributes::merges_specially(self, tree, path)? {
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

    fn is_directory(&self, tree: Oid, path: &BStr) -> Result<bool> {
        Ok(self.trees.find(&self.local, tree, path)? == Found::Directory)
    }
}

/// Every directory above some edits, each once.
fn directories<'e>(edits: impl Iterator<Item = &'e Edit>) -> std::collections::BTreeSet<&'e BStr> {
    let parents = |e: &'e Edit| {
        let path: &'e [u8] = &e.path;
        path.iter().enumerate().filter(|(_, b)| **b == b'/').map(|(at, _)| path[..at].as_bstr())
    };
    edits.flat_map(parents).collect()
}

impl Clash {
    fn rename(path: BString) -> Self {
        Self { path, kind: ClashKind::Rename, overlaps: Vec::new(), base: None, ours: None, theirs: None }
    }
}

struct Merge<'p, 'r> {
    picker: &'p Picker<'r>,
    ours: Oid,
    edits: &'p [Edit],
    take: BTreeMap<BString, Option<Leaf>>,
    clashes: Vec<Clash>,
    /// What both sides removed: one of them may have moved it.
    removed: Vec<(BString, Leaf)>,
}

impl Merge<'_, '_> {
    fn edit(&mut self, edit: &Edit) -> Result<()> {
        let found = self.picker.trees.find(&self.picker.local, self.ours, edit.path.as_ref())?;
        let ours = match found {
            Found::Leaf(leaf) => Some(leaf),
            Found::Nothing => None,
            Found::Directory | Found::Blocked if edit.new.is_none() => None,
            Found::Directory | Found::Blocked => return self.in_the_way(edit, found),
        };
        match (edit.old, ours, edit.new) {
            (old, ours, new) if ours == new => {
                if let (Some(old), None) = (old, new) {
                    self.removed.push((edit.path.clone(), old));
                }
            }
            (old, ours, new) if ours == old => drop(self.take.insert(edit.path.clone(), new)),
            (Some(old), Some(ours), Some(new)) => return self.both(edit, old, ours, new),
            (Some(_), None, Some(_)) => self.clash(edit, ours, ClashKind::Missing, Vec::new()),
            (Some(_), Some(_), None) => self.clash(edit, ours, ClashKind::Changed, Vec::new()),
            _ => self.clash(edit, ours, ClashKind::BothAdded, Vec::new()),
        }
        Ok(())
    }

    /// A directory stands at the path, or a file above it; fine if the pick itself clears it away.
    fn in_the_way(&mut self, edit: &Edit, found: Found) -> Result<()> {
        let path: &[u8] = &edit.path;
        let removed = |at: &[u8]| self.edits.iter().any(|e| e.new.is_none() && e.path == at);
        let cleared = match found {
            Found::Blocked => {
                let above = path.iter().enumerate().filter(|(_, b)| **b == b'/').map(|(at, _)| &path[..at]);
                above.into_iter().any(removed)
            }
            _ => false,
        };
        if cleared {
            self.take.insert(edit.path.clone(), edit.new);
        } else {
            self.clash(edit, None, ClashKind::Directory, Vec::new());
        }
        Ok(())
    }

    fn both(&mut self, edit: &Edit, old: Leaf, ours: Leaf, new: Leaf) -> Result<()> {
        if ![old, ours, new].iter().all(|l| l.is_file()) {
            self.clash(edit, Some(ours), ClashKind::Binary, Vec::new());
            return Ok(());
        }
        match self.picker.merge_files(self.ours, edit.path.as_ref(), old, ours, new)? {
            Ok(leaf) => drop(self.take.insert(edit.path.clone(), Some(leaf))),
            Err((kind, overlaps)) => self.clash(edit, Some(ours), kind, overlaps),
        }
        Ok(())
    }

    fn clash(&mut self, edit: &Edit, ours: Option<Leaf>, kind: ClashKind, overlaps: Vec<Overlap>) {
        let path = edit.path.clone();
        self.clashes.push(Clash { path, kind, overlaps, base: edit.old, ours, theirs: edit.new });
    }
}
