//! Differences of trees, kept for the next question: past landings are compared with the same commits of development again
//! and again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Result;
use crate::subject::{Oid, PathChange};

/// Differences of paths that are kept, of all pairs of trees together: some 100 bytes each.
const MAX_KEPT: usize = 2_000_000;

/// Shared between threads.
#[derive(Clone, Debug, Default)]
pub struct TreeDiffs(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    by_trees: HashMap<(Option<Oid>, Oid), Arc<[PathChange]>>,
    changes: usize,
}

impl TreeDiffs {
    /// The difference, computed on first use.
    pub(super) fn get_or_diff(
        &self,
        old: Option<Oid>,
        new: Oid,
        diff: impl FnOnce() -> Result<Vec<PathChange>>,
    ) -> Result<Vec<PathChange>> {
        // A thread that panicked leaves whole entries.
        let kept = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept().by_trees.get(&(old, new)).cloned();
        if let Some(known) = known {
            return Ok(known.to_vec());
        }
        let changes = diff()?;
        let mut kept = kept();
        if kept.changes + changes.len() <= MAX_KEPT {
            kept.changes += changes.len();
            kept.by_trees.insert((old, new), changes.clone().into());
        }
        Ok(changes)
    }
}
