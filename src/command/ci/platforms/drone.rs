//! Drone.

use super::super::change::{Change, Pull, Since, branch, id};
use super::super::platform::{Platform, Variables, is};

pub static PLATFORM: Platform = Platform {
    id: "drone",
    name: "Drone",
    is_running: |variable| is(variable, "DRONE", "true"),
    full_checkout: "set `clone: { depth: 0 }` in the pipeline",
    log_format: None,
    read: |variable, _| Ok(read(variable)),
};

fn read(variable: Variables<'_>) -> Change {
    let oid = |name: &str| id(variable(name).as_deref());
    let blank = Change {
        head: oid("DRONE_COMMIT_SHA"),
        target: branch(variable("DRONE_BRANCH")),
        default_branch: variable("DRONE_REPO_BRANCH"),
        actor: variable("DRONE_BUILD_TRIGGER").filter(|t| !t.starts_with('@')),
        ..Change::unknown(&PLATFORM)
    };
    match variable("DRONE_BUILD_EVENT").unwrap_or_default().as_str() {
        "pull_request" => Change {
            since: Since::Target(None),
            target: branch(variable("DRONE_TARGET_BRANCH")).or(blank.target),
            pull: Pull {
                head: blank.head,
                head_ref: variable("DRONE_SOURCE_BRANCH"),
                title: variable("DRONE_PULL_REQUEST_TITLE"),
            },
            ..blank
        },
        "tag" => {
            let tag = variable("DRONE_TAG").map(|t| format!("refs/tags/{t}"));
            Change { since: Since::New, target: tag, ..blank }
        }
        "push" => Change { since: oid("DRONE_COMMIT_BEFORE").map_or(Since::New, Since::Before), ..blank },
        _ => Change { since: Since::Standing, ..blank },
    }
}
