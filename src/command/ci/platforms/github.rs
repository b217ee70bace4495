//! GitHub Actions, and Gitea and Forgejo, which speak the same variables and nearly the same event file.

use serde::Deserialize;

use super::super::change::{Change, Pull, Since, branch, id};
use super::super::platform::{Files, Platform, Variables, is};
use crate::error::{Error, Result};

pub static GITHUB: Platform = Platform {
    id: "github",
    name: "GitHub Actions",
    is_running: |variable| is(variable, "GITHUB_ACTIONS", "true"),
    full_checkout: "give actions/checkout `with: { fetch-depth: 0 }`",
    log_format: Some("github"),
    read: |variable, files| read(&GITHUB, variable, files),
};

/// Gitea and Forgejo set GitHub's variables too, so the list has them first.
pub static GITEA: Platform = Platform {
    id: "gitea",
    name: "Gitea or Forgejo Actions",
    is_running: |variable| is(variable, "GITEA_ACTIONS", "true") || is(variable, "FORGEJO_ACTIONS", "true"),
    full_checkout: "give actions/checkout `with: { fetch-depth: 0 }`",
    log_format: None,
    read: |variable, files| read(&GITEA, variable, files),
};

/// The parts of an event's file that we read. Everything may be missing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Event {
    pull_request: Option<PullRequest>,
    merge_group: Option<MergeGroup>,
    repository: Option<Repository>,
    before: Option<String>,
    after: Option<String>,
    #[serde(rename = "ref")]
    reference: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PullRequest {
    title: Option<String>,
    base: Side,
    head: Side,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Side {
    sha: Option<String>,
    #[serde(rename = "ref")]
    reference: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct MergeGroup {
    base_sha: Option<String>,
    base_ref: Option<String>,
    head_sha: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Repository {
    default_branch: Option<String>,
}

fn read(platform: &'static Platform, variable: Variables<'_>, files: Files<'_>) -> Result<Change> {
    let event: Event = match variable("GITHUB_EVENT_PATH") {
        None => Event::default(),
        Some(path) => serde_json::from_slice(&files(&path)?)
            .map_err(|e| Error::undecided(format!("the event file {path} cannot be understood: {e}")))?,
    };
    let name = variable("GITHUB_EVENT_NAME").unwrap_or_default();
    let blank = Change {
        platform,
        since: Since::Standing,
        head: id(variable("GITHUB_SHA").as_deref()),
        target: variable("GITHUB_REF").filter(|r| r.starts_with("refs/")),
        default_branch: event.repository.and_then(|r| r.default_branch),
        pull: Pull::default(),
        // Whoever ran it again, where that is told.
        actor: variable("GITHUB_TRIGGERING_ACTOR").or_else(|| variable("GITHUB_ACTOR")),
    };
    if let Some(pull) = event.pull_request.filter(|_| name.starts_with("pull_request")) {
        let head = id(pull.head.sha.as_deref());
        return Ok(Change {
            since: Since::Target(id(pull.base.sha.as_deref())),
            // `pull_request_target` runs on the target branch itself: what is to land is the pull request's tip.
            head: if name == "pull_request_target" { head } else { blank.head },
            target: branch(pull.base.reference.or_else(|| variable("GITHUB_BASE_REF"))),
            pull: Pull {
                head,
                head_ref: pull.head.reference.or_else(|| variable("GITHUB_HEAD_REF")),
                title: pull.title,
            },
            ..blank
        });
    }
    if name.starts_with("pull_request") && !name.starts_with("pull_request_review") {
        // Without the event's file, as in a container that does not get it: the variables say what they can.
        let target = branch(variable("GITHUB_BASE_REF"));
        let head_ref = variable("GITHUB_HEAD_REF");
        if target.is_none() {
            let what = format!("the event file tells nothing of the pull request that {} runs for", platform.name);
            return Err(Error::undecided(what).hint("say what to judge: portcullis ci --base REV --head REV"));
        }
        let pull = Pull { head: None, head_ref, title: None };
        return Ok(Change { since: Since::Target(None), target, pull, ..blank });
    }
    Ok(match (name.as_str(), event.merge_group) {
        ("merge_group", Some(group)) => Change {
            since: id(group.base_sha.as_deref()).map_or(Since::Untold, Since::Before),
            head: id(group.head_sha.as_deref()).or(blank.head),
            target: group.base_ref.map(|r| if r.starts_with("refs/") { r } else { format!("refs/heads/{r}") }),
            ..blank
        },
        ("merge_group", None) => Change { since: Since::Untold, ..blank },
        ("push", _) => Change {
            since: id(event.before.as_deref()).map_or(Since::New, Since::Before),
            // For an annotated tag `after` is the tag object; the variable is its commit.
            head: id(event.after.as_deref()).or(blank.head),
            target: event.reference.or(blank.target),
            ..blank
        },
        _ => blank,
    })
}
