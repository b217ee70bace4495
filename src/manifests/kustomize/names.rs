//! References by name to objects whose names kustomize changed: a prefix on a ConfigMap is a prefix where a container
//! takes its variables from it.

use std::collections::HashMap;

use crate::manifests::edit;
use crate::manifests::object::Object;
use crate::yaml::{Node, Value};

/// Field, the key below it that holds the name (empty: the field itself), and the kind that it names.
const FIELDS: &[(&str, &str, &str)] = &[
    ("configMapRef", "name", "ConfigMap"),
    ("configMapKeyRef", "name", "ConfigMap"),
    ("configMap", "name", "ConfigMap"),
    ("secretRef", "name", "Secret"),
    ("secretKeyRef", "name", "Secret"),
    ("secret", "secretName", "Secret"),
    ("secret", "name", "Secret"),
    ("serviceAccountName", "", "ServiceAccount"),
    ("serviceAccount", "", "ServiceAccount"),
    ("serviceName", "", "Service"),
    ("service", "name", "Service"),
    ("persistentVolumeClaim", "claimName", "PersistentVolumeClaim"),
];

pub fn update(objects: &mut [Object]) {
    // By kind and former name; two objects that had the same name in different namespaces leave it as it is.
    let mut renamed: HashMap<(String, String), Option<String>> = HashMap::new();
    for object in objects.iter() {
        for (name, _) in object.ids().filter(|(name, _)| *name != object.name()) {
            let to = Some(object.name().to_owned());
            let known = renamed.entry((object.kind().to_owned(), name.to_owned())).or_insert_with(|| to.clone());
            if *known != to {
                *known = None;
            }
        }
    }
    if renamed.is_empty() {
        return;
    }
    let new = |kind: &str, name: &Node| {
        let name = name.text()?;
        renamed.get(&(kind.to_owned(), name.to_owned())).cloned().flatten()
    };
    let change = |node: &mut Node, kind: &str| {
        if let Some(name) = new(kind, node) {
            node.value = edit::string(name, 0..0).value;
        }
    };
    for object in objects {
        let custom = !crate::manifests::object::is_builtin(object.group());
        if custom || object.kind() == "CustomResourceDefinition" {
            continue;
        }
        edit::each_map(&mut object.node, &mut |map| {
            for (field, below, kind) in FIELDS {
                let at = match below.is_empty() {
                    true => edit::get_mut(map, field),
                    false => edit::at_mut(map, &[field, below]),
                };
                if let Some(node) = at {
                    change(node, kind);
                }
            }
            for list in ["imagePullSecrets", "secrets"] {
                if let Some(Value::Seq(items)) = edit::get_mut(map, list).map(|n| &mut n.value) {
                    items.iter_mut().filter_map(|i| edit::get_mut(i, "name")).for_each(|n| change(n, "Secret"));
                }
            }
            for reference in ["scaleTargetRef", "roleRef"] {
                if let Some(at) = edit::get_mut(map, reference)
                    && let Some(kind) = at.get("kind").and_then(Node::text).map(ToOwned::to_owned)
                    && let Some(name) = edit::get_mut(at, "name")
                {
                    change(name, &kind);
                }
            }
            if let Some(Value::Seq(subjects)) = edit::get_mut(map, "subjects").map(|n| &mut n.value) {
                for subject in subjects.iter_mut() {
                    if subject.get("kind").and_then(Node::text) == Some("ServiceAccount")
                        && let Some(name) = edit::get_mut(subject, "name")
                    {
                        change(name, "ServiceAccount");
                    }
                }
            }
        });
    }
}
