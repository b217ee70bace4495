//! ConfigMaps and Secrets that a kustomization makes: from literals, from files, from files of assignments. Their names
//! are without the hash of their content, which kustomize adds and no reader of ours needs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bstr::ByteSlice as _;

use super::Builder;
use crate::document::Format;
use crate::error::Result;
use crate::manifests::edit;
use crate::manifests::object::Object;
use crate::manifests::paths;
use crate::yaml::{Node, Value};

/// Adds what the generators of a kustomization make, or merges it into what is there.
pub fn run(
    builder: &mut Builder<'_, '_>,
    directory: &bstr::BStr,
    root: &Node,
    objects: &mut Vec<Object>,
) -> Result<()> {
    for (list, kind) in [("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")] {
        for item in root.get(list).map_or(&[][..], Node::items) {
            let made = one(builder, directory, root, item, kind)?;
            let behavior = item.get("behavior").and_then(Node::text).unwrap_or("create");
            let there = objects.iter_mut().find(|o| o.is(kind, "", made.name(), made.namespace()));
            match (there, behavior) {
                (Some(there), "merge") => {
                    for key in ["data", "binaryData"] {
                        for (name, value) in made.node.get(key).map_or(&[][..], Node::entries) {
                            if let Some(data) = edit::make(&mut there.node, &[key], &value.span) {
                                edit::set_with(data, name.clone(), value.clone());
                            }
                        }
                    }
                    merge_metadata(&mut there.node, &made.node);
                }
                (Some(there), "replace") => {
                    let former = there.former.clone();
                    let metadata = there.node.get("metadata").cloned();
                    let mut new = made;
                    new.former = former;
                    if let Some(metadata) = metadata {
                        let own = new.node.get("metadata").cloned();
                        edit::set(&mut new.node, "metadata", metadata);
                        if let Some(own) = own {
                            let holder = Node {
                                span: own.span.clone(),
                                value: Value::Map(vec![(edit::string("metadata", own.span.clone()), own)]),
                            };
                            merge_metadata(&mut new.node, &holder);
                        }
                    }
                    *there = new;
                }
                _ => objects.push(made),
            }
        }
    }
    Ok(())
}

fn merge_metadata(into: &mut Node, from: &Node) {
    for key in ["labels", "annotations"] {
        for (name, value) in from.at(&["metadata", key]).map_or(&[][..], Node::entries) {
            if let Some(map) = edit::make(into, &["metadata", key], &value.span) {
                edit::set_with(map, name.clone(), value.clone());
            }
        }
    }
}

fn one(builder: &mut Builder<'_, '_>, directory: &bstr::BStr, root: &Node, item: &Node, kind: &str) -> Result<Object> {
    let span = item.span.clone();
    let mut node = edit::empty_map(span.clone());
    edit::set(&mut node, "apiVersion", edit::string("v1", span.clone()));
    edit::set(&mut node, "kind", edit::string(kind, span.clone()));
    for key in ["name", "namespace"] {
        if let (Some(value), Some(metadata)) = (item.get(key), edit::make(&mut node, &["metadata"], &span)) {
            edit::set(metadata, key, value.clone());
        }
    }
    for options in [root.get("generatorOptions"), item.get("options")].into_iter().flatten() {
        for key in ["labels", "annotations"] {
            for (name, value) in options.get(key).map_or(&[][..], Node::entries) {
                if let Some(map) = edit::make(&mut node, &["metadata", key], &span) {
                    edit::set_with(map, name.clone(), value.clone());
                }
            }
        }
        if let Some(immutable) = options.get("immutable").filter(|i| i.as_bool() == Some(true)) {
            edit::set(&mut node, "immutable", immutable.clone());
        }
    }
    if kind == "Secret" {
        let kind = item.get("type").cloned().unwrap_or_else(|| edit::string("Opaque", span.clone()));
        edit::set(&mut node, "type", kind);
    }
    let mut put = |key: Node, value: Node, bytes: &[u8]| {
        let secret = kind == "Secret";
        let text = bytes.to_str().ok();
        let (field, value) = match text {
            Some(text) if !secret => ("data", edit::string(text, value.span)),
            _ if secret => ("data", edit::string(STANDARD.encode(bytes), value.span)),
            _ => ("binaryData", edit::string(STANDARD.encode(bytes), value.span)),
        };
        if let Some(data) = edit::make(&mut node, &[field], &span) {
            edit::set_with(data, key, value);
        }
    };
    let single = item.get("env").into_iter();
    let envs: Vec<&Node> = item.get("envs").map_or(&[][..], Node::items).iter().chain(single).collect();
    for env in envs {
        let Some(text) = env.text() else { continue };
        let Some(file) = builder.file(directory, env, text, Format::Dotenv)? else { continue };
        for (key, value) in file.roots.iter().flat_map(Node::entries) {
            // kustomize takes the line as it is, quotes included.
            let raw = file.bytes.get(file.local(&value.span)).unwrap_or_default().to_owned();
            put(key.clone(), value.clone(), &raw);
        }
    }
    for literal in item.get("literals").map_or(&[][..], Node::items) {
        let Some((name, value)) = literal.text().and_then(|t| t.split_once('=')) else { continue };
        let quoted = ['"', '\''].iter().find_map(|q| value.strip_prefix(*q)?.strip_suffix(*q));
        let (key, node) = assignment(literal, name, value);
        put(key, node, quoted.unwrap_or(value).as_bytes());
    }
    for from in item.get("files").map_or(&[][..], Node::items) {
        let Some(text) = from.text() else { continue };
        let (name, path) = match text.split_once('=') {
            Some((name, path)) => (name.to_owned(), path),
            None => (text.rsplit('/').next().unwrap_or(text).to_owned(), text),
        };
        let path = paths::join(directory, path);
        builder.used.insert(path.clone().unwrap_or_default());
        let bytes = match &path {
            Some(path) => builder.files.read(path.as_ref())?,
            None => None,
        };
        match bytes {
            Some(bytes) => put(edit::string(name, from.span.clone()), from.clone(), &bytes),
            None => builder.missing(from, text),
        }
    }
    Ok(Object { node, former: Vec::new(), generated: true })
}

/// Key and value of `NAME=value` with the parts of the literal that they are written in.
fn assignment(literal: &Node, name: &str, value: &str) -> (Node, Node) {
    let length = literal.text().map_or(0, str::len);
    let written = literal.span.len();
    let quote = match written.checked_sub(length) {
        Some(0) => 0,
        Some(2) => 1,
        // Escapes: where the value begins cannot be told.
        _ => return (edit::string(name, literal.span.clone()), edit::string(value, literal.span.clone())),
    };
    let start = literal.span.start + quote;
    let from = start + name.len() + 1;
    (edit::string(name, start..start + name.len()), edit::string(value, from..from + value.len()))
}
