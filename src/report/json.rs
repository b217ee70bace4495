//! `--format json`: the contract that scripts read. Its types are the schema; names and shapes stay, additions are free.

use std::io::{self, Write};

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use crate::error::Kind;
use crate::finding::{self, Confidence, Severity, Suppression};
use crate::text::{Excerpt, Span};

use super::show::{self, Layout};
use super::{Context, Counts, Format, Report, Stats, Undecided, Verdict};

pub const FORMAT: Format = Format { name: "json", render, lists_rules: false };

pub fn render(report: &Report, _: &Context<'_>, out: &mut dyn Write) -> io::Result<()> {
    show::json(&Document::of(report), Layout::Indented, out)
}

/// Raised when a name or a shape changes.
pub const VERSION: u32 = 1;

#[derive(Serialize)]
pub struct Document<'r> {
    pub version: u32,
    pub verdict: Verdict,
    /// `false`: the exit code is 0 whatever the verdict.
    pub enforced: bool,
    pub summary: Counts,
    pub findings: Vec<Finding<'r>>,
    pub errors: Vec<Problem>,
    /// Remarks on the whole run.
    pub notes: Vec<String>,
    pub stats: Stats,
}

impl<'r> Document<'r> {
    pub fn of(report: &'r Report) -> Self {
        Self {
            version: VERSION,
            verdict: report.verdict(),
            enforced: report.enforce,
            summary: report.counts(),
            findings: report.findings.iter().map(Finding::of).collect(),
            errors: report.errors.iter().map(Problem::of).collect(),
            notes: report.notes.iter().map(|n| show::lines(n)).collect(),
            stats: report.stats,
        }
    }
}

#[derive(Serialize)]
pub struct Finding<'r> {
    pub rule: String,
    pub severity: Severity,
    pub confidence: Option<Confidence>,
    pub message: String,
    pub help: Option<String>,
    /// The corrected line, where it can be told.
    pub suggestion: Option<String>,
    pub notes: Vec<String>,
    pub origin: Origin,
    /// Bytes: columns from 1, offsets from 0.
    pub span: Span,
    pub excerpt: &'r Excerpt,
    pub also: Vec<Place>,
    pub fingerprint: &'r str,
    pub suppressed: Option<Suppression>,
}

impl<'r> Finding<'r> {
    pub fn of(finding: &'r finding::Finding) -> Self {
        Self {
            rule: show::line(&finding.rule),
            severity: finding.severity,
            confidence: finding.confidence,
            message: show::line(&finding.message),
            help: finding.help.as_deref().map(show::lines),
            suggestion: finding.suggestion.as_deref().map(show::line),
            notes: finding.notes.iter().map(|n| show::lines(n)).collect(),
            origin: Origin::of(&finding.origin),
            span: finding.span,
            excerpt: &finding.excerpt,
            also: finding.also.iter().map(Place::of).collect(),
            fingerprint: &finding.fingerprint,
            suppressed: finding.suppressed.as_ref().map(|s| Suppression { by: s.by, reason: show::line(&s.reason) }),
        }
    }
}

/// Ids are hexadecimal. A `*_base64` stands beside a name that is not UTF-8; the name is then escaped: `\xff` for a
/// foreign byte, `\\` for a backslash.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Origin {
    File {
        path: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        path_base64: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        commit: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        blob: Option<String>,
    },
    Message {
        #[serde(skip_serializing_if = "Option::is_none")]
        commit: Option<String>,
    },
    /// `old` is null for a new ref, `new` for a deleted one.
    Ref {
        name: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        name_base64: Option<String>,
        old: Option<String>,
        new: Option<String>,
    },
    Tag {
        name: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        name_base64: Option<String>,
        oid: String,
    },
    Policy {
        path: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        path_base64: Option<String>,
    },
}

impl Origin {
    pub fn of(origin: &finding::Origin) -> Self {
        let hex = |oid: &Option<crate::subject::Oid>| oid.map(|o| o.to_string());
        match origin {
            finding::Origin::File { path, commit, blob } => {
                let (path, path_base64) = show::lossless(path);
                Self::File { path, path_base64, commit: hex(commit), blob: hex(blob) }
            }
            finding::Origin::Message { commit } => Self::Message { commit: hex(commit) },
            finding::Origin::Ref { name, old, new } => {
                let (name, name_base64) = show::lossless(name);
                Self::Ref { name, name_base64, old: hex(old), new: hex(new) }
            }
            finding::Origin::Tag { name, oid } => {
                let (name, name_base64) = show::lossless(name);
                Self::Tag { name, name_base64, oid: oid.to_string() }
            }
            finding::Origin::Policy { path } => {
                let (path, path_base64) = show::lossless(path);
                Self::Policy { path, path_base64 }
            }
        }
    }
}

#[derive(Serialize)]
pub struct Place {
    pub path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_base64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// From 1; 0 where the whole file is meant.
    pub line: usize,
}

impl Place {
    fn of(place: &finding::Location) -> Self {
        let (path, path_base64) = show::lossless(&place.path);
        Self { path, path_base64, commit: place.commit.map(|c| c.to_string()), line: place.line }
    }
}

/// Something that could not be decided.
#[derive(Serialize)]
pub struct Problem {
    /// `usage` or `undecided`.
    pub kind: &'static str,
    pub message: String,
    pub hint: Option<String>,
    /// An empty object where there is no place.
    #[serde(serialize_with = "origin_or_empty")]
    pub origin: Option<Origin>,
}

impl Problem {
    pub fn of(undecided: &Undecided) -> Self {
        Self {
            kind: match undecided.error.kind {
                Kind::Usage => "usage",
                Kind::Undecided => "undecided",
            },
            message: show::line(&undecided.error.message),
            hint: undecided.error.hint.as_deref().map(show::lines),
            origin: undecided.origin.as_ref().map(Origin::of),
        }
    }
}

fn origin_or_empty<S: Serializer>(origin: &Option<Origin>, serializer: S) -> Result<S::Ok, S::Error> {
    match origin {
        Some(origin) => origin.serialize(serializer),
        None => serializer.serialize_map(Some(0))?.end(),
    }
}
