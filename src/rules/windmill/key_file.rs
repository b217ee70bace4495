//! The workspace's encryption key as a file, and the same key beside what it encrypts.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use bstr::{BString, ByteSlice};

use super::content::ciphertext_in;
use super::files;
use super::text::Text;
use super::{Check, Ground};
use crate::error::Result;
use crate::finding::{Findings, Location, Origin, Severity, Violation};
use crate::subject::{Entry, File, Oid};
use crate::text::Span;
use crate::yaml::{Node, Value};

const CODE: &str = "windmill/key-file";
const TOGETHER: &str = "windmill/key-and-secrets";

/// Judges every file that a change (or all history) introduces, and remembers the first key and the first ciphertext:
/// they need not be in the same commit.
#[derive(Default)]
pub(super) struct KeyFile {
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    key: Option<Key>,
    ciphertext: Option<Location>,
}

/// Where a key file is. Of its bytes only the shape is kept.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    path: BString,
    commit: Option<Oid>,
    blob: Option<Oid>,
    masked: Vec<u8>,
    start: usize,
    end: usize,
}

impl<'a> Check<File<'a>> for KeyFile {
    fn check(&self, file: &File<'a>, out: &mut Findings<'_>) -> Result<()> {
        let key = files::is_key_file(file.path);
        if file.symlink || !key && !files::has_kind(file.path, "variable") {
            return Ok(());
        }
        let text = Text::of_file(file, file.bytes()?);
        if !key {
            if let Some(value) = ciphertext_in(&text) {
                let line = Span::of(&text.bytes, value.span.clone()).line;
                self.remember(|seen| {
                    first(&mut seen.ciphertext, Location { path: file.path.into(), commit: file.commit, line })
                });
            }
            return Ok(());
        }
        let holds = Holds::of(&text);
        if let Holds::Key(span) = &holds {
            let key = Key {
                path: file.path.into(),
                commit: file.commit,
                blob: file.blob,
                masked: masked(&text.bytes, span.clone()),
                start: span.start.min(SHAPE),
                end: span.end.min(SHAPE),
            };
            self.remember(|seen| first(&mut seen.key, key));
        }
        report(&text, &holds, out);
        Ok(())
    }

    fn finish(&self, out: &mut Findings<'_>) -> Result<()> {
        let seen = std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner));
        if let Seen { key: Some(key), ciphertext: Some(place) } = seen {
            let origin = Origin::File { path: key.path.clone(), commit: key.commit, blob: key.blob };
            let violation = Violation::new(TOGETHER, Severity::Error, origin, &key.masked, key.start..key.end);
            out.push(told(violation.identity([key.path.as_slice()]).hide(key.start..key.end), place));
        }
        Ok(())
    }
}

impl KeyFile {
    fn remember(&self, note: impl FnOnce(&mut Seen)) {
        note(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Keeps the smaller one, so that the order in which files are judged does not matter.
fn first<T: Ord>(kept: &mut Option<T>, found: T) {
    if kept.as_ref().is_none_or(|k| found < *k) {
        *kept = Some(found);
    }
}

/// Bytes of a key file that are remembered; a real one has 65 or 67.
const SHAPE: usize = 1024;

fn masked(bytes: &[u8], span: Range<usize>) -> Vec<u8> {
    let mut shape = bytes[..bytes.len().min(SHAPE)].to_vec();
    let end = span.end.min(shape.len());
    shape[span.start.min(end)..end].fill(b'*');
    shape
}

/// What stands in a file that is named like a key.
enum Holds {
    Key(Range<usize>),
    /// One string that is no key of Windmill's.
    Text(Range<usize>),
    /// Not readable: it may be one.
    Unknown(Range<usize>),
    SomethingElse,
}

impl Holds {
    fn of(text: &Text<'_>) -> Self {
        let mut key = None;
        for root in &text.document.roots {
            root.walk(&mut |_, node| {
                if node.text().is_some_and(is_key) {
                    key.get_or_insert(node.span.clone());
                }
            });
        }
        if let Some(span) = key {
            return Self::Key(span);
        }
        if let Some(mistake) = text.document.mistakes.first() {
            return Self::Unknown(mistake.span.clone());
        }
        let said =
            |r: &&Node| matches!(r.value, Value::Scalar { .. }) && r.text().is_some_and(|t| !t.trim().is_empty());
        text.document.roots.iter().find(said).map_or(Self::SomethingElse, |r| Self::Text(r.span.clone()))
    }
}

/// 64 letters and digits.
fn is_key(text: &str) -> bool {
    let text = text.trim();
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn report(text: &Text<'_>, holds: &Holds, out: &mut Findings<'_>) {
    let (severity, span, message) = match holds {
        Holds::Key(span) => {
            (Severity::Error, span, "this file is the key that decrypts every secret of a Windmill workspace")
        }
        Holds::Unknown(span) => {
            (Severity::Error, span, "this file is named like a Windmill workspace's key and cannot be read")
        }
        Holds::Text(span) => {
            (Severity::Warning, span, "this file is named like a Windmill workspace's key and holds another text")
        }
        Holds::SomethingElse => return,
    };
    let Some(violation) = text.masked(CODE, severity, span.clone(), "") else { return };
    let help = format!(
        "rotate the key (workspace settings, encryption key), since git keeps this one; then: git rm --cached -- {}\n\
         set `includeKey: false` in wmill.yaml and take `key` out of the git sync's `include_type`",
        crate::shell::pathspec(&text.path)
    );
    let violation = match holds {
        Holds::Key(_) => violation.secret(span.clone()),
        _ => violation.hide(span.clone()),
    };
    out.push(violation.message(message).help(help));
}

fn told(violation: Violation<'_>, ciphertext: Location) -> Violation<'_> {
    let help = "rotate the key and every secret that was encrypted with it: both can be read from this repository";
    violation.message("the key stands beside what it encrypts").help(help).also(ciphertext)
}

/// A key file and a variable with ciphertext in one tree, whatever roots they are in.
pub(super) fn together(ground: &Ground<'_>, entries: &[Entry], out: &mut Findings<'_>) -> Result<()> {
    let mut ciphertext = None;
    for entry in entries.iter().filter(|e| files::is_key_file(e.path.as_bstr())) {
        let Some(text) = ground.read(entry)? else { continue };
        let Holds::Key(span) = Holds::of(&text) else { continue };
        let place = match &ciphertext {
            Some(found) => found,
            None => ciphertext.insert(first_ciphertext(ground, entries)?),
        };
        if let Some(place) = place {
            let violation = text.masked(TOGETHER, Severity::Error, span.clone(), "");
            violation.into_iter().for_each(|v| out.push(told(v.hide(span.clone()), place.clone())));
        }
    }
    Ok(())
}

fn first_ciphertext(ground: &Ground<'_>, entries: &[Entry]) -> Result<Option<Location>> {
    for entry in entries.iter().filter(|e| files::has_kind(e.path.as_bstr(), "variable")) {
        let Some(text) = ground.read(entry)? else { continue };
        if let Some(value) = ciphertext_in(&text) {
            let line = Span::of(&text.bytes, value.span.clone()).line;
            return Ok(Some(Location { path: entry.path.clone(), commit: ground.tree.commit, line }));
        }
    }
    Ok(None)
}
