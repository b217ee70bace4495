//! Foreign bytes in the clothes of each syntax: one line, XML, URI, shell word, lossless path, safe JSON.
//! Owns escaping; what is dangerous at all is told by [`is_unsafe`].

use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::Value;

use crate::finding::Finding;
pub use crate::text::count;
use crate::text::{is_unsafe, sanitise_lines};

/// Where a text holds what a CI runner would carry out on seeing it in a log: the second `#` of `##[command]`,
/// `##vso[command]` and their like, anywhere in a line.
pub fn armed(text: &str) -> impl Iterator<Item = usize> {
    text.match_indices('#').map(|(at, _)| at + 1).filter(|at| {
        let behind = text[*at..].strip_prefix('#');
        behind.is_some_and(|b| b.trim_start_matches(|c: char| c.is_ascii_alphanumeric()).starts_with('['))
    })
}

/// What stands for the second `#` where texts are for people.
pub const DISARMED: &str = "\\u{23}";

/// The text with something harmless for every armed `#`.
pub fn disarm(text: &str, harmless: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for at in armed(text) {
        out.push_str(&text[from..at]);
        out.push_str(harmless);
        from = at + 1;
    }
    out + &text[from..]
}

/// A path or ref name for people: unsafe characters as `\u{1b}`, bytes that are not UTF-8 as `\xff`.
pub fn name(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if is_unsafe(c) {
                let _ = write!(out, "\\u{{{:x}}}", c as u32);
            } else {
                out.push(c);
            }
        }
        escape_bytes(chunk.invalid(), &mut out);
    }
    disarm(&out, DISARMED)
}

fn escape_bytes(bytes: &[u8], out: &mut String) {
    for b in bytes {
        // Writing to a string cannot fail.
        let _ = write!(out, "\\x{b:02x}");
    }
}

/// A message on one line.
pub fn line(text: &str) -> String {
    name(text.as_bytes())
}

/// A text of several lines, none of which is a workflow command (`::error::`) for the runner that logs it.
pub fn lines(text: &str) -> String {
    let safe = |line: &str| {
        let line = disarm(line, DISARMED);
        if line.trim_start().starts_with("::") { format!("\\{}", line.trim_start()) } else { line }
    };
    sanitise_lines(text).split('\n').map(safe).collect::<Vec<_>>().join("\n")
}

/// The lossless twin of a path: itself if it is UTF-8; else with `\xff` for foreign bytes and `\\` for `\`, and
/// beside it the raw bytes in base64.
pub fn lossless(bytes: &[u8]) -> (String, Option<String>) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return (text.to_owned(), None);
    }
    let mut out = String::with_capacity(bytes.len() + 8);
    for chunk in bytes.utf8_chunks() {
        out.push_str(&chunk.valid().replace('\\', "\\\\"));
        escape_bytes(chunk.invalid(), &mut out);
    }
    (out, Some(STANDARD.encode(bytes)))
}

/// A relative URI reference: everything but unreserved characters and `/` in per cent.
pub fn uri(path: &[u8]) -> String {
    let mut out = String::with_capacity(path.len());
    for b in path {
        if b.is_ascii_alphanumeric() || b"-._~/".contains(b) {
            out.push(*b as char);
        } else {
            let _ = write!(out, "%{b:02X}");
        }
    }
    out
}

/// For text and for attributes in double quotes. The text has come through [`line`] or [`lines`], so of what XML 1.0
/// forbids outright there are only two non-characters left.
pub fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // Attributes would turn a bare line end into a space.
            '\n' => out.push_str("&#10;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    disarm(&out, "&#35;")
}

/// JSON in which characters that move a cursor or hide in a line are escaped, which strict syntax does not ask for:
/// reports are looked at in terminals.
pub fn json(value: &impl Serialize, layout: Layout, out: &mut dyn Write) -> io::Result<()> {
    let text = match layout {
        Layout::Indented => serde_json::to_string_pretty(value),
        Layout::OneLine => serde_json::to_string(value),
    }?;
    let text = disarm(&text, "\\u0023");
    let mut from = 0;
    // Outside strings there is nothing unsafe but our own line ends.
    for (at, c) in text.char_indices().filter(|(_, c)| *c != '\n' && is_unsafe(*c)) {
        out.write_all(&text.as_bytes()[from..at])?;
        for unit in c.encode_utf16(&mut [0; 2]) {
            write!(out, "\\u{unit:04x}")?;
        }
        from = at + c.len_utf8();
    }
    out.write_all(&text.as_bytes()[from..])?;
    out.write_all(b"\n")
}

/// Leaves out every member that is null: most formats know absent, not null.
pub fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            members.into_iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k, without_nulls(v))).collect()
        }
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

/// What a report has said of each rule so far, so that help which many findings share stands in it once.
#[derive(Default)]
pub struct Helps<'f> {
    told: HashSet<(&'f str, &'f str)>,
}

impl<'f> Helps<'f> {
    /// The help of a finding without what was said of its rule before.
    pub fn fresh(&mut self, finding: &'f Finding) -> Option<String> {
        let (rule, help) = (&*finding.rule, finding.help.as_deref()?);
        if !self.told.insert((rule, help)) {
            return None;
        }
        let is_step = |line: &str| line.starts_with(' ') || ["git ", "portcullis "].iter().any(|c| line.starts_with(c));
        if help.lines().any(is_step) {
            // Steps belong together, though some are the same as before.
            return Some(help.to_owned());
        }
        let fresh: Vec<_> = help.lines().filter(|line| self.told.insert((rule, *line)) || *line == help).collect();
        (!fresh.is_empty()).then(|| fresh.join("\n"))
    }
}

/// How JSON is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    Indented,
    OneLine,
}
