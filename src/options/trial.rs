//! Options of one family made from YAML strings, to compile a rule in tests and in `explain` without a policy file.

use std::sync::Arc;

use super::{Located, Mistake, Options, PolicyFile, Vocabulary, Wrong};
use crate::finding::Severity;
use crate::yaml;

/// The pieces that options are made of. `Trial::new(RULE.policy, "max-length: 72").run(|options| (RULE.compile)(options))`.
#[derive(Clone, Debug, Default)]
pub struct Trial<'t> {
    /// A whole `policies/<id>.yml`; its first document counts.
    pub defaults: &'t str,
    /// What a user writes below `rules: <family>:`; may be empty.
    pub user: &'t str,
    /// What a user writes below `detectors:`; may be empty.
    pub detectors: &'t str,
    /// What a user writes below `assertions:`; may be empty.
    pub assertions: &'t str,
    pub vocabulary: Vocabulary,
    /// What a user writes of codes: `("foxtrot", Some(Severity::Warning))`.
    pub codes: Vec<(&'t str, Option<Severity>)>,
}

impl<'t> Trial<'t> {
    pub fn new(defaults: &'t str, user: &'t str) -> Self {
        Self { defaults: yaml::first_document(defaults), user, ..Self::default() }
    }

    /// What `f` makes of the options, and every mistake: of the YAML, recorded by `f`, unknown keys.
    pub fn run<R>(&self, f: impl FnOnce(&Options<'_>) -> R) -> (R, Vec<Mistake>) {
        let texts = [
            ("defaults", self.defaults),
            ("user", self.user),
            ("detectors", self.detectors),
            ("assertions", self.assertions),
        ];
        let files: Vec<_> = texts.iter().map(|(name, text)| Arc::new(PolicyFile::new(*name, *text))).collect();
        let parsed: Vec<_> = texts.iter().map(|(_, text)| yaml::parse(text.as_bytes())).collect();
        let root = |source: usize| parsed[source].roots.first().map(|node| Located { source, node });
        let shared = [("detectors", 2), ("assertions", 3)]
            .into_iter()
            .flat_map(|(key, source)| root(source).into_iter().flat_map(Located::items).map(move |item| (key, item)))
            .collect();
        let layers = [0, 1].into_iter().filter_map(root).filter(|l| l.node.is_map()).collect();
        let options = Options::new(&files, layers, shared, &self.vocabulary)
            .with_codes(self.codes.iter().map(|(code, severity)| ((*code).to_owned(), *severity)).collect());
        let result = f(&options);
        let broken = parsed.iter().zip(&files).flat_map(|(documents, file)| {
            documents.mistakes.iter().map(|m| Mistake { file: Arc::clone(file), wrong: Wrong::syntax(m) })
        });
        (result, broken.chain(options.finish()).collect())
    }
}
