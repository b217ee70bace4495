//! Commits, tags and the message about to become one, judged by their texts. Owns how each of them becomes a subject.

use bstr::{BStr, BString};

use super::{Part, Run, in_parallel};
use crate::error::Result;
use crate::finding::{Findings, InlineAllow, Origin, trailer_allows};
use crate::git::{CommitJob, RawCommit, Repo, ThreadRepo};
use crate::policy::{Batch, Scoped};
use crate::report::Undecided;
use crate::rules::CommitCheck;
use crate::rules::secrets::redactor;
use crate::subject::{CameBy, Carrier, Commit, ObjectKind, Oid, Person, RefSet};

/// What was said of a pending message.
struct Pending<'s, 'r> {
    subject: Commit<'s>,
    findings: Findings<'r>,
    errors: Vec<Undecided>,
}

impl Run<'_> {
    /// The message about to become a commit's.
    pub(super) fn message(
        &mut self,
        local: &ThreadRepo<'_>,
        text: &BString,
        others: &[Oid],
        author: Option<&Person>,
    ) -> Result<()> {
        let branch: RefSet = local.head_name()?.into_iter().collect();
        let changed = || local.staged_paths();
        let came_by = |accepts: &dyn Fn(&BStr) -> bool| Ok(branch.iter().any(accepts));
        let judge = |parents: Vec<Oid>| {
            let subject = Commit {
                carrier: Carrier::Pending,
                message: text.clone(),
                headers: BString::default(),
                parents,
                tree: None,
                author: Default::default(),
                committer: Default::default(),
                new_to: branch.clone(),
                changed_paths: &changed,
                came_by: &came_by,
            };
            let (mut findings, mut errors) = (self.collect(), Vec::new());
            for scoped in &self.config.checks.commits {
                if let Err(error) = scoped.check.check(&subject, &mut findings) {
                    errors.push(Undecided { error, origin: Some(Origin::Message { commit: None }) });
                }
            }
            Pending { subject, findings, errors }
        };
        let mut pending = judge(local.head()?.into_iter().chain(others.iter().copied()).collect());
        // HEAD's commit is opened only where the message would be refused.
        if !pending.findings.is_empty()
            && others.is_empty()
            && let Some(parents) = local.parents_taken_over(author)?
        {
            pending = judge(parents);
        }
        let Pending { subject, findings, errors } = pending;
        let trailers = trailer(&subject);
        self.out.errors.extend(errors);
        self.out.trailers.extend(trailers);
        self.keep(Batch { refs: branch, findings: findings.into_vec() });
        Ok(())
    }

    /// Judges commits and tags by their texts.
    pub(super) fn commits(&mut self, repo: &Repo, jobs: &[CommitJob]) {
        if self.config.checks.commits.is_empty() {
            return;
        }
        let parts = in_parallel(repo, jobs, |desk, job| self.commit(&desk.local, job));
        self.absorb(parts);
    }

    fn commit(&self, local: &ThreadRepo<'_>, job: &CommitJob) -> Part {
        let mut part = Part::default();
        let origin = Origin::Message { commit: Some(job.id) };
        let mut findings = self.collect();
        let mut judge = |subject: &Commit<'_>| {
            let here = |s: &&Scoped<CommitCheck>| s.scope.has_branch(job.content.iter());
            for scoped in self.config.checks.commits.iter().filter(here) {
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
                    came_by: &|_| Ok(false),
                });
            }),
            _ => local.commit(job.id).map(|raw| {
                let (tree, first) = (raw.node.tree, raw.node.parents.first().copied());
                let changed = || local.changed_paths(first, tree, self.config.path_budget);
                let parents = raw.node.parents.clone();
                let came_by = |accepts: &dyn Fn(&BStr) -> bool| {
                    if self.lands_from.as_ref().is_some_and(|head| accepts(head.as_ref())) {
                        return Ok(true);
                    }
                    local.stands_on(job.id, &parents, tree, self.on_server, self.config.path_budget, accepts)
                };
                judge(&commit_of(raw, job.id, job.new_to.clone(), &changed, &came_by));
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
    came_by: &'a CameBy<'a>,
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
        came_by,
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
