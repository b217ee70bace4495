//! Entries of hook managers that portcullis replaces. Nothing is removed: the user is told.

use bstr::ByteSlice as _;

use super::{Source, list, texts};
use crate::yaml::Node;

/// Ids of pre-commit, and programs in scripts, with what replaces them.
const REPLACED: [&str; 13] = [
    "gitleaks",
    "detect-secrets",
    "detect-private-key",
    "detect-aws-credentials",
    "trufflehog",
    "talisman",
    "ggshield",
    "commitlint",
    "conventional-pre-commit",
    "commitizen",
    "gitlint",
    "no-commit-to-branch",
    "check-merge-conflict",
];

pub fn pre_commit(source: &mut Source<'_>) {
    let Some(root) = source.document() else { return };
    let repos = root.get("repos").map_or(&[][..], Node::items);
    for hook in repos.iter().flat_map(|repo| repo.get("hooks").map_or(&[][..], Node::items)) {
        let Some(id) = hook.get("id").and_then(Node::text) else { continue };
        let args = texts(hook.get("args"));
        match id {
            "check-merge-conflict" => continue,
            "conventional-pre-commit" => conventional(source, &args),
            _ => {}
        }
        if REPLACED.iter().any(|known| id.trim_end_matches("-docker").trim_end_matches("-system") == *known) {
            source.out.replaced.insert((source.name.to_owned(), id.to_owned()));
        }
    }
}

/// Its arguments: the types, and options among them.
fn conventional(source: &mut Source<'_>, args: &[String]) {
    source.took();
    let (mut types, mut rest) = (Vec::new(), args.iter());
    while let Some(arg) = rest.next() {
        let (name, value) = arg.split_once('=').map_or((arg.as_str(), None), |(n, v)| (n, Some(v.to_owned())));
        match name {
            "--force-scope" => source.message_option("scope-required", "true"),
            "--scopes" => {
                let value = value.or_else(|| rest.next().cloned()).unwrap_or_default();
                let scopes: Vec<&str> = value.split(',').map(str::trim).filter(|s| !s.is_empty()).collect();
                source.message_option("scopes", list(&scopes));
            }
            "--strict" | "--verbose" | "--no-color" => {}
            _ if name.starts_with('-') => {
                source.leave(format!("conventional-pre-commit {arg}"), "it has no counterpart")
            }
            _ => types.push(arg.clone()),
        }
    }
    if !types.is_empty() {
        // The tool knows these two beside any list.
        types.extend(["feat", "fix"].map(str::to_owned));
        types.sort();
        types.dedup();
        source.message_option("types", list(&types));
    }
}

pub fn lefthook(source: &mut Source<'_>) {
    let Some(root) = source.document() else { return };
    let mut found = Vec::new();
    root.walk(&mut |steps, node| {
        if matches!(steps.last(), Some(crate::yaml::Step::Key("run"))) {
            found.extend(node.text().and_then(program));
        }
    });
    let name = source.name.to_owned();
    source.out.replaced.extend(found.into_iter().map(|program| (name.clone(), program)));
}

/// A hook of husky: a shell script.
pub fn script(source: &mut Source<'_>) {
    let lines = source.bytes.to_str_lossy();
    let found = lines.lines().filter(|line| !line.trim_start().starts_with('#')).filter_map(program);
    let name = source.name.to_owned();
    source.out.replaced.extend(found.map(|program| (name.clone(), program)));
}

/// The first program of a command line that portcullis replaces.
fn program(line: &str) -> Option<String> {
    let words = line.split(|c: char| c.is_whitespace() || matches!(c, ';' | '&' | '|' | '"' | '\'' | '(' | ')' | '/'));
    let known = |word: &&str| REPLACED.contains(word);
    words.into_iter().find(known).map(str::to_owned)
}
