//! Runs the prescan of a check over all blobs of the packs, and keeps its results until the blobs' paths are known.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use bstr::BStr;

use crate::error::Result;
use crate::finding::Findings;
use crate::git::{BlobJob, ObjectLabels, ObjectVisitor, Repo};
use crate::policy::Scoped;
use crate::rules::FileCheck;
use crate::rules::prescan::{FileKindSet, Prescan, PrescanState, TextScan};
use crate::stats::Stats;
use crate::subject::{DeltaResult, File, Oid};

/// Fewer blobs are read faster one by one.
pub(super) const MANY: usize = 1000;
/// Keyword hits and extents that are kept for all blobs together: about 48 MiB.
const MAX_HOTSPOTS: usize = 4 << 20;
/// Set in a blob's label beside the file kinds: the blob is an LFS pointer.
const POINTER: u8 = 0x40;

/// The prescan results of many blobs; by default of none.
#[derive(Default)]
pub(super) struct PrescanResults {
    labels: ObjectLabels,
    /// Of blobs in which something was found.
    hotspots: HashMap<Oid, TextScan>,
    /// The index of the check whose prescan this was.
    check: Option<usize>,
}

/// The prescan result of one blob.
#[derive(Clone, Copy)]
pub(super) struct PrescannedBlob<'s> {
    /// The index of the check whose prescan this was.
    pub check: usize,
    label: u8,
    hotspots: Option<&'s TextScan>,
}

impl PrescannedBlob<'_> {
    /// Runs a check, on the hotspots only if it is the one that prescanned the blob.
    pub fn check(self, index: usize, check: &FileCheck, file: &File<'_>, out: &mut Findings<'_>) -> Result<()> {
        match (self.hotspots, check.prescan()) {
            (Some(hotspots), Some(prescan)) if index == self.check => prescan.check_hotspots(hotspots, file, out),
            _ => check.check(file, out),
        }
    }

    /// Whether the check with this index could find anything in the blob under a path.
    pub fn needs_check(self, index: usize, check: &FileCheck, path: &BStr) -> bool {
        let kinds = FileKindSet(self.label & !POINTER);
        index != self.check || check.prescan().is_none_or(|prescan| prescan.needs_check(kinds, path))
    }

    pub fn is_pointer(self) -> bool {
        self.label & POINTER != 0
    }
}

impl PrescanResults {
    /// Prescans the blobs of all packs.
    pub fn of_all(repo: &Repo, checks: &[Scoped<FileCheck>], stats: &mut Stats) -> Result<Self> {
        Self::read(repo, None, checks, stats)
    }

    /// Prescans the packs that hold many of the jobs' blobs.
    pub fn of_jobs(repo: &Repo, jobs: &[BlobJob], checks: &[Scoped<FileCheck>], stats: &mut Stats) -> Result<Self> {
        if jobs.len() < MANY {
            return Ok(Self::default());
        }
        let mut wanted: Vec<Oid> = jobs.iter().filter_map(BlobJob::object).collect();
        wanted.sort_unstable();
        Self::read(repo, Some(&wanted), checks, stats)
    }

    fn read(repo: &Repo, wanted: Option<&[Oid]>, checks: &[Scoped<FileCheck>], stats: &mut Stats) -> Result<Self> {
        let prescan = checks.iter().enumerate().find_map(|(index, s)| Some((index, s.check.prescan()?)));
        let Some((check, prescan)) = prescan else { return Ok(Self::default()) };
        let before = prescan.work();
        let visitor = PrescanVisitor { prescan, hotspots: Mutex::default(), room: AtomicUsize::new(MAX_HOTSPOTS) };
        let (labels, counts) = repo.read_packs(wanted, &visitor)?;
        let hotspots = visitor.hotspots.into_inner().unwrap_or_else(PoisonError::into_inner);
        let work = prescan.work();
        stats.blobs_resolved += counts.resolved;
        stats.bytes_inflated += counts.inflated;
        stats.bytes_made += counts.from_deltas;
        stats.bytes_sifted += work.bytes - before.bytes;
        stats.blobs_sifted_whole += work.whole - before.whole;
        Ok(Self { labels, hotspots, check: Some(check) })
    }

    /// `None`: the blob was not prescanned.
    pub fn get(&self, id: Oid) -> Option<PrescannedBlob<'_>> {
        Some(PrescannedBlob { check: self.check?, label: self.labels.get(id)?, hotspots: self.hotspots.get(&id) })
    }

    /// Whether the check finds nothing in a blob under any path, and the blob is no LFS pointer. Says nothing about
    /// other checks.
    pub fn is_unwanted(&self, id: Oid) -> bool {
        self.check.is_some() && self.labels.get(id) == Some(0)
    }
}

struct PrescanVisitor<'a> {
    prescan: &'a dyn Prescan,
    hotspots: Mutex<HashMap<Oid, TextScan>>,
    /// How many more keyword hits and extents may be kept.
    room: AtomicUsize,
}

impl PrescanVisitor<'_> {
    fn keep(&self, id: Oid, hotspots: TextScan) {
        let count = hotspots.keywords.len() + hotspots.extents.len();
        let left = self.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |room| room.checked_sub(count));
        if left.is_ok() {
            self.hotspots.lock().unwrap_or_else(PoisonError::into_inner).insert(id, hotspots);
        }
    }
}

impl ObjectVisitor for PrescanVisitor<'_> {
    type State = PrescanState;

    fn read_whole(&self, bytes: &[u8]) -> PrescanState {
        self.prescan.scan(bytes)
    }

    fn read_delta(&self, base: &PrescanState, delta: &DeltaResult<'_>) -> PrescanState {
        self.prescan.scan_delta(base, delta)
    }

    fn label(&self, id: Oid, _: u32, bytes: &[u8], state: &PrescanState) -> u8 {
        let kinds = state.kinds();
        if kinds != FileKindSet::NONE
            && let Some(hotspots) = self.prescan.hotspots(bytes, state)
        {
            self.keep(id, hotspots);
        }
        kinds.0 | if super::blobs::is_lfs_pointer(bytes) { POINTER } else { 0 }
    }
}
