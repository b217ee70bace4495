//! `--format html`: one page that needs nothing else, for people who were sent a report. Verdict, what to do first, findings
//! by rule, then by file and commit. Readable without the script, which only filters. Shows no value.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::io::{self, Write};

use crate::finding::{Finding, Origin, Severity};

use super::page::{self, escape};
use super::show::Helps;
use super::{Context, Format, Report, Verdict, place, show};

pub const FORMAT: Format = Format { name: "html", render, lists_rules: false };

const STYLE: &str = include_str!("html.css");
const SCRIPT: &str = include_str!("html.js");

pub fn render(report: &Report, ctx: &Context<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut text = String::new();
    // Writing to a String does not fail.
    let _ = write(&mut text, report, ctx);
    out.write_all(text.as_bytes())
}

fn write(out: &mut String, report: &Report, ctx: &Context<'_>) -> fmt::Result {
    let verdict = report.verdict();
    out.push_str(&page::open(&format!("portcullis: {verdict}"), STYLE, Some(SCRIPT)));
    writeln!(
        out,
        "<header><h1>portcullis</h1><p class=\"verdict {}\">{verdict}</p></header>\n<main>\n<p>{}</p>",
        if verdict == Verdict::Pass { "good" } else { "bad" },
        text(&report.sentence())
    )?;
    for note in &report.notes {
        writeln!(out, "<p class=\"note\">{}</p>", text(note))?;
    }
    let groups = by_rule(report);
    first_steps(out, &groups)?;
    undecided(out, report)?;
    if !groups.is_empty() {
        filter(out)?;
    }
    for (at, (rule, findings)) in groups.iter().enumerate() {
        section(out, at, rule, findings, ctx)?;
    }
    let standing = report.standing();
    places(out, "By file", "file", standing.iter().filter_map(|f| f.origin.path().map(|p| show::name(p))))?;
    places(out, "By commit", "commit", standing.iter().filter_map(|f| commit(f)))?;
    suppressed(out, report)?;
    writeln!(out, "</main>\n</body></html>")
}

/// A text of one line or several, safe in HTML.
fn text(words: &str) -> String {
    show::lines(words).split('\n').map(escape).collect::<Vec<_>>().join("<br>\n")
}

/// What stands, by rule: worst rules first, in the order of their first finding.
fn by_rule(report: &Report) -> Vec<(&str, Vec<&Finding>)> {
    let mut groups: Vec<(&str, Vec<&Finding>)> = Vec::new();
    for finding in report.standing() {
        match groups.iter_mut().find(|(rule, _)| *rule == finding.rule) {
            Some((_, findings)) => findings.push(finding),
            None => groups.push((&finding.rule, vec![finding])),
        }
    }
    groups
}

/// One line per rule: how many, and the first line of help.
fn first_steps(out: &mut String, groups: &[(&str, Vec<&Finding>)]) -> fmt::Result {
    if groups.is_empty() {
        return Ok(());
    }
    writeln!(out, "<section><h2>What to do</h2>\n<ol class=\"first\">")?;
    for (at, (rule, findings)) in groups.iter().enumerate() {
        let help = findings.iter().find_map(|f| f.help.as_deref()?.lines().next());
        let step = text(help.unwrap_or(&findings[0].message));
        writeln!(
            out,
            "<li><a href=\"#rule-{at}\">{}</a> ({}): {step}</li>",
            escape(&show::line(rule)),
            findings.len()
        )?;
    }
    writeln!(out, "</ol></section>")
}

fn undecided(out: &mut String, report: &Report) -> fmt::Result {
    if report.errors.is_empty() {
        return Ok(());
    }
    writeln!(out, "<section><h2>Not decided</h2>\n<ul>")?;
    for undecided in &report.errors {
        let about = undecided.origin.as_ref().map_or_else(String::new, |o| format!("{}: ", place::title(o)));
        write!(out, "<li>{}{}", escape(&about), text(&undecided.error.message))?;
        if let Some(hint) = &undecided.error.hint {
            write!(out, "<p class=\"help\">{}</p>", text(hint))?;
        }
        writeln!(out, "</li>")?;
    }
    writeln!(out, "</ul></section>")
}

/// Hidden until the script, which it is for, shows it.
fn filter(out: &mut String) -> fmt::Result {
    writeln!(
        out,
        "<form id=\"filter\" hidden role=\"search\"><label>Search <input type=\"search\" id=\"words\"></label>"
    )?;
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        writeln!(out, "<label><input type=\"checkbox\" value=\"{severity}\" checked> {severity}s</label>")?;
    }
    writeln!(out, "<output id=\"shown\" aria-live=\"polite\"></output></form>")
}

/// `at`: the number of the rule, for links.
fn section(out: &mut String, at: usize, rule: &str, findings: &[&Finding], ctx: &Context<'_>) -> fmt::Result {
    let id = escape(&show::line(rule));
    writeln!(out, "<section class=\"rule\"><h2 id=\"rule-{at}\">")?;
    match ctx.explain_uri(rule) {
        Some(uri) => writeln!(out, "<a href=\"{}\">{id}</a> ({})</h2>", escape(&uri), findings.len())?,
        None => writeln!(out, "{id} ({})</h2>", findings.len())?,
    }
    if let Some(info) = ctx.rules.iter().find(|r| r.id == *rule).filter(|r| !r.why.is_empty()) {
        writeln!(out, "<details><summary>Why</summary><p>{}</p></details>", text(&info.why))?;
    }
    let mut helps = Helps::default();
    findings.iter().try_for_each(|f| finding(out, f, helps.fresh(f)))?;
    writeln!(out, "</section>")
}

fn finding(out: &mut String, finding: &Finding, help: Option<String>) -> fmt::Result {
    writeln!(
        out,
        "<article data-rule=\"{}\" data-line=\"{}\" data-severity=\"{}\">\n\
         <h3><span class=\"severity {}\">{}</span> {}</h3>\n<p class=\"place\"><code>{}</code></p>",
        escape(&show::line(&finding.rule)),
        place::line(finding),
        finding.severity,
        finding.severity,
        finding.severity,
        text(&finding.message),
        escape(&place::locus(finding))
    )?;
    excerpt(out, finding)?;
    if let Some(help) = help {
        writeln!(out, "<p class=\"help\">{}</p>", text(&help))?;
    }
    let is_in_help = |line: &&String| finding.help.as_ref().is_some_and(|h| h.contains(line.as_str()));
    if let Some(line) = finding.suggestion.as_ref().filter(|line| !is_in_help(line)) {
        writeln!(out, "<p>Corrected:</p><pre tabindex=\"0\">{}</pre>", escape(&show::lines(line)))?;
    }
    let also = finding.also.iter().map(|p| format!("also: {}", place::other(p)));
    let notes: Vec<String> = finding.notes.iter().cloned().chain(also).collect();
    if !notes.is_empty() {
        writeln!(out, "<ul class=\"notes\">")?;
        notes.iter().try_for_each(|note| writeln!(out, "<li>{}</li>", text(note)))?;
        writeln!(out, "</ul>")?;
    }
    writeln!(out, "</article>")
}

/// The line with its mark. An excerpt has no secret in it.
fn excerpt(out: &mut String, finding: &Finding) -> fmt::Result {
    let shown = &finding.excerpt;
    let end = shown.mark.end.min(shown.text.len());
    let start = shown.mark.start.min(end);
    let part = |range| escape(&show::line(shown.text.get(range).unwrap_or_default()));
    let (before, marked, after) = (part(0..start), part(start..end), part(end..shown.text.len()));
    writeln!(out, "<pre tabindex=\"0\">{before}<mark>{marked}</mark>{after}</pre>")
}

/// A table of places and how many findings each has, most first.
fn places(out: &mut String, title: &str, column: &str, names: impl Iterator<Item = String>) -> fmt::Result {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    names.for_each(|name| *counts.entry(name).or_default() += 1);
    if counts.is_empty() {
        return Ok(());
    }
    let mut rows: Vec<_> = counts.into_iter().collect();
    rows.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    writeln!(out, "<section><details><summary>{title}: {}</summary>", rows.len())?;
    writeln!(out, "<table><tr><th scope=\"col\">{column}</th><th scope=\"col\">findings</th></tr>")?;
    for (name, n) in rows {
        writeln!(out, "<tr><td><code>{}</code></td><td>{n}</td></tr>", escape(&name))?;
    }
    writeln!(out, "</table></details></section>")
}

fn commit(finding: &Finding) -> Option<String> {
    match &finding.origin {
        Origin::File { commit, .. } | Origin::Message { commit } => commit.map(|c| c.short().to_string()),
        _ => None,
    }
}

fn suppressed(out: &mut String, report: &Report) -> fmt::Result {
    let all: Vec<&Finding> = report.suppressed().collect();
    if all.is_empty() {
        return Ok(());
    }
    writeln!(out, "<section><details><summary>Suppressed: {}</summary><ul>", all.len())?;
    for finding in all {
        let Some(suppression) = &finding.suppressed else { continue };
        writeln!(
            out,
            "<li>{}: <code>{}</code>, by {}: {}</li>",
            escape(&show::line(&finding.rule)),
            escape(&place::locus(finding)),
            suppression.by,
            text(&suppression.reason)
        )?;
    }
    writeln!(out, "</ul></details></section>")
}
