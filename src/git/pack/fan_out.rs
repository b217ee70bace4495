//! A number for every object in the packs: four bytes where an id takes twenty or more. Owns the lookup of a number by
//! id, faster than by the packs' own fan-out tables.

use std::ops::Range;
use std::path::{Path, PathBuf};

use gix::odb::pack::index::File as Index;

use super::super::Repo;
use super::forest::Pack;
use crate::error::Result;

/// The objects of all packs, numbered through pack by pack.
#[derive(Default)]
pub(crate) struct FanOut {
    packs: Vec<PackFanOut>,
    len: u32,
}

struct PackFanOut {
    path: PathBuf,
    /// The number of the pack's first object.
    first: u32,
    index: Index,
    /// Fan-out table over the first `bits` bits of the object id. It leaves a handful of ids to compare; the index's own,
    /// over eight bits, leaves thousands.
    starts: Vec<u32>,
    bits: u32,
}

impl FanOut {
    pub fn of_packs(repo: &Repo) -> Result<Self> {
        let hash = repo.thread_local().gix.object_hash();
        let (mut packs, mut len) = (Vec::new(), 0u32);
        for file in repo.pack_files()? {
            let index = Pack::open(&file, hash)?.into_index();
            // Packs beyond the last number are left out, and their objects are read one by one.
            let Some(next) = len.checked_add(index.num_objects()).filter(|n| *n < u32::MAX / 2) else { break };
            packs.push(PackFanOut::new(file, len, index));
            len = next;
        }
        Ok(Self { packs, len })
    }

    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// The number of an object; of one in several packs, that in the first of them.
    pub fn of(&self, id: &gix::hash::oid) -> Option<u32> {
        self.all(id).next()
    }

    /// All numbers of an object, one for each pack that holds it.
    pub fn all<'n>(&'n self, id: &'n gix::hash::oid) -> impl Iterator<Item = u32> + 'n {
        self.packs.iter().filter_map(|pack| Some(pack.first + pack.find(id)?))
    }

    /// Each pack's index file and the numbers of its objects.
    pub fn packs(&self) -> impl Iterator<Item = (&Path, Range<usize>)> {
        self.packs.iter().map(|pack| {
            let first = pack.first as usize;
            (pack.path.as_path(), first..first + pack.index.num_objects() as usize)
        })
    }

    pub fn id(&self, number: u32) -> &gix::hash::oid {
        let pack = &self.packs[self.packs.partition_point(|pack| pack.first <= number) - 1];
        pack.index.oid_at_index(number - pack.first)
    }
}

impl PackFanOut {
    fn new(path: PathBuf, first: u32, index: Index) -> Self {
        let bits = (u32::BITS - index.num_objects().leading_zeros()).clamp(3, 20) - 2;
        let mut starts = Vec::with_capacity((1 << bits) + 1);
        for slot in 0..index.num_objects() {
            let prefix = prefix(index.oid_at_index(slot), bits);
            while starts.len() <= prefix {
                starts.push(slot);
            }
        }
        starts.resize((1 << bits) + 1, index.num_objects());
        Self { path, first, index, starts, bits }
    }

    fn find(&self, id: &gix::hash::oid) -> Option<u32> {
        let prefix = prefix(id, self.bits);
        let candidates = self.starts[prefix]..self.starts[prefix + 1];
        // An attacker can make many ids with the same prefix.
        if candidates.len() > 64 {
            return self.index.lookup(id);
        }
        let bytes = first_bytes(id);
        candidates.into_iter().find(|slot| {
            let other = self.index.oid_at_index(*slot);
            first_bytes(other) == bytes && other == id
        })
    }
}

/// The first eight bytes of an id as a number: compared faster than bytes. The order means nothing.
fn first_bytes(id: &gix::hash::oid) -> u64 {
    id.as_bytes().first_chunk().map_or(0, |bytes| u64::from_ne_bytes(*bytes))
}

/// The first bits of an id.
fn prefix(id: &gix::hash::oid, bits: u32) -> usize {
    let bytes = id.as_bytes();
    (u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) >> (32 - bits)) as usize
}
