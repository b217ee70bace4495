//! AWS CodeBuild, started by a webhook; a build that was started by hand runs for no change.

use super::super::change::{Change, Pull, Since, branch, id};
use super::super::platform::{Platform, Variables};

pub static PLATFORM: Platform = Platform {
    id: "codebuild",
    name: "AWS CodeBuild",
    is_running: |variable| variable("CODEBUILD_BUILD_ID").is_some(),
    full_checkout: "set the source's `gitCloneDepth: 0`",
    log_format: None,
    read: |variable, _| Ok(read(variable)),
};

fn read(variable: Variables<'_>) -> Change {
    let oid = |name: &str| id(variable(name).as_deref());
    let blank = Change {
        since: Since::Standing,
        head: oid("CODEBUILD_RESOLVED_SOURCE_VERSION"),
        actor: variable("CODEBUILD_WEBHOOK_ACTOR_ACCOUNT_ID"),
        ..Change::unknown(&PLATFORM)
    };
    let event = variable("CODEBUILD_WEBHOOK_EVENT").unwrap_or_default();
    let full = |name: &str| variable(name).filter(|r| r.starts_with("refs/"));
    if event.starts_with("PULL_REQUEST") {
        return Change {
            since: Since::Target(None),
            target: full("CODEBUILD_WEBHOOK_BASE_REF").or_else(|| branch(variable("CODEBUILD_WEBHOOK_BASE_REF"))),
            pull: Pull {
                head: blank.head,
                head_ref: variable("CODEBUILD_WEBHOOK_HEAD_REF").map(|r| r.replacen("refs/heads/", "", 1)),
                title: None,
            },
            ..blank
        };
    }
    let trigger = variable("CODEBUILD_WEBHOOK_TRIGGER");
    if event.is_empty() && trigger.is_none() && variable("CODEBUILD_WEBHOOK_HEAD_REF").is_none() {
        // Started by hand.
        return blank;
    }
    let target = match trigger.as_deref().and_then(|t| t.split_once('/')) {
        Some(("branch", name)) => branch(Some(name.to_owned())),
        Some(("tag", name)) => Some(format!("refs/tags/{name}")),
        _ => full("CODEBUILD_WEBHOOK_HEAD_REF"),
    };
    // Other events of a webhook, such as a release, do not say what is new.
    let new = if event == "PUSH" { Since::New } else { Since::Untold };
    let since = oid("CODEBUILD_WEBHOOK_PREV_COMMIT").map_or(new, Since::Before);
    Change { since, target, ..blank }
}
