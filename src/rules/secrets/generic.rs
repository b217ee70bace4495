//! The generic detector: a value that looks like a secret, assigned to a name that says it is one.
//! Owns how assignments are read, in every syntax of the field and without parsing any of them; `name.rs` and `value.rs` judge
//! the two sides.

use std::cell::Cell;
use std::ops::Range;

use bstr::{BStr, ByteSlice};

use super::decode;
use super::detector::ASSIGNMENT;
use super::name::{self, Kind};
use super::path::{FileKind, file_kind, is_trial};
use super::placeholder;
use super::scan::Hit;
use super::value;
use crate::finding::{Confidence, Severity};

/// How far a value, a name and the way between them may reach.
const VALUE: usize = 512;
const NAME: usize = 64;

/// How far before its keyword an assignment is read at most.
pub const BEFORE: usize = 4 * NAME;

/// Reads assignments in one text.
pub struct Reader<'t> {
    text: &'t [u8],
    file: FileKind,
    /// Tests, fixtures and documentation: what stands there is mostly made up.
    trial: bool,
    /// Where the last name looked at ended: several keywords can stand in one name.
    seen: usize,
    /// The end of what was looked at, for whoever has to know what the answer depends on.
    pub reach: Cell<usize>,
}

/// What was read on the right-hand side.
struct Value {
    range: Range<usize>,
    quoted: bool,
}

impl<'t> Reader<'t> {
    pub fn new(text: &'t [u8], path: Option<&BStr>) -> Self {
        let file = path.map_or(FileKind::Prose, file_kind);
        Self { text, file, trial: path.is_some_and(is_trial), seen: 0, reach: Cell::new(0) }
    }

    /// For a text that stands under some path of this kind.
    pub fn of_kind(text: &'t [u8], file: FileKind) -> Self {
        Self { text, file, trial: false, seen: 0, reach: Cell::new(0) }
    }

    /// Reads the assignment around a keyword, if there is one and its value is a secret.
    pub fn assignment<'d>(&mut self, keyword: Range<usize>) -> Option<Hit<'d>> {
        if self.file == FileKind::Lock || keyword.start < self.seen {
            return None;
        }
        let name = self.name(&keyword);
        self.seen = name.end;
        // Most names are followed by no assignment at all: that is the cheaper question.
        let value = self.value(&name)?;
        let kind = name::kind(&self.text[name.clone()])?;
        let text = &self.text[value.range.clone()];
        let mut confidence = self.judge(kind, text, value.quoted)?;
        if self.trial {
            confidence = confidence.min(Confidence::Low);
        }
        Some(Hit {
            detector: &ASSIGNMENT,
            range: name.start..value.range.end,
            secret: value.range,
            confidence,
            severity: Severity::Error,
            pair: None,
        })
    }

    fn saw(&self, end: usize) {
        self.reach.set(self.reach.get().max(end));
    }

    fn byte(&self, at: usize) -> u8 {
        self.saw(at + 1);
        self.text.get(at).copied().unwrap_or(b'\n')
    }

    /// The whole name that a keyword is part of.
    fn name(&self, keyword: &Range<usize>) -> Range<usize> {
        let part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
        let floor = keyword.start.saturating_sub(NAME);
        let mut start = keyword.start;
        while start > floor && part(self.text[start - 1]) {
            start -= 1;
        }
        // A keyword may hold what ends a name: `pass:`, `_key =`.
        let inner = self.text[keyword.clone()].iter().position(|b| !part(*b) && *b != b' ');
        let mut end = inner.map_or(keyword.end, |at| keyword.start + at);
        while end > keyword.start && self.text[end - 1] == b' ' {
            end -= 1;
        }
        let ceiling = self.text.len().min(end + NAME);
        while end < ceiling && part(self.text[end]) {
            end += 1;
        }
        self.saw(end + 1);
        // The dashes of an option are not part of its name.
        while matches!(self.text[start], b'-' | b'.') && start < keyword.start {
            start += 1;
        }
        start..end
    }

    /// At most so many of the next bytes.
    fn ahead(&self, at: usize, most: usize) -> &'t [u8] {
        self.saw(at + most);
        &self.text[at.min(self.text.len())..self.text.len().min(at + most)]
    }

    /// The rest of the line with its end, as far as a value can reach.
    fn ahead_in_line(&self, at: usize) -> &'t [u8] {
        let ahead = &self.text[at.min(self.text.len())..self.text.len().min(at + VALUE)];
        match memchr::memchr(b'\n', ahead) {
            Some(end) => self.ahead(at, end + 1),
            None => self.ahead(at, VALUE),
        }
    }

    fn skip(&self, mut at: usize, set: &[u8]) -> usize {
        let ceiling = self.text.len().min(at + 64);
        while at < ceiling && set.contains(&self.text[at]) {
            at += 1;
        }
        self.saw(at + 1);
        at
    }

    /// Finds the value after a name: over its closing quote, a type, and whatever this syntax assigns with.
    fn value(&self, name: &Range<usize>) -> Option<Value> {
        let before = name.start.checked_sub(1).map_or(b'\n', |at| self.text[at]);
        let mut at = name.end;
        let quoted_name =
            matches!(self.byte(at), b'"' | b'\'' | b'`') || self.byte(at) == b'\\' && self.byte(at + 1) == b'"';
        if quoted_name {
            at += if self.byte(at) == b'\\' { 2 } else { 1 };
        }
        if self.byte(at) == b']' {
            at += 1;
        }
        let gap = at;
        at = self.skip(at, b" \t");
        match self.byte(at) {
            b'=' | b':' | b'?' | b'+' | b'|' | b'!' => self.assigned(name, at),
            b'>' if before == b'<' => self.element(at + 1),
            b'>' => self.pair(name, at + 1),
            b'(' if self.file != FileKind::Config => self.quoted(self.skip(at + 1, b" ")),
            b',' if quoted_name && self.file == FileKind::Code => self.quoted(self.skip(at + 1, b" ")),
            b',' | b'\n' | b'\r' | b'/' | b'}' | b'{' => self.pair(name, at),
            _ if at > gap => self.spaced(name, at).or_else(|| self.pair(name, at)),
            _ => None,
        }
    }

    /// After a name and blanks: `=`, `:`, `:=`, `=>`, `==`, `?=`, `||=`, and types in between.
    fn assigned(&self, name: &Range<usize>, start: usize) -> Option<Value> {
        let mut at = self.skip(start, b"=:?+|!");
        let operator = &self.text[start..at];
        if operator == b"!" || operator == b"|" || operator == b"+" || operator == b"?" {
            return None;
        }
        if operator.ends_with(b"=") && self.byte(at) == b'>' {
            at += 1;
        }
        // `a:b` is an assignment where keys are quoted; elsewhere it is part of some name.
        let bare = start == name.end && operator == b":";
        if bare && !matches!(self.byte(at), b' ' | b'\t' | b'"' | b'\'' | b'\\' | b'`') {
            return None;
        }
        at = self.skip(at, b" \t");
        // `password: string = "..."`, `token: &'static str = "..."`
        if operator == b":" && self.file == FileKind::Code {
            let line = self.ahead(at, NAME);
            let line = &line[..line.find_byteset(b"\n,;\"").unwrap_or(line.len())];
            if let Some(equals) = line.find_byte(b'=') {
                at = self.skip(at + equals + 1, b" \t");
            }
        }
        if matches!(self.byte(at), b'|' | b'>') && operator == b":" {
            return self.block(at);
        }
        // Prefixes of string literals, anchors and tags of YAML.
        if matches!(self.byte(at), b'b' | b'r' | b'f' | b'u' | b'@') && matches!(self.byte(at + 1), b'"' | b'\'') {
            at += 1;
        }
        if self.ahead(at, 6) == b"!!str " {
            at += 6;
        }
        if self.byte(at) == b'&' && self.file == FileKind::Config {
            let word = self.ahead(at, NAME).find_byte(b' ')?;
            at += word + 1;
        }
        self.quoted(at).or_else(|| self.plain(name, at))
    }

    /// After a name and at least one blank, where a blank assigns.
    fn spaced(&self, name: &Range<usize>, at: usize) -> Option<Value> {
        let near = &self.text[name.start.saturating_sub(NAME * 2)..name.start];
        let before = &near[memchr::memrchr(b'\n', near).map_or(0, |n| n + 1)..];
        let word = &self.text[name.clone()];
        let first = before.trim_start();
        if before.ends_with(b"--") && self.byte(at) != b'-' {
            return self.quoted(at).or_else(|| self.plain(name, at));
        }
        if word.ends_with(b"BY") || word.eq_ignore_ascii_case(b"password") && self.byte(at) == b'\'' {
            return self.quoted(at);
        }
        let instruction = first.starts_with(b"ENV ") || first.starts_with(b"ARG ");
        let netrc = word == b"password" && (before.contains_str("login ") || near.trim_end().ends_with_str("login"));
        if instruction || netrc {
            return self.quoted(at).or_else(|| self.plain(name, at));
        }
        // `var password string = "..."`, `password text := ...`
        let line = self.ahead(at, NAME);
        let kind = line.iter().take_while(|b| b.is_ascii_alphanumeric() || b"*[]&.<>".contains(b)).count();
        let equals = at + kind + line[kind..].iter().take_while(|b| **b == b' ').count();
        if kind > 0 && self.file == FileKind::Code && self.byte(equals) == b'=' {
            return self.quoted(self.skip(equals + 1, b" "));
        }
        None
    }

    /// The name is itself a value: `name: DB_PASSWORD` and `value: ...` after it, an XML `key="..." value="..."`, or a
    /// variable of HCL with its `default`.
    fn pair(&self, name: &Range<usize>, at: usize) -> Option<Value> {
        let before =
            self.text[name.start.saturating_sub(24)..name.start].trim_end_with(|c| matches!(c, '"' | '\'' | '>' | ' '));
        let label = before.trim_end_with(|c| matches!(c, '"' | '\'' | ':' | '=' | ' ')).to_ascii_lowercase();
        let key: &[u8] = match () {
            () if label.ends_with(b"variable") => b"default",
            () if label.ends_with(b"name") || label.ends_with(b"key") => b"value",
            () => return None,
        };
        let ahead = self.ahead(at, 256);
        let found = ahead.find(key)?;
        // Nothing but line ends and quotes may stand in between, and in HCL a type and a description.
        let between = &ahead[..found];
        if key == b"value" && between.iter().any(|b| b.is_ascii_alphanumeric() || *b == b'{')
            || between.contains(&b'}') && key == b"default"
        {
            return None;
        }
        let at = self.skip(at + found + key.len(), b"\"'> \t");
        if self.byte(at) == b'<' && self.byte(at + 1) == b'/' {
            return None;
        }
        if matches!(self.byte(at), b':' | b'=') {
            let at = self.skip(at + 1, b" \t");
            return self.quoted(at).or_else(|| self.plain(name, at));
        }
        // `<name>password</name><value>...</value>`
        (self.byte(at - 1) == b'>').then(|| self.element(at)).flatten()
    }

    /// The content of an XML element.
    fn element(&self, at: usize) -> Option<Value> {
        let ahead = self.ahead(at, VALUE);
        let end = ahead.find_byteset(b"<\n")?;
        (ahead[end] == b'<').then(|| self.trimmed(at..at + end, true))
    }

    /// A string in quotes, on one line.
    fn quoted(&self, at: usize) -> Option<Value> {
        let escaped = self.byte(at) == b'\\';
        let start = at + usize::from(escaped);
        let quote = self.byte(start);
        if !matches!(quote, b'"' | b'\'' | b'`') {
            return None;
        }
        let mut start = start + 1;
        if self.byte(start) == quote && self.byte(start + 1) == quote {
            start += 2;
        }
        let ahead = &self.text[start.min(self.text.len())..self.text.len().min(start + VALUE)];
        let mut end = 0;
        while end < ahead.len() {
            match ahead[end] {
                b'\n' => break,
                b'\\' if escaped => break,
                b'\\' => end += 1,
                b if b == quote => break,
                _ => {}
            }
            end += 1;
        }
        self.saw(start + end + 2);
        if ahead.get(end) == Some(&b'\n') {
            return None;
        }
        let end = end.min(ahead.len());
        Some(Value { range: start..start + end, quoted: true })
    }

    /// An unquoted value: to the end of the line in configuration, with its comment taken off.
    fn plain(&self, name: &Range<usize>, at: usize) -> Option<Value> {
        if self.file == FileKind::Code {
            return None;
        }
        let ahead = self.ahead_in_line(at);
        let mut end = ahead.find_byteset(b"\n\r").unwrap_or(ahead.len());
        if let Some(comment) = ahead[..end].find(b" #") {
            end = comment;
        }
        let mut range = at..at + end;
        // Query strings, flow maps, connection strings, commands.
        let query = name.start > 0 && matches!(self.text[name.start - 1], b'?' | b'&');
        let stops: &[u8] = if query { b" \t;,&\"'`<>)}]" } else { b" \t;,\"'`<>)}]" };
        let word = ahead[..end].find_byteset(stops).unwrap_or(end);
        let rest = ahead[word..end].trim();
        if word < end && !rest.is_empty() {
            let ends = b";,&})]\"'`<-|\\>".contains(&rest[0]) || has_equals(rest);
            // `NAME=value command`
            let command = name.end + 1 == at
                && self.text[at - 1] == b'='
                && !self.text[name.clone()].iter().any(u8::is_ascii_lowercase);
            if !ends && !command {
                // Several words are prose.
                return None;
            }
            range.end = at + word;
        }
        Some(self.trimmed(range, false))
    }

    /// A block scalar of YAML with one line in it.
    fn block(&self, at: usize) -> Option<Value> {
        let header = self.ahead(at, 16);
        let line = header.find_byte(b'\n')?;
        if !header[1..line].iter().all(|b| b"+-0123456789 \r".contains(b)) {
            return None;
        }
        let start = at + line + 1;
        let ahead = self.ahead_in_line(start);
        let end = ahead.find_byte(b'\n').unwrap_or(ahead.len());
        Some(self.trimmed(start..start + end, true))
    }

    fn trimmed(&self, range: Range<usize>, quoted: bool) -> Value {
        let text = &self.text[range.clone()];
        let start = range.start + (text.len() - text.trim_start().len());
        Value { range: start..start + text.trim().len(), quoted }
    }

    /// How sure we are that a value is a secret, if it may be one at all.
    fn judge(&self, kind: Kind, text: &[u8], quoted: bool) -> Option<Confidence> {
        if text.len() < 4 || text.len() >= VALUE || text.iter().any(|b| b.is_ascii_control() || *b == b' ') {
            return None;
        }
        if value::is_reference(text)
            || value::is_ciphertext(text)
            || placeholder::is_password_placeholder(text)
            || value::is_timestamp(text)
            || value::contains(text, "://")
            || is_wrapped_word(text)
            // A web token has a detector of its own, which knows more.
            || text.starts_with(b"eyJ") && text.contains(&b'.')
            || text.iter().all(|b| b.is_ascii_digit() || b".,:-".contains(b))
        {
            return None;
        }
        // Calls, comparisons and members are code, not values.
        if !quoted && text.find_byteset(b"()[]").is_some() {
            return None;
        }
        let strong = value::is_random(text);
        let found = match kind {
            Kind::Password => {
                let kinds =
                    [u8::is_ascii_alphabetic, u8::is_ascii_digit].iter().filter(|kind| text.iter().any(**kind)).count()
                        + usize::from(text.iter().any(u8::is_ascii_punctuation));
                if strong {
                    Confidence::Medium
                } else if value::is_identifier(text) {
                    // One small word can be a password, several in a row are a name.
                    let word = text.len() >= 6 && text.iter().all(u8::is_ascii_lowercase);
                    if word && self.file == FileKind::Config { Confidence::Low } else { return None }
                } else if kinds > 1 && text.len() >= 6 {
                    Confidence::Medium
                } else {
                    Confidence::Low
                }
            }
            Kind::Token if value::is_uuid(text) => Confidence::Low,
            Kind::Token if strong && text.len() >= 16 => Confidence::Medium,
            Kind::Token if strong => Confidence::Low,
            Kind::Token => return None,
        };
        if self.file == FileKind::Prose && !strong {
            return (kind == Kind::Password && quoted).then_some(Confidence::Low);
        }
        Some(found)
    }
}

fn has_equals(rest: &[u8]) -> bool {
    rest[..rest.find_byte(b' ').unwrap_or(rest.len())].contains(&b'=')
}

/// Base64 of a word or of a placeholder.
fn is_wrapped_word(text: &[u8]) -> bool {
    let decoded = text.iter().all(|b| value::is_base64(*b)).then(|| decode::base64(text)).flatten();
    decoded.is_some_and(|d| {
        d.len() > 3
            && d.iter().all(u8::is_ascii_graphic)
            && (value::is_identifier(&d) || placeholder::is_password_placeholder(&d))
    })
}
