//! `--format jsonl`: one JSON object a line, each with a `type`: findings, then errors, then one `summary`.
//! The objects are those of [`json`].

use std::io::{self, Write};

use serde::Serialize;

use super::show::{self, Layout};
use super::{Context, Counts, Format, Report, Stats, Verdict, json};

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Record<'r> {
    Finding(json::Finding<'r>),
    Error(json::Problem),
    Summary { version: u32, verdict: Verdict, enforced: bool, summary: Counts, notes: Vec<String>, stats: Stats },
}

pub const FORMAT: Format = Format { name: "jsonl", render, lists_rules: false };

pub fn render(report: &Report, _: &Context<'_>, out: &mut dyn Write) -> io::Result<()> {
    for finding in &report.findings {
        show::json(&Record::Finding(json::Finding::of(finding)), Layout::OneLine, out)?;
    }
    for undecided in &report.errors {
        show::json(&Record::Error(json::Problem::of(undecided)), Layout::OneLine, out)?;
    }
    let last = Record::Summary {
        version: json::VERSION,
        verdict: report.verdict(),
        enforced: report.enforce,
        summary: report.counts(),
        notes: report.notes.iter().map(|n| show::lines(n)).collect(),
        stats: report.stats,
    };
    show::json(&last, Layout::OneLine, out)
}
