//! `--format junit`: a test case per rule, so that green rules are seen. A case fails when its rule makes the run
//! fail; lesser and suppressed findings are its output. What could not be decided is a case in error.

use std::collections::HashMap;
use std::io::{self, Write};

use crate::finding::{Finding, Severity};

use super::show::{self, xml};
use super::{Context, Format, Report, place};

pub const FORMAT: Format = Format { name: "junit", render, lists_rules: true };

pub fn render(report: &Report, ctx: &Context<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut by_rule: HashMap<&str, Vec<&Finding>> = HashMap::new();
    for finding in report.standing().into_iter().chain(report.suppressed()) {
        by_rule.entry(&finding.rule).or_default().push(finding);
    }
    let rules = ctx.rules_of(report);
    let fails = |f: &&Finding| {
        f.suppressed.is_none()
            && (f.severity == Severity::Error || (report.deny_warnings && f.severity == Severity::Warning))
    };
    let failures = by_rule.values().filter(|list| list.iter().any(fails)).count();
    let undecided = report.errors.len();
    let counts = format!(
        "tests=\"{}\" failures=\"{failures}\" errors=\"{undecided}\" time=\"{:.3}\"",
        rules.len() + undecided,
        ctx.elapsed.unwrap_or_default().as_secs_f64(),
    );
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites name=\"portcullis\" {counts}>")?;
    writeln!(out, "  <testsuite name=\"portcullis\" skipped=\"0\" {counts}>")?;
    for rule in &rules {
        let (failing, other): (Vec<&Finding>, Vec<&Finding>) =
            by_rule.remove(&*rule.id).unwrap_or_default().into_iter().partition(fails);
        case(&rule.id, out)?;
        if failing.is_empty() && other.is_empty() {
            writeln!(out, "/>")?;
            continue;
        }
        writeln!(out, ">")?;
        if !failing.is_empty() {
            let message = format!("{}: {}", show::count(failing.len() as u64, "finding"), show::line(&rule.summary));
            writeln!(
                out,
                "      <failure type=\"finding\" message=\"{}\">{}</failure>",
                xml(&message),
                text(&failing)
            )?;
        }
        if !other.is_empty() {
            writeln!(out, "      <system-out>{}</system-out>", text(&other))?;
        }
        writeln!(out, "    </testcase>")?;
    }
    for undecided in &report.errors {
        let about = undecided.origin.as_ref().map_or_else(|| "the run".to_owned(), place::title);
        let hint = undecided.error.hint.as_deref().unwrap_or_default();
        writeln!(
            out,
            "    <testcase classname=\"portcullis\" name=\"not decided: {}\">\n      \
             <error type=\"undecided\" message=\"{}\">{}</error>\n    </testcase>",
            xml(&about),
            xml(&show::line(&undecided.error.message)),
            xml(&show::lines(hint)),
        )?;
    }
    writeln!(out, "  </testsuite>\n</testsuites>")
}

/// The start of a test case, its tag still open.
fn case(rule: &str, out: &mut dyn Write) -> io::Result<()> {
    let rule = show::line(rule);
    let family = rule.split('/').next().unwrap_or_default();
    write!(out, "    <testcase classname=\"portcullis.{}\" name=\"{}\"", xml(family), xml(&rule))
}

/// A paragraph per finding.
fn text(findings: &[&Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let severity = finding.severity;
        text.push_str(&format!("{}: {severity}: {}\n", place::locus(finding), show::line(&finding.message)));
        text.push_str(&format!("    {}\n", finding.excerpt.text));
        if let Some(help) = &finding.help {
            text.push_str(&format!("    help: {}\n", show::lines(help).replace('\n', "\n          ")));
        }
        if let Some(suppression) = &finding.suppressed {
            text.push_str(&format!("    suppressed by {}: {}\n", suppression.by, show::line(&suppression.reason)));
        }
    }
    xml(&text)
}
