//! Literals in templates: `{{ 'x' | password_hash }}`, `{{ v | default('x') }}`, `{{ "x" | b64enc }}` carry their `x`.

use std::ops::Range;

use bstr::ByteSlice as _;

use super::Reader;
use super::value_span::Value;

impl Reader<'_> {
    /// The literal that a template yields, where a value is a template with one; any other value as it is.
    pub fn literal(&self, value: Value) -> Value {
        match self.template_literal(value.range.clone()) {
            Some(range) => Value { range, ..Value { quoted: true, ..value } },
            None => value,
        }
    }

    fn template_literal(&self, range: Range<usize>) -> Option<Range<usize>> {
        let text = &self.text[range.clone()];
        let open = text.find("{{")?;
        let close = text[open..].find("}}").map_or(text.len(), |at| open + at);
        let inner = &text[open + 2..close];
        let mut at = 0;
        while let Some(start) = inner[at..].find_byteset(b"'\"").map(|n| at + n) {
            let quote = inner[start];
            let end = start + 1 + inner[start + 1..].find_byte(quote)?;
            let before = inner[..start].trim_end_with(|c| matches!(c, ' ' | '(' | '\\' | '-'));
            let after = inner[end + 1..].trim_start_with(|c| matches!(c, ' ' | '\\'));
            let first = before.is_empty() && (after.starts_with(b"|") || after.is_empty());
            if first || before.ends_with(b"default") {
                let base = range.start + open + 2;
                return Some(base + start + 1..base + end);
            }
            at = end + 1;
        }
        None
    }

    /// A template up to its end, quoted or not, on one line.
    pub fn template(&self, at: usize) -> Option<Value> {
        let start = at + usize::from(matches!(self.byte(at), b'"' | b'\''));
        if !self.starts(start, b"{{") {
            return None;
        }
        let ahead = self.ahead_in_line(start);
        let end = ahead.find("}}")? + 2;
        Some(Value::quoted(start..start + end))
    }
}
