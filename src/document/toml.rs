//! TOML, through the `toml` crate's tree with spans. The only user of that crate.

use std::ops::Range;

use ::toml::Spanned;
use ::toml::de::{DeTable, DeValue};

use super::{Cursor, plain, string};
use crate::yaml::{MAX_DEPTH, Node, Value};

pub(super) fn read(c: &mut Cursor<'_>) -> Option<Node> {
    let base = c.at;
    let (root, errors) = DeTable::parse_recoverable(c.rest());
    for e in errors {
        let span = e.span().unwrap_or(0..0);
        c.mistake(base + span.start..base + span.end, e.message().lines().next().unwrap_or_default());
    }
    let span = base..c.text.len();
    table(c, base, span, root.get_ref(), 0)
}

fn table(c: &mut Cursor<'_>, base: usize, span: Range<usize>, from: &DeTable<'_>, depth: usize) -> Option<Node> {
    let mut entries = Vec::with_capacity(from.len());
    for (key, value) in from {
        if !c.count_node() {
            break;
        }
        let name = string(shift(base, key.span()), key.get_ref().as_ref());
        if let Some(value) = node(c, base, value, depth + 1) {
            entries.push((name, value));
        }
    }
    // The crate sorts by name; restore file order.
    entries.sort_by_key(|(key, _)| key.span.start);
    // A table's own span is its header: extend it to its last value.
    let end = entries.iter().map(|(_, v)| v.span.end).fold(span.end, usize::max);
    Some(Node { span: span.start..end, value: Value::Map(entries) })
}

fn node(c: &mut Cursor<'_>, base: usize, value: &Spanned<DeValue<'_>>, depth: usize) -> Option<Node> {
    let span = shift(base, value.span());
    if depth > MAX_DEPTH {
        c.mistake(span, format!("nested deeper than {MAX_DEPTH} levels"));
        return None;
    }
    if !c.count_node() {
        return None;
    }
    Some(match value.get_ref() {
        DeValue::String(s) => string(span, s.as_ref()),
        DeValue::Integer(n) => plain(span, n.to_string()),
        DeValue::Float(n) => plain(span, n.as_str()),
        DeValue::Boolean(b) => plain(span, b.to_string()),
        DeValue::Datetime(d) => string(span, d.to_string()),
        DeValue::Array(items) => {
            let items: Vec<Node> = items.iter().filter_map(|i| node(c, base, i, depth + 1)).collect();
            let end = items.iter().map(|i| i.span.end).fold(span.end, usize::max);
            Node { span: span.start..end, value: Value::Seq(items) }
        }
        DeValue::Table(t) => return table(c, base, span, t, depth),
    })
}

fn shift(base: usize, span: Range<usize>) -> Range<usize> {
    base + span.start..base + span.end
}
