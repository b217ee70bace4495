//! `--format checkstyle`: the XML that many review tools read. Findings stand under their files, worst first in each.

use std::io::{self, Write};

use crate::finding::{Finding, Severity};

use super::show::{self, xml};
use super::{Context, Format, Report, place};

pub const FORMAT: Format = Format { name: "checkstyle", render, lists_rules: false };

pub fn render(report: &Report, ctx: &Context<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<checkstyle version=\"4.3\">")?;
    let mut standing: Vec<(&[u8], bool, &Finding)> = Vec::new();
    for finding in report.standing() {
        let (path, exact) = place::file(&finding.origin, ctx.policy_path);
        standing.push((path, exact, finding));
    }
    standing.sort_by_key(|(path, ..)| *path);
    for file in standing.chunk_by(|a, b| a.0 == b.0) {
        writeln!(out, "  <file name=\"{}\">", xml(&show::name(file[0].0)))?;
        for (_, exact, finding) in file {
            let (line, column) = if *exact { (place::line(finding), finding.span.column.max(1)) } else { (1, 1) };
            let severity = match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "info",
            };
            writeln!(
                out,
                "    <error line=\"{line}\" column=\"{column}\" severity=\"{severity}\" message=\"{}\" source=\"{}\"/>",
                xml(&place::message(finding)),
                xml(&show::line(&finding.rule)),
            )?;
        }
        writeln!(out, "  </file>")?;
    }
    for undecided in &report.errors {
        let path = undecided.origin.as_ref().map_or(ctx.policy_path.as_bytes(), |o| place::file(o, ctx.policy_path).0);
        writeln!(
            out,
            "  <file name=\"{}\">\n    <error line=\"1\" column=\"1\" severity=\"error\" message=\"not decided: {}\" \
             source=\"portcullis/not-decided\"/>\n  </file>",
            xml(&show::name(path)),
            xml(&show::line(&undecided.error.message)),
        )?;
    }
    writeln!(out, "</checkstyle>")
}
