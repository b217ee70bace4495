//! The index (`GIT_INDEX_FILE` honoured) compared with HEAD by its cache-tree: a subtree whose recorded id equals HEAD's
//! is skipped whole, so the cost grows with what is staged and not with the repository. [`forward`] owns how the file
//! is read.

mod forward;

use std::collections::HashMap;

use bstr::{BStr, BString, ByteSlice as _};
use forward::{Entries, Entry, Layout, Whole};
use gix::index::entry::{Flags, Mode, Stage};
use gix::index::extension::Tree as CacheTree;
use gix::objs::tree::EntryMode;

use super::jobs::{Introduced, Pair};
use super::objects::TreeEntry;
use super::trees::{self, PathBudget};
use super::{ThreadRepo, oid, unreadable};
use crate::error::{Error, Result};
use crate::subject::{self, Oid};

pub(crate) type Index = gix::worktree::Index;

/// Reads the index; an empty one if there is none yet.
pub(crate) fn open(local: &ThreadRepo<'_>) -> Result<Index> {
    local.gix.index_or_empty().map_err(unreadable("cannot read the index"))
}

/// Whether an entry will be in the next commit: it is neither one side of a conflict nor an intent to add.
fn counts(entry: &gix::index::Entry) -> bool {
    entry.stage() == Stage::Unconflicted && !entry.flags.contains(Flags::INTENT_TO_ADD)
}

/// Files of the index as it would be committed, sorted by path.
pub(crate) fn entries(local: &ThreadRepo<'_>, index: &Index, budget: &PathBudget) -> Result<Vec<subject::Entry>> {
    let mut out = Vec::with_capacity(index.entries().len());
    for e in index.entries() {
        if !counts(e) || e.mode.is_submodule() {
            continue;
        }
        let path = e.path(index);
        if e.mode.is_sparse() {
            let dir = path.trim_end_with(|c| c == '/');
            out.extend(trees::files(local, oid(&e.id), budget)?.into_iter().map(|mut f| {
                f.path = join(dir.as_bstr(), f.path.as_ref());
                f
            }));
        } else {
            out.push(subject::Entry {
                path: path.to_owned(),
                blob: Some(oid(&e.id)),
                symlink: e.mode == Mode::SYMLINK,
            });
        }
    }
    out.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(out)
}

/// What the index introduces against HEAD. Read once, so that a run sees one index, whatever git writes meanwhile.
pub(crate) fn staged<'r>(local: &ThreadRepo<'r>, budget: &PathBudget) -> Result<&'r Introduced> {
    let read = || {
        let head = local.head()?.map(|h| local.tree_of(h)).transpose()?;
        if let Some(layout) = Layout::open(&local.gix.index_path(), local.gix.object_hash())? {
            return against(local, layout.entries()?, layout.cache_tree.as_ref(), head, budget);
        }
        let index = open(local)?;
        against(local, Whole { index: &index, at: 0 }, index.tree(), head, budget)
    };
    local.repo.staged.get_or_init(read).as_ref().map_err(Clone::clone)
}

/// What the index introduces that neither HEAD nor any of `others` (trees) has; and the number of submodules.
pub(crate) fn introduced(local: &ThreadRepo<'_>, others: &[Oid], budget: &PathBudget) -> Result<(Vec<Pair>, u64)> {
    let staged = staged(local, budget)?;
    let mut pairs = Vec::with_capacity(staged.pairs.len());
    for pair in &staged.pairs {
        // A merge stages little that no parent has, so looking it up by path is cheap.
        let mut known = false;
        for tree in others {
            let same =
                |(id, mode): (Oid, EntryMode)| id == pair.blob && !mode.is_commit() && mode.is_link() == pair.symlink;
            known |= trees::lookup(local, *tree, pair.path.as_ref())?.is_some_and(same);
        }
        if !known {
            pairs.push(pair.clone());
        }
    }
    Ok((pairs, staged.submodules))
}

/// What `entries` introduce against one tree.
fn against(
    local: &ThreadRepo<'_>,
    entries: impl Entries,
    cache: Option<&CacheTree>,
    tree: Option<Oid>,
    budget: &PathBudget,
) -> Result<Introduced> {
    let mut walk = Walk { local, entries, current: Entry::default(), ended: false, budget, out: Introduced::default() };
    walk.advance()?;
    walk.level(cache, tree, &BString::default())?;
    Ok(walk.out)
}

struct Walk<'a, E> {
    local: &'a ThreadRepo<'a>,
    entries: E,
    /// The entry at the cursor; the last one after the end.
    current: Entry,
    ended: bool,
    budget: &'a PathBudget,
    out: Introduced,
}

impl<E: Entries> Walk<'_, E> {
    fn advance(&mut self) -> Result<()> {
        self.ended = !self.entries.next(&mut self.current)?;
        Ok(())
    }

    /// Compares one directory, from its first index entry on; `dir` ends in a slash unless it is the root. `tree`: HEAD's.
    fn level(&mut self, cache: Option<&CacheTree>, tree: Option<Oid>, dir: &BString) -> Result<()> {
        // A cache-tree node without a count is invalid, and so is its id.
        if let Some(CacheTree { num_entries: Some(count), id, .. }) = cache
            && tree.is_some_and(|t| oid(id) == t)
        {
            return self.skip(*count, dir);
        }
        let head = match tree {
            Some(tree) => {
                self.local.repo.counters().trees.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                self.local.tree_entries(tree)?
            }
            None => Vec::new(),
        };
        let in_head: HashMap<&BStr, usize> = head.iter().enumerate().map(|(i, e)| (e.name.as_bstr(), i)).collect();
        let mut still_there = vec![false; head.len()];
        while !self.ended && self.current.path.starts_with(dir) {
            let name = &self.current.path[dir.len()..];
            if let Some(slash) = name.find_byte(b'/').filter(|s| *s + 1 < name.len()) {
                let name = name[..slash].as_bstr();
                let sub = in_head.get(name).filter(|i| head[**i].mode.is_tree()).map(|i| {
                    still_there[*i] = true;
                    head[*i].id
                });
                let child = cache.and_then(|c| c.children.iter().find(|c| c.name.as_slice() == name.as_bytes()));
                let below = BString::from(&self.current.path[..=dir.len() + slash]);
                self.level(child, sub, &below)?;
                continue;
            }
            let name = name.trim_end_with(|c| c == '/').as_bstr();
            let known = in_head.get(name).map(|i| {
                still_there[*i] = true;
                &head[*i]
            });
            self.entry(known)?;
            self.advance()?;
        }
        for entry in head.iter().zip(still_there).filter(|(_, there)| !there).map(|(e, _)| e) {
            self.removed(dir, entry)?;
        }
        Ok(())
    }

    /// Compares the current entry, which is in the directory itself. `known`: HEAD's entry of the same name.
    fn entry(&mut self, known: Option<&TreeEntry>) -> Result<()> {
        let Entry { path, id, mode, counts } = &self.current;
        let same =
            |e: &TreeEntry| e.id == *id && mode.to_tree_entry_mode().is_some_and(|m| trees::same_kind(e.mode, m));
        if !counts || known.is_some_and(same) {
            return Ok(());
        }
        let out = &mut self.out;
        if !mode.is_sparse() {
            out.add(path.clone(), *id, *mode == Mode::SYMLINK, mode.is_submodule());
            return Ok(());
        }
        let parents: Vec<Oid> = known.filter(|e| e.mode.is_tree()).map(|e| e.id).into_iter().collect();
        let dir = path.trim_end_with(|c| c == '/').as_bstr();
        trees::introduced(self.local, *id, &parents, self.budget, &mut |f| {
            out.add(join(dir, f.path), f.id, f.mode.is_link(), f.mode.is_commit());
        })
    }

    /// Skips a directory that the cache-tree says is HEAD's; the current entry is its first.
    fn skip(&mut self, count: u32, dir: &BString) -> Result<()> {
        let contradiction =
            || Err(Error::undecided("the index contradicts its cache-tree").hint("`git read-tree HEAD` mends it"));
        for left in (0..count).rev() {
            if self.ended || (left == 0 && !self.current.path.starts_with(dir)) {
                return contradiction();
            }
            self.advance()?;
        }
        if !self.ended && self.current.path.starts_with(dir) { contradiction() } else { Ok(()) }
    }

    /// Records an entry of HEAD's tree that the index no longer has.
    fn removed(&mut self, directory: &BString, entry: &TreeEntry) -> Result<()> {
        let path = BString::from([directory.as_slice(), entry.name.as_slice()].concat());
        if entry.mode.is_tree() {
            let below = trees::files(self.local, entry.id, self.budget)?;
            self.out.removed.extend(below.into_iter().map(|f| join(path.as_ref(), f.path.as_ref())));
        } else {
            self.out.removed.push(path);
        }
        Ok(())
    }
}

fn join(dir: &BStr, path: &BStr) -> BString {
    BString::from([dir.as_bytes(), b"/", path.as_bytes()].concat())
}
