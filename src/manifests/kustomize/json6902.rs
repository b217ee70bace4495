//! JSON patches (RFC 6902), as kustomize applies them.

use crate::manifests::edit;
use crate::yaml::{Node, Value};

/// Applies operations in their order. `Err` says which one does not fit the object: kustomize fails there.
pub fn apply(object: &mut Node, operations: &[Node]) -> Result<(), String> {
    operations.iter().try_for_each(|operation| one(object, operation))
}

fn one(object: &mut Node, operation: &Node) -> Result<(), String> {
    let text = |key: &str| operation.get(key).and_then(Node::text);
    let op = text("op").unwrap_or_default();
    let path = steps(text("path").ok_or("an operation has no path")?);
    let value = || operation.get("value").cloned().ok_or(format!("`{op}` has no value"));
    let missing = || format!("`{op}` finds nothing at {}", text("path").unwrap_or_default());
    match op {
        "add" => add(object, &path, value()?).ok_or_else(missing),
        "remove" => take(object, &path).map(drop).ok_or_else(missing),
        "replace" => {
            let value = value()?;
            if let Some(at) = find(object, &path) {
                *at = value;
                return Ok(());
            }
            // The library that kustomize uses sets a key that is missing, and refuses only a missing item.
            let (_, above) = path.split_last().ok_or_else(missing)?;
            match find(object, above) {
                Some(parent) if parent.is_map() => add(object, &path, value).ok_or_else(missing),
                _ => Err(missing()),
            }
        }
        "move" | "copy" => {
            let from = steps(text("from").ok_or(format!("`{op}` has no `from`"))?);
            let moved = match op {
                "move" => take(object, &from),
                _ => find(object, &from).map(|n| n.clone()),
            };
            add(object, &path, moved.ok_or_else(missing)?).ok_or_else(missing)
        }
        "test" => match find(object, &path) {
            Some(found) if edit::same(found, &value()?) => Ok(()),
            _ => Err(format!("`test` of {} fails", text("path").unwrap_or_default())),
        },
        other => Err(format!("there is no operation `{other}`")),
    }
}

/// A pointer's steps: `/a~1b/0` is `a/b`, `0`.
pub fn steps(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(|s| s.replace("~1", "/").replace("~0", "~")).collect()
}

fn find<'n>(node: &'n mut Node, path: &[String]) -> Option<&'n mut Node> {
    path.iter().try_fold(node, |node, step| match &mut node.value {
        Value::Map(entries) => entries.iter_mut().rev().find(|(k, _)| k.text() == Some(step)).map(|(_, value)| value),
        Value::Seq(items) => {
            let at = step.parse::<usize>().ok()?;
            items.get_mut(at)
        }
        _ => None,
    })
}

fn add(object: &mut Node, path: &[String], value: Node) -> Option<()> {
    let Some((last, above)) = path.split_last() else {
        *object = value;
        return Some(());
    };
    let parent = find(object, above)?;
    match &mut parent.value {
        Value::Map(_) => edit::set(parent, last, value),
        Value::Seq(items) if last == "-" => items.push(value),
        Value::Seq(items) => {
            let at = last.parse::<usize>().ok().filter(|at| *at <= items.len())?;
            items.insert(at, value);
        }
        _ => return None,
    }
    Some(())
}

fn take(object: &mut Node, path: &[String]) -> Option<Node> {
    let (last, above) = path.split_last()?;
    let parent = find(object, above)?;
    match &mut parent.value {
        Value::Map(entries) => {
            let at = entries.iter().rposition(|(k, _)| k.text() == Some(last))?;
            Some(entries.remove(at).1)
        }
        Value::Seq(items) => {
            let at = last.parse::<usize>().ok().filter(|at| *at < items.len())?;
            Some(items.remove(at))
        }
        _ => None,
    }
}
