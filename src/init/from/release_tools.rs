//! commitizen and cocogitto: types of commits, and formats of release tags.

use super::{Source, list, tag_format, texts};
use crate::yaml::Node;

const COMMITIZEN_TYPES: [&str; 10] =
    ["build", "bump", "ci", "docs", "feat", "fix", "perf", "refactor", "style", "test"];
const COCOGITTO_TYPES: [&str; 11] =
    ["build", "chore", "ci", "docs", "feat", "fix", "perf", "refactor", "revert", "style", "test"];

pub fn commitizen(source: &mut Source<'_>) {
    let Some(root) = source.document() else { return };
    let found = root.get("tool").and_then(|tool| tool.get("commitizen")).or_else(|| root.get("commitizen"));
    let Some(settings) = found else { return };
    source.took();
    match settings.get("name").and_then(Node::text).unwrap_or("cz_conventional_commits") {
        "cz_conventional_commits" => source.message_option("types", list(&COMMITIZEN_TYPES)),
        name => source.leave(format!("name = {name}"), "its rules are a program or a pattern of its own"),
    }
    match settings.get("tag_format").and_then(Node::text) {
        None => {}
        Some(format) => match format.replace("${version}", "$version").strip_suffix("$version") {
            Some(prefix) if !prefix.contains('$') => {
                source.option("semver-tags", "formats", list(&[tag_format(prefix)]));
            }
            _ => source.leave(format!("tag_format = {format}"), "a format here is a prefix and {semver}"),
        },
    }
    if settings.get("version_scheme").and_then(Node::text).is_some_and(|s| s.starts_with("pep440")) {
        source.leave("version_scheme = pep440", "release tags here are SemVer: list others under semver-tags: ignore");
    }
    for key in ["customize", "message_length_limit", "allowed_prefixes"] {
        if settings.get(key).is_some() {
            source.leave(key, "it has no counterpart");
        }
    }
}

pub fn cocogitto(source: &mut Source<'_>) {
    let Some(root) = source.document() else { return };
    source.took();
    let mut types: Vec<String> = COCOGITTO_TYPES.map(str::to_owned).to_vec();
    let own = root.get("commit_types").map_or(&[][..], Node::entries);
    types.extend(own.iter().filter_map(|(name, _)| name.text().map(str::to_owned)));
    types.sort();
    types.dedup();
    source.message_option("types", list(&types));
    let scopes = texts(root.get("scopes"));
    if !scopes.is_empty() {
        source.message_option("scopes", list(&scopes));
    }
    if let Some(prefix) = root.get("tag_prefix").and_then(Node::text) {
        source.option("semver-tags", "formats", list(&[tag_format(prefix)]));
    }
    let branches = texts(root.get("branch_whitelist"));
    if !branches.is_empty() {
        source.option("semver-tags", "branches", list(&branches));
    }
    if root.get("packages").is_some_and(|p| !p.entries().is_empty()) {
        source.leave("packages", "write one format for each under semver-tags: formats: \"{component}/v{semver}\"");
    }
}
