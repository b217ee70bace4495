//! Bitbucket Pipelines. It says nothing of what a branch named before.

use super::super::change::{Change, Pull, Since, branch, id};
use super::super::platform::{Platform, Variables};

pub static PLATFORM: Platform = Platform {
    id: "bitbucket",
    name: "Bitbucket Pipelines",
    is_running: |variable| variable("BITBUCKET_BUILD_NUMBER").is_some(),
    full_checkout: "set `clone: { depth: full }` in the step",
    log_format: None,
    read: |variable, _| Ok(read(variable)),
};

fn read(variable: Variables<'_>) -> Change {
    let oid = |name: &str| id(variable(name).as_deref());
    let (head, own) = (oid("BITBUCKET_COMMIT"), variable("BITBUCKET_BRANCH"));
    let blank = Change {
        platform: &PLATFORM,
        since: Since::Untold,
        head,
        target: variable("BITBUCKET_TAG").map(|t| format!("refs/tags/{t}")).or_else(|| branch(own.clone())),
        default_branch: None,
        pull: Pull::default(),
        actor: None,
    };
    if variable("BITBUCKET_PR_ID").is_some() {
        return Change {
            since: Since::Target(oid("BITBUCKET_PR_DESTINATION_COMMIT")),
            target: branch(variable("BITBUCKET_PR_DESTINATION_BRANCH")),
            pull: Pull { head, head_ref: own, title: None },
            ..blank
        };
    }
    if variable("BITBUCKET_TAG").is_some() { Change { since: Since::New, ..blank } } else { blank }
}
