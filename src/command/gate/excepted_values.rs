//! Looks into the versions before a change for the value that an exception was written for. An exception excuses the secret
//! that stood there, not the next one. Reads nothing unless a secret was found and the policy excepts one by its fingerprint.

use std::collections::HashMap;
use std::rc::Rc;

use bstr::BString;

use crate::command::policy_file;
use crate::engine::{self, Outcome, RunConfig};
use crate::error::Result;
use crate::finding::{Finding, Former, Origin};
use crate::git::{Repo, Source, ThreadRepo};
use crate::policy::{Batch, Policy};
use crate::report::Undecided;
use crate::subject::{Oid, RefSet};

/// More files than these are not searched for a value that was moved.
const FILES: usize = 256;

/// Marks every secret whose exception was written for another value, or whose value was excused elsewhere before.
/// `own_policy`: the policy is part of what is judged, so that an exception can come with the value that it is for.
pub fn compare_values(
    policy: &Policy,
    repo: &Repo,
    source: &Source,
    config: &RunConfig<'_>,
    own_policy: bool,
    outcome: &mut Outcome,
) {
    if !policy.excepts_by_fingerprint() || matches!(source, Source::Message { .. }) {
        return;
    }
    let local = repo.thread_local();
    let key = outcome.key;
    let mut before =
        Before { policy, repo, local: &local, config, key, own_policy, files: HashMap::new(), moved: None };
    let mut errors = Vec::new();
    for Batch { refs, findings } in &mut outcome.batches {
        for finding in findings.iter_mut().filter(|f| f.same.is_some() && f.rule.starts_with("secrets/")) {
            match before.former(source, finding, refs) {
                Ok(former) => finding.former = former,
                // What cannot be compared is not excused.
                Err(error) => {
                    finding.former = Former::Another;
                    errors.push(Undecided { error, origin: Some(finding.origin.clone()) });
                }
            }
        }
    }
    outcome.errors.extend(errors);
}

struct Before<'a> {
    policy: &'a Policy,
    repo: &'a Repo,
    local: &'a ThreadRepo<'a>,
    config: &'a RunConfig<'a>,
    key: u64,
    own_policy: bool,
    /// What was found in files of versions before.
    files: HashMap<(Oid, BString), Rc<Vec<Finding>>>,
    /// The files from which a value may have been moved.
    moved: Option<Vec<BString>>,
}

impl Before<'_> {
    fn former(&mut self, source: &Source, finding: &Finding, refs: &RefSet) -> Result<Former> {
        let Origin::File { path, commit, blob } = &finding.origin else { return Ok(Former::Unknown) };
        let versions = self.versions(source, *commit)?;
        let excepted = self.policy.excepted_by_fingerprint(finding, refs);
        let mut another = false;
        for version in &versions {
            let id = self.local.file_in_commit(*version, path.as_ref())?;
            if id.is_some() && id == *blob {
                return Ok(Former::Unknown);
            }
            let found = self.findings(id, path)?;
            if let Some(excused) = self.excused_value(&found, finding, refs) {
                return Ok(Former::Excused(excused));
            }
            another |= found.iter().any(|f| f.fingerprint == finding.fingerprint);
        }
        for version in &versions {
            for path in self.moved(path) {
                let id = self.local.file_in_commit(*version, path.as_ref())?;
                let found = self.findings(id, &path)?;
                if let Some(excused) = self.excused_value(&found, finding, refs) {
                    return Ok(Former::Excused(excused));
                }
            }
        }
        let Some(excepted) = excepted.filter(|_| another) else { return Ok(Former::Unknown) };
        // An exception that comes with the value was written for it.
        for version in &versions {
            if self.stood_in(excepted, *version)? {
                return Ok(Former::Another);
            }
        }
        Ok(Former::Unknown)
    }

    /// The commits that the change starts from.
    fn versions(&self, source: &Source, commit: Option<Oid>) -> Result<Vec<Oid>> {
        let mut versions: Vec<Oid> = match commit {
            Some(commit) => self.local.commit(commit)?.node.parents,
            None => self.local.head()?.into_iter().collect(),
        };
        match source {
            Source::Index { parents } => versions.extend(parents),
            Source::Merge { heads, .. } => versions.extend(heads),
            // So that a value cannot be taken away in one commit and another put there in the next.
            Source::Push(push) => versions.extend(push.updates.iter().filter_map(|update| update.old)),
            _ => {}
        }
        versions.sort_unstable();
        versions.dedup();
        Ok(versions)
    }

    fn findings(&mut self, id: Option<Oid>, path: &BString) -> Result<Rc<Vec<Finding>>> {
        let Some(id) = id else { return Ok(Rc::default()) };
        if let Some(found) = self.files.get(&(id, path.clone())) {
            return Ok(found.clone());
        }
        let found = Rc::new(engine::findings_in(self.repo, self.config, self.key, id, path)?);
        self.files.insert((id, path.clone()), found.clone());
        Ok(found)
    }

    /// The exception that excused the same value before.
    fn excused_value(&self, found: &[Finding], finding: &Finding, refs: &RefSet) -> Option<usize> {
        let same = found.iter().filter(|f| f.same == finding.same && f.rule == finding.rule);
        same.filter_map(|f| self.policy.excepted_by_fingerprint(f, refs)).next()
    }

    fn moved(&mut self, path: &BString) -> Vec<BString> {
        let files = || self.policy.files_with_excepted_values().into_iter().take(FILES).collect();
        let all: &Vec<BString> = self.moved.get_or_insert_with(files);
        all.iter().filter(|other| *other != path).cloned().collect()
    }

    /// Whether the exception was there before the change.
    fn stood_in(&self, number: usize, version: Oid) -> Result<bool> {
        if !self.own_policy {
            return Ok(true);
        }
        Ok(self.policy.exception_stands_in(number, &policy_file::at_commit(self.local, version)?))
    }
}
