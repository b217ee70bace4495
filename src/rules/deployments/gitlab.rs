//! Pipelines of GitLab: which pipelines run a job that deploys production.

use super::triggers::regex_admits;
use super::{Scene, Stance};
use crate::finding::Severity;
use crate::rules::structured::environment_in;
use crate::yaml::Node;

const CODE: &str = "deployments/production-trigger";

pub fn check(scene: &mut Scene<'_, '_, '_>, root: &Node) {
    let whole = root.at(&["workflow", "rules"]).is_some();
    for (key, job) in root.entries() {
        let Some(name) = key.text().filter(|n| !n.starts_with('.')) else { continue };
        let Some(environment) = job.get("environment") else { continue };
        let at = environment.get("name").unwrap_or(environment);
        let text = at.text().filter(|t| !t.contains('$')).unwrap_or_default();
        if environment_in(text, &scene.rules.environments) != Some(scene.rules.production()) {
            continue;
        }
        if let Some(rules) = job.get("rules") {
            rules.items().iter().for_each(|rule| one(scene, name, rule));
        } else if let Some(only) = job.get("only") {
            self::only(scene, name, only);
        } else if !whole && job.get("extends").is_none() && job.get("<<").is_none() && !manual(scene, job) {
            let message = format!("every pipeline runs job `{name}`, which deploys production");
            let help = "give it `rules:` on $CI_COMMIT_TAG or on production's branch";
            scene.tell(CODE, Severity::Error, key.span.clone(), name, (message, help));
        }
    }
}

fn manual(scene: &Scene<'_, '_, '_>, node: &Node) -> bool {
    scene.rules.manual == Stance::Allow && node.get("when").and_then(Node::text) == Some("manual")
}

fn one(scene: &mut Scene<'_, '_, '_>, job: &str, rule: &Node) {
    if rule.get("when").and_then(Node::text) == Some("never") || manual(scene, rule) || !rule.is_map() {
        return;
    }
    let production = scene.rules.production();
    let condition = rule.get("if");
    let text = condition.and_then(Node::text).unwrap_or_default();
    if text.starts_with("$CI_COMMIT_TAG")
        && let Some((_, pattern)) = text.split_once("=~")
    {
        let pattern = pattern.split("&&").next().unwrap_or_default();
        if let (Some(tag), Some(node)) = (regex_admits(pattern, scene.rules.revisions.tags(production)), condition) {
            let message = format!("the pattern also lets tag `{tag}` deploy production, which is no release");
            let help = "narrow it: /^v\\d+\\.\\d+\\.\\d+$/";
            scene.tell("deployments/tag-pattern", Severity::Warning, node.span.clone(), job, (message, help));
        }
    }
    let quoted =
        |text: &str| -> Vec<String> { text.split(['"', '\'']).skip(1).step_by(2).map(ToOwned::to_owned).collect() };
    let good = text.contains("$CI_COMMIT_TAG")
        || text.contains("$CI_DEFAULT_BRANCH")
        || quoted(text).iter().any(|b| scene.rules.revisions.has_branch(production, b))
        || text.contains("=~");
    if !good {
        let span = condition.map_or(rule.span.clone(), |n| n.span.clone());
        let message =
            format!("this rule runs job `{job}`, which deploys production, for more than its own branch and tags");
        let help = "ask for $CI_COMMIT_TAG or for production's branch";
        scene.tell(CODE, Severity::Error, span, job, (message, help));
    }
}

fn only(scene: &mut Scene<'_, '_, '_>, job: &str, only: &Node) {
    let list = only.get("refs").unwrap_or(only);
    let production = scene.rules.production();
    for node in list.items().iter().chain(Some(list)) {
        let Some(name) = node.text().filter(|n| !n.starts_with('/') && !matches!(*n, "tags" | "web" | "api")) else {
            continue;
        };
        if !scene.rules.revisions.has_branch(production, name) {
            let message = format!("`{name}` runs job `{job}`, which deploys production");
            scene.tell(CODE, Severity::Error, node.span.clone(), job, (message, "name production's branch or `tags`"));
        }
    }
}
