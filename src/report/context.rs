//! What a renderer may know beside the report: how to show it, and about which rules. Decided at the edge, so that
//! renderers ask neither the terminal nor the clock.

use std::borrow::Cow;
use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;

use crate::finding::{RuleId, Severity};

use super::Report;

/// How much to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// The verdict alone, and only when it is not a pass.
    Quiet,
    #[default]
    Normal,
    /// Suppressed findings and fingerprints too.
    Verbose,
}

/// What is known of a rule that ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleInfo {
    /// `family/code`.
    pub id: RuleId,
    /// One line.
    pub summary: Cow<'static, str>,
    /// Why it is there, in a paragraph. May be empty.
    pub why: Cow<'static, str>,
    /// What to do about its findings. May be empty.
    pub help: Cow<'static, str>,
    /// The one it has when the policy says nothing.
    pub severity: Severity,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Context<'a> {
    /// Escape sequences for colour are wanted on standard output: it is a terminal, or the user said so.
    pub color: bool,
    pub verbosity: Verbosity,
    /// Goes in front of root-relative paths in human output, so that they open from where the user stands: `../`
    /// one folder down, empty at the root.
    pub to_root: &'a str,
    /// The page of the tool. Empty: none.
    pub home: &'a str,
    /// The page that explains rules: a heading per rule id, with anchors as code hosts make them. Empty: none.
    pub explain_base: &'a str,
    /// Where findings without a file are pinned by formats that know only files. Relative to the root.
    pub policy_path: &'a str,
    /// The rules that ran, in the order of the list: green ones are shown by formats that can.
    pub rules: &'a [RuleInfo],
    /// Adds work and time to human output.
    pub stats: bool,
    pub started: Timestamp,
    pub elapsed: Option<Duration>,
}

impl Default for Context<'_> {
    fn default() -> Self {
        Self {
            color: false,
            verbosity: Verbosity::Normal,
            to_root: "",
            home: "",
            explain_base: "",
            policy_path: "portcullis.yaml",
            rules: &[],
            stats: false,
            started: Timestamp::UNIX_EPOCH,
            elapsed: None,
        }
    }
}

impl Context<'_> {
    /// The rules that ran, then those that only findings know of, in their order.
    pub fn rules_of(&self, report: &Report) -> Vec<RuleInfo> {
        let mut rules = self.rules.to_vec();
        let mut known: HashSet<RuleId> = rules.iter().map(|r| r.id.clone()).collect();
        for finding in &report.findings {
            if known.insert(finding.rule.clone()) {
                let (id, severity) = (finding.rule.clone(), finding.severity);
                rules.push(RuleInfo { summary: id.clone(), id, why: "".into(), help: "".into(), severity });
            }
        }
        rules
    }

    /// Where a rule is explained: the anchor that code hosts give to a heading `family/code`.
    pub fn explain_uri(&self, rule: &str) -> Option<String> {
        let anchor = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        (!self.explain_base.is_empty()).then(|| {
            let anchor: String = rule.chars().filter(|c| anchor(*c)).map(|c| c.to_ascii_lowercase()).collect();
            format!("{}#{anchor}", self.explain_base)
        })
    }
}
