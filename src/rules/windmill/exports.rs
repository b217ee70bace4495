//! The settings of `wmill.yaml` that decide what Windmill exports: the key, secrets, settings, users. Checked at the top
//! level and in every override.

use super::TreeContext;
use super::config::{SettingsMap, WmillConfig, Workspace, is_on};
use super::parsed_file::ParsedFile;
use crate::finding::{Findings, Severity};
use crate::yaml::Value;

pub(super) fn check(
    context: &TreeContext<'_>,
    text: &ParsedFile<'_>,
    config: &WmillConfig<'_>,
    out: &mut Findings<'_>,
) {
    let layers = config.settings_maps();
    aliased_settings(text, config, &layers, out);
    for layer in &layers {
        include_key(text, layer, out);
        plain_secrets(text, layer, out);
        if !context.options.encrypted {
            skip_secrets(text, layer, out);
        }
        if !context.options.allow_settings {
            include_settings(text, layer, out);
        }
    }
    users(context, text, config, out);
    let missing = |key| layers[0].settings(key).next().is_none();
    if context.options.require_explicit && missing("includeKey") {
        let Some(violation) =
            text.violation("windmill/include-key", Severity::Error, config.first_key_span(), "no includeKey")
        else {
            return;
        };
        let help = "add `includeKey: false` at the top level, so that it does not depend on the default";
        out.push(violation.message("`includeKey` is not set").help(help));
    }
    if !context.options.encrypted && missing("skipSecrets") {
        let Some(violation) =
            text.violation("windmill/skip-secrets", Severity::Error, config.first_key_span(), "no skipSecrets")
        else {
            return;
        };
        let help = "add `skipSecrets: true` at the top level\nwithout it the CLI exports secrets, whatever its documentation says";
        out.push(violation.message("`skipSecrets` is not set, which means false").help(help));
    }
}

/// Reports settings behind an alias: aliases are not followed, so their values cannot be checked.
fn aliased_settings(
    text: &ParsedFile<'_>,
    config: &WmillConfig<'_>,
    layers: &[SettingsMap<'_>],
    out: &mut Findings<'_>,
) {
    let sections = config.sections.iter().map(|s| (s.name.to_owned(), s.node));
    let workspaces = config.workspaces().map(|w| (w.path.clone(), w.node));
    let layers = layers.iter().map(|l| (l.path.clone(), l.node));
    for (path, node) in sections.chain(workspaces).chain(layers) {
        if matches!(node.value, Value::Alias(_)) {
            let Some(violation) = text.violation("windmill/include-key", Severity::Error, node.span.clone(), &path)
            else {
                return;
            };
            let help = "write the settings out in place of the alias";
            out.push(violation.message(format!("an alias hides the settings of `{path}`")).help(help));
        }
    }
}

fn include_key(text: &ParsedFile<'_>, layer: &SettingsMap<'_>, out: &mut Findings<'_>) {
    for value in layer.settings("includeKey").filter(|v| v.as_bool() != Some(false)) {
        let path = layer.path_to("includeKey");
        let Some(violation) = text.violation("windmill/include-key", Severity::Error, value.span.clone(), &path) else {
            return;
        };
        let message = match value.as_bool() {
            Some(_) => format!("`includeKey` is true{}", layer.location_suffix()),
            None => format!("`includeKey` is {}{}, not the boolean false", value.kind(), layer.location_suffix()),
        };
        let help = "write `includeKey: false`: the key decrypts every secret of the workspace";
        out.push(violation.message(message).help(help));
    }
}

fn plain_secrets(text: &ParsedFile<'_>, layer: &SettingsMap<'_>, out: &mut Findings<'_>) {
    for value in layer.settings("plainSecrets").filter(|v| is_on(v)) {
        let path = layer.path_to("plainSecrets");
        let Some(violation) = text.violation("windmill/plain-secrets", Severity::Error, value.span.clone(), &path)
        else {
            return;
        };
        let help = "remove it or write `plainSecrets: false`: it exports every secret in plain text";
        out.push(violation.message(format!("`plainSecrets` is switched on{}", layer.location_suffix())).help(help));
    }
}

fn skip_secrets(text: &ParsedFile<'_>, layer: &SettingsMap<'_>, out: &mut Findings<'_>) {
    for value in layer.settings("skipSecrets").filter(|v| v.as_bool() != Some(true)) {
        let path = layer.path_to("skipSecrets");
        let Some(violation) = text.violation("windmill/skip-secrets", Severity::Error, value.span.clone(), &path)
        else {
            return;
        };
        let message = match value.as_bool() {
            Some(_) => format!("`skipSecrets` is false{}", layer.location_suffix()),
            None => format!("`skipSecrets` is {}{}, not the boolean true", value.kind(), layer.location_suffix()),
        };
        let help = "write `skipSecrets: true`\nor allow encrypted secrets with `windmill: { secrets: encrypted }` in the policy";
        out.push(violation.message(message).help(help));
    }
}

fn include_settings(text: &ParsedFile<'_>, layer: &SettingsMap<'_>, out: &mut Findings<'_>) {
    for value in layer.settings("includeSettings").filter(|v| is_on(v)) {
        let path = layer.path_to("includeSettings");
        let Some(violation) = text.violation("windmill/settings-export", Severity::Error, value.span.clone(), &path)
        else {
            return;
        };
        let message = format!(
            "`includeSettings` is switched on{}: webhook and OAuth secret are exported in plain text",
            layer.location_suffix()
        );
        let help =
            "write `includeSettings: false`\nor allow it with `windmill: { allow_settings: true }` in the policy";
        out.push(violation.message(message).help(help));
    }
}

/// Checks users and groups where they reach production: on its branch, and in its workspaces' overrides.
fn users(context: &TreeContext<'_>, text: &ParsedFile<'_>, config: &WmillConfig<'_>, out: &mut Findings<'_>) {
    let production = |w: &&Workspace<'_>| {
        context.options.environment(w.branch().into()).is_some_and(|e| context.options.is_production(e))
    };
    let mut layers: Vec<SettingsMap<'_>> =
        config.workspaces().filter(production).flat_map(Workspace::overrides).collect();
    if context.in_production() {
        layers.insert(0, SettingsMap { path: String::new(), node: config.root });
    }
    for layer in &layers {
        for key in ["includeUsers", "includeGroups"] {
            for value in layer.settings(key).filter(|v| is_on(v)) {
                let path = layer.path_to(key);
                let Some(violation) =
                    text.violation("windmill/users-export", Severity::Warning, value.span.clone(), &path)
                else {
                    return;
                };
                let message = format!("`{key}` is switched on for production{}", layer.location_suffix());
                let help = format!("write `{key}: false`: a branch should not decide who may do what in production");
                out.push(violation.message(message).help(help));
            }
        }
    }
}
