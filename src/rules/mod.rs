//! What a rule is, and the one list of them.
//! Owns [`Check`], [`Checks`], [`Rule`]; a rule's own file owns everything else about it.

mod about;
pub mod assertions;
pub mod branch_topology;
pub mod conventional_commits;
pub mod deployments;
pub mod divergence;
pub mod files;
pub mod git_objects;
pub mod prescan;
pub mod secrets;
pub mod semver_tags;
mod structured;
pub mod windmill;
pub mod windmill_paths;

pub use about::{About, Code, DefaultSeverity};
pub use prescan::Sieve;

use std::sync::Arc;

use bstr::BStr;

use crate::error::Result;
use crate::finding::{Findings, Redact};
use crate::policy::Options;
use crate::subject::{Commit, File, Kinds, Object, RefUpdate, Tree};

/// A rule compiled with its options, ready to look at one kind of subject.
pub trait Check<S: ?Sized>: Send + Sync {
    /// Pushes a finding per violation. `Err` means "could not decide", never "violated".
    fn check(&self, subject: &S, out: &mut Findings<'_>) -> Result<()>;

    /// Called once, after the last subject of a run: for what only two subjects together violate. A check that
    /// remembers subjects for this must not depend on their order.
    fn finish(&self, _out: &mut Findings<'_>) -> Result<()> {
        Ok(())
    }

    /// What it says of a file hangs on path and content alone, and nothing of it is kept for later: where it once found
    /// nothing, it needs not be asked again.
    fn judges_alone(&self) -> bool {
        false
    }

    /// Whether it has nothing to say of a subject and remembers nothing of it, so that it need not be asked.
    fn is_silent(&self, _subject: &S) -> bool {
        false
    }

    /// For a check of refs: whether a ref, by its full name, is a tag that releases what it names, so that the tree there is
    /// judged as that of a branch.
    fn releases(&self, _name: &BStr) -> bool {
        false
    }

    /// For a check of files that looks at every file: how it tells from the bytes alone which ones it needs not be
    /// asked about.
    fn sieve(&self) -> Option<&dyn Sieve> {
        None
    }
}

pub type FileCheck = Box<dyn for<'a> Check<File<'a>>>;
pub type CommitCheck = Box<dyn for<'a> Check<Commit<'a>>>;
pub type RefCheck = Box<dyn for<'a> Check<RefUpdate<'a>>>;
pub type TreeCheck = Box<dyn for<'a> Check<Tree<'a>>>;
pub type ObjectCheck = Box<dyn for<'a> Check<Object<'a>>>;

/// Checks by the kind of subject they look at: a mismatch cannot be written.
#[derive(Default)]
pub struct Checks {
    pub files: Vec<FileCheck>,
    pub commits: Vec<CommitCheck>,
    pub refs: Vec<RefCheck>,
    pub trees: Vec<TreeCheck>,
    pub objects: Vec<ObjectCheck>,
    /// Knows more secrets than the built-in detectors do.
    pub redactor: Option<Arc<dyn Redact>>,
}

/// A named requirement, written once.
#[derive(Debug)]
pub struct Rule {
    /// The family: the part of `family/code` before the slash.
    pub id: &'static str,
    pub looks_at: Kinds,
    /// `include_str!("../../policies/<id>.yml")`: default options, then a document with codes and examples.
    pub policy: &'static str,
    /// Turns options into checks. Mistakes in them are recorded in the options, all at once.
    pub compile: fn(&Options<'_>) -> Checks,
}

/// Every rule there is. Its defaults, codes, explanation and examples stand in `policies/<id>.yml`.
pub static RULES: &[&Rule] = &[
    &crate::policy::POLICY,
    &crate::policy::EXCEPTIONS,
    &secrets::RULE,
    &files::RULE,
    &git_objects::RULE,
    &conventional_commits::RULE,
    &semver_tags::RULE,
    &branch_topology::RULE,
    &windmill::RULE,
    &divergence::RULE,
    &deployments::RULE,
    &assertions::RULE,
];
