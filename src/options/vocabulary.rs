//! The words that rules share: who the environments are, what is protected, how much work a run may do.
//! Reads them from the highest layer that has them; each key is replaced as a whole, budgets one by one.

use super::located::Located;
use super::mistakes::Mistakes;
use super::read::{Bytes, FromNode, Level, Seconds, Wrong, each_glob};
use super::scope::Branches;
use crate::finding::Severity;
use crate::yaml::Node;

/// A long-lived stage that changes are promoted through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    pub name: String,
    /// Short branch names or globs.
    pub branches: Vec<String>,
    /// Other words for it; its own name is always one, and the first.
    pub aliases: Vec<String>,
    /// Tag formats (`v{semver}`) that release to it.
    pub tags: Vec<String>,
}

/// What may happen to a protected branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protected {
    /// Short name or glob.
    pub branch: String,
    /// Accounts that may push directly; `*` is everybody.
    pub direct_push: Vec<String>,
    /// `None` is `off`.
    pub non_ff: Option<Severity>,
    pub delete: Option<Severity>,
    pub linear: Option<Severity>,
    pub signed: Option<Severity>,
}

impl Protected {
    /// A branch as it is protected where the policy says no more: never rewritten, never deleted, pushed to by all.
    pub fn new(branch: impl Into<String>) -> Self {
        Self {
            branch: branch.into(),
            direct_push: vec!["*".into()],
            non_ff: Some(Severity::Error),
            delete: Some(Severity::Error),
            linear: None,
            signed: None,
        }
    }
}

/// How much work a run may do before it says "could not decide".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budgets {
    /// Seconds.
    pub time: u64,
    pub paths: u64,
    pub content_comparisons: u64,
    /// Bytes.
    pub blob_window: u64,
}

impl Default for Budgets {
    fn default() -> Self {
        Self { time: 60, paths: 5_000_000, content_comparisons: 200, blob_window: 16 << 20 }
    }
}

/// The words that rules share.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    /// Lowest first: changes are promoted downwards; the last one is production.
    pub environments: Vec<Environment>,
    pub protected: Vec<Protected>,
    pub approvers: Vec<String>,
    pub budgets: Budgets,
    /// What a rule lets wait is an error. Said on the command line, not in a policy.
    pub strict: bool,
}

impl Vocabulary {
    /// `layers`: roots, lowest first. A layer that is overruled is read too, so that its mistakes are told.
    pub(crate) fn read(layers: &[Located<'_>], mistakes: &Mistakes) -> Self {
        let mut words = Self::default();
        let mut protected = None;
        for root in layers {
            if let Some(at) = root.get("environments") {
                words.environments = environments(at, mistakes);
            }
            if let Some(at) = root.get("protected") {
                protected = Some(protections(at, mistakes));
            }
            if let Some(names) = mistakes.field(*root, "approvers") {
                words.approvers = names;
            }
            if let Some(at) = root.get("budgets") {
                budgets(at, &mut words.budgets, mistakes);
            }
        }
        let all = || words.environments.iter().flat_map(|e| &e.branches).map(Protected::new).collect();
        words.protected = protected.unwrap_or_else(all);
        words
    }
}

/// Short branch names or globs, each a good one.
struct BranchGlobs(Vec<String>);

impl FromNode for BranchGlobs {
    fn from_node(node: &Node) -> Result<Self, Vec<Wrong>> {
        each_glob(node, &mut |patterns| Branches::new(&patterns).map(|_| Self(patterns)))
    }
}

/// A tag format: text around `{semver}`, and maybe `{component}`.
struct TagFormat(String);

impl FromNode for TagFormat {
    fn from_node(node: &Node) -> Result<Self, Vec<Wrong>> {
        let format = String::from_node(node)?;
        let rest = format.replacen("{semver}", "", 1).replacen("{component}", "", 1);
        if format.contains("{semver}") && !rest.contains(['{', '}']) {
            return Ok(Self(format));
        }
        let message = "a tag format holds `{semver}` once, and may hold `{component}`";
        Err(vec![Wrong::value(node.span.clone(), message).help("for example `v{semver}` or `{component}/v{semver}`")])
    }
}

fn environments(at: Located<'_>, mistakes: &Mistakes) -> Vec<Environment> {
    if !at.node.is_map() {
        let message = format!("a map from environments to their branches is needed here, not {}", at.node.kind());
        mistakes.record(at.source, [Wrong::value(at.node.span.clone(), message)]);
        return Vec::new();
    }
    let mut list: Vec<Environment> = Vec::new();
    for (key, value) in at.entries() {
        let Some(name) = mistakes.read::<String>(key) else { continue };
        if !mistakes.map(value, &["branch", "branches", "aliases", "tags"]) {
            continue;
        }
        let mut branches = Vec::new();
        for key in ["branch", "branches"] {
            branches.extend(mistakes.field::<BranchGlobs>(value, key).map(|b| b.0).unwrap_or_default());
        }
        let tags = mistakes.field::<Vec<TagFormat>>(value, "tags").unwrap_or_default();
        if value.get("branch").is_some() && value.get("branches").is_some() {
            let (key, _) = value.node.entry("branches").unwrap_or((key.node, key.node));
            mistakes.record(at.source, [Wrong::value(key.span.clone(), "either `branch` or `branches`, not both")]);
        }
        if ["branch", "branches", "tags"].iter().all(|k| value.get(k).is_none()) {
            let message = format!("the environment `{name}` has neither a branch nor tags");
            mistakes.record(at.source, [Wrong::value(key.node.span.clone(), message)]);
        }
        let mut aliases = vec![name.clone()];
        if let Some(written) = value.get("aliases") {
            aliases.extend(mistakes.read::<Vec<String>>(written).unwrap_or_default());
            let nodes = if written.node.is_seq() { written.node.items() } else { std::slice::from_ref(written.node) };
            let taken = |n: &&Node| list.iter().find(|e| e.aliases.iter().any(|a| Some(a.as_str()) == n.text()));
            mistakes.record(
                at.source,
                nodes.iter().filter_map(|n| Some((n, taken(&n)?))).map(|(n, other)| {
                    Wrong::value(n.span.clone(), format!("this is already a name of `{}`", other.name))
                }),
            );
        }
        aliases.dedup();
        list.push(Environment { name, branches, aliases, tags: tags.into_iter().map(|t| t.0).collect() });
    }
    list
}

fn protections(at: Located<'_>, mistakes: &Mistakes) -> Vec<Protected> {
    const KEYS: [&str; 6] = ["branch", "direct-push", "non-ff", "delete", "linear", "signed"];
    if !mistakes.list(at) {
        return Vec::new();
    }
    let mut list = Vec::new();
    for item in at.items().filter(|item| mistakes.map(*item, &KEYS)) {
        let Some(branch) = item.get("branch") else {
            mistakes.record(at.source, [Wrong::value(item.node.span.clone(), "`branch` is missing")]);
            continue;
        };
        let Some(BranchGlobs(names)) = mistakes.read(branch) else { continue };
        let level = |key: &str, default| mistakes.field(item, key).map_or(default, |Level(severity)| severity);
        for name in names {
            let usual = Protected::new(name);
            list.push(Protected {
                direct_push: mistakes.field(item, "direct-push").unwrap_or(usual.direct_push),
                non_ff: level("non-ff", usual.non_ff),
                delete: level("delete", usual.delete),
                linear: level("linear", usual.linear),
                signed: level("signed", usual.signed),
                branch: usual.branch,
            });
        }
    }
    list
}

fn budgets(at: Located<'_>, budgets: &mut Budgets, mistakes: &Mistakes) {
    if !mistakes.map(at, &["time", "paths", "content-comparisons", "blob-window"]) {
        return;
    }
    if let Some(Seconds(time)) = mistakes.field(at, "time") {
        budgets.time = time;
    }
    if let Some(paths) = mistakes.field(at, "paths") {
        budgets.paths = paths;
    }
    if let Some(comparisons) = mistakes.field(at, "content-comparisons") {
        budgets.content_comparisons = comparisons;
    }
    if let Some(Bytes(window)) = mistakes.field(at, "blob-window") {
        budgets.blob_window = window;
    }
    for key in ["time", "paths", "blob-window"] {
        if let Some(at) = at.get(key).filter(|v| v.node.text().is_some_and(|t| t.starts_with('0'))) {
            let message = format!("with a budget of 0 for `{key}` nothing can be decided");
            mistakes.record(at.source, [Wrong::value(at.node.span.clone(), message)]);
        }
    }
}
