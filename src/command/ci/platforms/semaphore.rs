//! Semaphore.

use super::super::change::{Change, Pull, Since, branch, id, range_start};
use super::super::platform::{Platform, Variables, is};

pub static PLATFORM: Platform = Platform {
    id: "semaphore",
    name: "Semaphore",
    is_running: |variable| is(variable, "SEMAPHORE", "true"),
    full_checkout: "run `checkout` with SEMAPHORE_GIT_DEPTH unset, then `git fetch --unshallow`",
    log_format: None,
    read: |variable, _| Ok(read(variable)),
};

fn read(variable: Variables<'_>) -> Change {
    let oid = |name: &str| id(variable(name).as_deref());
    let blank = Change {
        head: oid("SEMAPHORE_GIT_SHA"),
        target: branch(variable("SEMAPHORE_GIT_BRANCH")),
        actor: variable("SEMAPHORE_GIT_COMMIT_AUTHOR"),
        ..Change::unknown(&PLATFORM)
    };
    match variable("SEMAPHORE_GIT_REF_TYPE").unwrap_or_default().as_str() {
        "pull-request" => Change {
            // The branch is the one that the request wants to land on.
            since: Since::Target(None),
            pull: Pull {
                head: oid("SEMAPHORE_GIT_PR_SHA"),
                head_ref: variable("SEMAPHORE_GIT_PR_BRANCH"),
                title: variable("SEMAPHORE_GIT_PR_NAME"),
            },
            ..blank
        },
        "tag" => {
            let tag = variable("SEMAPHORE_GIT_TAG_NAME").map(|t| format!("refs/tags/{t}"));
            Change { since: Since::New, target: tag, ..blank }
        }
        _ => {
            let before = range_start(variable("SEMAPHORE_GIT_COMMIT_RANGE").as_deref());
            Change { since: before.map_or(Since::Untold, Since::Before), ..blank }
        }
    }
}
