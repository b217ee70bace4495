//! Reads many objects at once, pack by pack: each object is resolved once, from the base of its delta. Owns which packs
//! are read for which objects. A visitor gets the objects; those that no pack holds, and very large ones, have to be
//! read by their ids.

mod delta;
mod fan_out;
mod forest;
mod walk;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use gix::objs::Kind;

use self::fan_out::FanOut;
use self::forest::{Forest, Pack, PackEntries};
use self::walk::DeltaWalk;
use super::{Repo, ThreadRepo, gix_id, oid, unreadable};
use crate::error::{Error, Result};
use crate::subject::{DeltaResult, ObjectKind, Oid};

/// Visits all wanted objects of one kind, on any thread, each base before the deltas on it.
pub trait ObjectVisitor: Sync {
    /// What the visitor keeps of an object for the deltas on it.
    type State: Send + Sync;

    /// Reads an object that is stored whole.
    fn read_whole(&self, bytes: &[u8]) -> Self::State;

    /// Reads an object that was resolved from a base which was read before.
    fn read_delta(&self, base: &Self::State, delta: &DeltaResult<'_>) -> Self::State;

    /// The label to keep of a wanted object; any but [`UNLABELLED`]. `number`: its number in the [`FanOut`].
    fn label(&self, id: Oid, number: u32, bytes: &[u8], trace: &Self::State) -> u8;
}

/// The label of an object that was not read.
pub const UNLABELLED: u8 = u8::MAX;

/// Work done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Wanted objects that were read.
    pub resolved: u64,
    /// Bytes inflated: objects stored whole, and deltas.
    pub inflated: u64,
    /// Bytes of objects resolved from deltas.
    pub from_deltas: u64,
}

/// All packs, with the entries of those that were read.
#[derive(Default)]
pub(super) struct Packs {
    pub fan_out: FanOut,
    /// For each pack.
    entries: Vec<OnceLock<PackEntries>>,
}

/// A label for each object that was read.
#[derive(Default)]
pub struct ObjectLabels {
    packs: Arc<Packs>,
    /// By object number.
    labels: Vec<AtomicU8>,
}

impl ObjectLabels {
    pub fn get(&self, id: Oid) -> Option<u8> {
        let id = gix_id(id);
        let mut labels = self.packs.fan_out.all(&id).map(|number| self.labels[number as usize].load(Ordering::Relaxed));
        labels.find(|label| *label != UNLABELLED)
    }
}

/// A pack is read if at least one in this many of its objects is wanted; fewer are read faster one by one.
const ONE_IN: u64 = 64;

impl Repo {
    /// Visits the blobs in packs: those of `wanted` (sorted), or all. A pack that holds few of them is left out. A damaged
    /// pack is an error even if no wanted blob is affected: what cannot be read cannot be judged.
    pub fn read_packs<V: ObjectVisitor>(&self, wanted: Option<&[Oid]>, visitor: &V) -> Result<(ObjectLabels, Counts)> {
        self.read_objects(Kind::Blob, wanted, visitor)
    }

    /// The same for objects of any kind.
    pub(super) fn read_objects<V: ObjectVisitor>(
        &self,
        kind: Kind,
        wanted: Option<&[Oid]>,
        visitor: &V,
    ) -> Result<(ObjectLabels, Counts)> {
        let local = self.thread_local();
        let hash = local.gix.object_hash();
        let mut counts = Counts::default();
        let packs = self.packs()?;
        let labels: Vec<AtomicU8> = (0..packs.fan_out.len()).map(|_| AtomicU8::new(UNLABELLED)).collect();
        // An object can be in several packs.
        let mut seen: HashSet<Oid> = HashSet::new();
        let several = packs.entries.len() > 1;
        for ((file, range), entries) in packs.fan_out.packs().zip(&packs.entries) {
            let (first, labels) = (range.start as u32, &labels[range]);
            let pack = Pack::open(file, hash)?;
            if pack.len() as usize != labels.len() {
                return Err(Error::undecided(format!("the pack {} changed while it was read", file.display())));
            }
            let is_wanted = |id: &gix::hash::oid| {
                let id = oid(id);
                wanted.is_none_or(|w| w.binary_search(&id).is_ok()) && !seen.contains(&id)
            };
            if wanted.is_some_and(|w| (w.len() as u64).saturating_mul(ONE_IN) < u64::from(pack.len())) {
                continue;
            }
            let entries = match entries.get() {
                Some(entries) => entries,
                None => {
                    let new = PackEntries::of(&pack, |id| local.object(id).map(|(kind, _)| kind))?;
                    entries.get_or_init(|| new)
                }
            };
            let forest = Forest::new(&pack, entries, kind, &is_wanted);
            if wanted.is_some() && forest.total() * ONE_IN < u64::from(pack.len()) {
                continue;
            }
            let done = DeltaWalk::new(self, &forest, visitor, (first, labels)).run()?;
            counts.resolved += done.resolved;
            counts.inflated += done.inflated;
            counts.from_deltas += done.from_deltas;
            if several {
                let read = (0..pack.len()).filter(|s| labels[*s as usize].load(Ordering::Relaxed) != UNLABELLED);
                seen.extend(read.map(|s| oid(pack.id(s))));
            }
        }
        Ok((ObjectLabels { packs, labels }, counts))
    }

    /// The kinds of all objects in the quarantine's packs. Looked up one by one, each would cost a walk of its delta chain.
    pub(super) fn kinds_in_quarantine(&self, local: &ThreadRepo<'_>) -> Result<HashMap<Oid, ObjectKind>> {
        let mut files = Vec::new();
        if let Some(quarantine) = self.quarantine() {
            list(&quarantine.objects().join("pack"), &mut files)?;
        }
        let mut kinds = HashMap::new();
        for file in files {
            let pack = Pack::open(&file, local.gix.object_hash())?;
            let entries = PackEntries::of(&pack, |id| local.object(id).map(|(kind, _)| kind))?;
            kinds.extend(entries.kinds().map(|(slot, kind)| (oid(pack.id(slot)), kind.into())));
        }
        Ok(kinds)
    }

    /// The packs at the time of the first call; later ones are not seen.
    pub(super) fn packs(&self) -> Result<Arc<Packs>> {
        let open = || {
            let fan_out = FanOut::of_packs(self)?;
            let entries = fan_out.packs().map(|_| OnceLock::new()).collect();
            Ok(Arc::new(Packs { fan_out, entries }))
        };
        self.packs.get_or_init(open).clone()
    }

    /// The pack in which an object is stored whole, and the offset of its compressed data there.
    pub(super) fn stored_whole(&self, id: Oid) -> Result<Option<(PathBuf, u64)>> {
        let hash = self.thread_local().gix.object_hash();
        for file in self.pack_files()? {
            if let Some(offset) = Pack::open(&file, hash)?.stored_whole(id)? {
                return Ok(Some((file.with_extension("pack"), offset)));
            }
        }
        Ok(None)
    }

    /// The index files of all packs, alternates included.
    fn pack_files(&self) -> Result<Vec<PathBuf>> {
        let local = self.thread_local();
        let store = local.gix.objects.store_ref();
        let alternates = store.alternate_db_paths().map_err(unreadable("the alternates cannot be read"))?;
        let mut out = Vec::new();
        for objects in std::iter::once(store.path().to_owned()).chain(alternates) {
            list(&objects.join("pack"), &mut out)?;
        }
        Ok(out)
    }
}

/// Adds a directory's index files, sorted by name.
fn list(directory: &Path, out: &mut Vec<PathBuf>) -> Result<()> {
    let cannot = || format!("cannot list {}", directory.display());
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(unreadable(cannot())(e)),
    };
    let first = out.len();
    for entry in entries {
        let path = entry.map_err(unreadable(cannot()))?.path();
        // An index without its pack is about to be deleted.
        if path.extension().is_some_and(|e| e == "idx") && path.with_extension("pack").exists() {
            out.push(path);
        }
    }
    out[first..].sort_unstable();
    Ok(())
}
