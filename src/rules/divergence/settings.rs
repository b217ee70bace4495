//! The family's options: which environments are compared, and where each environment's files are.

use std::ops::Range;
use std::sync::Arc;

use bstr::{BStr, BString, ByteSlice};
use jiff::civil::Date;

use super::classify::Placeholders;
use super::keys::KeyEntries;
use super::sources::{SourceFormat, is_item};
use crate::options::scope::{Globs, glob_set, is_match};
use crate::options::{Environment, Located, Options, PolicyFile};

/// What to do with values that cannot be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpaqueAction {
    Allow,
    Note,
    Deny,
}

/// The files of one environment.
#[derive(Clone, Debug)]
pub struct FileSet {
    /// The branch or other ref to read from; `None` for the checked tree.
    pub reference: Option<String>,
    files: FilePatterns,
}

#[derive(Clone, Debug)]
enum FilePatterns {
    Paths {
        literal: Vec<BString>,
        globs: Globs,
    },
    /// Below a directory (with its slash, or empty); with `suffix`, only items whose name ends in one of these words.
    Windmill {
        root: BString,
        suffix: Option<Vec<String>>,
    },
}

impl FileSet {
    /// Whether a file belongs to the environment.
    pub fn contains(&self, path: &BStr, format: SourceFormat) -> bool {
        match &self.files {
            FilePatterns::Paths { literal, globs } => {
                literal.iter().any(|l| l == path) || (is_match(globs, path) && format.document(path).is_some())
            }
            FilePatterns::Windmill { root, suffix } => path.starts_with(root) && is_item(path, suffix.as_deref()),
        }
    }

    /// The files in policy order if the policy lists several by name: later ones override earlier ones.
    pub fn override_order(&self, existing: &[BString]) -> Option<Vec<BString>> {
        let FilePatterns::Paths { literal, .. } = &self.files else { return None };
        let is_glob = |path: &BString| path.find_byteset(b"*?[{").is_some();
        if literal.len() < 2 || literal.iter().any(is_glob) {
            return None;
        }
        Some(literal.iter().filter(|p| existing.contains(p)).cloned().collect())
    }

    /// A path relative to the source's root.
    pub fn inner<'p>(&self, path: &'p BStr) -> &'p BStr {
        match &self.files {
            FilePatterns::Windmill { root, .. } => path.strip_prefix(root.as_slice()).map_or(path, ByteSlice::as_bstr),
            FilePatterns::Paths { .. } => path,
        }
    }

    /// Where the files should be, for messages.
    pub fn shown(&self) -> String {
        let files = match &self.files {
            FilePatterns::Paths { literal, .. } => literal.first().map(ToString::to_string).unwrap_or_default(),
            FilePatterns::Windmill { root, .. } => format!("{root}**"),
        };
        match &self.reference {
            Some(reference) => format!("{reference}:{files}"),
            None => files,
        }
    }
}

/// A source of variables: files of one format in each environment.
#[derive(Clone, Debug)]
pub struct VariableSource {
    pub id: String,
    pub format: SourceFormat,
    /// Indexed by environment; `None` if it has no files.
    pub locations: Vec<Option<FileSet>>,
    /// The policy file and span that define the source.
    pub file: Arc<PolicyFile>,
    pub span: Range<usize>,
}

#[derive(Clone, Debug)]
pub struct DivergenceSettings {
    pub environments: Vec<Environment>,
    /// Pairs to compare: indices of the lower and the higher environment.
    pub pairs: Vec<(usize, usize)>,
    pub opaque: OpaqueAction,
    pub placeholders: Placeholders,
    pub sources: Vec<VariableSource>,
    pub keys: KeyEntries,
    pub today: Date,
    /// Something missing in the higher environment is an error at once.
    pub strict: bool,
}

impl DivergenceSettings {
    /// Reads the options. `today` decides which entries have expired.
    pub fn read(options: &Options<'_>, today: Date) -> Self {
        let environments = options.vocabulary().environments.clone();
        let opaque = match options.choice("opaque", &["note", "allow", "deny"]) {
            "allow" => OpaqueAction::Allow,
            "deny" => OpaqueAction::Deny,
            _ => OpaqueAction::Note,
        };
        let patterns = options.strings("placeholders");
        let placeholders = Placeholders::new(&patterns).unwrap_or_else(|why| {
            if let Some(at) = options.node("placeholders") {
                options.mistake(at.source, at.node.span.clone(), why);
            }
            Placeholders::default()
        });
        let items = options.node("sources").into_iter().flat_map(Located::items);
        let sources: Vec<VariableSource> = items.filter_map(|at| source(options, at, &environments)).collect();
        for (n, source) in sources.iter().enumerate() {
            if sources[..n].iter().any(|s| s.id == source.id)
                && let Some(at) = options.node("sources").and_then(|s| s.items().nth(n))
            {
                options.mistake(at.source, at.node.span.clone(), format!("there is another source `{}`", source.id));
            }
        }
        let pairs = pairs(options, &environments);
        let keys = KeyEntries::read(options);
        Self { environments, pairs, opaque, placeholders, sources, keys, today, strict: options.is_strict() }
    }
}

/// Reads `compare`; the default is each environment with the next.
fn pairs(options: &Options<'_>, environments: &[Environment]) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    for at in options.node("compare").into_iter().flat_map(Located::items) {
        let names: Vec<String> = options.read(at).unwrap_or_default();
        let found: Vec<usize> = names.iter().filter_map(|n| environments.iter().position(|e| e.name == *n)).collect();
        match found[..] {
            [a, b] if a != b && names.len() == 2 => pairs.push((a.min(b), a.max(b))),
            _ => options.mistake(at.source, at.node.span.clone(), "two names of `environments` are needed here"),
        }
    }
    if pairs.is_empty() {
        pairs.extend((1..environments.len()).map(|n| (n - 1, n)));
    }
    pairs
}

fn source(options: &Options<'_>, at: Located<'_>, environments: &[Environment]) -> Option<VariableSource> {
    options.known_keys(at, &["id", "format", "files", "path", "at", "root", "layout"]);
    let id: Option<String> = options.required(at, "id");
    let name: String = options.required(at, "format")?;
    let Some(format) = SourceFormat::named(&name) else {
        let span = at.get("format").map_or(at.node.span.clone(), |f| f.node.span.clone());
        options.mistake(at.source, span, format!("one of {} is needed here", SourceFormat::names().join(", ")));
        return None;
    };
    let given: Vec<&str> = ["files", "path", "at", "root"].into_iter().filter(|k| at.get(k).is_some()).collect();
    let locations = match (given[..].first(), given.len(), format) {
        (None | Some(&"root"), _, SourceFormat::Windmill) => windmill(options, at, environments),
        (Some(&"path"), 1, _) => {
            let path: String = options.field(at, "path")?;
            if !path.contains("{environment}") {
                let span = at.get("path")?.node.span.clone();
                options.mistake(at.source, span, "the path must contain `{environment}`");
                return None;
            }
            let each = |e: &Environment| e.aliases.iter().map(|w| path.replace("{environment}", w)).collect();
            environments.iter().map(|e| paths(options, at, None, each(e))).collect()
        }
        (Some(key @ (&"files" | &"at")), 1, _) => by_environment(options, at.get(key)?, *key == "at", environments),
        _ => {
            let message = "one of `files`, `path` and `at` is needed here (`root` and `layout` for windmill)";
            options.mistake(at.source, at.node.span.clone(), message);
            return None;
        }
    };
    Some(VariableSource { id: id?, format, locations, file: options.file(at.source), span: at.node.span.clone() })
}

/// Reads a map from environments to paths or globs, each with a `REF:` prefix if `refs`.
fn by_environment(
    options: &Options<'_>,
    map: Located<'_>,
    refs: bool,
    environments: &[Environment],
) -> Vec<Option<FileSet>> {
    let names: Vec<&str> = environments.iter().map(|e| e.name.as_str()).collect();
    options.known_keys(map, &names);
    let place = |e: &Environment| {
        let at = map.get(&e.name)?;
        let given: Vec<String> = options.read(at)?;
        if !refs {
            return paths(options, at, None, given);
        }
        let mut reference = None;
        let mut below = Vec::new();
        for text in given {
            let Some((name, path)) = text.split_once(':').filter(|(r, p)| !r.is_empty() && !p.is_empty()) else {
                options.mistake(at.source, at.node.span.clone(), "`REF:PATH` is needed here, like `main:app.env`");
                return None;
            };
            reference = Some(name.to_owned());
            below.push(path.to_owned());
        }
        paths(options, at, reference, below)
    };
    environments.iter().map(place).collect()
}

fn paths(options: &Options<'_>, at: Located<'_>, reference: Option<String>, given: Vec<String>) -> Option<FileSet> {
    let clean: Vec<String> = given.iter().map(|p| p.trim_start_matches("./").trim_start_matches('/').into()).collect();
    let anchored: Vec<String> = clean.iter().map(|p| format!("/{p}")).collect();
    match glob_set(&anchored) {
        Ok(globs) => {
            let literal = clean.into_iter().map(BString::from).collect();
            Some(FileSet { reference, files: FilePatterns::Paths { literal, globs } })
        }
        Err(why) => {
            options.mistake(at.source, at.node.span.clone(), why);
            None
        }
    }
}

fn windmill(options: &Options<'_>, at: Located<'_>, environments: &[Environment]) -> Vec<Option<FileSet>> {
    let root: String = options.field(at, "root").unwrap_or_default();
    let root = root.trim_start_matches("./").trim_matches('/').to_owned();
    let layout: String = options.field(at, "layout").unwrap_or_else(|| "suffix".into());
    let slashed = |path: String| BString::from(if path.is_empty() { path } else { format!("{path}/") });
    let place = |e: &Environment| {
        let (reference, root, suffix) = match layout.as_str() {
            "suffix" => (None, root.clone(), Some(e.aliases.clone())),
            "directory" if root.contains("{environment}") => (None, root.replace("{environment}", &e.name), None),
            "directory" if root.is_empty() => (None, e.name.clone(), None),
            "directory" => (None, format!("{root}/{}", e.name), None),
            _ => (Some(e.branches.iter().find(|b| !b.contains(['*', '?', '[', '{']))?.clone()), root.clone(), None),
        };
        Some(FileSet { reference, files: FilePatterns::Windmill { root: slashed(root), suffix } })
    };
    if !["suffix", "directory", "branch"].contains(&layout.as_str())
        && let Some(node) = at.get("layout")
    {
        options.mistake(at.source, node.node.span.clone(), "one of suffix, directory, branch is needed here");
    }
    environments.iter().map(place).collect()
}
