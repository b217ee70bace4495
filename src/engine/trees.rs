//! Snapshots that a change results in, each compared with the state before it.

use std::collections::HashSet;

use bstr::BString;

use super::run::Run;
use crate::finding::Finding;
use crate::git::{Changes, GitSnapshot, SnapshotOf, ThreadRepo};
use crate::policy::{Batch, Scoped};
use crate::report::Undecided;
use crate::rules::TreeCheck;
use crate::subject::{Oid, Snapshot, Tree};

impl Run<'_> {
    /// Checks each snapshot, as it is once all refs of the change have moved.
    pub(super) fn trees(&mut self, local: &ThreadRepo<'_>, changes: &Changes) {
        if self.config.checks.trees.is_empty() {
            return;
        }
        let moves: Vec<(BString, Option<Oid>)> = changes.refs.iter().map(|u| (u.name.clone(), u.new)).collect();
        let budget = self.config.path_budget;
        for job in &changes.trees {
            let before = job.before.map(|c| local.tree_of(c)).transpose().unwrap_or_else(|error| {
                // Without the state before, a file that the change deletes would look as if it had never existed.
                self.out.errors.push(Undecided { error, origin: None });
                None
            });
            let snapshot = GitSnapshot::new(local, job.snapshot, &moves, budget).after(before);
            let before = before.map(|t| GitSnapshot::new(local, SnapshotOf::Tree(t), &[], budget));
            let subject = Tree {
                commit: job.commit,
                name: job.name.clone(),
                snapshot: &snapshot,
                before: before.as_ref().map(|b| b as &dyn Snapshot),
            };
            let (mut findings, errors) = self.tree(&subject);
            self.out.errors.extend(errors);
            if let (Some(snapshot), false) = (subject.before, findings.is_empty()) {
                let then = Tree { commit: job.before, name: job.name.clone(), snapshot, before: None };
                // An old state that could not be checked excuses nothing.
                let stood: HashSet<String> = self.tree(&then).0.into_iter().map(|f| f.fingerprint).collect();
                findings.iter_mut().for_each(|f| f.stood = stood.contains(&f.fingerprint));
            }
            self.keep(Batch { refs: job.name.clone().into_iter().collect(), findings });
        }
    }

    fn tree(&self, subject: &Tree<'_>) -> (Vec<Finding>, Vec<Undecided>) {
        let mut findings = self.findings();
        let in_scope = |s: &&Scoped<TreeCheck>| s.scope.has_branch(subject.name.iter().map(AsRef::as_ref));
        let errors = self.config.checks.trees.iter().filter(in_scope).filter_map(|scoped| {
            let error = scoped.check.check(subject, &mut findings).err()?;
            Some(Undecided { error, origin: None })
        });
        let errors = errors.collect();
        (findings.into_vec(), errors)
    }
}
