//! Travis CI.

use super::super::change::{Change, Pull, Since, branch, id, range_start};
use super::super::platform::{Platform, Variables, is};

pub static PLATFORM: Platform = Platform {
    id: "travis",
    name: "Travis CI",
    is_running: |variable| is(variable, "TRAVIS", "true"),
    full_checkout: "set `git: { depth: false }`",
    log_format: None,
    read: |variable, _| Ok(read(variable)),
};

fn read(variable: Variables<'_>) -> Change {
    let oid = |name: &str| id(variable(name).as_deref());
    let blank =
        Change { head: oid("TRAVIS_COMMIT"), target: branch(variable("TRAVIS_BRANCH")), ..Change::unknown(&PLATFORM) };
    match variable("TRAVIS_EVENT_TYPE").unwrap_or_default().as_str() {
        "pull_request" => Change {
            since: Since::Target(None),
            pull: Pull {
                head: oid("TRAVIS_PULL_REQUEST_SHA"),
                head_ref: variable("TRAVIS_PULL_REQUEST_BRANCH"),
                title: None,
            },
            ..blank
        },
        "cron" | "api" => Change { since: Since::Standing, ..blank },
        _ => match variable("TRAVIS_TAG") {
            Some(tag) => Change { since: Since::New, target: Some(format!("refs/tags/{tag}")), ..blank },
            // The range is empty where the branch is new.
            None => {
                let before = range_start(variable("TRAVIS_COMMIT_RANGE").as_deref());
                Change { since: before.map_or(Since::New, Since::Before), ..blank }
            }
        },
    }
}
