//! Blobs and files: how one is read, and which checks look at it under each of its paths. Owns the buffers that one
//! file leaves to the next, and the counting of what was read.

use std::cell::Cell;
use std::io::Read;

use bstr::{BStr, BString};
use rayon::prelude::*;

use super::RunConfig;
use super::prescan::{PrescanResults, PrescannedBlob};
use super::run::{JobResult, Run, Worker, in_parallel};
use crate::error::{Error, Result};
use crate::finding::{Finding, Findings, Origin};
use crate::git::{self, Blob, BlobJob, Repo, ThreadRepo};
use crate::policy::Batch;
use crate::report::Undecided;
use crate::subject::{Content, File, Oid, RefSet};

/// The largest buffer that a thread keeps for its next file, in bytes.
const MAX_SPARE: usize = 4 << 20;

/// The first bytes of an LFS pointer, and a length that no pointer reaches.
const LFS: &[u8] = b"version https://git-lfs.github.com/spec/";
const LFS_POINTER: usize = 1024;

pub(super) fn is_lfs_pointer(bytes: &[u8]) -> bool {
    bytes.len() < LFS_POINTER && bytes.starts_with(LFS)
}

impl Run<'_> {
    /// Checks each blob once, under all its paths.
    pub(super) fn blobs(&mut self, repo: &Repo, jobs: &[BlobJob], prescanned: &PrescanResults) {
        if self.config.checks.files.is_empty() {
            return;
        }
        let mut results = self.packed_blobs(repo, jobs, prescanned);
        let rest: Vec<(usize, &BlobJob)> =
            jobs.iter().enumerate().filter(|(at, _)| !results.contains_key(at)).collect();
        let stored = |worker: &Worker<'_>, (_, job): &(usize, &BlobJob)| {
            self.stored_blob(Some(&worker.local), &worker.spare, job, prescanned)
        };
        let read = in_parallel(repo, &rest, stored);
        results.extend(rest.iter().map(|(at, _)| *at).zip(read));
        let in_order = (0..jobs.len()).filter_map(|at| results.remove(&at)).collect();
        self.collect(in_order);
    }

    /// The same for files outside any repository.
    pub(super) fn plain_blobs(&mut self, jobs: &[BlobJob]) {
        if self.config.checks.files.is_empty() {
            return;
        }
        let nothing = PrescanResults::default();
        let results = jobs
            .par_iter()
            .map_init(Cell::default, |spare, job| self.stored_blob(None, spare, job, &nothing))
            .collect();
        self.collect(results);
    }

    /// Whether the check that prescanned a blob could find anything in it under one of its paths.
    pub(super) fn needs_check(&self, job: &BlobJob, blob: PrescannedBlob<'_>) -> bool {
        let Some(scoped) = self.config.checks.files.get(blob.check) else { return false };
        job.occurrences.iter().any(|occurrence| {
            let path: &BStr = occurrence.path.as_ref();
            scoped.scope.has_path(path) && blob.needs_check(blob.check, &scoped.check, path)
        })
    }

    /// Checks a blob that is read by its id, or a file on disk.
    fn stored_blob(
        &self,
        local: Option<&ThreadRepo<'_>>,
        spare: &Cell<Vec<u8>>,
        job: &BlobJob,
        prescanned: &PrescanResults,
    ) -> JobResult {
        let load = || match (&job.blob, local) {
            (Blob::Object(id), Some(local)) => local.blob_unless_large(*id),
            (Blob::Object(id), None) => Err(Error::undecided(format!("object {id} has no repository"))),
            (Blob::Disk(file), _) => {
                git::read_file(file, job.occurrences.first().is_some_and(|o| o.symlink), spare.take())
            }
        };
        let streamed = Cell::new(0);
        let open = |read: &mut dyn FnMut(&mut dyn Read) -> Result<()>| -> Result<()> {
            let bytes = &streamed;
            match (&job.blob, local) {
                (Blob::Object(id), Some(local)) => read(&mut Counted { input: local.large_blob(*id)?, bytes }),
                (Blob::Object(id), None) => Err(Error::undecided(format!("object {id} has no repository"))),
                (Blob::Disk(file), _) => read(&mut Counted { input: git::open_file(file)?, bytes }),
            }
        };
        let content = Content::or_in_parts(&load, &open);
        let mut result = self.blob(&content, job, prescanned);
        if streamed.get() > 0 {
            result.stats.blobs_read = 1;
            result.stats.bytes_read = streamed.get();
        }
        spare.set(content.into_spare().filter(|bytes| bytes.capacity() <= MAX_SPARE).unwrap_or_default());
        result
    }

    /// Checks one content under all its paths.
    pub(super) fn blob(&self, content: &Content<'_>, job: &BlobJob, prescanned: &PrescanResults) -> JobResult {
        let mut result = JobResult::default();
        let id = job.object();
        let known = id.and_then(|id| prescanned.get(id));
        let cache = self.config.clean_cache;
        let is_cached = job.stat_digest.is_some_and(|digest| cache.is_some_and(|cache| cache.contains(&digest)));
        // One blob can be new to different refs under different paths.
        let mut by_refs: Vec<(&RefSet, Findings<'_>)> = Vec::new();
        let mut skipped = false;
        for occurrence in &job.occurrences {
            let path: &BStr = occurrence.path.as_ref();
            let at = by_refs.iter().position(|(refs, _)| *refs == &occurrence.new_to).unwrap_or_else(|| {
                by_refs.push((&occurrence.new_to, self.findings()));
                by_refs.len() - 1
            });
            let findings = &mut by_refs[at].1;
            let file = File { path, commit: occurrence.commit, blob: id, symlink: occurrence.symlink, content };
            let in_scope = self.config.checks.files.iter().enumerate().filter(|(_, s)| s.scope.has_path(path));
            for (index, scoped) in in_scope {
                if is_cached && scoped.check.is_cacheable() {
                    continue;
                }
                if known.is_some_and(|k| !k.needs_check(index, &scoped.check, path)) {
                    skipped = true;
                    continue;
                }
                let checked = match known {
                    Some(known) => known.check(index, &scoped.check, &file, findings),
                    None => scoped.check.check(&file, findings),
                };
                if let Err(error) = checked {
                    let origin = Origin::File { path: path.to_owned(), commit: occurrence.commit, blob: id };
                    result.errors.push(Undecided { error, origin: Some(origin) });
                    break;
                }
            }
        }
        let is_pointer = match content.read() {
            Some(length) => length < LFS_POINTER && content.bytes().is_ok_and(is_lfs_pointer),
            None => skipped && known.is_some_and(PrescannedBlob::is_pointer),
        };
        result.pointers = u64::from(is_pointer);
        if let (Blob::Disk(_), Some(bytes)) = (&job.blob, content.read()) {
            result.stats.blobs_read = 1;
            result.stats.bytes_read = bytes as u64;
        }
        result.stats.blobs_seen = u64::from(is_cached && content.read().is_none());
        for (refs, findings) in by_refs {
            let findings = findings.into_vec();
            if !findings.is_empty() {
                let refs = if refs.is_empty() { &self.refs } else { refs };
                result.batches.push(Batch { refs: refs.clone(), findings });
            }
        }
        if result.batches.is_empty() && result.errors.is_empty() && !is_pointer {
            result.clean = job.stat_digest;
        }
        result
    }
}

/// The findings in one stored file. `key`: that of the run whose secrets they are compared with ([`super::Outcome::key`]).
pub fn findings_in(repo: &Repo, config: &RunConfig<'_>, key: u64, blob: Oid, path: &BString) -> Result<Vec<Finding>> {
    let run = Run::with_key(config, key);
    let job = BlobJob::at(blob, path.clone());
    let result = run.stored_blob(Some(&repo.thread_local()), &Cell::default(), &job, &PrescanResults::default());
    match result.errors.into_iter().next() {
        Some(undecided) => Err(undecided.error),
        None => Ok(result.batches.into_iter().flat_map(|batch| batch.findings).collect()),
    }
}

/// A reader that counts its bytes.
struct Counted<'c, R> {
    input: R,
    bytes: &'c Cell<u64>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = self.input.read(into)?;
        self.bytes.set(self.bytes.get() + read as u64);
        Ok(read)
    }
}
