//! Names of release tags: formats such as `v{semver}` and the versions in them. Shared by the rules on tags, branches and
//! deployments; owns no requirement.

pub mod format;
pub mod version;
