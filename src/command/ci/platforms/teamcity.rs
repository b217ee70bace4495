//! TeamCity. Of itself it tells its steps the commit only; `BUILD_BRANCH=%teamcity.build.branch%` hands the branch on.

use super::super::change::{Change, Pull, Since, branch, id};
use super::super::platform::{Platform, Variables};

pub static PLATFORM: Platform = Platform {
    id: "teamcity",
    name: "TeamCity",
    is_running: |variable| variable("TEAMCITY_VERSION").is_some(),
    full_checkout: "set the VCS root's checkout policy to a full clone",
    log_format: None,
    read: |variable, _| Ok(read(variable)),
};

fn read(variable: Variables<'_>) -> Change {
    let oid = |name: &str| id(variable(name).as_deref());
    Change {
        head: oid("BUILD_VCS_NUMBER"),
        target: branch(variable("BUILD_BRANCH").map(|b| b.trim_start_matches("refs/heads/").to_owned())),
        since: Since::Untold,
        pull: Pull::default(),
        ..Change::unknown(&PLATFORM)
    }
}
