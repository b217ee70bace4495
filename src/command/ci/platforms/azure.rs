//! Azure Pipelines. It tells no commit before: what is new is found from the default branch.

use super::super::change::{Change, Pull, Since, branch, id};
use super::super::platform::{Platform, Variables, is};

pub static PLATFORM: Platform = Platform {
    id: "azure",
    name: "Azure Pipelines",
    is_running: |variable| is(variable, "TF_BUILD", "true"),
    full_checkout: "set `fetchDepth: 0` in the `checkout: self` step",
    log_format: None,
    read: |variable, _| Ok(read(variable)),
};

fn read(variable: Variables<'_>) -> Change {
    let oid = |name: &str| id(variable(name).as_deref());
    let source = variable("BUILD_SOURCEBRANCH").filter(|r| r.starts_with("refs/"));
    let reason = variable("BUILD_REASON").unwrap_or_default();
    let blank = Change {
        head: oid("BUILD_SOURCEVERSION"),
        target: source,
        actor: variable("BUILD_REQUESTEDFOREMAIL").or_else(|| variable("BUILD_REQUESTEDFOR")),
        ..Change::unknown(&PLATFORM)
    };
    if variable("SYSTEM_PULLREQUEST_PULLREQUESTID").is_some() {
        // Full for repositories of Azure, short for those of GitHub.
        let short = |name: &str| variable(name).map(|b| b.trim_start_matches("refs/heads/").to_owned());
        return Change {
            since: Since::Target(None),
            target: branch(short("SYSTEM_PULLREQUEST_TARGETBRANCH")),
            pull: Pull {
                head: oid("SYSTEM_PULLREQUEST_SOURCECOMMITID"),
                head_ref: short("SYSTEM_PULLREQUEST_SOURCEBRANCH"),
                title: None,
            },
            ..blank
        };
    }
    let is_tag = blank.target.as_deref().is_some_and(|t| t.starts_with("refs/tags/"));
    let since = match reason.as_str() {
        "Schedule" | "Manual" | "ResourceTrigger" | "BuildCompletion" if !is_tag => Since::Standing,
        _ if is_tag => Since::New,
        _ => Since::Untold,
    };
    Change { since, ..blank }
}
