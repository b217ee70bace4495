//! Exported workspace settings, users and triggers: secrets, personal data and public endpoints in them.

use super::TreeContext;
use super::config::WmillConfig;
use super::files::{Item, in_file_name};
use super::parsed_file::ParsedFile;
use super::words;
use crate::error::Result;
use crate::finding::{Findings, Severity};
use crate::subject::Entry;
use crate::yaml::{Node, Step, Value, dotted};

/// `settings.yaml`, `settings.staging.json`.
pub(super) fn check(context: &TreeContext<'_>, text: &ParsedFile<'_>, out: &mut Findings<'_>) -> Result<()> {
    let before = context.before(text)?;
    for root in &text.document.roots {
        root.walk(&mut |steps, node| {
            let key = steps.iter().rev().find_map(|s| if let Step::Key(k) = s { Some(*k) } else { None });
            if let Some(key) = key {
                secret(context, text, before.as_ref(), (steps, key, node), out);
                if key == "include_type" && matches!(node.value, Value::Scalar { .. } | Value::Alias(_)) {
                    include_type(text, steps, node, out);
                }
            }
        });
    }
    Ok(())
}

fn secret(
    context: &TreeContext<'_>,
    text: &ParsedFile<'_>,
    before: Option<&ParsedFile<'_>>,
    (steps, key, node): (&[Step<'_>], &str, &Node),
    out: &mut Findings<'_>,
) {
    let Some(literal) = node.text().filter(|t| !words::is_reference(t)) else { return };
    if node.is_null() || node.as_bool().is_some() {
        return;
    }
    let why = if words::names_secret(key, &context.options.names) && !words::stands_for_secret(literal) {
        format!("`{key}` is in plain text in the exported settings")
    } else if let Some(form) = words::secret_value(literal) {
        format!("`{key}` has {form} in the exported settings")
    } else {
        return;
    };
    // A changed secret is a new leak, so its identity differs; the fingerprint must not contain the value.
    let changed =
        before.and_then(ParsedFile::root).and_then(|r| node_at(r, steps)).is_some_and(|b| b.text() != Some(literal));
    let at = if changed { format!("{} changed", dotted(steps)) } else { dotted(steps) };
    let Some(violation) = text.masked("windmill/settings-export", Severity::Error, node.span.clone(), &at) else {
        return;
    };
    let help = "revoke it: git keeps the old value\nthen remove the file (git rm) and set `includeSettings: false` in wmill.yaml";
    out.push(violation.secret(node.span.clone()).message(why).help(help));
}

/// The node with the same key path in another version of the file.
fn node_at<'n>(root: &'n Node, steps: &[Step<'_>]) -> Option<&'n Node> {
    steps.iter().try_fold(root, |node, step| match step {
        Step::Key(key) => node.get(key),
        Step::Item(n) => node.items().get(*n),
    })
}

/// Checks one entry of `include_type`, or the value in place of the list.
fn include_type(text: &ParsedFile<'_>, steps: &[Step<'_>], node: &Node, out: &mut Findings<'_>) {
    let (severity, message) = match node.text() {
        Some("key") => (Severity::Error, "the git sync exports the encryption key: `include_type` contains `key`"),
        Some("secret") => (Severity::Warning, "the git sync exports secrets: `include_type` contains `secret`"),
        None => (Severity::Error, "an alias hides what the git sync exports"),
        _ => return,
    };
    let Some(violation) = text.masked("windmill/key-type", severity, node.span.clone(), &dotted(steps)) else { return };
    let help = "remove it here and in Windmill (workspace settings, git sync)\na deployment writes the file whatever wmill.yaml says";
    out.push(violation.message(message).help(help));
}

/// Reports an exported user: `users/<address>.user.yaml`.
pub(super) fn user(context: &TreeContext<'_>, entry: &Entry, out: &mut Findings<'_>) {
    let violation = context.path_violation(entry, "windmill/users-export", Severity::Warning, "");
    let help = format!("git rm -- {}\nset `includeUsers: false` in wmill.yaml", crate::shell::pathspec(&entry.path));
    out.push(violation.message("a workspace user is exported: address and role").help(help));
}

/// Whether an HTTP trigger reaches production: it is on production's branch or its file name names production.
pub(super) fn may_be_open(context: &TreeContext<'_>, config: Option<&WmillConfig<'_>>, item: &Item) -> bool {
    item.base.ends_with(".http_trigger.yaml")
        && match &item.workspace {
            Some(suffix) => environment_of(context, config, suffix).is_some_and(|e| context.options.is_production(e)),
            None => context.in_production(),
        }
}

/// Reports an HTTP trigger without authentication.
pub(super) fn open_trigger(text: &ParsedFile<'_>, out: &mut Findings<'_>) {
    let method = text.document.roots.iter().filter_map(|r| r.get("authentication_method"));
    for method in method.filter(|m| m.text() == Some("none")) {
        let at = "authentication_method";
        let Some(violation) = text.violation("windmill/public-trigger", Severity::Warning, method.span.clone(), at)
        else {
            return;
        };
        let help = "choose another `authentication_method` (windmill, api_key, basic_http, signature, custom_script), or accept it with an exception";
        out.push(violation.message("anybody can call this HTTP trigger in production").help(help));
    }
}

/// The environment of the workspace in a file name.
pub(super) fn environment_of(
    context: &TreeContext<'_>,
    config: Option<&WmillConfig<'_>>,
    suffix: &str,
) -> Option<usize> {
    let workspace = config.and_then(|c| c.active_workspaces().iter().find(|w| in_file_name(&w.name) == suffix));
    let by_branch = workspace.and_then(|w| context.options.environment(w.branch().into()));
    by_branch.or_else(|| context.options.environment_named_in(suffix))
}
