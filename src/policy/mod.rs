//! What was written, made true: the policy file read with positions, layered over presets and defaults.
//! Owns the shared vocabulary (environments, protected branches, budgets), scopes and exceptions.
//!
//! A later layer wins: presets in the order of `extends`, then the file that names them, then further files. Shared
//! words are replaced as a whole, budgets and the options of rules one by one; exceptions, detectors and assertions of
//! all layers count.

use std::sync::Arc;

mod acceptance;
mod compile;
mod effect;
mod exceptions;
mod former;
mod load;
mod option_effect;
mod setting;
mod settle;
mod strictness;
mod told_once;
pub mod trust;

pub use acceptance::{Accepted, Before, accept, exception_for};
pub use compile::{Compiled, Scoped};
pub use effect::{Change, Effect, compare};
pub use load::{KEYS, PRESETS};
pub use setting::Scope;
pub use settle::{Batch, Run};
pub use strictness::Strictness;

use crate::options::{Mistake, PolicyFile, Vocabulary};
use crate::rules::{RULES, Rule};
use exceptions::Exception;
use load::Layer;
use setting::Settings;

/// What a verdict does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    #[default]
    Enforce,
    /// Judge and log, refuse nothing.
    Report,
}

/// Who may push a change that relaxes the policy. Counts in the administrator's file only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PolicyChanges {
    #[default]
    Approvers,
    Anyone,
}

/// A policy that can be followed.
#[derive(Clone, Debug)]
pub struct Policy {
    rules: &'static [&'static Rule],
    files: Vec<Arc<PolicyFile>>,
    layers: Vec<Layer>,
    vocabulary: Vocabulary,
    mode: Mode,
    policy_changes: PolicyChanges,
    settings: Settings,
    exceptions: Vec<Exception>,
    /// Families that no inline allow or trailer can excuse.
    inline_deny: Vec<String>,
}

impl Policy {
    /// Reads policy files, lowest first. None at all: the built-in defaults. The mistakes are those of what is shared;
    /// options of rules are read when they are compiled.
    pub fn load(files: Vec<PolicyFile>) -> Result<Self, Vec<Mistake>> {
        Self::load_for(files, RULES)
    }

    /// Like [`Policy::load`], for another list of rules.
    pub fn load_for(files: Vec<PolicyFile>, rules: &'static [&'static Rule]) -> Result<Self, Vec<Mistake>> {
        load::load(files, rules)
    }

    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// As strict as the rules can be: what they let wait is an error.
    pub fn strictly(mut self) -> Self {
        self.vocabulary.strict = true;
        self
    }

    /// As CI judges: codes that are off at the gates because they cost time are on, unless the policy speaks of them.
    pub fn with_ci_codes(mut self) -> Self {
        for rule in self.rules {
            // A description that cannot be read is told by `explain`; it switches nothing on.
            for code in rule.about().map(|about| about.codes).unwrap_or_default() {
                if let Some(severity) = code.ci {
                    self.settings.otherwise(rule.id, &code.code, severity.0);
                }
            }
        }
        self
    }

    /// What an administrator's file says of changes to the repository's policy.
    pub fn policy_changes(&self) -> PolicyChanges {
        self.policy_changes
    }

    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The files it was made of, presets included, in the order in which they were read.
    pub fn files(&self) -> &[Arc<PolicyFile>] {
        &self.files
    }

    /// Checks names of rules that came from elsewhere (`from`: `PORTCULLIS_SKIP`); the mistakes point into the list.
    pub fn check_names(&self, from: &str, names: &[String]) -> Vec<Mistake> {
        setting::unknown_names(self.rules, from, names)
    }
}
