//! Variables of Kubernetes objects: `data` of ConfigMaps and Secrets, `env` of containers, literals of kustomize's
//! generators, keys of SealedSecrets and of objects that fetch secrets from elsewhere.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Reader, object_of, reference};
use crate::document::Document;
use crate::rules::divergence::markers;
use crate::rules::divergence::model::{Kind, Value};
use crate::yaml::Node;

pub fn read(reader: &mut Reader<'_>, document: &Document) {
    for root in &document.roots {
        let lists = root.get("items").filter(|_| root.get("kind").and_then(Node::text) == Some("List"));
        match lists {
            Some(items) => items.items().iter().for_each(|item| object(reader, item)),
            None => object(reader, root),
        }
    }
}

fn object(reader: &mut Reader<'_>, root: &Node) {
    let name = object_of(root).unwrap_or_default();
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
                let value = Value { kind: Kind::Randomised, text, targets: Vec::new() };
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
        _ => {}
    }
    containers(reader, &name, root, 0);
}

fn data(reader: &mut Reader<'_>, object: &str, map: Option<&Node>, encoded: bool) {
    for (key, node) in map.map_or(&[][..], Node::entries) {
        let decoded = || {
            let text: String = node.text()?.split_whitespace().collect();
            String::from_utf8(STANDARD.decode(text).ok()?).ok()
        };
        let value = match encoded.then(decoded).flatten() {
            Some(text) => markers::of_text(&text, reader.placeholders),
            None => reader.value(node),
        };
        reader.push(object, key.text().unwrap_or("?"), key, node, value);
    }
}

/// `spec.data[]`: where each key comes from.
fn external(reader: &mut Reader<'_>, object: &str, root: &Node) {
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

fn provider(reader: &mut Reader<'_>, object: &str, root: &Node) {
    for secret in root.at(&["spec", "secretObjects"]).map_or(&[][..], Node::items) {
        for item in secret.get("data").map_or(&[][..], Node::items) {
            if let (Some(name), Some((key, from))) = (item.get("key"), item.entry("objectName")) {
                let value = joined(from);
                reader.push(object, name.text().unwrap_or("?"), key, from, value);
            }
        }
    }
}

/// Every text below a node: a reference that means the same wherever it stands.
fn joined(node: &Node) -> Value {
    let mut text = String::new();
    node.walk(&mut |steps, node| {
        if let Some(t) = node.text() {
            text.push_str(&format!("{}={t}\n", crate::yaml::dotted(steps)));
        }
    });
    reference(&text, Vec::new())
}

fn generators(reader: &mut Reader<'_>, root: &Node) {
    for kind in ["configMapGenerator", "secretGenerator"] {
        for item in root.get(kind).map_or(&[][..], Node::items) {
            let object = format!("{kind}/{}", item.get("name").and_then(Node::text).unwrap_or_default());
            for literal in item.get("literals").map_or(&[][..], Node::items) {
                reader.assignment(&object, literal);
            }
        }
    }
}

/// Levels below an object at which containers still are looked for: a CronJob's stand at 6.
const DEPTH: usize = 12;

/// `env` of everything below `containers` and `initContainers`.
fn containers(reader: &mut Reader<'_>, object: &str, node: &Node, depth: usize) {
    if depth > DEPTH {
        return;
    }
    for (key, value) in node.entries() {
        if matches!(key.text(), Some("containers" | "initContainers" | "ephemeralContainers")) {
            for container in value.items() {
                let name = container.get("name").and_then(Node::text).unwrap_or_default();
                env(reader, &format!("{object}/{name}"), container);
            }
        } else if value.is_map() {
            containers(reader, object, value, depth + 1);
        }
    }
}

fn env(reader: &mut Reader<'_>, object: &str, container: &Node) {
    for item in container.get("env").map_or(&[][..], Node::items) {
        let Some(name) = item.get("name").and_then(Node::text) else { continue };
        let value = match (item.entry("value"), item.entry("valueFrom")) {
            (Some((key, node)), _) => Some((key, node, reader.value(node))),
            (None, Some((key, node))) => {
                // A Secret or ConfigMap of the environment's own namespace.
                let Value { text, .. } = joined(node);
                Some((key, node, reference(&text, vec![text.clone()])))
            }
            (None, None) => None,
        };
        if let Some((key, node, value)) = value {
            reader.push(object, name, key, node, value);
        }
    }
}
