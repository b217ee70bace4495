//! How tests run the engine without a command line.

use portcullis::engine::{BlobReading, RunConfig};
use portcullis::policy::Compiled;

/// Two threads, no protected branch, no cache.
pub fn run_config(checks: &Compiled, blob_reading: BlobReading) -> RunConfig<'_> {
    RunConfig { checks, protected: &[], path_budget: 1_000_000, threads: 2, blob_reading, clean_cache: None }
}
