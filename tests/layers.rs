//! The layers of `docs/architecture.md`, kept true: who may name which library, who may print, who may ask the
//! environment, and that every file says what it owns.

use std::fs;
use std::path::{Path, PathBuf};

/// A word in the code, and where it may stand: paths or folders below `src/`.
const ALLOWED: &[(&str, &[&str])] = &[
    ("gix::", &["git/"]),
    ("granit_parser", &["yaml/"]),
    ("serde_yaml", &["yaml/"]),
    ("codespan_reporting", &["report/"]),
    ("clap", &["cli/", "command/", "hooks/", "service/"]),
    // No async runtime in the gate.
    ("axum", &["service/"]),
    ("hyper", &["service/"]),
    ("rustix", &["service/"]),
    ("tokio", &["service/"]),
    ("tracing", &["service/"]),
    // Streams: a library that prints cannot be asked for a report.
    ("println!", &[]),
    ("eprintln!", &[]),
    ("print!(", &[]),
    ("io::stdout", &["command/", "report/", "service/"]),
    ("io::stderr", &["command/", "report/", "service/log.rs"]),
    ("io::stdin", &["command/", "service/"]),
    // The environment: only where a process begins, and where git's own variables must be honoured.
    ("env::var", &["main.rs", "command/", "git/open.rs", "hooks/host.rs", "service/options.rs"]),
    ("env::current_dir", &["main.rs", "command/", "hooks/host.rs"]),
    ("env::args", &["main.rs", "command/", "service/main.rs"]),
    ("env::set_", &[]),
    // Other programs: installing hooks, a hook that stood before, and a runner's throw-away checkout.
    ("Command::new(\"git\")", &["hooks/", "command/ci/", "command/hook/", "promote/"]),
    ("program(\"git\"", &["service/repository.rs"]),
    ("unsafe ", &[]),
    ("todo!", &[]),
    ("unimplemented!", &[]),
];

/// What a layer must not name: nothing downstream calls upstream.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("report/", &["crate::git", "crate::engine", "crate::rules", "crate::command"]),
    ("rules/", &["crate::git", "crate::engine", "crate::policy", "crate::command", "crate::report"]),
    ("git/", &["crate::engine", "crate::rules", "crate::policy", "crate::report", "crate::command"]),
    ("options/", &["crate::git", "crate::engine", "crate::rules", "crate::policy", "crate::report", "crate::command"]),
    ("policy/", &["crate::git", "crate::engine", "crate::command"]),
    ("document/", &["crate::git", "crate::engine", "crate::rules", "crate::policy", "crate::report", "crate::command"]),
    (
        "manifests/",
        &["crate::git", "crate::engine", "crate::rules", "crate::policy", "crate::report", "crate::command"],
    ),
    ("subject/", &["crate::git", "crate::engine", "crate::rules", "crate::policy", "crate::report", "crate::command"]),
    ("finding/", &["crate::git", "crate::engine", "crate::rules", "crate::policy", "crate::report", "crate::command"]),
    // The service stands on top of everything; nothing stands on it.
    ("", &["crate::service", "super::service"]),
    ("text.rs", &["crate::git", "crate::engine", "crate::rules", "crate::policy", "crate::report", "crate::command"]),
    ("yaml/", &["crate::git", "crate::engine", "crate::rules", "crate::policy", "crate::report", "crate::command"]),
];

/// What each folder or file at the top of `src/` names of the others: the layers of `docs/architecture.md`, lowest first.
/// No circle: each names only what stands above it in this list, which a test asserts.
const NAMES: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("stats", &[]),
    ("plain_file", &[]),
    ("text", &[]),
    ("shell", &["text"]),
    ("yaml", &["text"]),
    ("document", &["yaml"]),
    ("subject", &["document", "error"]),
    ("manifests", &["document", "error", "subject", "yaml"]),
    ("finding", &["subject", "text"]),
    ("pipelines", &[]),
    ("values", &["text"]),
    ("report", &["error", "finding", "plain_file", "shell", "stats", "subject", "text"]),
    ("git", &["document", "error", "plain_file", "stats", "subject"]),
    ("options", &["finding", "plain_file", "text", "yaml"]),
    (
        "rules",
        &[
            "document",
            "error",
            "finding",
            "manifests",
            "options",
            "pipelines",
            "shell",
            "subject",
            "text",
            "values",
            "yaml",
        ],
    ),
    ("policy", &["error", "finding", "options", "report", "rules", "stats", "subject", "text", "yaml"]),
    ("engine", &["error", "finding", "git", "options", "policy", "report", "rules", "stats", "subject", "text"]),
    ("promote", &["error", "finding", "git", "report", "shell", "subject", "text", "yaml"]),
    ("hooks", &["error", "shell", "subject", "text"]),
    ("init", &["document", "error", "subject", "text", "yaml"]),
    ("cli", &["hooks", "report"]),
    (
        "command",
        &[
            "cli",
            "engine",
            "error",
            "finding",
            "git",
            "hooks",
            "init",
            "options",
            "plain_file",
            "policy",
            "promote",
            "report",
            "rules",
            "shell",
            "stats",
            "subject",
            "text",
            "yaml",
        ],
    ),
    ("service", &["cli", "command", "error", "finding", "git", "options", "policy", "promote", "report", "text"]),
];

/// Longer files are reported: each has one owner and fits into a head.
const LINES: usize = 400;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every source, as its path below `src/` and its text.
fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, out: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").path()) {
            if entry.is_dir() {
                walk(&entry, out);
            } else if entry.extension().is_some_and(|e| e == "rs") {
                out.push(entry);
            }
        }
    }
    let mut files = Vec::new();
    walk(&root(), &mut files);
    files.sort();
    let name = |f: &Path| f.strip_prefix(root()).expect("below src").to_string_lossy().replace('\\', "/");
    files.iter().map(|f| (name(f), fs::read_to_string(f).expect("is text"))).collect()
}

/// The lines that are code, with their numbers: comments may speak of everything.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(n, l)| (n + 1, l)).filter(|(_, l)| !l.trim_start().starts_with("//"))
}

/// Whether a word stands in a line by itself, not as the end of a longer one.
fn names(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| !line[..at].ends_with(part))
}

fn misplaced(sources: &[(String, String)]) -> Vec<String> {
    let mut out = Vec::new();
    for (file, text) in sources {
        for (number, line) in code(text) {
            for (word, places) in ALLOWED {
                if names(line, word) && !places.iter().any(|p| file.starts_with(p)) {
                    out.push(format!("src/{file}:{number}: `{word}` may stand only in {places:?}"));
                }
            }
            let forbidden = FORBIDDEN.iter().filter(|(layer, _)| file.starts_with(layer));
            for (layer, words) in forbidden.filter(|(layer, _)| !(layer.is_empty() && file.starts_with("service/"))) {
                for word in words.iter().filter(|w| names(line, w)) {
                    out.push(format!("src/{file}:{number}: {layer} must not name `{word}`"));
                }
            }
        }
    }
    out
}

#[test]
fn every_layer_names_only_what_is_below_it() {
    let found = misplaced(&sources());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The module of a file, as its path from the crate: `git/mod.rs` is `[git]`, `git/open.rs` is `[git, open]`.
fn module(file: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = file.trim_end_matches(".rs").split('/').collect();
    if matches!(parts.last(), Some(&("mod" | "main" | "lib"))) {
        parts.pop();
    }
    parts
}

/// The top-level modules that a line of a file names, by `crate::` or by enough `super::`.
fn named<'l>(file: &str, line: &'l str) -> Vec<&'l str> {
    fn word(text: &str) -> &str {
        text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
    }
    let mut out: Vec<&str> = line.match_indices("crate::").map(|(at, whole)| word(&line[at + whole.len()..])).collect();
    let depth = module(file).len();
    let mut rest = line;
    while let Some(at) = rest.find("super::") {
        rest = &rest[at..];
        let mut climbed = 0;
        while let Some(after) = rest.strip_prefix("super::") {
            (rest, climbed) = (after, climbed + 1);
        }
        if climbed == depth {
            out.push(word(rest));
        }
    }
    out.retain(|name| !name.is_empty());
    out
}

fn unlisted(sources: &[(String, String)]) -> Vec<String> {
    let tops: Vec<&str> = sources.iter().filter_map(|(file, _)| module(file).first().copied()).collect();
    let mut out = Vec::new();
    for (file, text) in sources {
        let Some(&top) = module(file).first() else { continue };
        let Some((_, may)) = NAMES.iter().find(|(name, _)| *name == top) else {
            out.push(format!("src/{file}: `{top}` has no place among the layers"));
            continue;
        };
        for (number, line) in code(text) {
            let others = named(file, line).into_iter().filter(|name| *name != top && tops.contains(name));
            for name in others.filter(|name| !may.contains(name)) {
                out.push(format!("src/{file}:{number}: `{top}` must not name `{name}`"));
            }
        }
    }
    out
}

#[test]
fn every_folder_names_only_the_layers_listed_for_it() {
    let found = unlisted(&sources());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_layers_have_no_circle() {
    for (at, (name, below)) in NAMES.iter().enumerate() {
        let known: Vec<&str> = NAMES[..at].iter().map(|(name, _)| *name).collect();
        let wrong: Vec<_> = below.iter().filter(|other| !known.contains(other)).collect();
        assert!(wrong.is_empty(), "`{name}` names {wrong:?}, which stand above it or nowhere");
    }
}

#[test]
fn the_map_names_every_folder() {
    let map = fs::read_to_string(root().with_file_name("docs/architecture.md")).expect("the map");
    let missing: Vec<_> = NAMES
        .iter()
        .filter(|(name, _)| !map.contains(&format!("src/{name}/")) && !map.contains(&format!("src/{name}.rs")))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_name_by_way_of_super_is_seen() {
    let breach = |file: &str, line: &str| {
        let others = [("git/open.rs", ""), ("command/mod.rs", ""), ("yaml.rs", "")];
        let mut sources: Vec<(String, String)> =
            others.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect();
        sources.push((file.to_owned(), line.to_owned()));
        unlisted(&sources).len()
    };
    assert_eq!(breach("policy/scope.rs", "use super::super::git::Repo;"), 1);
    assert_eq!(breach("policy/mod.rs", "use super::git::Repo;"), 1);
    assert_eq!(breach("policy/scope.rs", "use super::git::Repo;"), 0);
    assert_eq!(breach("report/x/y.rs", "let x = super::super::super::command::run();"), 1);
    assert_eq!(breach("policy/scope.rs", "use super::super::yaml::Node;"), 0);
    assert_eq!(breach("nowhere.rs", "fn f() {}"), 1);
}

#[test]
fn every_source_says_what_it_owns() {
    let silent: Vec<_> = sources().into_iter().filter(|(_, t)| !t.starts_with("//!")).map(|(f, _)| f).collect();
    assert!(silent.is_empty(), "no `//!` at the top of {silent:?}");
}

#[test]
fn no_source_is_much_too_long() {
    let sources = sources();
    let long: Vec<_> = sources.iter().map(|(f, t)| (f, t.lines().count())).filter(|(_, n)| *n > LINES).collect();
    for (file, lines) in &long {
        eprintln!("src/{file} has {lines} lines: is it one thing?");
    }
    let far: Vec<_> = long.iter().filter(|(_, n)| *n > LINES * 3 / 2).collect();
    assert!(far.is_empty(), "{far:?}");
}

#[test]
fn a_breach_is_seen() {
    let breach = |file: &str, line: &str| misplaced(&[(file.to_owned(), line.to_owned())]).len();
    assert_eq!(breach("engine.rs", "use gix::Repository;"), 1);
    assert_eq!(breach("git/open.rs", "use gix::Repository;"), 0);
    assert_eq!(breach("rules/x.rs", "let v = std::env::var(\"X\");"), 1);
    assert_eq!(breach("report/x.rs", "use crate::git::Repo;"), 1);
    assert_eq!(breach("command/x.rs", "use crate::service::answer;"), 1);
    assert_eq!(breach("service/x.rs", "use crate::service::answer;"), 0);
    assert_eq!(breach("engine.rs", "use tokio::net;"), 1);
    assert_eq!(breach("rules/x.rs", "// gix::Repository is not for us"), 0);
}
