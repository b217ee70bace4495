//! How one blob is read and which checks look at it, wherever it stands. Owns memory that one file leaves to the next and what is
//! counted of reading.

use std::cell::Cell;
use std::io::Read;

use bstr::{BStr, BString};
use rayon::prelude::*;

use super::prescan::{KnownBlob, Prescanned};
use super::{Part, Run, RunConfig, Worker, in_parallel};
use crate::error::{Error, Result};
use crate::finding::{Finding, Findings, Origin};
use crate::git::{self, Blob, BlobJob, Repo, ThreadRepo};
use crate::policy::Batch;
use crate::report::Undecided;
use crate::subject::{Content, File, Oid, RefSet};

/// Memory that a thread keeps from one file for the next, at most.
const SPARE: usize = 4 << 20;

/// How a pointer of git's large file storage begins, and how long none is.
const LFS: &[u8] = b"version https://git-lfs.github.com/spec/";
const LFS_POINTER: usize = 1024;

pub(super) fn is_pointer(bytes: &[u8]) -> bool {
    bytes.len() < LFS_POINTER && bytes.starts_with(LFS)
}

impl Run<'_> {
    /// Judges all of them, each once.
    pub(super) fn blobs(&mut self, repo: Option<&Repo>, jobs: &[BlobJob], prescanned: &Prescanned) {
        if self.config.checks.files.is_empty() {
            return;
        }
        let parts = match repo {
            Some(repo) => {
                let mut met = self.families(repo, jobs, prescanned);
                let rest: Vec<(usize, &BlobJob)> =
                    jobs.iter().enumerate().filter(|(at, _)| !met.contains_key(at)).collect();
                let stored = |desk: &Worker<'_>, (_, job): &(usize, &BlobJob)| {
                    self.stored(Some(&desk.local), &desk.spare, job, prescanned)
                };
                let read = in_parallel(repo, &rest, stored);
                met.extend(rest.iter().map(|(at, _)| *at).zip(read));
                (0..jobs.len()).filter_map(|at| met.remove(&at)).collect()
            }
            None => jobs
                .par_iter()
                .map_init(Cell::default, |spare, job| self.stored(None, spare, job, prescanned))
                .collect(),
        };
        self.absorb(parts);
    }

    /// Whether the check that was asked has to read a blob where it stands.
    pub(super) fn reads(&self, job: &BlobJob, known: KnownBlob<'_>) -> bool {
        let files = &self.config.checks.files;
        job.places.iter().any(|place| {
            let path: &BStr = place.path.as_ref();
            files
                .get(known.number())
                .is_some_and(|s| s.scope.has_path(path) && known.wants(known.number(), &s.check, path))
        })
    }

    /// Judges a blob where it stands.
    fn stored(
        &self,
        local: Option<&ThreadRepo<'_>>,
        spare: &Cell<Vec<u8>>,
        job: &BlobJob,
        prescanned: &Prescanned,
    ) -> Part {
        let load = || match (&job.blob, local) {
            (Blob::Object(id), Some(local)) => local.blob_unless_large(*id),
            (Blob::Object(id), None) => Err(Error::undecided(format!("object {id} has no repository"))),
            (Blob::Disk(file), _) => git::read_file(file, job.places.first().is_some_and(|p| p.symlink), spare.take()),
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
        let mut part = self.blob(&content, job, prescanned);
        if streamed.get() > 0 {
            part.stats.blobs_read = 1;
            part.stats.bytes_read = streamed.get();
        }
        spare.set(content.into_spare().filter(|bytes| bytes.capacity() <= SPARE).unwrap_or_default());
        part
    }

    /// What the checks say of one content at all its places.
    pub(super) fn blob(&self, content: &Content<'_>, job: &BlobJob, prescanned: &Prescanned) -> Part {
        let mut part = Part::default();
        let blob = if let Blob::Object(id) = &job.blob { Some(*id) } else { None };
        let known = blob.and_then(|id| prescanned.known(id));
        let seen = job.mark.is_some_and(|mark| self.config.seen.is_some_and(|seen| seen.holds(&mark)));
        // Places of one blob can be new to different refs.
        let mut found: Vec<(&RefSet, Findings<'_>)> = Vec::new();
        let mut passed_over = false;
        for place in &job.places {
            let path: &BStr = place.path.as_ref();
            let at = found.iter().position(|(refs, _)| *refs == &place.new_to).unwrap_or_else(|| {
                found.push((&place.new_to, self.collect()));
                found.len() - 1
            });
            let findings = &mut found[at].1;
            let file = File { path, commit: place.commit, blob, symlink: place.symlink, content };
            let here = self.config.checks.files.iter().enumerate().filter(|(_, s)| s.scope.has_path(path));
            for (number, scoped) in here {
                if seen && scoped.check.is_cacheable() {
                    continue;
                }
                if known.is_some_and(|k| !k.wants(number, &scoped.check, path)) {
                    passed_over = true;
                    continue;
                }
                let checked = match known {
                    Some(known) => known.check(number, &scoped.check, &file, findings),
                    None => scoped.check.check(&file, findings),
                };
                if let Err(error) = checked {
                    let origin = Origin::File { path: path.to_owned(), commit: place.commit, blob };
                    part.errors.push(Undecided { error, origin: Some(origin) });
                    break;
                }
            }
        }
        let pointer = match content.read() {
            Some(length) => length < LFS_POINTER && content.bytes().is_ok_and(is_pointer),
            None => passed_over && known.is_some_and(KnownBlob::is_pointer),
        };
        part.pointers = u64::from(pointer);
        if let (Blob::Disk(_), Some(bytes)) = (&job.blob, content.read()) {
            part.stats.blobs_read = 1;
            part.stats.bytes_read = bytes as u64;
        }
        part.stats.blobs_seen = u64::from(seen && content.read().is_none());
        for (refs, findings) in found {
            let findings = findings.into_vec();
            if !findings.is_empty() {
                let refs = if refs.is_empty() { &self.refs } else { refs };
                part.batches.push(Batch { refs: refs.clone(), findings });
            }
        }
        if part.batches.is_empty() && part.errors.is_empty() && !pointer {
            part.clean = job.mark;
        }
        part
    }
}

/// What the checks say of one stored file, with values told apart as in the run with this key.
pub fn findings_in(repo: &Repo, config: &RunConfig<'_>, key: u64, blob: Oid, path: &BString) -> Result<Vec<Finding>> {
    let run = Run::new(config, RefSet::default(), key);
    let job = BlobJob::at(blob, path.clone());
    let part = run.stored(Some(&repo.thread_local()), &Cell::default(), &job, &Prescanned::default());
    match part.errors.into_iter().next() {
        Some(undecided) => Err(undecided.error),
        None => Ok(part.batches.into_iter().flat_map(|batch| batch.findings).collect()),
    }
}

/// Counts what is read of it.
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
