//! The policy as text: each choice with a comment on why. Pure.

use std::fmt::Write as _;

use super::{Keys, Softened, Stage, Survey};

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
    out
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
        let _ =
            writeln!(out, "  - {{ branch: {}, direct-push: [{who}], non-ff: error, delete: error }}", quoted(branch));
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
    if survey.sources.is_empty() && survey.merges_development.is_none() && survey.softened.is_empty() {
        return;
    }
    out.push_str("rules:\n");
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
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_');
    let word = text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(plain);
    if word && !matches!(text, "true" | "false" | "null" | "yes" | "no" | "on" | "off") {
        return text.to_owned();
    }
    // JSON strings are YAML strings.
    serde_json::Value::from(text).to_string()
}
