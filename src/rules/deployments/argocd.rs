//! Applications and ApplicationSets of Argo CD: `targetRevision` is one of the environment's.

use super::{Scene, Stance};
use crate::finding::Severity;
use crate::policy::scope::is_match;
use crate::yaml::Node;

const CODE: &str = "deployments/argocd-revision";

pub fn check(scene: &mut Scene<'_, '_, '_>, root: &Node) {
    let group = root.get("apiVersion").and_then(Node::text).is_some_and(|v| v.starts_with("argoproj.io/"));
    let (spec, key) = match root.get("kind").and_then(Node::text) {
        Some("Application") if group => (root.get("spec"), "spec"),
        Some("ApplicationSet") if group => (root.at(&["spec", "template", "spec"]), "spec.template.spec"),
        _ => return,
    };
    let Some(spec) = spec else { return };
    let text = |path: &[&str]| root.at(path).and_then(Node::text);
    let near = [text(&["metadata", "name"]), spec.at(&["destination", "namespace"]).and_then(Node::text)];
    if let Some(one) = spec.get("source") {
        source(scene, one, &format!("{key}.source"), near);
    }
    for (n, one) in spec.get("sources").map_or(&[][..], Node::items).iter().enumerate() {
        source(scene, one, &format!("{key}.sources[{n}]"), near);
    }
}

fn source(scene: &mut Scene<'_, '_, '_>, source: &Node, key: &str, near: [Option<&str>; 2]) {
    let text = |key: &str| source.get(key).and_then(Node::text);
    // A chart's revision is its version, in a registry of charts.
    let (Some(url), None) = (text("repoURL"), text("chart")) else { return };
    let path = text("path").unwrap_or_default();
    let ours = match scene.rules.repositories.is_empty() {
        true => (scene.has_directory)(path),
        false => is_match(&scene.rules.repositories, url.into()),
    };
    let Some(environment) = scene.environment(near.into_iter().chain([Some(path)])).filter(|_| ours) else { return };
    let name = scene.rules.environments[environment].name.clone();
    let key = format!("{key}.targetRevision");
    let (entry, written) = (source.entry("targetRevision"), text("targetRevision").unwrap_or_default());
    if written.contains("{{") {
        return;
    }
    if written.is_empty() || written == "HEAD" {
        if scene.rules.head == Stance::Deny {
            let at = entry.map_or_else(|| source.entry("repoURL").map(|(k, _)| k), |(k, _)| Some(k));
            let span = at.map_or(source.span.clone(), |n| n.span.clone());
            let message = format!("{name} follows HEAD, whatever branch that is");
            scene.tell(CODE, Severity::Error, span, &key, (message, "name the environment's branch or a release tag"));
        }
        return;
    }
    let Some(allowed) = scene.rules.revisions.refuses(environment, written) else { return };
    let message = format!("{name} follows a revision that is not its own (its own: {allowed})");
    let span = entry.map_or(source.span.clone(), |(_, v)| v.span.clone());
    scene.tell(CODE, Severity::Error, span, &key, (message, "set targetRevision to the environment's branch or tag"));
}
