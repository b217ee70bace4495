//! Makes the objects of a forest, each once, its bases first, on all threads. Owns the order of the work and with it the
//! memory: an object is let go as soon as the last one that stands on it was made, and lighter families are made before
//! the heaviest, so that a thread holds no more objects at a time than a family has doublings.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::delta::{self, Damage};
use super::forest::{Forest, Stored};
use super::{Counts, ObjectVisitor};
use crate::error::{Error, Result};
use crate::git::{Repo, ThreadRepo, oid};
use crate::subject::{CopiedRun, DeltaResult};

/// Objects larger than this are left to whoever asks for one of them, and so is what stands on them.
const LARGEST: usize = 256 << 20;
/// Buffers that are kept for the next objects, in bytes.
const SPARE: usize = 16 << 20;

/// An object while others stand on it.
struct Held<T> {
    bytes: Vec<u8>,
    trace: T,
}

/// What one job needs and leaves to the next.
#[derive(Default)]
struct Scratch {
    inflate: gix::zlib::Inflate,
    entry: Vec<u8>,
    kept: Vec<CopiedRun>,
    /// What has to be made out of the object at hand.
    next: Vec<u32>,
    spare: Vec<Vec<u8>>,
}

pub(super) struct Walk<'w, R: ObjectVisitor> {
    pub repo: &'w Repo,
    pub forest: &'w Forest<'w>,
    pub reading: &'w R,
    /// The number of the index's first entry among those of all packs, and what is said of each entry.
    pub notes: (u32, &'w [AtomicU8]),
    scratch: Mutex<Vec<Scratch>>,
    resolved: AtomicU64,
    inflated: AtomicU64,
    made: AtomicU64,
    /// The damage that comes first in the pack, so that it is the same for any number of threads.
    error: Mutex<Option<(u32, Error)>>,
}

impl<'w, R: ObjectVisitor> Walk<'w, R> {
    pub fn new(repo: &'w Repo, forest: &'w Forest<'w>, reading: &'w R, notes: (u32, &'w [AtomicU8])) -> Self {
        let (scratch, error) = (Mutex::default(), Mutex::default());
        let zero = AtomicU64::default;
        Self { repo, forest, reading, notes, scratch, resolved: zero(), inflated: zero(), made: zero(), error }
    }

    /// Makes all.
    pub fn run(self) -> Result<Counts> {
        rayon::scope(|scope| {
            for root in &self.forest.roots {
                let walk = &self;
                let root = *root;
                scope.spawn(move |scope| walk.family(root, None, scope));
            }
        });
        if let Some((_, error)) = self.error.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error);
        }
        Ok(Counts {
            resolved: self.resolved.into_inner(),
            inflated: self.inflated.into_inner(),
            made: self.made.into_inner(),
        })
    }

    /// Makes one object and what stands on it: a chain in a loop, branches as jobs of their own.
    fn family<'s>(&'s self, mut node: u32, mut base: Option<Arc<Held<R::Trace>>>, scope: &rayon::Scope<'s>) {
        let mut scratch = lock(&self.scratch).pop().unwrap_or_default();
        loop {
            let made = self.object(node, base.as_deref(), &mut scratch);
            if let Some(base) = base.take().and_then(Arc::into_inner) {
                scratch.keep(base.bytes);
            }
            let held = match made {
                Ok(Some(held)) => held,
                Ok(None) => break,
                Err(error) => {
                    let mut first = lock(&self.error);
                    if first.as_ref().is_none_or(|(at, _)| node < *at) {
                        *first = Some((node, error));
                    }
                    break;
                }
            };
            self.forest.on(node, &mut scratch.next);
            let held = match &scratch.next[..] {
                [] => {
                    scratch.keep(held.bytes);
                    break;
                }
                [only] => {
                    (node, base) = (*only, Some(Arc::new(held)));
                    continue;
                }
                _ => Arc::new(held),
            };
            for child in scratch.next.iter().rev() {
                let (child, base) = (*child, Arc::clone(&held));
                scope.spawn(move |scope| self.family(child, Some(base), scope));
            }
            break;
        }
        lock(&self.scratch).push(scratch);
    }

    /// `None`: too large.
    fn object(
        &self,
        node: u32,
        base: Option<&Held<R::Trace>>,
        scratch: &mut Scratch,
    ) -> Result<Option<Held<R::Trace>>> {
        let damaged = |why: Damage| self.forest.damaged(node, &why);
        let stored = self.forest.stored(node);
        let mut bytes = scratch.spare.pop().unwrap_or_default();
        let trace = match (&stored, base) {
            (Stored::Whole, _) => {
                if !self.forest.inflate(node, LARGEST, &mut scratch.inflate, &mut bytes).map_err(damaged)? {
                    return Ok(None);
                }
                self.inflated.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                self.reading.whole(&bytes)
            }
            (Stored::Delta | Stored::DeltaOn, _) => {
                if !self.forest.inflate(node, LARGEST, &mut scratch.inflate, &mut scratch.entry).map_err(damaged)? {
                    return Ok(None);
                }
                self.inflated.fetch_add(scratch.entry.len() as u64, Ordering::Relaxed);
                let (from, result) = delta::sizes(&scratch.entry).map_err(damaged)?;
                if from.max(result) > LARGEST {
                    return Ok(None);
                }
                let found;
                let base = match base {
                    Some(base) => base,
                    None => {
                        let id = self.forest.named_base(node).map_err(damaged)?;
                        found = self.elsewhere(&self.repo.thread_local(), id)?;
                        &found
                    }
                };
                delta::apply(&base.bytes, &scratch.entry, &mut bytes, &mut scratch.kept).map_err(damaged)?;
                self.made.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                let made = DeltaResult { bytes: &bytes, base: base.bytes.len(), kept: &scratch.kept };
                self.reading.made(&base.trace, &made)
            }
        };
        if self.forest.is_wanted(node) {
            self.resolved.fetch_add(1, Ordering::Relaxed);
            let slot = self.forest.slot(node);
            let (first, notes) = self.notes;
            let note = self.reading.note(oid(self.forest.pack.id(slot)), first + slot, &bytes, &trace);
            notes[slot as usize].store(note, Ordering::Relaxed);
        }
        Ok(Some(Held { bytes, trace }))
    }

    fn elsewhere(&self, local: &ThreadRepo<'_>, id: crate::subject::Oid) -> Result<Held<R::Trace>> {
        let (_, bytes) = local.object(id)?;
        let trace = self.reading.whole(&bytes);
        Ok(Held { bytes, trace })
    }
}

impl Scratch {
    fn keep(&mut self, buffer: Vec<u8>) {
        let used: usize = self.spare.iter().map(Vec::capacity).sum();
        if used + buffer.capacity() <= SPARE && self.spare.len() < 8 {
            self.spare.push(buffer);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
