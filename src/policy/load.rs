//! From files to a [`Policy`]: presets and files as layers, every key known, every mistake told.

use std::sync::Arc;

use super::exceptions::{self, Exception, Wanted};
use super::setting::{Settings, unknown_rule};
use super::{Mode, Policy, PolicyChanges};
use crate::options::mistakes::{Mistakes, unknown_keys};
use crate::options::read::{Wrong, one_of};
use crate::options::{BASELINE_LIMIT, Located, Mistake, POLICY_LIMIT, PolicyFile, Vocabulary};
use crate::rules::Rule;
use crate::subject::Kinds;
use crate::yaml::{self, Node, Scalar};

/// What this build understands.
const VERSION: i64 = 1;

/// The keys of a policy file.
pub const KEYS: [&str; 13] = [
    "version",
    "extends",
    "mode",
    "environments",
    "protected",
    "approvers",
    "policy-changes",
    "exceptions",
    "inline",
    "budgets",
    "rules",
    "detectors",
    "assertions",
];

/// The keys of a baseline.
const BASELINE_KEYS: [&str; 2] = ["version", "exceptions"];

/// The embedded presets, by name.
pub static PRESETS: &[(&str, &str)] = &[
    ("trunk", include_str!("../../policies/presets/trunk.yml")),
    ("dev-main", include_str!("../../policies/presets/dev-main.yml")),
    ("windmill", include_str!("../../policies/presets/windmill.yml")),
    ("staged-release", include_str!("../../policies/presets/staged-release.yml")),
];

/// One document of policy: a preset or a user's file.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    /// Index of its file.
    pub source: usize,
    pub root: Node,
    /// A preset: it may speak of rule families that this build does not have.
    pub embedded: bool,
}

impl Layer {
    pub fn located(&self) -> Located<'_> {
        Located { source: self.source, node: &self.root }
    }
}

pub(super) fn load(given: Vec<PolicyFile>, rules: &'static [&'static Rule]) -> Result<Policy, Vec<Mistake>> {
    let mistakes = Mistakes::default();
    let mut stack = Stack { files: Vec::new(), layers: Vec::new(), mistakes: &mistakes };
    for file in given {
        stack.file(file);
    }
    let Stack { files, layers, .. } = stack;
    let roots: Vec<_> = layers.iter().map(Layer::located).collect();
    let vocabulary = Vocabulary::read(&roots, &mistakes);
    let mut settings = Settings::default();
    let mut mode = Mode::default();
    let mut policy_changes = PolicyChanges::default();
    let mut inline_deny = ["secrets", "files", "windmill"].map(String::from).to_vec();
    let mut exceptions: Vec<Exception> = Vec::new();
    for layer in &layers {
        let root = layer.located();
        mode = root.get("mode").and_then(|at| read_mode(at, &mistakes)).unwrap_or(mode);
        let said = root.get("policy-changes").and_then(|at| read_policy_changes(at, &mistakes));
        policy_changes = said.unwrap_or(policy_changes);
        settings.layer(root, rules, layer.embedded, &mistakes);
        if let Some(deny) = root.get("inline").and_then(|at| read_inline(at, rules, &mistakes)) {
            inline_deny = deny;
        }
        let wanted = if files[layer.source].is_baseline { Wanted::Fingerprints } else { Wanted::Any };
        exceptions.extend(exceptions::read(root, rules, wanted, &mistakes));
        for list in ["detectors", "assertions"].into_iter().filter_map(|key| root.get(key)) {
            mistakes.list(list);
            let scalars = list.items().filter(|item| !item.node.is_map());
            mistakes.record(list.source, scalars.map(|i| Wrong::value(i.node.span.clone(), "a map is needed here")));
        }
    }
    let mut told = mistakes.told(&files);
    let policy = Policy { rules, files, layers, vocabulary, mode, policy_changes, settings, exceptions, inline_deny };
    if !told.is_empty() {
        // The author mends everything at once, options of rules as well.
        let options = policy.validate();
        told.extend(options.into_iter().filter(|m| !told.contains(m)).collect::<Vec<_>>());
        return Err(told);
    }
    // Families that look at nothing are never compiled, so their options are read here.
    let unseen = rules.iter().filter(|r| r.looks_at == Kinds::NONE && policy.mentions(r.id));
    let told: Vec<_> = unseen.flat_map(|r| policy.with_options(r, |options| drop((r.compile)(options))).1).collect();
    if told.is_empty() { Ok(policy) } else { Err(told) }
}

struct Stack<'m> {
    files: Vec<Arc<PolicyFile>>,
    layers: Vec<Layer>,
    mistakes: &'m Mistakes,
}

impl Stack<'_> {
    /// Puts a file on top of what is there, and its presets below it.
    fn file(&mut self, file: PolicyFile) {
        let source = self.files.len();
        let keys: &[&str] = if file.is_baseline { &BASELINE_KEYS } else { &KEYS };
        let Some(root) = self.document(file) else { return };
        let at = Located { source, node: &root };
        if at.get("version").is_some_and(|v| !self.version(v)) {
            // Nobody knows what the rest of a newer file means: one mistake says it all.
            return;
        }
        self.mistakes.record(source, unknown_keys(&root, keys));
        let extends = at.get("extends").filter(|_| keys.contains(&"extends"));
        if let Some(extends) = extends.filter(|e| self.mistakes.list(*e)) {
            for name in extends.items() {
                self.preset(name);
            }
        }
        self.layers.push(Layer { source, root, embedded: false });
    }

    fn preset(&mut self, name: Located<'_>) {
        let Some((word, text)) = PRESETS.iter().find(|(preset, _)| name.node.text() == Some(preset)) else {
            let names = PRESETS.iter().map(|(preset, _)| *preset);
            self.mistakes.record(name.source, [Wrong::unknown("policy/unknown-preset", "preset", name.node, names)]);
            return;
        };
        let source = self.files.len();
        if let Some(root) = self.document(PolicyFile::new(format!("preset {word}"), *text)) {
            self.mistakes.record(source, unknown_keys(&root, &KEYS));
            self.layers.push(Layer { source, root, embedded: true });
        }
    }

    /// The one document of a file. An empty file is an empty map.
    fn document(&mut self, file: PolicyFile) -> Option<Node> {
        let source = self.files.len();
        if let Some(what) = file.refused {
            let message = format!("{} is {what}, so it is not read", file.path);
            let wrong = Wrong { code: "policy/not-a-file", ..Wrong::value(0..0, message) };
            let most = if file.is_baseline { BASELINE_LIMIT } else { POLICY_LIMIT }.bytes >> 20;
            self.files.push(Arc::new(file));
            self.mistakes.record(source, [wrong.help(format!("make it a plain file of at most {most} MiB"))]);
            return None;
        }
        let documents = yaml::parse(&file.bytes);
        self.files.push(Arc::new(file));
        let broken = !documents.mistakes.is_empty();
        self.mistakes.record(source, documents.mistakes.iter().map(Wrong::syntax));
        let mut roots = documents.roots.into_iter();
        let root = roots.next().filter(|root| !root.is_null());
        let syntax = |node: &Node, message: String| Wrong::syntax(&yaml::Mistake { span: node.span.clone(), message });
        if let Some(second) = roots.next() {
            self.mistakes.record(source, [syntax(&second, "a policy is one YAML document".into())]);
        }
        let Some(root) = root else {
            return (!broken).then(|| Node { span: 0..0, value: yaml::Value::Map(Vec::new()) });
        };
        if !root.is_map() {
            self.mistakes.record(source, [syntax(&root, format!("a policy is a map, not {}", root.kind()))]);
            return None;
        }
        Some(root)
    }

    fn version(&self, at: Located<'_>) -> bool {
        let wrong = match at.node.scalar() {
            Some(Scalar::Int(VERSION)) => return true,
            Some(Scalar::Int(n)) if n > VERSION => Wrong {
                code: "policy/version",
                ..Wrong::value(
                    at.node.span.clone(),
                    format!("version {n} of the policy is newer than this program knows"),
                )
            }
            .help(format!("use a newer portcullis, or write the policy for `version: {VERSION}`")),
            _ => Wrong::value(at.node.span.clone(), format!("`version: {VERSION}` is the only one there is")),
        };
        self.mistakes.record(at.source, [wrong]);
        false
    }
}

fn read_mode(at: Located<'_>, mistakes: &Mistakes) -> Option<Mode> {
    match at.node.text() {
        Some("enforce") => Some(Mode::Enforce),
        Some("report") => Some(Mode::Report),
        _ => {
            mistakes.record(at.source, [one_of(at.node, &["enforce", "report"])]);
            None
        }
    }
}

fn read_policy_changes(at: Located<'_>, mistakes: &Mistakes) -> Option<PolicyChanges> {
    match at.node.text() {
        Some("approvers") => Some(PolicyChanges::Approvers),
        Some("anyone") => Some(PolicyChanges::Anyone),
        _ => {
            mistakes.record(at.source, [one_of(at.node, &["approvers", "anyone"])]);
            None
        }
    }
}

/// `inline: { deny: [families] }`.
fn read_inline(at: Located<'_>, rules: &[&'static Rule], mistakes: &Mistakes) -> Option<Vec<String>> {
    if !mistakes.map(at, &["deny"]) {
        return None;
    }
    let deny = at.get("deny")?;
    let names: Vec<String> = mistakes.read(deny)?;
    let nodes = if deny.node.is_seq() { deny.node.items() } else { std::slice::from_ref(deny.node) };
    for node in nodes {
        if node.text().is_some_and(|t| t.contains('/')) {
            let message = "a family is needed here, not one of its codes";
            mistakes.record(at.source, [Wrong::value(node.span.clone(), message)]);
        } else {
            mistakes.record(at.source, unknown_rule(rules, node));
        }
    }
    Some(names)
}
