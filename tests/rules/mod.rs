//! Rules, one module per family.

mod branch_topology;
mod conventional_commits;

mod files;
mod secrets;
mod semver_tags;
mod windmill;
mod windmill_paths;
