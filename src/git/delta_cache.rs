//! Objects that a thread has objects out of deltas, kept for the next delta that stands on them. Without them each
//! version of a file would be objects from the beginning of its chain. Owns no policy of order: who reads many objects
//! reads the newest first, as packs have them.

use std::collections::{HashMap, VecDeque};

use gix::objs::Kind;
use gix::odb::pack::cache::DecodeEntry;

/// Bytes that one thread keeps at most.
const ROOM: usize = 24 << 20;

/// Where an object stands: pack and offset.
type PackOffset = (u32, u64);

struct CachedObject {
    bytes: Vec<u8>,
    kind: Kind,
    compressed: usize,
}

/// First in, first out: neighbours in a chain are asked for soon, or not at all.
#[derive(Default)]
pub(super) struct DeltaCache {
    objects: HashMap<PackOffset, CachedObject>,
    order: VecDeque<PackOffset>,
    used: usize,
}

impl DecodeEntry for DeltaCache {
    fn put(&mut self, pack_id: u32, offset: u64, data: &[u8], kind: Kind, compressed_size: usize) {
        let place = (pack_id, offset);
        // One that fills a good part of the room would throw out everything else.
        if data.len() > ROOM / 4 || self.objects.contains_key(&place) {
            return;
        }
        self.used += data.len();
        while self.used > ROOM {
            let Some(oldest) = self.order.pop_front() else { break };
            self.used -= self.objects.remove(&oldest).map_or(0, |m| m.bytes.len());
        }
        self.order.push_back(place);
        self.objects.insert(place, CachedObject { bytes: data.to_vec(), kind, compressed: compressed_size });
    }

    fn get(&mut self, pack_id: u32, offset: u64, out: &mut Vec<u8>) -> Option<(Kind, usize)> {
        let objects = self.objects.get(&(pack_id, offset))?;
        out.clear();
        out.extend_from_slice(&objects.bytes);
        Some((objects.kind, objects.compressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_make_room_and_the_largest_stay_out() {
        let mut delta_cache = DeltaCache::default();
        let (mut out, quarter) = (Vec::new(), vec![7; ROOM / 4]);
        for offset in 0..5 {
            delta_cache.put(1, offset, &quarter, Kind::Blob, 3);
        }
        assert_eq!(delta_cache.get(1, 0, &mut out), None);
        assert_eq!(delta_cache.get(1, 4, &mut out), Some((Kind::Blob, 3)));
        assert_eq!(out, quarter);
        assert_eq!(delta_cache.get(2, 4, &mut out), None);
        delta_cache.put(1, 9, &vec![7; ROOM / 4 + 1], Kind::Blob, 3);
        assert_eq!(delta_cache.get(1, 9, &mut out), None);
        assert!(delta_cache.used <= ROOM && delta_cache.objects.len() == delta_cache.order.len());
    }
}
