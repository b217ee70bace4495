//! The requirement on a key: the first entry of `keys` whose globs match. Owns parsing the entries, `expect` and `until`.

use std::ops::Range;
use std::sync::Arc;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use jiff::civil::Date;

use super::model::Requirement;
use super::normalise;
use super::sources::Variable;
use crate::options::{FromNode, Located, Options, PolicyFile, Wrong};
use crate::yaml::Node;

/// One entry of `keys`.
#[derive(Clone, Debug)]
pub struct KeyEntry {
    globs: GlobSet,
    pub requirement: Requirement,
    /// Environment and normalised value.
    pub expect: Vec<(String, String)>,
    /// The last day on which the entry applies.
    pub until: Option<Date>,
    pub file: Arc<PolicyFile>,
    pub span: Range<usize>,
}

/// The entries in policy order.
#[derive(Clone, Debug)]
pub struct KeyEntries {
    list: Vec<KeyEntry>,
    default: Requirement,
}

/// The policy's requirement on a variable.
pub struct KeyRequirement<'k> {
    pub requirement: &'k Requirement,
    /// Environment and normalised value.
    pub expect: &'k [(String, String)],
    /// It comes from an entry of `keys`, not from the default.
    pub declared: bool,
}

/// Case-insensitive globs over `<source>/<key>`; `*` matches slashes too.
pub struct KeyGlobs(pub GlobSet);

impl FromNode for KeyGlobs {
    fn from_node(node: &Node) -> Result<Self, Vec<Wrong>> {
        let patterns = Vec::<String>::from_node(node)?;
        let mut set = GlobSetBuilder::new();
        for pattern in &patterns {
            match GlobBuilder::new(pattern).case_insensitive(true).backslash_escape(true).build() {
                Ok(glob) => drop(set.add(glob)),
                Err(e) => return Err(vec![Wrong::value(node.span.clone(), format!("not a glob: {}", e.kind()))]),
            }
        }
        set.build().map(Self).map_err(|e| vec![Wrong::value(node.span.clone(), e.to_string())])
    }
}

/// A day, `2027-03-01`.
struct Day(Date);

impl FromNode for Day {
    fn from_node(node: &Node) -> Result<Self, Vec<Wrong>> {
        let day = node.text().and_then(|t| t.parse().ok());
        day.map(Self).ok_or_else(|| vec![Wrong::value(node.span.clone(), "a day like 2027-03-01 is needed here")])
    }
}

const RULES: [&str; 5] = ["must_differ", "must_match", "may_differ", "only_in", "ignore"];

impl KeyEntries {
    pub fn read(options: &Options<'_>) -> Self {
        let default = match options.choice("default", &["must_match", "may_differ", "report"]) {
            "may_differ" => Requirement::MayDiffer,
            "report" => Requirement::Report,
            _ => Requirement::MustMatch,
        };
        let items = options.node("keys").into_iter().flat_map(Located::items);
        Self { list: items.filter_map(|at| parse_entry(options, at)).collect(), default }
    }

    /// The requirement on a variable of a source, matched by its key or its name alone.
    pub fn requirement_for(&self, source: &str, variable: &Variable, today: Date) -> KeyRequirement<'_> {
        let default = KeyRequirement { requirement: &self.default, expect: &[], declared: false };
        if self.list.is_empty() {
            return default;
        }
        let key = [source, "/", &variable.key].concat();
        let name = (*variable.key != *variable.name).then(|| [source, "/", &variable.name].concat());
        let is_match = |k: &KeyEntry| k.globs.is_match(&key) || name.as_ref().is_some_and(|n| k.globs.is_match(n));
        let counts = |k: &&KeyEntry| k.until.is_none_or(|d| today <= d) && is_match(k);
        let found = self.list.iter().find(counts);
        found.map_or(default, |k| KeyRequirement { requirement: &k.requirement, expect: &k.expect, declared: true })
    }

    /// Entries that no longer apply.
    pub fn expired(&self, today: Date) -> impl Iterator<Item = &KeyEntry> {
        self.list.iter().filter(move |k| k.until.is_some_and(|d| d < today))
    }
}

fn parse_entry(options: &Options<'_>, at: Located<'_>) -> Option<KeyEntry> {
    options.known_keys(at, &["match", "rule", "environments", "expect", "reason", "until"]);
    let KeyGlobs(globs) = options.required(at, "match")?;
    let word: String = options.required(at, "rule")?;
    let known = &options.vocabulary().environments;
    let environments: Vec<String> = options.field(at, "environments").unwrap_or_default();
    let mut named = Vec::new();
    if let Some(list) = at.get("environments") {
        named.extend(environments.iter().map(|e| (e.clone(), list.node.span.clone())));
    }
    let expect: Vec<(String, String)> = at.get("expect").map_or_else(Vec::new, |map| {
        named.extend(map.entries().filter_map(|(k, _)| Some((k.node.text()?.to_owned(), k.node.span.clone()))));
        map.entries().filter_map(|(k, v)| Some((k.node.text()?.to_owned(), normalise::of_node(v.node)))).collect()
    });
    for (name, span) in named {
        if !known.iter().any(|e| e.name == name) {
            options.mistake(at.source, span, format!("there is no environment `{name}` under `environments`"));
        }
    }
    let requirement = match word.as_str() {
        "must_differ" => Requirement::MustDiffer,
        "must_match" => Requirement::MustMatch,
        "may_differ" => Requirement::MayDiffer,
        "only_in" => Requirement::OnlyIn(environments),
        "ignore" => Requirement::Ignore,
        _ => {
            let span = at.get("rule").map_or(at.node.span.clone(), |r| r.node.span.clone());
            options.mistake(at.source, span, format!("one of {} is needed here", RULES.join(", ")));
            return None;
        }
    };
    if requirement == Requirement::OnlyIn(Vec::new()) {
        options.mistake(at.source, at.node.span.clone(), "`only_in` needs `environments`");
    }
    let until = options.field(at, "until").map(|Day(d)| d);
    let file = options.file(at.source);
    Some(KeyEntry { globs, requirement, expect, until, file, span: at.node.span.clone() })
}
