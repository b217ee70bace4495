//! A structured file that is judged: bytes, tree, and violations at places of it whose excerpts show no value.

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

/// See the module.
pub(super) struct Text<'b> {
    pub path: BString,
    commit: Option<Oid>,
    blob: Option<Oid>,
    pub bytes: Bytes<'b>,
    pub document: Rc<Document>,
    /// Spans of all values, in file order.
    values: OnceCell<Vec<Range<usize>>>,
    /// How many findings there are so far, by code and severity.
    told: RefCell<HashMap<(&'static str, Severity), usize>>,
}

/// Of a file subject, or shared with others that look at the same tree.
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

/// Findings of one code and severity that are told for one file: a hostile one must not cost its square.
const MAX_TOLD: usize = 100;

impl<'b> Text<'b> {
    fn new(path: &BStr, commit: Option<Oid>, blob: Option<Oid>, bytes: Bytes<'b>) -> Self {
        let document = match (Format::of(path), &bytes) {
            (Some(format @ (Format::Yaml | Format::Json)), Bytes::Shared(content)) => content.document(format),
            (Some(format @ (Format::Yaml | Format::Json)), Bytes::Borrowed(bytes)) => {
                Rc::new(Document::read(format, bytes))
            }
            // A script: nothing of it is looked up by key.
            _ => Rc::new(Document { format: Format::Yaml, roots: Vec::new(), mistakes: Vec::new() }),
        };
        Self { path: path.into(), commit, blob, bytes, document, values: OnceCell::new(), told: RefCell::default() }
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

    /// `at`: the key path, which makes the finding itself, together with the file's path. `None` when the file has
    /// enough findings of this kind.
    pub(super) fn violation(
        &self,
        code: &'static str,
        severity: Severity,
        span: Range<usize>,
        at: &str,
    ) -> Option<Violation<'_>> {
        let mut told = self.told.borrow_mut();
        let told = told.entry((code, severity)).or_insert(0);
        *told += 1;
        if *told > MAX_TOLD {
            return None;
        }
        let origin = Origin::File { path: self.path.clone(), commit: self.commit, blob: self.blob };
        let violation = Violation::new(code, severity, origin, &self.bytes, span);
        // A warning that becomes an error is another finding: one that stood before must not cover it.
        let level: &[u8] = if severity == Severity::Error { b"error" } else { b"" };
        let violation = violation.identity([self.path.as_slice(), at.as_bytes(), level]);
        Some(match *told == MAX_TOLD {
            true => violation.note(format!("the first {MAX_TOLD} of this kind are told for one file")),
            false => violation,
        })
    }

    /// As [`Text::violation`], for files whose values may be secret: all near the finding are masked.
    pub(super) fn masked(
        &self,
        code: &'static str,
        severity: Severity,
        span: Range<usize>,
        at: &str,
    ) -> Option<Violation<'_>> {
        let violation = self.violation(code, severity, span.clone(), at)?;
        let line = line_around(&self.bytes, span.start);
        // Excerpts of long lines are cut to far less than this.
        let near = line.start.max(span.start.saturating_sub(4096))..line.end.min(span.end.saturating_add(4096));
        let values = self.values.get_or_init(|| values(&self.document.roots));
        let first = values.partition_point(|v| v.end <= near.start);
        let hide: Vec<_> = values[first..].iter().take_while(|v| v.start < near.end).cloned().collect();
        let unread = self.document.roots.is_empty() && !self.document.mistakes.is_empty();
        Some(violation.hide_all(hide).hide_all(unread.then_some(line)))
    }

    /// One finding for every way in which the file is not what its name says.
    pub(super) fn syntax(&self, code: &'static str) -> Option<Violation<'_>> {
        let first = self.document.mistakes.first()?;
        let line = line_around(&self.bytes, first.span.start);
        let violation = self.masked(code, Severity::Error, first.span.clone(), "")?.hide(line);
        Some(violation.message(format!("this file cannot be read: {}", first.message)))
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
