//! Values below a name: lists, maps and blocks, read by brackets or by indentation. Broken and templated files are read
//! too, so none of this parses; it looks at a bounded part of the text, so that reading history piece by piece stays possible.

use std::ops::Range;

use bstr::ByteSlice as _;

use super::value_span::Value;
use super::{Reader, key_name};
use crate::rules::secrets::file_kind::FileKind;
use crate::values::WordList;

/// How far below a name its values may stand.
const BELOW: usize = 1500;
/// How many values one name can have.
const MOST: usize = 64;

/// Keys that hold the value of what they stand in, in lower case.
pub static VALUE_KEYS: WordList =
    WordList::new("value val default defaultvalue default_value plaintext_value parametervalue content");

impl Reader<'_> {
    /// The values of a list, map or block that is assigned to a name.
    pub fn nested(&self, name: &Range<usize>) -> Vec<Value> {
        let mut at = name.end;
        while matches!(self.byte(at), b'"' | b'\'' | b'`' | b']' | b'\\') {
            at += 1;
        }
        at = self.skip(at, b" \t");
        // A block of HCL: `resource "x" "db_password" {`.
        if self.byte(at) == b'{' {
            let is_block = self.byte(name.end) == b'"' || self.file.is_declarative();
            return if is_block {
                self.object(at + 1, key_name::is_collection(&self.text[name.clone()]))
            } else {
                Vec::new()
            };
        }
        let opens_section = self.text[..name.start].ends_with(b"[") && self.byte(name.end) == b']';
        if opens_section && self.file == FileKind::Config && key_name::is_collection(&self.text[name.clone()]) {
            return self.section(at);
        }
        if !matches!(self.byte(at), b':' | b'=') {
            return Vec::new();
        }
        let at = self.skip(at, b":=>");
        let at = self.skip(at, b" \t");
        let is_collection = || key_name::is_collection(&self.text[name.clone()]);
        match self.byte(at) {
            b'[' => self.list(at + 1),
            b'{' => self.object(at + 1, is_collection()),
            b'(' if self.file.is_code() => self.quoted(self.skip(at + 1, b" \t\r\n")).into_iter().collect(),
            b'\n' | b'\r' | b'#' if self.file == FileKind::Config => self.indented(name, at, is_collection()),
            _ => Vec::new(),
        }
    }

    /// `["a", "b"]`, over several lines too.
    fn list(&self, start: usize) -> Vec<Value> {
        let mut values = Vec::new();
        let mut at = start;
        while values.len() < MOST && at < start + BELOW {
            at = self.skip(at, b" \t\r\n,");
            match self.quoted(at) {
                Some(value) => {
                    at = value.range.end + 1;
                    values.push(Value { member: true, ..value });
                }
                None => break,
            }
        }
        // `["x"][0]`, and `[` that begins an expression.
        if matches!(self.byte(self.skip(at, b" \t\r\n,")), b']' | b'#' | b'/') { values } else { Vec::new() }
    }

    /// `{ value = "x" }`, `{"default": "x"}`; of a map of secrets every member.
    fn object(&self, start: usize, collection: bool) -> Vec<Value> {
        let mut values = Vec::new();
        let end = self.text.len().min(start + BELOW);
        self.saw(end);
        let (mut at, mut depth) = (start, 1);
        while at < end && depth > 0 && values.len() < MOST {
            match self.text[at] {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                b if b.is_ascii_alphanumeric() || b == b'_' || matches!(b, b'"' | b'\'') => {
                    let key = self.key(at, end);
                    let assigns = self.skip(key.end + usize::from(matches!(b, b'"' | b'\'')), b" \t");
                    let member = collection || VALUE_KEYS.has(&self.text[key.clone()].to_ascii_lowercase());
                    if matches!(self.byte(assigns), b':' | b'=') {
                        let after = self.skip(self.skip(assigns, b":=>"), b" \t");
                        at = after;
                        if depth == 1 && member {
                            let nested = matches!(self.byte(after), b'{' | b'[');
                            let plain = || if nested { None } else { self.plain(&key, after) };
                            let value = self.quoted(after).or_else(plain);
                            if self.byte(after) == b'[' {
                                values.extend(self.list(after + 1));
                            }
                            values.extend(value.map(|value| Value { member: true, ..value }));
                        }
                        // Over the value, which may hold anything.
                        at = self.quoted(after).map_or(at, |value| value.range.end + 1);
                        continue;
                    }
                    at = key.end.max(at) + usize::from(matches!(b, b'"' | b'\''));
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        values
    }

    /// The word or string at a place, without its quotes.
    pub fn key(&self, at: usize, end: usize) -> Range<usize> {
        if matches!(self.text[at], b'"' | b'\'') {
            let close = self.text[at + 1..end].iter().position(|b| *b == self.text[at] || *b == b'\n');
            return at + 1..close.map_or(end, |n| at + 1 + n);
        }
        let part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
        at..at + self.text[at..end].iter().take_while(|b| part(b)).count()
    }

    /// The lines of a section that is named so, in TOML and INI: `[tokens]` and `ci = "x"` below it.
    fn section(&self, at: usize) -> Vec<Value> {
        let mut values = Vec::new();
        let end = self.text.len().min(at + BELOW);
        if !matches!(self.byte(at), b'\n' | b'\r' | b'#' | b';') {
            return values;
        }
        let mut start = at;
        while let Some(next) = self.text[start.min(end)..end].find_byte(b'\n').map(|n| start + n + 1) {
            start = self.skip(next, b" \t");
            if self.byte(start) == b'[' || values.len() == MOST {
                break;
            }
            if start >= end || !self.text[start].is_ascii_alphanumeric() && !matches!(self.text[start], b'"' | b'_') {
                continue;
            }
            let key = self.key(start, end);
            let assigns = self.skip(key.end + usize::from(self.text[start] == b'"'), b" \t");
            if self.byte(assigns) == b'=' {
                let value = self.scalar(&key, self.skip(assigns + 1, b" \t"));
                values.extend(value.map(|value| Value { member: true, ..value }));
            }
        }
        self.saw(end);
        values
    }

    /// What is indented below `password:`: a scalar, a list, or a map with the value in it.
    fn indented(&self, name: &Range<usize>, at: usize, collection: bool) -> Vec<Value> {
        let mut values = Vec::new();
        let line = crate::text::line_around(self.text, name.start);
        let near = line.start.max(name.start.saturating_sub(2 * super::NAME));
        let column = indent(&self.text[near..name.start]);
        if near > line.start {
            return values;
        }
        let end = self.text.len().min(at + BELOW);
        let mut start = at + self.text[at.min(end)..end].find_byte(b'\n').map_or(end - at.min(end), |n| n + 1);
        let mut below = None;
        while start < end && values.len() < MOST {
            let stop = self.text[start..end].find_byte(b'\n').map_or(end, |n| start + n);
            let (from, line) = (start, self.text[start..stop].trim_end());
            start = stop + 1;
            let text = line.trim_start();
            if text.is_empty() || text.starts_with(b"#") {
                continue;
            }
            let here = line.len() - text.len();
            self.saw(stop + 1);
            let item = text.strip_prefix(b"- ");
            if here < column || here == column && item.is_none() {
                break;
            }
            let first = below.is_none();
            if *below.get_or_insert(here) != here {
                continue;
            }
            if let Some(item) = item {
                let at = from + here + text.len() - item.trim_start().len();
                let item = item.trim_start();
                // `- key: x` of a list of keys.
                let lead = ["key: ", "value: ", "secret: ", "token: "].into_iter().find(|k| item.starts_with_str(k));
                let lead = lead.filter(|_| collection).map_or(0, str::len);
                if lead > 0 || scalar(item) {
                    values.extend(self.scalar(name, at + lead).map(|value| Value { member: true, ..value }));
                }
            } else if first && scalar(text) {
                values.extend(self.scalar(name, from + here));
                break;
            } else if let Some(colon) = text.find(": ") {
                let key = text[..colon].trim_with(|c| matches!(c, '"' | '\''));
                if collection || VALUE_KEYS.has(&key.to_ascii_lowercase()) {
                    let at = self.skip(from + here + colon + 1, b" ");
                    values.extend(self.scalar(name, at).map(|value| Value { member: true, ..value }));
                }
            }
        }
        values
    }

    fn scalar(&self, name: &Range<usize>, at: usize) -> Option<Value> {
        self.quoted(at).or_else(|| self.plain(name, at))
    }
}

/// Column of a line's first key: `- ` belongs to the indentation.
pub fn indent(before: &[u8]) -> usize {
    before.iter().take_while(|b| matches!(b, b' ' | b'-')).count()
}

/// Neither a map nor a list nor a block.
fn scalar(text: &[u8]) -> bool {
    let quoted = matches!(text[0], b'"' | b'\'');
    !matches!(text[0], b'{' | b'[' | b'|' | b'>' | b'&' | b'*' | b'!' | b'-')
        && (quoted && !text.contains_str("\":") && !text.contains_str("':")
            || !quoted && !text.contains_str(": ") && !text.ends_with(b":"))
}
