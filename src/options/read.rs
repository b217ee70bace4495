//! One YAML node as one Rust value, or what is wrong with it. Owns the spelling of values in a policy; knows no keys.

use std::ops::Range;

use regex::bytes::Regex;

use super::scope;
use crate::finding::Severity;
use crate::text;
use crate::yaml::{self, Node, Scalar};

/// What is wrong at a place of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    pub span: Range<usize>,
    /// `policy/...`
    pub code: &'static str,
    pub message: String,
    pub help: Option<String>,
}

impl Wrong {
    /// A value that cannot be used.
    pub fn value(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, code: "policy/wrong-value", message: message.into(), help: None }
    }

    /// A text that is not the YAML it should be.
    pub(crate) fn syntax(mistake: &yaml::Mistake) -> Self {
        Self { span: mistake.span.clone(), code: "policy/syntax", message: mistake.message.clone(), help: None }
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// A name that nobody knows: `what` is `key`, `rule`, `preset`; the nearest of `names` is proposed.
    pub fn unknown<'n>(
        code: &'static str,
        what: &str,
        at: &Node,
        names: impl IntoIterator<Item = &'n str> + Clone,
    ) -> Self {
        let Some(word) = at.text() else {
            return Self::value(at.span.clone(), format!("a {what} is a word, not {}", at.kind()));
        };
        let help = match text::nearest(word, names.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                let names: Vec<_> = names.into_iter().collect();
                format!("known here: {}", names.join(", "))
            }
        };
        Self { span: at.span.clone(), code, message: format!("unknown {what} `{word}`"), help: Some(help) }
    }

    fn kind(node: &Node, needed: &str) -> Vec<Self> {
        vec![Self::value(node.span.clone(), format!("{needed} is needed here, not {}", node.kind()))]
    }
}

/// A value that can be written in a policy file.
pub trait FromNode: Sized {
    /// All that is wrong with the node, at once.
    fn from_node(node: &Node) -> Result<Self, Vec<Wrong>>;
}

impl FromNode for bool {
    fn from_node(node: &Node) -> Result<Self, Vec<Wrong>> {
        node.as_bool().ok_or_else(|| Wrong::kind(node, "`true` or `false`"))
    }
}

impl FromNode for u64 {
    fn from_node(node: &Node) -> Result<Self, Vec<Wrong>> {
        let number = node.as_int().and_then(|n| u64::try_from(n).ok());
        number.ok_or_else(|| match node.scalar() {
            Some(Scalar::Int(_) | Scalar::Float(_)) => {
                vec![Wrong::value(node.span.clone(), "a whole number of at least 0 is needed here")]
            }
            _ => Wrong::kind(node, "a number"),
        })
    }
}

/// Numbers count as they are written: a branch may be called `1.0`, a fingerprint may hold digits only.
impl FromNode for String {
    fn from_node(node: &Node) -> Result<Self, Vec<Wrong>> {
        match (node.scalar(), node.text()) {
            (Some(Scalar::Str(_) | Scalar::Int(_) | Scalar::Float(_)), Some(text)) => Ok(text.to_owned()),
            _ => Err(Wrong::kind(node, "a string")),
        }
    }
}

/// `null` is `None`.
impl<T: FromNode> FromNode for Option<T> {
    fn from_node(node: &Node) -> Result<Self, Vec<Wrong>> {
        if node.is_null() { Ok(None) } else { T::from_node(node).map(Some) }
    }
}

/// A single value is a list of one.
impl<T: FromNode> FromNode for Vec<T> {
    fn from_node(node: &Node) -> Result<Self, Vec<Wrong>> {
        if !node.is_seq() {
            return match node.is_map() || node.is_null() {
                true => Err(Wrong::kind(node, "a list")),
                false => T::from_node(node).map(|one| vec![one]),
            };
        }
        let (mut good, mut wrong) = (Vec::new(), Vec::new());
        for item in node.items() {
            match T::from_node(item) {
                Ok(value) => good.push(value),
                Err(w) => wrong.extend(w),
            }
        }
        if wrong.is_empty() { Ok(good) } else { Err(wrong) }
    }
}

/// A severity, or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(pub Option<Severity>);

impl FromNode for Level {
    fn from_node(node: &Node) -> Result<Self, Vec<Wrong>> {
        match node.text().unwrap_or_default() {
            "off" => Ok(Self(None)),
            name => match Severity::from_name(name) {
                None => Err(vec![one_of(node, &["error", "warning", "note", "off"])]),
                severity => Ok(Self(severity)),
            },
        }
    }
}

impl FromNode for Regex {
    fn from_node(node: &Node) -> Result<Self, Vec<Wrong>> {
        let pattern = String::from_node(node)?;
        Regex::new(&pattern).map_err(|e| {
            let told = e.to_string();
            let last = told.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
            vec![Wrong::value(node.span.clone(), format!("not a regular expression: {last}"))]
        })
    }
}

impl FromNode for scope::Globs {
    fn from_node(node: &Node) -> Result<Self, Vec<Wrong>> {
        each_glob(node, &mut |patterns| scope::glob_set(&patterns))
    }
}

/// Checks every pattern of a list by itself, so that each wrong one gets its caret, and builds from them all.
pub(crate) fn each_glob<T>(
    node: &Node,
    build: &mut dyn FnMut(Vec<String>) -> Result<T, String>,
) -> Result<T, Vec<Wrong>> {
    let patterns = Vec::<String>::from_node(node)?;
    let nodes = if node.is_seq() { node.items() } else { std::slice::from_ref(node) };
    let wrong: Vec<_> = nodes
        .iter()
        .zip(&patterns)
        .filter_map(|(at, p)| build(vec![p.clone()]).err().map(|e| Wrong::value(at.span.clone(), e)))
        .collect();
    if !wrong.is_empty() {
        return Err(wrong);
    }
    build(patterns).map_err(|e| vec![Wrong::value(node.span.clone(), e)])
}

/// `n` with one of the given units, in units of the last factor: `90s`, `16MiB`. A bare number has no unit.
fn measure(node: &Node, what: &str, units: &[(&str, u64)]) -> Result<u64, Vec<Wrong>> {
    let wrong = || {
        let names: Vec<_> = units.iter().map(|(u, _)| format!("`{u}`")).collect();
        let message = format!("{what} is a whole number with a unit of {}", names.join(", "));
        vec![Wrong::value(node.span.clone(), message)]
    };
    let text = node.text().ok_or_else(wrong)?;
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let factor = units.iter().find(|(u, _)| *u == unit.trim()).ok_or_else(wrong)?.1;
    number.parse::<u64>().ok().and_then(|n| n.checked_mul(factor)).ok_or_else(wrong)
}

/// A time in seconds: `60s`, `5m`, `1h`.
pub(crate) struct Seconds(pub u64);

impl FromNode for Seconds {
    fn from_node(node: &Node) -> Result<Self, Vec<Wrong>> {
        measure(node, "a time", &[("s", 1), ("m", 60), ("h", 3600)]).map(Self)
    }
}

/// A size in bytes: `16MiB`.
pub(crate) struct Bytes(pub u64);

impl FromNode for Bytes {
    fn from_node(node: &Node) -> Result<Self, Vec<Wrong>> {
        measure(node, "a size", &[("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)]).map(Self)
    }
}

/// The mistake of a value that is none of some words.
pub(crate) fn one_of(node: &Node, words: &[&str]) -> Wrong {
    let list: Vec<_> = words.iter().map(|w| format!("`{w}`")).collect();
    let wrong = Wrong::value(node.span.clone(), format!("one of {} is needed here", list.join(", ")));
    match node.text().and_then(|t| text::nearest(t, words.iter().copied())) {
        Some(near) => wrong.help(format!("did you mean `{near}`?")),
        None => wrong,
    }
}
