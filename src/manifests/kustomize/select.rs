//! Which objects a patch or a replacement is for: group, version, kind, name and namespace as anchored regular
//! expressions, labels and annotations as Kubernetes selects them.

use regex::Regex;

use crate::manifests::object::Object;
use crate::yaml::Node;

/// A `target:` or `select:`; what it does not name may be anything.
pub struct Selector {
    group: Option<Regex>,
    version: Option<Regex>,
    kind: Option<Regex>,
    name: Option<Regex>,
    namespace: Option<Regex>,
    labels: Option<String>,
    annotations: Option<String>,
}

impl Selector {
    /// `exact`: names are names, not expressions, as replacements have them.
    pub fn read(node: &Node, exact: bool) -> Self {
        let pattern = |key: &str| {
            let text = node.get(key).and_then(Node::text).filter(|t| !t.is_empty())?;
            let inner = text.strip_prefix('^').unwrap_or(text);
            let inner = inner.strip_suffix('$').unwrap_or(inner);
            let inner = if exact { regex::escape(text) } else { inner.to_owned() };
            // An expression that is none matches nothing.
            Regex::new(&format!("^(?:{inner})$")).ok().or_else(|| Regex::new("[^\\s\\S]").ok())
        };
        let text = |key: &str| node.get(key).and_then(Node::text).filter(|t| !t.is_empty()).map(ToOwned::to_owned);
        Self {
            group: pattern("group"),
            version: pattern("version"),
            kind: pattern("kind"),
            name: pattern("name"),
            namespace: pattern("namespace"),
            labels: text("labelSelector"),
            annotations: text("annotationSelector"),
        }
    }

    pub fn matches(&self, object: &Object) -> bool {
        let fits = |pattern: &Option<Regex>, text: &str| pattern.as_ref().is_none_or(|p| p.is_match(text));
        let map = |key| object.node.at(&["metadata", key]);
        fits(&self.group, object.group())
            && fits(&self.version, object.version())
            && fits(&self.kind, object.kind())
            && object.ids().any(|(name, namespace)| fits(&self.name, name) && fits(&self.namespace, namespace))
            && self.labels.as_ref().is_none_or(|s| selects(s, map("labels")))
            && self.annotations.as_ref().is_none_or(|s| selects(s, map("annotations")))
    }
}

/// `a=b,c!=d,e in (f, g),h notin (i),j,!k`.
fn selects(selector: &str, map: Option<&Node>) -> bool {
    let value = |key: &str| map.and_then(|m| m.get(key.trim())).and_then(Node::text);
    parts(selector).into_iter().all(|part| {
        let listed = |list: &str, found: &str| {
            list.trim().trim_start_matches('(').trim_end_matches(')').split(',').any(|w| w.trim() == found)
        };
        if let Some((key, list)) = part.split_once(" notin ") {
            value(key).is_none_or(|v| !listed(list, v))
        } else if let Some((key, list)) = part.split_once(" in ") {
            value(key).is_some_and(|v| listed(list, v))
        } else if let Some((key, wanted)) = part.split_once("!=") {
            value(key).is_none_or(|v| v != wanted.trim())
        } else if let Some((key, wanted)) = part.split_once('=') {
            value(key) == Some(wanted.trim_start_matches('=').trim())
        } else if let Some(key) = part.strip_prefix('!') {
            value(key).is_none()
        } else {
            value(part).is_some()
        }
    })
}

/// Parted at commas that stand in no parentheses.
fn parts(selector: &str) -> Vec<&str> {
    let mut depth = 0;
    let split = |c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    };
    selector.split(split).map(str::trim).filter(|p| !p.is_empty()).collect()
}
