//! The baseline: exceptions in a file of their own, a line each. Owns the form of that file: sorted, so that two branches
//! change different lines, with the comments that people write above single ones.

use std::ops::Range;

use bstr::ByteSlice as _;

use super::{Entry, Key, unwritable};
use crate::error::Result;
use crate::yaml::{self, Node};

const HEAD: &str = "\
# Findings that were accepted as they stood, one on each line, sorted. `portcullis check --write-exceptions` adds to them
# and removes what nothing needs any more. Git merges the lines of both sides with this line in .gitattributes:
#   portcullis.baseline.yaml merge=union
version: 1
exceptions:
";

/// The baseline with these exceptions, sorted, and without those that stand at `obsolete` places; with how many went.
/// `there`: the file as it is, if there is one.
pub(super) fn with(entries: &[Entry], obsolete: &[usize], there: Option<&[u8]>) -> Result<(Vec<u8>, usize)> {
    let old = there.map(Lines::read).transpose()?.unwrap_or_else(Lines::none);
    let is_replaced = |item: &Item| entries.iter().any(|entry| entry.key == item.key);
    let is_obsolete = |item: &Item| obsolete.iter().any(|at| item.span.contains(at));
    let (replaced, others): (Vec<&Item>, Vec<&Item>) = old.items.iter().partition(|item| is_replaced(item));
    let stays = others.iter().filter(|item| !is_obsolete(item));
    let mut kept: Vec<(&Key, &str)> = stays.map(|item| (&item.key, item.text.as_str())).collect();
    let removed = others.len() - kept.len();
    if entries.is_empty() && removed == 0 {
        return Ok((there.unwrap_or_default().to_vec(), 0));
    }
    // What people wrote above an exception stays there when it is renewed.
    let comment = |entry: &Entry| {
        let item = replaced.iter().find(|item| item.key == entry.key);
        item.map_or("", |item| &item.text[..item.comment])
    };
    let shift = " ".repeat(old.shift);
    let lines: Vec<String> =
        entries.iter().map(|entry| format!("{}{shift}- {}\n", comment(entry), entry.text)).collect();
    kept.extend(entries.iter().map(|entry| &entry.key).zip(lines.iter().map(String::as_str)));
    kept.sort();
    kept.dedup();
    let body: String = kept.iter().map(|(_, text)| *text).collect();
    let head = if body.is_empty() { old.head.trim_end().to_owned() + " []\n" } else { old.head };
    let text = format!("{head}{body}{}", old.foot);
    let text = if old.crlf { text.replace('\n', "\r\n") } else { text };
    let written = yaml::parse(text.as_bytes());
    let count = written.roots.first().and_then(|root| root.get("exceptions")).map_or(0, |list| list.items().len());
    if !written.mistakes.is_empty() || count != kept.len() {
        return Err(unwritable("the baseline cannot be sorted in this shape"));
    }
    Ok((text.into_bytes(), removed))
}

/// A baseline that is there, cut into its exceptions.
struct Lines {
    /// All before the first one, with the key of the list.
    head: String,
    items: Vec<Item>,
    foot: String,
    /// Spaces before each dash.
    shift: usize,
    crlf: bool,
}

/// One exception with the comments above it.
struct Item {
    key: Key,
    span: Range<usize>,
    text: String,
    /// Bytes of the text before its line with the dash.
    comment: usize,
}

impl Lines {
    fn none() -> Self {
        Self { head: HEAD.to_owned(), items: Vec::new(), foot: String::new(), shift: 2, crlf: false }
    }

    fn read(bytes: &[u8]) -> Result<Self> {
        let documents = yaml::parse(bytes);
        if let Some(mistake) = documents.mistakes.first() {
            return Err(unwritable(&mistake.message));
        }
        let text = bytes.to_str().map_err(|_| unwritable("the baseline is no UTF-8"))?;
        let crlf = text.find('\n').is_some_and(|n| text[..n].ends_with('\r'));
        let root = documents.roots.first().filter(|root| !root.is_null());
        let Some((key, list)) = root.and_then(|root| root.entry("exceptions")) else {
            let said = unix(text.trim_end());
            let head = if said.is_empty() { HEAD.to_owned() } else { said + "\nexceptions:\n" };
            return Ok(Self { head, items: Vec::new(), foot: String::new(), shift: 2, crlf });
        };
        let items = list.items();
        if items.is_empty() && (list.is_seq() || list.is_null()) {
            let head = format!("{}:\n", &text[..key.span.end]);
            let foot = text[line_end(bytes, list.span.end.max(key.span.end))..].to_owned();
            return Ok(Self { head: unix(&head), items: Vec::new(), foot: unix(&foot), shift: 2, crlf });
        }
        let start = bytes[..list.span.start].rfind_byte(b'\n').map_or(0, |n| n + 1);
        if !list.is_seq() || bytes[list.span.start] == b'[' || start <= key.span.start {
            return Err(unwritable("`exceptions` is not a list with a dash on each line"));
        }
        let first = line_end(bytes, key.span.end);
        let mut at = first;
        let mut read = Vec::new();
        for item in items {
            let end = line_end(bytes, item.span.end);
            let part = &text[at..end];
            let ended = if part.ends_with('\n') { unix(part) } else { format!("{part}\n") };
            let dash = bytes[..item.span.start].rfind_byte(b'\n').map_or(0, |n| n + 1).max(at);
            let comment = unix(&text[at..dash]).len();
            read.push(Item { key: key_of(item), span: at..end, text: ended, comment });
            at = end;
        }
        let (head, foot) = (unix(&text[..first]), unix(&text[at..]));
        Ok(Self { head, items: read, foot, shift: list.span.start - start, crlf })
    }
}

fn key_of(item: &Node) -> Key {
    let text = |name: &str| item.get(name).and_then(Node::text).unwrap_or_default().to_owned();
    (text("rule"), text("path"), text("fingerprint"))
}

fn unix(text: &str) -> String {
    text.replace("\r\n", "\n")
}

/// The end of the line on which a value ends.
fn line_end(bytes: &[u8], from: usize) -> usize {
    if bytes[..from].ends_with(b"\n") {
        return from;
    }
    bytes[from..].find_byte(b'\n').map_or(bytes.len(), |n| from + n + 1)
}
