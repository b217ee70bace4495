//! The trees of the packs without unwanted entries: each is read once from its delta and keeps only wanted blobs,
//! submodules, and the trees that hold any of these at any depth. Most are empty then. Trees that are not here (loose,
//! damaged or very large) have to be read by their ids.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use gix::objs::{Kind, TreeRefIter};
use rayon::prelude::*;

use super::pack::{ObjectVisitor, Packs};
use super::{Repo, gix_id, oid};
use crate::error::Result;
use crate::subject::{DeltaResult, Oid};

/// No number.
const NONE: u32 = u32::MAX;
/// Set in the number of an object that no pack holds, such as a submodule's commit.
const ELSEWHERE: u32 = 1 << 31;
/// Set in the number of a name whose entry is a tree.
const TREE: u32 = 1;

pub(crate) struct PrunedTrees {
    packs: Arc<Packs>,
    /// Index of the tree by its object number, or [`NONE`].
    trees: Vec<u32>,
    /// The end of each tree in `bytes`.
    ends: Vec<usize>,
    bytes: Vec<u8>,
}

impl PrunedTrees {
    pub fn read(repo: &Repo, unwanted: &(dyn Fn(Oid) -> bool + Sync)) -> Result<Self> {
        let packs = repo.packs()?;
        let hash = repo.thread_local().gix.object_hash();
        let pruner =
            Pruner { packs: &packs, hash, unwanted, interner: RwLock::default(), trees_read: Mutex::default() };
        repo.read_objects(Kind::Tree, None, &pruner)?;
        let interner = pruner.interner.into_inner().unwrap_or_else(PoisonError::into_inner);
        let trees_read = pruner.trees_read.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(trees_read.pruned(interner, packs))
    }

    /// A pruned tree in the format of tree objects; `None`: the tree is not here.
    pub fn get(&self, id: Oid) -> Option<&[u8]> {
        let tree = self.trees[self.packs.fan_out.of(&gix_id(id))? as usize];
        let end = *self.ends.get(tree as usize)?;
        let start = tree.checked_sub(1).map_or(0, |before| self.ends[before as usize]);
        Some(&self.bytes[start..end])
    }
}

/// An entry of a tree that deltas may stand on.
#[derive(Clone, Copy)]
struct ParsedEntry {
    /// Byte offset in the tree.
    at: u32,
    compact: CompactEntry,
}

/// A tree entry with numbers in place of name and id.
#[derive(Clone, Copy)]
struct CompactEntry {
    /// Twice the number of mode and name, with [`TREE`]; [`NONE`]: the entry is unwanted.
    name: u32,
    /// Number of the object, or [`ELSEWHERE`] and its number among those.
    object: u32,
}

const UNWANTED: CompactEntry = CompactEntry { name: NONE, object: NONE };

/// Numbers for mode and name together, as trees store them, and for ids outside the packs.
#[derive(Default)]
struct Interner {
    names: HashMap<Box<[u8]>, u32>,
    elsewhere: HashMap<Oid, u32>,
}

/// The entries of all trees that were read, tree by tree.
#[derive(Default)]
struct CompactTrees {
    /// The tree's object number, and the end of its entries.
    trees: Vec<(u32, usize)>,
    entries: Vec<CompactEntry>,
}

struct Pruner<'a> {
    packs: &'a Packs,
    hash: gix::hash::Kind,
    unwanted: &'a (dyn Fn(Oid) -> bool + Sync),
    interner: RwLock<Interner>,
    trees_read: Mutex<CompactTrees>,
}

impl ObjectVisitor for Pruner<'_> {
    /// `None`: damaged.
    type State = Option<Vec<ParsedEntry>>;

    fn read_whole(&self, bytes: &[u8]) -> Self::State {
        let mut out = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            at = self.entry(bytes, at, &mut out)?;
        }
        Some(out)
    }

    fn read_delta(&self, base: &Self::State, delta: &DeltaResult<'_>) -> Self::State {
        let Some(base) = base else { return self.read_whole(delta.bytes) };
        let mut out = Vec::with_capacity(base.len() + 1);
        let mut copied = delta.copied;
        let mut at = 0;
        while at < delta.bytes.len() {
            while copied.first().is_some_and(|k| k.at + k.len <= at) {
                copied = &copied[1..];
            }
            let before = at;
            if let Some(run) = copied.first().filter(|k| k.at <= at)
                && let Ok(first) = base.binary_search_by_key(&(at - run.at + run.from), |e| e.at as usize)
            {
                let ends = base[first..].iter().skip(1).map(|e| e.at as usize).chain([delta.base_len]);
                let whole = base[first..].iter().zip(ends).take_while(|(_, end)| *end <= run.from + run.len);
                for (entry, end) in whole {
                    out.push(ParsedEntry { at: at as u32, ..*entry });
                    at += end - entry.at as usize;
                }
            }
            if at == before {
                at = self.entry(delta.bytes, at, &mut out)?;
            }
        }
        Some(out)
    }

    fn label(&self, _: Oid, number: u32, _: &[u8], entries: &Self::State) -> u8 {
        if let Some(entries) = entries {
            let wanted = entries.iter().map(|e| e.compact).filter(|compact| compact.name != NONE);
            let mut trees_read = self.trees_read.lock().unwrap_or_else(PoisonError::into_inner);
            trees_read.entries.extend(wanted);
            let end = trees_read.entries.len();
            trees_read.trees.push((number, end));
        }
        0
    }
}

impl Pruner<'_> {
    /// Parses the entry at an offset and returns its end; `None`: damaged.
    fn entry(&self, bytes: &[u8], at: usize, out: &mut Vec<ParsedEntry>) -> Option<usize> {
        let name = memchr::memchr(0, &bytes[at..])?;
        let end = at + name + 1 + self.hash.len_in_bytes();
        let entry = TreeRefIter::from_bytes(bytes.get(at..end)?, self.hash).next()?.ok()?;
        let is_tree = entry.mode.is_tree();
        let compact = if !is_tree && !entry.mode.is_commit() && (self.unwanted)(oid(entry.oid)) {
            UNWANTED
        } else {
            let name = self.name(&bytes[at..at + name]) << 1 | if is_tree { TREE } else { 0 };
            CompactEntry {
                name,
                object: self.packs.fan_out.of(entry.oid).unwrap_or_else(|| self.elsewhere(oid(entry.oid))),
            }
        };
        out.push(ParsedEntry { at: at as u32, compact });
        Some(end)
    }

    fn name(&self, name: &[u8]) -> u32 {
        let known = self.interner.read().unwrap_or_else(PoisonError::into_inner).names.get(name).copied();
        known.unwrap_or_else(|| {
            let mut interner = self.interner.write().unwrap_or_else(PoisonError::into_inner);
            let next = interner.names.len() as u32;
            *interner.names.entry(name.into()).or_insert(next)
        })
    }

    fn elsewhere(&self, id: Oid) -> u32 {
        let mut interner = self.interner.write().unwrap_or_else(PoisonError::into_inner);
        let next = interner.elsewhere.len() as u32;
        ELSEWHERE | *interner.elsewhere.entry(id).or_insert(next)
    }
}

impl CompactTrees {
    /// The range of a tree's entries.
    fn range(&self, tree: usize) -> Range<usize> {
        tree.checked_sub(1).map_or(0, |before| self.trees[before].1)..self.trees[tree].1
    }

    /// Removes unwanted entries, and trees that have no others.
    fn pruned(self, interner: Interner, packs: Arc<Packs>) -> PrunedTrees {
        let mut trees = vec![NONE; packs.fan_out.len()];
        for (tree, (number, _)) in self.trees.iter().enumerate() {
            trees[*number as usize] = tree as u32;
        }
        // A tree that is not here may hold anything, so its entry stays.
        let tree = |compact: &CompactEntry| match compact.name & TREE != 0 && compact.object & ELSEWHERE == 0 {
            true => trees[compact.object as usize],
            false => NONE,
        };
        let below: Vec<u32> = self.entries.par_iter().with_min_len(4096).map(tree).collect();
        let alive = self.alive(&below);
        let mut names: Vec<(Box<[u8]>, u32)> = interner.names.into_iter().collect();
        names.sort_unstable_by_key(|(_, number)| *number);
        let mut elsewhere: Vec<(Oid, u32)> = interner.elsewhere.into_iter().collect();
        elsewhere.sort_unstable_by_key(|(_, number)| *number);
        let (mut bytes, mut ends) = (Vec::new(), Vec::with_capacity(self.trees.len()));
        for tree in (0..self.trees.len()).map(|tree| self.range(tree)) {
            let left = tree.filter(|compact| below[*compact] == NONE || alive[below[*compact] as usize]);
            for compact in left.map(|compact| self.entries[compact]) {
                bytes.extend_from_slice(&names[(compact.name >> 1) as usize].0);
                bytes.push(0);
                match compact.object & ELSEWHERE {
                    0 => bytes.extend_from_slice(packs.fan_out.id(compact.object).as_bytes()),
                    _ => bytes.extend_from_slice(elsewhere[(compact.object & !ELSEWHERE) as usize].0.as_bytes()),
                }
            }
            ends.push(bytes.len());
        }
        PrunedTrees { packs, trees, ends, bytes }
    }

    /// Whether each tree holds anything wanted at any depth, worked out upwards from those that hold it directly.
    fn alive(&self, below: &[u32]) -> Vec<bool> {
        let held =
            |tree: usize| below[self.range(tree)].iter().filter(|held| **held != NONE).map(|held| *held as usize);
        // The trees that hold tree `t`: `holders[first[t]..first[t + 1]]`.
        let mut first = vec![0u32; self.trees.len() + 2];
        for tree in 0..self.trees.len() {
            held(tree).for_each(|held| first[held + 2] += 1);
        }
        for at in 1..first.len() {
            first[at] += first[at - 1];
        }
        let mut holders = vec![0u32; first[self.trees.len() + 1] as usize];
        for tree in 0..self.trees.len() {
            for held in held(tree) {
                holders[first[held + 1] as usize] = tree as u32;
                first[held + 1] += 1;
            }
        }
        let mut alive: Vec<bool> = (0..self.trees.len()).map(|tree| below[self.range(tree)].contains(&NONE)).collect();
        let mut rising: Vec<usize> = (0..alive.len()).filter(|tree| alive[*tree]).collect();
        while let Some(tree) = rising.pop() {
            for holder in &holders[first[tree] as usize..first[tree + 1] as usize] {
                if !std::mem::replace(&mut alive[*holder as usize], true) {
                    rising.push(*holder as usize);
                }
            }
        }
        alive
    }
}
