//! Which workspace a branch's files belong to: nothing of one environment names another.

use std::ops::Range;

use super::Ground;
use super::config::Config;
use super::files::Item;
use super::settings::environment_of;
use super::text::Text;
use super::words::other_environment;
use crate::finding::{Findings, Severity};
use crate::yaml::Node;

/// Keys that say where the CLI goes.
const KEYS: [&str; 3] = ["workspaceId", "baseUrl", "workspace"];

pub(super) fn config(ground: &Ground<'_>, text: &Text<'_>, config: &Config<'_>, out: &mut Findings<'_>) {
    if let Some(own) = ground.environment {
        for key in KEYS {
            value(ground, text, config.root, key, key, own, out);
        }
    }
    for workspace in config.workspaces() {
        let by_branch = ground.setup.environment(workspace.branch().into());
        let Some(own) = by_branch.or_else(|| ground.setup.named(&workspace.name)) else { continue };
        if let Some(other) = other_environment(&workspace.name, own, &ground.setup.names) {
            let what = format!("the workspace `{}`", workspace.name);
            told(ground, text, workspace.key.span.clone(), &workspace.path, &what, [own, other], out);
        }
        for key in KEYS {
            value(ground, text, workspace.node, key, &format!("{}.{key}", workspace.path), own, out);
        }
    }
}

pub(super) fn settings(
    ground: &Ground<'_>,
    config: Option<&Config<'_>>,
    item: &Item,
    text: &Text<'_>,
    out: &mut Findings<'_>,
) {
    let own = match &item.workspace {
        Some(suffix) => environment_of(ground, config, suffix),
        None => ground.environment,
    };
    if let (Some(own), Some(root)) = (own, text.root()) {
        value(ground, text, root, "name", "name", own, out);
    }
}

fn value(ground: &Ground<'_>, text: &Text<'_>, map: &Node, key: &str, at: &str, own: usize, out: &mut Findings<'_>) {
    let Some(node) = map.get(key) else { return };
    if let Some(other) = node.text().and_then(|t| other_environment(t, own, &ground.setup.names)) {
        told(ground, text, node.span.clone(), at, &format!("`{at}`"), [own, other], out);
    }
}

fn told(
    ground: &Ground<'_>,
    text: &Text<'_>,
    span: Range<usize>,
    at: &str,
    what: &str,
    [own, other]: [usize; 2],
    out: &mut Findings<'_>,
) {
    let (own, other) = (ground.setup.name(own), ground.setup.name(other));
    let Some(violation) = text.violation("windmill/identity", Severity::Error, span, at) else { return };
    let message = format!("{what} names {other}, and belongs to {own}");
    let help = format!("point it at {own}, or a sync will read from or write to {other}");
    out.push(violation.message(message).help(help));
}
