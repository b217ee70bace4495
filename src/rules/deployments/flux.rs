//! Flux: sources follow the environment's branch or tags, a Kustomization applies the environment's path, and what it
//! substitutes is the environment's.

use super::Scene;
use crate::error::Result;
use crate::finding::Severity;
use crate::options::scope::is_match;
use crate::rules::structured::{environment_in, names};
use crate::yaml::Node;

pub fn check(scene: &mut Scene<'_, '_, '_>, root: &Node) -> Result<()> {
    let group = root.get("apiVersion").and_then(Node::text).unwrap_or_default();
    match root.get("kind").and_then(Node::text) {
        Some("GitRepository") if group.starts_with("source.toolkit.fluxcd.io/") => return repository(scene, root),
        Some("OCIRepository") if group.starts_with("source.toolkit.fluxcd.io/") => artifact(scene, root),
        Some("Kustomization") if group.starts_with("kustomize.toolkit.fluxcd.io/") => kustomization(scene, root),
        _ => {}
    }
    Ok(())
}

fn repository(scene: &mut Scene<'_, '_, '_>, root: &Node) -> Result<()> {
    let text = |path: &[&str]| root.at(path).and_then(Node::text);
    let name = text(&["metadata", "name"]);
    let Some(environment) = scene.environment(root, [name]) else { return Ok(()) };
    // Of several, one wins: https://fluxcd.io/flux/components/source/gitrepositories/#reference
    let order = ["commit", "name", "semver", "tag", "branch"];
    let given = |key: &&str| text(&["spec", "ref", key]).is_some_and(|t| !t.is_empty());
    let Some(key) = order.into_iter().find(given) else { return Ok(()) };
    let Some(node) = root.at(&["spec", "ref", key]) else { return Ok(()) };
    let Some(revision) = node.text().filter(|t| !t.contains("${") && key != "commit") else { return Ok(()) };
    let rules = scene.rules;
    let url = text(&["spec", "url"]).unwrap_or_default();
    let ours = match rules.repositories.is_empty() {
        // What `flux bootstrap` makes: the repository that it stands in.
        true => name == Some("flux-system"),
        false => is_match(&rules.repositories, url.into()),
    };
    // Of another repository nobody here knows which branches are good; the development branch's name says enough.
    let ours = ours
        || rules.repositories.is_empty()
            && rules.revisions.refuses(environment, revision).is_some()
            && scene.applies_from_here(name.unwrap_or_default())?;
    let wrong = match ours {
        true => rules.revisions.refuses(environment, revision).is_some(),
        false => rules.repositories.is_empty() && rules.revisions.belongs_to_another(environment, revision),
    };
    if !wrong {
        return Ok(());
    }
    let (name, allowed) = (&rules.environments[environment].name, rules.revisions.shown(environment));
    let what = if key == "name" { "ref" } else { key };
    let message = format!("{name} follows a {what} that is not its own (its own: {allowed})");
    let help = "set the environment's branch or tag under spec.ref";
    let key = format!("spec.ref.{key}");
    scene.tell("deployments/flux-branch", Severity::Error, node.span.clone(), &key, (message, help));
    Ok(())
}

/// An artifact's tag is often named after the environment that it is for.
fn artifact(scene: &mut Scene<'_, '_, '_>, root: &Node) {
    let text = |path: &[&str]| root.at(path).and_then(Node::text);
    let Some(environment) = scene.environment(root, [text(&["metadata", "name"])]) else { return };
    let given = |key: &&str| text(&["spec", "ref", key]).is_some_and(|t| !t.is_empty());
    if ["digest", "semver", "tag"].into_iter().find(given) != Some("tag") {
        return;
    }
    let Some(node) = root.at(&["spec", "ref", "tag"]) else { return };
    let environments = &scene.rules.environments;
    let tag = node.text().filter(|t| !t.contains("${")).unwrap_or_default();
    let Some(other) = environment_in(tag, environments).filter(|n| *n != environment) else { return };
    let message = format!("{} follows the artifact of {}", environments[environment].name, environments[other].name);
    let help = "set the environment's own tag, a version, or a digest under spec.ref";
    scene.tell("deployments/flux-branch", Severity::Error, node.span.clone(), "spec.ref.tag", (message, help));
}

fn kustomization(scene: &mut Scene<'_, '_, '_>, root: &Node) {
    let text = |path: &[&str]| root.at(path).and_then(Node::text);
    let environments = &scene.rules.environments;
    let own = scene.named_environment(root, [text(&["metadata", "name"]), text(&["metadata", "namespace"])]);
    let named = root.at(&["spec", "path"]);
    let of_path = named.and_then(Node::text).and_then(|t| environment_in(t, environments));
    if let (Some(own), Some(of_path), Some(node)) = (own, of_path, named)
        && own != of_path
    {
        let message =
            format!("a Kustomization of {} applies a path of {}", environments[own].name, environments[of_path].name);
        let help = "apply the environment's own path";
        scene.tell("deployments/flux-path", Severity::Error, node.span.clone(), "spec.path", (message, help));
    }
    let Some(own) = own.or(of_path) else { return };
    let mut values: Vec<(String, &Node)> = Vec::new();
    for (key, node) in root.at(&["spec", "postBuild", "substitute"]).map_or(&[][..], Node::entries) {
        values.push((format!("spec.postBuild.substitute.{}", key.text().unwrap_or("?")), node));
    }
    for (n, from) in root.at(&["spec", "postBuild", "substituteFrom"]).map_or(&[][..], Node::items).iter().enumerate() {
        values.extend(from.get("name").map(|node| (format!("spec.postBuild.substituteFrom[{n}].name"), node)));
    }
    for path in
        [&["spec", "targetNamespace"][..], &["spec", "sourceRef", "name"], &["spec", "kubeConfig", "secretRef", "name"]]
    {
        values.extend(root.at(path).map(|node| (path.join("."), node)));
    }
    for (n, component) in root.at(&["spec", "components"]).map_or(&[][..], Node::items).iter().enumerate() {
        values.push((format!("spec.components[{n}]"), component));
    }
    for (key, node) in values {
        other_environment(scene, own, &key, node, "a Kustomization");
    }
}

/// A value of one environment's object that names another environment, and not its own.
pub fn other_environment(scene: &mut Scene<'_, '_, '_>, own: usize, key: &str, node: &Node, what: &str) {
    const LONGEST: usize = 1024;
    let environments = &scene.rules.environments;
    let Some(text) = node.text().filter(|t| t.len() <= LONGEST && !t.contains("{{")) else { return };
    if names(text, &environments[own].aliases) {
        return;
    }
    let mut others = environments.iter().enumerate().filter(|(n, e)| *n != own && names(text, &e.aliases));
    let Some((_, other)) = others.next() else { return };
    let message = format!("{what} of {} names {} in `{key}`", environments[own].name, other.name);
    let help = "set the environment's own value";
    scene.tell_hidden("deployments/other-environment", Severity::Error, &node.span, key, (message, help));
}
