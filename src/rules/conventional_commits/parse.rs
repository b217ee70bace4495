//! Parses a commit message into header, body and footers with their offsets. Owns the grammar below the first line (git's
//! trailers, `BREAKING CHANGE`) and printing a message from its [`Parts`].
//! Never fails: departures from the grammar are recorded as [`SyntaxError`]s.

use std::fmt;
use std::ops::Range;

use bstr::ByteSlice as _;

use super::codes::Code;
use super::header::{self, Header, SyntaxError};

/// Marks bytes of lines that git will remove. Unlike an empty line, a removed line does not separate paragraphs. Other code
/// treats the form feed as white space.
pub const REMOVED: u8 = b'\x0c';

/// A parsed message. All ranges are bytes of `text`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<'m> {
    pub text: &'m [u8],
    pub header: Header,
    /// One range per paragraph of prose, without footers.
    pub body: Vec<Range<usize>>,
    /// In text order.
    pub footers: Vec<Footer>,
    /// Trailing lines that look like footers but follow prose without a blank line: git reads them as prose.
    pub glued: Option<Range<usize>>,
    /// Departures from the grammar, those of the header first.
    pub errors: Vec<SyntaxError>,
}

/// `token`, separator (`: ` or ` #`), `value` with its continuation lines. A line among the trailers without a
/// token, such as `(cherry picked from commit ...)`, is all token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Footer {
    pub token: Range<usize>,
    pub value: Range<usize>,
}

impl Footer {
    pub fn is_breaking(&self, text: &[u8]) -> bool {
        matches!(&text[self.token.clone()], b"BREAKING CHANGE" | b"BREAKING-CHANGE")
    }
}

impl<'m> Message<'m> {
    /// Marked with `!` or with a footer.
    pub fn is_breaking(&self) -> bool {
        self.header.bang.is_some() || self.footers.iter().any(|f| f.is_breaking(self.text))
    }

    pub fn str(&self, range: &Range<usize>) -> std::borrow::Cow<'m, str> {
        self.text[range.clone()].to_str_lossy()
    }

    /// The parts without their offsets. Line ends become `\n`.
    pub fn parts(&self) -> Parts {
        let text = |r: &Range<usize>| {
            let lines = KeptLines { text: self.text, at: r.start, end: r.end };
            lines.map(|l| self.str(&l).into_owned()).collect::<Vec<_>>().join("\n")
        };
        let body: Vec<String> = self.body.iter().map(text).collect();
        Parts {
            kind: text(&self.header.kind),
            scope: self.header.scope.as_ref().map(text),
            bang: self.header.bang.is_some(),
            description: text(&self.header.description),
            body: (!body.is_empty()).then(|| body.join("\n\n")),
            footers: self
                .footers
                .iter()
                .map(|f| (text(&f.token), self.str(&(f.token.end..f.value.start)).into_owned(), text(&f.value)))
                .collect(),
        }
    }
}

/// The parts of a message without offsets. `Display` prints the canonical form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    pub kind: String,
    pub scope: Option<String>,
    pub bang: bool,
    pub description: String,
    /// Paragraphs separated by an empty line.
    pub body: Option<String>,
    /// Token, separator, value.
    pub footers: Vec<(String, String, String)>,
}

impl fmt::Display for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        if let Some(scope) = &self.scope {
            write!(f, "({scope})")?;
        }
        write!(f, "{}: {}", if self.bang { "!" } else { "" }, self.description)?;
        if let Some(body) = &self.body {
            write!(f, "\n\n{body}")?;
        }
        for (n, (token, separator, value)) in self.footers.iter().enumerate() {
            write!(f, "{}{token}{separator}{value}", if n == 0 { "\n\n" } else { "\n" })?;
        }
        Ok(())
    }
}

/// Iterates over the lines that git keeps, without trailing white space; includes empty lines.
struct KeptLines<'m> {
    text: &'m [u8],
    at: usize,
    end: usize,
}

impl Iterator for KeptLines<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        while self.at < self.end {
            let start = self.at;
            let stop = self.text[start..self.end].find_byte(b'\n').map_or(self.end, |n| start + n);
            self.at = stop + 1;
            let line = &self.text[start..stop];
            if line.is_empty() || line.iter().any(|b| *b != REMOVED) {
                let kept = line.iter().rposition(|b| !matches!(b, b' ' | b'\t' | b'\r')).map_or(0, |n| n + 1);
                return Some(start..start + kept);
            }
        }
        None
    }
}

/// The lines of a whole message, without a byte order mark.
fn lines(text: &[u8]) -> KeptLines<'_> {
    KeptLines { text, at: if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 }, end: text.len() }
}

/// The first non-empty line without trailing white space; an empty range at the end of an empty message.
pub fn header_line(text: &[u8]) -> Range<usize> {
    lines(text).find(|l| !l.is_empty()).unwrap_or(text.len()..text.len())
}

/// Parses a message; `None` if it is empty.
pub fn parse(text: &[u8]) -> Option<Message<'_>> {
    let mut lines = lines(text);
    let first = lines.find(|l| !l.is_empty())?;
    let mut header = header::parse(text, first);
    let mut errors = std::mem::take(&mut header.errors);
    let mut paragraphs: Vec<Vec<Range<usize>>> = Vec::new();
    let mut open = false;
    let mut separated = false;
    for (n, line) in lines.enumerate() {
        if line.is_empty() {
            separated |= n == 0;
            open = false;
            continue;
        }
        if n == 0 {
            errors.push(SyntaxError { code: Code::BlankLineMissing, range: line.clone() });
        }
        if !std::mem::replace(&mut open, true) {
            paragraphs.push(Vec::new());
        }
        paragraphs.last_mut().expect("one was pushed when it opened").push(line);
    }
    let mut message = Message { text, header, body: Vec::new(), footers: Vec::new(), glued: None, errors };
    let last = paragraphs.len().wrapping_sub(1);
    for (n, lines) in paragraphs.iter().enumerate() {
        // KeptLines directly after the header belong to git's title, which has no trailers.
        let trailers = n == last && (n > 0 || separated) && is_trailer_block(text, lines);
        message.paragraph(lines, trailers);
        if n == last && !trailers {
            message.glued = glued_trailers(text, lines);
        }
    }
    Some(message)
}

impl Message<'_> {
    fn paragraph(&mut self, lines: &[Range<usize>], trailers: bool) {
        let text = self.text;
        // Whether the last footer continues: a breaking change takes any line, a trailer only indented ones.
        let (mut prose, mut open, mut breaking) = (None::<Range<usize>>, false, false);
        for line in lines {
            let footer = breaking_change(text, line).or_else(|| (trailers || breaking).then(|| trailer(text, line))?);
            let indented = matches!(text[line.start], b' ' | b'\t');
            if let Some(footer) = footer {
                breaking |= footer.is_breaking(text);
                open = true;
                self.footers.push(footer);
            } else if let Some(footer) = self
                .footers
                .last_mut()
                .filter(|f| open && (indented || f.is_breaking(text)) && !is_cherry_pick(text, line))
            {
                footer.value.end = line.end;
            } else if trailers || (breaking && is_cherry_pick(text, line)) {
                open = false;
                self.footers.push(Footer { token: line.clone(), value: line.end..line.end });
            } else if open && breaking {
                // Prose after a trailer after a breaking change continues the trailer's value, as in the specification.
                self.footers.last_mut().expect("one is open").value.end = line.end;
            } else {
                prose = Some(prose.map_or(line.start, |p| p.start)..line.end);
            }
        }
        self.body.extend(prose);
    }
}

/// `BREAKING CHANGE: value` at the start of a line; the value may begin on the next one.
fn breaking_change(text: &[u8], line: &Range<usize>) -> Option<Footer> {
    let rest = &text[line.clone()];
    let word = rest.starts_with(b"BREAKING CHANGE:") || rest.starts_with(b"BREAKING-CHANGE:");
    (word && matches!(rest.get(16), None | Some(b' '))).then(|| footer(line, 15, (rest.len() - 15).min(2)))
}

/// `Token: value` or `Token #value`.
fn trailer(text: &[u8], line: &Range<usize>) -> Option<Footer> {
    let rest = &text[line.clone()];
    let token =
        rest.iter().position(|b| !b.is_ascii_alphanumeric() && *b != b'-').filter(|n| *n > 0 && rest[0] != b'-')?;
    let separator = match &rest[token..] {
        b":" => 1,
        [b':', b' ', ..] => 2,
        [b' ', b'#', c, ..] if *c != b' ' => 2,
        _ => return None,
    };
    Some(footer(line, token, separator))
}

fn footer(line: &Range<usize>, token: usize, separator: usize) -> Footer {
    Footer { token: line.start..line.start + token, value: line.start + token + separator..line.end }
}

fn is_cherry_pick(text: &[u8], line: &Range<usize>) -> bool {
    text[line.clone()].starts_with(b"(cherry picked from commit ")
}

/// Git's rule for the last paragraph: all lines are trailers, or a quarter if one is git's own.
fn is_trailer_block(text: &[u8], lines: &[Range<usize>]) -> bool {
    let (mut trailers, mut others, mut own, mut open) = (0usize, 0usize, false, None);
    for line in lines {
        if breaking_change(text, line).is_some() {
            trailers += 1;
            open = Some(true);
        } else if is_cherry_pick(text, line) || trailer(text, line).is_some() {
            own |= is_cherry_pick(text, line) || text[line.clone()].starts_with(b"Signed-off-by: ");
            trailers += 1;
            open = Some(false);
        } else if open.is_none_or(|breaking| !breaking && !matches!(text[line.start], b' ' | b'\t')) {
            others += 1;
        }
    }
    trailers > 0 && (others == 0 || (own && trailers * 3 >= others))
}

/// The first of the well-known trailers at the end of a paragraph of prose.
fn glued_trailers(text: &[u8], lines: &[Range<usize>]) -> Option<Range<usize>> {
    let known = |line: &&Range<usize>| {
        trailer(text, line).is_some_and(|f| {
            let token = text[f.token].to_ascii_lowercase();
            token.ends_with(b"-by") || matches!(&token[..], b"refs" | b"closes" | b"fixes" | b"resolves" | b"change-id")
        })
    };
    let run = lines.iter().rev().take_while(known).count();
    let first = lines.get(lines.len() - run).filter(|_| run < lines.len())?;
    Some(first.clone())
}
