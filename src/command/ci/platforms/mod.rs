//! The CI platforms that are known: the one list of them. A new one is a file and a line of the list.

mod azure;
mod bitbucket;
mod buildkite;
mod circleci;
mod codebuild;
mod drone;
mod github;
mod gitlab;
mod jenkins;
mod semaphore;
mod teamcity;
mod travis;
mod woodpecker;

use super::change::Change;
use super::platform::{Files, Platform, Variables};
use crate::error::Result;

/// In the order in which they are looked for.
pub static PLATFORMS: &[&Platform] = &[
    &github::GITEA,
    &github::GITHUB,
    &gitlab::PLATFORM,
    &bitbucket::PLATFORM,
    &azure::PLATFORM,
    &circleci::PLATFORM,
    &woodpecker::PLATFORM,
    &drone::PLATFORM,
    &buildkite::PLATFORM,
    &travis::PLATFORM,
    &codebuild::PLATFORM,
    &semaphore::PLATFORM,
    &teamcity::PLATFORM,
    &jenkins::PLATFORM,
];

/// The change that this process runs for; `None` outside every platform that we know.
pub fn detect(variable: Variables<'_>, files: Files<'_>) -> Result<Option<Change>> {
    let platform = PLATFORMS.iter().find(|p| (p.is_running)(variable));
    platform.map(|p| (p.read)(variable, files)).transpose()
}
