//! Variables of Kubernetes objects: `data` of ConfigMaps and Secrets, `env` of containers, literals of kustomize's
//! generators, keys of SealedSecrets and of objects that fetch secrets from elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bstr::{BStr, BString};

use super::{SourceFormat, SourceInputs, VariableReader, object_of, reference};
use crate::document::leaves;
use crate::error::Result;
use crate::manifests::{self, Built};
use crate::rules::divergence::classify;
use crate::rules::divergence::model::{ComparedValue, ValueKind};
use crate::rules::divergence::side::overlay_of;
use crate::yaml::Node;

/// Reads objects as they are deployed: what a kustomization builds, also from the file if it is part of one; else the file
/// as written.
pub fn read(reader: &mut VariableReader<'_, '_>, inputs: &SourceInputs<'_>) -> Result<()> {
    let mut built: BTreeMap<BString, Option<Built>> = BTreeMap::new();
    // Report the gaps of a kustomization once, for all of its files.
    let mut done: BTreeSet<BString> = BTreeSet::new();
    for path in inputs.paths {
        let path: &BStr = path.as_ref();
        let whole = manifests::FILE_NAMES.iter().any(|name| manifests::name(path) == *name);
        let directory = overlay_of(reader.files, path).map(ToOwned::to_owned);
        if let Some(directory) = directory {
            if !built.contains_key(&directory) {
                let new = manifests::build(reader.files, directory.as_ref())?;
                built.insert(directory.clone(), new);
            }
            let Some(Some(overlay)) = built.get(&directory) else { continue };
            if whole || overlay.used.contains(path) {
                reader.begin(inputs.several, directory.as_ref());
                self::overlay(reader, overlay, if whole { None } else { Some(path) })?;
                if done.insert(directory) {
                    reader.unseen.extend(overlay.unseen.iter().cloned());
                }
                continue;
            }
        }
        reader.begin(inputs.several, path);
        let Some(file) = reader.load(SourceFormat::K8sConfig, path)? else { continue };
        let mut objects = Vec::new();
        file.roots.iter().for_each(|root| manifests::unfold(root, &mut objects));
        objects.into_iter().for_each(|node| object(reader, node, None));
    }
    Ok(())
}

/// Reads the objects of a build; with a path, only those that use the file.
fn overlay(reader: &mut VariableReader<'_, '_>, built: &Built, only: Option<&BStr>) -> Result<()> {
    for path in &built.used {
        if let Some(format) = SourceFormat::K8sConfig.document(path.as_ref())
            && let Some(file) = reader.files.load(path.as_ref(), format)?
        {
            reader.keep(&file);
        }
    }
    for one in &built.objects {
        let mut meant = only.is_none();
        if let Some(path) = only {
            one.node.walk(&mut |_, node| {
                meant = meant || reader.files.locate(&node.span).is_some_and(|f| f.path == path);
            });
        }
        if meant {
            // Use the name before kustomize's prefix, which differs between environments.
            let name = one.former.first().map(|(name, _)| name.as_str()).filter(|n| !n.is_empty());
            object(reader, &one.node, name);
        }
    }
    Ok(())
}

/// Reads one object. `name` replaces its own name.
fn object(reader: &mut VariableReader<'_, '_>, root: &Node, name: Option<&str>) {
    let name = match (name, root.get("kind").and_then(Node::text)) {
        (Some(name), Some(kind)) => format!("{kind}/{name}"),
        _ => object_of(root).unwrap_or_default(),
    };
    match root.get("kind").and_then(Node::text).unwrap_or_default() {
        "ConfigMap" => {
            data(reader, &name, root.get("data"), false);
            data(reader, &name, root.get("binaryData"), true);
        }
        "Secret" => {
            data(reader, &name, root.get("data"), true);
            data(reader, &name, root.get("stringData"), false);
        }
        "SealedSecret" => {
            for (key, node) in root.at(&["spec", "encryptedData"]).map_or(&[][..], Node::entries) {
                let text = node.text().unwrap_or_default().trim().to_owned();
                let value = ComparedValue { kind: ValueKind::Randomised, text, targets: Vec::new() };
                reader.push(&name, key.text().unwrap_or("?"), key, node, value);
            }
        }
        "ExternalSecret" | "ClusterExternalSecret" => external(reader, &name, root),
        "SecretProviderClass" => provider(reader, &name, root),
        "InfisicalSecret" => {
            if let Some((key, node)) = root.get("spec").and_then(|s| s.entry("authentication")) {
                let value = joined(node);
                reader.push(&name, "authentication", key, node, value);
            }
        }
        "" | "Kustomization" => generators(reader, root),
        "HelmRelease" => free(reader, &name, root, &["spec", "values"]),
        "Application" => {
            let source = root.at(&["spec", "source"]).into_iter();
            let sources = root.at(&["spec", "sources"]).map_or(&[][..], Node::items);
            for source in source.chain(sources) {
                free(reader, &name, source, &["helm", "valuesObject"]);
                for parameter in source.at(&["helm", "parameters"]).map_or(&[][..], Node::items) {
                    if let (Some(key), Some(value)) = (parameter.get("name"), parameter.get("value")) {
                        let held = reader.value(value);
                        reader.push_free(&name, key.text().unwrap_or("?"), key, value, held);
                    }
                }
            }
        }
        _ => {}
    }
    containers(reader, &name, root, 0);
}

/// Reads values of a chart, which may differ between environments.
fn free(reader: &mut VariableReader<'_, '_>, object: &str, root: &Node, path: &[&str]) {
    let Some(values) = root.at(path) else { return };
    for leaf in leaves(values).unwrap_or_default().into_iter().filter(|l| !l.path.is_empty()) {
        let held = reader.value(leaf.value);
        reader.push_free(object, &leaf.path, leaf.key.unwrap_or(leaf.value), leaf.value, held);
    }
}

/// Reads tag and digest of an image.
pub fn image(reader: &mut VariableReader<'_, '_>, object: &str, node: &Node) {
    let Some((_, tag, digest)) = node.text().map(manifests::image_parts) else { return };
    for (name, part) in [("image tag", tag), ("image digest", digest)] {
        if let Some(part) = part {
            reader.push_free(object, name, node, node, classify::classify_text(part, reader.placeholders));
        }
    }
}

fn data(reader: &mut VariableReader<'_, '_>, object: &str, map: Option<&Node>, encoded: bool) {
    for (key, node) in map.map_or(&[][..], Node::entries) {
        let decoded = || {
            let text: String = node.text()?.split_whitespace().collect();
            String::from_utf8(STANDARD.decode(text).ok()?).ok()
        };
        let value = match encoded.then(decoded).flatten() {
            Some(text) => classify::classify_text(&text, reader.placeholders),
            None => reader.value(node),
        };
        reader.push(object, key.text().unwrap_or("?"), key, node, value);
    }
}

/// Reads `spec.data[]`: the remote reference of each key.
fn external(reader: &mut VariableReader<'_, '_>, object: &str, root: &Node) {
    for path in [&["spec", "data"][..], &["spec", "externalSecretSpec", "data"]] {
        for item in root.at(path).map_or(&[][..], Node::items) {
            if let (Some(name), Some((key, from))) = (item.get("secretKey"), item.entry("remoteRef")) {
                let value = joined(from);
                reader.push(object, name.text().unwrap_or("?"), key, from, value);
            }
        }
    }
    for (n, item) in root.at(&["spec", "dataFrom"]).map_or(&[][..], Node::items).iter().enumerate() {
        let value = joined(item);
        reader.push(object, &format!("dataFrom {}", n + 1), item, item, value);
    }
}

fn provider(reader: &mut VariableReader<'_, '_>, object: &str, root: &Node) {
    for secret in root.at(&["spec", "secretObjects"]).map_or(&[][..], Node::items) {
        for item in secret.get("data").map_or(&[][..], Node::items) {
            if let (Some(name), Some((key, from))) = (item.get("key"), item.entry("objectName")) {
                let value = joined(from);
                reader.push(object, name.text().unwrap_or("?"), key, from, value);
            }
        }
    }
}

/// All text below a node, as a reference that means the same in every environment.
fn joined(node: &Node) -> ComparedValue {
    let mut text = String::new();
    node.walk(&mut |steps, node| {
        if let Some(t) = node.text() {
            text.push_str(&format!("{}={t}\n", crate::yaml::dotted(steps)));
        }
    });
    reference(&text, Vec::new())
}

fn generators(reader: &mut VariableReader<'_, '_>, root: &Node) {
    for kind in ["configMapGenerator", "secretGenerator"] {
        for item in root.get(kind).map_or(&[][..], Node::items) {
            let object = format!("{kind}/{}", item.get("name").and_then(Node::text).unwrap_or_default());
            for literal in item.get("literals").map_or(&[][..], Node::items) {
                let Some((name, value)) = literal.text().and_then(|t| t.split_once('=')) else { continue };
                let value = classify::classify_text(value, reader.placeholders);
                reader.push(&object, name, literal, literal, value);
            }
        }
    }
}

/// Maximum depth below an object to search for containers; a CronJob's are at 6.
const MAX_DEPTH: usize = 12;

/// Reads `env` and images of everything below `containers` and `initContainers`.
fn containers(reader: &mut VariableReader<'_, '_>, object: &str, node: &Node, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    for (key, value) in node.entries() {
        if matches!(key.text(), Some("containers" | "initContainers" | "ephemeralContainers")) {
            for container in value.items() {
                let name = container.get("name").and_then(Node::text).unwrap_or_default();
                let object = format!("{object}/{name}");
                env(reader, &object, container);
                if let Some(node) = container.get("image") {
                    image(reader, &object, node);
                }
            }
        } else if value.is_map() {
            containers(reader, object, value, depth + 1);
        }
    }
}

fn env(reader: &mut VariableReader<'_, '_>, object: &str, container: &Node) {
    for item in container.get("env").map_or(&[][..], Node::items) {
        let Some(name) = item.get("name").and_then(Node::text) else { continue };
        let value = match (item.entry("value"), item.entry("valueFrom")) {
            (Some((key, node)), _) => Some((key, node, reader.value(node))),
            (None, Some((key, node))) => {
                // A Secret or ConfigMap of the environment's own namespace.
                let ComparedValue { text, .. } = joined(node);
                Some((key, node, reference(&text, vec![text.clone()])))
            }
            (None, None) => None,
        };
        if let Some((key, node, value)) = value {
            reader.push(object, name, key, node, value);
        }
    }
}
