//! A finding before it has a location: gives it one in a file or in the policy, an identity, and masks all values near it.

use std::ops::Range;

use super::classify;
use super::findings::Reporter;
use super::keys::KeyEntry;
use super::settings::VariableSource;
use super::side::Side;
use super::sources::Variable;
use crate::finding::{Findings, Location, Origin, Severity, Violation};
use crate::manifests::SourceFile;
use crate::text::line_around;

/// A finding without its location.
pub(super) struct Draft {
    pub(super) code: &'static str,
    pub(super) severity: Severity,
    pub(super) message: String,
    pub(super) help: String,
    /// The identity besides the source.
    pub(super) key: String,
}

impl Reporter<'_> {
    /// A finding in a file, with all values near it masked.
    pub(super) fn at(
        &self,
        draft: Draft,
        out: &mut Findings<'_>,
        file: &SourceFile,
        span: Range<usize>,
        other: Option<Location>,
    ) {
        let origin = Origin::File { path: file.path.clone(), commit: None, blob: file.blob };
        let violation = self.violation(draft, origin, &file.bytes, span.clone());
        let violation = violation.hide(span.clone()).hide_all(masked_spans(file, &span));
        out.push(match other {
            Some(place) => violation.also(place),
            None => violation,
        });
    }

    /// A finding about the source as a whole.
    pub(super) fn in_policy(&self, draft: Draft, out: &mut Findings<'_>) {
        let VariableSource { file, span, .. } = self.source;
        let origin = Origin::Policy { path: file.path.clone() };
        out.push(self.violation(draft, origin, &file.bytes, span.clone()));
    }

    fn violation<'v>(&self, draft: Draft, origin: Origin, text: &'v [u8], span: Range<usize>) -> Violation<'v> {
        let key = draft.key.split_once(':').map_or(draft.key.as_str(), |(_, key)| key);
        // A missing key that the change turns from a warning into an error is a new finding.
        let escalated: &[u8] =
            if draft.code == "divergence/missing" && draft.severity == Severity::Error { b"now" } else { b"" };
        Violation::new(draft.code, draft.severity, origin, text, span)
            .message(draft.message)
            .help(draft.help)
            .identity([self.source.id.as_bytes(), draft.key.as_bytes(), escalated])
            .key(format!("{}/{key}", self.source.id))
    }
}

pub(super) fn place(side: &Side, variable: &Variable) -> Location {
    let file = &variable.file;
    let path = match &side.reference {
        Some(reference) => format!("{reference}:{}", file.path).into(),
        None => file.path.clone(),
    };
    let line = memchr::memchr_iter(b'\n', &file.bytes[..variable.key_span.start.min(file.bytes.len())]).count() + 1;
    Location { path, commit: None, line }
}

/// Maximum distance that an excerpt reaches around a finding.
const NEAR: usize = 1024;

/// The spans to mask near a finding: all values or, in a file with mistakes, the whole line.
fn masked_spans(file: &SourceFile, span: &Range<usize>) -> Vec<Range<usize>> {
    if !file.mistakes.is_empty() || classify::is_encrypted_file(&file.bytes) {
        let mut line = line_around(&file.bytes, span.start);
        line.end = line.end.max(span.end);
        return vec![line];
    }
    let near = span.start.saturating_sub(NEAR)..span.end.saturating_add(NEAR);
    file.scalars().iter().filter(|v| v.start < near.end && near.start < v.end).cloned().collect()
}

/// Reports an entry of `keys` that has expired.
pub fn expired(key: &KeyEntry) -> Violation<'_> {
    let origin = Origin::Policy { path: key.file.path.clone() };
    let until = key.until.map(|d| d.to_string()).unwrap_or_default();
    Violation::new("divergence/expired", Severity::Error, origin, &key.file.bytes, key.span.clone())
        .message(format!("this entry of `keys` expired on {until}"))
        .help("resolve the difference and remove the entry, or set a later date")
}
