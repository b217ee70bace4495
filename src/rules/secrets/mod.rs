//! Secrets in files, messages and raw objects: the rule family `secrets`.
//! Owns what becomes of a hit: its severity, its words, its remedy. How secrets are found is the scanner's affair.

mod archive;
mod assignment;
mod blob;
mod decode;
pub mod detectors;
mod encoding;
mod file_kind;
mod kubernetes;
mod names;
mod published;
mod remedies;
mod scan;

use std::ops::Range;
use std::sync::Arc;

use bstr::BStr;
use regex::bytes::Regex;

use super::prescan::{FileKindSet, PrescanState, TextScan, Work};
use super::{Check, Checks, Prescan, Rule};
use crate::error::Result;
use crate::finding::{Confidence, Findings, Location, Origin, Redact, Severity, Surroundings, Violation};
use crate::options::Options;
use crate::subject::{Carrier, Commit, DeltaResult, File, Kinds};
use crate::text::{self, Before};
use detectors::user;
use remedies::remedy;
use scan::incremental;

use crate::values;

pub use detectors::user::anchors_at_text;
pub use detectors::{ASSIGNMENT, CHECKS, DETECTORS, Definition, Detector, FIELDS, KUBERNETES};
pub use encoding::{Content, Decoder, content, readable};
pub use scan::{Hit, Prefilter, Scanner, built_in};

pub static RULE: Rule = Rule {
    id: "secrets",
    looks_at: Kinds::FILE.union(Kinds::COMMIT).union(Kinds::REF),
    policy: include_str!("../../../policies/secrets.yml"),
    compile,
};

/// Masks whatever any built-in detector would find.
pub fn redactor() -> &'static dyn Redact {
    built_in()
}

/// Where the built-in detectors find secrets in a file of this name: the kind of a file says how its values are read.
pub fn secrets_in_file(path: &str, bytes: &[u8]) -> Vec<Range<usize>> {
    let hits = built_in().scan(bytes, Some(path.into()));
    hits.into_iter().flat_map(|hit| hit.pair.into_iter().chain([hit.secret])).collect()
}

/// Whether a value is one: not empty, no placeholder, no reference, no ciphertext.
pub fn literal_value(value: &[u8]) -> bool {
    !values::stands_for_secret(value)
}

/// How many built-in patterns have been needed so far in this process.
pub fn patterns_compiled() -> usize {
    DETECTORS.iter().filter(|d| d.is_compiled()).count()
}

/// What the policy chooses.
#[derive(Clone)]
pub struct Settings {
    /// From which confidence on a hit has its detector's severity; below it is a warning.
    pub error_from: Confidence,
    /// From which confidence on it is a warning; below it is a note.
    pub warning_from: Confidence,
    /// A hit whose secret, or whose line, one of these matches is none.
    pub allow: Vec<Regex>,
    /// Looks for common forms (URLs with passwords, ...) in binary content too.
    pub binary: bool,
    /// How bad an archive is that cannot be opened.
    pub unread: Severity,
    /// Larger blobs are scanned in windows of this many bytes.
    pub window: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            error_from: Confidence::Medium,
            warning_from: Confidence::Low,
            allow: Vec::new(),
            binary: false,
            unread: Severity::Note,
            window: 16 << 20,
        }
    }
}

/// The check for files and for commits: one scanner, one set of options.
#[derive(Clone)]
pub struct Secrets {
    scanner: Arc<Scanner>,
    settings: Settings,
}

fn compile(options: &Options<'_>) -> Checks {
    let level = |key| match options.choice(key, &["high", "medium", "low"]) {
        "high" => Confidence::High,
        "medium" => Confidence::Medium,
        _ => Confidence::Low,
    };
    let settings = Settings {
        error_from: level("min-confidence-error"),
        warning_from: level("min-confidence-warning"),
        allow: options.patterns("allow"),
        binary: options.flag("binary"),
        unread: match options.choice("unread", &["note", "warn", "refuse"]) {
            "refuse" => Severity::Error,
            "warn" => Severity::Warning,
            _ => Severity::Note,
        },
        window: usize::try_from(options.vocabulary().budgets.blob_window).unwrap_or(usize::MAX),
    };
    let check = Secrets::new(user::scanner(options), settings);
    let redactor = check.scanner.has_own_detectors().then(|| check.scanner.clone() as Arc<dyn Redact>);
    Checks {
        files: vec![Box::new(check.clone())],
        commits: vec![Box::new(check.clone())],
        refs: vec![Box::new(check)],
        redactor,
        ..Checks::default()
    }
}

impl Check<File<'_>> for Secrets {
    fn check(&self, file: &File<'_>, out: &mut Findings<'_>) -> Result<()> {
        self.check_path(file, out);
        self.file(file, out)
    }

    fn is_cacheable(&self) -> bool {
        true
    }

    fn prescan(&self) -> Option<&dyn Prescan> {
        Some(self)
    }
}

impl Prescan for Secrets {
    fn scan(&self, bytes: &[u8]) -> PrescanState {
        self.outside(bytes).unwrap_or_else(|| PrescanState::Text(self.scanner.prescan(bytes)))
    }

    fn scan_delta(&self, base: &PrescanState, delta: &DeltaResult<'_>) -> PrescanState {
        match base {
            PrescanState::Text(base) => {
                self.outside(delta.bytes).unwrap_or_else(|| PrescanState::Text(self.scanner.prescan_delta(base, delta)))
            }
            PrescanState::Ignored | PrescanState::Unread => self.scan(delta.bytes),
        }
    }

    fn needs_check(&self, kinds: FileKindSet, path: &BStr) -> bool {
        kinds.intersects(incremental::FORM)
            || kinds.intersects(Scanner::interest(file_kind::file_kind(path)))
            || self.is_wanted_for_its_path(path)
    }

    fn hotspots(&self, bytes: &[u8], state: &PrescanState) -> Option<TextScan> {
        if let PrescanState::Text(scan) = state { self.scanner.hotspots(bytes, scan) } else { None }
    }

    fn check_hotspots(&self, hotspots: &TextScan, file: &File<'_>, out: &mut Findings<'_>) -> Result<()> {
        self.check_path(file, out);
        let origin = || Origin::File { path: file.path.to_owned(), commit: file.commit, blob: file.blob };
        let text = file.bytes()?;
        self.report(text, &self.scanner.scan_hotspots(text, Some(file.path), hotspots), origin, out);
        Ok(())
    }

    fn work(&self) -> Work {
        self.scanner.work()
    }
}

impl Check<Commit<'_>> for Secrets {
    fn can_skip(&self, commit: &Commit<'_>) -> bool {
        // While pending, there is more to a commit than its text.
        commit.carrier != Carrier::Pending
            && [&commit.message, &commit.headers].into_iter().all(|text| self.hits(text, None).is_empty())
    }

    fn check(&self, commit: &Commit<'_>, out: &mut Findings<'_>) -> Result<()> {
        let origin = || match &commit.carrier {
            Carrier::Pending => Origin::Message { commit: None },
            Carrier::Commit(oid) => Origin::Message { commit: Some(*oid) },
            Carrier::Tag(oid, name) => Origin::Tag { name: name.clone(), oid: *oid },
        };
        let report = |text: &[u8], out: &mut Findings<'_>| self.report(text, &self.hits(text, None), origin, out);
        report(&commit.message, out);
        if !commit.headers.is_empty() {
            report(&commit.headers, out);
            return Ok(());
        }
        // While pending, the people are all there is of the headers.
        for (role, who) in [("author", &commit.author), ("committer", &commit.committer)] {
            let line = [role.as_bytes(), b" ", &who.name, b" <", &who.email, b">"].concat();
            report(&line, out);
        }
        Ok(())
    }
}

impl Secrets {
    pub fn new(scanner: Scanner, settings: Settings) -> Self {
        Self { scanner: Arc::new(scanner), settings }
    }

    fn hits(&self, text: &[u8], path: Option<&BStr>) -> Vec<Hit<'_>> {
        self.scanner.scan_windows(text, path, self.settings.window)
    }

    fn report(&self, text: &[u8], hits: &[Hit<'_>], origin: impl Fn() -> Origin, out: &mut Findings<'_>) {
        self.report_in(text, None, hits, origin, out);
    }

    /// `entry`: the text is a file of this name in an archive.
    fn report_in(
        &self,
        text: &[u8],
        entry: Option<&BStr>,
        hits: &[Hit<'_>],
        origin: impl Fn() -> Origin,
        out: &mut Findings<'_>,
    ) {
        let before = out.before();
        let mut around = Surroundings::new(text);
        for (at, hit) in hits.iter().enumerate() {
            if self.allowed(text, hit, &mut around) {
                continue;
            }
            let mut violation = self.violation(text, hit, origin(), before).hide_all(neighbours(hits, at));
            if let Some(entry) = entry {
                let entry = text::sanitise(entry);
                let message = format!("found {} in `{entry}` of this archive", hit.detector.name);
                violation = violation.message(message).key(entry);
            }
            out.push_in(violation, &mut around);
        }
    }

    fn allowed(&self, text: &[u8], hit: &Hit<'_>, around: &mut Surroundings<'_>) -> bool {
        if self.settings.allow.is_empty() {
            return false;
        }
        let line = around.line(hit.secret.start);
        let near = line.start.max(hit.secret.start.saturating_sub(512))
            ..line.end.min(hit.secret.end + 512).max(hit.secret.start);
        self.settings.allow.iter().any(|a| a.is_match(&text[hit.secret.clone()]) || a.is_match(&text[near.clone()]))
    }

    fn code(&self, hit: &Hit<'_>) -> String {
        format!("secrets/{}", hit.detector.id)
    }

    fn severity(&self, hit: &Hit<'_>) -> Severity {
        match hit.confidence {
            c if c >= self.settings.error_from => hit.severity,
            c if c >= self.settings.warning_from => hit.severity.min(Severity::Warning),
            _ => Severity::Note,
        }
    }

    fn violation<'t>(&self, text: &'t [u8], hit: &Hit<'_>, origin: Origin, before: Before) -> Violation<'t> {
        let detector = hit.detector;
        let severity = self.severity(hit);
        // A block of several lines is marked by the line that opens it.
        let one_line = !text[hit.secret.clone()].contains(&b'\n');
        let opens = || hit.range.start..text::line_around(text, hit.range.start).end;
        let mark = if one_line { hit.secret.clone() } else { opens() };
        let help = remedy(detector, &origin);
        let place = match &origin {
            Origin::File { path, commit, .. } => Some((path.clone(), *commit)),
            _ => None,
        };
        let mut violation = Violation::new(self.code(hit), severity, origin, text, mark)
            .message(format!("found {}", detector.name))
            .confidence(hit.confidence)
            .secret(hit.secret.clone())
            .help(help);
        if let Some(pair) = &hit.pair {
            let at = before.place(text::Span::of(text, pair.clone()));
            violation = violation
                .hide(pair.clone())
                .note(format!("its other half is in line {}, column {}", at.line, at.column));
            violation = match place {
                Some((path, commit)) => violation.also(Location { path, commit, line: at.line }),
                None => violation,
            };
        }
        if !detector.docs.is_empty() {
            violation = violation.note(format!("see {}", detector.docs));
        }
        violation
    }
}

/// What hits near one hide, so that an excerpt of its line shows none of them.
fn neighbours(hits: &[Hit<'_>], at: usize) -> Vec<Range<usize>> {
    const NEAR: usize = 640;
    let here = &hits[at].secret;
    let before = hits[..at].iter().rev().take_while(|h| h.secret.end + NEAR > here.start);
    let after = hits[at + 1..].iter().take_while(|h| h.secret.start < here.end + NEAR);
    before.chain(after).map(|h| h.secret.clone()).collect()
}
