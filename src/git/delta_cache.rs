//! A cache of objects that a thread has resolved from deltas, for the next delta on them. Without it each version of a
//! file would be resolved from the start of its chain. It works if objects are read in the order of the packs, the newest
//! first; that is up to the callers.

use std::collections::{HashMap, VecDeque};

use gix::objs::Kind;
use gix::odb::pack::cache::DecodeEntry;

/// The most bytes that one thread keeps.
const CAPACITY: usize = 24 << 20;

/// Pack and offset of an object.
type PackOffset = (u32, u64);

struct CachedObject {
    bytes: Vec<u8>,
    kind: Kind,
    compressed: usize,
}

/// First in, first out: neighbours in a chain are read soon, or not at all.
#[derive(Default)]
pub(super) struct DeltaCache {
    objects: HashMap<PackOffset, CachedObject>,
    order: VecDeque<PackOffset>,
    used: usize,
}

impl DecodeEntry for DeltaCache {
    fn put(&mut self, pack_id: u32, offset: u64, data: &[u8], kind: Kind, compressed_size: usize) {
        let key = (pack_id, offset);
        // A large object would evict everything else.
        if data.len() > CAPACITY / 4 || self.objects.contains_key(&key) {
            return;
        }
        self.used += data.len();
        while self.used > CAPACITY {
            let Some(oldest) = self.order.pop_front() else { break };
            self.used -= self.objects.remove(&oldest).map_or(0, |o| o.bytes.len());
        }
        self.order.push_back(key);
        self.objects.insert(key, CachedObject { bytes: data.to_vec(), kind, compressed: compressed_size });
    }

    fn get(&mut self, pack_id: u32, offset: u64, out: &mut Vec<u8>) -> Option<(Kind, usize)> {
        let object = self.objects.get(&(pack_id, offset))?;
        out.clear();
        out.extend_from_slice(&object.bytes);
        Some((object.kind, object.compressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_evicted_and_large_objects_are_not_cached() {
        let mut delta_cache = DeltaCache::default();
        let (mut out, quarter) = (Vec::new(), vec![7; CAPACITY / 4]);
        for offset in 0..5 {
            delta_cache.put(1, offset, &quarter, Kind::Blob, 3);
        }
        assert_eq!(delta_cache.get(1, 0, &mut out), None);
        assert_eq!(delta_cache.get(1, 4, &mut out), Some((Kind::Blob, 3)));
        assert_eq!(out, quarter);
        assert_eq!(delta_cache.get(2, 4, &mut out), None);
        delta_cache.put(1, 9, &vec![7; CAPACITY / 4 + 1], Kind::Blob, 3);
        assert_eq!(delta_cache.get(1, 9, &mut out), None);
        assert!(delta_cache.used <= CAPACITY && delta_cache.objects.len() == delta_cache.order.len());
    }
}
