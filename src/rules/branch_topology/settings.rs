//! The options of `branch-topology`: branches, formats of release tags, severities and budgets.

use bstr::BStr;

use super::leak::Stance;
use crate::finding::Severity;
use crate::options::{Options, Protected, scope};
use crate::rules::release_tags::format::TagFormat;

/// Branches by short name or glob, compiled and as written.
#[derive(Clone, Debug, Default)]
pub struct BranchPatterns {
    pub(super) written: Vec<String>,
    globs: scope::Branches,
}

impl BranchPatterns {
    /// `Err` names the invalid glob and the reason.
    pub fn new(patterns: &[String]) -> Result<Self, String> {
        Ok(Self { globs: scope::Branches::new(patterns)?, written: patterns.to_vec() })
    }

    pub fn is_empty(&self) -> bool {
        self.written.is_empty()
    }

    /// `name` is a short name.
    pub fn contains(&self, name: &BStr) -> bool {
        self.globs.is_match(name)
    }
}

/// Severities of the optional checks; `None` switches one off, which saves its cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct TopologySeverities {
    pub direct_push: Option<Severity>,
    pub squash_leak: Option<Severity>,
    pub no_provenance: Option<Severity>,
    pub wholesale: Option<Severity>,
    pub foxtrot: Option<Severity>,
    pub evil_merge: Option<Severity>,
    pub hotfix_not_backported: Option<Severity>,
    pub lost_work: Option<Severity>,
}

/// The family's options, read.
pub struct TopologySettings {
    pub production: BranchPatterns,
    pub development: BranchPatterns,
    pub protected: Vec<Protected>,
    /// Formats of release tags.
    pub tags: Vec<TagFormat>,
    pub tag_merges: Stance,
    pub shared_topics: Stance,
    /// A pull request may merge development if every path that it changes is among these.
    pub pull_request_paths: scope::Globs,
    /// Maximum number of tree merges per push.
    pub content_cap: u64,
    pub unfinished: CapSpent,
    pub backport_days: u64,
    pub severities: TopologySeverities,
}

/// The result of a push whose search for squashes and copies did not finish within `content_cap`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CapSpent {
    /// Could not decide: it may contain a squash.
    Undecided,
    Warning,
}

impl TopologySettings {
    /// Reads the options. Mistakes are recorded in them.
    pub(super) fn read(options: &Options<'_>) -> Self {
        let words = options.vocabulary();
        let (production, development) = match words.environments.split_last() {
            Some((last, rest)) => (last.branches.clone(), rest.iter().flat_map(|e| e.branches.clone()).collect()),
            None => (Vec::new(), Vec::new()),
        };
        let branches = |key: &'static str, environment: Vec<String>| {
            let own = options.strings(key);
            BranchPatterns::new(if own.is_empty() { &environment } else { &own }).unwrap_or_else(|e| {
                record_mistake(options, key, e);
                BranchPatterns::default()
            })
        };
        let mut tags = options.strings("tags");
        if tags.is_empty() {
            tags = words.environments.last().map(|e| e.tags.clone()).unwrap_or_default();
        }
        if tags.is_empty() {
            tags.push("v{semver}".into());
        }
        let tags = tags
            .iter()
            .filter_map(|t| TagFormat::parse(t).map_err(|e| record_mistake(options, "tags", e)).ok())
            .collect();
        let stance =
            |key| if options.choice(key, &["allow", "deny"]) == "allow" { Stance::Allow } else { Stance::Deny };
        Self {
            production: branches("production", production),
            development: branches("development", development),
            protected: words.protected.clone(),
            tags,
            tag_merges: stance("tag-merges"),
            shared_topics: stance("shared-topics"),
            pull_request_paths: options.globs("pull-request-paths"),
            content_cap: options.limit("content-cap").unwrap_or(words.budgets.content_comparisons),
            unfinished: match options.choice("content-cap-spent", &["undecided", "warning"]) {
                "warning" => CapSpent::Warning,
                _ => CapSpent::Undecided,
            },
            backport_days: options.number("backport-days"),
            severities: TopologySeverities {
                direct_push: options.code_severity("direct-push", Some(Severity::Error)),
                squash_leak: options.code_severity("squash-leak", Some(Severity::Error)),
                no_provenance: options.code_severity("no-provenance", Some(Severity::Warning)),
                wholesale: options.code_severity("wholesale", None),
                foxtrot: options.code_severity("foxtrot", None),
                evil_merge: options.code_severity("evil-merge", None),
                hotfix_not_backported: options.code_severity("hotfix-not-backported", None),
                lost_work: options.code_severity("lost-work", Some(Severity::Warning)),
            },
        }
    }
}

/// Records a mistake at its key in the policy.
fn record_mistake(options: &Options<'_>, key: &'static str, message: String) {
    if let Some(place) = options.node(key) {
        options.mistake(place.source, place.node.span.clone(), message);
    }
}
