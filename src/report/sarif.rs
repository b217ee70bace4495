//! `--format sarif`: SARIF 2.1.0, for code scanning. Findings without a file have a logical location, and a physical
//! one in the policy file, because viewers drop results that have none.

use std::collections::HashMap;
use std::io::{self, Write};

use serde_json::{Value, json};

use crate::finding::{Finding, Location, Origin, Suppression};

use crate::shell;

use super::show::{self, Layout};
use super::{Context, Format, Report, RuleInfo, Undecided, place};

pub const FORMAT: Format = Format { name: "sarif", render, lists_rules: true };

pub fn render(report: &Report, ctx: &Context<'_>, out: &mut dyn Write) -> io::Result<()> {
    let rules = ctx.rules_of(report);
    let index: HashMap<&str, usize> = rules.iter().enumerate().map(|(i, r)| (&*r.id, i)).collect();
    let results: Vec<_> = report.findings.iter().map(|f| result(f, index.get(&*f.rule).copied(), ctx)).collect();
    let remarks = report.notes.iter().map(|n| json!({ "level": "note", "message": { "text": show::lines(n) } }));
    let notifications: Vec<_> = report.errors.iter().map(|u| notification(u, ctx)).chain(remarks).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "portcullis",
                "informationUri": (!ctx.home.is_empty()).then_some(ctx.home),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|r| descriptor(r, ctx)).collect::<Vec<_>>(),
            }},
            "invocations": [{
                "executionSuccessful": report.errors.is_empty(),
                "exitCode": report.exit_code(),
                "toolExecutionNotifications": notifications,
            }],
            "originalUriBaseIds": { ROOT: { "description": { "text": "the root of the repository" } } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    show::json(&show::without_nulls(log), Layout::Indented, out)
}

const ROOT: &str = "%SRCROOT%";

fn descriptor(rule: &RuleInfo, ctx: &Context<'_>) -> Value {
    let id = show::line(&rule.id);
    let family = id.split('/').next().unwrap_or_default();
    let more = format!("portcullis explain {}", shell::quote(&id));
    let help = if rule.help.is_empty() { more } else { format!("{}\n\n{more}", show::lines(&rule.help)) };
    let summary = show::line(&rule.summary);
    // Code scanning refuses a rule without one.
    let full = if rule.why.is_empty() { summary.clone() } else { show::lines(&rule.why) };
    json!({
        "id": id,
        "shortDescription": { "text": summary },
        "fullDescription": { "text": full },
        "help": { "text": help },
        "helpUri": ctx.explain_uri(&rule.id),
        "defaultConfiguration": { "level": rule.severity.name() },
        "properties": { "tags": [family] },
    })
}

fn result(finding: &Finding, rule: Option<usize>, ctx: &Context<'_>) -> Value {
    json!({
        "ruleId": show::line(&finding.rule),
        "ruleIndex": rule,
        "level": finding.severity.name(),
        "message": { "text": place::message(finding) },
        "locations": [location(finding, ctx)],
        "relatedLocations": finding.also.iter().map(related).collect::<Vec<_>>(),
        "partialFingerprints": { "portcullis/v1": finding.fingerprint },
        // All results have the member or none: absent would mean that nobody asked.
        "suppressions": finding.suppressed.iter().map(suppression).collect::<Vec<_>>(),
        "properties": {
            "confidence": finding.confidence,
            "commit": commit(&finding.origin),
            "help": finding.help.as_deref().map(show::lines),
            "notes": finding.notes.iter().map(|n| show::lines(n)).collect::<Vec<_>>(),
        },
    })
}

fn location(finding: &Finding, ctx: &Context<'_>) -> Value {
    let (path, exact) = place::file(&finding.origin, ctx.policy_path);
    let region = if exact { region(finding) } else { json!({ "startLine": 1 }) };
    json!({
        "physicalLocation": { "artifactLocation": artifact(path), "region": region },
        "logicalLocations": logical(&finding.origin).map(|l| [l]),
    })
}

/// SARIF counts columns in characters, we count bytes. They are the same where the text is ASCII; elsewhere the lines
/// and the byte offsets say where it is, and no column says something else.
fn region(finding: &Finding) -> Value {
    let (span, excerpt) = (&finding.span, &finding.excerpt);
    let before = excerpt.text.get(..excerpt.mark.end).unwrap_or_default().trim_start_matches('…');
    let column = |c: usize| before.is_ascii().then_some(c.max(1));
    json!({
        "startLine": place::line(finding),
        "startColumn": column(span.column),
        "endLine": span.end_line.max(place::line(finding)),
        "endColumn": column(span.end_column).filter(|_| span.line == span.end_line),
        "byteOffset": span.byte_start,
        "byteLength": span.byte_end.saturating_sub(span.byte_start),
        "snippet": { "text": excerpt.text },
    })
}

fn artifact(path: &[u8]) -> Value {
    json!({ "uri": show::uri(path), "uriBaseId": ROOT })
}

fn logical(origin: &Origin) -> Option<Value> {
    let kind = match origin {
        Origin::File { .. } | Origin::Policy { .. } => return None,
        Origin::Message { .. } => "message",
        Origin::Ref { .. } => "ref",
        Origin::Tag { .. } => "tag",
    };
    let name = match origin {
        Origin::Message { commit: Some(commit) } => commit.to_string(),
        Origin::Ref { name, .. } | Origin::Tag { name, .. } => show::name(name),
        _ => "pending".to_owned(),
    };
    Some(json!({ "name": name, "fullyQualifiedName": place::title(origin), "kind": kind }))
}

fn related(other: &Location) -> Value {
    json!({
        "physicalLocation": {
            "artifactLocation": artifact(&other.path),
            "region": (other.line > 0).then(|| json!({ "startLine": other.line })),
        },
        "message": { "text": format!("also in {}", place::other(other)) },
    })
}

fn suppression(suppression: &Suppression) -> Value {
    let kind = if suppression.by == "inline" { "inSource" } else { "external" };
    json!({ "kind": kind, "status": "accepted", "justification": show::line(&suppression.reason) })
}

fn notification(undecided: &Undecided, ctx: &Context<'_>) -> Value {
    let error = &undecided.error;
    let hint = error.hint.as_deref().map_or_else(String::new, |h| format!("\n{}", show::lines(h)));
    let location = undecided.origin.as_ref().map(|origin| {
        let (path, _) = place::file(origin, ctx.policy_path);
        [json!({
            "physicalLocation": { "artifactLocation": artifact(path) },
            "logicalLocations": logical(origin).map(|l| [l]),
        })]
    });
    json!({
        "level": "error",
        "message": { "text": format!("not decided: {}{hint}", show::line(&error.message)) },
        "locations": location,
    })
}

fn commit(origin: &Origin) -> Option<String> {
    match origin {
        Origin::File { commit, .. } | Origin::Message { commit } => commit.map(|c| c.to_string()),
        _ => None,
    }
}
