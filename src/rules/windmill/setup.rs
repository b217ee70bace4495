//! The family's options and the shared vocabulary, compiled: what is allowed, which branch is which environment.

use bstr::{BStr, ByteSlice};

use super::words::{self, Names};
use crate::policy::scope::{Branches, Globs};
use crate::policy::{Environment, Options};
use crate::subject::{Snapshot, Tree};

pub(super) struct Setup {
    /// `includeKey: false` must be written, not only be absent.
    pub require_explicit: bool,
    /// Secrets may be in the tree if they are encrypted.
    pub encrypted: bool,
    /// `includeSettings: true` is allowed.
    pub allow_settings: bool,
    /// Which files hold the commands of a CI.
    pub ci_files: Globs,
    /// Lowest first, as in the vocabulary.
    environments: Vec<Environment>,
    branches: Vec<Branches>,
    pub names: Vec<Names>,
}

impl Setup {
    pub(super) fn new(options: &Options<'_>) -> Self {
        let vocabulary = options.vocabulary();
        // A wrong glob is told where the vocabulary is read.
        let branches = vocabulary.environments.iter().map(|e| Branches::new(&e.branches).unwrap_or_default());
        Self {
            require_explicit: options.flag("require_explicit"),
            encrypted: options.choice("secrets", &["forbid", "encrypted"]) == "encrypted",
            allow_settings: options.flag("allow_settings"),
            ci_files: options.globs("ci_files"),
            environments: vocabulary.environments.clone(),
            branches: branches.collect(),
            names: Names::all(vocabulary),
        }
    }

    /// The environment of a branch, by its short or full name.
    pub(super) fn environment(&self, branch: &BStr) -> Option<usize> {
        self.branches.iter().position(|b| b.is_match(branch))
    }

    /// The environment of the branch that will have a tree.
    pub(super) fn of_tree(&self, tree: &Tree<'_>) -> Option<usize> {
        self.environment(tree.name.as_ref()?.as_bstr())
    }

    /// The environment that the name of a workspace says, if it says exactly one.
    pub(super) fn named(&self, workspace: &str) -> Option<usize> {
        let words = words::words(workspace);
        let mut named = (0..self.names.len()).filter(|&e| self.names[e].are_in(&words));
        named.next().filter(|_| named.next().is_none())
    }

    pub(super) fn name(&self, environment: usize) -> &str {
        self.environments.get(environment).map_or("", |e| &e.name)
    }

    /// The last one; `false` where there are none.
    pub(super) fn is_production(&self, environment: usize) -> bool {
        environment + 1 == self.environments.len()
    }

    pub(super) fn count(&self) -> usize {
        self.environments.len()
    }

    /// The short names of an environment's branches that stand in a repository: those written out, and at most
    /// sixteen for its globs.
    pub(super) fn branches(&self, environment: usize, snapshot: &dyn Snapshot) -> crate::error::Result<Vec<String>> {
        let Some(written) = self.environments.get(environment).map(|e| &e.branches) else { return Ok(Vec::new()) };
        if !written.iter().any(|b| b.contains(['*', '?', '[', '{'])) {
            return Ok(written.clone());
        }
        let all = snapshot.branches()?;
        let fits = all.iter().filter(|b| self.branches[environment].is_match(b.as_bstr()));
        Ok(fits.take(16).map(|b| b.to_str_lossy().into_owned()).collect())
    }
}
