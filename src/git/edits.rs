//! Trees as lists of edits: what differs between two, and a tree with some paths set or removed. Works on one memory of
//! decoded trees, so that a hundred picks onto one branch read each directory once. Merges nothing.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice, ByteVec};
use gix::objs::Write as _;
use gix::objs::tree::{EntryMode, name_order};

use super::objects::TreeEntry;
use super::{Local, gix_id, oid, unreadable};
use crate::error::{Error, Result};
use crate::subject::Oid;

/// What stands under a path: a file, link or submodule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Leaf {
    /// git's file mode: `0o100644`, `0o100755`, `0o120000` (link), `0o160000` (submodule).
    pub mode: u16,
    pub id: Oid,
}

impl Leaf {
    pub fn is_file(self) -> bool {
        matches!(self.mode, 0o100_644 | 0o100_755)
    }

    pub fn is_submodule(self) -> bool {
        self.mode == 0o160_000
    }
}

/// A path whose leaf differs between two trees; at least one side is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub path: BString,
    pub old: Option<Leaf>,
    pub new: Option<Leaf>,
}

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    Leaf(Leaf),
    Directory,
    /// A part of the way there is no directory.
    Blocked,
}

/// More path components than any file system takes.
const DEPTH: usize = 512;
/// Entries kept decoded; beyond this the memory starts anew.
const REMEMBERED: usize = 2_000_000;

type Entries = Rc<Vec<TreeEntry>>;

/// Decoded trees of one repository.
#[derive(Default)]
pub(super) struct Trees {
    known: RefCell<HashMap<Oid, Entries>>,
    entries: std::cell::Cell<usize>,
}

impl Trees {
    pub fn read(&self, local: &Local<'_>, tree: Oid) -> Result<Entries> {
        if let Some(entries) = self.known.borrow().get(&tree) {
            return Ok(Rc::clone(entries));
        }
        let entries = if gix_id(tree).is_empty_tree() { Vec::new() } else { local.tree_entries(tree)? };
        Ok(self.remember(tree, entries))
    }

    fn remember(&self, tree: Oid, entries: Vec<TreeEntry>) -> Entries {
        let mut known = self.known.borrow_mut();
        if self.entries.get() > REMEMBERED {
            known.clear();
            self.entries.set(0);
        }
        self.entries.set(self.entries.get() + entries.len());
        let entries = Rc::new(entries);
        known.insert(tree, Rc::clone(&entries));
        entries
    }

    pub fn find(&self, local: &Local<'_>, tree: Oid, path: &BStr) -> Result<Found> {
        let mut tree = tree;
        let mut parts = path.split(|b| *b == b'/').peekable();
        while let Some(part) = parts.next() {
            let entries = self.read(local, tree)?;
            // Directories sort as if their name ended in a slash, so a name may stand at either of two places.
            let hit = position(&entries, part, false).or_else(|_| position(&entries, part, true));
            let Ok(at) = hit else { return Ok(Found::Nothing) };
            let entry = &entries[at];
            match (parts.peek().is_none(), entry.mode.is_tree()) {
                (true, true) => return Ok(Found::Directory),
                (true, false) => return Ok(Found::Leaf(leaf(entry))),
                (false, true) => tree = entry.id,
                (false, false) => return Ok(Found::Blocked),
            }
        }
        Ok(Found::Nothing)
    }

    /// Every leaf that differs, sorted by path.
    pub fn diff(&self, local: &Local<'_>, old: Option<Oid>, new: Option<Oid>) -> Result<Vec<Edit>> {
        let mut out = Vec::new();
        if old != new {
            local.repo.counters().trees.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            self.descend(local, (old, new), &mut BString::default(), 0, &mut out)?;
            out.sort_by(|a, b| a.path.cmp(&b.path));
            // Old modes of the same meaning.
            out.retain(|e| e.old != e.new);
        }
        Ok(out)
    }

    fn descend(
        &self,
        local: &Local<'_>,
        (old, new): (Option<Oid>, Option<Oid>),
        path: &mut BString,
        depth: usize,
        out: &mut Vec<Edit>,
    ) -> Result<()> {
        if depth > DEPTH {
            return Err(Error::undecided(format!("a tree is nested more than {DEPTH} levels deep")));
        }
        let side = |id: Option<Oid>| id.map_or_else(|| Ok(Entries::default()), |id| self.read(local, id));
        let (old, new) = (side(old)?, side(new)?);
        let (mut i, mut j) = (0, 0);
        while i < old.len() || j < new.len() {
            let order = match (old.get(i), new.get(j)) {
                (Some(a), Some(b)) => name_order(a.name.as_ref(), a.mode.is_tree(), b.name.as_ref(), b.mode.is_tree()),
                (Some(_), None) => Ordering::Less,
                _ => Ordering::Greater,
            };
            let before = (order != Ordering::Greater).then(|| &old[i]);
            let after = (order != Ordering::Less).then(|| &new[j]);
            i += usize::from(before.is_some());
            j += usize::from(after.is_some());
            if let (Some(a), Some(b)) = (before, after)
                && a.id == b.id
                && a.mode == b.mode
            {
                continue;
            }
            let Some(either) = before.or(after) else { continue };
            let len = path.len();
            if len > 0 {
                path.push_byte(b'/');
            }
            path.push_str(&either.name);
            // Entries of the same name and place in the order are of the same kind: both directories or neither.
            if either.mode.is_tree() {
                self.descend(local, (before.map(|e| e.id), after.map(|e| e.id)), path, depth + 1, out)?;
            } else {
                out.push(Edit { path: path.clone(), old: before.map(leaf), new: after.map(leaf) });
            }
            path.truncate(len);
        }
        Ok(())
    }

    /// Writes the tree that `tree` becomes with some paths set (`Some`) or removed; directories come and go as needed.
    /// The empty tree if nothing is left.
    pub fn set(&self, local: &Local<'_>, tree: Oid, changes: &BTreeMap<BString, Option<Leaf>>) -> Result<Oid> {
        if changes.is_empty() {
            return Ok(tree);
        }
        let list: Vec<(&BStr, Option<Leaf>)> = changes.iter().map(|(p, l)| (p.as_bstr(), *l)).collect();
        let made = self.set_below(local, Some(tree), &list, 0)?;
        Ok(made.unwrap_or_else(|| oid(&gix::ObjectId::empty_tree(local.gix.object_hash()))))
    }

    fn set_below(
        &self,
        local: &Local<'_>,
        tree: Option<Oid>,
        changes: &[(&BStr, Option<Leaf>)],
        depth: usize,
    ) -> Result<Option<Oid>> {
        if depth > DEPTH {
            return Err(Error::undecided(format!("a tree is nested more than {DEPTH} levels deep")));
        }
        let mut entries: Vec<TreeEntry> = match tree {
            Some(tree) => self.read(local, tree)?.as_ref().clone(),
            None => Vec::new(),
        };
        // By first part of the path; changes under one directory need not stand beside each other (`a`, `a-b`, `a/c`).
        let mut parts: BTreeMap<&BStr, Vec<(&BStr, Option<Leaf>)>> = BTreeMap::new();
        let mut here: Vec<(&BStr, Option<Leaf>)> = Vec::new();
        for (path, leaf) in changes {
            match path.split_once_str("/") {
                Some((first, rest)) => parts.entry(first.as_bstr()).or_default().push((rest.as_bstr(), *leaf)),
                None => here.push((path, *leaf)),
            }
        }
        // What goes makes room before anything comes.
        for (name, _) in here.iter().filter(|(_, leaf)| leaf.is_none()) {
            if let Ok(at) = position(&entries, name, false) {
                entries.remove(at);
            }
        }
        for (name, below) in parts {
            let at = position(&entries, name, true);
            let made = self.set_below(local, at.ok().map(|at| entries[at].id), &below, depth + 1)?;
            let entry = |id| TreeEntry { name: name.to_owned(), mode: gix::objs::tree::EntryKind::Tree.into(), id };
            match (at, made) {
                (Ok(at), Some(id)) => entries[at].id = id,
                (Ok(at), None) => drop(entries.remove(at)),
                (Err(at), Some(id)) => entries.insert(at, entry(id)),
                (Err(_), None) => {}
            }
        }
        for (name, leaf) in here {
            let Some(leaf) = leaf else { continue };
            let entry = TreeEntry { name: name.to_owned(), mode: mode(leaf), id: leaf.id };
            match position(&entries, name, false) {
                Ok(at) => entries[at] = entry,
                Err(at) => entries.insert(at, entry),
            }
        }
        if entries.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.write(local, entries)?))
    }

    fn write(&self, local: &Local<'_>, entries: Vec<TreeEntry>) -> Result<Oid> {
        let mut raw = Vec::with_capacity(entries.len() * 40);
        for entry in &entries {
            raw.extend_from_slice(entry.mode.as_bytes(&mut Default::default()));
            raw.push(b' ');
            raw.extend_from_slice(&entry.name);
            raw.push(0);
            raw.extend_from_slice(entry.id.as_bytes());
        }
        let id = local.gix.write_buf(gix::objs::Kind::Tree, &raw).map_err(unreadable("a tree cannot be made"))?;
        let id = oid(&id);
        self.remember(id, entries);
        Ok(id)
    }
}

fn position(entries: &[TreeEntry], name: &[u8], tree: bool) -> Result<usize, usize> {
    entries.binary_search_by(|e| name_order(e.name.as_ref(), e.mode.is_tree(), name.as_bstr(), tree))
}

fn leaf(entry: &TreeEntry) -> Leaf {
    // Old repositories hold modes such as 100664: git reads them as 100644.
    let mode = match entry.mode.kind() {
        gix::objs::tree::EntryKind::Blob => 0o100_644,
        gix::objs::tree::EntryKind::BlobExecutable => 0o100_755,
        gix::objs::tree::EntryKind::Link => 0o120_000,
        gix::objs::tree::EntryKind::Commit => 0o160_000,
        gix::objs::tree::EntryKind::Tree => 0o040_000,
    };
    Leaf { mode, id: entry.id }
}

fn mode(leaf: Leaf) -> EntryMode {
    match leaf.mode {
        0o100_755 => gix::objs::tree::EntryKind::BlobExecutable,
        0o120_000 => gix::objs::tree::EntryKind::Link,
        0o160_000 => gix::objs::tree::EntryKind::Commit,
        _ => gix::objs::tree::EntryKind::Blob,
    }
    .into()
}
