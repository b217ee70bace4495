//! `replacements`: a value of one object written into others.

use super::select::Selector;
use crate::manifests::edit;
use crate::manifests::object::Object;
use crate::yaml::{Node, Value};

/// Applies one replacement. `Err` says what it does not find.
pub fn apply(objects: &mut [Object], replacement: &Node) -> Result<(), String> {
    let value = match (replacement.get("sourceValue"), replacement.get("source")) {
        (Some(value), _) => value.clone(),
        (None, Some(source)) => source_value(objects, source)?,
        (None, None) => return Err("a replacement has no source".into()),
    };
    for target in replacement.get("targets").map_or(&[][..], Node::items) {
        let Some(select) = target.get("select") else { continue };
        let select = Selector::read(select, true);
        let reject: Vec<Selector> =
            target.get("reject").map_or(&[][..], Node::items).iter().map(|r| Selector::read(r, true)).collect();
        let options = target.get("options");
        let create = options.and_then(|o| o.get("create")).and_then(Node::as_bool) == Some(true);
        let default = [edit::string("metadata.name", target.span.clone())];
        let paths = target.get("fieldPaths").map_or(&default[..], Node::items);
        for object in objects.iter_mut().filter(|o| select.matches(o) && !reject.iter().any(|r| r.matches(o))) {
            if paths.iter().any(|p| p.text() == Some("metadata.name")) {
                object.remember();
            }
            for path in paths.iter().filter_map(Node::text) {
                let steps = fields(path);
                write(&mut object.node, &steps, &value, options, create);
            }
        }
    }
    Ok(())
}

fn source_value(objects: &[Object], source: &Node) -> Result<Node, String> {
    let select = Selector::read(source, true);
    let object = objects.iter().find(|o| select.matches(o)).ok_or("no object is the source of a replacement")?;
    let path = source.get("fieldPath").and_then(Node::text).unwrap_or("metadata.name");
    let mut found = &object.node;
    for step in fields(path) {
        let next = match &found.value {
            Value::Map(_) => found.get(&step),
            Value::Seq(items) => item(items, &step).map(|at| &items[at]),
            _ => None,
        };
        found = next.ok_or_else(|| format!("the source of a replacement has no {path}"))?;
    }
    let Some(options) = source.get("options") else { return Ok(found.clone()) };
    let delimiter = options.get("delimiter").and_then(Node::text).unwrap_or_default();
    let index = options.get("index").and_then(Node::as_int).unwrap_or(0);
    let Some(text) = found.text().filter(|_| !delimiter.is_empty()) else { return Ok(found.clone()) };
    let part = usize::try_from(index).ok().and_then(|n| text.split(delimiter).nth(n));
    let part = part.ok_or("the source of a replacement has fewer parts")?;
    Ok(edit::string(part, found.span.clone()))
}

/// `spec.containers.[name=a.b].image`, with dots in brackets and behind backslashes kept.
fn fields(path: &str) -> Vec<String> {
    let mut steps = vec![String::new()];
    let mut inside = false;
    let mut chars = path.chars();
    while let Some(c) = chars.next() {
        let last = steps.len() - 1;
        match c {
            '\\' => steps[last].extend(chars.next()),
            '.' if !inside => steps.push(String::new()),
            '[' | ']' => {
                if c == '[' && !steps[last].is_empty() && !inside {
                    steps.push(String::new());
                }
                inside = c == '[';
                let last = steps.len() - 1;
                steps[last].push(c);
            }
            c => steps[last].push(c),
        }
    }
    steps.retain(|s| !s.is_empty());
    steps
}

/// Which item of a list a step names: `[name=x]` or `0`.
fn item(items: &[Node], step: &str) -> Option<usize> {
    let inner = step.strip_prefix('[').and_then(|s| s.strip_suffix(']')).unwrap_or(step);
    match inner.split_once('=') {
        Some((key, wanted)) => items.iter().position(|i| i.get(key).and_then(Node::text) == Some(wanted)),
        None => inner.parse().ok().filter(|at| *at < items.len()),
    }
}

fn write(node: &mut Node, steps: &[String], value: &Node, options: Option<&Node>, create: bool) {
    let Some((step, rest)) = steps.split_first() else { return set(node, value, options) };
    let is_any = step == "*" || step == "[*]";
    match &mut node.value {
        Value::Seq(items) if is_any => items.iter_mut().for_each(|i| write(i, rest, value, options, create)),
        Value::Seq(items) => match item(items, step) {
            Some(at) => write(&mut items[at], rest, value, options, create),
            None if create && step.contains('=') => {
                let inner = step.trim_start_matches('[').trim_end_matches(']');
                let mut made = edit::empty_map(value.span.clone());
                if let Some((key, text)) = inner.split_once('=') {
                    edit::set(&mut made, key, edit::string(text, value.span.clone()));
                }
                write(&mut made, rest, value, options, create);
                items.push(made);
            }
            None => {}
        },
        Value::Map(entries) if is_any => entries.iter_mut().for_each(|(_, v)| write(v, rest, value, options, create)),
        Value::Map(_) => {
            if node.get(step).is_none() {
                if !create {
                    return;
                }
                let new = match rest.first() {
                    None => edit::string("", value.span.clone()),
                    Some(next) if next.starts_with('[') => {
                        Node { span: value.span.clone(), value: Value::Seq(Vec::new()) }
                    }
                    Some(_) => edit::empty_map(value.span.clone()),
                };
                edit::set(node, step, new);
            }
            if let Some(below) = edit::get_mut(node, step) {
                write(below, rest, value, options, create);
            }
        }
        _ => {}
    }
}

fn set(node: &mut Node, value: &Node, options: Option<&Node>) {
    let option = |key: &str| options.and_then(|o| o.get(key));
    let delimiter = option("delimiter").and_then(Node::text).unwrap_or_default();
    let (Some(old), Some(new), false) = (node.text(), value.text(), delimiter.is_empty()) else {
        *node = value.clone();
        return;
    };
    let mut parts: Vec<&str> = old.split(delimiter).collect();
    match option("index").and_then(Node::as_int).unwrap_or(0) {
        index if index < 0 => parts.insert(0, new),
        index => match usize::try_from(index).ok().filter(|at| *at < parts.len()) {
            Some(at) => parts[at] = new,
            None => parts.push(new),
        },
    }
    *node = edit::string(parts.join(delimiter), value.span.clone());
}
