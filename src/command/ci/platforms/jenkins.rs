//! Jenkins with the git plug-in: multibranch pipelines, pull requests of any host, plain jobs.

use super::super::change::{Change, Pull, Since, branch, id};
use super::super::platform::{Platform, Variables};

pub static PLATFORM: Platform = Platform {
    id: "jenkins",
    name: "Jenkins",
    is_running: |variable| variable("JENKINS_URL").is_some(),
    full_checkout: "switch shallow clone off in the checkout step (CloneOption, shallow: false)",
    log_format: None,
    read: |variable, _| Ok(read(variable)),
};

fn read(variable: Variables<'_>) -> Change {
    let oid = |name: &str| id(variable(name).as_deref());
    // Plain jobs say `origin/main`, multibranch ones `main`.
    let plain = || variable("GIT_BRANCH").map(|b| b.strip_prefix("origin/").map_or(b.clone(), str::to_owned));
    let blank = Change {
        platform: &PLATFORM,
        since: Since::Untold,
        head: oid("GIT_COMMIT"),
        target: variable("TAG_NAME")
            .map(|t| format!("refs/tags/{t}"))
            .or_else(|| branch(variable("BRANCH_NAME").or_else(plain))),
        default_branch: None,
        pull: Pull::default(),
        actor: None,
    };
    if variable("CHANGE_ID").is_some() {
        return Change {
            since: Since::Target(None),
            target: branch(variable("CHANGE_TARGET")),
            pull: Pull { head: None, head_ref: variable("CHANGE_BRANCH"), title: variable("CHANGE_TITLE") },
            ..blank
        };
    }
    if variable("TAG_NAME").is_some() {
        return Change { since: Since::New, ..blank };
    }
    // Since the last success: what made a build fail is judged again until it is gone.
    let before = oid("GIT_PREVIOUS_SUCCESSFUL_COMMIT").or_else(|| oid("GIT_PREVIOUS_COMMIT"));
    Change { since: before.map_or(Since::Untold, Since::Before), ..blank }
}
