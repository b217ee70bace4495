//! YAML inside a text of another document: inline patches, values of an Application. Its spans are those of the text
//! where the text stands as it is read, line by line; else every value has the span of the whole text.

use std::ops::Range;

use super::files::Files;
use crate::yaml::{self, Node, Value};

/// The documents in a scalar of a file.
pub fn documents(files: &Files<'_>, scalar: &Node) -> Vec<Node> {
    let file = files.locate(&scalar.span);
    let raw = file.as_ref().and_then(|f| f.bytes.get(f.local(&scalar.span)));
    parse(scalar, raw.unwrap_or_default())
}

/// The documents in a scalar. `raw`: the bytes that its span stands for.
pub fn parse(scalar: &Node, raw: &[u8]) -> Vec<Node> {
    let Some(text) = scalar.text() else { return Vec::new() };
    let yaml::Documents { roots, .. } = yaml::parse(text.as_bytes());
    let starts = line_starts(text, raw);
    let place = |span: &Range<usize>| match &starts {
        Some(starts) => {
            let at = |offset: usize| {
                let line = starts.partition_point(|(decoded, _)| *decoded <= offset).saturating_sub(1);
                let (decoded, written) = starts[line];
                (scalar.span.start + written + offset - decoded).min(scalar.span.end)
            };
            let start = at(span.start);
            start..at(span.end).max(start)
        }
        None => scalar.span.clone(),
    };
    let resolved = |root: &Node| if root.has_alias() { root.resolved() } else { None };
    roots.iter().map(|root| placed(resolved(root).as_ref().unwrap_or(root), &place)).collect()
}

/// Where each line of the text begins, in the text and in the bytes; `None` where the bytes are not the text.
fn line_starts(text: &str, raw: &[u8]) -> Option<Vec<(usize, usize)>> {
    for quote in [0, 1] {
        let single = text.lines().count() <= 1;
        if single && raw.get(quote..).is_some_and(|r| r.starts_with(text.trim_end().as_bytes())) {
            return Some(vec![(0, quote)]);
        }
    }
    let mut starts = Vec::new();
    let (mut decoded, mut written) = (0, 0);
    let mut lines = raw.split(|b| *b == b'\n');
    for line in text.split('\n') {
        let Some(below) = lines.next() else { break };
        let bytes = line.as_bytes();
        let kept = below.strip_suffix(b"\r").unwrap_or(below);
        let indent = kept.len().checked_sub(bytes.len()).filter(|at| &kept[*at..] == bytes)?;
        starts.push((decoded, written + indent));
        decoded += line.len() + 1;
        written += below.len() + 1;
    }
    Some(starts)
}

fn placed(node: &Node, place: &dyn Fn(&Range<usize>) -> Range<usize>) -> Node {
    let value = match &node.value {
        Value::Seq(items) => Value::Seq(items.iter().map(|i| placed(i, place)).collect()),
        Value::Map(entries) => Value::Map(entries.iter().map(|(k, v)| (placed(k, place), placed(v, place))).collect()),
        other => other.clone(),
    };
    Node { span: place(&node.span), value }
}
