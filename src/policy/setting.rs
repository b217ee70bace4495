//! What a policy says of a rule family or of one code, whatever the rule: severity, paths, branches.

use std::collections::HashMap;

use bstr::{BStr, ByteSlice as _};

use crate::finding::{Finding, Origin, Severity};
use crate::options::COMMON_KEYS;
use crate::options::mistakes::Mistakes;
use crate::options::read::{FromNode, Level, Wrong, each_glob};
use crate::options::scope::{Branches, Paths};
use crate::options::{Located, Mistake, PolicyFile};
use crate::rules::Rule;
use crate::subject::RefSet;
use crate::yaml::Node;

/// Where a rule looks.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    include: Option<Paths>,
    exclude: Option<Paths>,
    branches: Option<Branches>,
}

impl Scope {
    pub fn has_path(&self, path: &BStr) -> bool {
        self.include.as_ref().is_none_or(|p| p.is_match(path))
            && !self.exclude.as_ref().is_some_and(|p| p.is_match(path))
    }

    /// `refs`: full or short names of all refs that a subject goes to. One of its branches is enough; where none is
    /// known, nothing is left out.
    pub fn has_branch<'r>(&self, refs: impl IntoIterator<Item = &'r BStr>) -> bool {
        let Some(branches) = &self.branches else { return true };
        let mut known =
            refs.into_iter().filter(|r| r.starts_with(b"refs/heads/") || !r.starts_with(b"refs/")).peekable();
        known.peek().is_none() || known.any(|r| branches.is_match(r))
    }
}

/// Severity and scope; what is `None` was not said.
#[derive(Clone, Debug, Default)]
pub(super) struct Setting {
    pub level: Option<Level>,
    pub scope: Scope,
}

struct PathGlobs(Paths);

impl FromNode for PathGlobs {
    fn from_node(node: &Node) -> Result<Self, Vec<Wrong>> {
        each_glob(node, &mut |patterns| Paths::new(&patterns).map(Self))
    }
}

struct BranchGlobs(Branches);

impl FromNode for BranchGlobs {
    fn from_node(node: &Node) -> Result<Self, Vec<Wrong>> {
        each_glob(node, &mut |patterns| Branches::new(&patterns).map(Self))
    }
}

/// By `family` and `family/code`.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings(HashMap<String, Setting>);

impl Settings {
    /// Takes over what one layer says under `rules`; later layers win key by key.
    pub fn layer(&mut self, root: Located<'_>, rules: &[&'static Rule], embedded: bool, mistakes: &Mistakes) {
        let Some(map) = root.get("rules").filter(|m| !m.node.is_null()) else { return };
        if !map.node.is_map() {
            let message = format!("a map from rules to their options is needed here, not {}", map.node.kind());
            mistakes.record(map.source, [Wrong::value(map.node.span.clone(), message)]);
        }
        for (key, value) in map.entries() {
            let Some(name) = key.node.text() else {
                mistakes.record(map.source, [Wrong::unknown("policy/unknown-rule", "rule", key.node, [])]);
                continue;
            };
            if embedded && family(rules, name).is_none() {
                // A preset may speak of families that this build does not have.
                continue;
            }
            if let Some(wrong) = unknown_rule(rules, key.node) {
                mistakes.record(map.source, [wrong]);
            } else if !value.node.is_map() {
                let wrong =
                    Wrong::value(value.node.span.clone(), format!("a map is needed here, not {}", value.node.kind()));
                mistakes.record(map.source, [wrong.help(format!("for example `{name}: {{ severity: off }}`"))]);
            } else {
                if name.contains('/') {
                    mistakes.map(value, &COMMON_KEYS);
                }
                let setting = self.0.entry(name.to_owned()).or_default();
                setting.level = mistakes.field(value, "severity").or(setting.level);
                let scope = &mut setting.scope;
                scope.include = mistakes.field(value, "include").map(|PathGlobs(p)| p).or(scope.include.take());
                scope.exclude = mistakes.field(value, "exclude").map(|PathGlobs(p)| p).or(scope.exclude.take());
                scope.branches = mistakes.field(value, "branches").map(|BranchGlobs(b)| b).or(scope.branches.take());
            }
        }
    }

    /// The severity of a code where neither it nor its family has one from the policy.
    pub fn otherwise(&mut self, family: &str, code: &str, severity: Option<Severity>) {
        if self.0.get(family).is_none_or(|f| f.level.is_none()) {
            self.0.entry(format!("{family}/{code}")).or_default().level.get_or_insert(Level(severity));
        }
    }

    /// What is said of the severity of a family or a code.
    pub fn level(&self, name: &str) -> Option<Level> {
        self.0.get(name).and_then(|setting| setting.level)
    }

    /// The family's scope.
    pub fn scope(&self, family: &str) -> Scope {
        self.0.get(family).map(|s| s.scope.clone()).unwrap_or_default()
    }

    /// The branches to which families that `count`, or their codes, are limited.
    pub fn branches(&self, count: impl Fn(&str) -> bool) -> Vec<Branches> {
        let limited =
            self.0.iter().filter(|(name, setting)| count(family_of(name)) && setting.level != Some(Level(None)));
        limited.filter_map(|(_, setting)| setting.scope.branches.clone()).collect()
    }

    /// What is said of the severities of a family's codes, by the part after the slash.
    pub fn codes(&self, family: &str) -> Vec<(String, Option<Severity>)> {
        let said = self.0.iter().filter_map(|(name, s)| Some((name.split_once('/')?, s.level?)));
        said.filter(|((f, _), _)| *f == family)
            .map(|((_, code), Level(severity))| (code.to_owned(), severity))
            .collect()
    }

    /// Nothing of the family can be found: it is off, and none of its codes is switched on again.
    pub fn is_off(&self, family: &str) -> bool {
        let on = |name: &str| name.split_once('/').is_some_and(|(f, _)| f == family);
        self.0.get(family).is_some_and(|s| s.level == Some(Level(None)))
            && !self.0.iter().any(|(name, s)| on(name) && matches!(s.level, Some(Level(Some(_)))))
    }

    /// The finding as the policy wants it; `None` when it wants it not at all. What is said of a code goes before what
    /// is said of its family, and a family's severity leaves notes alone: they are remarks, not violations.
    pub fn apply(&self, mut finding: Finding, refs: &RefSet) -> Option<Finding> {
        let code = self.0.get(finding.rule.as_ref());
        let family = self.0.get(family_of(&finding.rule));
        for setting in [code, family].into_iter().flatten() {
            let own = if let Origin::Ref { name, .. } = &finding.origin { Some(name) } else { None };
            let refs = refs.iter().chain(own.map(|name| name.as_bstr()));
            let path = if let Origin::File { path, .. } = &finding.origin { Some(path) } else { None };
            if !setting.scope.has_branch(refs) || path.is_some_and(|p| !setting.scope.has_path(p.as_ref())) {
                return None;
            }
        }
        let level = |setting: Option<&Setting>| setting.and_then(|s| s.level);
        match (level(code), level(family)) {
            (Some(Level(None)), _) | (None, Some(Level(None))) => return None,
            (Some(Level(Some(severity))), _) => finding.severity = severity,
            (None, Some(Level(Some(severity)))) if finding.severity != Severity::Note => finding.severity = severity,
            _ => {}
        }
        Some(finding)
    }
}

/// `secrets` of `secrets/github-token`, and of `secrets`.
pub(super) fn family_of(rule: &str) -> &str {
    rule.split('/').next().unwrap_or_default()
}

/// Whether `name`, a family or a code, means the rule of a finding.
pub(super) fn covers(name: &str, rule: &str) -> bool {
    rule.strip_prefix(name).is_some_and(|rest| rest.is_empty() || (rest.starts_with('/') && !name.is_empty()))
}

fn family(rules: &[&'static Rule], name: &str) -> Option<&'static Rule> {
    rules.iter().find(|r| r.id == family_of(name)).copied()
}

/// Why a node names no rule. Codes are known from `policies/<id>.yml`, which is read only here: when one is named.
pub(super) fn unknown_rule(rules: &[&'static Rule], at: &Node) -> Option<Wrong> {
    const CODE: &str = "policy/unknown-rule";
    let name = at.text().unwrap_or_default();
    let Some(rule) = family(rules, name) else {
        let ids = rules.iter().map(|r| r.id);
        return Some(match crate::text::nearest(family_of(name), ids.clone()) {
            Some(near) if name.contains('/') => Wrong {
                span: at.span.clone(),
                code: CODE,
                message: format!("unknown rule `{name}`"),
                help: Some(format!("did you mean a code of `{near}`?")),
            },
            _ => Wrong::unknown(CODE, "rule", at, ids),
        });
    };
    if !name.contains('/') {
        return None;
    }
    // A family whose codes come from data says so with a placeholder: `<detector>`.
    let codes: Vec<_> = rule.about().ok()?.codes.into_iter().map(|c| format!("{}/{}", rule.id, c.code)).collect();
    let known = codes.is_empty() || codes.iter().any(|c| c == name || c.contains('<'));
    (!known).then(|| Wrong::unknown(CODE, "rule", at, codes.iter().map(String::as_str)))
}

/// Names from the command line (`--only`, skips), told like mistakes of a file.
pub(super) fn unknown_names(rules: &[&'static Rule], from: &str, names: &[String]) -> Vec<Mistake> {
    let text = names.join(" ");
    let file = std::sync::Arc::new(PolicyFile::new(from, text));
    let mut at = 0;
    let mut list = Vec::new();
    for name in names {
        let span = at..at + name.len();
        at = span.end + 1;
        let node = Node { span, value: crate::yaml::Value::Scalar { text: name.clone(), plain: true, tag: None } };
        list.extend(unknown_rule(rules, &node).map(|wrong| Mistake { file: file.clone(), wrong }));
    }
    list
}
