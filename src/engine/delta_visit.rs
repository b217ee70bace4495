//! Blobs that have to be checked and lie in packs, checked while the packs are read delta by delta. Owns which blobs
//! those are; `blobs` owns how one is checked.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::prescan::{MANY, PrescanResults};
use super::run::{JobResult, Run};
use crate::git::{BlobJob, ObjectVisitor, Repo};
use crate::subject::{Content, DeltaResult, Oid};

impl Run<'_> {
    /// Checks the jobs whose blobs the packs hold; returns the results by the jobs' index.
    pub(super) fn packed_blobs(
        &self,
        repo: &Repo,
        jobs: &[BlobJob],
        prescanned: &PrescanResults,
    ) -> HashMap<usize, JobResult> {
        let mut wanted: Vec<(Oid, usize)> = Vec::new();
        for (at, job) in jobs.iter().enumerate() {
            let blob = job.object().and_then(|id| Some((id, prescanned.get(id)?)));
            wanted.extend(blob.filter(|(_, blob)| self.needs_check(job, *blob)).map(|(id, _)| (id, at)));
        }
        if wanted.len() < MANY {
            return HashMap::new();
        }
        wanted.sort_unstable();
        let ids: Vec<Oid> = wanted.iter().map(|(id, _)| *id).collect();
        let visitor = PackedBlobs { run: self, repo, jobs, prescanned, wanted, results: Mutex::default() };
        // A blob that was not visited, for whatever reason, is read by its id afterwards, which gives the error if any.
        let _ = repo.read_packs(Some(&ids), &visitor);
        visitor.results.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

struct PackedBlobs<'a> {
    run: &'a Run<'a>,
    repo: &'a Repo,
    jobs: &'a [BlobJob],
    prescanned: &'a PrescanResults,
    /// Ids with the index of each one's job, sorted.
    wanted: Vec<(Oid, usize)>,
    results: Mutex<HashMap<usize, JobResult>>,
}

impl ObjectVisitor for PackedBlobs<'_> {
    type State = ();

    fn read_whole(&self, _: &[u8]) {}

    fn read_delta(&self, (): &(), _: &DeltaResult<'_>) {}

    fn label(&self, id: Oid, _: u32, bytes: &[u8], (): &()) -> u8 {
        if let Ok(found) = self.wanted.binary_search_by_key(&id, |(id, _)| *id) {
            let at = self.wanted[found].1;
            let load = || {
                self.repo.counters().blob(bytes.len());
                Ok(bytes.to_vec())
            };
            let result = self.run.blob(&Content::new(&load), &self.jobs[at], self.prescanned);
            self.results.lock().unwrap_or_else(PoisonError::into_inner).insert(at, result);
        }
        0
    }
}
