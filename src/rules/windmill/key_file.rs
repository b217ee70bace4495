//! The workspace's encryption key as a file, and the key in one repository with the ciphertext that it decrypts.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use bstr::{BString, ByteSlice as _};

use super::content::ciphertext_in;
use super::files;
use super::parsed_file::ParsedFile;
use super::{Check, TreeContext};
use crate::error::Result;
use crate::finding::{Findings, Location, Origin, Severity, Violation};
use crate::subject::{Entry, File, Oid};
use crate::text::Span;
use crate::yaml::{Node, Value};

const CODE: &str = "windmill/key-file";
const KEY_AND_SECRETS: &str = "windmill/key-and-secrets";

/// Checks every file that a change (or all history) introduces. Remembers the first key and the first ciphertext, because
/// they may come in different commits.
#[derive(Default)]
pub(super) struct KeyFileCheck {
    seen: Mutex<FirstFound>,
}

#[derive(Default)]
struct FirstFound {
    key: Option<FoundKey>,
    ciphertext: Option<Location>,
}

/// The location of a key file, and its content with the key masked.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct FoundKey {
    path: BString,
    commit: Option<Oid>,
    blob: Option<Oid>,
    masked: Vec<u8>,
    start: usize,
    end: usize,
}

impl<'a> Check<File<'a>> for KeyFileCheck {
    fn check(&self, file: &File<'a>, out: &mut Findings<'_>) -> Result<()> {
        let key = files::is_key_file(file.path);
        if file.symlink || !key && !files::has_kind(file.path, "variable") {
            return Ok(());
        }
        let text = ParsedFile::of_file(file, file.bytes()?);
        if !key {
            if let Some(value) = ciphertext_in(&text) {
                let line = Span::of(&text.bytes, value.span.clone()).line;
                self.remember(|seen| {
                    keep_smaller(&mut seen.ciphertext, Location { path: file.path.into(), commit: file.commit, line })
                });
            }
            return Ok(());
        }
        let holds = KeyFileContent::read(&text);
        if let KeyFileContent::Key(span) = &holds {
            let key = FoundKey {
                path: file.path.into(),
                commit: file.commit,
                blob: file.blob,
                masked: masked(&text.bytes, span.clone()),
                start: span.start.min(SHAPE),
                end: span.end.min(SHAPE),
            };
            self.remember(|seen| keep_smaller(&mut seen.key, key));
        }
        report(&text, &holds, out);
        Ok(())
    }

    fn finish(&self, out: &mut Findings<'_>) -> Result<()> {
        let seen = std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner));
        if let FirstFound { key: Some(key), ciphertext: Some(place) } = seen {
            let origin = Origin::File { path: key.path.clone(), commit: key.commit, blob: key.blob };
            let violation = Violation::new(KEY_AND_SECRETS, Severity::Error, origin, &key.masked, key.start..key.end);
            out.push(beside_ciphertext(violation.identity([key.path.as_slice()]).hide(key.start..key.end), place));
        }
        Ok(())
    }
}

impl KeyFileCheck {
    fn remember(&self, record: impl FnOnce(&mut FirstFound)) {
        record(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Keeps the smaller value, so that the result does not depend on the order of the files.
fn keep_smaller<T: Ord>(kept: &mut Option<T>, found: T) {
    if kept.as_ref().is_none_or(|k| found < *k) {
        *kept = Some(found);
    }
}

/// Bytes of a key file that are remembered; a real file has 65 or 67.
const SHAPE: usize = 1024;

fn masked(bytes: &[u8], span: Range<usize>) -> Vec<u8> {
    let mut shape = bytes[..bytes.len().min(SHAPE)].to_vec();
    let end = span.end.min(shape.len());
    shape[span.start.min(end)..end].fill(b'*');
    shape
}

/// The content of a file that is named like a key.
enum KeyFileContent {
    Key(Range<usize>),
    /// A string that is not a Windmill key.
    Text(Range<usize>),
    /// Unreadable, so it may be a key.
    Unknown(Range<usize>),
    SomethingElse,
}

impl KeyFileContent {
    fn read(text: &ParsedFile<'_>) -> Self {
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
        let is_text =
            |r: &&Node| matches!(r.value, Value::Scalar { .. }) && r.text().is_some_and(|t| !t.trim().is_empty());
        text.document.roots.iter().find(is_text).map_or(Self::SomethingElse, |r| Self::Text(r.span.clone()))
    }
}

/// 64 letters and digits.
fn is_key(text: &str) -> bool {
    let text = text.trim();
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn report(text: &ParsedFile<'_>, holds: &KeyFileContent, out: &mut Findings<'_>) {
    let (severity, span, message) = match holds {
        KeyFileContent::Key(span) => {
            (Severity::Error, span, "this file is the key that decrypts every secret of a Windmill workspace")
        }
        KeyFileContent::Unknown(span) => {
            (Severity::Error, span, "this file is named like a Windmill workspace's key and cannot be read")
        }
        KeyFileContent::Text(span) => {
            (Severity::Warning, span, "this file is named like a Windmill workspace's key but holds another text")
        }
        KeyFileContent::SomethingElse => return,
    };
    let Some(violation) = text.masked(CODE, severity, span.clone(), "") else { return };
    let help = format!(
        "rotate the key (workspace settings, encryption key): git keeps this one\nthen: git rm --cached -- {}\n\
         set `includeKey: false` in wmill.yaml and remove `key` from the git sync's `include_type`",
        crate::shell::pathspec(&text.path)
    );
    let violation = match holds {
        KeyFileContent::Key(_) => violation.secret(span.clone()),
        _ => violation.hide(span.clone()),
    };
    out.push(violation.message(message).help(help));
}

fn beside_ciphertext(violation: Violation<'_>, ciphertext: Location) -> Violation<'_> {
    let help = "rotate the key and every secret that it encrypts: both can be read from this repository";
    violation.message("the key is in the same repository as the secrets that it encrypts").help(help).also(ciphertext)
}

/// Reports a key file and a variable with ciphertext in one tree, in whatever roots.
pub(super) fn check_key_with_secrets(
    context: &TreeContext<'_>,
    entries: &[Entry],
    out: &mut Findings<'_>,
) -> Result<()> {
    let mut ciphertext = None;
    for entry in entries.iter().filter(|e| files::is_key_file(e.path.as_bstr())) {
        let Some(text) = context.read(entry)? else { continue };
        let KeyFileContent::Key(span) = KeyFileContent::read(&text) else { continue };
        let place = match &ciphertext {
            Some(found) => found,
            None => ciphertext.insert(first_ciphertext(context, entries)?),
        };
        if let Some(place) = place {
            let violation = text.masked(KEY_AND_SECRETS, Severity::Error, span.clone(), "");
            violation.into_iter().for_each(|v| out.push(beside_ciphertext(v.hide(span.clone()), place.clone())));
        }
    }
    Ok(())
}

fn first_ciphertext(context: &TreeContext<'_>, entries: &[Entry]) -> Result<Option<Location>> {
    for entry in entries.iter().filter(|e| files::has_kind(e.path.as_bstr(), "variable")) {
        let Some(text) = context.read(entry)? else { continue };
        if let Some(value) = ciphertext_in(&text) {
            let line = Span::of(&text.bytes, value.span.clone()).line;
            return Ok(Some(Location { path: entry.path.clone(), commit: context.tree.commit, line }));
        }
    }
    Ok(None)
}
