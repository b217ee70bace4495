//! Trees as lists of edits: what differs between two trees, and a tree with some paths set or removed. Uses one cache of
//! parsed trees, so that a hundred picks onto one branch read each directory once. Merges nothing.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice as _, ByteVec as _};
use gix::objs::tree::{EntryMode, name_order};
use gix::objs::{Kind, Write as _};

use super::{ThreadRepo, gix_id, oid, unreadable};
use crate::error::{Error, Result};
use crate::subject::Oid;

/// The entry under a path: a file, link or submodule.
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

/// A path whose leaf differs between two trees; at least one side has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub path: BString,
    pub old: Option<Leaf>,
    pub new: Option<Leaf>,
}

/// The result of looking up a path in a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PathLookup {
    Missing,
    Leaf(Leaf),
    Directory,
    /// A component before the last is not a directory.
    Blocked,
}

/// The most path components: more than any file system takes.
const MAX_DEPTH: usize = 512;
/// Tree entries after which the cache is emptied.
const MAX_CACHED: usize = 2_000_000;

/// One entry of a tree.
#[derive(Clone, Copy)]
pub(super) struct Entry<'t> {
    pub name: &'t BStr,
    pub mode: EntryMode,
    pub id: Oid,
}

/// A tree object with the offsets of its entries: no entry has an allocation of its own.
#[derive(Default)]
pub(super) struct Listing {
    raw: Vec<u8>,
    slots: Vec<Slot>,
    /// Bytes of an id.
    width: usize,
}

/// The offsets of an entry, its name and its id. Small, because a plan keeps a million of them.
struct Slot {
    start: u32,
    name: u32,
    id: u32,
    mode: EntryMode,
}

impl Listing {
    fn parse(raw: Vec<u8>, tree: Oid, local: &ThreadRepo<'_>) -> Result<Self> {
        if u32::try_from(raw.len()).is_err() {
            return Err(Error::undecided(format!("tree {tree} is larger than 4 GB")));
        }
        let width = local.gix.object_hash().len_in_bytes();
        let mut slots = Vec::with_capacity(raw.len() / 40);
        let mut start = 0;
        for entry in gix::objs::TreeRefIter::from_bytes(&raw, local.gix.object_hash()) {
            let entry = entry.map_err(|e| Error::undecided(format!("tree {tree} is damaged: {e}")))?;
            // An entry is its mode, a space, its name, a NUL and its id.
            let name = start + raw[start..].find_byte(b' ').map_or(0, |at| at + 1);
            let id = name + entry.filename.len() + 1;
            slots.push(Slot { start: start as u32, name: name as u32, id: id as u32, mode: entry.mode });
            start = id + width;
        }
        Ok(Self { raw, slots, width })
    }

    fn of(entries: &[Entry<'_>]) -> Self {
        let width = entries.first().map_or(0, |e| e.id.as_bytes().len());
        let size = entries.iter().map(|e| e.name.len() + width + 8).sum();
        let (raw, slots) = (Vec::with_capacity(size), Vec::with_capacity(entries.len()));
        let mut out = Self { raw, slots, width };
        for entry in entries {
            let start = out.raw.len() as u32;
            out.raw.extend_from_slice(entry.mode.as_bytes(&mut Default::default()));
            out.raw.push(b' ');
            let name = out.raw.len() as u32;
            out.raw.extend_from_slice(entry.name);
            out.raw.push(0);
            let id = out.raw.len() as u32;
            out.raw.extend_from_slice(entry.id.as_bytes());
            out.slots.push(Slot { start, name, id, mode: entry.mode });
        }
        out
    }

    fn len(&self) -> usize {
        self.slots.len()
    }

    fn get(&self, at: usize) -> Option<Entry<'_>> {
        self.slots.get(at).map(|p| self.entry(p))
    }

    fn entry(&self, p: &Slot) -> Entry<'_> {
        let id = Oid::from_bytes(&self.raw[p.id as usize..][..self.width]).expect("the length of an id");
        Entry { name: self.name(p), mode: p.mode, id }
    }

    fn name(&self, p: &Slot) -> &BStr {
        self.raw[p.name as usize..p.id as usize - 1].as_bstr()
    }

    /// The entry's bytes in the tree object.
    fn raw(&self, at: usize) -> Option<&[u8]> {
        self.slots.get(at).map(|p| &self.raw[p.start as usize..p.id as usize + self.width])
    }

    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.slots.iter().map(|p| self.entry(p))
    }

    fn find(&self, name: &[u8], tree: bool) -> Option<Entry<'_>> {
        let order = |p: &Slot| name_order(self.name(p), p.mode.is_tree(), name.as_bstr(), tree);
        self.slots.binary_search_by(order).ok().and_then(|at| self.get(at))
    }
}

/// A cache of parsed trees.
#[derive(Default)]
pub(super) struct Trees {
    known: RefCell<HashMap<Oid, Rc<Listing>>>,
    entries: std::cell::Cell<usize>,
}

impl Trees {
    pub fn read(&self, local: &ThreadRepo<'_>, tree: Oid) -> Result<Rc<Listing>> {
        if let Some(listing) = self.known.borrow().get(&tree) {
            return Ok(Rc::clone(listing));
        }
        if gix_id(tree).is_empty_tree() {
            return Ok(Rc::default());
        }
        let (kind, raw) = local.object(tree)?;
        if kind != Kind::Tree {
            return Err(Error::undecided(format!("object {tree} is a {kind}, not a tree")));
        }
        Ok(self.insert(tree, Listing::parse(raw, tree, local)?))
    }

    fn insert(&self, tree: Oid, listing: Listing) -> Rc<Listing> {
        let mut known = self.known.borrow_mut();
        if self.entries.get() > MAX_CACHED {
            known.clear();
            self.entries.set(0);
        }
        self.entries.set(self.entries.get() + listing.len());
        let listing = Rc::new(listing);
        known.insert(tree, Rc::clone(&listing));
        listing
    }

    pub fn find(&self, local: &ThreadRepo<'_>, tree: Oid, path: &BStr) -> Result<PathLookup> {
        let mut tree = tree;
        let mut parts = path.split(|b| *b == b'/').peekable();
        while let Some(part) = parts.next() {
            let listing = self.read(local, tree)?;
            // Directories sort as if their name ended in a slash, so a name can be at either of two slots.
            let Some(entry) = listing.find(part, false).or_else(|| listing.find(part, true)) else {
                return Ok(PathLookup::Missing);
            };
            match (parts.peek().is_none(), entry.mode.is_tree()) {
                (true, true) => return Ok(PathLookup::Directory),
                (true, false) => return Ok(PathLookup::Leaf(leaf(&entry))),
                (false, true) => tree = entry.id,
                (false, false) => return Ok(PathLookup::Blocked),
            }
        }
        Ok(PathLookup::Missing)
    }

    /// Every leaf that differs, sorted by path.
    pub fn diff(&self, local: &ThreadRepo<'_>, old: Option<Oid>, new: Option<Oid>) -> Result<Vec<Edit>> {
        let mut out = Vec::new();
        if old != new {
            local.repo.counters().trees.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            self.descend(local, (old, new), &mut BString::default(), 0, &mut out)?;
            out.sort_by(|a, b| a.path.cmp(&b.path));
            // Only the spelling of the mode differed.
            out.retain(|e| e.old != e.new);
        }
        Ok(out)
    }

    fn descend(
        &self,
        local: &ThreadRepo<'_>,
        (old, new): (Option<Oid>, Option<Oid>),
        path: &mut BString,
        depth: usize,
        out: &mut Vec<Edit>,
    ) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err(Error::undecided(format!("a tree is nested more than {MAX_DEPTH} levels deep")));
        }
        let side = |id: Option<Oid>| id.map_or_else(|| Ok(Rc::default()), |id| self.read(local, id));
        let (old, new) = (side(old)?, side(new)?);
        let (mut i, mut j) = (0, 0);
        while i < old.len() || j < new.len() {
            if i < old.len() && old.raw(i) == new.raw(j) {
                (i, j) = (i + 1, j + 1);
                continue;
            }
            let order = match (old.get(i), new.get(j)) {
                (Some(a), Some(b)) => name_order(a.name, a.mode.is_tree(), b.name, b.mode.is_tree()),
                (Some(_), None) => Ordering::Less,
                _ => Ordering::Greater,
            };
            let before = old.get(i).filter(|_| order != Ordering::Greater);
            let after = new.get(j).filter(|_| order != Ordering::Less);
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
            path.push_str(either.name);
            // Entries that compare equal by name order are both directories or neither.
            if either.mode.is_tree() {
                self.descend(local, (before.map(|e| e.id), after.map(|e| e.id)), path, depth + 1, out)?;
            } else {
                let (old, new) = (before.as_ref().map(leaf), after.as_ref().map(leaf));
                out.push(Edit { path: path.clone(), old, new });
            }
            path.truncate(len);
        }
        Ok(())
    }

    /// Writes `tree` with some paths set (`Some`) or removed (`None`), and returns the new tree. Directories are created
    /// and removed as needed; if nothing is left, it is the empty tree.
    pub fn set(&self, local: &ThreadRepo<'_>, tree: Oid, changes: &BTreeMap<BString, Option<Leaf>>) -> Result<Oid> {
        if changes.is_empty() {
            return Ok(tree);
        }
        let list: Vec<(&BStr, Option<Leaf>)> = changes.iter().map(|(p, l)| (p.as_bstr(), *l)).collect();
        let made = self.set_below(local, Some(tree), &list, 0)?;
        Ok(made.unwrap_or_else(|| oid(&gix::ObjectId::empty_tree(local.gix.object_hash()))))
    }

    fn set_below(
        &self,
        local: &ThreadRepo<'_>,
        tree: Option<Oid>,
        changes: &[(&BStr, Option<Leaf>)],
        depth: usize,
    ) -> Result<Option<Oid>> {
        if depth > MAX_DEPTH {
            return Err(Error::undecided(format!("a tree is nested more than {MAX_DEPTH} levels deep")));
        }
        let before = match tree {
            Some(tree) => self.read(local, tree)?,
            None => Rc::default(),
        };
        let mut entries: Vec<Entry<'_>> = before.entries().collect();
        // By first component; changes under one directory need not be adjacent (`a`, `a-b`, `a/c`).
        let mut parts: BTreeMap<&BStr, Vec<(&BStr, Option<Leaf>)>> = BTreeMap::new();
        let mut here: Vec<(&BStr, Option<Leaf>)> = Vec::new();
        for (path, leaf) in changes {
            match path.split_once_str("/") {
                Some((first, rest)) => parts.entry(first.as_bstr()).or_default().push((rest.as_bstr(), *leaf)),
                None => here.push((path, *leaf)),
            }
        }
        // Removals first, so that a directory can take the place of a file and the reverse.
        for (name, _) in here.iter().filter(|(_, leaf)| leaf.is_none()) {
            if let Ok(at) = position(&entries, name, false) {
                entries.remove(at);
            }
        }
        for (name, below) in parts {
            let at = position(&entries, name, true);
            let made = self.set_below(local, at.ok().map(|at| entries[at].id), &below, depth + 1)?;
            let entry = |id| Entry { name, mode: gix::objs::tree::EntryKind::Tree.into(), id };
            match (at, made) {
                (Ok(at), Some(id)) => entries[at].id = id,
                (Ok(at), None) => drop(entries.remove(at)),
                (Err(at), Some(id)) => entries.insert(at, entry(id)),
                (Err(_), None) => {}
            }
        }
        for (name, leaf) in here {
            let Some(leaf) = leaf else { continue };
            let entry = Entry { name, mode: mode(leaf), id: leaf.id };
            match position(&entries, name, false) {
                Ok(at) => entries[at] = entry,
                Err(at) => entries.insert(at, entry),
            }
        }
        if entries.is_empty() {
            return Ok(None);
        }
        let made = Listing::of(&entries);
        let id = put(&local.gix, Kind::Tree, &made.raw)?;
        self.insert(id, made);
        Ok(Some(id))
    }
}

fn position(entries: &[Entry<'_>], name: &[u8], tree: bool) -> Result<usize, usize> {
    entries.binary_search_by(|e| name_order(e.name, e.mode.is_tree(), name.as_bstr(), tree))
}

/// Writes an object to a repository's object memory, even if it is on disk: looking costs more than a second copy.
pub(super) fn put(gix: &gix::Repository, kind: Kind, bytes: &[u8]) -> Result<Oid> {
    let id = gix::objs::compute_hash(gix.object_hash(), kind, bytes).map_err(unreadable("an object has no id"))?;
    let made = gix.objects.write_buf_with_known_id(kind, bytes, id);
    made.map(|id| oid(&id)).map_err(unreadable("an object cannot be made"))
}

fn leaf(entry: &Entry<'_>) -> Leaf {
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
