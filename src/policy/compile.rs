//! From a policy to checks: options of each family from defaults, presets and files; only families that can find
//! something here are looked at, and told of when they are wrong.

use std::sync::Arc;

use super::load::Layer;
use super::setting::{Scope, covers, family_of, unknown_names};
use super::{Policy, Strictness};
use crate::finding::Redact;
use crate::options::mistakes::Mistakes;
use crate::options::{Located, Mistake, Options, PolicyFile, Wrong};
use crate::rules::{Checks, CommitCheck, FileCheck, ObjectCheck, RefCheck, Rule, TreeCheck};
use crate::subject::Kinds;
use crate::yaml;

/// A check, and where its family looks.
pub struct Scoped<C> {
    pub family: &'static str,
    pub scope: Arc<Scope>,
    pub check: C,
}

/// Every check of a run, in the order of the list of rules.
#[derive(Default)]
pub struct Compiled {
    pub files: Vec<Scoped<FileCheck>>,
    pub commits: Vec<Scoped<CommitCheck>>,
    pub refs: Vec<Scoped<RefCheck>>,
    pub trees: Vec<Scoped<TreeCheck>>,
    pub objects: Vec<Scoped<ObjectCheck>>,
    /// The families that were compiled, in the order of the list.
    pub families: Vec<&'static str>,
    /// How many families' defaults were read.
    pub policies_parsed: u64,
    /// Which refs are judged alike.
    pub strictness: Strictness,
    /// The detectors of a policy that adds some to the built-in ones; they mask what they find, too.
    pub redactor: Option<Arc<dyn Redact>>,
    kinds: Kinds,
}

impl Compiled {
    /// The kinds of subject that any check looks at.
    pub fn kinds(&self) -> Kinds {
        self.kinds
    }

    fn add(&mut self, family: &'static str, scope: Scope, checks: Checks) {
        fn scoped<C>(list: Vec<C>, family: &'static str, scope: &Arc<Scope>) -> impl Iterator<Item = Scoped<C>> {
            list.into_iter().map(move |check| Scoped { family, scope: Arc::clone(scope), check })
        }
        let scope = Arc::new(scope);
        self.kinds = self.kinds.union(checks.kinds());
        self.redactor = checks.redactor.or(self.redactor.take());
        self.files.extend(scoped(checks.files, family, &scope));
        self.commits.extend(scoped(checks.commits, family, &scope));
        self.refs.extend(scoped(checks.refs, family, &scope));
        self.trees.extend(scoped(checks.trees, family, &scope));
        self.objects.extend(scoped(checks.objects, family, &scope));
        self.families.push(family);
    }
}

impl Policy {
    /// `kinds`: what the source feeds. `only`: families or codes from the command line; empty means all.
    pub fn compile(&self, kinds: Kinds, only: &[String]) -> Result<Compiled, Vec<Mistake>> {
        let mut told = unknown_names(self.rules, "--only", only);
        let mut compiled = Compiled { strictness: self.strictness(), ..Compiled::default() };
        for rule in self.rules {
            let wanted = only.is_empty() || only.iter().any(|name| family_of(name) == rule.id);
            if !rule.looks_at.intersects(kinds) || !wanted || self.settings.is_off(rule.id) {
                continue;
            }
            compiled.policies_parsed += 1;
            let (checks, mistakes) = self.with_options(rule, |options| (rule.compile)(options));
            told.extend(mistakes);
            // A check of another kind would never be compiled for the sources that feed it.
            debug_assert_eq!(
                checks.kinds().union(rule.looks_at),
                rule.looks_at,
                "{} looks at more than it says",
                rule.id
            );
            compiled.add(rule.id, self.settings.scope(rule.id), checks);
        }
        if told.is_empty() { Ok(compiled) } else { Err(told) }
    }

    /// Every mistake in the options of every family, whether or not it can find anything: for a verdict on a policy.
    pub fn validate(&self) -> Vec<Mistake> {
        self.validate_but(&[])
    }

    /// The same, for the families that were not compiled.
    pub fn validate_but(&self, compiled: &[&'static str]) -> Vec<Mistake> {
        let others = self.rules.iter().filter(|rule| !compiled.contains(&rule.id));
        others.flat_map(|rule| self.with_options(rule, |options| drop((rule.compile)(options))).1).collect()
    }

    /// The options of one family: its defaults, then what each layer says of it.
    pub fn with_options<R>(&self, rule: &Rule, read: impl FnOnce(&Options<'_>) -> R) -> (R, Vec<Mistake>) {
        let defaults = yaml::first_document(rule.policy);
        let mut files = self.files.clone();
        let source = files.len();
        files.push(Arc::new(PolicyFile::new(format!("defaults of {}", rule.id), defaults)));
        let parsed = yaml::parse(defaults.as_bytes());
        let broken = Mistakes::default();
        broken.record(source, parsed.mistakes.iter().map(Wrong::syntax));
        let own = parsed.roots.first().map(|node| Located { source, node });
        let said = self.layers.iter().filter_map(|layer| layer.located().get("rules")?.get(rule.id));
        let layers = own.into_iter().chain(said).filter(|l| l.node.is_map()).collect();
        let shared = ["detectors", "assertions"].into_iter().flat_map(|key| self.shared(key)).collect();
        let options = Options::new(&files, layers, shared, &self.vocabulary).with_codes(self.settings.codes(rule.id));
        let result = read(&options);
        let mut told = broken.told(&files);
        told.extend(options.finish());
        (result, told)
    }

    /// Whether any layer sets options of the family.
    pub(super) fn mentions(&self, family: &str) -> bool {
        self.layers.iter().any(|layer| layer.root.at(&["rules", family]).is_some())
    }

    fn shared(&self, key: &'static str) -> impl Iterator<Item = (&'static str, Located<'_>)> {
        let lists = self.layers.iter().map(Layer::located).filter_map(move |root| root.get(key));
        lists.flat_map(Located::items).map(move |item| (key, item))
    }

    /// Whether `--only` lets a finding through.
    pub(super) fn is_wanted(only: &[String], rule: &str) -> bool {
        only.is_empty() || only.iter().any(|name| covers(name, rule))
    }
}
