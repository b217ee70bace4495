//! The step summary: Markdown with a section per rule, worst first. The host takes at most 1 MiB a step and drops the
//! whole of a longer one, so sections that would not fit are counted instead.

use std::io::{self, Write};

use crate::finding::{Finding, Severity};

use super::{Context, Report, place, show};

/// Bytes that the host takes, less what follows the sections.
const LIMIT: usize = (1 << 20) - 4096;
/// Findings that a section lists.
const LISTED: usize = 25;
/// Characters of one text.
const CLIPPED: usize = 1000;

pub fn render(report: &Report, ctx: &Context<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut text = format!("## portcullis: {}\n\n{}\n", report.verdict(), prose(&report.sentence()));
    for note in report.notes.iter().take(LISTED) {
        text.push_str(&format!("\n> {}\n", prose(note)));
    }
    let mut left_out = (0, 0);
    for section in undecided(report).into_iter().chain(sections(report, ctx)) {
        if text.len() + section.text.len() <= LIMIT {
            text.push_str(&section.text);
        } else {
            left_out = (left_out.0 + 1, left_out.1 + section.findings);
        }
    }
    if left_out.0 > 0 {
        let (sections, findings) = (show::count(left_out.0, "section"), show::count(left_out.1 as u64, "finding"));
        text.push_str(&format!("\n{sections} with {findings} left out: `portcullis check` lists all.\n"));
    }
    out.write_all(text.as_bytes())
}

struct Section {
    text: String,
    findings: usize,
}

fn undecided(report: &Report) -> Option<Section> {
    let total = report.errors.len();
    let mut text = format!("\n### Not decided ({total})\n\n");
    for undecided in report.errors.iter().take(LISTED) {
        let about = undecided.origin.as_ref().map_or_else(String::new, |o| format!("{}: ", code(&place::title(o))));
        let hint = undecided.error.hint.as_deref().map_or_else(String::new, |h| format!("<br>{}", prose(h)));
        text.push_str(&format!("- {about}{}{hint}\n", prose(&undecided.error.message)));
    }
    more(total, &mut text);
    (total > 0).then_some(Section { text, findings: 0 })
}

/// By rule, in the order of their worst findings.
fn sections(report: &Report, ctx: &Context<'_>) -> Vec<Section> {
    let mut rules: Vec<(&str, Vec<&Finding>)> = Vec::new();
    let mut index = std::collections::HashMap::new();
    for finding in report.standing() {
        let at = *index.entry(&*finding.rule).or_insert_with(|| {
            rules.push((&finding.rule, Vec::new()));
            rules.len() - 1
        });
        rules[at].1.push(finding);
    }
    rules.into_iter().map(|(rule, findings)| section(rule, &findings, ctx)).collect()
}

fn section(rule: &str, findings: &[&Finding], ctx: &Context<'_>) -> Section {
    let name = code(&show::line(rule));
    let name = ctx.explain_uri(rule).map_or(name.clone(), |uri| format!("[{name}]({uri})"));
    let mut text = format!("\n### {name} ({})\n\n", findings.len());
    let mut told: Option<&str> = None;
    for finding in findings.iter().take(LISTED) {
        let severity = match finding.severity {
            Severity::Error => "**error**",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        text.push_str(&format!("- {severity} {}: {}\n", code(&place::locus(finding)), prose(&finding.message)));
        text.push_str(&format!("  {}\n", fenced(&finding.excerpt.text)));
        // The same advice is given once.
        if let Some(help) = finding.help.as_deref().filter(|h| told != Some(h)) {
            text.push_str(&format!("  {}\n", prose(help)));
            told = Some(help);
        }
    }
    more(findings.len(), &mut text);
    Section { text, findings: findings.len() }
}

fn more(total: usize, text: &mut String) {
    if total > LISTED {
        text.push_str(&format!("- and {} more\n", total - LISTED));
    }
}

/// Words in running text: nothing in them is markup.
fn prose(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in clip(&show::lines(text)).chars() {
        match c {
            '\n' => out.push_str("<br>"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            c if "\\`*_[]{}#|~!$@".contains(c) => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// A code span that its content cannot end.
fn code(text: &str) -> String {
    let ticks = ticks(text, 1);
    format!("{ticks} {} {ticks}", clip(text))
}

/// A code block inside a list item that its content cannot end.
fn fenced(text: &str) -> String {
    let ticks = ticks(text, 3);
    format!("{ticks}text\n  {text}\n  {ticks}")
}

/// More backticks in a row than the text has, at least so many.
fn ticks(text: &str, least: usize) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(least.max(longest + 1))
}

fn clip(text: &str) -> String {
    match text.char_indices().nth(CLIPPED) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
