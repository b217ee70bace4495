//! Scanning: from bytes to hits. Keywords first, patterns near them, one hit for one secret; for large files in chunks, and
//! for many versions of one file incrementally.

pub mod chunks;
mod dedupe;
mod form;
mod hotspots;
pub mod incremental;
pub mod prefilter;
pub mod scanner;
mod text_scan;
pub mod trigrams;

pub use prefilter::Prefilter;
pub use scanner::{Hit, Scanner, built_in};
