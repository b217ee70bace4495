//! Changing a document in memory, as kustomize and controllers do before it is applied.

use std::ops::Range;

use crate::yaml::{Node, Value};

/// A string that a tool writes, at the place that makes it write it.
pub fn string(text: impl Into<String>, span: Range<usize>) -> Node {
    Node { span, value: Value::Scalar { text: text.into(), plain: false, tag: None } }
}

pub fn empty_map(span: Range<usize>) -> Node {
    Node { span, value: Value::Map(Vec::new()) }
}

pub fn get_mut<'n>(node: &'n mut Node, key: &str) -> Option<&'n mut Node> {
    let Value::Map(entries) = &mut node.value else { return None };
    entries.iter_mut().rev().find(|(k, _)| k.text() == Some(key)).map(|(_, v)| v)
}

/// The value below a chain of keys, each made where it is missing. `None` where something else than a map is in the
/// way.
pub fn make<'n>(node: &'n mut Node, path: &[&str], span: &Range<usize>) -> Option<&'n mut Node> {
    let mut at = node;
    for key in path {
        if at.is_null() {
            at.value = Value::Map(Vec::new());
        }
        if !at.is_map() {
            return None;
        }
        if at.get(key).is_none() {
            set(at, key, empty_map(span.clone()));
        }
        at = get_mut(at, key)?;
    }
    Some(at)
}

/// The value below a chain of keys.
pub fn at_mut<'n>(node: &'n mut Node, path: &[&str]) -> Option<&'n mut Node> {
    path.iter().try_fold(node, |node, key| get_mut(node, key))
}

/// Sets a key of a map, keeping its place among the others.
pub fn set(node: &mut Node, key: &str, value: Node) {
    let span = value.span.clone();
    set_with(node, string(key, span), value);
}

/// The same, with a key that is written somewhere.
pub fn set_with(node: &mut Node, key: Node, value: Node) {
    let Value::Map(entries) = &mut node.value else { return };
    match entries.iter_mut().rev().find(|(k, _)| k.text() == key.text()) {
        Some(entry) => *entry = (key, value),
        None => entries.push((key, value)),
    }
}

pub fn remove(node: &mut Node, key: &str) {
    if let Value::Map(entries) = &mut node.value {
        entries.retain(|(k, _)| k.text() != Some(key));
    }
}

/// Whether two values are the same, wherever they are written.
pub fn same(a: &Node, b: &Node) -> bool {
    match (&a.value, &b.value) {
        (Value::Map(x), Value::Map(y)) => {
            x.len() == y.len()
                && x.iter().all(|(k, v)| k.text().and_then(|k| b.get(k)).is_some_and(|other| same(v, other)))
        }
        (Value::Seq(x), Value::Seq(y)) => x.len() == y.len() && x.iter().zip(y).all(|(a, b)| same(a, b)),
        (Value::Scalar { .. }, Value::Scalar { .. }) => a.scalar() == b.scalar(),
        _ => false,
    }
}

/// Calls `visit` for every map below a node, itself included.
pub fn each_map(node: &mut Node, visit: &mut dyn FnMut(&mut Node)) {
    if node.is_map() {
        visit(node);
    }
    match &mut node.value {
        Value::Map(entries) => entries.iter_mut().for_each(|(_, v)| each_map(v, visit)),
        Value::Seq(items) => items.iter_mut().for_each(|i| each_map(i, visit)),
        _ => {}
    }
}
