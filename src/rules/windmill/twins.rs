//! Files of one environment (`db.staging.variable.yaml`) and their counterparts in the others.

use std::collections::BTreeMap;

use super::Ground;
use super::config::Config;
use super::files::{Item, in_file_name};
use super::items::Own;
use crate::finding::{Findings, Severity};
use crate::subject::Entry;

/// A workspace that every item of an environment should be found for.
struct Expected {
    /// As it is written in file names.
    suffix: String,
    environment: Option<usize>,
    /// What has a file of its own; `None` for a workspace that the configuration does not have.
    own: Option<Own>,
}

#[derive(Default)]
struct Twins<'e> {
    /// The file for every workspace without one of its own.
    shared: bool,
    of: Vec<(&'e str, &'e Item, &'e Entry)>,
}

pub(super) fn check(
    ground: &Ground<'_>,
    config: Option<&Config<'_>>,
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
            Some(w) => twins.of.push((w, item, entry)),
            None => twins.shared = true,
        }
    }
    let expected = expected(ground, config, items);
    for twins in groups.values() {
        // A suffix that no workspace has is part of the name.
        let known = twins.of.iter().find(|(suffix, ..)| expected.iter().any(|e| e.suffix == *suffix));
        let Some((_, item, entry)) = known else { continue };
        for missing in expected.iter().filter(|e| !twins.of.iter().any(|(suffix, ..)| *suffix == e.suffix)) {
            if twins.shared && !missing.own.as_ref().is_some_and(|own| own.has(item)) {
                continue;
            }
            told(ground, item, entry, missing, out);
        }
    }
}

fn told(ground: &Ground<'_>, item: &Item, entry: &Entry, missing: &Expected, out: &mut Findings<'_>) {
    // What production lacks stops production; elsewhere it is on its way.
    let production = ground.in_production() && missing.environment.is_some_and(|e| ground.setup.is_production(e));
    let severity = if production { Severity::Error } else { Severity::Warning };
    let violation = ground.about(entry, "windmill/missing-twin", severity, &missing.suffix);
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

/// The workspaces of the configuration that belong to environments (to none, where the policy names none), and for
/// every environment without one the suffix that its files have, or its name.
fn expected(ground: &Ground<'_>, config: Option<&Config<'_>>, items: &[(Item, &Entry)]) -> Vec<Expected> {
    let setup = ground.setup;
    let mut expected: Vec<Expected> = Vec::new();
    for (config, workspace) in config.into_iter().flat_map(|c| c.heeded().iter().map(move |w| (c, w))) {
        let environment = setup.environment(workspace.branch().into()).or_else(|| setup.named(&workspace.name));
        if environment.is_some() || setup.count() == 0 {
            let own = Some(Own::of(config, workspace));
            expected.push(Expected { suffix: in_file_name(&workspace.name), environment, own });
        }
    }
    for environment in 0..setup.count() {
        if expected.iter().any(|e| e.environment == Some(environment)) {
            continue;
        }
        let used = items.iter().filter_map(|(i, _)| i.workspace.as_deref());
        let used = used.into_iter().find(|w| setup.named(w) == Some(environment));
        let suffix = used.map_or_else(|| in_file_name(setup.name(environment)), ToOwned::to_owned);
        expected.push(Expected { suffix, environment: Some(environment), own: None });
    }
    expected
}
