//! A number for every object that some pack holds: four bytes where an id takes twenty or more. Owns the counting only.

use std::ops::Range;
use std::path::{Path, PathBuf};

use gix::odb::pack::index::File as Index;

use super::super::Repo;
use super::forest::Pack;
use crate::error::Result;

/// The indices of all packs, one after the other.
#[derive(Default)]
pub(crate) struct FanOut {
    packs: Vec<PackFanOut>,
    len: u32,
}

struct PackFanOut {
    path: PathBuf,
    /// The number of its first object.
    first: u32,
    index: Index,
    /// Where the ids begin that begin with each number of so many bits: a handful of ids is left to compare, where the
    /// index itself leaves thousands.
    begins: Vec<u32>,
    bits: u32,
}

impl FanOut {
    pub fn of_packs(repo: &Repo) -> Result<Self> {
        let hash = repo.thread_local().gix.object_hash();
        let (mut packs, mut len) = (Vec::new(), 0u32);
        for file in repo.pack_files()? {
            let index = Pack::open(&file, hash)?.into_index();
            // Whoever has more objects than there are numbers gets none for the rest, and has them read one by one.
            let Some(next) = len.checked_add(index.num_objects()).filter(|n| *n < u32::MAX / 2) else { break };
            packs.push(PackFanOut::new(file, len, index));
            len = next;
        }
        Ok(Self { packs, len })
    }

    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// An object that stands in several packs has the number that the first of them gives it.
    pub fn of(&self, id: &gix::hash::oid) -> Option<u32> {
        self.all(id).next()
    }

    /// All numbers of an object, one for each pack in which it stands.
    pub fn all<'n>(&'n self, id: &'n gix::hash::oid) -> impl Iterator<Item = u32> + 'n {
        self.packs.iter().filter_map(|pack| Some(pack.first + pack.find(id)?))
    }

    /// Each pack's index and the numbers of its objects.
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
        let mut begins = Vec::with_capacity((1 << bits) + 1);
        for slot in 0..index.num_objects() {
            let head = head(index.oid_at_index(slot), bits);
            while begins.len() <= head {
                begins.push(slot);
            }
        }
        begins.resize((1 << bits) + 1, index.num_objects());
        Self { path, first, index, begins, bits }
    }

    fn find(&self, id: &gix::hash::oid) -> Option<u32> {
        let head = head(id, self.bits);
        let alike = self.begins[head]..self.begins[head + 1];
        // Somebody may have taken pains to make many ids begin alike.
        if alike.len() > 64 {
            return self.index.lookup(id);
        }
        let begins = first(id);
        alike.into_iter().find(|slot| {
            let other = self.index.oid_at_index(*slot);
            first(other) == begins && other == id
        })
    }
}

/// The first bytes of an id as a number, in no order that means anything: told apart faster than as bytes.
fn first(id: &gix::hash::oid) -> u64 {
    id.as_bytes().first_chunk().map_or(0, |bytes| u64::from_ne_bytes(*bytes))
}

/// The first bits of an id.
fn head(id: &gix::hash::oid, bits: u32) -> usize {
    let bytes = id.as_bytes();
    (u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) >> (32 - bits)) as usize
}
