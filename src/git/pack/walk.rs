//! Resolves the objects of a forest on all threads, each once, bases first. Owns the order of the work and with it the
//! memory: an object is dropped once the last delta on it is resolved, and light subtrees are resolved before the
//! heaviest, so that a thread holds at most log2(n) objects of a delta tree with n.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::delta::{self, Damage};
use super::forest::{Forest, Stored};
use super::{Counts, ObjectVisitor};
use crate::error::{Error, Result};
use crate::git::{Repo, ThreadRepo, oid};
use crate::subject::{CopiedRun, DeltaResult};

/// Larger objects, and the deltas on them, are not visited: they are read by id if anyone wants them.
const MAX_OBJECT: usize = 256 << 20;
/// Bytes of buffers that a thread keeps for its next objects.
const MAX_SPARE: usize = 16 << 20;

/// An object that is the base of others.
struct BaseObject<T> {
    bytes: Vec<u8>,
    state: T,
}

/// Buffers that one job leaves to the next.
#[derive(Default)]
struct Scratch {
    inflate: gix::zlib::Inflate,
    entry: Vec<u8>,
    copied: Vec<CopiedRun>,
    /// The deltas on the object at hand.
    next: Vec<u32>,
    spare: Vec<Vec<u8>>,
}

pub(super) struct DeltaWalk<'w, V: ObjectVisitor> {
    pub repo: &'w Repo,
    pub forest: &'w Forest<'w>,
    pub visitor: &'w V,
    /// The number of the index's first entry in the fan-out table, and a label for each entry.
    pub labels: (u32, &'w [AtomicU8]),
    scratch: Mutex<Vec<Scratch>>,
    resolved: AtomicU64,
    inflated: AtomicU64,
    from_deltas: AtomicU64,
    /// The damage with the lowest offset, so that the error does not depend on the number of threads.
    error: Mutex<Option<(u32, Error)>>,
}

impl<'w, V: ObjectVisitor> DeltaWalk<'w, V> {
    pub fn new(repo: &'w Repo, forest: &'w Forest<'w>, visitor: &'w V, labels: (u32, &'w [AtomicU8])) -> Self {
        let (scratch, error) = (Mutex::default(), Mutex::default());
        let zero = AtomicU64::default;
        Self { repo, forest, visitor, labels, scratch, resolved: zero(), inflated: zero(), from_deltas: zero(), error }
    }

    pub fn run(self) -> Result<Counts> {
        rayon::scope(|scope| {
            for root in &self.forest.roots {
                let walk = &self;
                let root = *root;
                scope.spawn(move |scope| walk.resolve(root, None, scope));
            }
        });
        if let Some((_, error)) = self.error.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error);
        }
        Ok(Counts {
            resolved: self.resolved.into_inner(),
            inflated: self.inflated.into_inner(),
            from_deltas: self.from_deltas.into_inner(),
        })
    }

    /// Resolves an object and all deltas on it: a chain in a loop, branches as jobs of their own.
    fn resolve<'s>(&'s self, mut node: u32, mut base: Option<Arc<BaseObject<V::State>>>, scope: &rayon::Scope<'s>) {
        let mut scratch = lock(&self.scratch).pop().unwrap_or_default();
        loop {
            let object = self.object(node, base.as_deref(), &mut scratch);
            if let Some(base) = base.take().and_then(Arc::into_inner) {
                scratch.keep(base.bytes);
            }
            let object = match object {
                Ok(Some(object)) => object,
                Ok(None) => break,
                Err(error) => {
                    let mut first = lock(&self.error);
                    if first.as_ref().is_none_or(|(at, _)| node < *at) {
                        *first = Some((node, error));
                    }
                    break;
                }
            };
            self.forest.deltas_on(node, &mut scratch.next);
            let object = match &scratch.next[..] {
                [] => {
                    scratch.keep(object.bytes);
                    break;
                }
                [only] => {
                    (node, base) = (*only, Some(Arc::new(object)));
                    continue;
                }
                _ => Arc::new(object),
            };
            for child in scratch.next.iter().rev() {
                let (child, base) = (*child, Arc::clone(&object));
                scope.spawn(move |scope| self.resolve(child, Some(base), scope));
            }
            break;
        }
        lock(&self.scratch).push(scratch);
    }

    /// `None`: too large.
    fn object(
        &self,
        node: u32,
        base: Option<&BaseObject<V::State>>,
        scratch: &mut Scratch,
    ) -> Result<Option<BaseObject<V::State>>> {
        let damaged = |why: Damage| self.forest.damaged(node, &why);
        let stored = self.forest.stored(node);
        let mut bytes = scratch.spare.pop().unwrap_or_default();
        let state = match (&stored, base) {
            (Stored::Whole, _) => {
                if !self.forest.inflate(node, MAX_OBJECT, &mut scratch.inflate, &mut bytes).map_err(damaged)? {
                    return Ok(None);
                }
                self.inflated.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                self.visitor.read_whole(&bytes)
            }
            (Stored::Delta | Stored::DeltaOnOther, _) => {
                if !self.forest.inflate(node, MAX_OBJECT, &mut scratch.inflate, &mut scratch.entry).map_err(damaged)? {
                    return Ok(None);
                }
                self.inflated.fetch_add(scratch.entry.len() as u64, Ordering::Relaxed);
                let (from, result) = delta::sizes(&scratch.entry).map_err(damaged)?;
                if from.max(result) > MAX_OBJECT {
                    return Ok(None);
                }
                let found;
                let base = match base {
                    Some(base) => base,
                    None => {
                        let id = self.forest.named_base(node).map_err(damaged)?;
                        found = self.other_base(&self.repo.thread_local(), id)?;
                        &found
                    }
                };
                delta::apply(&base.bytes, &scratch.entry, &mut bytes, &mut scratch.copied).map_err(damaged)?;
                self.from_deltas.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                let delta = DeltaResult { bytes: &bytes, base_len: base.bytes.len(), copied: &scratch.copied };
                self.visitor.read_delta(&base.state, &delta)
            }
        };
        if self.forest.is_wanted(node) {
            self.resolved.fetch_add(1, Ordering::Relaxed);
            let slot = self.forest.slot(node);
            let (first, labels) = self.labels;
            let label = self.visitor.label(oid(self.forest.pack.id(slot)), first + slot, &bytes, &state);
            labels[slot as usize].store(label, Ordering::Relaxed);
        }
        Ok(Some(BaseObject { bytes, state }))
    }

    /// Reads a base that another pack or a loose object holds.
    fn other_base(&self, local: &ThreadRepo<'_>, id: crate::subject::Oid) -> Result<BaseObject<V::State>> {
        let (_, bytes) = local.object(id)?;
        let state = self.visitor.read_whole(&bytes);
        Ok(BaseObject { bytes, state })
    }
}

impl Scratch {
    fn keep(&mut self, buffer: Vec<u8>) {
        let used: usize = self.spare.iter().map(Vec::capacity).sum();
        if used + buffer.capacity() <= MAX_SPARE && self.spare.len() < 8 {
            self.spare.push(buffer);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
