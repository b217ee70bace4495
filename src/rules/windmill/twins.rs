//! Workspace-specific files (`db.staging.variable.yaml`) need counterparts for the other environments.

use std::collections::BTreeMap;

use super::TreeContext;
use super::config::WmillConfig;
use super::files::{Item, in_file_name};
use super::specific_items::SpecificItems;
use crate::finding::{Findings, Severity};
use crate::subject::Entry;

/// A workspace for which every workspace-specific item needs a file.
struct ExpectedWorkspace {
    /// Its name in file names.
    suffix: String,
    environment: Option<usize>,
    /// `None` if the configuration does not list the workspace.
    specific_items: Option<SpecificItems>,
}

#[derive(Default)]
struct Twins<'e> {
    /// There is a file without a workspace, used by workspaces without their own.
    has_shared: bool,
    files: Vec<(&'e str, &'e Item, &'e Entry)>,
}

pub(super) fn check(
    context: &TreeContext<'_>,
    config: Option<&WmillConfig<'_>>,
    items: &[(Item, &Entry)],
    out: &mut Findings<'_>,
) {
    if items.iter().all(|(i, _)| i.workspace.is_none()) {
        return;
    }
    let mut groups: BTreeMap<&str, Twins<'_>> = BTreeMap::new();
    for (item, entry) in items {
        let twins = groups.entry(&item.base).or_default();
        match &item.workspace {
            Some(w) => twins.files.push((w, item, entry)),
            None => twins.has_shared = true,
        }
    }
    let expected = expected_workspaces(context, config, items);
    for twins in groups.values() {
        // A suffix that no workspace has is part of the item's name.
        let known = twins.files.iter().find(|(suffix, ..)| expected.iter().any(|e| e.suffix == *suffix));
        let Some((_, item, entry)) = known else { continue };
        for missing in expected.iter().filter(|e| !twins.files.iter().any(|(suffix, ..)| *suffix == e.suffix)) {
            if twins.has_shared && !missing.specific_items.as_ref().is_some_and(|own| own.contains(item)) {
                continue;
            }
            report(context, item, entry, missing, out);
        }
    }
}

fn report(context: &TreeContext<'_>, item: &Item, entry: &Entry, missing: &ExpectedWorkspace, out: &mut Findings<'_>) {
    // A missing file breaks production; in other environments it may still be added.
    let production = context.in_production() && missing.environment.is_some_and(|e| context.options.is_production(e));
    let severity = if production { Severity::Error } else { Severity::Warning };
    let violation = context.path_violation(entry, "windmill/missing-twin", severity, &missing.suffix);
    let twin = twin(entry, item, &missing.suffix);
    let message = format!("there is no counterpart of this file for `{}`", missing.suffix);
    out.push(violation.message(message).help(format!("add `{twin}`")));
}

/// The path of the same item for another workspace.
fn twin(entry: &Entry, item: &Item, suffix: &str) -> String {
    let path = entry.path.to_string();
    let own = format!(".{}.", item.workspace.as_deref().unwrap_or_default());
    match path.rfind(&own) {
        Some(at) => format!("{}.{suffix}.{}", &path[..at], &path[at + own.len()..]),
        None => path,
    }
}

/// The configured workspaces that belong to an environment (all, if the policy has no environments). For an environment
/// without a workspace: the suffix that its files use, else its name.
fn expected_workspaces(
    context: &TreeContext<'_>,
    config: Option<&WmillConfig<'_>>,
    items: &[(Item, &Entry)],
) -> Vec<ExpectedWorkspace> {
    let options = context.options;
    let mut expected: Vec<ExpectedWorkspace> = Vec::new();
    for (config, workspace) in config.into_iter().flat_map(|c| c.active_workspaces().iter().map(move |w| (c, w))) {
        let environment =
            options.environment(workspace.branch().into()).or_else(|| options.environment_named_in(&workspace.name));
        if environment.is_some() || options.count() == 0 {
            let specific_items = Some(SpecificItems::new(config, workspace));
            expected.push(ExpectedWorkspace { suffix: in_file_name(&workspace.name), environment, specific_items });
        }
    }
    for environment in 0..options.count() {
        if expected.iter().any(|e| e.environment == Some(environment)) {
            continue;
        }
        let used = items.iter().filter_map(|(i, _)| i.workspace.as_deref());
        let used = used.into_iter().find(|w| options.environment_named_in(w) == Some(environment));
        let suffix = used.map_or_else(|| in_file_name(options.name(environment)), ToOwned::to_owned);
        expected.push(ExpectedWorkspace { suffix, environment: Some(environment), specific_items: None });
    }
    expected
}
