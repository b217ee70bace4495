//! Settings that must be equal in all environments, because they change how every file is written or run.

use std::ops::Range;

use bstr::ByteSlice as _;

use super::TreeContext;
use super::config::WmillConfig;
use super::parsed_file::ParsedFile;
use crate::document::Format;
use crate::error::Result;
use crate::finding::{Findings, Severity};
use crate::yaml::Node;

/// The keys and the CLI's defaults.
const KEYS: [(&str, &str); 3] = [("defaultTs", "bun"), ("nonDottedPaths", "false"), ("syncBehavior", "v0")];

/// Compares the tree's branch with the branches of the other environments after the change.
pub(super) fn check(
    context: &TreeContext<'_>,
    text: &ParsedFile<'_>,
    config: &WmillConfig<'_>,
    out: &mut Findings<'_>,
) -> Result<()> {
    let (Some(own), Some(name)) = (context.environment, &context.tree.name) else { return Ok(()) };
    let short = name.strip_prefix(b"refs/heads/").unwrap_or(name).to_str_lossy();
    for other in (0..context.options.count()).filter(|e| *e != own) {
        for branch in context.options.branches(other, context.tree.snapshot)? {
            let Some(snapshot) = context.tree.snapshot.other(&branch)? else { continue };
            // The other branch does not have this root yet: nothing to compare.
            let Some(bytes) = snapshot.read(text.path.as_bstr())? else { continue };
            let document = bytes.document(Format::Yaml);
            let Some(root) = document.roots.first() else { continue };
            let theirs = WmillConfig::new(root);
            for (key, default) in KEYS {
                let mine = effective(config, key, &short);
                if value(mine, default) != value(effective(&theirs, key, &branch), default) {
                    report(text, config, key, mine, &branch, out);
                }
            }
        }
    }
    Ok(())
}

fn effective<'n>(config: &WmillConfig<'n>, key: &str, branch: &str) -> Option<&'n Node> {
    match key {
        // The CLI reads this one at the top level only.
        "nonDottedPaths" => config.root.get(key),
        _ => config.effective(key, branch),
    }
}

/// The value as the CLI reads it: null is the default, `True` equals `true`.
fn value(setting: Option<&Node>, default: &str) -> String {
    let node = setting.filter(|v| !v.is_null());
    node.map_or_else(
        || default.to_owned(),
        |v| v.as_bool().map_or_else(|| v.text().unwrap_or("*").to_owned(), |b| b.to_string()),
    )
}

fn report(
    text: &ParsedFile<'_>,
    config: &WmillConfig<'_>,
    key: &str,
    mine: Option<&Node>,
    branch: &str,
    out: &mut Findings<'_>,
) {
    let span: Range<usize> = mine.map_or_else(|| config.first_key_span(), |v| v.span.clone());
    let at = format!("{key} {branch}");
    let Some(violation) = text.violation("windmill/drift-keys", Severity::Error, span, &at) else { return };
    let missing = if mine.is_none() { " is not set here and" } else { "" };
    let message = format!("`{key}`{missing} differs from `{branch}`");
    let help = format!(
        "give both branches the same value in one push\ncompare them: git diff {} -- {}",
        crate::shell::quote(branch),
        crate::shell::pathspec(&text.path)
    );
    out.push(violation.message(message).help(help));
}
