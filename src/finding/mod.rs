//! A violation at a place, and the collector that turns it into a [`Finding`].
//! Owns severities, origins, fingerprints and redaction at birth; does not decide what stands (that is `settle`).

use std::borrow::Cow;
use std::ops::Range;

use bstr::BString;

mod allow;
mod collect;
mod mask;
mod severity;
mod surroundings;

pub use allow::{InlineAllow, trailer_allows};
pub use collect::{Findings, safe_words};
pub use mask::{MASKED, Mask, Secret};
pub use severity::Severity;
pub use surroundings::Surroundings;

use crate::subject::{Oid, RefLine, RefUpdate};
use crate::text::{Excerpt, Span};

/// How sure a detector is that what it found is live and real.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    Low,
    Medium,
    High,
}

/// `family/code`, stable for ever.
pub type RuleId = Cow<'static, str>;

/// Where the text that a finding points into comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    File {
        path: BString,
        commit: Option<Oid>,
        blob: Option<Oid>,
    },
    /// A commit message; `None` while it is pending.
    Message {
        commit: Option<Oid>,
    },
    /// A line `old new name`, as git gives it to hooks.
    Ref {
        name: BString,
        old: Option<Oid>,
        new: Option<Oid>,
    },
    /// An annotated tag object.
    Tag {
        name: BString,
        oid: Oid,
    },
    /// A policy file.
    Policy {
        path: BString,
    },
}

impl Origin {
    /// The path of a file or policy; nothing else has one.
    pub fn path(&self) -> Option<&BString> {
        match self {
            Self::File { path, .. } | Self::Policy { path } => Some(path),
            _ => None,
        }
    }
}

impl Origin {
    /// The name of a file or a ref, in which a secret may stand as well.
    pub fn name_mut(&mut self) -> Option<&mut BString> {
        match self {
            Self::File { path, .. } | Self::Policy { path } => Some(path),
            Self::Ref { name, .. } | Self::Tag { name, .. } => Some(name),
            Self::Message { .. } => None,
        }
    }
}

/// A second place that belongs to the same finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    pub path: BString,
    pub commit: Option<Oid>,
    /// 1-based; 0 where the whole file is meant.
    pub line: usize,
}

/// Why a finding does not count.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Suppression {
    /// `exception`, `inline`, `trailer`, `skip`, or `duplicate` for what another finding tells at the same place.
    pub by: &'static str,
    pub reason: String,
}

/// What is known of the value that a finding is about, from the versions before the change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Former {
    /// Nobody asked, or nothing stood there: the fields of exceptions decide.
    #[default]
    Unknown,
    /// The same value stood before where this exception of the policy (by number) excused it.
    Excused(usize),
    /// An exception was written for another value at this place.
    Another,
}

/// One violation at one place, fit to be shown: nothing in it needs masking any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub rule: RuleId,
    pub severity: Severity,
    pub confidence: Option<Confidence>,
    /// What is wrong, one line, lower case, no full stop.
    pub message: String,
    /// What to do, the exact command where there is one. May have several lines.
    pub help: Option<String>,
    /// The corrected line, ready to be pasted over the wrong one.
    pub suggestion: Option<String>,
    /// Further facts, each shown as a note; may hold a few lines of graph.
    pub notes: Vec<String>,
    pub origin: Origin,
    pub span: Span,
    pub excerpt: Excerpt,
    pub also: Vec<Location>,
    /// 32 hexadecimal digits.
    pub fingerprint: String,
    /// The key path in a structured file: `spec.source.targetRevision`.
    pub key: Option<String>,
    pub suppressed: Option<Suppression>,
    /// Equal for findings of the same secret within this run; meaningless outside it, never shown.
    pub same: Option<u64>,
    /// The same finding stood in the state before the change: settling makes it a note.
    pub(crate) stood: bool,
    /// What is known of the value that stood here before the change.
    pub(crate) former: Former,
    /// What stands on the finding's line and the one above, for inline allows; never shown.
    pub(crate) allows: Vec<InlineAllow>,
    /// What the finding hides, so that it can be masked wherever else it stands; never shown.
    pub(crate) secrets: Vec<Secret>,
    /// Path and fingerprint of every finding that became part of this one, for exceptions that excuse them too.
    pub(crate) merged: Vec<(Option<BString>, String)>,
}

/// Knows what must not be shown. Implemented by the secret detectors.
pub trait Redact: Send + Sync {
    /// Ranges of `bytes` that hold a secret, in any order, possibly overlapping.
    fn secrets(&self, bytes: &[u8]) -> Vec<Range<usize>>;
}

/// Redacts nothing: for texts that hold no foreign content, and for tests.
pub struct NothingToHide;

impl Redact for NothingToHide {
    fn secrets(&self, _: &[u8]) -> Vec<Range<usize>> {
        Vec::new()
    }
}

/// A finding in the making: what a check says.
pub struct Violation<'t> {
    rule: RuleId,
    severity: Severity,
    confidence: Option<Confidence>,
    message: String,
    help: Option<String>,
    suggestion: Option<String>,
    notes: Vec<String>,
    origin: Origin,
    text: &'t [u8],
    range: Range<usize>,
    hide: Vec<Range<usize>>,
    identity: Option<Vec<u8>>,
    key: Option<String>,
    secret: Option<&'t [u8]>,
    also: Vec<Location>,
}

impl<'t> Violation<'t> {
    /// `range`: what the caret marks, in bytes of `text`, the whole text that `origin` stands for.
    pub fn new(
        rule: impl Into<RuleId>,
        severity: Severity,
        origin: Origin,
        text: &'t [u8],
        range: Range<usize>,
    ) -> Self {
        Self {
            rule: rule.into(),
            severity,
            confidence: None,
            message: String::new(),
            help: None,
            suggestion: None,
            notes: Vec::new(),
            origin,
            text,
            range,
            hide: Vec::new(),
            identity: None,
            key: None,
            secret: None,
            also: Vec::new(),
        }
    }

    /// A violation in git's own line for a ref update. Its identity is the ref's name and its new id.
    pub fn on_ref(
        rule: impl Into<RuleId>,
        severity: Severity,
        update: &RefUpdate<'_>,
        line: &'t RefLine,
        range: Range<usize>,
    ) -> Self {
        let origin = Origin::Ref { name: update.name.clone(), old: update.old, new: update.new };
        let identity = [&line.text[line.name.clone()], &line.text[line.new.clone()]];
        Self::new(rule, severity, origin, &line.text, range).identity(identity)
    }

    /// What is wrong, one line, lower case, no full stop. Foreign parts in it are sanitised and masked on push.
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// What to do about it.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The corrected line; the help says it too, for people.
    pub fn suggestion(mut self, line: impl Into<String>) -> Self {
        self.suggestion = Some(line.into());
        self
    }

    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    pub fn confidence(mut self, confidence: Confidence) -> Self {
        self.confidence = Some(confidence);
        self
    }

    /// Masks a range of the text in the excerpt.
    pub fn hide(mut self, range: Range<usize>) -> Self {
        self.hide.push(range);
        self
    }

    pub fn hide_all(mut self, ranges: impl IntoIterator<Item = Range<usize>>) -> Self {
        self.hide.extend(ranges);
        self
    }

    /// The secret itself: masked, and used to tell that two findings are about the same one. Never kept.
    pub fn secret(mut self, range: Range<usize>) -> Self {
        self.secret = Some(&self.text[range.clone()]);
        self.hide.push(range);
        self
    }

    /// What makes this finding itself, beside its rule, so that its fingerprint survives edits elsewhere
    /// (a key path, a header). Must not hold a secret. Default: the path and the line with hidden ranges blanked.
    pub fn identity<'p>(mut self, parts: impl IntoIterator<Item = &'p [u8]>) -> Self {
        self.identity = Some(parts.into_iter().flat_map(|p| p.iter().copied().chain([0])).collect());
        self
    }

    /// The dotted key path that the finding is about, in a structured file. Exceptions may name it, and unless
    /// [`Violation::identity`] says otherwise, path and key are the identity.
    pub fn key(mut self, path: impl Into<String>) -> Self {
        self.key = Some(path.into());
        self
    }

    pub fn also(mut self, place: Location) -> Self {
        self.also.push(place);
        self
    }
}
