//! Flux: a GitRepository follows the environment's branch or tags, a Kustomization applies the environment's path.

use super::Scene;
use crate::finding::Severity;
use crate::policy::scope::is_match;
use crate::rules::structured::environment_in;
use crate::yaml::Node;

pub fn check(scene: &mut Scene<'_, '_, '_>, root: &Node) {
    let group = root.get("apiVersion").and_then(Node::text).unwrap_or_default();
    match root.get("kind").and_then(Node::text) {
        Some("GitRepository") if group.starts_with("source.toolkit.fluxcd.io/") => repository(scene, root),
        Some("Kustomization") if group.starts_with("kustomize.toolkit.fluxcd.io/") => kustomization(scene, root),
        _ => {}
    }
}

fn repository(scene: &mut Scene<'_, '_, '_>, root: &Node) {
    let text = |path: &[&str]| root.at(path).and_then(Node::text);
    let name = text(&["metadata", "name"]);
    let ours = match scene.rules.repositories.is_empty() {
        // What `flux bootstrap` makes: the repository that it stands in.
        true => name == Some("flux-system"),
        false => is_match(&scene.rules.repositories, text(&["spec", "url"]).unwrap_or_default().into()),
    };
    let Some(environment) = scene.environment([name]).filter(|_| ours) else { return };
    for key in ["branch", "tag", "semver"] {
        let Some(node) = root.at(&["spec", "ref", key]) else { continue };
        let Some(revision) = node.text().filter(|t| !t.contains("${")) else { continue };
        let Some(allowed) = scene.rules.revisions.refuses(environment, revision) else { continue };
        let name = &scene.rules.environments[environment].name;
        let message = format!("{name} follows a {key} that is not its own (its own: {allowed})");
        let help = "set the environment's branch or tag under spec.ref";
        scene.tell(
            "deployments/flux-branch",
            Severity::Error,
            node.span.clone(),
            &format!("spec.ref.{key}"),
            (message, help),
        );
    }
}

fn kustomization(scene: &mut Scene<'_, '_, '_>, root: &Node) {
    let Some(node) = root.at(&["spec", "path"]) else { return };
    let environments = &scene.rules.environments;
    let own = environment_in(&scene.file.entry.path.to_string(), environments);
    let (Some(own), Some(named)) = (own, environment_in(node.text().unwrap_or_default(), environments)) else { return };
    if own != named {
        let message =
            format!("a Kustomization of {} applies a path of {}", environments[own].name, environments[named].name);
        let help = "apply the environment's own path";
        scene.tell("deployments/flux-path", Severity::Error, node.span.clone(), "spec.path", (message, help));
    }
}
