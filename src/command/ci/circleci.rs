//! CircleCI. It tells neither the target of a pull request nor the commit before.

use super::change::{Change, Platform, Pull, Since, Variables, branch, id};

pub fn read(variable: Variables<'_>) -> Change {
    let oid = |name: &str| id(variable(name).as_deref());
    let blank = Change {
        head: oid("CIRCLE_SHA1"),
        target: branch(variable("CIRCLE_BRANCH")),
        pull: Pull::default(),
        actor: variable("CIRCLE_USERNAME"),
        ..Change::unknown(Platform::CircleCi)
    };
    match variable("CIRCLE_TAG") {
        Some(tag) => Change { since: Since::New, target: Some(format!("refs/tags/{tag}")), ..blank },
        None => blank,
    }
}
