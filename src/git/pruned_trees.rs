//! All trees of the packs, each read once by its family of deltas and cut down to what somebody wants: blobs, submodules, and
//! the trees that hold such things at any depth. A pruned tree is a tree with fewer entries, and most have none left. Whatever
//! cannot be pruned (loose, damaged, very large) is not known here and has to be read from the store.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use gix::objs::{Kind, TreeRefIter};
use rayon::prelude::*;

use super::pack::{ObjectVisitor, Packs};
use super::{Repo, gix_id, oid};
use crate::error::Result;
use crate::subject::{DeltaResult, Oid};

/// Nothing.
const NONE: u32 = u32::MAX;
/// An object that no pack holds, or that is no object of this repository.
const ELSEWHERE: u32 = 1 << 31;
/// In the number of a name: what bears it is a tree.
const TREE: u32 = 1;

/// Trees by their ids.
pub(crate) struct PrunedTrees {
    packs: Arc<Packs>,
    /// By the number of an object: which tree it is.
    trees: Vec<u32>,
    /// Where each tree ends in `bytes`.
    ends: Vec<usize>,
    bytes: Vec<u8>,
}

impl PrunedTrees {
    pub fn read(repo: &Repo, unwanted: &(dyn Fn(Oid) -> bool + Sync)) -> Result<Self> {
        let packs = repo.packs()?;
        let hash = repo.thread_local().gix.object_hash();
        let pruner = Pruner { packs: &packs, hash, unwanted, words: RwLock::default(), wood: Mutex::default() };
        repo.read_objects(Kind::Tree, None, &pruner)?;
        let words = pruner.words.into_inner().unwrap_or_else(PoisonError::into_inner);
        let wood = pruner.wood.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(wood.pruned(words, packs))
    }

    /// A tree as an object; `None`: not known here.
    pub fn get(&self, id: Oid) -> Option<&[u8]> {
        let tree = self.trees[self.packs.numbers.of(&gix_id(id))? as usize];
        let end = *self.ends.get(tree as usize)?;
        let start = tree.checked_sub(1).map_or(0, |before| self.ends[before as usize]);
        Some(&self.bytes[start..end])
    }
}

/// An entry of a tree while others are made out of that.
#[derive(Clone, Copy)]
struct Entry {
    at: u32,
    limb: Limb,
}

/// What an entry that may stay says.
#[derive(Clone, Copy)]
struct Limb {
    /// Number of mode and name, times two, and [`TREE`]; [`NONE`] of an entry that nobody wants.
    name: u32,
    /// Number of the object, or [`ELSEWHERE`] and its place there.
    object: u32,
}

const UNWANTED: Limb = Limb { name: NONE, object: NONE };

/// Mode and name as they stand in trees, and ids that have no number.
#[derive(Default)]
struct Words {
    names: HashMap<Box<[u8]>, u32>,
    elsewhere: HashMap<Oid, u32>,
}

/// All that was read: limbs tree by tree.
#[derive(Default)]
struct Wood {
    /// Number of the object, and where its limbs end.
    trees: Vec<(u32, usize)>,
    limbs: Vec<Limb>,
}

struct Pruner<'a> {
    packs: &'a Packs,
    hash: gix::hash::Kind,
    unwanted: &'a (dyn Fn(Oid) -> bool + Sync),
    words: RwLock<Words>,
    wood: Mutex<Wood>,
}

impl ObjectVisitor for Pruner<'_> {
    /// `None`: damaged.
    type Trace = Option<Vec<Entry>>;

    fn whole(&self, bytes: &[u8]) -> Self::Trace {
        let mut out = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            at = self.entry(bytes, at, &mut out)?;
        }
        Some(out)
    }

    fn made(&self, base: &Self::Trace, made: &DeltaResult<'_>) -> Self::Trace {
        let Some(base) = base else { return self.whole(made.bytes) };
        let mut out = Vec::with_capacity(base.len() + 1);
        let mut kept = made.kept;
        let mut at = 0;
        while at < made.bytes.len() {
            while kept.first().is_some_and(|k| k.at + k.len <= at) {
                kept = &kept[1..];
            }
            let before = at;
            if let Some(run) = kept.first().filter(|k| k.at <= at)
                && let Ok(first) = base.binary_search_by_key(&(at - run.at + run.from), |e| e.at as usize)
            {
                let ends = base[first..].iter().skip(1).map(|e| e.at as usize).chain([made.base]);
                let whole = base[first..].iter().zip(ends).take_while(|(_, end)| *end <= run.from + run.len);
                for (entry, end) in whole {
                    out.push(Entry { at: at as u32, ..*entry });
                    at += end - entry.at as usize;
                }
            }
            if at == before {
                at = self.entry(made.bytes, at, &mut out)?;
            }
        }
        Some(out)
    }

    fn note(&self, _: Oid, number: u32, _: &[u8], entries: &Self::Trace) -> u8 {
        if let Some(entries) = entries {
            let limbs = entries.iter().map(|e| e.limb).filter(|limb| limb.name != NONE);
            let mut wood = self.wood.lock().unwrap_or_else(PoisonError::into_inner);
            wood.limbs.extend(limbs);
            let end = wood.limbs.len();
            wood.trees.push((number, end));
        }
        0
    }
}

impl Pruner<'_> {
    /// Reads the entry that starts here and gives its end.
    fn entry(&self, bytes: &[u8], at: usize, out: &mut Vec<Entry>) -> Option<usize> {
        let name = memchr::memchr(0, &bytes[at..])?;
        let end = at + name + 1 + self.hash.len_in_bytes();
        let entry = TreeRefIter::from_bytes(bytes.get(at..end)?, self.hash).next()?.ok()?;
        let is_tree = entry.mode.is_tree();
        let limb = if !is_tree && !entry.mode.is_commit() && (self.unwanted)(oid(entry.oid)) {
            UNWANTED
        } else {
            let name = self.name(&bytes[at..at + name]) << 1 | if is_tree { TREE } else { 0 };
            Limb { name, object: self.packs.numbers.of(entry.oid).unwrap_or_else(|| self.elsewhere(oid(entry.oid))) }
        };
        out.push(Entry { at: at as u32, limb });
        Some(end)
    }

    fn name(&self, name: &[u8]) -> u32 {
        let known = self.words.read().unwrap_or_else(PoisonError::into_inner).names.get(name).copied();
        known.unwrap_or_else(|| {
            let mut words = self.words.write().unwrap_or_else(PoisonError::into_inner);
            let next = words.names.len() as u32;
            *words.names.entry(name.into()).or_insert(next)
        })
    }

    fn elsewhere(&self, id: Oid) -> u32 {
        let mut words = self.words.write().unwrap_or_else(PoisonError::into_inner);
        let next = words.elsewhere.len() as u32;
        ELSEWHERE | *words.elsewhere.entry(id).or_insert(next)
    }
}

impl Wood {
    /// Where the limbs of a tree are.
    fn range(&self, tree: usize) -> Range<usize> {
        tree.checked_sub(1).map_or(0, |before| self.trees[before].1)..self.trees[tree].1
    }

    /// Takes away all in which nothing wanted is left.
    fn pruned(self, words: Words, packs: Arc<Packs>) -> PrunedTrees {
        let mut trees = vec![NONE; packs.numbers.len()];
        for (tree, (number, _)) in self.trees.iter().enumerate() {
            trees[*number as usize] = tree as u32;
        }
        // A tree that is not known here holds whatever it holds.
        let tree = |limb: &Limb| match limb.name & TREE != 0 && limb.object & ELSEWHERE == 0 {
            true => trees[limb.object as usize],
            false => NONE,
        };
        let below: Vec<u32> = self.limbs.par_iter().with_min_len(4096).map(tree).collect();
        let alive = self.alive(&below);
        let mut names: Vec<(Box<[u8]>, u32)> = words.names.into_iter().collect();
        names.sort_unstable_by_key(|(_, number)| *number);
        let mut elsewhere: Vec<(Oid, u32)> = words.elsewhere.into_iter().collect();
        elsewhere.sort_unstable_by_key(|(_, number)| *number);
        let (mut bytes, mut ends) = (Vec::new(), Vec::with_capacity(self.trees.len()));
        for tree in (0..self.trees.len()).map(|tree| self.range(tree)) {
            let left = tree.filter(|limb| below[*limb] == NONE || alive[below[*limb] as usize]);
            for limb in left.map(|limb| self.limbs[limb]) {
                bytes.extend_from_slice(&names[(limb.name >> 1) as usize].0);
                bytes.push(0);
                match limb.object & ELSEWHERE {
                    0 => bytes.extend_from_slice(packs.numbers.id(limb.object).as_bytes()),
                    _ => bytes.extend_from_slice(elsewhere[(limb.object & !ELSEWHERE) as usize].0.as_bytes()),
                }
            }
            ends.push(bytes.len());
        }
        PrunedTrees { packs, trees, ends, bytes }
    }

    /// Which trees hold something wanted, at any depth: upwards from those that hold it themselves.
    fn alive(&self, below: &[u32]) -> Vec<bool> {
        let held =
            |tree: usize| below[self.range(tree)].iter().filter(|held| **held != NONE).map(|held| *held as usize);
        // Who holds each tree: `holders[first[t]..first[t + 1]]`.
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
