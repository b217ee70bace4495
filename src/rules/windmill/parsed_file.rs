//! A parsed YAML or JSON file, and violations that point into it. Excerpts of files with secrets show no values.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::ops::{Deref, Range};
use std::rc::Rc;

use bstr::{BStr, BString};

use crate::document::{Document, Format, Stored};
use crate::finding::{Origin, Severity, Violation};
use crate::subject::{File, Oid, Tree};
use crate::text::line_around;
use crate::yaml::{Node, Value};

pub(super) struct ParsedFile<'b> {
    pub path: BString,
    commit: Option<Oid>,
    blob: Option<Oid>,
    pub bytes: Bytes<'b>,
    pub document: Rc<Document>,
    /// Spans of all values, in file order.
    values: OnceCell<Vec<Range<usize>>>,
    /// Number of findings so far, by code and severity.
    counts: RefCell<HashMap<(&'static str, Severity), usize>>,
}

/// Borrowed from a `File` subject, or shared with other checks of the same tree.
pub(super) enum Bytes<'b> {
    Borrowed(&'b [u8]),
    Shared(Rc<Stored>),
}

impl Deref for Bytes<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Borrowed(bytes) => bytes,
            Self::Shared(content) => content,
        }
    }
}

/// Findings per file of one code and severity, so that a hostile file does not cost quadratic time.
const MAX_FINDINGS: usize = 100;

impl<'b> ParsedFile<'b> {
    fn new(path: &BStr, commit: Option<Oid>, blob: Option<Oid>, bytes: Bytes<'b>) -> Self {
        let document = match (Format::of(path), &bytes) {
            (Some(format @ (Format::Yaml | Format::Json)), Bytes::Shared(content)) => content.document(format),
            (Some(format @ (Format::Yaml | Format::Json)), Bytes::Borrowed(bytes)) => {
                Rc::new(Document::read(format, bytes))
            }
            // A script: no keys to look up.
            _ => Rc::new(Document { format: Format::Yaml, roots: Vec::new(), mistakes: Vec::new() }),
        };
        Self { path: path.into(), commit, blob, bytes, document, values: OnceCell::new(), counts: RefCell::default() }
    }

    pub(super) fn of_file(file: &File<'_>, bytes: &'b [u8]) -> Self {
        Self::new(file.path, file.commit, file.blob, Bytes::Borrowed(bytes))
    }

    pub(super) fn of_tree(tree: &Tree<'_>, path: &BStr, blob: Option<Oid>, content: Rc<Stored>) -> Self {
        Self::new(path, tree.commit, blob, Bytes::Shared(content))
    }

    /// The first document.
    pub(super) fn root(&self) -> Option<&Node> {
        self.document.roots.first()
    }

    /// A finding identified by the file's path and `at`, a key path. `None` once the file has `MAX_FINDINGS` of its kind.
    pub(super) fn violation(
        &self,
        code: &'static str,
        severity: Severity,
        span: Range<usize>,
        at: &str,
    ) -> Option<Violation<'_>> {
        let mut counts = self.counts.borrow_mut();
        let count = counts.entry((code, severity)).or_insert(0);
        *count += 1;
        if *count > MAX_FINDINGS {
            return None;
        }
        let origin = Origin::File { path: self.path.clone(), commit: self.commit, blob: self.blob };
        let violation = Violation::new(code, severity, origin, &self.bytes, span);
        // A warning that becomes an error is a new finding: the old warning must not excuse it.
        let level: &[u8] = if severity == Severity::Error { b"error" } else { b"" };
        let violation = violation.identity([self.path.as_slice(), at.as_bytes(), level]);
        Some(match *count == MAX_FINDINGS {
            true => {
                violation.note(format!("only the first {MAX_FINDINGS} findings of this kind are shown for one file"))
            }
            false => violation,
        })
    }

    /// Like [`ParsedFile::violation`], with every value near the finding masked, since it may be secret.
    pub(super) fn masked(
        &self,
        code: &'static str,
        severity: Severity,
        span: Range<usize>,
        at: &str,
    ) -> Option<Violation<'_>> {
        let violation = self.violation(code, severity, span.clone(), at)?;
        let line = line_around(&self.bytes, span.start);
        // Excerpts of long lines are cut far shorter than this.
        let near = line.start.max(span.start.saturating_sub(4096))..line.end.min(span.end.saturating_add(4096));
        let values = self.values.get_or_init(|| values(&self.document.roots));
        let first = values.partition_point(|v| v.end <= near.start);
        let hide: Vec<_> = values[first..].iter().take_while(|v| v.start < near.end).cloned().collect();
        let unread = self.document.roots.is_empty() && !self.document.mistakes.is_empty();
        Some(violation.hide_all(hide).hide_all(unread.then_some(line)))
    }

    /// The first syntax error of the file.
    pub(super) fn syntax(&self, code: &'static str) -> Option<Violation<'_>> {
        let first = self.document.mistakes.first()?;
        let line = line_around(&self.bytes, first.span.start);
        let violation = self.masked(code, Severity::Error, first.span.clone(), "")?.hide(line);
        Some(violation.message(format!("this file cannot be parsed: {}", first.message)))
    }
}

fn values(roots: &[Node]) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    for root in roots {
        root.walk(&mut |_, node| {
            if matches!(node.value, Value::Scalar { .. }) && !node.span.is_empty() {
                spans.push(node.span.clone());
            }
        });
    }
    spans.sort_unstable_by_key(|s| (s.start, s.end));
    spans
}
