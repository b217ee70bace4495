//! Semaphore.

use super::change::{Change, Platform, Pull, Since, Variables, branch, id, range_start};

pub fn read(variable: Variables<'_>) -> Change {
    let oid = |name: &str| id(variable(name).as_deref());
    let blank = Change {
        head: oid("SEMAPHORE_GIT_SHA"),
        target: branch(variable("SEMAPHORE_GIT_BRANCH")),
        actor: variable("SEMAPHORE_GIT_COMMIT_AUTHOR"),
        ..Change::unknown(Platform::Semaphore)
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
