//! What a Kustomization of Flux applies: the objects of its path, with its patches and substitutions.

use std::collections::BTreeMap;

use bstr::BString;

use super::files::Files;
use super::kustomize::{self, has_kustomization};
use super::object::{Object, unfold};
use super::{edit, paths};
use crate::document::Format;
use crate::error::Result;
use crate::yaml::{Node, Value};

/// The objects that a Kustomization changes; nothing where it changes none, or applies another repository.
pub fn applied(files: &Files<'_>, root: &Node) -> Result<Vec<Node>> {
    let patches = root.at(&["spec", "patches"]).map_or(&[][..], Node::items);
    let substitute = root.at(&["spec", "postBuild", "substitute"]).map_or(&[][..], Node::entries);
    let path = root.at(&["spec", "path"]).and_then(Node::text).and_then(|p| paths::join("".into(), p));
    let Some(path) = path.filter(|p| !(p.is_empty() || (patches.is_empty() && substitute.is_empty()))) else {
        return Ok(Vec::new());
    };
    let mut objects = objects_of(files, &path)?;
    kustomize::patch(files, path.as_ref(), patches, &mut objects)?;
    let values: BTreeMap<&str, &Node> = substitute.iter().filter_map(|(k, v)| Some((k.text()?, v))).collect();
    Ok(objects.iter().map(|o| substituted(&o.node, &values)).collect())
}

/// What `kustomize build` makes of a directory; where it has no kustomization, Flux takes every file below it.
fn objects_of(files: &Files<'_>, path: &BString) -> Result<Vec<Object>> {
    if has_kustomization(files, path.as_ref()) {
        return Ok(kustomize::build(files, path.as_ref())?.map_or_else(Vec::new, |b| b.objects));
    }
    let mut objects = Vec::new();
    let below: Vec<BString> = files.below(path.as_ref()).map(|e| e.path.clone()).collect();
    for file in below.iter().filter(|p| p.ends_with(b".yaml") || p.ends_with(b".yml")) {
        let Some(file) = files.load(file.as_ref(), Format::Yaml)? else { continue };
        let mut found = Vec::new();
        file.roots.iter().for_each(|root| unfold(root, &mut found));
        objects.extend(found.into_iter().map(|n| Object::new(n.clone())));
    }
    Ok(objects)
}

/// `${name}`, `${name:=default}` and `${name:-default}` replaced where the name is known. A text that is nothing but one
/// has the place of its value.
fn substituted(node: &Node, values: &BTreeMap<&str, &Node>) -> Node {
    let value = match &node.value {
        Value::Map(entries) => Value::Map(entries.iter().map(|(k, v)| (k.clone(), substituted(v, values))).collect()),
        Value::Seq(items) => Value::Seq(items.iter().map(|i| substituted(i, values)).collect()),
        Value::Scalar { text, .. } if text.contains("${") => return substituted_text(node, text, values),
        other => other.clone(),
    };
    Node { span: node.span.clone(), value }
}

fn substituted_text(node: &Node, text: &str, values: &BTreeMap<&str, &Node>) -> Node {
    let (mut out, mut rest, mut span) = (String::new(), text, node.span.clone());
    while let Some(at) = rest.find("${") {
        out.push_str(&rest[..at]);
        let Some(end) = rest[at..].find('}') else { break };
        let whole = &rest[at..=at + end];
        let inner = &whole[2..whole.len() - 1];
        let (name, default) = match inner.split_once(':') {
            Some((name, default)) => (name, default.strip_prefix(['=', '-'])),
            None => (inner, None),
        };
        match (values.get(name), default) {
            (Some(value), _) => {
                out.push_str(value.text().unwrap_or_default());
                if whole == text {
                    span = value.span.clone();
                }
            }
            (None, Some(default)) => out.push_str(default),
            (None, None) => out.push_str(whole),
        }
        rest = &rest[at + end + 1..];
    }
    out.push_str(rest);
    edit::string(out, span)
}
