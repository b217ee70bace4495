//! For people at a terminal: worst first, the line with a caret, why, what to do; the verdict last.
//! The excerpt that a finding carries is all the source there is: a window gives it to codespan as if it were a file.

use std::collections::HashSet;
use std::io::{self, Write};
use std::ops::Range;

use codespan_reporting::diagnostic::{Diagnostic, Label, Severity as Level};
use codespan_reporting::files::{Error as FilesError, Files};
use codespan_reporting::term::termcolor::{Ansi, Color, ColorSpec, NoColor, WriteColor};
use codespan_reporting::term::{Config, emit_to_write_style};

use crate::finding::{Finding, Origin, Severity};

use crate::shell;

use super::show::Helps;
use super::{Context, Format, Report, Stats, Undecided, Verbosity, Verdict, place, show};

pub const FORMAT: Format = Format { name: "human", render, lists_rules: false };

pub fn render(report: &Report, ctx: &Context<'_>, out: &mut dyn Write) -> io::Result<()> {
    if ctx.color { write(report, ctx, &mut Ansi::new(out)) } else { write(report, ctx, &mut NoColor::new(out)) }
}

fn write(report: &Report, ctx: &Context<'_>, out: &mut dyn WriteColor) -> io::Result<()> {
    if ctx.verbosity == Verbosity::Quiet {
        return if report.verdict() == Verdict::Pass { Ok(()) } else { verdict(report, out) };
    }
    for note in &report.notes {
        writeln!(out, "note: {}\n", show::lines(note))?;
    }
    let (mut explained, mut helps) = (HashSet::new(), Helps::default());
    for finding in report.standing() {
        emit(finding, explained.insert(&finding.rule), helps.fresh(finding), ctx, out)?;
    }
    if ctx.verbosity == Verbosity::Verbose {
        for finding in report.suppressed() {
            emit(finding, false, helps.fresh(finding), ctx, out)?;
        }
    }
    for undecided in &report.errors {
        emit_undecided(undecided, out)?;
    }
    if ctx.stats {
        work(&report.stats, ctx, out)?;
    }
    verdict(report, out)
}

/// One finding. The hint at the explanation is given once per rule, so that a long report stays readable; so is help.
fn emit(
    finding: &Finding,
    explain: bool,
    help: Option<String>,
    ctx: &Context<'_>,
    out: &mut dyn WriteColor,
) -> io::Result<()> {
    let level = match (&finding.suppressed, finding.severity) {
        (Some(_), _) | (_, Severity::Note) => Level::Note,
        (_, Severity::Warning) => Level::Warning,
        (_, Severity::Error) => Level::Error,
    };
    let mut notes: Vec<String> = Vec::new();
    if let Origin::File { commit: Some(commit), .. } = &finding.origin {
        notes.push(format!("in commit {}", commit.short()));
    }
    notes.extend(finding.notes.iter().map(|n| show::lines(n)));
    notes.extend(finding.also.iter().map(|p| format!("also: {}{}", ctx.to_root, place::other(p))));
    notes.extend(help.iter().map(|h| hanging("help: ", &show::lines(h))));
    if let Some(suppression) = &finding.suppressed {
        notes.push(format!("suppressed by {}: {}", suppression.by, show::line(&suppression.reason)));
    }
    if ctx.verbosity == Verbosity::Verbose {
        notes.push(format!("fingerprint: {}", finding.fingerprint));
    }
    let rule = show::line(&finding.rule);
    if explain {
        notes.push(format!("more: portcullis explain {}", shell::quote(&rule)));
    }
    let window = Window { finding, to_root: ctx.to_root, text: show::disarm(&finding.excerpt.text, show::DISARMED) };
    let diagnostic = Diagnostic::new(level)
        .with_code(rule)
        .with_message(show::line(&finding.message))
        .with_label(Label::primary((), window.mark()))
        .with_notes(notes);
    emit_to_write_style(out, &Config::default(), &window, &diagnostic).map_err(io_error)
}

fn emit_undecided(undecided: &Undecided, out: &mut dyn WriteColor) -> io::Result<()> {
    let about = undecided.origin.as_ref().map_or_else(String::new, |o| format!("{}: ", place::title(o)));
    bold(out, Color::Red, "not decided")?;
    writeln!(out, ": {about}{}", show::line(&undecided.error.message))?;
    if let Some(hint) = &undecided.error.hint {
        writeln!(out, "  = {}", hanging("help: ", &show::lines(hint)).replace('\n', "\n    "))?;
    }
    writeln!(out)
}

fn work(stats: &Stats, ctx: &Context<'_>, out: &mut dyn WriteColor) -> io::Result<()> {
    let blobs = format!(
        "{} ({} bytes, {} binary)",
        show::count(stats.blobs_read, "blob"),
        stats.bytes_read,
        stats.blobs_skipped_binary
    );
    writeln!(
        out,
        "work: {} parsed, {} decoded, {} diffed, {blobs} read, {} compiled",
        show::count(stats.policies_parsed, "policy"),
        show::count(stats.commits_decoded, "commit"),
        show::count(stats.trees_diffed, "tree"),
        show::count(stats.patterns_compiled, "pattern"),
    )?;
    if stats.blobs_resolved > 0 {
        writeln!(
            out,
            "packs: {} resolved ({} bytes inflated, {} made by deltas), {} bytes looked at, {} whole",
            show::count(stats.blobs_resolved, "blob"),
            stats.bytes_inflated,
            stats.bytes_made,
            stats.bytes_sifted,
            show::count(stats.blobs_sifted_whole, "blob"),
        )?;
    }
    if stats.blobs_seen > 0 {
        writeln!(out, "cache: {} found clean before", show::count(stats.blobs_seen, "file"))?;
    }
    match ctx.elapsed {
        Some(elapsed) => writeln!(out, "time: {:.1} ms", elapsed.as_secs_f64() * 1e3),
        None => Ok(()),
    }
}

fn verdict(report: &Report, out: &mut dyn WriteColor) -> io::Result<()> {
    let color = if report.verdict() == Verdict::Pass { Color::Green } else { Color::Red };
    bold(out, color, "portcullis")?;
    writeln!(out, ": {}", report.sentence())
}

fn bold(out: &mut dyn WriteColor, color: Color, text: &str) -> io::Result<()> {
    out.set_color(ColorSpec::new().set_fg(Some(color)).set_bold(true))?;
    write!(out, "{text}")?;
    out.reset()
}

/// Later lines stand under the first one's text.
fn hanging(label: &str, text: &str) -> String {
    format!("{label}{}", text.replace('\n', &format!("\n{}", " ".repeat(label.len()))))
}

fn io_error(error: FilesError) -> io::Error {
    match error {
        FilesError::Io(error) => error,
        other => io::Error::other(other),
    }
}

/// A finding's excerpt as a file of one line, which stands where it stood in the real one.
struct Window<'f> {
    finding: &'f Finding,
    to_root: &'f str,
    /// The excerpt's, with nothing in it that a log would obey.
    text: String,
}

impl Window<'_> {
    fn mark(&self) -> Range<usize> {
        let excerpt = &self.finding.excerpt;
        let moved =
            |at: usize| at + show::armed(&excerpt.text).filter(|a| *a < at).count() * (show::DISARMED.len() - 1);
        let end = moved(excerpt.mark.end).min(self.text.len());
        moved(excerpt.mark.start).min(end)..end
    }
}

impl<'a> Files<'a> for Window<'_> {
    type FileId = ();
    type Name = String;
    type Source = &'a str;

    fn name(&'a self, (): ()) -> Result<String, FilesError> {
        let to_root = if self.finding.origin.path().is_some() { self.to_root } else { "" };
        Ok(format!("{to_root}{}", place::title(&self.finding.origin)))
    }

    fn source(&'a self, (): ()) -> Result<&'a str, FilesError> {
        Ok(&self.text)
    }

    fn line_index(&'a self, (): (), _: usize) -> Result<usize, FilesError> {
        Ok(0)
    }

    fn line_number(&'a self, (): (), _: usize) -> Result<usize, FilesError> {
        Ok(place::line(self.finding))
    }

    /// The byte column in the real line: the excerpt may begin in the middle of it.
    fn column_number(&'a self, (): (), _: usize, _: usize) -> Result<usize, FilesError> {
        Ok(self.finding.span.column.max(1))
    }

    fn line_range(&'a self, (): (), _: usize) -> Result<Range<usize>, FilesError> {
        Ok(0..self.text.len())
    }
}
