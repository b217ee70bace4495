//! Settings that must be the same in every environment, since they change how all files are written or run.

use std::ops::Range;

use bstr::ByteSlice;

use super::Ground;
use super::config::Config;
use super::text::Text;
use crate::document::Format;
use crate::error::Result;
use crate::finding::{Findings, Severity};
use crate::yaml::Node;

/// The keys, and what the CLI takes when they are missing.
const KEYS: [(&str, &str); 3] = [("defaultTs", "bun"), ("nonDottedPaths", "false"), ("syncBehavior", "v0")];

/// The tree's branch against the branches of the other environments, as they will stand after the change.
pub(super) fn check(ground: &Ground<'_>, text: &Text<'_>, config: &Config<'_>, out: &mut Findings<'_>) -> Result<()> {
    let (Some(own), Some(name)) = (ground.environment, &ground.tree.name) else { return Ok(()) };
    let short = name.strip_prefix(b"refs/heads/").unwrap_or(name).to_str_lossy();
    for other in (0..ground.setup.count()).filter(|e| *e != own) {
        for branch in ground.setup.branches(other, ground.tree.snapshot)? {
            let Some(snapshot) = ground.tree.snapshot.other(&branch)? else { continue };
            // A root that the other branch does not have yet differs in nothing.
            let Some(bytes) = snapshot.read(text.path.as_bstr())? else { continue };
            let document = bytes.document(Format::Yaml);
            let Some(root) = document.roots.first() else { continue };
            let theirs = Config::of(root);
            for (key, default) in KEYS {
                let mine = effective(config, key, &short);
                if value(mine, default) != value(effective(&theirs, key, &branch), default) {
                    told(text, config, key, mine, &branch, out);
                }
            }
        }
    }
    Ok(())
}

fn effective<'n>(config: &Config<'n>, key: &str, branch: &str) -> Option<&'n Node> {
    match key {
        // The one that the CLI takes from the top level only.
        "nonDottedPaths" => config.root.get(key),
        _ => config.effective(key, branch),
    }
}

/// As the CLI takes it: nothing is the default, `true` and `True` are the same.
fn value(setting: Option<&Node>, default: &str) -> String {
    let node = setting.filter(|v| !v.is_null());
    node.map_or_else(
        || default.to_owned(),
        |v| v.as_bool().map_or_else(|| v.text().unwrap_or("*").to_owned(), |b| b.to_string()),
    )
}

fn told(text: &Text<'_>, config: &Config<'_>, key: &str, mine: Option<&Node>, branch: &str, out: &mut Findings<'_>) {
    let span: Range<usize> = mine.map_or_else(|| config.head(), |v| v.span.clone());
    let at = format!("{key} {branch}");
    let Some(violation) = text.violation("windmill/drift-keys", Severity::Error, span, &at) else { return };
    let missing = if mine.is_none() { " is not given here and" } else { "" };
    let message = format!("`{key}`{missing} differs from the one on `{branch}`");
    let help = format!(
        "git diff {} -- {}\ngive both branches the same value in one push",
        crate::shell::quote(branch),
        crate::shell::pathspec(&text.path)
    );
    out.push(violation.message(message).help(help));
}
