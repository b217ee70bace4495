//! CircleCI. It tells neither the target of a pull request nor the commit before.

use super::super::change::{Change, Pull, Since, branch, id};
use super::super::platform::{Platform, Variables, is};

pub static PLATFORM: Platform = Platform {
    id: "circleci",
    name: "CircleCI",
    is_running: |variable| is(variable, "CIRCLECI", "true"),
    full_checkout: "give the checkout step `method: full`",
    log_format: None,
    read: |variable, _| Ok(read(variable)),
};

fn read(variable: Variables<'_>) -> Change {
    let oid = |name: &str| id(variable(name).as_deref());
    let blank = Change {
        head: oid("CIRCLE_SHA1"),
        target: branch(variable("CIRCLE_BRANCH")),
        pull: Pull::default(),
        actor: variable("CIRCLE_USERNAME"),
        ..Change::unknown(&PLATFORM)
    };
    match variable("CIRCLE_TAG") {
        Some(tag) => Change { since: Since::New, target: Some(format!("refs/tags/{tag}")), ..blank },
        None => blank,
    }
}
