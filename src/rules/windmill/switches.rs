//! The settings of `wmill.yaml` that decide what leaves Windmill: the key, secrets, settings, users. In every layer.

use super::Ground;
use super::config::{Config, Layer, Workspace, is_on};
use super::text::Text;
use crate::finding::{Findings, Severity};
use crate::yaml::Value;

pub(super) fn check(ground: &Ground<'_>, text: &Text<'_>, config: &Config<'_>, out: &mut Findings<'_>) {
    let layers = config.layers();
    hidden(text, config, &layers, out);
    for layer in &layers {
        include_key(text, layer, out);
        plain_secrets(text, layer, out);
        if !ground.setup.encrypted {
            skip_secrets(text, layer, out);
        }
        if !ground.setup.allow_settings {
            include_settings(text, layer, out);
        }
    }
    users(ground, text, config, out);
    let missing = |key| layers[0].settings(key).next().is_none();
    if ground.setup.require_explicit && missing("includeKey") {
        let Some(violation) = text.violation("windmill/include-key", Severity::Error, config.head(), "no includeKey")
        else {
            return;
        };
        let help = "add `includeKey: false` at the top level, so that nobody has to know the default";
        out.push(violation.message("`includeKey` is not given").help(help));
    }
    if !ground.setup.encrypted && missing("skipSecrets") {
        let Some(violation) = text.violation("windmill/skip-secrets", Severity::Error, config.head(), "no skipSecrets")
        else {
            return;
        };
        let help = "add `skipSecrets: true` at the top level: without it the CLI exports secrets, whatever its documentation says";
        out.push(violation.message("`skipSecrets` is not given, which means false").help(help));
    }
}

/// An alias is never followed, so what it stands for cannot be judged.
fn hidden(text: &Text<'_>, config: &Config<'_>, layers: &[Layer<'_>], out: &mut Findings<'_>) {
    let sections = config.sections.iter().map(|s| (s.name.to_owned(), s.node));
    let workspaces = config.workspaces().map(|w| (w.path.clone(), w.node));
    let layers = layers.iter().map(|l| (l.path.clone(), l.node));
    for (path, node) in sections.chain(workspaces).chain(layers) {
        if matches!(node.value, Value::Alias(_)) {
            let Some(violation) = text.violation("windmill/include-key", Severity::Error, node.span.clone(), &path)
            else {
                return;
            };
            let help = "write the settings out where they take effect";
            out.push(violation.message(format!("an alias hides the settings of `{path}`")).help(help));
        }
    }
}

fn include_key(text: &Text<'_>, layer: &Layer<'_>, out: &mut Findings<'_>) {
    for value in layer.settings("includeKey").filter(|v| v.as_bool() != Some(false)) {
        let path = layer.path_to("includeKey");
        let Some(violation) = text.violation("windmill/include-key", Severity::Error, value.span.clone(), &path) else {
            return;
        };
        let message = match value.as_bool() {
            Some(_) => format!("`includeKey` is true{}", layer.place()),
            None => format!("`includeKey` is {}{}, not the boolean false", value.kind(), layer.place()),
        };
        let help = "write `includeKey: false`: the key decrypts every secret of the workspace";
        out.push(violation.message(message).help(help));
    }
}

fn plain_secrets(text: &Text<'_>, layer: &Layer<'_>, out: &mut Findings<'_>) {
    for value in layer.settings("plainSecrets").filter(|v| is_on(v)) {
        let path = layer.path_to("plainSecrets");
        let Some(violation) = text.violation("windmill/plain-secrets", Severity::Error, value.span.clone(), &path)
        else {
            return;
        };
        let help = "remove it or write `plainSecrets: false`: it writes every secret in clear";
        out.push(violation.message(format!("`plainSecrets` is switched on{}", layer.place())).help(help));
    }
}

fn skip_secrets(text: &Text<'_>, layer: &Layer<'_>, out: &mut Findings<'_>) {
    for value in layer.settings("skipSecrets").filter(|v| v.as_bool() != Some(true)) {
        let path = layer.path_to("skipSecrets");
        let Some(violation) = text.violation("windmill/skip-secrets", Severity::Error, value.span.clone(), &path)
        else {
            return;
        };
        let message = match value.as_bool() {
            Some(_) => format!("`skipSecrets` is false{}", layer.place()),
            None => format!("`skipSecrets` is {}{}, not the boolean true", value.kind(), layer.place()),
        };
        let help = "write `skipSecrets: true`, or allow encrypted secrets with `windmill: { secrets: encrypted }` in the policy";
        out.push(violation.message(message).help(help));
    }
}

fn include_settings(text: &Text<'_>, layer: &Layer<'_>, out: &mut Findings<'_>) {
    for value in layer.settings("includeSettings").filter(|v| is_on(v)) {
        let path = layer.path_to("includeSettings");
        let Some(violation) = text.violation("windmill/settings-export", Severity::Error, value.span.clone(), &path)
        else {
            return;
        };
        let message = format!(
            "`includeSettings` is switched on{}: webhook and OAuth secret are exported in clear",
            layer.place()
        );
        let help =
            "write `includeSettings: false`, or allow it with `windmill: { allow_settings: true }` in the policy";
        out.push(violation.message(message).help(help));
    }
}

/// Users and groups are judged where they reach production: its branch's top level, its workspaces' overrides.
fn users(ground: &Ground<'_>, text: &Text<'_>, config: &Config<'_>, out: &mut Findings<'_>) {
    let production =
        |w: &&Workspace<'_>| ground.setup.environment(w.branch().into()).is_some_and(|e| ground.setup.is_production(e));
    let mut layers: Vec<Layer<'_>> = config.workspaces().filter(production).flat_map(Workspace::overrides).collect();
    if ground.in_production() {
        layers.insert(0, Layer { path: String::new(), node: config.root });
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
                let message = format!("`{key}` is switched on for production{}", layer.place());
                let help = format!("write `{key}: false`: who may do what in production is not decided by a branch");
                out.push(violation.message(message).help(help));
            }
        }
    }
}
