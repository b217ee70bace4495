//! Keys of `wmill.yaml` that the CLI does not know, ignores at their place, or refuses.

use std::collections::HashSet;
use std::ops::Range;

use super::config::{OVERRIDES, SECTIONS, WmillConfig};
use super::parsed_file::ParsedFile;
use crate::finding::{Findings, Severity};
use crate::text::nearest;
use crate::yaml::{Node, Value};

const CODE: &str = "windmill/unknown-key";

/// Settings of the top level and of overrides (windmill-cli 1.819.0).
const SETTINGS: [&str; 40] = [
    "defaultTs",
    "includes",
    "excludes",
    "extraIncludes",
    "skipVariables",
    "skipResources",
    "skipResourceTypes",
    "skipSecrets",
    "skipScripts",
    "skipFlows",
    "skipApps",
    "skipFolders",
    "skipWorkspaceDependencies",
    "skipDatatableMigrations",
    "includeSchedules",
    "includeTriggers",
    "includeUsers",
    "includeGroups",
    "includeSettings",
    "includeKey",
    "plainSecrets",
    "deleteUntrackedSecrets",
    "skipReencryptOnKeyChange",
    "stateful",
    "raw",
    "failConflicts",
    "skipPull",
    "yes",
    "dryRun",
    "json",
    "jsonOutput",
    "skipBranchValidation",
    "promotion",
    "parallel",
    "locksRequired",
    "dedupeLockfiles",
    "lint",
    "message",
    "nonDottedPaths",
    "syncBehavior",
];

/// Settings that the CLI reads at the top level only.
const TOP_ONLY: [&str; 1] = ["nonDottedPaths"];

const WORKSPACE: [&str; 6] =
    ["gitBranch", "workspaceId", "baseUrl", "overrides", "promotionOverrides", "specificItems"];

pub(super) const ITEMS: [&str; 6] = ["variables", "resources", "triggers", "schedules", "folders", "settings"];

pub(super) fn check(text: &ParsedFile<'_>, config: &WmillConfig<'_>, out: &mut Findings<'_>) {
    let keys = KeyChecker { text };
    for (key, value) in config.root.entries() {
        match key.text() {
            Some("overrides") => keys.old_overrides(key, value, out),
            Some("workspaces" | "codebases") => {}
            Some(name) if SETTINGS.contains(&name) => {}
            Some(name) if SECTIONS.contains(&name) => keys.deprecated(key, name, config, out),
            _ => keys.unknown(key, "", SETTINGS.into_iter().chain(["workspaces", "codebases"]), out),
        }
    }
    for section in &config.sections {
        // Its keys are workspace names, so a merge key would count as a workspace.
        for (key, _) in section.node.entries().iter().filter(|(k, _)| k.text() == Some("<<")) {
            keys.unknown(key, section.name, [], out);
        }
    }
    for workspace in config.workspaces() {
        for (key, _) in workspace.node.entries() {
            match key.text() {
                Some(name) if WORKSPACE.contains(&name) => {}
                Some(name) if SETTINGS.contains(&name) => keys.misplaced(key, name, &workspace.path, out),
                _ => keys.unknown(key, &workspace.path, WORKSPACE, out),
            }
        }
        for layer in workspace.overrides() {
            for (key, _) in layer.node.entries() {
                match key.text() {
                    Some(name) if TOP_ONLY.contains(&name) => {
                        keys.ignored(key, &layer.path, "the CLI reads it at the top level only", out);
                    }
                    Some("codebases") => {}
                    Some(name) if SETTINGS.contains(&name) => {}
                    _ => keys.unknown(key, &layer.path, SETTINGS.into_iter().chain(["codebases"]), out),
                }
            }
        }
        if let Some(items) = workspace.node.get("specificItems") {
            keys.items(items, &format!("{}.specificItems", workspace.path), out);
        }
    }
    for (path, items) in config.common_items() {
        keys.items(items, &path, out);
    }
}

/// Reports duplicate keys. Returns where they start, so that the parser's own error for them is not reported too.
pub(super) fn duplicates(text: &ParsedFile<'_>, out: &mut Findings<'_>) -> HashSet<usize> {
    let mut found: Vec<(String, Range<usize>)> = Vec::new();
    for root in &text.document.roots {
        root.walk(&mut |_, node| {
            let mut seen = HashSet::new();
            let again = node.entries().iter().filter(|(k, _)| k.text().is_some_and(|t| !seen.insert(t)));
            found.extend(again.map(|(k, _)| (k.text().unwrap_or_default().to_owned(), k.span.clone())));
        });
    }
    for (name, span) in &found {
        let Some(violation) = text.violation(CODE, Severity::Error, span.clone(), &format!("{name} twice")) else {
            break;
        };
        let message = format!("the key `{name}` is given twice: the CLI refuses the file");
        out.push(violation.message(message).help("keep one of the two"));
    }
    found.into_iter().map(|(_, span)| span.start).collect()
}

struct KeyChecker<'k> {
    text: &'k ParsedFile<'k>,
}

impl KeyChecker<'_> {
    fn old_overrides(&self, key: &Node, value: &Node, out: &mut Findings<'_>) {
        let empty = value.is_null() || value.entries().is_empty() && matches!(value.value, Value::Map(_));
        let severity = if empty { Severity::Warning } else { Severity::Error };
        let Some(violation) = self.text.violation(CODE, severity, key.span.clone(), "overrides") else { return };
        let help = "move it below a workspace: `workspaces: { <name>: { overrides: { ... } } }`";
        out.push(
            violation
                .message("`overrides` at the top level is no longer supported: the CLI refuses the file")
                .help(help),
        );
    }

    fn deprecated(&self, key: &Node, name: &str, config: &WmillConfig<'_>, out: &mut Findings<'_>) {
        let shadowed = config.sections.iter().any(|s| s.name == "workspaces" && !s.node.is_null());
        let Some(violation) = self.text.violation(CODE, Severity::Warning, key.span.clone(), name) else { return };
        out.push(match shadowed {
            true => violation
                .message(format!("`{name}` is ignored, because `workspaces` is set"))
                .help(format!("move its settings to `workspaces`, then remove `{name}`")),
            false => violation
                .message(format!("`{name}` is deprecated"))
                .help("run `wmill config migrate`, which renames it to `workspaces`"),
        });
    }

    fn misplaced(&self, key: &Node, name: &str, path: &str, out: &mut Findings<'_>) {
        let Some(violation) = self.text.violation(CODE, Severity::Warning, key.span.clone(), &format!("{path}.{name}"))
        else {
            return;
        };
        let message = format!("`{name}` is ignored directly in `{path}`");
        out.push(violation.message(message).help(format!("move it to `{path}.overrides`")));
    }

    fn ignored(&self, key: &Node, path: &str, why: &str, out: &mut Findings<'_>) {
        let name = key.text().unwrap_or("?");
        let Some(violation) = self.text.violation(CODE, Severity::Warning, key.span.clone(), &format!("{path}.{name}"))
        else {
            return;
        };
        out.push(violation.message(format!("`{name}` is ignored in `{path}`: {why}")));
    }

    fn unknown<'s>(&self, key: &Node, path: &str, known: impl IntoIterator<Item = &'s str>, out: &mut Findings<'_>) {
        let Some(name) = key.text() else {
            let Some(violation) = self.text.violation(CODE, Severity::Warning, key.span.clone(), path) else { return };
            out.push(violation.message("this key is not a string: the CLI ignores it"));
            return;
        };
        if name == "<<" {
            let why = "the CLI does not apply merge keys";
            return self.ignored(key, if path.is_empty() { "wmill.yaml" } else { path }, why, out);
        }
        let place = if path.is_empty() { String::new() } else { format!(" in `{path}`") };
        let at = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        let Some(violation) = self.text.violation(CODE, Severity::Warning, key.span.clone(), &at) else { return };
        let violation = violation.message(format!("the CLI does not know the key `{name}`{place}"));
        out.push(match nearest(name, known) {
            Some(meant) => violation.help(format!("did you mean `{meant}`?")),
            None if SETTINGS.contains(&name) || WORKSPACE.contains(&name) || OVERRIDES.contains(&name) => {
                violation.help("move it: the CLI reads this key elsewhere, see `wmill config`")
            }
            None => violation.help("run `wmill config` to list every key"),
        });
    }

    fn items(&self, items: &Node, path: &str, out: &mut Findings<'_>) {
        for (key, _) in items.entries().iter().filter(|(k, _)| !k.text().is_some_and(|k| ITEMS.contains(&k))) {
            self.unknown(key, path, ITEMS, out);
        }
    }
}
