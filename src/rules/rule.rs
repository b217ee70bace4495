//! What a rule is, and the checks it compiles to.

use std::sync::Arc;

use bstr::BStr;

use super::prescan::Prescan;
use crate::error::Result;
use crate::finding::{Findings, Redact};
use crate::options::Options;
use crate::subject::{Commit, File, Kinds, Object, RefUpdate, Tree};

/// A rule compiled with its options, ready to look at one kind of subject.
pub trait Check<S: ?Sized>: Send + Sync {
    /// Pushes a finding per violation. `Err` means "could not decide", never "violated".
    fn check(&self, subject: &S, out: &mut Findings<'_>) -> Result<()>;

    /// Called once after the last subject, for violations that involve several subjects. The result must not depend on
    /// the order of the subjects.
    fn finish(&self, _out: &mut Findings<'_>) -> Result<()> {
        Ok(())
    }

    /// The result depends only on path and content, and [`Check::finish`] needs nothing, so a clean result can be cached.
    fn is_cacheable(&self) -> bool {
        false
    }

    /// The check would neither report nor remember anything about this subject, so the caller may skip it.
    fn can_skip(&self, _subject: &S) -> bool {
        false
    }

    /// For checks of refs: whether the ref with this full name is a release tag, whose tree is checked like a branch's.
    fn is_release_tag(&self, _name: &BStr) -> bool {
        false
    }

    /// For checks that look at every file: decides from the bytes alone which files need no closer look.
    fn prescan(&self) -> Option<&dyn Prescan> {
        None
    }
}

pub type FileCheck = Box<dyn for<'a> Check<File<'a>>>;
pub type CommitCheck = Box<dyn for<'a> Check<Commit<'a>>>;
pub type RefCheck = Box<dyn for<'a> Check<RefUpdate<'a>>>;
pub type TreeCheck = Box<dyn for<'a> Check<Tree<'a>>>;
pub type ObjectCheck = Box<dyn for<'a> Check<Object<'a>>>;

/// Checks by the kind of subject they look at, so that the compiler rules out a mismatch.
#[derive(Default)]
pub struct Checks {
    pub files: Vec<FileCheck>,
    pub commits: Vec<CommitCheck>,
    pub refs: Vec<RefCheck>,
    pub trees: Vec<TreeCheck>,
    pub objects: Vec<ObjectCheck>,
    /// Redacts secrets that the built-in detectors do not know.
    pub redactor: Option<Arc<dyn Redact>>,
}

impl Checks {
    /// The kinds of subject that any of these checks looks at.
    pub fn kinds(&self) -> Kinds {
        let some = |empty: bool, kind| if empty { Kinds::NONE } else { kind };
        some(self.files.is_empty(), Kinds::FILE)
            .union(some(self.commits.is_empty(), Kinds::COMMIT))
            .union(some(self.refs.is_empty(), Kinds::REF))
            .union(some(self.trees.is_empty(), Kinds::TREE))
            .union(some(self.objects.is_empty(), Kinds::OBJECT))
    }
}

/// A named requirement, written once.
#[derive(Debug)]
pub struct Rule {
    /// The family: the part of `family/code` before the slash.
    pub id: &'static str,
    /// The kinds of subject that its checks may look at. A run does not compile a rule whose kinds its source cannot feed.
    pub looks_at: Kinds,
    /// `policies/<id>.yml`: a document with the default options, then one with codes, explanations and examples.
    pub policy: &'static str,
    /// Turns options into checks. Mistakes are recorded in the options, so that they are reported together.
    pub compile: fn(&Options<'_>) -> Checks,
}
