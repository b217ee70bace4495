//! Blobs that have to be read where they stand, checked while packs make them by their families of deltas. Owns only which
//! they are; how a blob is checked is the engine's own affair.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::prescan::{MANY, Prescanned};
use super::{Part, Run};
use crate::git::{BlobJob, ObjectVisitor, Repo};
use crate::subject::{Content, DeltaResult, Oid};

impl Run<'_> {
    /// What comes of the jobs whose blobs were met, by their places in the list.
    pub(super) fn families(&self, repo: &Repo, jobs: &[BlobJob], prescanned: &Prescanned) -> HashMap<usize, Part> {
        let mut wanted: Vec<(Oid, usize)> = Vec::new();
        for (at, job) in jobs.iter().enumerate() {
            let known = job.object().and_then(|id| Some((id, prescanned.known(id)?)));
            wanted.extend(known.filter(|(_, known)| self.reads(job, *known)).map(|(id, _)| (id, at)));
        }
        if wanted.len() < MANY {
            return HashMap::new();
        }
        wanted.sort_unstable();
        let ids: Vec<Oid> = wanted.iter().map(|(id, _)| *id).collect();
        let family = Family { run: self, repo, jobs, prescanned, wanted, parts: Mutex::default() };
        // What was not met, for whatever reason, is read where it stands and says so itself.
        let _ = repo.read_packs(Some(&ids), &family);
        family.parts.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Family<'a> {
    run: &'a Run<'a>,
    repo: &'a Repo,
    jobs: &'a [BlobJob],
    prescanned: &'a Prescanned,
    /// Sorted, with the place of each one's job.
    wanted: Vec<(Oid, usize)>,
    parts: Mutex<HashMap<usize, Part>>,
}

impl ObjectVisitor for Family<'_> {
    type Trace = ();

    fn whole(&self, _: &[u8]) {}

    fn made(&self, (): &(), _: &DeltaResult<'_>) {}

    fn note(&self, id: Oid, _: u32, bytes: &[u8], (): &()) -> u8 {
        if let Ok(found) = self.wanted.binary_search_by_key(&id, |(id, _)| *id) {
            let at = self.wanted[found].1;
            let load = || {
                self.repo.counters().blob(bytes.len());
                Ok(bytes.to_vec())
            };
            let part = self.run.blob(&Content::new(&load), &self.jobs[at], self.prescanned);
            self.parts.lock().unwrap_or_else(PoisonError::into_inner).insert(at, part);
        }
        0
    }
}
