//! `$var:` and `$res:` references: their targets are in the tree, or are excluded on purpose.

use std::collections::HashSet;

use bstr::ByteSlice as _;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::TreeContext;
use super::config::{OVERRIDES, WmillConfig, is_on};
use super::files::{Item, ItemKind};
use super::parsed_file::ParsedFile;
use crate::finding::{Findings, Severity};
use crate::subject::Entry;
use crate::yaml::{Node, dotted};

/// The targets that references may have.
pub(super) struct Targets<'i> {
    variables: HashSet<&'i str>,
    resources: HashSet<&'i str>,
    variables_skipped: bool,
    resources_skipped: bool,
    /// The sync's path filters, one for each set of settings that may be in effect.
    scopes: Vec<SyncScope>,
}

/// `includes`, `excludes` and `extraIncludes`; `None` if not set.
struct SyncScope {
    includes: Option<GlobSet>,
    excludes: Option<GlobSet>,
    extra: Option<GlobSet>,
}

impl<'i> Targets<'i> {
    pub(super) fn new(
        context: &TreeContext<'_>,
        config: Option<&WmillConfig<'_>>,
        items: &'i [(Item, &Entry)],
    ) -> Self {
        let of = |kinds: &'static [ItemKind]| {
            items.iter().filter(|(i, _)| kinds.contains(&i.kind)).map(|(i, _)| i.name.as_str()).collect()
        };
        let settings = config.map(|c| effective_settings(context, c)).unwrap_or_default();
        let skipped =
            |keys: &[&str]| settings.iter().any(|layers| keys.iter().any(|k| setting(layers, k).is_some_and(is_on)));
        Self {
            variables: of(&[ItemKind::Variable]),
            resources: of(&[ItemKind::Resource, ItemKind::ResourceFile]),
            // With `skipSecrets`, a missing variable may be a secret one.
            variables_skipped: config.is_none() || skipped(&["skipVariables", "skipSecrets"]),
            resources_skipped: config.is_none() || skipped(&["skipResources"]),
            scopes: settings.iter().map(|layers| SyncScope::new(layers)).collect(),
        }
    }

    /// Whether files of this kind can contain references worth checking.
    pub(super) fn can_refer(&self, kind: ItemKind) -> bool {
        let refers = matches!(kind, ItemKind::Resource | ItemKind::Schedule | ItemKind::Trigger | ItemKind::Runnable);
        refers && !(self.variables_skipped && self.resources_skipped)
    }

    pub(super) fn check(&self, kind: ItemKind, text: &ParsedFile<'_>, out: &mut Findings<'_>) {
        let mentioned = text.bytes.find(b"$var:").is_some() || text.bytes.find(b"$res:").is_some();
        if !mentioned || !self.can_refer(kind) {
            return;
        }
        for root in &text.document.roots {
            root.walk(&mut |steps, node| {
                if let Some(message) = node.text().and_then(|t| self.dangling_message(t.trim())) {
                    let at = dotted(steps);
                    let Some(violation) = text.masked("windmill/dangling-reference", Severity::Warning, node.span.clone(), &at) else { return };
                    let help = "add the target or correct the path\nto leave it out on purpose, use `excludes` or a skip setting";
                    out.push(violation.message(message).help(help));
                }
            });
        }
    }

    /// The message for a reference whose target is missing.
    fn dangling_message(&self, text: &str) -> Option<String> {
        let (target, what, known, skipped) = if let Some(target) = text.strip_prefix("$var:") {
            (target, "variable", &self.variables, self.variables_skipped)
        } else {
            (text.strip_prefix("$res:")?, "resource", &self.resources, self.resources_skipped)
        };
        // Other texts are paths built at run time, or prose.
        let path = target.contains('/') && !target.contains(|c: char| c.is_whitespace() || "${}()<>\"'`".contains(c));
        if skipped || !path || known.contains(target) {
            return None;
        }
        let file = format!("{target}.{what}.yaml");
        if self.scopes.iter().any(|s| !s.includes(&file)) {
            return None;
        }
        Some(format!("this refers to a {what} that is not in the tree"))
    }
}

impl SyncScope {
    fn new(layers: &[&Node]) -> Self {
        let globs = |key| {
            let list = setting(layers, key)?.items();
            let mut set = GlobSetBuilder::new();
            for pattern in list.iter().filter_map(Node::text) {
                // An invalid glob may exclude anything, so nothing counts as missing.
                set.add(GlobBuilder::new(pattern).literal_separator(true).build().ok()?);
            }
            if list.is_empty() { None } else { set.build().ok() }
        };
        Self { includes: globs("includes"), excludes: globs("excludes"), extra: globs("extraIncludes") }
    }

    fn includes(&self, path: &str) -> bool {
        self.includes.as_ref().is_none_or(|s| s.is_match(path))
            && !self.excludes.as_ref().is_some_and(|s| s.is_match(path))
            && self.extra.as_ref().is_none_or(|s| s.is_match(path))
    }
}

/// The sets of settings that may be in effect, each as maps of which the first wins: those of the tree's branch, or all
/// of them if the branch is not known.
fn effective_settings<'n>(context: &TreeContext<'_>, config: &WmillConfig<'n>) -> Vec<Vec<&'n Node>> {
    let branch = context.tree.name.as_ref().and_then(|n| n.strip_prefix(b"refs/heads/")).map(|b| b.to_str_lossy());
    let mut workspaces: Vec<_> = config.active_workspaces().iter().collect();
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
