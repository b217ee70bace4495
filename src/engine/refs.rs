//! Ref updates: of a push, and of a merge about to be committed.

use bstr::BString;

use super::head_ref;
use super::run::Run;
use crate::error::Result;
use crate::finding::{Origin, Severity, Violation};
use crate::git::{Changes, GitGraph, Push, Repo, ThreadRepo};
use crate::policy::Batch;
use crate::report::Undecided;
use crate::subject::{Oid, RefLine, RefUpdate, Shared, Update};

impl Run<'_> {
    /// Refuses a new `refs/replace/`, whatever the policy says: after such a push git would show other objects than
    /// those that were checked. Deleting one is fine.
    pub(super) fn replace_refs(&mut self, updates: &[Update]) {
        for update in updates.iter().filter(|u| u.new.is_some() && u.name.starts_with(b"refs/replace/")) {
            let mut findings = self.findings();
            let line = RefLine::new(update.name.as_ref(), update.old, update.new);
            let origin = Origin::Ref { name: update.name.clone(), old: update.old, new: update.new };
            let identity = [&line.text[line.name.clone()], &line.text[line.new.clone()]];
            findings.push(
                Violation::new("policy/replace-ref", Severity::Error, origin, &line.text, line.name.clone())
                    .identity(identity)
                    .message("a replacement would make git show other objects than those that were judged")
                    .note("no gate follows refs/replace, and everybody who fetches it does")
                    .help("rewrite the history instead (git filter-repo), or keep the replacement to yourself"),
            );
            self.keep(Batch { refs: update.name.clone().into(), findings: findings.into_vec() });
        }
    }

    /// Checks each update. `graph` is called only if a check needs one.
    pub(super) fn ref_updates<'g>(
        &mut self,
        graph: impl FnOnce() -> Result<GitGraph<'g>>,
        push: &Push,
        updates: &[Update],
    ) -> Result<()> {
        if self.config.checks.refs.is_empty() || updates.is_empty() {
            return Ok(());
        }
        let graph = graph()?;

        let shared = Shared::default();
        for update in updates {
            let subject = RefUpdate {
                name: update.name.clone(),
                old: update.old,
                new: update.new,
                pusher: push.pusher.clone(),
                head_ref: push.head_ref.clone(),
                together: updates,
                graph: &graph,
                shared: shared.clone(),
            };
            let mut findings = self.findings();
            for scoped in self.config.checks.refs.iter().filter(|s| s.scope.has_branch([update.name.as_ref()])) {
                if let Err(error) = scoped.check.check(&subject, &mut findings) {
                    let origin = Origin::Ref { name: update.name.clone(), old: update.old, new: update.new };
                    self.out.errors.push(Undecided { error, origin: Some(origin) });
                }
            }
            self.keep(Batch { refs: update.name.clone().into(), findings: findings.into_vec() });
        }
        Ok(())
    }

    /// The steps of a run over a merge about to be committed: the update of the checked-out branch, and what is staged.
    pub(super) fn pending_merge(&mut self, repo: &Repo, heads: &[Oid], message: &BString) -> Result<Changes> {
        let changes = repo.staged_changes(heads, &self.query())?;
        let local = repo.thread_local();
        self.refs = head_ref(&local)?;
        self.merge_update(&local, heads, message)?;
        self.trees(&local, &changes);
        self.blobs(repo, &changes.blobs, &Default::default());
        Ok(changes)
    }

    /// Checks the update that a pending merge will make, with a merge commit that is made in memory.
    fn merge_update(&mut self, local: &ThreadRepo<'_>, heads: &[Oid], message: &BString) -> Result<()> {
        let (Some(head), Some(name)) = (local.head()?, local.head_name()?) else { return Ok(()) };
        if self.config.checks.refs.is_empty() || heads.is_empty() {
            return Ok(());
        }
        let graph = GitGraph::new(local, None, self.config.path_budget)?;
        let parents: Vec<Oid> = std::iter::once(head).chain(heads.iter().copied()).collect();
        let new = graph.pending_merge(&parents, message.as_ref())?;
        let update = Update { name, old: Some(head), new: Some(new) };
        self.ref_updates(|| Ok(graph), &Push::default(), &[update])
    }
}
