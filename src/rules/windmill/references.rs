//! `$var:` and `$res:`: what they point at is in the tree, or is left out on purpose.

use std::collections::HashSet;

use bstr::ByteSlice;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::Ground;
use super::config::{Config, OVERRIDES, is_on};
use super::files::{Item, Kind};
use super::text::Text;
use crate::finding::{Findings, Severity};
use crate::subject::Entry;
use crate::yaml::{Node, dotted};

/// What references may point at.
pub(super) struct Targets<'i> {
    variables: HashSet<&'i str>,
    resources: HashSet<&'i str>,
    variables_skipped: bool,
    resources_skipped: bool,
    /// What the sync takes at all, for every set of settings that may be in effect.
    scopes: Vec<Scope>,
}

/// `includes`, `excludes` and `extraIncludes`; `None` where they are not given.
struct Scope {
    includes: Option<GlobSet>,
    excludes: Option<GlobSet>,
    extra: Option<GlobSet>,
}

impl<'i> Targets<'i> {
    pub(super) fn new(ground: &Ground<'_>, config: Option<&Config<'_>>, items: &'i [(Item, &Entry)]) -> Self {
        let of = |kinds: &'static [Kind]| {
            items.iter().filter(|(i, _)| kinds.contains(&i.kind)).map(|(i, _)| i.name.as_str()).collect()
        };
        let settings = config.map(|c| in_effect(ground, c)).unwrap_or_default();
        let skipped =
            |keys: &[&str]| settings.iter().any(|layers| keys.iter().any(|k| setting(layers, k).is_some_and(is_on)));
        Self {
            variables: of(&[Kind::Variable]),
            resources: of(&[Kind::Resource, Kind::ResourceFile]),
            // A variable that is not here may be a secret one.
            variables_skipped: config.is_none() || skipped(&["skipVariables", "skipSecrets"]),
            resources_skipped: config.is_none() || skipped(&["skipResources"]),
            scopes: settings.iter().map(|layers| Scope::of(layers)).collect(),
        }
    }

    /// Whether files of a kind are worth reading for their references.
    pub(super) fn are_asked_for(&self, kind: Kind) -> bool {
        let refers = matches!(kind, Kind::Resource | Kind::Schedule | Kind::Trigger | Kind::Runnable);
        refers && !(self.variables_skipped && self.resources_skipped)
    }

    pub(super) fn check(&self, kind: Kind, text: &Text<'_>, out: &mut Findings<'_>) {
        let mentioned = text.bytes.find(b"$var:").is_some() || text.bytes.find(b"$res:").is_some();
        if !mentioned || !self.are_asked_for(kind) {
            return;
        }
        for root in &text.document.roots {
            root.walk(&mut |steps, node| {
                if let Some(message) = node.text().and_then(|t| self.dangles(t.trim())) {
                    let at = dotted(steps);
                    let Some(violation) = text.masked("windmill/dangling-reference", Severity::Warning, node.span.clone(), &at) else { return };
                    let help = "add the target, correct the path, or leave the target out on purpose (`excludes`, skip settings)";
                    out.push(violation.message(message).help(help));
                }
            });
        }
    }

    fn dangles(&self, text: &str) -> Option<String> {
        let (target, what, known, skipped) = if let Some(target) = text.strip_prefix("$var:") {
            (target, "variable", &self.variables, self.variables_skipped)
        } else {
            (text.strip_prefix("$res:")?, "resource", &self.resources, self.resources_skipped)
        };
        // Paths are put together at run time, or are words in a sentence.
        let path = target.contains('/') && !target.contains(|c: char| c.is_whitespace() || "${}()<>\"'`".contains(c));
        if skipped || !path || known.contains(target) {
            return None;
        }
        let file = format!("{target}.{what}.yaml");
        if self.scopes.iter().any(|s| !s.takes(&file)) {
            return None;
        }
        Some(format!("the {what} that this refers to is not in the tree"))
    }
}

impl Scope {
    fn of(layers: &[&Node]) -> Self {
        let globs = |key| {
            let list = setting(layers, key)?.items();
            let mut set = GlobSetBuilder::new();
            for pattern in list.iter().filter_map(Node::text) {
                // A glob that we cannot read may mean anything: it explains whatever is missing.
                set.add(GlobBuilder::new(pattern).literal_separator(true).build().ok()?);
            }
            if list.is_empty() { None } else { set.build().ok() }
        };
        Self { includes: globs("includes"), excludes: globs("excludes"), extra: globs("extraIncludes") }
    }

    fn takes(&self, path: &str) -> bool {
        self.includes.as_ref().is_none_or(|s| s.is_match(path))
            && !self.excludes.as_ref().is_some_and(|s| s.is_match(path))
            && self.extra.as_ref().is_none_or(|s| s.is_match(path))
    }
}

/// The sets of settings that may be in effect, each as maps of which the first wins: those of the tree's branch, or
/// every one there is where the branch is not known.
fn in_effect<'n>(ground: &Ground<'_>, config: &Config<'n>) -> Vec<Vec<&'n Node>> {
    let branch = ground.tree.name.as_ref().and_then(|n| n.strip_prefix(b"refs/heads/")).map(|b| b.to_str_lossy());
    let mut workspaces: Vec<_> = config.heeded().iter().collect();
    if let Some(branch) = branch
        && let Some(own) = workspaces.iter().position(|w| w.branch() == branch)
    {
        workspaces = vec![workspaces[own]];
    }
    let overrides = workspaces.iter().filter_map(|w| w.node.get(OVERRIDES[0]));
    let mut sets: Vec<Vec<&Node>> = overrides.map(|o| vec![o, config.root]).collect();
    if sets.is_empty() {
        sets.push(vec![config.root]);
    }
    sets
}

fn setting<'n>(layers: &[&'n Node], key: &str) -> Option<&'n Node> {
    layers.iter().find_map(|l| l.get(key))
}
