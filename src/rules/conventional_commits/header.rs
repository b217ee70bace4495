//! The first line, `type(scope)!: description`, read leniently: every departure from the grammar is a [`Slip`] at its
//! byte, and reading goes on with what was meant, so that the line can be corrected. Knows no types and no options.

use std::ops::Range;

use bstr::{ByteSlice, decode_utf8};

use super::characters::unsafe_code;
use super::codes::Code;

/// A departure from the grammar, and the bytes that the caret belongs under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slip {
    pub code: Code,
    pub range: Range<usize>,
}

/// Offsets into the message. Ranges are empty where nothing was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The line without white space at its end.
    pub line: Range<usize>,
    /// The type, or the first word where there is no colon.
    pub kind: Range<usize>,
    /// What stands in the brackets, as written; `Some` and blank for `()`.
    pub scope: Option<Range<usize>>,
    pub bang: Option<usize>,
    /// Trimmed; everything after the first word where there is no colon.
    pub description: Range<usize>,
    pub slips: Vec<Slip>,
}

/// Whether a character may stand in a scope: any name of the code (`c++`, `std::fs`, `[slug]`, `接口`), but no round
/// bracket, no control character and nothing that cannot be seen.
pub fn is_scope_char(c: char) -> bool {
    !matches!(c, '(' | ')' | '\t' | '\n') && unsafe_code(c).is_none()
}

/// Whether a character may stand in a scope that is not in round brackets (`feat/api: x`, `feat(api: x`): there any
/// bracket ends it.
fn is_bare_scope_char(c: char) -> bool {
    is_scope_char(c) && !matches!(c, '[' | ']' | '{' | '}' | '<' | '>' | ' ')
}

/// Reads the line at `line`, a range of `text` without white space at its end.
pub fn read(text: &[u8], line: Range<usize>) -> Header {
    let reader = Reader { text: &text[..line.end], at: line.start, header: Header { line, ..Header::default() } };
    reader.read()
}

struct Reader<'m> {
    /// Ends with the line.
    text: &'m [u8],
    at: usize,
    header: Header,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// The character at `at`; U+FFFD for bytes that are no UTF-8, `None` at the end of the line.
    fn char(&self) -> Option<char> {
        match decode_utf8(&self.text[self.at..]) {
            (_, 0) => None,
            (c, _) => Some(c.unwrap_or(char::REPLACEMENT_CHARACTER)),
        }
    }

    /// The character at `at`, as a range; empty at the end of the line.
    fn here(&self) -> Range<usize> {
        self.at..self.at + decode_utf8(&self.text[self.at..]).1
    }

    fn slip(&mut self, code: Code, range: Range<usize>) {
        self.header.slips.push(Slip { code, range });
    }

    fn skip(&mut self, wanted: impl Fn(char) -> bool) -> Range<usize> {
        let start = self.at;
        while self.char().is_some_and(&wanted) {
            self.at = self.here().end;
        }
        start..self.at
    }

    fn read(mut self) -> Header {
        let indent = self.skip(char::is_whitespace);
        if !indent.is_empty() {
            self.slip(Code::LeadingSpace, indent);
        }
        self.gitmoji();
        let start = self.at;
        let word = self.skip(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
        self.header.kind = word.clone();
        if word.is_empty() {
            let range = self.here();
            self.slip(Code::TypeMissing, range);
            self.skip(|c| matches!(c, '!' | ':'));
            return self.finish();
        }
        if !self.joined(start) {
            return self.finish();
        }
        self.prefix();
        self.finish()
    }

    /// `:sparkles: ` or an emoji before the type.
    fn gitmoji(&mut self) {
        let start = self.at;
        let mut end = self.at;
        loop {
            let before = self.at;
            if self.peek() == Some(b':') {
                self.at += 1;
                let name = self.skip(|c| c.is_ascii_alphanumeric() || "_+-".contains(c));
                if name.is_empty() || self.peek() != Some(b':') {
                    self.at = before;
                    break;
                }
                self.at += 1;
            } else if self.skip(is_pictograph).is_empty() {
                break;
            }
            end = self.at;
            self.skip(char::is_whitespace);
        }
        if end > start {
            self.slip(Code::GitmojiPrefix, start..end);
        } else {
            self.at = start;
        }
    }

    /// Something other than the grammar's own signs directly after the first word: `feat/api: x`, `feat,fix: x`,
    /// `README.md: x`, `don't`. False when that leaves no type to go on with.
    fn joined(&mut self, start: usize) -> bool {
        let word_end = self.at;
        let ends_word = |c: char| c.is_whitespace() || "([{<!:".contains(c);
        if self.char().is_none_or(ends_word) || self.text[self.at..].starts_with("：".as_bytes()) {
            return true;
        }
        self.skip(|c| !ends_word(c));
        if !matches!(self.peek(), Some(b':' | b'!' | b'(')) {
            let range = word_end..word_end + decode_utf8(&self.text[word_end..]).1;
            // A sign that somebody may have taken for the colon.
            if b",;=|-.".contains(&self.text[word_end]) {
                self.at = range.end;
                self.slip(Code::ColonMissing, range);
            } else {
                self.at = start;
                self.slip(Code::TypeMissing, start..word_end);
            }
            return false;
        }
        let (sign, rest) = (self.text[word_end], word_end + 1..self.at);
        let scope =
            !rest.is_empty() && self.peek() != Some(b'(') && self.text[rest.clone()].chars().all(is_bare_scope_char);
        if matches!(sign, b'/' | b'\\') && scope {
            self.header.scope = Some(rest);
            self.slip(Code::ScopeBrackets, word_end..word_end + 1);
        } else {
            self.header.kind = start..self.at;
            self.slip(Code::TypeUnknown, start..self.at);
        }
        true
    }

    /// From behind the type to behind the colon's space.
    fn prefix(&mut self) {
        loop {
            match self.peek() {
                Some(b'(' | b'[' | b'{' | b'<') if self.header.scope.is_none() => {
                    if let Some(bang) = self.header.bang {
                        self.slip(Code::BangBeforeScope, bang..bang + 1);
                    }
                    if !self.scope() {
                        return;
                    }
                }
                Some(b'!') if self.header.bang.is_none() => {
                    self.header.bang = Some(self.at);
                    self.at += 1;
                }
                Some(b':') => {
                    self.at += 1;
                    return self.after_colon();
                }
                Some(_) if self.char().is_some_and(char::is_whitespace) => {
                    let gap = self.skip(char::is_whitespace);
                    match self.peek() {
                        Some(b':') => self.slip(Code::SpaceBeforeColon, gap),
                        Some(b'!') if self.header.bang.is_none() && self.text.get(self.at + 1) == Some(&b':') => {
                            self.slip(Code::SpaceBeforeColon, gap);
                        }
                        Some(b'(') if self.header.scope.is_none() && self.scope_and_colon() => {
                            self.slip(Code::SpaceBeforeScope, gap);
                        }
                        _ => {
                            let first = decode_utf8(&self.text[gap.start..]).1;
                            return self.slip(Code::ColonMissing, gap.start..gap.start + first);
                        }
                    }
                }
                None => return self.slip(Code::ColonMissing, self.at..self.at),
                Some(_) if self.text[self.at..].starts_with("：".as_bytes()) => {
                    let range = self.here();
                    self.at = range.end;
                    self.slip(Code::ColonMissing, range);
                    self.skip(char::is_whitespace);
                    return;
                }
                Some(_) => {
                    let start = self.at;
                    self.skip(|c| !c.is_whitespace() && c != ':');
                    self.slip(Code::UnexpectedCharacter, start..self.at);
                }
            }
        }
    }

    /// Whether `(...)` and a colon follow directly.
    fn scope_and_colon(&self) -> bool {
        let rest = &self.text[self.at..];
        let after = rest.find_byte(b')').map_or(&b""[..], |close| &rest[close + 1..]);
        after.starts_with(b":") || after.starts_with(b"!:")
    }

    /// From the opening bracket to behind the closing one. False when there is no colon to look for.
    fn scope(&mut self) -> bool {
        let open = self.at;
        if self.text[open] != b'(' {
            self.slip(Code::ScopeBrackets, open..open + 1);
        }
        self.at += 1;
        let Some(close) = self.closing_bracket(self.text[open]) else { return self.unclosed() };
        let inner = self.at..close;
        self.header.scope = Some(inner.clone());
        let scope = &self.text[inner.clone()];
        let not_blank = |c: char| !c.is_whitespace();
        if let (Some(first), Some(last)) = (scope.chars().position(not_blank), scope.trim_end().len().checked_sub(1)) {
            // Before the first character that is not blank, or behind the last.
            let blanks = match first {
                0 => inner.start + last + 1..inner.end,
                _ => inner.start..inner.end - scope.trim_start().len(),
            };
            let bad = scope.char_indices().find(|(_, _, c)| !is_scope_char(*c));
            if let Some((from, to, _)) = bad {
                self.slip(Code::ScopeCharacter, inner.start + from..inner.start + to);
            } else if !blanks.is_empty() {
                self.slip(Code::ScopeSpace, blanks);
            }
        } else {
            self.slip(Code::ScopeEmpty, close..close + 1);
        }
        if self.text[open] == b'(' && self.text[close] != b')' {
            self.slip(Code::ScopeBrackets, close..close + 1);
        }
        self.at = close + 1;
        true
    }

    /// Where the scope ends that begins at `at`: at the bracket that closes it, nested ones counted. A header that has
    /// none before its colon and space may have closed with another kind of bracket; `None` where it has not.
    fn closing_bracket(&self, open: u8) -> Option<usize> {
        let rest = &self.text[self.at..];
        let rest = &rest[..rest.find(": ").unwrap_or(rest.len())];
        let close = match open {
            b'(' => b')',
            b'[' => b']',
            b'{' => b'}',
            _ => b'>',
        };
        let mut depth = 1usize;
        for (n, b) in rest.bytes().enumerate() {
            match b {
                _ if b == open => depth += 1,
                _ if b == close => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Some(self.at + n);
            }
        }
        rest.find_byteset(b")]}>").map(|n| self.at + n)
    }

    /// `feat(api: x`: the scope ends where something begins that cannot stand in it.
    fn unclosed(&mut self) -> bool {
        let start = self.at;
        self.skip(is_bare_scope_char);
        // `std::fs: x`: only a colon that ends the prefix ends the scope.
        let bare = &self.text[start..self.at];
        let colon = bare.find(": ").or_else(|| (bare.last() == Some(&b':')).then(|| bare.len() - 1));
        if let Some(colon) = colon.or_else(|| bare.find_byte(b':').filter(|n| bare.get(n + 1) != Some(&b':'))) {
            self.at = start + colon;
        }
        self.header.scope = Some(start..self.at);
        let range = self.here();
        self.slip(Code::ScopeUnclosed, range);
        // One mistake, one finding: without a bracket nobody can say where the colon should have been.
        if self.peek() == Some(b':') {
            return true;
        }
        if let Some(colon) = self.text[self.at..].find_byte(b':') {
            self.at += colon;
            self.header.scope = Some(start..self.at);
            return true;
        }
        false
    }

    fn after_colon(&mut self) {
        let colon = self.at - 1;
        let more = self.skip(|c| c == ':');
        if !more.is_empty() {
            self.slip(Code::ColonDoubled, more);
        }
        let gap = self.skip(char::is_whitespace);
        match &self.text[gap.clone()] {
            _ if self.at == self.text.len() => self.slip(Code::DescriptionEmpty, colon + 1..colon + 1),
            b" " => {}
            b"" => self.slip(Code::SpaceAfterColon, self.here()),
            [b' ', ..] => self.slip(Code::SpaceAfterColon, gap.start + 1..gap.end),
            _ => self.slip(Code::SpaceAfterColon, gap),
        }
    }

    /// What is left is the description.
    fn finish(mut self) -> Header {
        self.skip(char::is_whitespace);
        self.header.description = self.at..self.text.len().max(self.at);
        self.header
    }
}

fn is_pictograph(c: char) -> bool {
    matches!(c, '\u{200d}' | '\u{20e3}' | '\u{fe0f}' | '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}
