//! `--format rdjson`: the Reviewdog Diagnostic Format. Its columns are bytes from 1, its ends exclusive: as ours.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::finding::{Finding, Severity};

use super::show::{self, Layout};
use super::{Context, Format, Report, Undecided, Verdict, place};

pub const FORMAT: Format = Format { name: "rdjson", render, lists_rules: false };

pub fn render(report: &Report, ctx: &Context<'_>, out: &mut dyn Write) -> io::Result<()> {
    let errors = report.errors.iter().map(|u| not_decided(u, ctx));
    let document = json!({
        "source": { "name": "portcullis", "url": (!ctx.explain_base.is_empty()).then_some(ctx.explain_base) },
        "severity": if report.verdict() == Verdict::Pass { "INFO" } else { "ERROR" },
        "diagnostics": errors.chain(report.standing().into_iter().map(|f| diagnostic(f, ctx))).collect::<Vec<_>>(),
    });
    show::json(&show::without_nulls(document), Layout::Indented, out)
}

fn diagnostic(finding: &Finding, ctx: &Context<'_>) -> Value {
    let (path, exact) = place::file(&finding.origin, ctx.policy_path);
    let span = &finding.span;
    let range = if exact {
        json!({
            "start": { "line": place::line(finding), "column": span.column.max(1) },
            "end": { "line": span.end_line.max(place::line(finding)), "column": span.end_column.max(1) },
        })
    } else {
        json!({ "start": { "line": 1 } })
    };
    let mut message = place::message(finding);
    for more in finding.notes.iter().chain(&finding.help) {
        message = format!("{message}\n{}", show::lines(more));
    }
    json!({
        "message": message,
        "location": { "path": show::lossless(path).0, "range": range },
        "severity": match finding.severity {
            Severity::Error => "ERROR",
            Severity::Warning => "WARNING",
            Severity::Note => "INFO",
        },
        "code": { "value": show::line(&finding.rule), "url": ctx.explain_uri(&finding.rule) },
    })
}

fn not_decided(undecided: &Undecided, ctx: &Context<'_>) -> Value {
    let path = undecided.origin.as_ref().map_or(ctx.policy_path.as_bytes(), |o| place::file(o, ctx.policy_path).0);
    json!({
        "message": format!("not decided: {}", show::line(&undecided.error.message)),
        "location": { "path": show::lossless(path).0 },
        "severity": "ERROR",
        "code": { "value": "portcullis/not-decided" },
    })
}
