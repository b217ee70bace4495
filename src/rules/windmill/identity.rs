//! Nothing that belongs to one environment may name another: workspaces, base URLs, exported settings.

use std::ops::Range;

use super::TreeContext;
use super::config::WmillConfig;
use super::files::Item;
use super::parsed_file::ParsedFile;
use super::settings::environment_of;
use super::words::other_environment;
use crate::finding::{Findings, Severity};
use crate::yaml::Node;

/// Keys that say which Windmill instance and workspace the CLI talks to.
const KEYS: [&str; 3] = ["workspaceId", "baseUrl", "workspace"];

pub(super) fn config(
    context: &TreeContext<'_>,
    text: &ParsedFile<'_>,
    config: &WmillConfig<'_>,
    out: &mut Findings<'_>,
) {
    if let Some(own) = context.environment {
        for key in KEYS {
            value(context, text, config.root, key, key, own, out);
        }
    }
    for workspace in config.workspaces() {
        let by_branch = context.options.environment(workspace.branch().into());
        let Some(own) = by_branch.or_else(|| context.options.environment_named_in(&workspace.name)) else { continue };
        if let Some(other) = other_environment(&workspace.name, own, &context.options.names) {
            let what = format!("the workspace `{}`", workspace.name);
            report(context, text, workspace.key.span.clone(), &workspace.path, &what, [own, other], out);
        }
        for key in KEYS {
            value(context, text, workspace.node, key, &format!("{}.{key}", workspace.path), own, out);
        }
    }
}

pub(super) fn settings(
    context: &TreeContext<'_>,
    config: Option<&WmillConfig<'_>>,
    item: &Item,
    text: &ParsedFile<'_>,
    out: &mut Findings<'_>,
) {
    let own = match &item.workspace {
        Some(suffix) => environment_of(context, config, suffix),
        None => context.environment,
    };
    if let (Some(own), Some(root)) = (own, text.root()) {
        value(context, text, root, "name", "name", own, out);
    }
}

fn value(
    context: &TreeContext<'_>,
    text: &ParsedFile<'_>,
    map: &Node,
    key: &str,
    at: &str,
    own: usize,
    out: &mut Findings<'_>,
) {
    let Some(node) = map.get(key) else { return };
    if let Some(other) = node.text().and_then(|t| other_environment(t, own, &context.options.names)) {
        report(context, text, node.span.clone(), at, &format!("`{at}`"), [own, other], out);
    }
}

fn report(
    context: &TreeContext<'_>,
    text: &ParsedFile<'_>,
    span: Range<usize>,
    at: &str,
    what: &str,
    [own, other]: [usize; 2],
    out: &mut Findings<'_>,
) {
    let (own, other) = (context.options.name(own), context.options.name(other));
    let Some(violation) = text.violation("windmill/identity", Severity::Error, span, at) else { return };
    let message = format!("{what} names {other} but belongs to {own}");
    let help = format!("point it at {own}: a sync would read from or write to {other}");
    out.push(violation.message(message).help(help));
}
