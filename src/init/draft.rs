//! The policy as text: each choice with a comment on why. Pure.

use std::fmt::Write as _;

use super::{Stage, Survey};

/// Where editors find what may stand in a policy.
const SCHEMA: &str = "https://raw.githubusercontent.com/portcullis-dev/portcullis/main/docs/portcullis.schema.json";

/// Keys that differ today, as `<source>/<key>`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// Named like secrets, addresses, buckets.
    pub must_differ: Vec<String>,
    pub may_differ: Vec<String>,
}

impl Keys {
    /// Sorts a key by its name.
    pub fn add(&mut self, key: String) {
        const WORDS: [&str; 22] = [
            "webhook",
            "url",
            "uri",
            "host",
            "endpoint",
            "domain",
            "bucket",
            "token",
            "secret",
            "password",
            "passwd",
            "apikey",
            "api_key",
            "private",
            "credential",
            "dsn",
            "database",
            "environment",
            "account",
            "client_id",
            "queue",
            "topic",
        ];
        let name = key.to_ascii_lowercase();
        let list = if WORDS.iter().any(|w| name.contains(w)) { &mut self.must_differ } else { &mut self.may_differ };
        list.push(key);
    }
}

/// The whole file.
pub fn draft(survey: &Survey, keys: &Keys) -> String {
    let mut out = format!("# yaml-language-server: $schema={SCHEMA}\n");
    out.push_str(
        "# Written by `portcullis init` from what stood in the repository: it passes today. Read it, then commit it.\n",
    );
    out.push_str("version: 1\n\n");
    let why = match (survey.asked, survey.preset.as_str()) {
        (true, _) => "asked for with --preset",
        (_, "windmill") => "a wmill.yaml and a branch for staging",
        (_, "dev-main") => "a development branch beside the one that releases",
        (_, "staged-release") => "files for staging, release tags, and one branch",
        _ => "one branch, and no other environment's",
    };
    let _ =
        writeln!(out, "# {why}. Others: trunk, dev-main, windmill, staged-release.\nextends: [{}]\n", survey.preset);
    environments(&mut out, survey);
    protected(&mut out, survey);
    rules(&mut out, survey, keys);
    out
}

fn environments(out: &mut String, survey: &Survey) {
    out.push_str("# Lowest first. Aliases are other words for an environment, in paths and values.\nenvironments:\n");
    if let Some(staging) = &survey.staging {
        stage(out, "staging", staging);
    }
    stage(out, "production", &survey.production);
    out.push('\n');
}

fn stage(out: &mut String, name: &str, stage: &Stage) {
    let mut parts = Vec::new();
    parts.extend(stage.branch.as_ref().map(|b| format!("branch: {}", quoted(b))));
    if !stage.aliases.is_empty() {
        parts.push(format!("aliases: [{}]", stage.aliases.join(", ")));
    }
    parts.extend(stage.tag.as_ref().map(|t| format!("tags: [{}]", quoted(t))));
    if stage.branch.is_none() && stage.tag.is_none() {
        out.push_str("  # Directories only, on the same branch as the others.\n");
        parts.push("branches: []".into());
    }
    let _ = writeln!(out, "  {name}: {{ {} }}", parts.join(", "));
}

fn protected(out: &mut String, survey: &Survey) {
    let staged = survey.preset == "staged-release";
    let below = survey.staging.as_ref().and_then(|s| s.branch.as_ref());
    let list: Vec<&String> = survey.production.branch.iter().chain(below).collect();
    if list.is_empty() {
        return;
    }
    out.push_str("# Never rewritten, never deleted. Name under direct-push who may push without a pull request; \"*\" is everybody.\nprotected:\n");
    for (n, branch) in list.into_iter().enumerate() {
        let who = if n == 0 && !staged { "" } else { "\"*\"" };
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
    if survey.sources.is_empty() {
        out.push_str("# No files were found that hold the same variables for two environments: see rules: divergence: sources.\n");
        return;
    }
    out.push_str("rules:\n  divergence:\n    # Keys that no entry below names must be the same in both environments.\n    default: must_match\n    sources:\n");
    for source in &survey.sources {
        let _ = writeln!(out, "      # {}", crate::text::sanitise(source.why.as_bytes()));
        let _ = writeln!(out, "      - {{ id: {}, format: {}, {} }}", quoted(&source.id), source.format, source.place);
    }
    if keys.must_differ.is_empty() && keys.may_differ.is_empty() {
        return;
    }
    out.push_str("    # First match wins. These differ today; what is equal today is not listed, and must stay equal.\n    keys:\n");
    let lists = [
        (
            "must_differ",
            "named like a secret, an address or a store: equal values would be a mistake",
            &keys.must_differ,
        ),
        ("may_differ", "differ today; say must_differ, or make them equal and remove them here", &keys.may_differ),
    ];
    for (rule, why, list) in lists.into_iter().filter(|l| !l.2.is_empty()) {
        let _ = writeln!(out, "      # {why}\n      - rule: {rule}\n        match:");
        for key in list {
            let _ = writeln!(out, "          - {}", quoted(&escaped(key)));
        }
    }
}

/// A glob that means this key and no other.
fn escaped(key: &str) -> String {
    let mut glob = String::new();
    for c in key.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | '\\') {
            glob.push('\\');
        }
        glob.push(c);
    }
    glob
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
