//! The rules: the list of all of them. A rule's own file owns everything else about it.

mod about;
pub mod assertions;
pub mod branch_topology;
pub mod conventional_commits;
pub mod deployments;
pub mod divergence;
pub mod exceptions;
pub mod files;
pub mod git_objects;
pub mod policy;
pub mod prescan;
pub mod release_tags;
mod rule;
pub mod secrets;
pub mod semver_tags;
pub mod structured;
pub mod windmill;
pub mod windmill_paths;

pub use about::{About, Code, DefaultSeverity};
pub use prescan::Prescan;
pub use rule::{Check, Checks, CommitCheck, FileCheck, ObjectCheck, RefCheck, Rule, TreeCheck};

/// All rules. The defaults, codes, explanations and examples are in `policies/<id>.yml`.
pub static RULES: &[&Rule] = &[
    &policy::RULE,
    &exceptions::RULE,
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
