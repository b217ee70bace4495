//! The steps of a run over all of history: prescan the packs, list what commits bring without what no check wants,
//! then check the rest.

use super::BlobReading;
use super::commits::{commit_subject, trailer};
use super::prescan::PrescanResults;
use super::run::Run;
use crate::error::Result;
use crate::git::{Changes, HistoryFilter, RawCommit, Repo};
use crate::subject::{Oid, RefSet};

impl Run<'_> {
    pub(super) fn history(&mut self, repo: &Repo, all: bool) -> Result<Changes> {
        let checks = self.config.checks;
        if self.config.blob_reading == BlobReading::OneByOne {
            let changes = repo.history_changes(all, &self.query(), None)?;
            self.commits(repo, &changes.commits, None);
            self.blobs(repo, &changes.blobs, &PrescanResults::default());
            return Ok(changes);
        }
        let prescanned = PrescanResults::of_all(repo, &checks.files, &mut self.out.stats)?;
        // A check without a prescan wants every blob.
        let only_prescans = checks.files.len() == 1 && checks.files.iter().all(|s| s.check.prescan().is_some());
        let is_unwanted = |id| prescanned.is_unwanted(id);
        let can_skip = |id: Oid, raw: RawCommit| {
            let subject = commit_subject(raw, id, RefSet::default(), &|| Ok(Vec::new()), &|_| Ok(false));
            checks.commits.iter().all(|s| s.check.can_skip(&subject)) && trailer(&subject).is_none()
        };
        let filter = HistoryFilter { blob: only_prescans.then_some(&is_unwanted as _), commit: &can_skip };
        let changes = repo.history_changes(all, &self.query(), Some(filter))?;
        self.commits(repo, &changes.commits, None);
        self.blobs(repo, &changes.blobs, &prescanned);
        Ok(changes)
    }
}
