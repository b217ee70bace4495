//! Workflows of GitHub Actions (and of Gitea and Forgejo, which read the same): what starts a job that deploys.

use super::triggers::glob_admits;
use super::{Scene, Stance};
use crate::finding::Severity;
use crate::rules::structured::environment_in;
use crate::yaml::Node;

/// A job that deploys to an environment.
struct Job<'n> {
    name: &'n str,
    node: &'n Node,
    environment: usize,
    /// What names the environment.
    at: &'n Node,
    /// Its own condition looks at what started it.
    guarded: bool,
}

pub fn check(scene: &mut Scene<'_, '_, '_>, root: &Node) {
    let Some((on_key, on)) = root.entry("on") else { return };
    let all = root.get("jobs").map_or(&[][..], Node::entries);
    let jobs: Vec<Job<'_>> = all.iter().filter_map(|(name, node)| job(scene, name.text()?, node)).collect();
    let production = scene.rules.production();
    let bare = jobs.iter().find(|j| j.environment == production && !j.guarded);
    if let Some(job) = bare {
        started(scene, on_key, on, job.name);
    }
    if jobs.iter().any(|j| j.environment == production) {
        tags(scene, on);
    }
    let lower: Vec<&Job<'_>> = jobs.iter().filter(|j| j.environment != production && !j.guarded).collect();
    if let (Some(job), false) = (bare, lower.is_empty()) {
        let waits = lower.iter().any(|l| needs(all, job.node, l.name, 0));
        if !waits {
            let message = format!(
                "one trigger deploys {} and production: job `{}` waits for neither",
                scene.rules.environments[lower[0].environment].name, job.name
            );
            let help = "give production a workflow of its own, or let the job need the other (`needs:`)";
            let key = format!("jobs.{}.environment", job.name);
            scene.tell("deployments/shared-trigger", Severity::Warning, job.at.span.clone(), &key, (message, help));
        }
    }
}

fn job<'n>(scene: &Scene<'_, '_, '_>, name: &'n str, node: &'n Node) -> Option<Job<'n>> {
    let environment = node.get("environment")?;
    let at = if environment.is_map() { environment.get("name")? } else { environment };
    let text = at.text().filter(|t| !t.contains("${{"))?;
    let condition = node.get("if").and_then(Node::text).unwrap_or_default();
    let guarded =
        ["github.ref", "github.event", "github.base_ref", "startsWith("].iter().any(|w| condition.contains(w));
    Some(Job { name, node, environment: environment_in(text, &scene.rules.environments)?, at, guarded })
}

/// Whether a job waits for another, directly or not.
fn needs(all: &[(Node, Node)], job: &Node, wanted: &str, depth: usize) -> bool {
    let Some(list) = job.get("needs").filter(|_| depth < 16) else { return false };
    let names = list.items().iter().chain(Some(list)).filter_map(Node::text);
    names.into_iter().any(|name| {
        let next = all.iter().find(|(k, _)| k.text() == Some(name));
        name == wanted || next.is_some_and(|(_, j)| needs(all, j, wanted, depth + 1))
    })
}

/// Every event that starts the workflow may deploy production.
fn started(scene: &mut Scene<'_, '_, '_>, on_key: &Node, on: &Node, job: &str) {
    let nothing = None;
    let events: Vec<(&Node, Option<&Node>)> = match on.entries() {
        [] => on.items().iter().chain(Some(on).filter(|n| n.text().is_some())).map(|n| (n, nothing)).collect(),
        map => map.iter().map(|(k, v)| (k, Some(v))).collect(),
    };
    for (event, filter) in events {
        let name = event.text().unwrap_or_default();
        let key = if event.span == on.span { "on".to_owned() } else { format!("on.{name}") };
        let wrong = match name {
            "push" => {
                push(scene, event, filter, job);
                continue;
            }
            "pull_request" | "pull_request_target" => {
                let types = filter.and_then(|f| f.get("types"));
                let closed = types.is_some_and(|t| {
                    t.text() == Some("closed") || matches!(t.items(), [one] if one.text() == Some("closed"))
                });
                (!closed).then_some("a pull request that is not merged")
            }
            "schedule" => Some("the clock"),
            "workflow_dispatch" | "repository_dispatch" if scene.rules.manual == Stance::Deny => {
                Some("anybody by hand")
            }
            "create" | "issue_comment" | "issues" | "fork" | "watch" => Some("an event that releases nothing"),
            _ => None,
        };
        if let Some(what) = wrong {
            let span = if event.span == on.span { on_key.span.clone() } else { event.span.clone() };
            let message = format!("{what} starts job `{job}`, which deploys production");
            let help =
                "start it by release tags or pushes to production's branch, or give the job an `if:` on github.ref";
            scene.tell("deployments/production-trigger", Severity::Error, span, &key, (message, help));
        }
    }
}

fn push(scene: &mut Scene<'_, '_, '_>, event: &Node, filter: Option<&Node>, job: &str) {
    const CODE: &str = "deployments/production-trigger";
    let production = scene.rules.production();
    let part = |key: &str| filter.and_then(|f| f.get(key));
    if part("branches").is_none() && part("tags").is_none() {
        let message = format!("a push to any branch starts job `{job}`, which deploys production");
        let help = "name release tags or production's branch under `push:`";
        return scene.tell(CODE, Severity::Error, event.span.clone(), "on.push", (message, help));
    }
    let Some(branches) = part("branches") else { return };
    for node in branches.items().iter().chain(Some(branches)) {
        let Some(pattern) = node.text().filter(|t| !t.starts_with('!')) else { continue };
        if !scene.rules.revisions.has_branch(production, pattern) {
            let shown = scene.rules.revisions.shown(production);
            let message =
                format!("a push to `{pattern}` starts job `{job}`, which deploys production (its own: {shown})");
            let help = "deploy production from its own branch or from release tags only";
            scene.tell(
                CODE,
                Severity::Error,
                node.span.clone(),
                &format!("on.push.branches.{pattern}"),
                (message, help),
            );
        }
    }
}

fn tags(scene: &mut Scene<'_, '_, '_>, on: &Node) {
    let Some(tags) = on.at(&["push", "tags"]) else { return };
    let production = scene.rules.production();
    for node in tags.items().iter().chain(Some(tags)) {
        let Some(pattern) = node.text() else { continue };
        if let Some(name) = glob_admits(pattern, scene.rules.revisions.tags(production)) {
            let message = format!("the pattern `{pattern}` also lets `{name}` deploy production, which is no release");
            let help = "narrow it: 'v[0-9]+.[0-9]+.[0-9]+'";
            scene.tell(
                "deployments/tag-pattern",
                Severity::Warning,
                node.span.clone(),
                &format!("on.push.tags.{pattern}"),
                (message, help),
            );
        }
    }
}
