//! Key paths in policies: `spec.source.targetRevision`, `jobs.*.steps[name=deploy].with."a.b"`. Owns their grammar and the
//! lookup, also of the deepest existing part of a path.

use crate::yaml::{Node, Value};

#[derive(Clone, Debug, PartialEq, Eq)]
enum PathStep {
    Key(String),
    /// Every value of a map, every item of a list.
    Any,
    /// Index from 0.
    Item(usize),
    /// Items of a list (or values of a map) that have this key with this text.
    Where(String, String),
}

/// A parsed key path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(Vec<PathStep>);

/// A value that a path matches.
#[derive(Clone, Copy, Debug)]
pub struct PathMatch<'n> {
    /// The key of the value, or of the list that contains it; `None` at the root.
    pub key: Option<&'n Node>,
    pub value: &'n Node,
}

/// Maximum number of matches, so that `*.*.*` over a hostile file ends.
const MAX_FOUND: usize = 100_000;

impl Path {
    /// Parses a path. Steps are separated by dots: a key, a key in double quotes or `*`, each optionally followed by `[3]`,
    /// `[*]`, `[name=x]`, `[name="x y"]` or `["odd.key"]`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut steps = Vec::new();
        let mut rest = text;
        let mut first = true;
        while !rest.is_empty() {
            if let Some(inner) = rest.strip_prefix('[') {
                let (step, after) = bracket(inner)?;
                steps.push(step);
                rest = after;
            } else {
                if !first {
                    rest = rest.strip_prefix('.').ok_or_else(|| format!("a dot is missing before `{rest}`"))?;
                }
                let (key, quoted, after) = word(rest, ['.', '['])?;
                if key.is_empty() && !quoted {
                    return Err("a step of the path is empty".into());
                }
                steps.push(if key == "*" && !quoted { PathStep::Any } else { PathStep::Key(key) });
                rest = after;
            }
            first = false;
        }
        if steps.is_empty() { Err("the path is empty".into()) } else { Ok(Self(steps)) }
    }

    /// The values that the path matches, in file order, at most 100,000.
    pub fn find<'n>(&self, root: &'n Node) -> Vec<PathMatch<'n>> {
        let mut found = vec![PathMatch { key: None, value: root }];
        for step in &self.0 {
            found = found.into_iter().flat_map(|f| children(f, step)).take(MAX_FOUND).collect();
        }
        found
    }

    /// The first match of the longest prefix of the path that has one.
    pub fn nearest<'n>(&self, root: &'n Node) -> PathMatch<'n> {
        let mut found = vec![PathMatch { key: None, value: root }];
        for step in &self.0 {
            let next: Vec<_> = found.iter().flat_map(|f| children(*f, step)).take(MAX_FOUND).collect();
            if next.is_empty() {
                break;
            }
            found = next;
        }
        found.first().copied().unwrap_or(PathMatch { key: None, value: root })
    }
}

fn children<'n>(of: PathMatch<'n>, step: &PathStep) -> Vec<PathMatch<'n>> {
    let keyed = |(k, v): &'n (Node, Node)| PathMatch { key: Some(k), value: v };
    let item = |v: &'n Node| PathMatch { key: of.key, value: v };
    match (step, &of.value.value) {
        (PathStep::Key(name), Value::Map(_)) => {
            of.value.entry(name).map(|(k, v)| PathMatch { key: Some(k), value: v }).into_iter().collect()
        }
        (PathStep::Any, Value::Map(entries)) => entries.iter().map(keyed).collect(),
        (PathStep::Any, Value::Seq(items)) => items.iter().map(item).collect(),
        (PathStep::Item(n), Value::Seq(items)) => items.get(*n).map(item).into_iter().collect(),
        (PathStep::Where(key, text), Value::Map(entries)) => {
            entries.iter().filter(|(_, v)| has(v, key, text)).map(keyed).collect()
        }
        (PathStep::Where(key, text), Value::Seq(items)) => {
            items.iter().filter(|v| has(v, key, text)).map(item).collect()
        }
        _ => Vec::new(),
    }
}

fn has(node: &Node, key: &str, text: &str) -> bool {
    node.get(key).and_then(Node::text) == Some(text)
}

/// Parses the text after `[`. Returns the step and the text after the `]`.
fn bracket(inner: &str) -> Result<(PathStep, &str), String> {
    let (key, quoted, rest) = word(inner, ['=', ']'])?;
    if let Some(rest) = rest.strip_prefix('=') {
        let (text, _, rest) = word(rest, [']', ']'])?;
        let rest = rest.strip_prefix(']').ok_or("a `]` is missing")?;
        return if key.is_empty() {
            Err("a key is missing before `=`".into())
        } else {
            Ok((PathStep::Where(key, text), rest))
        };
    }
    let rest = rest.strip_prefix(']').ok_or("a `]` is missing")?;
    let step = match key.as_str() {
        _ if quoted => PathStep::Key(key),
        "*" => PathStep::Any,
        n => PathStep::Item(
            n.parse().map_err(|_| format!("`[{n}]` is neither a number, `*`, `name=x` nor a quoted key"))?,
        ),
    };
    Ok((step, rest))
}

/// A bare or double-quoted word up to one of `ends`: the word, whether it was quoted, and the rest.
fn word(text: &str, ends: [char; 2]) -> Result<(String, bool, &str), String> {
    let Some(inner) = text.strip_prefix('"') else {
        let end = text.find(ends).unwrap_or(text.len());
        return Ok((text[..end].to_owned(), false, &text[end..]));
    };
    let mut out = String::new();
    let mut chars = inner.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((out, true, &inner[at + 1..])),
            '\\' => out.extend(chars.next().map(|(_, c)| c)),
            c => out.push(c),
        }
    }
    Err("a quote is never closed".into())
}
