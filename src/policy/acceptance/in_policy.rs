//! Exceptions written into the policy file so that all of its bytes and comments stay.

use bstr::ByteSlice as _;

use super::{Entry, unwritable};
use crate::error::Result;
use crate::yaml::{self, Node};

/// How many exceptions a policy has, as far as it can be read.
pub(super) fn count(policy: &[u8]) -> usize {
    yaml::parse(policy).roots.first().and_then(|root| root.get("exceptions")).map_or(0, |list| list.items().len())
}

/// The policy file with these exceptions. `there`: the file as it is, if there is one.
pub(super) fn with(entries: &[Entry], there: Option<&[u8]>) -> Result<Vec<u8>> {
    let bytes = there.unwrap_or(b"version: 1\n");
    if entries.is_empty() {
        return Ok(there.unwrap_or_default().to_vec());
    }
    let entries: Vec<String> = entries.iter().map(|entry| entry.text.clone()).collect();
    let documents = yaml::parse(bytes);
    if let Some(mistake) = documents.mistakes.first() {
        return Err(unwritable(&mistake.message));
    }
    let root = match documents.roots.as_slice() {
        [] => None,
        [root] if root.is_map() => Some(root),
        [root] if root.is_null() => None,
        _ => return Err(unwritable("the policy is not one map")),
    };
    let (at, cut, text) = match root.and_then(|root| Some((root, root.entry("exceptions")?))) {
        Some((_, (_, list))) if list.is_seq() => into_list(bytes, list, &entries),
        Some((root, (key, nothing))) if nothing.is_null() => into_nothing(bytes, root, key, nothing, &entries),
        Some(_) => return Err(unwritable("`exceptions` is no list")),
        None => into_document(bytes, root, &entries),
    };
    let mut out = bytes[..at].to_vec();
    out.extend_from_slice(if is_crlf(bytes) { text.replace('\n', "\r\n") } else { text }.as_bytes());
    out.extend_from_slice(&bytes[cut..]);
    let written = yaml::parse(&out);
    let before = root.and_then(|r| r.get("exceptions")).map_or(0, |l| l.items().len());
    let after = written.roots.first().and_then(|r| r.get("exceptions")).map_or(0, |l| l.items().len());
    if !written.mistakes.is_empty() || after != before + entries.len() {
        return Err(unwritable("the exceptions cannot be written into a file of this shape"));
    }
    Ok(out)
}

/// Where to cut (from, to), and what to put there, for a list that is there.
fn into_list(bytes: &[u8], list: &Node, entries: &[String]) -> (usize, usize, String) {
    if bytes.get(list.span.start) == Some(&b'[') {
        let shift = indent(bytes, list.span.start);
        let lines: Vec<_> = entries.iter().map(|e| format!("\n{}{e}", " ".repeat(shift + 2))).collect();
        let (at, text) = match list.items().last() {
            Some(last) => (last.span.end, format!(",{}", lines.join(","))),
            None => (list.span.start + 1, lines.join(",")),
        };
        return (at, at, text);
    }
    let at = next_line(bytes, list.span.end);
    (at, at, block(bytes, at, column(bytes, list.span.start), entries))
}

/// The same, for a key without a value. A written `null` gives way.
fn into_nothing(bytes: &[u8], root: &Node, key: &Node, nothing: &Node, entries: &[String]) -> (usize, usize, String) {
    let shift = column(bytes, key.span.start);
    if nothing.span.is_empty() && bytes.get(root.span.start) != Some(&b'{') {
        let at = next_line(bytes, nothing.span.end);
        return (at, at, block(bytes, at, shift + 2, entries));
    }
    let space = if bytes[..nothing.span.start].ends_with(b":") { " " } else { "" };
    (nothing.span.start, nothing.span.end, format!("{space}{}", flow(entries, shift)))
}

/// The same, for a document without the key.
fn into_document(bytes: &[u8], root: Option<&Node>, entries: &[String]) -> (usize, usize, String) {
    let Some(root) = root else {
        let at = bytes.len();
        return (at, at, format!("{}exceptions:\n{}", newline(bytes, at), block(b"\n", 1, 2, entries)));
    };
    if bytes.get(root.span.start) == Some(&b'{') {
        let text = format!("exceptions: {}", flow(entries, 0));
        return match root.entries().last() {
            Some((_, last)) => (last.span.end, last.span.end, format!(", {text}")),
            None => (root.span.start + 1, root.span.start + 1, text),
        };
    }
    let shift = column(bytes, root.span.start);
    let rest = next_line(bytes, root.span.end);
    // After the end of the document nothing may follow; without such an end, comments stay where they are.
    let ended = bytes[rest..].lines().any(|l| l.starts_with(b"...") || l.starts_with(b"---"));
    let at = if ended { rest } else { bytes.len() };
    let text =
        format!("{}{}exceptions:\n{}", newline(bytes, at), " ".repeat(shift), block(b"\n", 1, shift + 2, entries));
    (at, at, text)
}

fn block(bytes: &[u8], at: usize, shift: usize, entries: &[String]) -> String {
    let lines = entries.iter().map(|e| format!("{}- {e}\n", " ".repeat(shift)));
    format!("{}{}", newline(bytes, at), lines.collect::<String>())
}

fn flow(entries: &[String], shift: usize) -> String {
    let lines: Vec<_> = entries.iter().map(|e| format!("\n{}{e}", " ".repeat(shift + 2))).collect();
    format!("[{}]", lines.join(","))
}

/// A line end, where the text before does not end with one.
fn newline(bytes: &[u8], at: usize) -> &'static str {
    let before = &bytes[..at];
    if before.is_empty() || before.ends_with(b"\n") || before == b"\xef\xbb\xbf" { "" } else { "\n" }
}

fn next_line(bytes: &[u8], from: usize) -> usize {
    bytes[from..].find_byte(b'\n').map_or(bytes.len(), |n| from + n + 1)
}

/// Bytes before a place on its line, a BOM not counted.
fn column(bytes: &[u8], at: usize) -> usize {
    let start = bytes[..at].rfind_byte(b'\n').map_or(0, |n| n + 1);
    let before = &bytes[start..at];
    before.strip_prefix(b"\xef\xbb\xbf").unwrap_or(before).len()
}

/// Spaces at the start of the line of a place.
fn indent(bytes: &[u8], at: usize) -> usize {
    let line = &bytes[crate::text::line_around(bytes, at)];
    line.iter().take_while(|b| **b == b' ').count()
}

fn is_crlf(bytes: &[u8]) -> bool {
    bytes.find_byte(b'\n').is_some_and(|n| n > 0 && bytes[n - 1] == b'\r')
}
