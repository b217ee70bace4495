//! `wmill.yaml` as the CLI reads it: the top level, the workspaces' overrides, and the deprecated names of `workspaces`.
//! Owns which settings take effect where. What a setting may be is up to each group of requirements.

use crate::yaml::{Node, Value};

/// The key `workspaces` and its former names, in the order in which the CLI looks for them.
pub(super) const SECTIONS: [&str; 4] = ["workspaces", "gitBranches", "environments", "git_branches"];

/// A key of the workspaces' map that is not a workspace.
pub(super) const COMMON_ITEMS: &str = "commonSpecificItems";

/// Maps of a workspace that override top-level settings; the second only with `--promotion`.
pub(super) const OVERRIDES: [&str; 2] = ["overrides", "promotionOverrides"];

/// A parsed `wmill.yaml`. Borrows from its syntax tree.
pub(super) struct WmillConfig<'n> {
    pub root: &'n Node,
    pub sections: Vec<Section<'n>>,
}

/// `workspaces:` or a deprecated map.
pub(super) struct Section<'n> {
    pub name: &'n str,
    pub node: &'n Node,
    pub workspaces: Vec<Workspace<'n>>,
}

pub(super) struct Workspace<'n> {
    /// The workspace's key in the map.
    pub name: String,
    pub key: &'n Node,
    pub node: &'n Node,
    /// `workspaces.staging`
    pub path: String,
}

/// A map of settings and its key path: empty for the top level, or `workspaces.staging.overrides`.
pub(super) struct SettingsMap<'n> {
    pub path: String,
    pub node: &'n Node,
}

impl<'n> WmillConfig<'n> {
    pub(super) fn new(root: &'n Node) -> Self {
        let sections = root.entries().iter().filter_map(|(key, node)| {
            let name = SECTIONS.into_iter().find(|s| key.text() == Some(s))?;
            Some(Section { name, node, workspaces: workspaces(name, key, node) })
        });
        Self { root, sections: sections.collect() }
    }

    /// The top level and every override, including those that the CLI currently ignores.
    pub(super) fn settings_maps(&self) -> Vec<SettingsMap<'n>> {
        let mut maps = vec![SettingsMap { path: String::new(), node: self.root }];
        maps.extend(self.workspaces().flat_map(Workspace::overrides));
        maps
    }

    pub(super) fn workspaces(&self) -> impl Iterator<Item = &Workspace<'n>> {
        self.sections.iter().flat_map(|s| &s.workspaces)
    }

    /// The workspaces that the CLI uses: those of the first section with a value.
    pub(super) fn active_workspaces(&self) -> &[Workspace<'n>] {
        let section =
            SECTIONS.iter().find_map(|name| self.sections.iter().find(|s| s.name == *name && !s.node.is_null()));
        section.map_or(&[], |s| &s.workspaces)
    }

    /// The value in effect on a branch: from the branch's first workspace, else from the top level.
    pub(super) fn effective(&self, key: &str, branch: &str) -> Option<&'n Node> {
        let workspace = self.active_workspaces().iter().find(|w| w.branch() == branch);
        let own = workspace.and_then(|w| w.node.get(OVERRIDES[0])).and_then(|o| o.get(key));
        own.or_else(|| self.root.get(key))
    }

    /// `commonSpecificItems` of every section.
    pub(super) fn common_items(&self) -> impl Iterator<Item = (String, &'n Node)> {
        self.sections.iter().filter_map(|s| Some((format!("{}.{COMMON_ITEMS}", s.name), s.node.get(COMMON_ITEMS)?)))
    }

    /// Where to point when a key is missing: the file's first key.
    pub(super) fn first_key_span(&self) -> std::ops::Range<usize> {
        self.root.entries().first().map_or(self.root.span.start..self.root.span.start, |(k, _)| k.span.clone())
    }
}

impl<'n> Workspace<'n> {
    /// The branch for which the CLI selects this workspace: `gitBranch`, else its name.
    pub(super) fn branch(&self) -> &str {
        self.node.get("gitBranch").and_then(Node::text).filter(|b| !b.is_empty()).unwrap_or(&self.name)
    }

    pub(super) fn overrides(&self) -> Vec<SettingsMap<'n>> {
        let layer = |(key, node): &'n (Node, Node)| {
            let name = OVERRIDES.into_iter().find(|o| key.text() == Some(o))?;
            Some(SettingsMap { path: format!("{}.{name}", self.path), node })
        };
        self.node.entries().iter().filter_map(layer).collect()
    }
}

impl<'n> SettingsMap<'n> {
    /// Every value of a key. A duplicate key is an error of its own, but must not hide the other value.
    pub(super) fn settings(&self, key: &'static str) -> impl Iterator<Item = &'n Node> {
        self.node.entries().iter().filter(move |(k, _)| k.text() == Some(key)).map(|(_, value)| value)
    }

    pub(super) fn path_to(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// For messages: ` in workspaces.staging.overrides`, empty for the top level.
    pub(super) fn location_suffix(&self) -> String {
        if self.path.is_empty() { String::new() } else { format!(" in {}", self.path) }
    }
}

fn workspaces<'n>(section: &str, key: &'n Node, node: &'n Node) -> Vec<Workspace<'n>> {
    let workspace = |name: &str, key, node| {
        let path = format!("{section}.{name}");
        Workspace { name: name.to_owned(), key, node, path }
    };
    match &node.value {
        Value::Map(entries) => {
            let named = entries.iter().filter_map(|(k, v)| Some((k.text()?, k, v)));
            // The CLI does not apply merge keys; `keys` reports them.
            named
                .filter(|(name, ..)| !matches!(*name, COMMON_ITEMS | "<<"))
                .map(|(name, k, v)| workspace(name, k, v))
                .collect()
        }
        // The CLI treats a list as a map with numbers as keys.
        Value::Seq(items) => items.iter().enumerate().map(|(n, v)| workspace(&n.to_string(), key, v)).collect(),
        _ => Vec::new(),
    }
}

/// Whether the CLI takes a switch as on: any value but `false` and null. An alias may resolve to anything, so it counts.
pub(super) fn is_on(value: &Node) -> bool {
    !value.is_null() && value.as_bool() != Some(false)
}
