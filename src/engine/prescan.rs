//! Which of many blobs need not be read where they stand: packs are read by their delta trees, and a check that can tell
//! from the bytes alone says of each blob what it could find there. Owns the meeting of git's packs and the rules' sieves.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::error::Result;
use crate::finding::Findings;
use crate::git::{BlobJob, ObjectTags, ObjectVisitor, Repo};
use crate::policy::Scoped;
use crate::report::Stats;
use crate::rules::prescan::{Interest, Seen, Trace};
use crate::rules::{FileCheck, Sieve};
use crate::subject::{DeltaResult, File, Oid};

/// Fewer blobs are read faster one by one.
pub(super) const MANY: usize = 1000;
/// Marks and extents that are kept of all blobs together: some 48 MiB of them.
const LEADS: usize = 4 << 20;
/// Beside the interest of a check: the blob is a pointer to content elsewhere.
const POINTER: u8 = 0x40;

/// What is known of blobs before they are read where they stand.
#[derive(Default)]
pub(super) struct Prescanned {
    notes: ObjectTags,
    /// Of blobs in which something was found, where.
    leads: HashMap<Oid, Seen>,
    /// The check that was asked, by its place in the list.
    check: Option<usize>,
}

/// What is known of one blob.
#[derive(Clone, Copy)]
pub(super) struct KnownBlob<'s> {
    check: usize,
    note: u8,
    leads: Option<&'s Seen>,
}

impl KnownBlob<'_> {
    /// Has a check look at a file, as closely as it has to.
    pub fn check(self, number: usize, check: &FileCheck, file: &File<'_>, out: &mut Findings<'_>) -> Result<()> {
        match (self.leads, check.sieve()) {
            (Some(leads), Some(sieve)) if number == self.check => sieve.follow(leads, file, out),
            _ => check.check(file, out),
        }
    }

    /// The place of the check that was asked.
    pub fn number(self) -> usize {
        self.check
    }

    /// Whether a check has to look at it.
    pub fn wants(self, number: usize, check: &FileCheck, path: &bstr::BStr) -> bool {
        number != self.check || check.sieve().is_none_or(|s| s.wants(Interest(self.note & !POINTER), path))
    }

    pub fn is_pointer(self) -> bool {
        self.note & POINTER != 0
    }
}

impl Prescanned {
    /// Reads all packs.
    pub fn all(repo: &Repo, checks: &[Scoped<FileCheck>], stats: &mut Stats) -> Result<Self> {
        Self::read(repo, None, checks, stats)
    }

    /// Reads the packs that hold many of the blobs.
    pub fn of(repo: &Repo, jobs: &[BlobJob], checks: &[Scoped<FileCheck>], stats: &mut Stats) -> Result<Self> {
        if jobs.len() < MANY {
            return Ok(Self::default());
        }
        let mut wanted: Vec<Oid> = jobs.iter().filter_map(BlobJob::object).collect();
        wanted.sort_unstable();
        Self::read(repo, Some(&wanted), checks, stats)
    }

    fn read(repo: &Repo, wanted: Option<&[Oid]>, checks: &[Scoped<FileCheck>], stats: &mut Stats) -> Result<Self> {
        let sieve = checks.iter().enumerate().find_map(|(number, s)| Some((number, s.check.sieve()?)));
        let Some((check, sieve)) = sieve else { return Ok(Self::default()) };
        let before = sieve.work();
        let prescanner = Prescanner { sieve, leads: Mutex::default(), room: AtomicUsize::new(LEADS) };
        let (notes, counts) = repo.read_packs(wanted, &prescanner)?;
        let leads = prescanner.leads.into_inner().unwrap_or_else(PoisonError::into_inner);
        let work = sieve.work();
        stats.blobs_resolved += counts.resolved;
        stats.bytes_inflated += counts.inflated;
        stats.bytes_made += counts.made;
        stats.bytes_sifted += work.bytes - before.bytes;
        stats.blobs_sifted_whole += work.whole - before.whole;
        Ok(Self { notes, leads, check: Some(check) })
    }

    pub fn known(&self, id: Oid) -> Option<KnownBlob<'_>> {
        Some(KnownBlob { check: self.check?, note: self.notes.get(id)?, leads: self.leads.get(&id) })
    }

    /// For a run with no other check of files than the one that was asked: whether nobody wants a blob.
    pub fn nobody_wants(&self, id: Oid) -> bool {
        self.check.is_some() && self.notes.get(id) == Some(0)
    }
}

struct Prescanner<'a> {
    sieve: &'a dyn Sieve,
    leads: Mutex<HashMap<Oid, Seen>>,
    /// How many more may be kept.
    room: AtomicUsize,
}

impl Prescanner<'_> {
    fn keep(&self, id: Oid, leads: Seen) {
        let count = leads.marks.len() + leads.extents.len();
        let left = self.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |room| room.checked_sub(count));
        if left.is_ok() {
            self.leads.lock().unwrap_or_else(PoisonError::into_inner).insert(id, leads);
        }
    }
}

impl ObjectVisitor for Prescanner<'_> {
    type Trace = Trace;

    fn whole(&self, bytes: &[u8]) -> Trace {
        self.sieve.whole(bytes)
    }

    fn made(&self, base: &Trace, made: &DeltaResult<'_>) -> Trace {
        self.sieve.made(base, made)
    }

    fn note(&self, id: Oid, _: u32, bytes: &[u8], trace: &Trace) -> u8 {
        let interest = trace.interest();
        if interest != Interest::NONE
            && let Some(leads) = self.sieve.leads(bytes, trace)
        {
            self.keep(id, leads);
        }
        interest.0 | if super::blobs::is_pointer(bytes) { POINTER } else { 0 }
    }
}
