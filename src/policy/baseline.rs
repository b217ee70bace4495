//! `--write-exceptions`: an exception for everything that stands today, written into the policy file so that all of its
//! bytes and comments stay. Pure: bytes in, bytes out.

use bstr::ByteSlice;
use jiff::ToSpan;
use jiff::civil::Date;

use super::setting::family_of;
use crate::error::{Error, Result};
use crate::finding::{Finding, Severity};
use crate::report::Report;
use crate::yaml::{self, Node};

/// The policy file with an exception per standing error and warning (and per finding that was merged into one), each
/// with `reason: baseline` and a year to go. `policy`: the file as it is, if there is one; without anything to except it
/// comes back unchanged.
pub fn write_exceptions(report: &Report, policy: Option<&[u8]>, today: Date) -> Result<Vec<u8>> {
    let entries = entries(report, today)?;
    let bytes = policy.unwrap_or(b"version: 1\n");
    if entries.is_empty() {
        return Ok(policy.unwrap_or_default().to_vec());
    }
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

fn unwritable(why: &str) -> Error {
    Error::usage(format!("cannot write exceptions: {why}"))
        .hint("mend the policy file first: `portcullis check` shows where")
}

/// Flow maps on one line each, in the report's order.
fn entries(report: &Report, today: Date) -> Result<Vec<String>> {
    let until =
        today.checked_add(365.days()).map_err(|e| Error::usage(format!("cannot tell the day in a year: {e}")))?;
    let stands = |f: &&Finding| {
        f.suppressed.is_none() && f.severity > Severity::Note && !matches!(family_of(&f.rule), "exceptions" | "policy")
    };
    let mut list: Vec<String> = Vec::new();
    for finding in report.findings.iter().filter(stands) {
        let own = (finding.origin.path().cloned(), finding.fingerprint.clone());
        for (path, fingerprint) in std::iter::once(&own).chain(&finding.merged) {
            let path =
                path.as_ref().and_then(|p| p.to_str().ok()).map_or(String::new(), |p| format!("path: {}, ", glob(p)));
            let entry = format!(
                "{{ rule: {}, {path}fingerprint: \"{fingerprint}\", reason: \"baseline\", until: {until} }}",
                rule(&finding.rule)
            );
            if !list.contains(&entry) {
                list.push(entry);
            }
        }
    }
    Ok(list)
}

fn rule(id: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_');
    if id.chars().all(plain) { id.to_owned() } else { quoted(id) }
}

/// A glob that means this path and no other.
fn glob(path: &str) -> String {
    let mut glob = if path.contains('/') { String::new() } else { "/".to_owned() };
    for c in path.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | '\\') || (glob.is_empty() && c == '!') {
            glob.push('\\');
        }
        glob.push(c);
    }
    quoted(&glob)
}

/// In double quotes, on one line, with ASCII control characters escaped.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() || crate::text::is_unsafe(c) => match u32::from(c) {
                n @ 0..=0xff => out.push_str(&format!("\\x{n:02x}")),
                n @ 0x100..=0xffff => out.push_str(&format!("\\u{n:04x}")),
                n => out.push_str(&format!("\\U{n:08x}")),
            },
            c => out.push(c),
        }
    }
    out.push('"');
    out
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
