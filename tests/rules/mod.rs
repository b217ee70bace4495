//! Rules, one module per family.

mod assertions;
mod branch_topology;
mod conventional_commits;
mod deployments;
mod divergence;

mod files;
mod git_objects;
pub mod secrets;
mod semver_tags;
mod windmill;
mod windmill_paths;
