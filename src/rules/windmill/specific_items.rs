//! `specificItems`: the items for which each workspace has its own file.
//! Owns the patterns. As in the CLI, they match the path with its extension and without the workspace.

use globset::{GlobBuilder, GlobMatcher};

use super::config::{WmillConfig, Workspace};
use super::files::{Item, ItemKind};
use super::parsed_file::ParsedFile;
use crate::finding::{Findings, Severity};
use crate::subject::Entry;
use crate::yaml::Node;

/// Lists of patterns and the kinds that they match.
const LISTS: [(&str, ItemKind); 5] = [
    ("variables", ItemKind::Variable),
    ("resources", ItemKind::Resource),
    ("triggers", ItemKind::Trigger),
    ("schedules", ItemKind::Schedule),
    ("folders", ItemKind::Folder),
];

/// Patterns read per list, so that a hostile file cannot cost unbounded time.
const MAX_PATTERNS: usize = 1000;

/// The kind and path that patterns match.
fn match_target(item: &Item) -> (ItemKind, String) {
    match item.kind {
        ItemKind::Folder => (ItemKind::Folder, item.name.clone()),
        ItemKind::ResourceFile => (ItemKind::Resource, format!("{}.resource.yaml", item.name)),
        kind => (kind, item.base.clone()),
    }
}

struct Pattern {
    text: String,
    /// `None` if the glob is invalid: it then matches nothing, as in the CLI.
    glob: Option<GlobMatcher>,
    negated: bool,
}

impl Pattern {
    fn new(text: &str) -> Self {
        let bare = text.trim_start_matches('!');
        let negated = (text.len() - bare.len()) % 2 == 1;
        let glob = GlobBuilder::new(bare).literal_separator(true).backslash_escape(true).build();
        let glob = glob.ok().filter(|_| !bare.starts_with('#')).map(|g| g.compile_matcher());
        Self { text: text.to_owned(), glob, negated }
    }

    fn fits(&self, path: &str) -> bool {
        self.text == path || self.glob.as_ref().is_some_and(|g| g.is_match(path) != self.negated)
    }
}

/// The items for which a workspace has its own files.
pub(super) struct SpecificItems {
    patterns: Vec<(ItemKind, Pattern)>,
    settings: bool,
}

impl SpecificItems {
    pub(super) fn new(config: &WmillConfig<'_>, workspace: &Workspace<'_>) -> Self {
        let section = workspace.path.split('.').next();
        let common = config.common_items().filter(|(at, _)| at.split('.').next() == section).map(|(_, node)| node);
        let lists: Vec<&Node> = common.chain(workspace.node.get("specificItems")).collect();
        let mut patterns = Vec::new();
        for (key, kind) in LISTS {
            let texts = lists.iter().filter_map(|l| l.get(key)).flat_map(Node::items).filter_map(Node::text);
            patterns.extend(texts.take(MAX_PATTERNS).map(|t| (kind, Pattern::new(t))));
        }
        let settings = lists.iter().any(|l| l.get("settings").and_then(Node::as_bool) == Some(true));
        Self { patterns, settings }
    }

    pub(super) fn contains(&self, item: &Item) -> bool {
        let (kind, path) = match_target(item);
        kind == ItemKind::Settings && self.settings || self.patterns.iter().any(|(k, p)| *k == kind && p.fits(&path))
    }
}

/// Reports patterns that match no file of the tree.
pub(super) fn unmatched_patterns(
    text: &ParsedFile<'_>,
    config: &WmillConfig<'_>,
    items: &[(Item, &Entry)],
    out: &mut Findings<'_>,
) {
    let own =
        config.workspaces().filter_map(|w| Some((format!("{}.specificItems", w.path), w.node.get("specificItems")?)));
    let lists: Vec<(String, &Node)> = config.common_items().chain(own).collect();
    if lists.is_empty() {
        return;
    }
    let subjects: Vec<(ItemKind, String, &Item)> = items
        .iter()
        .map(|(item, _)| {
            let (kind, path) = match_target(item);
            (kind, path, item)
        })
        .collect();
    for (path, list) in &lists {
        for (key, kind) in LISTS {
            for pattern in list.get(key).into_iter().flat_map(Node::items).take(MAX_PATTERNS) {
                let Some(glob) = pattern.text() else { continue };
                let compiled = Pattern::new(glob);
                if subjects.iter().any(|(k, p, _)| *k == kind && compiled.fits(p)) {
                    continue;
                }
                let at = format!("{path}.{key}.{glob}");
                let Some(violation) =
                    text.violation("windmill/specific-items", Severity::Warning, pattern.span.clone(), &at)
                else {
                    return;
                };
                let violation = violation.message(format!("the pattern matches no tracked file of `{key}`"));
                let meant = subjects.iter().find(|(k, p, i)| *k == kind && (i.name == glob || p.starts_with(glob)));
                out.push(match meant {
                    Some((_, full, _)) => violation.help(format!(
                        "patterns are matched against the path with its ending: write `{full}`, or `{}*`",
                        glob
                    )),
                    None => violation.help(
                        "patterns are matched against paths like `f/app/db.variable.yaml`, without the workspace",
                    ),
                });
            }
        }
    }
}
