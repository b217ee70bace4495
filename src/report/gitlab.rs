//! `--format gitlab`: GitLab's Code Quality report, shown beside the lines of a merge request.

use std::collections::HashMap;
use std::io::{self, Write};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::finding::{Finding, Severity};

use super::show::{self, Layout};
use super::{Context, Format, Report, Undecided, place};

pub const FORMAT: Format = Format { name: "gitlab", render, lists_rules: false };

pub fn render(report: &Report, ctx: &Context<'_>, out: &mut dyn Write) -> io::Result<()> {
    // GitLab drops entries with a fingerprint that it has seen: equal ones get ordinals.
    let mut seen: HashMap<String, u32> = HashMap::new();
    let mut unique = |fingerprint: String| {
        let n = seen.entry(fingerprint.clone()).or_insert(0);
        *n += 1;
        if *n == 1 { fingerprint } else { format!("{fingerprint}-{n}") }
    };
    let mut entries: Vec<Value> = Vec::new();
    for undecided in &report.errors {
        entries.push(not_decided(undecided, unique(digest(&undecided.error.message)), ctx));
    }
    for finding in report.standing() {
        entries.push(entry(finding, unique(finding.fingerprint.clone()), ctx));
    }
    show::json(&entries, Layout::Indented, out)
}

fn entry(finding: &Finding, fingerprint: String, ctx: &Context<'_>) -> Value {
    let (path, exact) = place::file(&finding.origin, ctx.policy_path);
    let help =
        finding.help.as_deref().map_or_else(String::new, |h| format!("; {}", show::line(&h.replace('\n', "; "))));
    json!({
        "description": format!("{}{help}", place::message(finding)),
        "check_name": show::line(&finding.rule),
        "fingerprint": fingerprint,
        "severity": match finding.severity {
            Severity::Error => "blocker",
            Severity::Warning => "major",
            Severity::Note => "info",
        },
        "location": { "path": show::lossless(path).0, "lines": { "begin": if exact { place::line(finding) } else { 1 } } },
    })
}

fn not_decided(undecided: &Undecided, fingerprint: String, ctx: &Context<'_>) -> Value {
    let path = undecided.origin.as_ref().map_or(ctx.policy_path.as_bytes(), |o| place::file(o, ctx.policy_path).0);
    json!({
        "description": format!("not decided: {}", show::line(&undecided.error.message)),
        "check_name": "portcullis/not-decided",
        "fingerprint": fingerprint,
        "severity": "blocker",
        "location": { "path": show::lossless(path).0, "lines": { "begin": 1 } },
    })
}

fn digest(text: &str) -> String {
    Sha256::digest(text).iter().take(16).map(|b| format!("{b:02x}")).collect()
}
