//! Allows that stand beside what they excuse: in a comment on the line or the one above, or in a message's trailers.
//! Owns their spelling; whether one counts is decided when findings are settled.

use std::ops::Range;

use bstr::ByteSlice as _;

use super::{Redact, safe_words};
use crate::text;

/// `portcullis: allow(rule) because reason`, found near a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InlineAllow {
    pub rule: String,
    /// Empty when none was given.
    pub reason: String,
}

/// Reads `portcullis: allow(rule, rule) because reason` on a line and on the one above.
pub(super) fn near(text: &[u8], here: Range<usize>) -> Vec<InlineAllow> {
    let above = if here.start > 0 { text::line_around(text, here.start - 1) } else { 0..0 };
    [above, here].into_iter().flat_map(|r| parse_allow(&text[r.start..r.end.min(r.start + 4096)])).collect()
}

fn parse_allow(line: &[u8]) -> Vec<InlineAllow> {
    let Some(at) = line.find(b"portcullis: allow(") else { return Vec::new() };
    let rest = &line[at + b"portcullis: allow(".len()..];
    let Some(close) = rest.find_byte(b')') else { return Vec::new() };
    InlineAllow::list(&rest[..close], &rest[close + 1..])
}

/// Reads every `Portcullis-Allow: rule, rule because reason` in the trailers of a message: its last paragraph, which is
/// not its first.
pub fn trailer_allows(message: &[u8], redactor: &dyn Redact) -> Vec<InlineAllow> {
    let mut lines: Vec<&[u8]> = message.lines().map(|l| l.trim()).collect();
    while lines.last().is_some_and(|l| l.is_empty()) {
        lines.pop();
    }
    let Some(blank) = lines.iter().rposition(|l| l.is_empty()) else { return Vec::new() };
    if lines[..blank].iter().all(|l| l.is_empty()) {
        return Vec::new();
    }
    const TOKEN: &[u8] = b"portcullis-allow:";
    let trailers =
        lines[blank + 1..].iter().filter(|l| l.get(..TOKEN.len()).is_some_and(|t| t.eq_ignore_ascii_case(TOKEN)));
    let mut allows: Vec<_> = trailers
        .flat_map(|line| {
            let value = &line[TOKEN.len()..];
            let end = value.find(b" because").unwrap_or(value.len());
            InlineAllow::list(&value[..end], &value[end..])
        })
        .collect();
    allows.iter_mut().for_each(|a| a.reason = safe_words(redactor, &a.reason));
    allows
}

impl InlineAllow {
    /// `rules`: parted by commas; `after`: ` because reason`, or something else.
    fn list(rules: &[u8], after: &[u8]) -> Vec<Self> {
        let reason =
            after.trim_start().strip_prefix(b"because").filter(|r| r.first().is_none_or(|b| b.is_ascii_whitespace()));
        let reason = reason.map_or("".into(), |r| r.to_str_lossy());
        // A comment that ends on the line ends the reason too.
        let end = ["*/", "-->", "#}"].iter().filter_map(|close| reason.find(close)).min().unwrap_or(reason.len());
        let reason = reason[..end].trim_end_matches(['*', '-', '#', '"', '}']).trim().to_owned();
        let rules = rules.split_str(",").map(|r| r.trim().to_str_lossy().into_owned());
        rules.map(|rule| Self { rule, reason: reason.clone() }).collect()
    }
}
