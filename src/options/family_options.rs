//! The options of one rule family: layers of YAML (defaults, presets, the user's file; later ones win) behind typed getters.
//! A mistake is recorded with its place and the default goes on, so that all mistakes are told at once. Keys that no
//! getter asked for are unknown keys.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;

use regex::bytes::Regex;

use super::file::PolicyFile;
use super::located::Located;
use super::mistakes::{Mistake, Mistakes, unknown_keys};
use super::read::{self, FromNode, Level, Wrong};
use super::scope::Globs;
use super::vocabulary::Vocabulary;
use crate::finding::Severity;
use crate::yaml::Node;

/// Keys that every family has; the engine heeds them, no rule sees them.
pub(crate) const COMMON_KEYS: [&str; 4] = ["severity", "include", "exclude", "branches"];

/// See the module. Every key has a value in the embedded defaults, so getters take no default; `null` stands for "none".
pub struct Options<'p> {
    files: &'p [Arc<PolicyFile>],
    /// The embedded defaults first.
    layers: Vec<Located<'p>>,
    /// `detectors` and `assertions`, item by item.
    shared: Vec<(&'static str, Located<'p>)>,
    vocabulary: &'p Vocabulary,
    /// What the policy says of the family's codes: `family/code: { severity: ... }`.
    codes: Vec<(String, Option<Severity>)>,
    asked: RefCell<Vec<&'static str>>,
    mistakes: Mistakes,
}

impl<'p> Options<'p> {
    /// `layers`: the maps under `rules: <family>:`, defaults first; `shared`: items of the top-level lists.
    pub(crate) fn new(
        files: &'p [Arc<PolicyFile>],
        layers: Vec<Located<'p>>,
        shared: Vec<(&'static str, Located<'p>)>,
        vocabulary: &'p Vocabulary,
    ) -> Self {
        Self {
            files,
            layers,
            shared,
            vocabulary,
            codes: Vec::new(),
            asked: RefCell::default(),
            mistakes: Mistakes::default(),
        }
    }

    /// `codes`: by the part after the slash.
    pub(crate) fn with_codes(self, codes: Vec<(String, Option<Severity>)>) -> Self {
        Self { codes, ..self }
    }

    /// The severity of a code, for rules that do not look for what nobody wants to hear of. `default` where the policy
    /// says nothing of the code; `None` is `off`.
    pub fn code_severity(&self, code: &str, default: Option<Severity>) -> Option<Severity> {
        self.codes.iter().find(|(name, _)| name == code).map_or(default, |(_, severity)| *severity)
    }

    /// `true` or `false`.
    pub fn flag(&self, key: &'static str) -> bool {
        self.value(key).unwrap_or_default()
    }

    /// A number of at least 0.
    pub fn number(&self, key: &'static str) -> u64 {
        self.value(key).unwrap_or_default()
    }

    /// A number, or `None` for `null` (no limit).
    pub fn limit(&self, key: &'static str) -> Option<u64> {
        self.value(key).unwrap_or_default()
    }

    /// `error`, `warning`, `note`, or `None` for `off`.
    pub fn severity(&self, key: &'static str) -> Option<Severity> {
        self.value(key).and_then(|Level(severity)| severity)
    }

    pub fn text(&self, key: &'static str) -> String {
        self.value(key).unwrap_or_default()
    }

    /// A string, or `None` for `null`.
    pub fn optional_text(&self, key: &'static str) -> Option<String> {
        self.value(key).unwrap_or_default()
    }

    /// One of the given words.
    pub fn choice(&self, key: &'static str, words: &'static [&'static str]) -> &'static str {
        let pick = |node: &Node| {
            let word = words.iter().find(|w| node.text() == Some(w));
            word.copied().ok_or_else(|| vec![read::one_of(node, words)])
        };
        self.first_good(key, pick).or(words.first().copied()).unwrap_or_default()
    }

    /// A list of strings; a single string is a list of one.
    pub fn strings(&self, key: &'static str) -> Vec<String> {
        self.value(key).unwrap_or_default()
    }

    /// A list of path globs, gitignore-like (see `scope.rs`).
    pub fn globs(&self, key: &'static str) -> Globs {
        self.value(key).unwrap_or_default()
    }

    /// A list of regular expressions, matched anywhere unless anchored.
    pub fn patterns(&self, key: &'static str) -> Vec<Regex> {
        self.value(key).unwrap_or_default()
    }

    /// Anything more structured: the rule walks it and reports with [`Options::mistake`]. `None` for `null`.
    pub fn node(&self, key: &'static str) -> Option<Located<'p>> {
        let found = self.layered(key).next();
        if found.is_none() {
            self.no_default(key);
        }
        found.filter(|l| !l.node.is_null())
    }

    /// Items of a top-level list of the policy (`detectors`, `assertions`), those of all layers in their order.
    pub fn shared(&self, key: &str) -> Vec<Located<'p>> {
        self.shared.iter().filter(|(k, _)| *k == key).map(|(_, l)| *l).collect()
    }

    /// A key of a structured option: `None` when it is absent, or wrong (which is recorded).
    pub fn field<T: FromNode>(&self, map: Located<'p>, key: &str) -> Option<T> {
        self.read(map.get(key)?)
    }

    /// Like [`Options::field`], and absence is a mistake.
    pub fn required<T: FromNode>(&self, map: Located<'p>, key: &str) -> Option<T> {
        if map.get(key).is_none() {
            self.mistake(map.source, map.node.span.clone(), format!("`{key}` is missing"));
        }
        self.field(map, key)
    }

    /// Any node as a value; what is wrong with it is recorded.
    pub fn read<T: FromNode>(&self, located: Located<'p>) -> Option<T> {
        self.mistakes.read(located)
    }

    /// Records a mistake at a range of a layer's file.
    pub fn mistake(&self, source: usize, span: Range<usize>, message: impl Into<String>) {
        self.record(source, vec![Wrong::value(span, message)]);
    }

    /// Checks a map's keys against the allowed ones; each unknown one is a mistake that names the nearest.
    pub fn known_keys(&self, map: Located<'p>, allowed: &[&str]) {
        self.record(map.source, unknown_keys(map.node, allowed));
    }

    pub fn vocabulary(&self) -> &'p Vocabulary {
        self.vocabulary
    }

    /// A layer's file, for findings that point into the policy.
    pub fn file(&self, source: usize) -> Arc<PolicyFile> {
        Arc::clone(&self.files[source])
    }

    /// Whether the user asked for what may wait to be an error.
    pub fn is_strict(&self) -> bool {
        self.vocabulary.strict
    }

    /// Every mistake recorded, and every key of the layers that no getter asked for.
    pub(crate) fn finish(self) -> Vec<Mistake> {
        let mut known: Vec<&str> = self.asked.take();
        known.extend(COMMON_KEYS);
        // An option that is read only under a condition is known by its default.
        known.extend(self.layers.first().into_iter().flat_map(|l| l.node.entries()).filter_map(|(k, _)| k.text()));
        known.sort_unstable();
        known.dedup();
        for layer in &self.layers {
            self.record(layer.source, unknown_keys(layer.node, &known));
        }
        self.mistakes.told(self.files)
    }

    fn value<T: FromNode>(&self, key: &'static str) -> Option<T> {
        self.first_good(key, T::from_node)
    }

    /// The value of the highest layer where it is right; every wrong one above is recorded.
    fn first_good<T>(&self, key: &'static str, read: impl Fn(&Node) -> Result<T, Vec<Wrong>>) -> Option<T> {
        let mut asked = false;
        for located in self.layered(key) {
            asked = true;
            match read(located.node) {
                Ok(value) => return Some(value),
                Err(wrong) => self.record(located.source, wrong),
            }
        }
        if !asked {
            self.no_default(key);
        }
        None
    }

    /// Highest layer first.
    fn layered(&self, key: &'static str) -> impl Iterator<Item = Located<'p>> {
        self.asked.borrow_mut().push(key);
        self.layers.iter().rev().filter_map(move |l| l.get(key))
    }

    fn no_default(&self, key: &str) {
        if let Some(defaults) = self.layers.first() {
            let at = defaults.node.span.start;
            self.mistake(defaults.source, at..at, format!("the option `{key}` has no default"));
        }
    }

    fn record(&self, source: usize, wrong: Vec<Wrong>) {
        self.mistakes.record(source, wrong);
    }
}
