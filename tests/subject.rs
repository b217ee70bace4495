//! What holds of the shapes that rules look at.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

use portcullis::subject::Oid;

/// Ids of submodules are free text: a table of them must not become a list.
#[test]
fn ids_that_begin_alike_are_told_apart_by_their_hashes() {
    let state = RandomState::new();
    for length in [20, 32] {
        let ids = (0..=u8::MAX).map(|last| {
            let mut raw = vec![7; length];
            raw[length - 1] = last;
            Oid::from_bytes(&raw).expect("an id")
        });
        assert_eq!(ids.map(|id| state.hash_one(id)).collect::<HashSet<_>>().len(), 256);
    }
}
