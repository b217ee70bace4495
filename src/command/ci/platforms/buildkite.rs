//! Buildkite.

use super::super::change::{Change, Pull, Since, branch, id};
use super::super::platform::{Platform, Variables, is};

pub static PLATFORM: Platform = Platform {
    id: "buildkite",
    name: "Buildkite",
    is_running: |variable| is(variable, "BUILDKITE", "true"),
    full_checkout: "take `--depth` out of BUILDKITE_GIT_CLONE_FLAGS and BUILDKITE_GIT_FETCH_FLAGS",
    log_format: None,
    read: |variable, _| Ok(read(variable)),
};

fn read(variable: Variables<'_>) -> Change {
    let oid = |name: &str| id(variable(name).as_deref());
    let blank = Change {
        // `HEAD` where a build was started without a commit.
        head: oid("BUILDKITE_COMMIT"),
        target: branch(variable("BUILDKITE_BRANCH")),
        default_branch: variable("BUILDKITE_PIPELINE_DEFAULT_BRANCH"),
        actor: variable("BUILDKITE_BUILD_CREATOR_EMAIL").or_else(|| variable("BUILDKITE_BUILD_CREATOR")),
        ..Change::unknown(&PLATFORM)
    };
    if let Some(base) = oid("BUILDKITE_MERGE_QUEUE_BASE_COMMIT") {
        let target = branch(variable("BUILDKITE_MERGE_QUEUE_BASE_BRANCH")).or(blank.target);
        return Change { since: Since::Before(base), target, ..blank };
    }
    if variable("BUILDKITE_PULL_REQUEST").is_some_and(|n| n != "false") {
        return Change {
            since: Since::Target(None),
            target: branch(variable("BUILDKITE_PULL_REQUEST_BASE_BRANCH")),
            pull: Pull { head: blank.head, head_ref: variable("BUILDKITE_BRANCH"), title: None },
            ..blank
        };
    }
    if let Some(tag) = variable("BUILDKITE_TAG") {
        return Change { since: Since::New, target: Some(format!("refs/tags/{tag}")), ..blank };
    }
    let standing = matches!(variable("BUILDKITE_SOURCE").as_deref(), Some("schedule" | "ui" | "api" | "trigger_job"));
    Change { since: if standing { Since::Standing } else { Since::Untold }, ..blank }
}
