//! Trees side by side: what a tree introduces against all its parents, what differs between two, what one holds.
//! An entry is known if a parent has the same id *and* the same kind under that name: a submodule or a link is no file.
//! Subtrees that a parent has are never opened. Bounded in depth and in bytes of paths: a dozen objects can name 10^10
//! paths.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};

use bstr::{BStr, BString, ByteVec as _};
use gix::objs::TreeRefIter;
use gix::objs::tree::{EntryKind, EntryMode, EntryRef, name_order};

use super::inspect::Inspector;
use super::pruned_trees::PrunedTrees;
use super::{ThreadRepo, gix_id, oid};
use crate::error::{Error, Result};
use crate::subject::{Entry, Oid};

/// The most path components: more than any file system takes.
const MAX_DEPTH: usize = 512;

/// Bytes of a path that count as one path of the budget: twice an ordinary length.
const BYTES_PER_PATH: u64 = 64;
/// The longest path in bytes. No system opens a longer one, and most stop at 4,096.
const MAX_PATH: usize = 1 << 16;

/// How many paths a run may still list, shared by all threads. A long path counts as several, because paths are kept in
/// memory and a few kilobytes of trees can name gigabytes of them.
pub(crate) struct PathBudget(AtomicU64);

impl PathBudget {
    pub fn new(paths: u64) -> Self {
        Self(AtomicU64::new(paths))
    }

    /// Counts one path of `length` bytes.
    fn take(&self, length: usize) -> Result<()> {
        if length > MAX_PATH {
            return Err(Error::undecided(format!("a tree names a path of more than {MAX_PATH} bytes")));
        }
        let cost = (length as u64).div_ceil(BYTES_PER_PATH).max(1);
        let left = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(cost));
        left.map(drop).map_err(|_| {
            Error::undecided("the trees of this change name more paths than the budget allows")
                .hint("raise `budgets: { paths: ... }` in the policy if that is really so")
        })
    }
}

/// Whether two entries of one name are of the same kind, so that equal ids mean equal content. The executable bit is
/// not content.
pub(super) fn same_kind(a: EntryMode, b: EntryMode) -> bool {
    let kind = |mode: EntryMode| match mode.kind() {
        EntryKind::BlobExecutable => EntryKind::Blob,
        kind => kind,
    };
    kind(a) == kind(b)
}

/// An entry of a tree with its full path.
pub(crate) struct PathEntry<'a> {
    pub path: &'a BStr,
    pub mode: EntryMode,
    pub id: Oid,
}

/// Calls `on` for every entry (blob, link, submodule) of `tree` that no parent has under the same path.
pub(crate) fn introduced(
    local: &ThreadRepo<'_>,
    tree: Oid,
    parents: &[Oid],
    budget: &PathBudget,
    on: &mut dyn FnMut(PathEntry<'_>),
) -> Result<()> {
    introduced_in(local, TreeFilter::default(), tree, parents, budget, on)
}

/// How trees are read while they are compared.
#[derive(Clone, Copy, Default)]
pub(crate) struct TreeFilter<'a> {
    /// Trees without unwanted entries, read in place of the stored ones.
    pub pruned: Option<&'a PrunedTrees>,
    /// Called with every tree that no parent has.
    pub inspector: Option<&'a Inspector<'a>>,
}

/// The same as [`introduced`], with trees read through a filter.
pub(crate) fn introduced_in(
    local: &ThreadRepo<'_>,
    filter: TreeFilter<'_>,
    tree: Oid,
    parents: &[Oid],
    budget: &PathBudget,
    on: &mut dyn FnMut(PathEntry<'_>),
) -> Result<()> {
    descend(Descent { local, filter, budget, same: same_kind, on }, tree, parents)
}

fn descend(mut descent: Descent<'_, '_>, tree: Oid, parents: &[Oid]) -> Result<()> {
    if parents.contains(&tree) {
        return Ok(());
    }
    descent.local.repo.counters().trees.fetch_add(1, Ordering::Relaxed);
    descent.descend(tree, parents, &mut BString::default(), 0)
}

/// A comparison of trees, level by level.
struct Descent<'a, 'r> {
    local: &'a ThreadRepo<'r>,
    filter: TreeFilter<'a>,
    budget: &'a PathBudget,
    /// Whether the modes of entries with the same name and id count as equal.
    same: fn(EntryMode, EntryMode) -> bool,
    on: &'a mut dyn FnMut(PathEntry<'_>),
}

impl<'a> Descent<'a, '_> {
    fn descend(&mut self, tree: Oid, parents: &[Oid], path: &mut BString, depth: usize) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err(Error::undecided(format!("tree {tree} is nested more than {MAX_DEPTH} levels deep")));
        }
        let local = self.local;
        let here = self.raw(tree)?;
        if here.is_empty() {
            return Ok(());
        }
        let there: Vec<Cow<'_, [u8]>> = parents.iter().map(|p| self.raw(*p)).collect::<Result<_>>()?;
        if let Some(inspector) = self.filter.inspector {
            let before: Vec<&[u8]> = there.iter().map(AsRef::as_ref).collect();
            inspector.tree(tree, &here, path.as_ref(), &before);
        }
        let mut iters: Vec<_> = there.iter().map(|raw| entries(local, raw).peekable()).collect();
        let mut below: Vec<Oid> = Vec::new();
        for entry in entries(local, &here) {
            let entry = entry.map_err(|e| Error::undecided(format!("tree {tree} is damaged: {e}")))?;
            let (is_tree, id) = (entry.mode.is_tree(), oid(entry.oid));
            below.clear();
            let mut known = false;
            for parent in &mut iters {
                let Some(other) = same_name(parent, &entry) else { continue };
                known |= other.oid == entry.oid && (self.same)(other.mode, entry.mode);
                if is_tree && other.mode.is_tree() {
                    below.push(oid(other.oid));
                }
            }
            if known {
                continue;
            }
            let parent_len = path.len();
            self.budget.take(parent_len + 1 + entry.filename.len())?;
            if !path.is_empty() {
                path.push_byte(b'/');
            }
            path.push_str(entry.filename);
            if is_tree {
                let below = std::mem::take(&mut below);
                self.descend(id, &below, path, depth + 1)?;
            } else {
                (self.on)(PathEntry { path: path.as_ref(), mode: entry.mode, id });
            }
            path.truncate(parent_len);
        }
        Ok(())
    }

    fn raw(&self, tree: Oid) -> Result<Cow<'a, [u8]>> {
        match self.filter.pruned.and_then(|pruned| pruned.get(tree)) {
            Some(left) => Ok(left.into()),
            None => raw_tree(self.local, tree).map(Cow::Owned),
        }
    }
}

type Peekable<'a> = std::iter::Peekable<TreeRefIter<'a>>;

/// Advances a parent's tree to the entry of the same name and kind. In a tree that is not sorted an entry may be missed;
/// it then counts as introduced, which is the safe direction.
fn same_name<'a>(other: &mut Peekable<'a>, entry: &EntryRef<'_>) -> Option<EntryRef<'a>> {
    loop {
        let next = match other.peek()? {
            Ok(next) => *next,
            Err(_) => return None,
        };
        match name_order(next.filename, next.mode.is_tree(), entry.filename, entry.mode.is_tree()) {
            std::cmp::Ordering::Less => drop(other.next()),
            std::cmp::Ordering::Equal => return Some(next),
            std::cmp::Ordering::Greater => return None,
        }
    }
}

fn raw_tree(local: &ThreadRepo<'_>, id: Oid) -> Result<Vec<u8>> {
    if gix_id(id).is_empty_tree() {
        return Ok(Vec::new());
    }
    let (kind, bytes) = local.object(id)?;
    if kind != gix::objs::Kind::Tree {
        return Err(Error::undecided(format!("object {id} is a {kind}, not a tree")));
    }
    Ok(bytes)
}

fn entries<'a>(local: &ThreadRepo<'_>, raw: &'a [u8]) -> TreeRefIter<'a> {
    TreeRefIter::from_bytes(raw, local.gix.object_hash())
}

/// Every file of a tree, sorted by path; submodules left out.
pub(crate) fn files(local: &ThreadRepo<'_>, tree: Oid, budget: &PathBudget) -> Result<Vec<Entry>> {
    let mut out = Vec::new();
    introduced(local, tree, &[], budget, &mut |f| {
        if !f.mode.is_commit() {
            out.push(Entry { path: f.path.to_owned(), blob: Some(f.id), symlink: f.mode.is_link() });
        }
    })?;
    // Git sorts a directory as if its name ended in a slash; readers and binary searches expect plain byte order.
    out.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(out)
}

/// The entry under a path: `(id, mode)`.
pub(crate) fn lookup(local: &ThreadRepo<'_>, tree: Oid, path: &BStr) -> Result<Option<(Oid, EntryMode)>> {
    let mut tree = tree;
    let mut parts = path.split(|b| *b == b'/').peekable();
    while let Some(part) = parts.next() {
        let raw = raw_tree(local, tree)?;
        let mut found = None;
        for entry in entries(local, &raw) {
            let entry = entry.map_err(|e| Error::undecided(format!("tree {tree} is damaged: {e}")))?;
            if entry.filename == part {
                found = Some((oid(entry.oid), entry.mode));
                break;
            }
        }
        match found {
            Some(hit) if parts.peek().is_none() => return Ok(Some(hit)),
            Some((id, mode)) if mode.is_tree() => tree = id,
            _ => return Ok(None),
        }
    }
    Ok(None)
}

/// `(path, old, new)` for every file, link or submodule that differs between two trees in id, kind or mode, sorted by path.
pub(crate) fn diff(
    local: &ThreadRepo<'_>,
    old: Option<Oid>,
    new: Oid,
    budget: &PathBudget,
) -> Result<Vec<(BString, Option<Oid>, Option<Oid>)>> {
    let mut sides: std::collections::BTreeMap<BString, (Option<Oid>, Option<Oid>)> = Default::default();
    let old = old.unwrap_or_else(|| oid(&gix::ObjectId::empty_tree(local.gix.object_hash())));
    let same = |a: EntryMode, b: EntryMode| a.kind() == b.kind();
    let side = |tree, other, on: &mut dyn FnMut(PathEntry<'_>)| {
        descend(Descent { local, filter: TreeFilter::default(), budget, same, on }, tree, &[other])
    };
    side(new, old, &mut |f| sides.entry(f.path.to_owned()).or_default().1 = Some(f.id))?;
    side(old, new, &mut |f| sides.entry(f.path.to_owned()).or_default().0 = Some(f.id))?;
    Ok(sides.into_iter().map(|(path, (old, new))| (path, old, new)).collect())
}
