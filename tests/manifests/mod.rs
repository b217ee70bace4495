//! Effective documents: what each step of kustomize does, where values are written, and hundreds of generated trees
//! against the real kustomize where it is installed.

mod generated;
mod steps;

use std::collections::BTreeMap;

use portcullis::manifests::{Built, Files, build};
use portcullis::yaml::{Node, Scalar, Value};

use crate::support::tree::MemoryTree;

/// Builds a directory of a tree.
#[track_caller]
fn built(tree: &MemoryTree, directory: &str) -> Built {
    let files = Files::new(tree).unwrap();
    build(&files, directory.into()).unwrap().expect("a kustomization")
}

/// A value in one spelling, its maps sorted.
fn canonical(node: &Node) -> String {
    match &node.value {
        Value::Map(entries) => {
            let sorted: BTreeMap<&str, String> =
                entries.iter().map(|(k, v)| (k.text().unwrap_or("?"), canonical(v))).collect();
            let parts: Vec<String> = sorted.iter().map(|(k, v)| format!("{k:?}:{v}")).collect();
            format!("{{{}}}", parts.join(","))
        }
        Value::Seq(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        _ => match node.scalar() {
            Some(Scalar::Str(text)) => format!("{text:?}"),
            Some(scalar) => format!("{scalar:?}"),
            None => "alias".into(),
        },
    }
}

/// Objects by kind, namespace and name.
fn by_id<'n>(objects: impl IntoIterator<Item = &'n Node>) -> BTreeMap<String, String> {
    let text = |node: &Node, path: &[&str]| node.at(path).and_then(Node::text).unwrap_or_default().to_owned();
    let id = |n: &Node| {
        format!("{} {}/{}", text(n, &["kind"]), text(n, &["metadata", "namespace"]), text(n, &["metadata", "name"]))
    };
    objects.into_iter().map(|n| (id(n), canonical(n))).collect()
}
