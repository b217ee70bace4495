//! Reads the family's options into a [`Convention`] and [`Exemptions`]. Owns the names of the keys.

use super::case::Case;
use super::convention::{Convention, Length};
use super::exempt::{Exemption, Exemptions, WINDMILL_BRANCHES, WindmillExemption};
use super::header::is_scope_char;
use crate::options::scope::{Branches, Paths};
use crate::options::{Located, Options};

pub fn convention(options: &Options<'_>) -> Convention {
    let number = |key| usize::try_from(options.number(key)).unwrap_or(usize::MAX);
    let limit = |key| options.limit(key).and_then(|n| usize::try_from(n).ok());
    let case = |key| Case::named(options.choice(key, Case::WORDS));
    let types = options.strings("types");
    impossible_names(options);
    Convention {
        aliases: aliases(options),
        types,
        type_case: case("type-case"),
        scopes: options.strings("scopes"),
        scope_required: options.flag("scope-required"),
        scope_case: case("scope-case"),
        description_case: case("description-case"),
        description_length: Length { min: number("description-min-length"), max: limit("description-max-length") },
        header_max: limit("header-max-length"),
        header_trim: options.flag("header-trim"),
        body_length: Length { min: number("body-min-length"), max: limit("body-max-length") },
        body_line_max: limit("body-max-line-length"),
        body_required: options.flag("body-required"),
        footer_line_max: limit("footer-max-line-length"),
        footer_separated: options.flag("footer-separated"),
        footers: options.strings("footers"),
        signed_off_by: options.flag("signed-off-by"),
        references: options.patterns("references"),
    }
}

/// Reports types and scopes that no header can have: the policy is wrong, not the messages.
fn impossible_names(options: &Options<'_>) {
    let is_type = |name: &str| name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
    let is_scope = |name: &str| name.chars().all(is_scope_char) && name.trim() == name;
    let wanted = [
        ("types", &is_type as &dyn Fn(&str) -> bool, "a type is one word of letters, digits, `-` and `_`"),
        ("scopes", &is_scope, "a scope has no parentheses, no control characters and no space at its ends"),
    ];
    for (key, is_possible, rule) in wanted {
        let Some(list) = options.node(key) else { continue };
        for item in list.items() {
            let name: Option<String> = options.read(item);
            if name.is_some_and(|n| n.is_empty() || !is_possible(&n)) {
                options.mistake(item.source, item.node.span.clone(), format!("no message can contain this: {rule}"));
            }
        }
    }
}

/// `aliases: { feature: feat }`
fn aliases(options: &Options<'_>) -> Vec<(String, String)> {
    let Some(map) = options.node("aliases") else { return Vec::new() };
    if !map.node.is_map() {
        options.mistake(map.source, map.node.span.clone(), "a map from words to types is needed here");
    }
    map.entries().filter_map(|(from, to)| Some((options.read(from)?, options.read(to)?))).collect()
}

/// The policy's protected branches.
pub fn protected(options: &Options<'_>) -> Branches {
    let names: Vec<_> = options.vocabulary().protected.iter().map(|p| p.branch.clone()).collect();
    // Loading the policy reports invalid globs.
    Branches::new(&names).unwrap_or_default()
}

pub fn exemptions(options: &Options<'_>) -> Exemptions {
    let rules = options.node("exempt").map_or_else(Vec::new, |list| {
        if !list.node.is_seq() {
            options.mistake(list.source, list.node.span.clone(), "a list of exemptions is needed here");
        }
        list.items().filter_map(|item| exemption(options, item)).collect()
    });
    Exemptions { rules, windmill: windmill(options), initial: options.flag("allow-initial") }
}

/// `{ author, committer, message, branch, paths }`, at least one of them.
fn exemption(options: &Options<'_>, item: Located<'_>) -> Option<Exemption> {
    const KEYS: [&str; 5] = ["author", "committer", "message", "branch", "paths"];
    if !item.node.is_map() || item.node.entries().is_empty() {
        let message = "an exemption is a map with at least one of `author`, `committer`, `message`, `branch`, `paths`";
        options.mistake(item.source, item.node.span.clone(), message);
        return None;
    }
    let before = KEYS.iter().filter(|k| item.get(k).is_some()).count();
    let exemption = Exemption {
        author: options.field(item, "author"),
        committer: options.field(item, "committer"),
        message: options.field(item, "message"),
        branch: globs(options, item, "branch", Branches::new),
        paths: globs(options, item, "paths", Paths::new),
    };
    options.known_keys(item, &KEYS);
    let read = [exemption.author.is_some(), exemption.committer.is_some(), exemption.message.is_some()];
    let after = read.iter().filter(|r| **r).count()
        + usize::from(exemption.branch.is_some())
        + usize::from(exemption.paths.is_some());
    // Do not drop an invalid condition: the exemption would apply more widely than written.
    (before == after && after > 0).then_some(exemption)
}

fn globs<T>(
    options: &Options<'_>,
    map: Located<'_>,
    key: &str,
    build: impl Fn(&[String]) -> Result<T, String>,
) -> Option<T> {
    let at = map.get(key)?;
    let patterns: Vec<String> = options.read(at)?;
    if patterns.is_empty() {
        options.mistake(at.source, at.node.span.clone(), format!("`{key}` is empty"));
        return None;
    }
    build(&patterns).map_err(|e| options.mistake(at.source, at.node.span.clone(), e)).ok()
}

/// `windmill: { exempt: true, integration: [staging] }`; without `integration` the lowest environment's branches.
fn windmill(options: &Options<'_>) -> Option<WindmillExemption> {
    let map = options.node("windmill")?;
    if !map.node.is_map() {
        options.mistake(map.source, map.node.span.clone(), "a map with `exempt` and `integration` is needed here");
        return None;
    }
    options.known_keys(map, &["exempt", "integration"]);
    let written = globs_or_empty(options, map);
    if options.field(map, "exempt") != Some(true) {
        return None;
    }
    let lowest = || options.vocabulary().environments.first().map_or_else(Vec::new, |e| e.branches.clone());
    let mut branches = if written.is_empty() { lowest() } else { written };
    branches.extend(WINDMILL_BRANCHES.map(str::to_owned));
    Branches::new(&branches).ok().map(|branches| WindmillExemption { branches })
}

fn globs_or_empty(options: &Options<'_>, map: Located<'_>) -> Vec<String> {
    let Some(at) = map.get("integration") else { return Vec::new() };
    let names: Vec<String> = options.read(at).unwrap_or_default();
    if let Err(e) = Branches::new(&names) {
        options.mistake(at.source, at.node.span.clone(), e);
        return Vec::new();
    }
    names
}
