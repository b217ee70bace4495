//! Lenient parser for the first line, `type(scope)!: description`. Every departure from the grammar is a [`SyntaxError`] at
//! its byte; parsing continues with what was probably meant, so that the line can be corrected. Knows no types or options.

use std::ops::Range;

use bstr::{ByteSlice as _, decode_utf8};

use super::characters::unsafe_code;
use super::codes::Code;

/// A departure from the grammar and its span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    pub code: Code,
    pub range: Range<usize>,
}

/// Offsets into the message. Ranges are empty where nothing was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The line without trailing white space.
    pub line: Range<usize>,
    /// The type, or the first word if there is no colon.
    pub kind: Range<usize>,
    /// The text in the brackets, as written; `Some` and blank for `()`.
    pub scope: Option<Range<usize>>,
    pub bang: Option<usize>,
    /// Trimmed; everything after the first word if there is no colon.
    pub description: Range<usize>,
    pub errors: Vec<SyntaxError>,
}

/// Whether a scope may contain a character: those of any name in code (`c++`, `std::fs`, `[slug]`, `接口`), but no
/// parentheses, control characters or invisible characters.
pub fn is_scope_char(c: char) -> bool {
    !matches!(c, '(' | ')' | '\t' | '\n') && unsafe_code(c).is_none()
}

/// Whether a scope without parentheses (`feat/api: x`, `feat(api: x`) may contain a character: any bracket ends it.
fn is_bare_scope_char(c: char) -> bool {
    is_scope_char(c) && !matches!(c, '[' | ']' | '{' | '}' | '<' | '>' | ' ')
}

/// Parses the line at `line`, a range of `text` without trailing white space.
pub fn parse(text: &[u8], line: Range<usize>) -> Header {
    let parser = HeaderParser { text: &text[..line.end], at: line.start, header: Header { line, ..Header::default() } };
    parser.parse()
}

struct HeaderParser<'m> {
    /// Ends with the line.
    text: &'m [u8],
    at: usize,
    header: Header,
}

impl HeaderParser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// The character at `at`; U+FFFD for invalid UTF-8, `None` at the end of the line.
    fn char(&self) -> Option<char> {
        match decode_utf8(&self.text[self.at..]) {
            (_, 0) => None,
            (c, _) => Some(c.unwrap_or(char::REPLACEMENT_CHARACTER)),
        }
    }

    /// The span of the character at `at`; empty at the end of the line.
    fn here(&self) -> Range<usize> {
        self.at..self.at + decode_utf8(&self.text[self.at..]).1
    }

    fn record(&mut self, code: Code, range: Range<usize>) {
        self.header.errors.push(SyntaxError { code, range });
    }

    fn skip(&mut self, wanted: impl Fn(char) -> bool) -> Range<usize> {
        let start = self.at;
        while self.char().is_some_and(&wanted) {
            self.at = self.here().end;
        }
        start..self.at
    }

    fn parse(mut self) -> Header {
        let indent = self.skip(char::is_whitespace);
        if !indent.is_empty() {
            self.record(Code::LeadingSpace, indent);
        }
        self.gitmoji();
        let start = self.at;
        let word = self.skip(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
        self.header.kind = word.clone();
        if word.is_empty() {
            let range = self.here();
            self.record(Code::TypeMissing, range);
            self.skip(|c| matches!(c, '!' | ':'));
            return self.finish();
        }
        if !self.after_first_word(start) {
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
            self.record(Code::GitmojiPrefix, start..end);
        } else {
            self.at = start;
        }
    }

    /// Handles unexpected characters directly after the first word: `feat/api: x`, `feat,fix: x`, `README.md: x`, `don't`.
    /// False if that leaves no type.
    fn after_first_word(&mut self, start: usize) -> bool {
        let word_end = self.at;
        let ends_word = |c: char| c.is_whitespace() || "([{<!:".contains(c);
        if self.char().is_none_or(ends_word) || self.text[self.at..].starts_with("：".as_bytes()) {
            return true;
        }
        self.skip(|c| !ends_word(c));
        if !matches!(self.peek(), Some(b':' | b'!' | b'(')) {
            let range = word_end..word_end + decode_utf8(&self.text[word_end..]).1;
            // Characters that were probably meant as the colon.
            if b",;=|-.".contains(&self.text[word_end]) {
                self.at = range.end;
                self.record(Code::ColonMissing, range);
            } else {
                self.at = start;
                self.record(Code::TypeMissing, start..word_end);
            }
            return false;
        }
        let (sign, rest) = (self.text[word_end], word_end + 1..self.at);
        let scope =
            !rest.is_empty() && self.peek() != Some(b'(') && self.text[rest.clone()].chars().all(is_bare_scope_char);
        if matches!(sign, b'/' | b'\\') && scope {
            self.header.scope = Some(rest);
            self.record(Code::ScopeBrackets, word_end..word_end + 1);
        } else {
            self.header.kind = start..self.at;
            self.record(Code::TypeUnknown, start..self.at);
        }
        true
    }

    /// Parses from the end of the type to the space after the colon.
    fn prefix(&mut self) {
        loop {
            match self.peek() {
                Some(b'(' | b'[' | b'{' | b'<') if self.header.scope.is_none() => {
                    if let Some(bang) = self.header.bang {
                        self.record(Code::BangBeforeScope, bang..bang + 1);
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
                        Some(b':') => self.record(Code::SpaceBeforeColon, gap),
                        Some(b'!') if self.header.bang.is_none() && self.text.get(self.at + 1) == Some(&b':') => {
                            self.record(Code::SpaceBeforeColon, gap);
                        }
                        Some(b'(') if self.header.scope.is_none() && self.scope_and_colon() => {
                            self.record(Code::SpaceBeforeScope, gap);
                        }
                        _ => {
                            let first = decode_utf8(&self.text[gap.start..]).1;
                            return self.record(Code::ColonMissing, gap.start..gap.start + first);
                        }
                    }
                }
                None => return self.record(Code::ColonMissing, self.at..self.at),
                Some(_) if self.text[self.at..].starts_with("：".as_bytes()) => {
                    let range = self.here();
                    self.at = range.end;
                    self.record(Code::ColonMissing, range);
                    self.skip(char::is_whitespace);
                    return;
                }
                Some(_) => {
                    let start = self.at;
                    self.skip(|c| !c.is_whitespace() && c != ':');
                    self.record(Code::UnexpectedCharacter, start..self.at);
                }
            }
        }
    }

    /// Whether `(...)` and a colon follow.
    fn scope_and_colon(&self) -> bool {
        let rest = &self.text[self.at..];
        let after = rest.find_byte(b')').map_or(&b""[..], |close| &rest[close + 1..]);
        after.starts_with(b":") || after.starts_with(b"!:")
    }

    /// Parses from the opening bracket to the closing one. False if there is no colon after it.
    fn scope(&mut self) -> bool {
        let open = self.at;
        if self.text[open] != b'(' {
            self.record(Code::ScopeBrackets, open..open + 1);
        }
        self.at += 1;
        let Some(close) = self.closing_bracket(self.text[open]) else { return self.unclosed() };
        let inner = self.at..close;
        self.header.scope = Some(inner.clone());
        let scope = &self.text[inner.clone()];
        let not_blank = |c: char| !c.is_whitespace();
        if let (Some(first), Some(last)) = (scope.chars().position(not_blank), scope.trim_end().len().checked_sub(1)) {
            // Leading or trailing blanks.
            let blanks = match first {
                0 => inner.start + last + 1..inner.end,
                _ => inner.start..inner.end - scope.trim_start().len(),
            };
            let bad = scope.char_indices().find(|(_, _, c)| !is_scope_char(*c));
            if let Some((from, to, _)) = bad {
                self.record(Code::ScopeCharacter, inner.start + from..inner.start + to);
            } else if !blanks.is_empty() {
                self.record(Code::ScopeSpace, blanks);
            }
        } else {
            self.record(Code::ScopeEmpty, close..close + 1);
        }
        if self.text[open] == b'(' && self.text[close] != b')' {
            self.record(Code::ScopeBrackets, close..close + 1);
        }
        self.at = close + 1;
        true
    }

    /// Offset of the bracket that closes the scope at `at`, counting nested ones. Without one before the colon, the first
    /// closing bracket of any kind; `None` if there is none.
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

    /// Handles `feat(api: x`: the scope ends before the first character that it cannot contain.
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
        self.record(Code::ScopeUnclosed, range);
        // Report only the bracket: without it the colon's place is unknown.
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
            self.record(Code::ColonDoubled, more);
        }
        let gap = self.skip(char::is_whitespace);
        match &self.text[gap.clone()] {
            _ if self.at == self.text.len() => self.record(Code::DescriptionEmpty, colon + 1..colon + 1),
            b" " => {}
            b"" => self.record(Code::SpaceAfterColon, self.here()),
            [b' ', ..] => self.record(Code::SpaceAfterColon, gap.start + 1..gap.end),
            _ => self.record(Code::SpaceAfterColon, gap),
        }
    }

    /// The rest of the line is the description.
    fn finish(mut self) -> Header {
        self.skip(char::is_whitespace);
        self.header.description = self.at..self.text.len().max(self.at);
        self.header
    }
}

fn is_pictograph(c: char) -> bool {
    matches!(c, '\u{200d}' | '\u{20e3}' | '\u{fe0f}' | '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}
