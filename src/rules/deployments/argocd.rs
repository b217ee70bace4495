//! Applications and ApplicationSets of Argo CD: `targetRevision` is one of the environment's, and so are paths, value
//! files and destinations.

use bstr::ByteSlice as _;

use super::flux::other_environment;
use super::{Scene, Stance, is_directory};
use crate::error::Result;
use crate::finding::Severity;
use crate::manifests;
use crate::options::scope::is_match;
use crate::rules::structured::environment_in;
use crate::yaml::{Node, dotted};

const CODE: &str = "deployments/argocd-revision";

pub fn check(scene: &mut Scene<'_, '_, '_>, root: &Node) -> Result<()> {
    let group = root.get("apiVersion").and_then(Node::text).is_some_and(|v| v.starts_with("argoproj.io/"));
    match root.get("kind").and_then(Node::text) {
        Some("Application") if group => application(scene, root, "spec"),
        Some("ApplicationSet") if group => {
            let generated = manifests::expand(scene.files, root)?;
            for one in &generated.applications {
                application(scene, one, "spec.template.spec");
            }
            // Where no generator can be evaluated, the template still says what does not depend on them.
            if generated.applications.is_empty()
                && let Some(template) = root.at(&["spec", "template"])
            {
                application(scene, template, "spec.template.spec");
            }
        }
        _ => {}
    }
    Ok(())
}

fn application(scene: &mut Scene<'_, '_, '_>, root: &Node, key: &str) {
    let Some(spec) = root.get("spec") else { return };
    let text = |path: &[&str]| root.at(path).and_then(Node::text).filter(|t| !t.contains("{{"));
    let near = [text(&["metadata", "name"]), spec.at(&["destination", "namespace"]).and_then(Node::text)];
    let sources: Vec<(&Node, String)> = spec
        .get("source")
        .map(|one| (one, format!("{key}.source")))
        .into_iter()
        .chain(
            spec.get("sources")
                .map_or(&[][..], Node::items)
                .iter()
                .enumerate()
                .map(|(n, one)| (one, format!("{key}.sources[{n}]"))),
        )
        .collect();
    let all: Vec<&Node> = sources.iter().map(|(one, _)| *one).collect();
    for (one, key) in &sources {
        source(scene, root, one, key, near, &all);
    }
    let Some(own) = scene.named_environment(root, [near[0]]) else { return };
    for path in ["namespace", "name"] {
        if let Some(node) = spec.at(&["destination", path]) {
            other_environment(scene, own, &format!("{key}.destination.{path}"), node, "an Application");
        }
    }
    for (one, key) in &sources {
        let mut values: Vec<(String, &Node)> =
            one.get("path").map(|n| (format!("{key}.path"), n)).into_iter().collect();
        for (n, file) in one.at(&["helm", "valueFiles"]).map_or(&[][..], Node::items).iter().enumerate() {
            values.push((format!("{key}.helm.valueFiles[{n}]"), file));
        }
        for (n, parameter) in one.at(&["helm", "parameters"]).map_or(&[][..], Node::items).iter().enumerate() {
            values.extend(parameter.get("value").map(|v| (format!("{key}.helm.parameters[{n}].value"), v)));
        }
        for (name, path) in [("namePrefix", ["kustomize", "namePrefix"]), ("namespace", ["kustomize", "namespace"])] {
            values.extend(one.at(&path).map(|node| (format!("{key}.kustomize.{name}"), node)));
        }
        for (key, node) in values {
            other_environment(scene, own, &key, node, "an Application");
        }
        let inline = one.at(&["helm", "values"]).map_or_else(Vec::new, |text| manifests::documents(scene.files, text));
        for root in inline.iter().chain(one.at(&["helm", "valuesObject"])) {
            root.walk(&mut |steps, node| {
                let key = format!("{key}.helm.values.{}", dotted(steps));
                other_environment(scene, own, &key, node, "an Application");
            });
        }
    }
}

/// Values of a chart of Applications: `targetRevision` of an environment's file is not another environment's branch.
pub fn values(scene: &mut Scene<'_, '_, '_>, root: &Node) {
    let path = scene.path().to_str_lossy().into_owned();
    let Some(own) = environment_in(&path, &scene.rules.environments) else { return };
    let mut found = Vec::new();
    root.walk(&mut |steps, node| {
        if let Some(revision) = node.get("targetRevision").filter(|_| node.get("chart").is_none()) {
            found.push((dotted(steps), revision));
        }
    });
    for (above, node) in found {
        if !node.text().is_some_and(|r| scene.rules.revisions.belongs_to_another(own, r)) {
            continue;
        }
        let (name, allowed) = (&scene.rules.environments[own].name, scene.rules.revisions.shown(own));
        let message = format!("{name} follows a revision that is not its own (its own: {allowed})");
        let key = if above.is_empty() { "targetRevision".to_owned() } else { format!("{above}.targetRevision") };
        let help = "set targetRevision to the environment's branch or tag";
        scene.tell(CODE, Severity::Error, node.span.clone(), &key, (message, help));
    }
}

/// Whether a source is this repository: by the policy's list; else what it applies, or gives values from, is here.
fn is_ours(scene: &Scene<'_, '_, '_>, source: &Node, all: &[&Node]) -> bool {
    let text = |key: &str| source.get(key).and_then(Node::text);
    if !scene.rules.repositories.is_empty() {
        return is_match(&scene.rules.repositories, text("repoURL").unwrap_or_default().into());
    }
    if text("path").is_some_and(|path| is_directory(scene.files, path)) {
        return true;
    }
    // `$values/charts/x/values.yaml` of another source is a file of the source that is called `values`.
    let Some(name) = text("ref") else { return false };
    let prefix = format!("${name}/");
    let mut files = all.iter().flat_map(|s| s.at(&["helm", "valueFiles"]).map_or(&[][..], Node::items));
    files.any(|file| {
        let path = file.text().and_then(|t| t.strip_prefix(&prefix)).and_then(|p| manifests::join("".into(), p));
        path.is_some_and(|p| scene.files.entry(p.as_ref()).is_some())
    })
}

fn source(
    scene: &mut Scene<'_, '_, '_>,
    root: &Node,
    source: &Node,
    key: &str,
    near: [Option<&str>; 2],
    all: &[&Node],
) {
    let text = |key: &str| source.get(key).and_then(Node::text);
    // A chart's revision is its version, in a registry of charts.
    if text("chart").is_some_and(|c| !c.is_empty()) || text("repoURL").is_none() || !is_ours(scene, source, all) {
        return;
    }
    let path = text("path").filter(|p| !p.contains("{{"));
    let Some(environment) = scene.environment(root, near.into_iter().chain([path])) else { return };
    let name = scene.rules.environments[environment].name.clone();
    let key = format!("{key}.targetRevision");
    let (entry, written) = (source.entry("targetRevision"), text("targetRevision").unwrap_or_default());
    if written.contains("{{") || written.contains("${") {
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
