//! The steps of a run over a push, or over a range as one: stored objects while git lists the changes, then refs,
//! commits, trees and blobs.

use bstr::BString;

use super::BlobReading;
use super::objects::ObjectChecks;
use super::prescan::PrescanResults;
use super::run::Run;
use crate::error::Result;
use crate::git::{self, Changes, Excluded, GitGraph, Push, PushPolicy, Repo};
use crate::policy::Batch;
use crate::report::Undecided;
use crate::subject::Object;

/// How the commits of a push came here, as far as the gate knows.
pub(super) struct Landing {
    /// Full name of the branch whose pull request lands.
    pub from: Option<BString>,
    /// The gate is the server's: its own branches are the ones that count.
    pub on_server: bool,
}

impl Run<'_> {
    pub(super) fn push(&mut self, repo: &Repo, push: &Push) -> Result<Changes> {
        self.refs = push.updates.iter().map(|u| u.name.clone()).collect();
        let changes = self.push_changes(repo, push)?;
        let prescanned = match self.config.blob_reading {
            BlobReading::Prescan => {
                PrescanResults::of_jobs(repo, &changes.blobs, &self.config.checks.files, &mut self.out.stats)?
            }
            BlobReading::OneByOne => PrescanResults::default(),
        };
        let local = repo.thread_local();
        let head = push.head_ref.as_ref().filter(|head| !head.is_empty());
        let landing = Landing {
            from: head.map(|head| [b"refs/heads/", head.as_slice()].concat().into()),
            on_server: matches!(push.known, Excluded::Refs | Excluded::Quarantine),
        };
        self.replace_refs(&changes.refs);
        let graph = || {
            let graph = GitGraph::new(&local, push.branches_at.clone(), self.config.path_budget)?;
            Ok(if push.on_server { graph.on_server() } else { graph })
        };
        self.ref_updates(graph, push, &changes.refs)?;
        self.commits(repo, &changes.commits, Some(&landing));
        self.trees(&local, &changes);
        self.blobs(repo, &changes.blobs, &prescanned);
        Ok(changes)
    }

    /// Lists what a push brings, and checks its commits, tags and trees as stored on the way.
    fn push_changes(&mut self, repo: &Repo, push: &Push) -> Result<Changes> {
        let checks = self.config.checks;
        let stored = ObjectChecks::new(checks, self.out.key);
        let visit = |object: &Object<'_>| stored.check(object);
        let inspector = git::Inspector::new(&visit);
        let policy = PushPolicy {
            protected: self.config.protected,
            strictness: &|name| checks.strictness.of(name),
            is_excused: &|commit| checks.strictness.is_excused(commit),
            is_release_tag: &|name| checks.refs.iter().any(|s| s.check.is_release_tag(name)),
            inspector: (!checks.objects.is_empty()).then_some(&inspector),
        };
        let listed = repo.push_changes(push, &self.query(), &policy);
        let (malformed, errors) = stored.into_results();
        self.out.errors.extend(errors);
        let changes = match listed {
            Ok(changes) => changes,
            // A malformed object can seldom be walked, and the finding on it says more than the walk's error.
            Err(error) if !malformed.is_empty() => {
                self.out.errors.push(Undecided { error, origin: None });
                Changes::default()
            }
            Err(error) => return Err(error),
        };
        self.keep(Batch { refs: self.refs.clone(), findings: malformed });
        Ok(changes)
    }
}
