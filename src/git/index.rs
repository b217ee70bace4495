//! The index that git names (`GIT_INDEX_FILE` honoured) against HEAD, by its cache-tree: a subtree whose recorded id
//! equals HEAD's is skipped whole, so the cost grows with what is staged and not with the repository.

use bstr::{BStr, BString, ByteSlice};
use gix::index::entry::{Flags, Mode, Stage};
use gix::index::extension::Tree as CacheTree;

use super::changes::Introduced;
use super::objects::TreeEntry;
use super::trees::{self, PathBudget};
use super::{Local, oid, unreadable};
use crate::error::Result;
use crate::subject::{Entry, Oid};

pub(crate) type Index = gix::worktree::Index;

/// The index git means; an empty one where there is none yet.
pub(crate) fn open(local: &Local<'_>) -> Result<Index> {
    local.gix.index_or_empty().map_err(unreadable("cannot read the index"))
}

/// Files of the index as it would be committed, sorted by path.
pub(crate) fn entries(local: &Local<'_>, index: &Index, budget: &PathBudget) -> Result<Vec<Entry>> {
    let mut out = Vec::with_capacity(index.entries().len());
    for e in index.entries() {
        if e.stage() != Stage::Unconflicted || e.flags.contains(Flags::INTENT_TO_ADD) || e.mode.is_submodule() {
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
            out.push(Entry { path: path.to_owned(), blob: Some(oid(&e.id)), symlink: e.mode == Mode::SYMLINK });
        }
    }
    out.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(out)
}

/// What the index introduces against every one of `parents` (trees); none for a first commit.
pub(crate) fn introduced(local: &Local<'_>, index: &Index, parents: &[Oid], budget: &PathBudget) -> Result<Introduced> {
    let mut walk = Walk { local, index, budget, out: Introduced::default() };
    let (first, rest) = parents.split_first().map_or((None, parents), |(f, r)| (Some(*f), r));
    walk.level(index.tree(), first, 0..index.entries().len(), 0)?;
    let mut out = walk.out;
    if !rest.is_empty() {
        // Merges stage little that no parent has; looking the rest up by path costs little too.
        let mut kept = Vec::new();
        for pair in out.pairs {
            let mut known = false;
            for tree in rest {
                known |= trees::lookup(local, *tree, pair.path.as_ref())?.is_some_and(|(id, _)| id == pair.blob);
            }
            if !known {
                kept.push(pair);
            }
        }
        out.pairs = kept;
    }
    Ok(out)
}

struct Walk<'a> {
    local: &'a Local<'a>,
    index: &'a Index,
    budget: &'a PathBudget,
    out: Introduced,
}

impl Walk<'_> {
    /// One directory: index entries `range`, whose paths share the first `prefix` bytes, against HEAD's `tree`.
    fn level(
        &mut self,
        cache: Option<&CacheTree>,
        tree: Option<Oid>,
        range: std::ops::Range<usize>,
        prefix: usize,
    ) -> Result<()> {
        // A cache-tree node without a count is stale: its id says nothing.
        let cache = cache.filter(|c| c.num_entries.is_some() || !c.children.is_empty());
        if let (Some(c), Some(t)) = (cache, tree)
            && c.num_entries.is_some()
            && oid(&c.id) == t
        {
            return Ok(());
        }
        let head = match tree {
            Some(tree) => {
                self.local.repo.counters().trees.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                self.local.tree_entries(tree)?
            }
            None => Vec::new(),
        };
        let in_head: std::collections::HashMap<&BStr, usize> =
            head.iter().enumerate().map(|(i, e)| (e.name.as_bstr(), i)).collect();
        let mut still_there = vec![false; head.len()];
        let entries = self.index.entries();
        let mut at = range.start;
        while at < range.end {
            let entry = &entries[at];
            let path = entry.path(self.index);
            let name = &path[prefix..];
            if let Some(slash) = name.find_byte(b'/').filter(|s| *s + 1 < name.len()) {
                let name = name[..slash].as_bstr();
                let below = prefix + slash + 1;
                let dir = &path[..below];
                let end = at + entries[at..range.end].partition_point(|e| e.path(self.index).starts_with(dir));
                let sub = in_head.get(name).filter(|i| head[**i].mode.is_tree()).map(|i| {
                    still_there[*i] = true;
                    head[*i].id
                });
                let child = cache.and_then(|c| c.children.iter().find(|c| c.name.as_slice() == name.as_bytes()));
                self.level(child, sub, at..end, below)?;
                at = end;
                continue;
            }
            at += 1;
            let name = name.trim_end_with(|c| c == '/').as_bstr();
            let known = in_head.get(name).map(|i| {
                still_there[*i] = true;
                &head[*i]
            });
            if entry.stage() != Stage::Unconflicted || entry.flags.contains(Flags::INTENT_TO_ADD) {
                continue;
            }
            if known.is_some_and(|e| e.id == oid(&entry.id) && e.mode.is_tree() == entry.mode.is_sparse()) {
                continue;
            }
            if entry.mode.is_sparse() {
                let parents: Vec<Oid> = known.filter(|e| e.mode.is_tree()).map(|e| e.id).into_iter().collect();
                let dir = path.trim_end_with(|c| c == '/').as_bstr();
                let out = &mut self.out;
                trees::introduced(self.local, oid(&entry.id), &parents, self.budget, &mut |f| {
                    out.add(join(dir, f.path), f.id, f.mode.is_link(), f.mode.is_commit());
                })?;
            } else {
                self.out.add(path.to_owned(), oid(&entry.id), entry.mode == Mode::SYMLINK, entry.mode.is_submodule());
            }
        }
        let directory =
            if prefix == 0 { BString::default() } else { entries[range.start].path(self.index)[..prefix].into() };
        for gone in head.iter().zip(still_there).filter(|(_, there)| !there).map(|(e, _)| e) {
            self.gone(&directory, gone)?;
        }
        Ok(())
    }

    /// An entry of HEAD's tree that the index has no more.
    fn gone(&mut self, directory: &BString, entry: &TreeEntry) -> Result<()> {
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
