//! `wmill.yaml` as the CLI reads it: the top level, the workspaces' overrides, the deprecated maps of the same shape.
//! Owns which settings take effect where; each group of rules owns what it makes of them.

use crate::yaml::{Node, Value};

/// The map of workspaces and the names it had before, in the order in which the CLI looks for them.
pub(super) const SECTIONS: [&str; 4] = ["workspaces", "gitBranches", "environments", "git_branches"];

/// Not a workspace, though it stands among them.
pub(super) const COMMON_ITEMS: &str = "commonSpecificItems";

/// The maps of a workspace that replace settings of the top level; the second with `--promotion`.
pub(super) const OVERRIDES: [&str; 2] = ["overrides", "promotionOverrides"];

/// A `wmill.yaml` taken apart. Everything points into its tree.
pub(super) struct Config<'n> {
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
    /// The key it stands under.
    pub name: String,
    pub key: &'n Node,
    pub node: &'n Node,
    /// `workspaces.staging`
    pub path: String,
}

/// A map of settings, and how one gets there: empty for the top level, `workspaces.staging.overrides`.
pub(super) struct Layer<'n> {
    pub path: String,
    pub node: &'n Node,
}

impl<'n> Config<'n> {
    pub(super) fn of(root: &'n Node) -> Self {
        let sections = root.entries().iter().filter_map(|(key, node)| {
            let name = SECTIONS.into_iter().find(|s| key.text() == Some(s))?;
            Some(Section { name, node, workspaces: workspaces(name, key, node) })
        });
        Self { root, sections: sections.collect() }
    }

    /// The top level and every override there is, whether the CLI would heed it today or not.
    pub(super) fn layers(&self) -> Vec<Layer<'n>> {
        let mut layers = vec![Layer { path: String::new(), node: self.root }];
        layers.extend(self.workspaces().flat_map(Workspace::overrides));
        layers
    }

    pub(super) fn workspaces(&self) -> impl Iterator<Item = &Workspace<'n>> {
        self.sections.iter().flat_map(|s| &s.workspaces)
    }

    /// The workspaces that the CLI heeds: those of the first section that has any value.
    pub(super) fn heeded(&self) -> &[Workspace<'n>] {
        let section =
            SECTIONS.iter().find_map(|name| self.sections.iter().find(|s| s.name == *name && !s.node.is_null()));
        section.map_or(&[], |s| &s.workspaces)
    }

    /// The value in effect on a branch: that of the first workspace of the branch, else the top level's.
    pub(super) fn effective(&self, key: &str, branch: &str) -> Option<&'n Node> {
        let workspace = self.heeded().iter().find(|w| w.branch() == branch);
        let own = workspace.and_then(|w| w.node.get(OVERRIDES[0])).and_then(|o| o.get(key));
        own.or_else(|| self.root.get(key))
    }

    /// `commonSpecificItems` of every section.
    pub(super) fn common_items(&self) -> impl Iterator<Item = (String, &'n Node)> {
        self.sections.iter().filter_map(|s| Some((format!("{}.{COMMON_ITEMS}", s.name), s.node.get(COMMON_ITEMS)?)))
    }

    /// What to mark when a key is missing: the first one there is.
    pub(super) fn head(&self) -> std::ops::Range<usize> {
        self.root.entries().first().map_or(self.root.span.start..self.root.span.start, |(k, _)| k.span.clone())
    }
}

impl<'n> Workspace<'n> {
    /// The branch on which the CLI takes it: `gitBranch`, else its name.
    pub(super) fn branch(&self) -> &str {
        self.node.get("gitBranch").and_then(Node::text).filter(|b| !b.is_empty()).unwrap_or(&self.name)
    }

    pub(super) fn overrides(&self) -> Vec<Layer<'n>> {
        let layer = |(key, node): &'n (Node, Node)| {
            let name = OVERRIDES.into_iter().find(|o| key.text() == Some(o))?;
            Some(Layer { path: format!("{}.{name}", self.path), node })
        };
        self.node.entries().iter().filter_map(layer).collect()
    }
}

impl<'n> Layer<'n> {
    /// Every value of a key: a doubled one is a mistake of its own, but must not hide the other.
    pub(super) fn settings(&self, key: &'static str) -> impl Iterator<Item = &'n Node> {
        self.node.entries().iter().filter(move |(k, _)| k.text() == Some(key)).map(|(_, value)| value)
    }

    pub(super) fn path_to(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// For messages: ` in workspaces.staging.overrides`, nothing for the top level.
    pub(super) fn place(&self) -> String {
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
            // Merge keys are not applied; that is told as an unknown key.
            named
                .filter(|(name, ..)| !matches!(*name, COMMON_ITEMS | "<<"))
                .map(|(name, k, v)| workspace(name, k, v))
                .collect()
        }
        // The CLI takes a list for a map from numbers.
        Value::Seq(items) => items.iter().enumerate().map(|(n, v)| workspace(&n.to_string(), key, v)).collect(),
        _ => Vec::new(),
    }
}

/// Switched on for the CLI: everything but `false` and nothing. An alias may stand for anything.
pub(super) fn is_on(value: &Node) -> bool {
    !value.is_null() && value.as_bool() != Some(false)
}
