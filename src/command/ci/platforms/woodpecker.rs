//! Woodpecker.

use super::super::change::{Change, Pull, Since, branch, id};
use super::super::platform::{Platform, Variables, is};

pub static PLATFORM: Platform = Platform {
    id: "woodpecker",
    name: "Woodpecker",
    is_running: |variable| is(variable, "CI", "woodpecker") || is(variable, "CI_SYSTEM_NAME", "woodpecker"),
    full_checkout: "set `depth: 0` and `partial: false` in the clone step",
    log_format: None,
    read: |variable, _| Ok(read(variable)),
};

fn read(variable: Variables<'_>) -> Change {
    let oid = |name: &str| id(variable(name).as_deref());
    let blank = Change {
        head: oid("CI_COMMIT_SHA"),
        target: branch(variable("CI_COMMIT_BRANCH")),
        default_branch: variable("CI_REPO_DEFAULT_BRANCH"),
        actor: variable("CI_PIPELINE_AUTHOR").or_else(|| variable("CI_COMMIT_AUTHOR")),
        ..Change::unknown(&PLATFORM)
    };
    match variable("CI_PIPELINE_EVENT").unwrap_or_default().as_str() {
        "pull_request" | "pull_request_closed" | "pull_request_metadata" => Change {
            since: Since::Target(None),
            target: branch(variable("CI_COMMIT_TARGET_BRANCH")).or(blank.target),
            pull: Pull {
                head: blank.head,
                head_ref: variable("CI_COMMIT_SOURCE_BRANCH"),
                title: variable("CI_COMMIT_PULL_REQUEST_TITLE"),
            },
            ..blank
        },
        "tag" | "release" => {
            let tag = variable("CI_COMMIT_TAG").map(|t| format!("refs/tags/{t}"));
            Change { since: Since::New, target: tag, ..blank }
        }
        "cron" | "manual" | "deployment" => Change { since: Since::Standing, ..blank },
        // What was judged last on this branch, where there was anything.
        _ => Change {
            since: oid("CI_PREV_COMMIT_SHA")
                .filter(|_| variable("CI_PREV_COMMIT_BRANCH") == variable("CI_COMMIT_BRANCH"))
                .map_or(Since::Untold, Since::Before),
            ..blank
        },
    }
}
