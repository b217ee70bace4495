//! The text around findings: lines, allows, and the secrets near them. Owns what findings in one text share, so that many
//! findings in it, all on one line even, cost no more than a few passes over the text.

use std::ops::Range;

use super::{InlineAllow, Redact, allow};
use crate::text::Span;

/// Secrets are searched for in parts of this size, and in as much before and after.
const PART: usize = 4096;
/// How much of the line before and after what a finding marks belongs to its identity.
const NEAR: usize = 512;

/// One text, while findings in it are collected. Quick where findings come in the order of the text.
pub struct Surroundings<'t> {
    pub(super) text: &'t [u8],
    line: Line,
    allows: Option<(usize, Vec<InlineAllow>)>,
    in_line: Searched,
    around: Searched,
}

#[derive(Clone, Default)]
struct Line {
    /// 1-based; 0 before the first line was looked for.
    number: usize,
    start: usize,
    /// Where its `\n` stands, or the end of the text.
    stop: usize,
}

/// The last part that was searched, and what was found in it.
#[derive(Default)]
struct Searched {
    window: Range<usize>,
    secrets: Vec<Range<usize>>,
}

impl Searched {
    fn search(&mut self, text: &[u8], window: Range<usize>, redactor: &dyn Redact) -> &[Range<usize>] {
        if self.window != window {
            let shift = |r: Range<usize>| r.start + window.start..r.end + window.start;
            self.secrets = redactor.secrets(&text[window.clone()]).into_iter().map(shift).collect();
            self.window = window;
        }
        &self.secrets
    }
}

impl<'t> Surroundings<'t> {
    pub fn new(text: &'t [u8]) -> Self {
        Self { text, line: Line::default(), allows: None, in_line: Searched::default(), around: Searched::default() }
    }

    /// The line that holds `at`, without its line end; see [`crate::text::line_around`].
    pub fn line(&mut self, at: usize) -> Range<usize> {
        self.seek(at);
        let Line { start, stop, .. } = self.line;
        let returned = stop < self.text.len() && stop > start && self.text[stop - 1] == b'\r';
        start..stop - usize::from(returned)
    }

    /// Works out lines and columns, as [`Span::of`].
    pub(super) fn span(&mut self, range: Range<usize>) -> Span {
        let start = range.start.min(self.text.len());
        let end = range.end.clamp(start, self.text.len());
        self.seek(start);
        let (line, column) = (self.line.number, start - self.line.start + 1);
        let inner = Span::of(&self.text[start..end], end - start..end - start);
        let end_column = if inner.line == 1 { column + inner.column - 1 } else { inner.column };
        Span { line, column, end_line: line + inner.line - 1, end_column, byte_start: start, byte_end: end }
    }

    fn seek(&mut self, at: usize) {
        let at = at.min(self.text.len());
        let Line { number, start, stop } = self.line;
        if number > 0 && (start..=stop).contains(&at) {
            return;
        }
        let count = |range: Range<usize>| memchr::memchr_iter(b'\n', &self.text[range]).count();
        let number = match number {
            0 => 1 + count(0..at),
            _ if at > stop => number + count(stop..at),
            _ => number - count(at..start),
        };
        let start = memchr::memrchr(b'\n', &self.text[..at]).map_or(0, |n| n + 1);
        let stop = memchr::memchr(b'\n', &self.text[at..]).map_or(self.text.len(), |n| at + n);
        self.line = Line { number, start, stop };
    }

    /// What of a line tells a finding apart from others: of long lines a part.
    pub(super) fn near(&mut self, span: &Span) -> Range<usize> {
        let line = self.line(span.byte_start);
        line.start.max(span.byte_start.saturating_sub(NEAR))..line.end.min(span.byte_end + NEAR).max(line.start)
    }

    /// The allows on the line of `at` and on the one above.
    pub(super) fn allows(&mut self, at: usize) -> Vec<InlineAllow> {
        let line = self.line(at);
        match &self.allows {
            Some((start, allows)) if *start == line.start => allows.clone(),
            _ => {
                let allows = allow::near(self.text, line.clone());
                self.allows.insert((line.start, allows)).1.clone()
            }
        }
    }

    /// Where secrets stand in a part of a line, as far as the line alone tells.
    pub(super) fn secrets_in_line(&mut self, near: &Range<usize>, redactor: &dyn Redact) -> Vec<Range<usize>> {
        let line = self.line(near.start);
        let window = if line.len() <= PART {
            line
        } else {
            let part = line.start + (near.start - line.start) / PART * PART;
            line.start.max(part.saturating_sub(NEAR))..line.end.min(near.end.max(part + PART + 4 * NEAR))
        };
        meeting(self.in_line.search(self.text, window, redactor), near)
    }

    /// Where secrets stand around `at`, as far as the lines before and after tell.
    pub(super) fn secrets_around(&mut self, at: usize, redactor: &dyn Redact) -> Vec<Range<usize>> {
        let part = at / PART * PART;
        let window = part.saturating_sub(PART)..self.text.len().min(part + 2 * PART);
        let shown = at.saturating_sub(PART)..at + PART;
        meeting(self.around.search(self.text, window, redactor), &shown)
    }
}

fn meeting(ranges: &[Range<usize>], part: &Range<usize>) -> Vec<Range<usize>> {
    ranges.iter().filter(|r| r.start < part.end && part.start < r.end).cloned().collect()
}
