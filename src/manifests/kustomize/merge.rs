//! Strategic merge: a patch in the shape of the object. Maps merge, `null` deletes, lists merge by the key that
//! Kubernetes gives them, or are replaced where it gives none or does not define the kind.

use crate::manifests::edit;
use crate::yaml::{Node, Value};

/// Applies a patch. `builtin`: Kubernetes defines the kind. Answers whether the object stays.
pub fn apply(object: &mut Node, patch: &Node, builtin: bool) -> bool {
    match directive(patch) {
        Some("delete") => return false,
        Some("replace") => {
            // Type and name stay as they are where the patch says nothing of them.
            let mut whole = cleaned(patch);
            for key in ["apiVersion", "kind", "metadata"] {
                if let (None, Some(value)) = (whole.get(key), object.get(key)) {
                    edit::set(&mut whole, key, value.clone());
                }
            }
            *object = whole;
        }
        _ => map(object, patch, builtin, ""),
    }
    true
}

fn directive(node: &Node) -> Option<&str> {
    node.get("$patch").and_then(Node::text)
}

/// `field`: the key that the map stands under.
fn map(base: &mut Node, patch: &Node, builtin: bool, field: &str) {
    for (key, value) in patch.entries() {
        let Some(name) = key.text().filter(|name| !name.starts_with('$')) else { continue };
        match &value.value {
            _ if value.is_null() || directive(value) == Some("delete") => edit::remove(base, name),
            Value::Map(_) if directive(value) == Some("replace") => {
                edit::set_with(base, key.clone(), cleaned(value));
            }
            Value::Map(_) => match edit::get_mut(base, name).filter(|b| b.is_map()) {
                Some(below) => map(below, value, builtin, name),
                None => edit::set_with(base, key.clone(), cleaned(value)),
            },
            Value::Seq(items) => match edit::get_mut(base, name) {
                Some(Node { value: Value::Seq(list), .. }) if items.iter().any(|i| directive(i) == Some("replace")) => {
                    *list = items.iter().filter(|i| directive(i).is_none()).map(cleaned).collect();
                }
                Some(Node { value: Value::Seq(list), .. })
                    if builtin && (!merge_keys(name, field).is_empty() || name == "finalizers") =>
                {
                    merge_list(list, items, merge_keys(name, field));
                }
                _ => edit::set_with(base, key.clone(), cleaned(value)),
            },
            _ => edit::set_with(base, key.clone(), value.clone()),
        }
    }
}

/// A part of a patch where the object has nothing yet: without directives, nulls and what is deleted.
fn cleaned(node: &Node) -> Node {
    let value = match &node.value {
        Value::Map(entries) => Value::Map(
            entries
                .iter()
                .filter(|(k, v)| {
                    !k.text().is_some_and(|k| k.starts_with('$')) && !v.is_null() && directive(v) != Some("delete")
                })
                .map(|(k, v)| (k.clone(), cleaned(v)))
                .collect(),
        ),
        Value::Seq(items) => {
            Value::Seq(items.iter().filter(|i| directive(i).is_none_or(|d| d == "merge")).map(cleaned).collect())
        }
        other => other.clone(),
    };
    Node { span: node.span.clone(), value }
}

fn merge_list(list: &mut Vec<Node>, patch: &[Node], keys: &[&str]) {
    if keys.is_empty() {
        // A list that is a set of words.
        for item in patch {
            if !list.iter().any(|i| i.text() == item.text()) {
                list.push(item.clone());
            }
        }
        return;
    }
    // What a patch names comes first, in its order, and the rest behind it, as kustomize puts it.
    let mut first = Vec::new();
    for item in patch {
        let at = list.iter().position(|i| is_same_item(i, item, keys));
        match (at.map(|at| list.remove(at)), directive(item)) {
            (_, Some("delete")) => {}
            (Some(_), Some("replace")) | (None, _) => first.push(cleaned(item)),
            (Some(mut there), _) => {
                map(&mut there, item, true, "");
                first.push(there);
            }
        }
    }
    list.splice(0..0, first);
}

fn is_same_item(a: &Node, b: &Node, keys: &[&str]) -> bool {
    let first = keys[0];
    let text = |node: &Node, key| node.get(key).and_then(Node::text).map(ToOwned::to_owned);
    text(a, first).is_some()
        && text(a, first) == text(b, first)
        && keys[1..].iter().all(|key| match (text(a, key), text(b, key)) {
            (Some(x), Some(y)) => x == y,
            _ => true,
        })
}

/// By which keys the items of a list of a built-in kind are the same. `above`: the field that the list's map is in.
fn merge_keys(field: &str, above: &str) -> &'static [&'static str] {
    match field {
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "env"
        | "imagePullSecrets"
        | "webhooks"
        | "schedulingGates"
        | "resourceClaims" => &["name"],
        "volumes" => &["name"],
        "secrets" => &["name"],
        "ports" if above == "spec" => &["port", "protocol"],
        "ports" => &["containerPort", "protocol"],
        "volumeMounts" => &["mountPath"],
        "volumeDevices" => &["devicePath"],
        "hostAliases" => &["ip"],
        "topologySpreadConstraints" => &["topologyKey", "whenUnsatisfiable"],
        "conditions" => &["type"],
        "ownerReferences" => &["uid"],
        _ => &[],
    }
}
