//! Resolves aliases and applies merge keys (`<<`), as Kubernetes, Helm and compose do. Every value keeps the span where it is
//! written, at its anchor.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::{MAX_DEPTH, MAX_NODES, Node, Value};

impl Node {
    /// Whether the tree contains an alias or a merge key.
    pub fn has_alias(&self) -> bool {
        match &self.value {
            Value::Alias(_) => true,
            Value::Scalar { .. } => false,
            Value::Seq(items) => items.iter().any(Node::has_alias),
            Value::Map(entries) => entries.iter().any(|(key, value)| {
                key.text() == Some("<<") || matches!(key.value, Value::Alias(_)) || value.has_alias()
            }),
        }
    }

    /// The tree without aliases and merge keys; this must be a document's root. `None` if it would be too large: a few lines
    /// of aliases can expand to gigabytes.
    pub fn resolved(&self) -> Option<Self> {
        let mut anchored = HashMap::new();
        collect(self, &mut anchored);
        Resolver { anchored, nodes: 0 }.node(self, 0)
    }
}

/// Every value by its span. A map that begins with a value of its own comes before that value.
fn collect<'n>(node: &'n Node, out: &mut HashMap<Range<usize>, &'n Node>) {
    out.entry(node.span.clone()).or_insert(node);
    match &node.value {
        Value::Seq(items) => items.iter().for_each(|item| collect(item, out)),
        Value::Map(entries) => entries.iter().for_each(|(key, value)| {
            collect(key, out);
            collect(value, out);
        }),
        _ => {}
    }
}

struct Resolver<'n> {
    anchored: HashMap<Range<usize>, &'n Node>,
    nodes: usize,
}

impl<'n> Resolver<'n> {
    fn node(&mut self, node: &'n Node, depth: usize) -> Option<Node> {
        self.nodes += 1;
        (self.nodes <= MAX_NODES && depth <= MAX_DEPTH).then_some(())?;
        let value = match &node.value {
            Value::Alias(target) => {
                let target = target.as_ref().and_then(|span| self.anchored.get(span).copied());
                return match target {
                    Some(target) => self.node(target, depth + 1),
                    None => Some(node.clone()),
                };
            }
            Value::Seq(items) => Value::Seq(items.iter().map(|i| self.node(i, depth + 1)).collect::<Option<_>>()?),
            Value::Map(entries) => Value::Map(self.entries(entries, depth)?),
            scalar => scalar.clone(),
        };
        Some(Node { span: node.span.clone(), value })
    }

    /// A map's own keys override merged ones, and earlier merged maps override later ones.
    fn entries(&mut self, entries: &'n [(Node, Node)], depth: usize) -> Option<Vec<(Node, Node)>> {
        let mut own = Vec::new();
        let mut merged = Vec::new();
        for (key, value) in entries {
            let value = self.node(value, depth + 1)?;
            // A quoted "<<" is an ordinary key.
            let merges = matches!(&key.value, Value::Scalar { text, plain: true, .. } if text == "<<");
            match value.value {
                Value::Map(map) if merges => merged.extend(map),
                Value::Seq(maps) if merges => maps.into_iter().for_each(|m| {
                    if let Value::Map(map) = m.value {
                        merged.extend(map);
                    }
                }),
                value_kind => own.push((self.node(key, depth + 1)?, Node { span: value.span, value: value_kind })),
            }
        }
        if !merged.is_empty() {
            let mut names: HashSet<String> = own.iter().filter_map(|(k, _)| k.text().map(ToOwned::to_owned)).collect();
            merged.retain(|(k, _)| k.text().is_none_or(|name| names.insert(name.to_owned())));
            own.extend(merged);
        }
        Some(own)
    }
}
