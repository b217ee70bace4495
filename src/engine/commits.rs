//! Commits, tags and the message about to become one, judged by their texts. Owns how each of them becomes a subject.

use bstr::BString;

use super::{Part, Run, in_parallel};
use crate::error::Result;
use crate::finding::{InlineAllow, Origin, trailer_allows};
use crate::git::{CommitJob, Local, RawCommit, Repo};
use crate::policy::{Batch, Scoped};
use crate::report::Undecided;
use crate::rules::CommitCheck;
use crate::rules::secrets::redactor;
use crate::subject::{Carrier, Commit, ObjectKind, Oid, RefSet};

impl Run<'_> {
    /// The message about to become a commit's.
    pub(super) fn message(&mut self, local: &Local<'_>, text: &BString, parents: &[Oid]) -> Result<()> {
        let head = local.head()?;
        let subject = Commit {
            carrier: Carrier::Pending,
            message: text.clone(),
            headers: BString::default(),
            parents: head.into_iter().chain(parents.iter().copied()).collect(),
            tree: None,
            author: Default::default(),
            committer: Default::default(),
            new_to: local.head_name()?.into_iter().collect(),
            changed_paths: &|| local.staged_paths(),
        };
        let mut findings = self.collect();
        for scoped in &self.setting.checks.commits {
            if let Err(error) = scoped.check.check(&subject, &mut findings) {
                self.out.errors.push(Undecided { error, origin: Some(Origin::Message { commit: None }) });
            }
        }
        self.out.trailers.extend(trailer(&subject));
        self.keep(Batch { refs: subject.new_to, findings: findings.into_vec() });
        Ok(())
    }

    /// Judges commits and tags by their texts.
    pub(super) fn commits(&mut self, repo: &Repo, jobs: &[CommitJob]) {
        if self.setting.checks.commits.is_empty() {
            return;
        }
        let parts = in_parallel(repo, jobs, |desk, job| self.commit(&desk.local, job));
        self.absorb(parts);
    }

    fn commit(&self, local: &Local<'_>, job: &CommitJob) -> Part {
        let mut part = Part::default();
        let origin = Origin::Message { commit: Some(job.id) };
        let mut findings = self.collect();
        let mut judge = |subject: &Commit<'_>| {
            let here = |s: &&Scoped<CommitCheck>| s.scope.has_branch(job.content.iter());
            for scoped in self.setting.checks.commits.iter().filter(here) {
                if let Err(error) = scoped.check.check(subject, &mut findings) {
                    part.errors.push(Undecided { error, origin: Some(origin.clone()) });
                }
            }
            part.trailer = trailer(subject);
        };
        let read = match job.kind {
            ObjectKind::Tag => local.tag(job.id).map(|tag| {
                let headers = tag.raw[..tag.raw.len() - tag.message.len()].into();
                judge(&Commit {
                    carrier: Carrier::Tag(job.id, tag.name),
                    message: tag.message,
                    headers,
                    parents: Vec::new(),
                    tree: None,
                    author: tag.tagger.clone().unwrap_or_default(),
                    committer: tag.tagger.unwrap_or_default(),
                    new_to: job.new_to.clone(),
                    changed_paths: &|| Ok(Vec::new()),
                });
            }),
            _ => local.commit(job.id).map(|raw| {
                let (tree, first) = (raw.node.tree, raw.node.parents.first().copied());
                let changed = || local.changed_paths(first, tree, self.setting.path_budget);
                judge(&commit_of(raw, job.id, job.new_to.clone(), &changed));
            }),
        };
        if let Err(error) = read {
            part.errors.push(Undecided { error, origin: Some(Origin::Message { commit: Some(job.id) }) });
        }
        part.batches.push(Batch { refs: job.content.clone(), findings: findings.into_vec() });
        part
    }
}

/// What checks of commits are shown of one.
pub(super) fn commit_of<'a>(
    raw: RawCommit,
    id: Oid,
    new_to: RefSet,
    changed_paths: &'a dyn Fn() -> Result<Vec<BString>>,
) -> Commit<'a> {
    Commit {
        carrier: Carrier::Commit(id),
        message: raw.message,
        headers: raw.headers,
        parents: raw.node.parents,
        tree: Some(raw.node.tree),
        author: raw.node.author,
        committer: raw.node.committer,
        new_to,
        changed_paths,
    }
}

/// What a message allows by its trailers.
pub(super) fn trailer(subject: &Commit<'_>) -> Option<(Option<Oid>, Vec<InlineAllow>)> {
    let id = match subject.carrier {
        Carrier::Pending => None,
        Carrier::Commit(id) | Carrier::Tag(id, _) => Some(id),
    };
    let allows = trailer_allows(&subject.message, redactor());
    (!allows.is_empty()).then_some((id, allows))
}
