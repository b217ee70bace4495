//! Scalars in block collections: plain and quoted ones, on one line or several, and block scalars. Returns `None` for anything
//! less common: tabs, numeric escapes, indentation indicators.

use std::borrow::Cow;

use memchr::memchr;

use super::LineParser;
use crate::yaml::{Node, Value};

/// The next line of a scalar of several lines.
struct Fold {
    /// Offset of its content.
    at: usize,
    indent: usize,
    /// Blank lines before it.
    blank: usize,
}

impl Fold {
    /// Folds the line ends as YAML does.
    fn join(&self, text: &mut String) {
        match self.blank {
            0 => text.push(' '),
            blank => text.extend(std::iter::repeat_n('\n', blank)),
        }
    }
}

impl LineParser<'_> {
    /// Parses a plain scalar, and returns whether a `:` follows.
    pub(super) fn plain_in_block(&mut self, parent: Option<usize>) -> Option<(Node, bool)> {
        self.may_begin_plain().then_some(())?;
        let start = self.at;
        let (mut end, key) = self.plain_end(start)?;
        let mut text = Cow::Borrowed(&self.text[start..end]);
        while !key && let Some(fold) = self.fold(end) {
            // A comment ends a scalar, and so does a line that is not indented more than the parent.
            if self.bytes[fold.at] == b'#' || parent.is_none_or(|p| fold.indent <= p) {
                break;
            }
            let (line_end, key) = self.plain_end(fold.at)?;
            (!key).then_some(())?;
            fold.join(text.to_mut());
            text.to_mut().push_str(&self.text[fold.at..line_end]);
            end = line_end;
        }
        let text = text.into_owned();
        self.at = end;
        Some((self.put(start..end, Value::Scalar { text, plain: true, tag: None })?, key))
    }

    /// The end of a plain scalar's line, and whether a `:` is there.
    fn plain_end(&self, from: usize) -> Option<(usize, bool)> {
        // End of the last non-space character.
        let mut end = from;
        for (at, b) in self.bytes.iter().enumerate().skip(from) {
            match b {
                b'\n' => return Some((end, false)),
                b' ' => continue,
                b'\t' => return None,
                b'#' if end < at => return Some((end, false)),
                // Leave the rare `a : b` to the library.
                b':' if self.is_blank(at + 1) => return (end == at).then_some((end, true)),
                _ => {}
            }
            end = at + 1;
        }
        Some((end, false))
    }

    /// Skips spaces and blank lines from the end of a line's content to the next line with content. `None` if the line has
    /// more text, or nothing follows.
    fn fold(&self, end: usize) -> Option<Fold> {
        let mut at = end + self.spaces(end);
        (*self.bytes.get(at)? == b'\n').then_some(())?;
        let mut blank = 0;
        loop {
            let indent = self.spaces(at + 1);
            at += 1 + indent;
            if *self.bytes.get(at)? != b'\n' {
                return Some(Fold { at, indent, blank });
            }
            blank += 1;
        }
    }

    pub(super) fn may_begin_plain(&self) -> bool {
        match self.bytes[self.at] {
            b'-' => self.bytes.get(self.at + 1).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'-'),
            b'?' | b':' | b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\'' => false,
            b'"' | b'%' | b'@' | b'`' => false,
            _ => true,
        }
    }

    /// Parses a quoted scalar whose lines are indented more than `parent`; without a parent, on a single line.
    pub(super) fn quoted(&mut self, parent: Option<usize>) -> Option<Node> {
        let start = self.at;
        let quote = self.bytes[start];
        let mut text = Cow::Borrowed("");
        let mut from = start + 1;
        let mut at = from;
        loop {
            match *self.bytes.get(at)? {
                b'\t' => return None,
                b'\n' => {
                    let end = from + self.text[from..at].trim_end_matches(' ').len();
                    let fold = self.fold(end)?;
                    parent.is_some_and(|p| fold.indent > p).then_some(())?;
                    // Spaces from escapes are kept: leave that to the library.
                    (end > from || from == start + 1).then_some(())?;
                    text.to_mut().push_str(&self.text[from..end]);
                    fold.join(text.to_mut());
                    (from, at) = (fold.at, fold.at);
                }
                b if b == quote && quote == b'\'' && self.bytes.get(at + 1) == Some(&b'\'') => {
                    text.to_mut().push_str(&self.text[from..=at]);
                    at += 2;
                    from = at;
                }
                b if b == quote => break,
                b'\\' if quote == b'"' => {
                    let c = match self.bytes.get(at + 1)? {
                        b'"' => '"',
                        b'\\' => '\\',
                        b'/' => '/',
                        b'n' => '\n',
                        b'r' => '\r',
                        b't' => '\t',
                        _ => return None,
                    };
                    let text = text.to_mut();
                    text.push_str(&self.text[from..at]);
                    text.push(c);
                    at += 2;
                    from = at;
                }
                _ => at += 1,
            }
        }
        let text = match text {
            Cow::Borrowed(_) => self.text[from..at].to_owned(),
            Cow::Owned(mut text) => {
                text.push_str(&self.text[from..at]);
                text
            }
        };
        self.at = at + 1;
        self.put(start..at + 1, Value::Scalar { text, plain: false, tag: None })
    }

    /// Parses `|` and `>` scalars inside a parent at column `parent`.
    pub(super) fn block_scalar(&mut self, parent: usize) -> Option<Node> {
        let folded = self.bytes[self.at] == b'>';
        self.at += 1;
        let chomp = *self.bytes.get(self.at)?;
        if matches!(chomp, b'-' | b'+') {
            self.at += 1;
        }
        let spaces = self.spaces(self.at);
        self.at += spaces;
        self.is_line_over(spaces).then_some(())?;
        self.at = self.next_line(self.at);
        let indent = self.spaces(self.at);
        let start = self.at + indent;
        // If the first line is blank, or there is none, leave it to the library.
        (indent > parent && !matches!(self.bytes.get(start), None | Some(b'\n' | b'\t'))).then_some(())?;
        let mut text = String::new();
        let (mut end, mut blank) = (start, 0);
        loop {
            let spaces = self.spaces(self.at);
            match self.bytes.get(self.at + spaces) {
                None => {
                    // The last line has no line end.
                    (spaces == 0).then_some(())?;
                    break;
                }
                Some(b'\n') if spaces <= indent => {
                    blank += 1;
                    self.at += spaces + 1;
                }
                Some(b'\n') => return None,
                Some(b'\t') if spaces < indent => return None,
                Some(_) if spaces < indent => {
                    (spaces <= parent).then_some(())?;
                    break;
                }
                Some(first) => {
                    let line = self.at + indent;
                    let newline = line + memchr(b'\n', &self.bytes[line..])?;
                    if folded {
                        (spaces == indent && *first != b'\t').then_some(())?;
                        if blank == 0 && end > start {
                            text.push(' ');
                        }
                    } else if end > start {
                        text.push('\n');
                    }
                    text.extend(std::iter::repeat_n('\n', blank));
                    blank = 0;
                    text.push_str(&self.text[line..newline]);
                    end = newline;
                    self.at = newline + 1;
                }
            }
        }
        match chomp {
            b'-' => {}
            b'+' => text.extend(std::iter::repeat_n('\n', 1 + blank)),
            _ => text.push('\n'),
        }
        let end = start + self.text[start..end].trim_end_matches(' ').len();
        self.next_content()?;
        self.put(start..end, Value::Scalar { text, plain: false, tag: None })
    }
}
