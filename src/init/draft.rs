//! The policy as text: each choice with a comment on why. Pure.

use std::fmt::Write as _;

use super::{Keys, Softened, Stage, Survey, Translated};

/// Where editors find what may stand in a policy.
const SCHEMA: &str = "https://raw.githubusercontent.com/portcullis-dev/portcullis/main/docs/portcullis.schema.json";

/// The whole file.
pub fn draft(survey: &Survey, keys: &Keys) -> String {
    let mut out = format!("# yaml-language-server: $schema={SCHEMA}\n");
    out.push_str(
        "# Written by `portcullis init` from what stood in the repository: it passes today. Read it, then commit it.\n",
    );
    out.push_str("version: 1\n\n");
    let why = crate::text::sanitise(survey.why.as_bytes());
    let _ =
        writeln!(out, "# {why}. Others: trunk, dev-main, windmill, staged-release.\nextends: [{}]\n", survey.preset);
    environments(&mut out, survey);
    protected(&mut out, survey);
    rules(&mut out, survey, keys);
    lists(&mut out, &survey.translated);
    out
}

/// Protection that a draft does not give anyway.
fn is_extra(key: &str) -> bool {
    matches!(key, "linear" | "signed")
}

/// What other tools have beside settings of rules.
fn lists(out: &mut String, translated: &Translated) {
    for (key, items) in [
        ("detectors", translated.detectors.iter().collect::<Vec<_>>()),
        ("exceptions", translated.exceptions.iter().collect()),
    ] {
        if !items.is_empty() {
            let _ = writeln!(out, "{key}:");
            for item in items {
                let _ = writeln!(out, "  - {item}");
            }
        }
    }
}

/// Codes that are warnings unless a policy says otherwise: an `error` for any other is what it is anyway.
const WARNINGS: [&str; 2] = ["conventional-commits/full-stop", "conventional-commits/footer-not-separated"];

/// Settings of rules that other tools ask for.
fn translated_rules(out: &mut String, survey: &Survey) {
    let Translated { files, options, severities, exclude, allow, .. } = &survey.translated;
    let _ = writeln!(out, "  # From {}.", crate::text::sanitise(files.join(", ").as_bytes()));
    let mut options = options.clone();
    for (key, patterns) in [("exclude", exclude), ("allow", allow)] {
        if !patterns.is_empty() {
            let quoted: Vec<String> = patterns.iter().map(|pattern| quoted(pattern)).collect();
            options.entry("secrets").or_default().insert(key, format!("[{}]", quoted.join(", ")));
        }
    }
    for (family, keys) in options {
        let _ = writeln!(out, "  {family}:");
        for (key, value) in keys {
            let _ = writeln!(out, "    {key}: {value}");
        }
    }
    for (code, severity) in severities {
        let is_softened = survey.softened.iter().any(|soft| soft.rule == *code);
        if !is_softened && (*severity != "error" || WARNINGS.contains(code)) {
            let _ = writeln!(out, "  {code}: {{ severity: {severity} }}");
        }
    }
}

fn environments(out: &mut String, survey: &Survey) {
    out.push_str("# Lowest first. Aliases are other words for an environment. Without branches: directories only.\nenvironments:\n");
    for environment in &survey.environments {
        stage(out, environment);
    }
    out.push('\n');
}

fn stage(out: &mut String, stage: &Stage) {
    let mut parts = Vec::new();
    parts.extend(stage.branch.as_ref().map(|b| format!("branch: {}", quoted(b))));
    if !stage.aliases.is_empty() {
        parts.push(format!("aliases: [{}]", stage.aliases.join(", ")));
    }
    parts.extend(stage.tag.as_ref().map(|t| format!("tags: [{}]", quoted(t))));
    if stage.branch.is_none() && stage.tag.is_none() {
        parts.push("branches: []".into());
    }
    let _ = writeln!(out, "  {}: {{ {} }}", stage.name, parts.join(", "));
}

fn protected(out: &mut String, survey: &Survey) {
    let staged = survey.preset == "staged-release";
    let branches = survey.environments.iter().rev().filter_map(|e| e.branch.as_ref());
    let list: Vec<&String> = branches.chain(&survey.start).collect();
    let production = survey.production().and_then(|p| p.branch.as_ref());
    if list.is_empty() {
        return;
    }
    out.push_str("# Never rewritten, never deleted. Name under direct-push who may push without a pull request; \"*\" is everybody.\nprotected:\n");
    for branch in list {
        let who = if Some(branch) == production && !staged { "" } else { "\"*\"" };
        let own = survey.translated.protection.iter().filter(|(key, _)| Some(branch) == production && is_extra(key));
        let extra: String = own.map(|(key, value)| format!(", {key}: {value}")).collect();
        let name = quoted(branch);
        let _ = writeln!(out, "  - {{ branch: {name}, direct-push: [{who}], non-ff: error, delete: error{extra} }}");
    }
    out.push('\n');
}

fn rules(out: &mut String, survey: &Survey, keys: &Keys) {
    if survey.pipelines + survey.argocd + survey.flux > 0 {
        let _ = writeln!(
            out,
            "# deployments/* judge {} pipeline files, {} files of Argo CD and {} of Flux by the environments above.",
            survey.pipelines, survey.argocd, survey.flux
        );
    }
    for (why, n) in &survey.left_out {
        let _ = writeln!(out, "# Not compared: {n} files ({why}).");
    }
    if survey.sources.is_empty() {
        out.push_str("# No files were found that hold the same variables for several environments: see rules: divergence: sources.\n");
    }
    let from_tools = survey.translated.has_rules();
    if survey.sources.is_empty() && survey.merges_development.is_none() && survey.softened.is_empty() && !from_tools {
        return;
    }
    out.push_str("rules:\n");
    if from_tools {
        translated_rules(out, survey);
    }
    if !survey.softened.is_empty() {
        out.push_str("  # Warnings until new changes keep them: `portcullis policy backtest` shows which did not.\n");
    }
    for Softened { rule, refused, landings } in &survey.softened {
        let _ = writeln!(out, "  # Would have refused {refused} of the last {landings} landings.");
        let _ = writeln!(out, "  {rule}: {{ severity: warning }}");
    }
    if let Some(told) = &survey.merges_development {
        let _ = writeln!(out, "  # {}.", crate::text::sanitise(told.as_bytes()));
        out.push_str("  # Say error once promotion is by cherry-pick or by tag.\n");
        out.push_str("  branch-topology/dev-leak: { severity: warning }\n");
    }
    if survey.sources.is_empty() {
        return;
    }
    out.push_str("  divergence:\n    # Keys that no entry below names must be the same in every environment.\n    default: must_match\n    sources:\n");
    for source in &survey.sources {
        let why = crate::text::sanitise(source.why.as_bytes());
        let _ = writeln!(out, "      # {why}");
        let _ = writeln!(out, "      - {{ id: {}, format: {}, {} }}", quoted(&source.id), source.format, source.place);
    }
    write_keys(out, keys);
}

fn write_keys(out: &mut String, keys: &Keys) {
    let lists = [
        (
            "may_differ",
            "shared today and should not be: give each environment its own, then say must_differ",
            keys.shared(),
        ),
        (
            "must_differ",
            "named like a secret, an address or a store: equal values would be a mistake",
            keys.must_differ(),
        ),
        ("may_differ", "differ today; say must_differ, or make them equal and remove them here", keys.may_differ()),
    ];
    if lists.iter().all(|(_, _, list)| list.is_empty()) {
        return;
    }
    out.push_str("    # First match wins. What is equal today and not listed must stay equal.\n    keys:\n");
    for (rule, why, list) in lists.into_iter().filter(|l| !l.2.is_empty()) {
        let _ = writeln!(out, "      # {why}\n      - rule: {rule}\n        match:");
        for key in list {
            let _ = writeln!(out, "          - {}", quoted(&key));
        }
    }
}

/// A YAML scalar that is a string: bare where that is safe.
pub(super) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_');
    let word = text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(plain);
    if word && !matches!(text, "true" | "false" | "null" | "yes" | "no" | "on" | "off") {
        return text.to_owned();
    }
    // JSON strings are YAML strings.
    serde_json::Value::from(text).to_string()
}
