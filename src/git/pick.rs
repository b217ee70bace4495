//! One pick: applies the change from `base` to `theirs` to `ours`, as a three-way merge of trees in object memory. First
//! path by path, which costs microseconds; with rename detection where a rename could change the answer. Reports a
//! conflict when in doubt: a merge that it calls clean is git's own.

use std::collections::BTreeMap;
use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice as _};

use super::clash::{Clash, ClashKind};
use super::lines::Overlap;
use super::picker::{Picked, Picker};
use super::renames::Renames;
use super::tree_edits::{Edit, Leaf, PathLookup};
use crate::error::Result;
use crate::subject::Oid;

impl Picker<'_> {
    /// Applies the change `base` -> `theirs` (trees; `None`: a root commit's parent) to the tree `ours`.
    pub fn pick(&self, base: Option<Oid>, theirs: Oid, ours: Oid) -> Result<Picked> {
        self.pick_once(base, theirs, ours).map(|picked| picked.as_ref().clone())
    }

    /// The same as [`Picker::pick`]. Cached.
    pub fn pick_once(&self, base: Option<Oid>, theirs: Oid, ours: Oid) -> Result<Rc<Picked>> {
        let key = (base, theirs, ours);
        let known = self.picked.borrow().get(&key).cloned();
        let (picked, renames) = match known {
            Some(known) => known,
            None => {
                let before = self.rename_detections.get();
                let picked = Rc::new(self.compute(base, theirs, ours)?);
                let renames = self.rename_detections.replace(before) > before;
                self.picked.borrow_mut().insert(key, (Rc::clone(&picked), renames));
                (picked, renames)
            }
        };
        // A cached outcome counts as well: the caller has to know that it depends on renames.
        self.rename_detections.set(self.rename_detections.get() + u64::from(renames));
        Ok(picked)
    }

    /// The number of merges that were computed.
    pub fn merges(&self) -> u64 {
        self.merges.get()
    }

    /// The conflicts of a pick, without computing its tree, which is half the work. `None`: there are none.
    pub fn clash(&self, base: Option<Oid>, theirs: Oid, ours: Oid) -> Result<Option<Rc<Picked>>> {
        if self.picked.borrow().contains_key(&(base, theirs, ours)) {
            let picked = self.pick_once(base, theirs, ours)?;
            return Ok(matches!(*picked, Picked::Conflict(_)).then_some(picked));
        }
        if base == Some(ours) {
            return Ok(None);
        }
        let before = self.rename_detections.get();
        let Err(clashes) = self.merge(base, theirs, ours)? else { return Ok(None) };
        let picked = Rc::new(Picked::Conflict(clashes));
        self.picked
            .borrow_mut()
            .insert((base, theirs, ours), (Rc::clone(&picked), self.rename_detections.get() > before));
        Ok(Some(picked))
    }

    fn compute(&self, base: Option<Oid>, theirs: Oid, ours: Oid) -> Result<Picked> {
        if base == Some(ours) {
            return Ok(Picked::Clean(theirs));
        }
        Ok(match self.merge(base, theirs, ours)? {
            Ok(take) => Picked::Clean(self.trees.set(&self.local, ours, &take)?),
            Err(clashes) => Picked::Conflict(clashes),
        })
    }

    /// The paths that a pick sets and removes in `ours`; or its conflicts, sorted by path.
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
        // A conflict in lines stays one, whatever was renamed.
        if !content && (!clashes.is_empty() || !removed.is_empty() || !take.is_empty()) {
            let directories = self.maybe_renamed_directories(&edits, base, theirs, ours)?;
            if !(clashes.is_empty() && removed.is_empty() && directories.is_empty()) {
                self.rename_detections.set(self.rename_detections.get() + 1);
                let our_edits = self.trees.diff(&self.local, base, Some(ours))?;
                let renames = Renames { picker: self, ours, our_edits: &our_edits, their_edits: &edits };
                clashes = renames.resolve(clashes, &mut take)?;
                for (path, leaf) in removed {
                    if !renames.both_removed(path.as_ref(), leaf)? {
                        clashes.push(Clash::rename(path));
                    }
                }
                for (directory, by_them) in directories {
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

    /// Directories that git may treat as renamed, and whether the pick renamed them: one that the pick empties while
    /// `ours` has more in it, and one that is missing in `ours` while the pick adds to it.
    fn maybe_renamed_directories(
        &self,
        edits: &[Edit],
        base: Option<Oid>,
        theirs: Oid,
        ours: Oid,
    ) -> Result<Vec<(BString, bool)>> {
        let Some(base) = base else { return Ok(Vec::new()) };
        let mut out = Vec::new();
        if edits.iter().any(|e| e.old.is_none()) {
            for directory in parents_of(edits.iter().filter(|e| e.new.is_none())) {
                if self.is_directory(ours, directory)? && !self.is_directory(theirs, directory)? {
                    out.push((directory.to_owned(), true));
                }
            }
        }
        for directory in parents_of(edits.iter().filter(|e| e.old.is_none())) {
            if !self.is_directory(ours, directory)? && self.is_directory(base, directory)? {
                out.push((directory.to_owned(), false));
            }
        }
        Ok(out)
    }

    /// How many outcomes needed rename detection. They may depend on files that the picked commit does not touch.
    pub fn rename_detections(&self) -> u64 {
        self.rename_detections.get()
    }
}

/// Every directory above some edits, each once.
fn parents_of<'e>(edits: impl Iterator<Item = &'e Edit>) -> std::collections::BTreeSet<&'e BStr> {
    let parents = |e: &'e Edit| {
        let path: &'e [u8] = &e.path;
        path.iter().enumerate().filter(|(_, b)| **b == b'/').map(|(at, _)| path[..at].as_bstr())
    };
    edits.flat_map(parents).collect()
}

/// One three-way merge, path by path.
struct Merge<'p, 'r> {
    picker: &'p Picker<'r>,
    ours: Oid,
    edits: &'p [Edit],
    take: BTreeMap<BString, Option<Leaf>>,
    clashes: Vec<Clash>,
    /// Files that both sides removed: one of them may have renamed it.
    removed: Vec<(BString, Leaf)>,
}

impl Merge<'_, '_> {
    fn edit(&mut self, edit: &Edit) -> Result<()> {
        let found = self.picker.trees.find(&self.picker.local, self.ours, edit.path.as_ref())?;
        let ours = match found {
            PathLookup::Leaf(leaf) => Some(leaf),
            PathLookup::Missing => None,
            PathLookup::Directory | PathLookup::Blocked if edit.new.is_none() => None,
            PathLookup::Directory | PathLookup::Blocked => return self.blocked(edit, found),
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

    /// A directory is at the path, or a file above it; no conflict if the pick itself removes that file.
    fn blocked(&mut self, edit: &Edit, found: PathLookup) -> Result<()> {
        let path: &[u8] = &edit.path;
        let is_removed = |at: &[u8]| self.edits.iter().any(|e| e.new.is_none() && e.path == at);
        let is_cleared = match found {
            PathLookup::Blocked => {
                let above = path.iter().enumerate().filter(|(_, b)| **b == b'/').map(|(at, _)| &path[..at]);
                above.into_iter().any(is_removed)
            }
            _ => false,
        };
        if is_cleared {
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
