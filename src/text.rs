//! Bytes of unknown origin made fit to show: positions, excerpts, masks, sanitising.
//! Owns every rule on what may appear in any output; knows nothing of findings or renderers.

use std::ops::Range;

/// A place in a text: offsets in bytes from 0, lines and columns from 1, columns counted in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Span {
    pub line: usize,
    pub column: usize,
    pub end_line: usize,
    /// The column after the last byte.
    pub end_column: usize,
    pub byte_start: usize,
    pub byte_end: usize,
}

impl Span {
    /// Works out lines and columns; a range past the end of the text is pulled back into it.
    pub fn of(text: &[u8], range: Range<usize>) -> Self {
        let start = range.start.min(text.len());
        let end = range.end.clamp(start, text.len());
        let (line, column) = line_column(text, start);
        let (end_line, end_column) = line_column(text, end);
        Self { line, column, end_line, end_column, byte_start: start, byte_end: end }
    }
}

/// What of a text stands before the part of it that is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Before {
    pub bytes: usize,
    pub lines: usize,
    /// Bytes of the line in which the part begins.
    pub column: usize,
}

impl Before {
    /// Goes past more text.
    pub fn pass(&mut self, text: &[u8]) {
        self.bytes += text.len();
        match memchr::memrchr(b'\n', text) {
            None => self.column += text.len(),
            Some(at) => {
                self.lines += memchr::memchr_iter(b'\n', text).count();
                self.column = text.len() - at - 1;
            }
        }
    }

    /// Where a place of the part is in the whole.
    pub fn place(&self, span: Span) -> Span {
        let column = |line: usize, column: usize| if line == 1 { column + self.column } else { column };
        Span {
            line: span.line + self.lines,
            column: column(span.line, span.column),
            end_line: span.end_line + self.lines,
            end_column: column(span.end_line, span.end_column),
            byte_start: span.byte_start + self.bytes,
            byte_end: span.byte_end + self.bytes,
        }
    }
}

fn line_column(text: &[u8], at: usize) -> (usize, usize) {
    let before = &text[..at];
    let line = memchr::memchr_iter(b'\n', before).count() + 1;
    let column = at - memchr::memrchr(b'\n', before).map_or(0, |n| n + 1) + 1;
    (line, column)
}

/// The range of the line that holds `at`, without its line end (`\n` or `\r\n`).
pub fn line_around(text: &[u8], at: usize) -> Range<usize> {
    let at = at.min(text.len());
    let start = memchr::memrchr(b'\n', &text[..at]).map_or(0, |n| n + 1);
    let end = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |n| at + n);
    let end = if end > start && text[end - 1] == b'\r' { end - 1 } else { end };
    start..end
}

/// One line of a text, cut around what it is about, masked and sanitised.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Excerpt {
    /// 1-based number of the line shown.
    pub first_line: usize,
    /// Safe to print anywhere: no secret, no control character, no line end.
    pub text: String,
    /// What the caret marks, in bytes of `text`; on character boundaries.
    #[serde(skip)]
    pub mark: Range<usize>,
    /// 1-based byte column, in the original line, of the first byte of `text`.
    #[serde(skip)]
    pub first_column: usize,
}

/// How many bytes of a long line are shown before and after what the caret marks.
const CONTEXT: usize = 72;
/// How many bytes of a long marked range are shown.
const MARKED: usize = 96;

impl Excerpt {
    /// Shows the line where `span` starts. Everything in `hide` (ranges of `text`) becomes `*`.
    pub fn cut(text: &[u8], span: &Span, hide: &[Range<usize>]) -> Self {
        Self::cut_line(text, line_around(text, span.byte_start), span, hide)
    }

    /// The same where the line is known already.
    pub fn cut_line(text: &[u8], line: Range<usize>, span: &Span, hide: &[Range<usize>]) -> Self {
        let mark = span.byte_start.min(line.end)..span.byte_end.clamp(span.byte_start.min(line.end), line.end);
        let from = if mark.start - line.start > CONTEXT { mark.start - CONTEXT } else { line.start };
        let shown = mark.end.min(mark.start + MARKED);
        let to = if line.end - shown > CONTEXT { shown + CONTEXT } else { line.end };
        let (from, to) = (boundary(text, from, line.start), boundary(text, to, line.start));
        let mut out = String::with_capacity(to - from + 8);
        if from > line.start {
            out.push('…');
        }
        let head = out.len();
        let mut at = from;
        let mut marked = head..head;
        let mut cuts: Vec<usize> = vec![from, to, mark.start.clamp(from, to), shown.clamp(from, to)];
        let hide: Vec<&Range<usize>> = hide.iter().filter(|h| h.start < to && from < h.end).collect();
        for h in &hide {
            cuts.extend([h.start.clamp(from, to), h.end.clamp(from, to)]);
        }
        cuts.sort_unstable();
        cuts.dedup();
        for cut in cuts.into_iter().skip_while(|c| *c <= from).chain((from == to).then_some(to)) {
            if at == mark.start {
                marked.start = out.len();
            }
            if hide.iter().any(|h| h.start <= at && cut <= h.end && at < cut) {
                // The length of a secret says something about it: a mask has a fixed width.
                if !out.ends_with('*') {
                    out.push_str("********");
                }
            } else {
                sanitise_into(&text[at..cut], &mut out);
            }
            at = cut;
            if at <= shown {
                marked.end = out.len();
            }
        }
        if mark.start == to {
            marked.start = out.len();
        }
        if to < line.end {
            out.push('…');
        }
        let marked = marked.start.min(marked.end)..marked.end.max(marked.start);
        Self { first_line: span.line, text: out, mark: marked, first_column: from - line.start + 1 }
    }
}

impl Excerpt {
    /// Puts `mask` in place of ranges of the shown text, which are in order and apart; the mark moves with its text.
    pub fn mask(&mut self, ranges: &[Range<usize>], mask: &str) {
        let mut text = String::with_capacity(self.text.len());
        let mut from = 0;
        let (mut start, mut end) = (self.mark.start, self.mark.end);
        for range in ranges {
            let Some(kept) = self.text.get(from..range.start) else { continue };
            text.push_str(kept);
            let place = text.len()..text.len() + mask.len();
            text.push_str(mask);
            from = range.end;
            // Behind the mask all moves; an end within what is masked takes the mask's own.
            let moved = |at: usize, within: usize| match at {
                at if at >= range.end => Some(place.end + (at - range.end)),
                at if at > range.start => Some(within),
                _ => None,
            };
            if self.mark.start >= range.start {
                start = moved(self.mark.start, place.start).unwrap_or(place.start);
            }
            end = moved(self.mark.end, place.end).unwrap_or(end);
        }
        text.push_str(self.text.get(from..).unwrap_or_default());
        self.mark = start.min(text.len())..end.min(text.len()).max(start.min(text.len()));
        self.text = text;
    }
}

/// `1 commit`, `3 commits`.
pub fn count<N: Copy + PartialEq + From<u8> + std::fmt::Display>(n: N, what: &str) -> String {
    match what.strip_suffix('y') {
        _ if n == N::from(1) => format!("1 {what}"),
        Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{n} {stem}ies"),
        _ if what.ends_with(['x', 's']) => format!("{n} {what}es"),
        _ => format!("{n} {what}s"),
    }
}

/// Cuts words to `most` characters for a sentence of ours. A word is shown whole or not at all: of a token that was cut
/// nobody could tell any more that it is one, and it would be shown.
pub fn shorten(words: &str, most: usize) -> String {
    let Some((end, _)) = words.char_indices().nth(most) else { return words.to_owned() };
    let kept = match words[end..].starts_with(char::is_whitespace) {
        true => &words[..end],
        false => words[..end].rfind(char::is_whitespace).map_or("", |at| &words[..at]),
    };
    format!("{}…", kept.trim_end())
}

/// Moves `at` back to the start of a UTF-8 sequence, where it is inside one.
fn boundary(text: &[u8], at: usize, floor: usize) -> usize {
    let mut b = at;
    while b > floor && at - b < 3 && b < text.len() && text[b] & 0xc0 == 0x80 {
        b -= 1;
    }
    if b < text.len() && text[b] & 0xc0 == 0x80 { at } else { b }
}

/// Makes bytes safe to print on one line: lossy UTF-8; control, bidirectional and invisible characters escaped.
pub fn sanitise(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    sanitise_into(bytes, &mut out);
    out
}

fn sanitise_into(bytes: &[u8], out: &mut String) {
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\t' => out.push_str("    "),
                c if is_unsafe(c) => out.push_str(&format!("\\u{{{:x}}}", c as u32)),
                c => out.push(c),
            }
        }
        if !chunk.invalid().is_empty() {
            out.push('\u{fffd}');
        }
    }
}

/// Like [`sanitise`], for texts of several lines that we wrote ourselves around foreign parts: keeps `\n`.
pub fn sanitise_lines(text: &str) -> String {
    text.split('\n').map(|l| sanitise(l.as_bytes())).collect::<Vec<_>>().join("\n")
}

/// Characters that move the cursor, reorder the line or hide in it.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The nearest of `names` to `word`, if near enough to be meant: Damerau-Levenshtein distance of at most a third
/// of the longer one's length, at least 1, ties by order.
pub fn nearest<'n>(word: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let lower = word.to_lowercase();
    names
        .into_iter()
        .map(|n| (distance(&lower, &n.to_lowercase()), n))
        .filter(|(d, n)| *d <= (word.len().max(n.len()) / 3).max(1))
        .min_by_key(|(d, _)| *d)
        .map(|(_, n)| n)
}

/// Optimal string alignment distance in characters: insert, delete, replace, swap neighbours.
pub fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let change = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + change);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(rows[i - 2][j - 2] + 1);
            }
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}
