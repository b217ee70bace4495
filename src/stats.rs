//! How much work a run did: counted and not timed, so that tests can hold it to account.

use serde::Serialize;

/// Work done, counted and not timed: the same for every run on the same input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    pub policies_parsed: u64,
    pub commits_decoded: u64,
    pub trees_diffed: u64,
    pub blobs_read: u64,
    pub bytes_read: u64,
    pub patterns_compiled: u64,
    pub blobs_skipped_binary: u64,
    /// Blobs made out of packs by their delta trees.
    pub blobs_resolved: u64,
    pub bytes_inflated: u64,
    /// Bytes copied and inserted by deltas.
    pub bytes_made: u64,
    /// Bytes of these blobs in which keywords were looked for.
    pub bytes_sifted: u64,
    /// How many of them were looked at from end to end.
    pub blobs_sifted_whole: u64,
    /// Files not read because a run before found them clean (`--cache`).
    pub blobs_seen: u64,
}
