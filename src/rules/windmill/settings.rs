//! Exported workspace settings, users and triggers: what they open.

use super::Ground;
use super::config::Config;
use super::files::{Item, in_file_name};
use super::text::Text;
use super::words;
use crate::error::Result;
use crate::finding::{Findings, Severity};
use crate::subject::Entry;
use crate::yaml::{Node, Step, Value, dotted};

/// `settings.yaml`, `settings.staging.json`.
pub(super) fn check(ground: &Ground<'_>, text: &Text<'_>, out: &mut Findings<'_>) -> Result<()> {
    let before = ground.before(text)?;
    for root in &text.document.roots {
        root.walk(&mut |steps, node| {
            let key = steps.iter().rev().find_map(|s| if let Step::Key(k) = s { Some(*k) } else { None });
            if let Some(key) = key {
                secret(ground, text, before.as_ref(), (steps, key, node), out);
                if key == "include_type" && matches!(node.value, Value::Scalar { .. } | Value::Alias(_)) {
                    include_type(text, steps, node, out);
                }
            }
        });
    }
    Ok(())
}

fn secret(
    ground: &Ground<'_>,
    text: &Text<'_>,
    before: Option<&Text<'_>>,
    (steps, key, node): (&[Step<'_>], &str, &Node),
    out: &mut Findings<'_>,
) {
    let Some(said) = node.text().filter(|t| !words::is_reference(t)) else { return };
    if node.is_null() || node.as_bool().is_some() {
        return;
    }
    let why = if words::names_secret(key, &ground.setup.names) && !words::stands_for_secret(said) {
        format!("`{key}` stands in clear in the exported settings")
    } else if let Some(form) = words::secret_value(said) {
        format!("`{key}` has {form} in the exported settings")
    } else {
        return;
    };
    // Another secret where one stood before is a new leak, and the fingerprint must not hold its value.
    let changed = before.and_then(Text::root).and_then(|r| at(r, steps)).is_some_and(|b| b.text() != Some(said));
    let at = if changed { format!("{} changed", dotted(steps)) } else { dotted(steps) };
    let Some(violation) = text.masked("windmill/settings-export", Severity::Error, node.span.clone(), &at) else {
        return;
    };
    let help = "revoke it, since git keeps it; then take the file out (git rm) and write `includeSettings: false` in wmill.yaml";
    out.push(violation.secret(node.span.clone()).message(why).help(help));
}

/// The node at the same place of another version of the file.
fn at<'n>(root: &'n Node, steps: &[Step<'_>]) -> Option<&'n Node> {
    steps.iter().try_fold(root, |node, step| match step {
        Step::Key(key) => node.get(key),
        Step::Item(n) => node.items().get(*n),
    })
}

/// One entry of `include_type`, or what stands in place of the list.
fn include_type(text: &Text<'_>, steps: &[Step<'_>], node: &Node, out: &mut Findings<'_>) {
    let (severity, message) = match node.text() {
        Some("key") => (Severity::Error, "the git sync exports the encryption key: `include_type` contains `key`"),
        Some("secret") => (Severity::Warning, "the git sync exports secrets: `include_type` contains `secret`"),
        None => (Severity::Error, "an alias hides what the git sync exports"),
        _ => return,
    };
    let Some(violation) = text.masked("windmill/key-type", severity, node.span.clone(), &dotted(steps)) else { return };
    let help = "take it out here and in Windmill (workspace settings, git sync): a deployment writes the file whatever wmill.yaml says";
    out.push(violation.message(message).help(help));
}

/// `users/<address>.user.yaml`.
pub(super) fn user(ground: &Ground<'_>, entry: &Entry, out: &mut Findings<'_>) {
    let violation = ground.about(entry, "windmill/users-export", Severity::Warning, "");
    let help = format!("git rm -- {}, and `includeUsers: false` in wmill.yaml", crate::shell::pathspec(&entry.path));
    out.push(violation.message("a user of the workspace is exported: address and role").help(help));
}

/// A trigger that production will have: on its branch, or with its name in the file's.
pub(super) fn may_be_open(ground: &Ground<'_>, config: Option<&Config<'_>>, item: &Item) -> bool {
    item.base.ends_with(".http_trigger.yaml")
        && match &item.workspace {
            Some(suffix) => environment_of(ground, config, suffix).is_some_and(|e| ground.setup.is_production(e)),
            None => ground.in_production(),
        }
}

/// An HTTP trigger that asks nobody who they are.
pub(super) fn open_trigger(text: &Text<'_>, out: &mut Findings<'_>) {
    let method = text.document.roots.iter().filter_map(|r| r.get("authentication_method"));
    for method in method.filter(|m| m.text() == Some("none")) {
        let at = "authentication_method";
        let Some(violation) = text.violation("windmill/public-trigger", Severity::Warning, method.span.clone(), at)
        else {
            return;
        };
        let help = "choose another `authentication_method` (windmill, api_key, basic_http, signature, custom_script), or accept it with an exception";
        out.push(violation.message("everybody can call this HTTP trigger in production").help(help));
    }
}

/// The environment that a suffix of a file name stands for.
pub(super) fn environment_of(ground: &Ground<'_>, config: Option<&Config<'_>>, suffix: &str) -> Option<usize> {
    let workspace = config.and_then(|c| c.heeded().iter().find(|w| in_file_name(&w.name) == suffix));
    let by_branch = workspace.and_then(|w| ground.setup.environment(w.branch().into()));
    by_branch.or_else(|| ground.setup.named(suffix))
}
