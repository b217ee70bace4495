//! What other tools of the repository ask for, as settings of a policy. Owns which files are read and that nothing is dropped
//! in silence: each tool's file reads its own words, and tells what has no counterpart here and why.

mod commitlint;
mod detect_secrets;
mod gitleaks;
mod globs;
mod hook_entries;
mod release_tools;
mod server_rules;

use std::collections::{BTreeMap, BTreeSet};

use bstr::{BStr, ByteSlice as _};

use crate::document::{Document, Format};
use crate::yaml::Node;

/// Settings of a policy that other tools' files ask for.
#[derive(Debug, Default)]
pub struct Translated {
    /// The files that were read.
    pub files: Vec<String>,
    /// By rule family: keys with their values as YAML.
    pub options: BTreeMap<&'static str, BTreeMap<&'static str, String>>,
    /// By code.
    pub severities: BTreeMap<&'static str, &'static str>,
    /// Globs that secrets leave out, and patterns of values that are none.
    pub exclude: BTreeSet<String>,
    pub allow: BTreeSet<String>,
    /// YAML maps, a detector each.
    pub detectors: Vec<String>,
    /// YAML maps, an exception each.
    pub exceptions: BTreeSet<String>,
    /// Keys of `protected`, for the production branch or for all.
    pub protection: BTreeMap<&'static str, &'static str>,
    /// Entries of hook managers that portcullis replaces: file and entry.
    pub replaced: BTreeSet<(String, String)>,
    /// File, what has no counterpart, and why.
    pub left: Vec<(String, String, String)>,
}

/// What reads a file.
type Reader = fn(&mut Source<'_>);

/// One list: the files at a repository's root, and who reads each.
const FILES: &[(&str, Reader)] = &[
    (".gitleaks.toml", gitleaks::configuration),
    (".gitleaksignore", gitleaks::ignored),
    (".secrets.baseline", detect_secrets::baseline),
    (".commitlintrc", commitlint::configuration),
    (".commitlintrc.json", commitlint::configuration),
    (".commitlintrc.yaml", commitlint::configuration),
    (".commitlintrc.yml", commitlint::configuration),
    ("package.json", commitlint::package),
    (".cz.toml", release_tools::commitizen),
    ("cz.toml", release_tools::commitizen),
    (".cz.json", release_tools::commitizen),
    ("cz.json", release_tools::commitizen),
    (".cz.yaml", release_tools::commitizen),
    ("cz.yaml", release_tools::commitizen),
    ("pyproject.toml", release_tools::commitizen),
    ("cog.toml", release_tools::cocogitto),
    (".pre-commit-config.yaml", hook_entries::pre_commit),
    ("lefthook.yml", hook_entries::lefthook),
    (".lefthook.yml", hook_entries::lefthook),
    ("lefthook.yaml", hook_entries::lefthook),
    (".husky/commit-msg", hook_entries::script),
    (".husky/pre-commit", hook_entries::script),
    (".husky/pre-push", hook_entries::script),
];

/// Files that only their own tool can read.
const PROGRAMS: [&str; 8] = [
    "commitlint.config.js",
    "commitlint.config.cjs",
    "commitlint.config.mjs",
    "commitlint.config.ts",
    ".commitlintrc.js",
    ".commitlintrc.cjs",
    ".commitlintrc.mjs",
    ".commitlintrc.ts",
];

/// The files of a repository's root that are read without being asked for.
pub fn known_files() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(name, _)| *name).chain(PROGRAMS)
}

/// A file that is read.
struct Source<'a> {
    name: &'a str,
    bytes: &'a [u8],
    out: &'a mut Translated,
}

impl Translated {
    /// Reads a file by its name; any other name is that of a server's exported rules, or of a printed commitlint
    /// configuration.
    pub fn read(&mut self, name: &str, bytes: &[u8]) {
        let last = name.rsplit('/').next().unwrap_or(name);
        let known = |(file, _): &&(&str, Reader)| *file == name || *file == last && !file.starts_with(".husky");
        let reader = FILES.iter().find(known).map_or(server_rules::exported as Reader, |(_, reader)| *reader);
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut source = Source { name, bytes, out: self };
        if PROGRAMS.contains(&last) {
            source.leave("the whole file", "only its own tool can read it: npx commitlint --print-config json >config.json, then portcullis init --from config.json");
            return;
        }
        reader(&mut source);
    }

    /// Whether anything belongs under `rules`.
    pub fn has_rules(&self) -> bool {
        !(self.options.is_empty() && self.severities.is_empty() && self.exclude.is_empty() && self.allow.is_empty())
    }

    /// For people: what was taken, what can go, and what has no counterpart.
    pub fn told(&self) -> String {
        let mut out = String::new();
        if !self.files.is_empty() {
            out.push_str(&format!("took over {}\n", self.files.join(", ")));
        }
        for (file, entry) in &self.replaced {
            out.push_str(&format!("{file}: {entry} can go once the hooks are installed\n"));
        }
        for (file, what, why) in &self.left {
            out.push_str(&format!("{file}: not taken over: {what} ({why})\n"));
        }
        crate::text::sanitise_lines(&out)
    }
}

impl Source<'_> {
    /// The one document of the file, if it can be read; with the lowest format that its name and its bytes allow.
    fn document(&mut self) -> Option<Node> {
        let format = Format::of(BStr::new(self.name)).unwrap_or(Format::Yaml);
        // JSON is YAML, and so are JSON files with a missing ending.
        let document = Document::read(format, self.bytes);
        let is_broken = !document.mistakes.is_empty();
        let root = document.roots.into_iter().next().filter(|_| !is_broken);
        if root.is_none() && !self.bytes.trim().is_empty() {
            self.leave("the whole file", "it cannot be read");
        }
        root
    }

    fn took(&mut self) {
        let name = self.name.to_owned();
        if !self.out.files.contains(&name) {
            self.out.files.push(name);
        }
    }

    fn leave(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.out.left.push((self.name.to_owned(), what.into(), why.into()));
    }

    fn option(&mut self, family: &'static str, key: &'static str, value: impl Into<String>) {
        self.out.options.entry(family).or_default().insert(key, value.into());
    }

    fn message_option(&mut self, key: &'static str, value: impl Into<String>) {
        self.option("conventional-commits", key, value);
    }

    fn exclude(&mut self, pattern: &str) {
        match globs::of_regex(pattern) {
            Some(globs) => self.out.exclude.extend(globs),
            None => self.leave(
                format!("the path pattern {pattern}"),
                "no glob says the same: write globs under rules: secrets: exclude",
            ),
        }
    }

    fn allow(&mut self, pattern: &str) {
        match regex::Regex::new(pattern) {
            Ok(regex) if regex.is_match("") => {
                self.leave(format!("the pattern {pattern:?}"), "it matches any text, so that no secret would be found");
            }
            Ok(_) => drop(self.out.allow.insert(pattern.to_owned())),
            Err(_) => self
                .leave(format!("the pattern {pattern}"), "its syntax is not known here (look-around, back-references)"),
        }
    }
}

/// The texts of a list; a single text is a list of one.
fn texts(node: Option<&Node>) -> Vec<String> {
    let Some(node) = node else { return Vec::new() };
    let items = if node.is_seq() { node.items() } else { std::slice::from_ref(node) };
    items.iter().filter_map(|item| item.text().map(str::to_owned)).collect()
}

/// `[a, b]`, each quoted where YAML needs it.
fn list<S: AsRef<str>>(items: &[S]) -> String {
    let quoted: Vec<String> = items.iter().map(|item| super::draft::quoted(item.as_ref())).collect();
    format!("[{}]", quoted.join(", "))
}

/// A prefix of tags as a format of `semver-tags`.
fn tag_format(prefix: &str) -> String {
    format!("{prefix}{{semver}}")
}
