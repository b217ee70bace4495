//! Entries of Kubernetes `Secret` manifests, wherever their keys stand.

use std::ops::Range;

use bstr::ByteSlice;

use super::scan::Hit;

/// Whether a keyword is the value of `kind: Secret`.
pub fn is_secret_kind(text: &[u8], keyword: Range<usize>) -> bool {
    if &text[keyword.clone()] != b"Secret" {
        return false;
    }
    let before = text[keyword.start.saturating_sub(16)..keyword.start].trim_end_with(|c| matches!(c, '"' | '\'' | ' '));
    let Some(before) = before.strip_suffix(b":") else { return false };
    let after = text.get(keyword.end).copied().unwrap_or(b'\n');
    before.trim_end_with(|c| matches!(c, '"' | '\'' | ' ')).ends_with_str("kind") && !(after.is_ascii_alphanumeric())
}

/// One entry of `data` or `stringData`.
pub struct Entry {
    pub key: Range<usize>,
    pub value: Range<usize>,
    pub encoded: bool,
}

pub fn entries(_text: &[u8], _kind: usize, _found: impl FnMut(Entry)) {}

pub fn judge<'d>(_text: &[u8], _entry: Entry) -> Option<Hit<'d>> {
    None
}
