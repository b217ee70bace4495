//! A violation at a place, and the collector that turns it into a [`Finding`].
//! Owns severities, origins, fingerprints and redaction at birth; does not decide what stands (that is `settle`).

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use bstr::{BString, ByteSlice};
use sha2::{Digest, Sha256};

mod allow;
mod mask;

pub use allow::{InlineAllow, trailer_allows};
pub use mask::{MASKED, Mask, Secret};

use crate::subject::{Oid, RefLine, RefUpdate};
use crate::text::{self, Before, Excerpt, Span};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Note,
    Warning,
    Error,
}

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
    /// `exception`, `inline`, `trailer` or `skip`.
    pub by: &'static str,
    pub reason: String,
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

/// Collects what checks say of one subject (or of one blob at all its paths).
pub struct Findings<'r> {
    redactor: &'r dyn Redact,
    /// Differs from run to run, so that `Finding::same` is no oracle.
    key: u64,
    list: Vec<Finding>,
    /// How often an identity has been seen: equal lines get ordinals.
    seen: HashMap<[u8; 32], u32>,
    /// What the findings hide so far; each finding carries only what is new.
    hidden: HashSet<Secret>,
    /// The last bytes that were searched for secrets around a finding, and where they stand in them.
    searched: (Vec<u8>, Vec<Range<usize>>),
    /// What stands before the text of the next violations, where that is a part of a file.
    before: Before,
}

impl<'r> Findings<'r> {
    pub fn new(redactor: &'r dyn Redact, key: u64) -> Self {
        Self {
            redactor,
            key,
            list: Vec::new(),
            seen: HashMap::new(),
            hidden: HashSet::new(),
            searched: Default::default(),
            before: Before::default(),
        }
    }

    /// The texts of what follows are parts of a whole, with so much before them.
    pub fn in_part(&mut self, before: Before) {
        self.before = before;
    }

    /// What stands before the part of a text that is looked at.
    pub fn before(&self) -> Before {
        self.before
    }

    /// Masks and cuts the excerpt, works out place and fingerprint, and keeps the finding.
    pub fn push(&mut self, mut v: Violation<'_>) {
        let secrets = self.newly_hidden(&v);
        let names = v.origin.name_mut().into_iter().chain(v.also.iter_mut().map(|place| &mut place.path));
        names.for_each(|name| *name = mask::replaced(name, self.redactor.secrets(name)).into());
        let span = Span::of(v.text, v.range.clone());
        let line = text::line_around(v.text, span.byte_start);
        let mut hide = v.hide;
        // Of long lines a part is enough, so that a minified file does not cost a scan of itself per finding.
        let near = line.start.max(span.byte_start.saturating_sub(512))..line.end.min(span.byte_end + 512);
        hide.extend(
            self.redactor.secrets(&v.text[near.clone()]).into_iter().map(|r| r.start + near.start..r.end + near.start),
        );
        hide.extend(copies(v.text, near.clone(), &hide));
        let identity = v.identity.unwrap_or_else(|| {
            let mut id = v.origin.path().map_or_else(Vec::new, |p| p.to_vec());
            id.push(0);
            match &v.key {
                Some(key) => id.extend_from_slice(key.as_bytes()),
                None => id.extend(blanked(v.text, near, &hide)),
            }
            id
        });
        // The excerpt hides more than the fingerprint needs: what is a secret only by the lines around it.
        hide.extend(self.secrets_around(v.text, span.byte_start));
        let mut excerpt = Excerpt::cut(v.text, &span, &hide);
        if excerpt.first_line == 1 {
            excerpt.first_column += self.before.column;
        }
        excerpt.first_line += self.before.lines;
        let mut hash = Sha256::new();
        hash.update(v.rule.as_bytes());
        hash.update([0]);
        hash.update(&identity);
        let digest: [u8; 32] = hash.clone().finalize().into();
        let ordinal = self.seen.entry(digest).or_insert(0);
        hash.update(ordinal.to_le_bytes());
        *ordinal += 1;
        let fingerprint = hash.finalize().iter().take(16).map(|b| format!("{b:02x}")).collect();
        let same = v.secret.map(|s| {
            let mut h = Sha256::new();
            h.update(self.key.to_le_bytes());
            h.update(s);
            u64::from_le_bytes(h.finalize()[..8].try_into().expect("eight of 32 bytes"))
        });
        let mut allows = allow::near(v.text, span.byte_start);
        allows.iter_mut().for_each(|a| a.reason = self.safe(&a.reason));
        self.list.push(Finding {
            rule: v.rule,
            severity: v.severity,
            confidence: v.confidence,
            message: self.safe(&v.message),
            help: v.help.map(|h| self.safe(&h)),
            suggestion: v.suggestion.map(|s| self.safe(&s)),
            notes: v.notes.iter().map(|n| self.safe(n)).collect(),
            origin: v.origin,
            span: self.before.place(span),
            excerpt,
            also: v.also,
            fingerprint,
            suppressed: None,
            key: v.key.map(|k| self.safe(&k)),
            same,
            stood: false,
            allows,
            secrets,
            merged: Vec::new(),
        });
    }

    /// The values that a violation hides and no one before it did.
    fn newly_hidden(&mut self, v: &Violation<'_>) -> Vec<Secret> {
        let text = |range: &Range<usize>| v.text.get(range.clone()).unwrap_or_default();
        let certain = v.secret.into_iter().flat_map(|secret| Secret::of(secret, true));
        let hidden = v.hide.iter().flat_map(|range| Secret::of(text(range), false));
        let all: Vec<Secret> = certain.chain(hidden).collect();
        all.into_iter().filter(|secret| self.hidden.insert(secret.clone())).collect()
    }

    /// Where secrets stand in the text around `at`, the lines before and after included. Findings close to each other
    /// share a search, so that many of them in one file cost no more than the file.
    fn secrets_around(&mut self, text: &[u8], at: usize) -> Vec<Range<usize>> {
        const CHUNK: usize = 4096;
        let chunk = at / CHUNK * CHUNK;
        let window = chunk.saturating_sub(CHUNK)..text.len().min(chunk + 2 * CHUNK);
        let bytes = &text[window.clone()];
        if self.searched.0 != bytes {
            self.searched = (bytes.to_vec(), self.redactor.secrets(bytes));
        }
        self.searched.1.iter().map(|r| r.start + window.start..r.end + window.start).collect()
    }

    /// Whether a secret stands in these words, so that nothing should be made of them.
    pub fn holds_secret(&self, words: &[u8]) -> bool {
        !self.redactor.secrets(words).is_empty()
    }

    fn safe(&self, words: &str) -> String {
        safe_words(self.redactor, words)
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub fn len(&self) -> usize {
        self.list.len()
    }

    pub fn into_vec(self) -> Vec<Finding> {
        self.list
    }
}

/// Our own words around foreign ones, made safe: secrets masked, nothing in it that moves a cursor.
pub fn safe_words(redactor: &dyn Redact, words: &str) -> String {
    text::sanitise_lines(&Mask::new(redactor).words(words))
}

/// Where what is hidden stands again in `near`.
fn copies(text: &[u8], near: Range<usize>, hide: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let around = |h: &&Range<usize>| h.start < near.end && near.start < h.end && h.len() >= 6 && h.len() <= 4096;
    for hidden in hide.iter().filter(around).filter_map(|h| text.get(h.clone())) {
        found.extend(text[near.clone()].find_iter(hidden).map(|at| near.start + at..near.start + at + hidden.len()));
    }
    found
}

/// The bytes of `range` with every hidden part replaced by one NUL.
fn blanked(text: &[u8], range: Range<usize>, hide: &[Range<usize>]) -> Vec<u8> {
    let mut out = Vec::with_capacity(range.len());
    for at in range {
        if hide.iter().any(|h| h.contains(&at)) {
            if out.last() != Some(&0) {
                out.push(0);
            }
        } else {
            out.push(text[at]);
        }
    }
    out.trim().to_vec()
}
