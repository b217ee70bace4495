//! TeamCity. Of itself it tells its steps the commit only; `BUILD_BRANCH=%teamcity.build.branch%` hands the branch on.

use super::change::{Change, Platform, Pull, Since, Variables, branch, id};

pub fn read(variable: Variables<'_>) -> Change {
    let oid = |name: &str| id(variable(name).as_deref());
    Change {
        head: oid("BUILD_VCS_NUMBER"),
        target: branch(variable("BUILD_BRANCH").map(|b| b.trim_start_matches("refs/heads/").to_owned())),
        since: Since::Untold,
        pull: Pull::default(),
        ..Change::unknown(Platform::TeamCity)
    }
}
