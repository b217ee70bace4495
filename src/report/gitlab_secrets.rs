//! `--format gitlab-secrets`: GitLab's secret detection report (security report schema 15). Holds the findings of the
//! family `secrets` only; what could not be decided makes the scan a failed one.

use std::io::{self, Write};

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::finding::{Confidence, Finding, Origin, Severity};

use super::show::{self, Layout};
use super::{Context, Format, Report, place};

pub const FORMAT: Format = Format { name: "gitlab-secrets", render, lists_rules: false };

pub fn render(report: &Report, ctx: &Context<'_>, out: &mut dyn Write) -> io::Result<()> {
    let secrets = report.standing().into_iter().filter(|f| f.rule.starts_with("secrets/"));
    let tool = json!({
        "id": "portcullis",
        "name": "portcullis",
        "vendor": { "name": "portcullis" },
        "version": env!("CARGO_PKG_VERSION"),
    });
    let ended = ctx.elapsed.and_then(|e| ctx.started.checked_add(e).ok()).unwrap_or(ctx.started);
    let time = |t: jiff::Timestamp| t.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let messages = report
        .errors
        .iter()
        .map(|u| json!({ "level": "fatal", "value": format!("not decided: {}", show::line(&u.error.message)) }));
    let document = json!({
        "version": "15.0.7",
        "scan": {
            "type": "secret_detection",
            "analyzer": tool,
            "scanner": tool,
            "start_time": time(ctx.started),
            "end_time": time(ended),
            "status": if report.errors.is_empty() { "success" } else { "failure" },
            "messages": messages.collect::<Vec<_>>(),
        },
        "vulnerabilities": secrets.map(|f| vulnerability(f, ctx)).collect::<Vec<_>>(),
    });
    show::json(&show::without_nulls(document), Layout::Indented, out)
}

fn vulnerability(finding: &Finding, ctx: &Context<'_>) -> Value {
    let rule = show::line(&finding.rule);
    let commit = match &finding.origin {
        Origin::File { commit, .. } | Origin::Message { commit } => *commit,
        Origin::Ref { new, .. } => *new,
        Origin::Tag { oid, .. } => Some(*oid),
        Origin::Policy { .. } => None,
    };
    let file = finding.origin.path().map(|p| show::lossless(p).0);
    let lines = file.is_some().then(|| (place::line(finding), finding.span.end_line.max(place::line(finding))));
    json!({
        "id": finding.fingerprint,
        "name": clip(show::line(&finding.message), 255),
        "description": format!("{} in {}", show::line(&finding.message), place::locus(finding)),
        "severity": match (finding.severity, finding.confidence) {
            (Severity::Error, Some(Confidence::Low)) => "High",
            (Severity::Error, _) => "Critical",
            (Severity::Warning, _) => "Medium",
            (Severity::Note, _) => "Info",
        },
        "solution": finding.help.as_deref().map(|h| clip(show::lines(h), 7000)),
        "location": {
            "file": file,
            "start_line": lines.map(|l| l.0),
            "end_line": lines.map(|l| l.1),
            // The member is required; this is what stands for "not committed".
            "commit": { "sha": commit.map_or_else(|| "0000000".to_owned(), |c| c.to_string()) },
        },
        "identifiers": [{
            "type": "portcullis_rule",
            "name": format!("portcullis rule {rule}"),
            "value": rule,
            "url": ctx.explain_uri(&finding.rule),
        }],
    })
}

/// At most so many characters, as the schema wants it: one entry that is longer costs the whole report.
fn clip(text: String, most: usize) -> String {
    match text.char_indices().nth(most - 1) {
        Some((at, c)) if at + c.len_utf8() < text.len() => format!("{}…", &text[..at]),
        _ => text,
    }
}
