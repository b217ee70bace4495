//! The family's options and the policy's environments, compiled.

use bstr::{BStr, ByteSlice as _};

use super::words::{self, EnvironmentNames};
use crate::options::scope::{Branches, Globs};
use crate::options::{Environment, Options};
use crate::subject::{Snapshot, Tree};

pub(super) struct WindmillOptions {
    /// `includeKey: false` must be written out; a missing key is not enough.
    pub require_explicit: bool,
    /// Encrypted secrets may be in the tree.
    pub encrypted: bool,
    /// `includeSettings: true` is allowed.
    pub allow_settings: bool,
    /// Files with CI commands.
    pub ci_files: Globs,
    /// In the policy's order, production last.
    environments: Vec<Environment>,
    branches: Vec<Branches>,
    pub names: Vec<EnvironmentNames>,
}

impl WindmillOptions {
    pub(super) fn new(options: &Options<'_>) -> Self {
        let vocabulary = options.vocabulary();
        // Loading the policy reports invalid globs.
        let branches = vocabulary.environments.iter().map(|e| Branches::new(&e.branches).unwrap_or_default());
        Self {
            require_explicit: options.flag("require_explicit"),
            encrypted: options.choice("secrets", &["forbid", "encrypted"]) == "encrypted",
            allow_settings: options.flag("allow_settings"),
            ci_files: options.globs("ci_files"),
            environments: vocabulary.environments.clone(),
            branches: branches.collect(),
            names: EnvironmentNames::all(vocabulary),
        }
    }

    /// The environment of a branch, by its short or full name.
    pub(super) fn environment(&self, branch: &BStr) -> Option<usize> {
        self.branches.iter().position(|b| b.is_match(branch))
    }

    /// The environment of the tree's branch.
    pub(super) fn of_tree(&self, tree: &Tree<'_>) -> Option<usize> {
        self.environment(tree.name.as_ref()?.as_bstr())
    }

    /// The environment that a workspace's name contains, if it contains exactly one.
    pub(super) fn environment_named_in(&self, workspace: &str) -> Option<usize> {
        let words = words::words(workspace);
        let mut named = (0..self.names.len()).filter(|&e| self.names[e].are_in(&words));
        named.next().filter(|_| named.next().is_none())
    }

    pub(super) fn name(&self, environment: usize) -> &str {
        self.environments.get(environment).map_or("", |e| &e.name)
    }

    /// The last environment is production.
    pub(super) fn is_production(&self, environment: usize) -> bool {
        environment + 1 == self.environments.len()
    }

    pub(super) fn count(&self) -> usize {
        self.environments.len()
    }

    /// Short names of an environment's branches: those written out, or the first 16 existing ones that match its globs.
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
