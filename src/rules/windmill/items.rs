//! `specificItems`: which items each workspace has a file of its own for.
//! Owns the patterns, as the CLI matches them: against the path with its ending, without the workspace in it.

use globset::{GlobBuilder, GlobMatcher};

use super::config::{Config, Workspace};
use super::files::{Item, Kind};
use super::text::Text;
use crate::finding::{Findings, Severity};
use crate::subject::Entry;
use crate::yaml::Node;

/// Lists of patterns, and what they are about.
const LISTS: [(&str, Kind); 5] = [
    ("variables", Kind::Variable),
    ("resources", Kind::Resource),
    ("triggers", Kind::Trigger),
    ("schedules", Kind::Schedule),
    ("folders", Kind::Folder),
];

/// Patterns of one list that are heeded: a hostile configuration must end.
const MAX_PATTERNS: usize = 1000;

/// What a pattern is matched against.
fn subject(item: &Item) -> (Kind, String) {
    match item.kind {
        Kind::Folder => (Kind::Folder, item.name.clone()),
        Kind::ResourceFile => (Kind::Resource, format!("{}.resource.yaml", item.name)),
        kind => (kind, item.base.clone()),
    }
}

struct Pattern {
    text: String,
    /// `None` where it is no glob: it matches nothing then, for the CLI as well.
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

/// The items that a workspace has files of its own for.
pub(super) struct Own {
    patterns: Vec<(Kind, Pattern)>,
    settings: bool,
}

impl Own {
    pub(super) fn of(config: &Config<'_>, workspace: &Workspace<'_>) -> Self {
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

    pub(super) fn has(&self, item: &Item) -> bool {
        let (kind, path) = subject(item);
        kind == Kind::Settings && self.settings || self.patterns.iter().any(|(k, p)| *k == kind && p.fits(&path))
    }
}

/// Patterns that match nothing in the tree.
pub(super) fn patterns(text: &Text<'_>, config: &Config<'_>, items: &[(Item, &Entry)], out: &mut Findings<'_>) {
    let own =
        config.workspaces().filter_map(|w| Some((format!("{}.specificItems", w.path), w.node.get("specificItems")?)));
    let lists: Vec<(String, &Node)> = config.common_items().chain(own).collect();
    if lists.is_empty() {
        return;
    }
    let subjects: Vec<(Kind, String, &Item)> = items
        .iter()
        .map(|(item, _)| {
            let (kind, path) = subject(item);
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
