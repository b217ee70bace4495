//! `--format github`: workflow commands, which become annotations on the change. A step shows ten of them: beyond
//! that, the nine worst and one that says how many more there are. What could not be decided comes first.

use std::io::{self, Write};

use crate::finding::{Finding, Origin, Severity};
use crate::text::is_unsafe;

use crate::shell;

use super::{Context, Format, Report, place, show};

/// Annotations that a step can show.
const SHOWN: usize = 10;

pub const FORMAT: Format = Format { name: "github", render, lists_rules: false };

pub fn render(report: &Report, ctx: &Context<'_>, out: &mut dyn Write) -> io::Result<()> {
    let standing = report.standing();
    let mut room = SHOWN;
    if let Some(first) = report.errors.first() {
        let about = first.origin.as_ref().map_or_else(String::new, |o| format!("{}: ", place::title(o)));
        let mut told = format!("{about}{}", show::line(&first.error.message));
        if let Some(hint) = &first.error.hint {
            told = format!("{told}\n{}", show::lines(hint));
        }
        if report.errors.len() > 1 {
            told = format!("{told}\nand {} more not decided", report.errors.len() - 1);
        }
        writeln!(out, "::error title=portcullis%3A not decided::{}", data(&told))?;
        room -= 1;
    }
    let shown = if standing.len() > room { room - 1 } else { standing.len() };
    for finding in &standing[..shown] {
        annotation(finding, ctx, out)?;
    }
    if let Some(worst) = standing.get(shown) {
        let more = standing.len() - shown;
        writeln!(out, "::{} title=portcullis::and {more} more; `portcullis check` lists all", command(worst.severity))?;
    }
    for note in &report.notes {
        writeln!(out, "portcullis: {}", show::line(note))?;
    }
    writeln!(out, "portcullis: {}", report.sentence())
}

fn annotation(finding: &Finding, ctx: &Context<'_>, out: &mut dyn Write) -> io::Result<()> {
    let (path, exact) = place::file(&finding.origin, ctx.policy_path);
    let span = &finding.span;
    write!(out, "::{} file={}", command(finding.severity), property(path))?;
    if exact {
        write!(out, ",line={},endLine={}", place::line(finding), span.end_line.max(place::line(finding)))?;
        // Columns only count within one line.
        if span.line == span.end_line {
            write!(out, ",col={},endColumn={}", span.column.max(1), span.end_column.max(1))?;
        }
    } else {
        write!(out, ",line=1")?;
    }
    let rule = show::line(&finding.rule);
    let mut told = place::message(finding);
    // An author knows a commit by its header, not by its id.
    if let (Origin::Message { .. }, 1) = (&finding.origin, finding.excerpt.first_line) {
        let header = finding.excerpt.text.lines().next().unwrap_or_default();
        told = format!("{told}\nin: {}", show::line(header));
    }
    for more in finding.notes.iter().chain(&finding.help) {
        told = format!("{told}\n{}", show::lines(more));
    }
    told = format!("{told}\nportcullis explain {}", shell::quote(&rule));
    writeln!(out, ",title={}::{}", property(rule.as_bytes()), data(&told))
}

fn command(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    }
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Line ends in a path have an escape of their own here, so that the annotation still finds its file.
fn property(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '%' => out.push_str("%25"),
                '\r' => out.push_str("%0D"),
                '\n' => out.push_str("%0A"),
                ':' => out.push_str("%3A"),
                ',' => out.push_str("%2C"),
                c if is_unsafe(c) => out.push_str(&show::name(c.to_string().as_bytes())),
                c => out.push(c),
            }
        }
        out.push_str(&show::name(chunk.invalid()));
    }
    show::disarm(&out, show::DISARMED)
}
