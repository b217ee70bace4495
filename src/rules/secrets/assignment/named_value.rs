//! A name that is itself a value: `name: DB_PASSWORD` and `value: ...` in the same object, in either order, whatever stands
//! between; attributes of XML, patches (`path` and `value`), variables of HCL with their `default`.

use std::ops::Range;

use bstr::ByteSlice as _;

use super::nested::{VALUE_KEYS, indent};
use super::value_span::Value;
use super::{NAME, Reader};
use crate::values::WordList;

/// How far before and after the name its object is looked at.
const ABOVE: usize = 5 * NAME;
const BELOW: usize = 1200;

/// Keys whose value is a name, in lower case.
static LABELS: WordList = WordList::new(
    "\
    name key variable parameterkey parameter secret_name secretname variable_name variablename path env property",
);

/// What stands around a name.
pub(super) enum Label {
    /// `name: x` of a block, with the column of the key.
    Block(usize),
    /// `{"name": "x"}`, `{ name = "x" }`.
    Flow,
    /// `<add key="x" ...`.
    Attribute,
    /// `variable "x" {` of HCL.
    Variable,
    /// `<name>x</name>`.
    Element,
}

impl Reader<'_> {
    /// The value of the object that a name stands in as a value.
    pub fn named_values(&self, name: &Range<usize>) -> Vec<Value> {
        let Some(label) = self.label(name) else { return Vec::new() };
        match label {
            Label::Variable => Vec::new(),
            Label::Element => self.element_after(name).into_iter().collect(),
            Label::Attribute => self.attribute(name).into_iter().collect(),
            Label::Flow => self.in_braces(name),
            Label::Block(column) => self.in_lines(name, column),
        }
    }

    pub(super) fn label(&self, name: &Range<usize>) -> Option<Label> {
        let near = &self.text[name.start.saturating_sub(2 * NAME)..name.start];
        let line = &near[near.rfind_byte(b'\n').map_or(0, |at| at + 1)..];
        // `path: /data/password`, `name = "/prod/db/password"`, `name: auth.password`.
        let before = line.trim_end_with(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '.' | '~'));
        let before = if before.len() < line.len() && !line[before.len()..].contains(&b'/') { line } else { before };
        let before = before.trim_end_with(|c| matches!(c, '"' | '\'' | '\\' | ' ' | '>'));
        if line[before.len()..].starts_with(b">") {
            return before.ends_with(b"<name").then_some(Label::Element);
        }
        let quoted_key = before.trim_end_with(|c| matches!(c, ':' | '=' | ' '));
        if quoted_key.len() == before.len() {
            return before.ends_with(b"variable").then_some(Label::Variable);
        }
        let key_end = quoted_key.trim_end_with(|c| matches!(c, '"' | '\'' | '\\'));
        let start = key_end.iter().rposition(|b| !(b.is_ascii_alphanumeric() || *b == b'_')).map_or(0, |at| at + 1);
        if !LABELS.has(&key_end[start..].to_ascii_lowercase()) {
            return None;
        }
        let front = key_end[..start].trim_end_with(|c| matches!(c, '"' | '\'' | '\\'));
        if before.ends_with(b"=") && front.contains(&b'<') || front.ends_with(b":") && before.ends_with(b"=") {
            return Some(Label::Attribute);
        }
        let alone = front.iter().all(|b| matches!(b, b' ' | b'-' | b'\t'));
        let yaml = alone && before.ends_with(b":") && key_end.len() == quoted_key.len();
        Some(if yaml { Label::Block(indent(front)) } else { Label::Flow })
    }

    /// `value` beside the name, between the braces around it.
    fn in_braces(&self, name: &Range<usize>) -> Vec<Value> {
        let floor = name.start.saturating_sub(ABOVE);
        let mut depth = 0;
        let open = self.text[floor..name.start].iter().rposition(|b| {
            depth += match b {
                b'}' => 1,
                b'{' => -1,
                _ => 0,
            };
            depth < 0
        });
        // Attributes of HCL stand in a block whose brace may be further up.
        let start = open.map_or(crate::text::line_around(self.text, name.start).start.max(floor), |at| floor + at + 1);
        let end = self.text.len().min(name.end + BELOW);
        self.saw(end);
        let (mut at, mut depth, mut values) = (start, 0, Vec::new());
        while at < end && depth >= 0 {
            match self.text[at] {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                b'"' | b'\'' | b'a'..=b'z' | b'A'..=b'Z' => {
                    let key = self.key(at, end);
                    let quote = usize::from(matches!(self.text[at], b'"' | b'\''));
                    let assigns = self.skip((key.end + quote).min(end), b" \t");
                    at = (key.end + quote).max(at + 1);
                    if matches!(self.byte(assigns), b':' | b'=') && !key.contains(&name.start) {
                        let after = self.skip(self.skip(assigns, b":=>"), b" \t");
                        // A list or object within is not the value.
                        let nested = matches!(self.byte(after), b'{' | b'[');
                        let plain = || if nested { None } else { self.plain(&key, after) };
                        let value = self.quoted(after).or_else(plain);
                        at = value.as_ref().map_or(after, |value| value.range.end + 1);
                        if depth == 0 && VALUE_KEYS.has(&self.text[key].to_ascii_lowercase()) {
                            values.extend(value);
                        }
                    }
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        values
    }

    /// `value:` in a line of the same object: as far as the lines are indented as the name's.
    fn in_lines(&self, name: &Range<usize>, column: usize) -> Vec<Value> {
        let own = crate::text::line_around(self.text, name.start);
        let key_of = |line: &[u8]| -> Option<(usize, usize)> {
            let here = indent(line);
            let colon = line.get(here..)?.find_byte(b':')?;
            let key = line[here..here + colon].trim_with(|c| matches!(c, '"' | '\''));
            (here == column && VALUE_KEYS.has(&key.to_ascii_lowercase())).then_some((here, here + colon + 1))
        };
        let opens = |line: &[u8]| line.get(..column).is_some_and(|lead| lead.contains(&b'-'));
        let end = self.text.len().min(name.end + BELOW);
        let mut start = own.end + 1;
        while start < end {
            let stop = self.text[start..end].find_byte(b'\n').map_or(end, |n| start + n);
            let line = &self.text[start..stop];
            self.saw(stop + 1);
            let blank = line.trim().is_empty() || line.trim_start().starts_with(b"#");
            if !blank && (indent(line) < column || opens(line)) {
                break;
            }
            if let Some((_, at)) = key_of(line) {
                let at = self.skip(start + at, b" ");
                return self.quoted(at).or_else(|| self.plain(name, at)).into_iter().collect();
            }
            start = stop + 1;
        }
        // Above: up to the line that opens the item.
        let floor = name.start.saturating_sub(ABOVE);
        let (mut stop, mut first) = (own.start, opens(&self.text[own.start..own.end]));
        while stop > floor && !first {
            let above = crate::text::line_around(self.text, stop - 1);
            if above.start < floor {
                break;
            }
            let line = &self.text[above.clone()];
            if !line.trim().is_empty() && indent(line) < column {
                break;
            }
            first = opens(line);
            if let Some((_, at)) = key_of(line) {
                let at = self.skip(above.start + at, b" ");
                return self.quoted(at).or_else(|| self.plain(name, at)).into_iter().collect();
            }
            stop = above.start;
        }
        Vec::new()
    }

    /// `value="..."` in the same element.
    fn attribute(&self, name: &Range<usize>) -> Option<Value> {
        let ahead = self.ahead(name.end, 256);
        let found = ahead[..ahead.find_byte(b'>')?].find("alue=")?;
        self.quoted(name.end + found + "alue=".len())
    }

    /// `<name>password</name><value>...</value>`
    fn element_after(&self, name: &Range<usize>) -> Option<Value> {
        let ahead = self.ahead(name.end, 256);
        let found = ahead.strip_prefix(b"</name>")?.trim_start();
        let open = found.strip_prefix(b"<value>").or_else(|| found.strip_prefix(b"<string>"))?;
        self.element(name.end + ahead.len() - open.len())
    }
}
