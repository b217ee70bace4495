//! Many objects at once, read as packs keep them: families of deltas, each object made once out of the one it stands on.
//! Owns which packs are read for which objects. What is looked for in them is the caller's; whatever no pack here holds
//! (loose objects, very large ones) is left to be asked for by id.

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
use self::forest::{Forest, Pack, Survey};
use self::walk::Walk;
use super::{Repo, ThreadRepo, gix_id, oid, unreadable};
use crate::error::{Error, Result};
use crate::subject::{DeltaResult, ObjectKind, Oid};

/// Who looks at the objects of one kind, on any thread, each base before what stands on it.
pub trait ObjectVisitor: Sync {
    /// What is remembered of an object while others stand on it.
    type Trace: Send + Sync;

    /// An object of which nothing is known.
    fn whole(&self, bytes: &[u8]) -> Self::Trace;

    /// An object that was made out of one that was read.
    fn made(&self, base: &Self::Trace, made: &DeltaResult<'_>) -> Self::Trace;

    /// What shall be known of an object in the end; not [`NOTHING`]. `number` is its number among all objects of all packs.
    fn note(&self, id: Oid, number: u32, bytes: &[u8], trace: &Self::Trace) -> u8;
}

/// The note on an object that was not read.
pub const NOTHING: u8 = u8::MAX;

/// Work done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Objects that were asked for and made.
    pub resolved: u64,
    /// Bytes inflated: objects stored whole, and deltas.
    pub inflated: u64,
    /// Bytes made by deltas.
    pub made: u64,
}

/// The packs, as far as they are known.
#[derive(Default)]
pub(super) struct Packs {
    pub numbers: FanOut,
    /// Of each pack that was read.
    surveys: Vec<OnceLock<Survey>>,
}

/// What was noted of each object.
#[derive(Default)]
pub struct ObjectTags {
    packs: Arc<Packs>,
    /// By its number.
    said: Vec<AtomicU8>,
}

impl ObjectTags {
    pub fn get(&self, id: Oid) -> Option<u8> {
        let id = gix_id(id);
        let mut said = self.packs.numbers.all(&id).map(|number| self.said[number as usize].load(Ordering::Relaxed));
        said.find(|note| *note != NOTHING)
    }
}

/// A pack is read for this share of its objects; fewer are found faster one by one.
const SHARE: u64 = 64;

impl Repo {
    /// Reads blobs that stand in packs: those of `wanted` (sorted), or all. A pack that holds few of them is left out. Damage
    /// is an error even where nothing wanted is lost: what cannot be read cannot be judged.
    pub fn read_packs<R: ObjectVisitor>(&self, wanted: Option<&[Oid]>, reading: &R) -> Result<(ObjectTags, Counts)> {
        self.read_objects(Kind::Blob, wanted, reading)
    }

    /// The same of objects of any kind.
    pub(super) fn read_objects<R: ObjectVisitor>(
        &self,
        kind: Kind,
        wanted: Option<&[Oid]>,
        reading: &R,
    ) -> Result<(ObjectTags, Counts)> {
        let local = self.thread_local();
        let hash = local.gix.object_hash();
        let mut counts = Counts::default();
        let packs = self.packs()?;
        let said: Vec<AtomicU8> = (0..packs.numbers.len()).map(|_| AtomicU8::new(NOTHING)).collect();
        // An object can stand in several packs.
        let mut seen: HashSet<Oid> = HashSet::new();
        let several = packs.surveys.len() > 1;
        for ((file, range), survey) in packs.numbers.packs().zip(&packs.surveys) {
            let (first, said) = (range.start as u32, &said[range]);
            let pack = Pack::open(file, hash)?;
            if pack.len() as usize != said.len() {
                return Err(Error::undecided(format!("the pack {} changed while it was read", file.display())));
            }
            let is_wanted = |id: &gix::hash::oid| {
                let id = oid(id);
                wanted.is_none_or(|w| w.binary_search(&id).is_ok()) && !seen.contains(&id)
            };
            if wanted.is_some_and(|w| (w.len() as u64).saturating_mul(SHARE) < u64::from(pack.len())) {
                continue;
            }
            let survey = match survey.get() {
                Some(survey) => survey,
                None => {
                    let new = Survey::of(&pack, |id| local.object(id).map(|(kind, _)| kind))?;
                    survey.get_or_init(|| new)
                }
            };
            let forest = Forest::grow(&pack, survey, kind, &is_wanted);
            if wanted.is_some() && forest.total() * SHARE < u64::from(pack.len()) {
                continue;
            }
            let done = Walk::new(self, &forest, reading, (first, said)).run()?;
            counts.resolved += done.resolved;
            counts.inflated += done.inflated;
            counts.made += done.made;
            if several {
                let read = (0..pack.len()).filter(|s| said[*s as usize].load(Ordering::Relaxed) != NOTHING);
                seen.extend(read.map(|s| oid(pack.id(s))));
            }
        }
        Ok((ObjectTags { packs, said }, counts))
    }

    /// The kinds of the objects that stand in packs of the quarantine. Asked one by one, each object would be followed along its
    /// whole chain of deltas.
    pub(super) fn kinds_in_quarantine(&self, local: &ThreadRepo<'_>) -> Result<HashMap<Oid, ObjectKind>> {
        let mut files = Vec::new();
        if let Some(quarantine) = self.quarantine() {
            list(&quarantine.objects().join("pack"), &mut files)?;
        }
        let mut kinds = HashMap::new();
        for file in files {
            let pack = Pack::open(&file, local.gix.object_hash())?;
            let survey = Survey::of(&pack, |id| local.object(id).map(|(kind, _)| kind))?;
            kinds.extend(survey.kinds().map(|(slot, kind)| (oid(pack.id(slot)), kind.into())));
        }
        Ok(kinds)
    }

    /// The packs that are here now; later ones are not seen any more.
    pub(super) fn packs(&self) -> Result<Arc<Packs>> {
        let open = || {
            let numbers = FanOut::of_packs(self)?;
            let surveys = numbers.packs().map(|_| OnceLock::new()).collect();
            Ok(Arc::new(Packs { numbers, surveys }))
        };
        self.packs.get_or_init(open).clone()
    }

    /// The pack in which an object is stored whole, and where in it its compressed data begins.
    pub(super) fn stored_whole(&self, id: Oid) -> Result<Option<(PathBuf, u64)>> {
        let hash = self.thread_local().gix.object_hash();
        for file in self.pack_files()? {
            if let Some(offset) = Pack::open(&file, hash)?.stored_whole(id)? {
                return Ok(Some((file.with_extension("pack"), offset)));
            }
        }
        Ok(None)
    }

    /// The indices of all packs, of this repository and of those whose objects it shares.
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

/// Adds the indices of a directory, sorted by name.
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
        // An index without its pack is about to go.
        if path.extension().is_some_and(|e| e == "idx") && path.with_extension("pack").exists() {
            out.push(path);
        }
    }
    out[first..].sort_unstable();
    Ok(())
}
