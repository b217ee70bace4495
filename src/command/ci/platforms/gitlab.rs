//! GitLab CI: merge-request, branch and tag pipelines.

use super::super::change::{Change, Pull, Since, branch, id};
use super::super::platform::{Platform, Variables, is};

pub static PLATFORM: Platform = Platform {
    id: "gitlab",
    name: "GitLab CI",
    is_running: |variable| is(variable, "GITLAB_CI", "true"),
    full_checkout: "set `variables: { GIT_DEPTH: 0 }` in the job",
    log_format: None,
    read: |variable, _| Ok(read(variable)),
};

fn read(variable: Variables<'_>) -> Change {
    let oid = |name: &str| id(variable(name).as_deref());
    let blank = Change {
        platform: &PLATFORM,
        since: Since::Standing,
        head: oid("CI_COMMIT_SHA"),
        target: variable("CI_COMMIT_TAG")
            .map(|t| format!("refs/tags/{t}"))
            .or_else(|| branch(variable("CI_COMMIT_BRANCH"))),
        default_branch: variable("CI_DEFAULT_BRANCH"),
        pull: Pull::default(),
        actor: variable("GITLAB_USER_LOGIN"),
    };
    // Told wherever a pipeline belongs to a merge request: a child pipeline too, and one that was started by hand.
    let source = variable("CI_PIPELINE_SOURCE").unwrap_or_default();
    if variable("CI_MERGE_REQUEST_IID").is_some() || source == "merge_request_event" {
        return Change {
            // The tip of the target is told only where the result of the merge is what runs; the base always is.
            since: Since::Target(
                oid("CI_MERGE_REQUEST_TARGET_BRANCH_SHA").or_else(|| oid("CI_MERGE_REQUEST_DIFF_BASE_SHA")),
            ),
            target: branch(variable("CI_MERGE_REQUEST_TARGET_BRANCH_NAME")),
            pull: Pull {
                head: oid("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA").or(blank.head),
                head_ref: variable("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"),
                title: variable("CI_MERGE_REQUEST_TITLE"),
            },
            ..blank
        };
    }
    if variable("CI_EXTERNAL_PULL_REQUEST_IID").is_some() {
        return Change {
            since: Since::Target(oid("CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_SHA")),
            target: branch(variable("CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_NAME")),
            pull: Pull {
                head: oid("CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_SHA").or(blank.head),
                head_ref: variable("CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_NAME"),
                title: None,
            },
            ..blank
        };
    }
    let is_tag = variable("CI_COMMIT_TAG").is_some();
    let on_default = variable("CI_COMMIT_BRANCH").is_some_and(|b| blank.default_branch == Some(b));
    let since = match source.as_str() {
        "schedule" => Since::Standing,
        "push" => oid("CI_COMMIT_BEFORE_SHA").map_or(Since::New, Since::Before),
        _ if is_tag => Since::New,
        // Forwarded by the pipeline above, if at all.
        "parent_pipeline" => oid("CI_COMMIT_BEFORE_SHA").map_or(Since::Untold, Since::Before),
        // By hand, by the API, by another project: a branch is judged from where it left the default one.
        _ if on_default => Since::Standing,
        _ => Since::Untold,
    };
    Change { since, ..blank }
}
