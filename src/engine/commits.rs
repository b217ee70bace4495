//! Commits, tags, and the message about to become one. Owns how each of them becomes a subject.

use bstr::{BStr, BString};

use super::push::Landing;
use super::run::{JobResult, Run, in_parallel};
use crate::error::Result;
use crate::finding::{Findings, InlineAllow, Origin, trailer_allows};
use crate::git::{CommitJob, RawCommit, Repo, ThreadRepo};
use crate::policy::{Batch, Scoped};
use crate::report::Undecided;
use crate::rules::CommitCheck;
use crate::rules::secrets::redactor;
use crate::subject::{CameBy, Carrier, Commit, ObjectKind, Oid, Person, RefSet};

/// The check of a pending message.
struct Pending<'s, 'r> {
    subject: Commit<'s>,
    findings: Findings<'r>,
    errors: Vec<Undecided>,
}

impl Run<'_> {
    /// Checks the message about to become a commit's. `others`: its parents beside HEAD; `author`: as git passes it to
    /// the hook.
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
        let check = |parents: Vec<Oid>| {
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
            let (mut findings, mut errors) = (self.findings(), Vec::new());
            for scoped in &self.config.checks.commits {
                if let Err(error) = scoped.check.check(&subject, &mut findings) {
                    errors.push(Undecided { error, origin: Some(Origin::Message { commit: None }) });
                }
            }
            Pending { subject, findings, errors }
        };
        let mut pending = check(local.head()?.into_iter().chain(others.iter().copied()).collect());
        // Only a message that would be refused is worth opening HEAD's commit: `--amend` keeps its parents.
        if !pending.findings.is_empty()
            && others.is_empty()
            && let Some(parents) = local.amended_parents(author)?
        {
            pending = check(parents);
        }
        let Pending { subject, findings, errors } = pending;
        let trailers = trailer(&subject);
        self.out.errors.extend(errors);
        self.out.trailers.extend(trailers);
        self.keep(Batch { refs: branch.clone(), findings: findings.into_vec() });
        self.refs = branch;
        Ok(())
    }

    /// Checks commits and tag objects. `landing`: how they came here, where the change is a push.
    pub(super) fn commits(&mut self, repo: &Repo, jobs: &[CommitJob], landing: Option<&Landing>) {
        if self.config.checks.commits.is_empty() {
            return;
        }
        let results = in_parallel(repo, jobs, |worker, job| self.commit(&worker.local, job, landing));
        self.collect(results);
    }

    fn commit(&self, local: &ThreadRepo<'_>, job: &CommitJob, landing: Option<&Landing>) -> JobResult {
        let mut result = JobResult::default();
        let origin = Origin::Message { commit: Some(job.id) };
        let mut findings = self.findings();
        let mut check = |subject: &Commit<'_>| {
            let in_scope = |s: &&Scoped<CommitCheck>| s.scope.has_branch(job.refs.iter());
            for scoped in self.config.checks.commits.iter().filter(in_scope) {
                if let Err(error) = scoped.check.check(subject, &mut findings) {
                    result.errors.push(Undecided { error, origin: Some(origin.clone()) });
                }
            }
            result.trailer = trailer(subject);
        };
        let read = match job.kind {
            ObjectKind::Tag => local.tag(job.id).map(|tag| {
                let headers = tag.raw[..tag.raw.len() - tag.message.len()].into();
                check(&Commit {
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
                    if landing.and_then(|l| l.from.as_ref()).is_some_and(|head| accepts(head.as_ref())) {
                        return Ok(true);
                    }
                    let on_server = landing.is_some_and(|l| l.on_server);
                    local.came_by(job.id, &parents, tree, on_server, self.config.path_budget, accepts)
                };
                check(&commit_subject(raw, job.id, job.new_to.clone(), &changed, &came_by));
            }),
        };
        if let Err(error) = read {
            result.errors.push(Undecided { error, origin: Some(Origin::Message { commit: Some(job.id) }) });
        }
        result.batches.push(Batch { refs: job.refs.clone(), findings: findings.into_vec() });
        result
    }
}

/// A stored commit as the subject of checks.
pub(super) fn commit_subject<'a>(
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

/// The allows in a message's trailers.
pub(super) fn trailer(subject: &Commit<'_>) -> Option<(Option<Oid>, Vec<InlineAllow>)> {
    let id = match subject.carrier {
        Carrier::Pending => None,
        Carrier::Commit(id) | Carrier::Tag(id, _) => Some(id),
    };
    let allows = trailer_allows(&subject.message, redactor());
    (!allows.is_empty()).then_some((id, allows))
}
