//! Files that hold credentials by their nature: the rule family `files`.
//! Owns what becomes of such a file. `kinds` says which paths those are, `holds` what their content must be for them to be
//! a finding, `encrypted` when there is nothing to say. Reads nothing unless the path says so.

mod encrypted;
mod holds;
mod kinds;

use std::ops::Range;

use bstr::{BStr, ByteSlice as _};

use super::secrets::readable;
use super::{Check, Checks, Rule};
use crate::error::Result;
use crate::finding::{Findings, Origin, Severity, Violation};
use crate::options::Options;
use crate::shell::pathspec;
use crate::subject::{File, Kinds};
use crate::text::line_around;
use kinds::KINDS;

pub static RULE: Rule =
    Rule { id: "files", looks_at: Kinds::FILE, policy: include_str!("../../../policies/files.yml"), compile };

fn compile(options: &Options<'_>) -> Checks {
    let templates = options.strings("templates").into_iter().map(|word| word.to_ascii_lowercase()).collect();
    Checks { files: vec![Box::new(Forbidden { templates })], ..Checks::default() }
}

/// What a path says about a file, and what its content has to say to that.
struct Kind {
    code: &'static str,
    /// Completes "this is ...".
    name: &'static str,
    help: &'static str,
    /// Full name and path, both in lower case.
    is: fn(name: &[u8], path: &[u8]) -> bool,
    judge: fn(&Material<'_>) -> Option<Judged>,
}

/// A file's content and where it stands.
struct Material<'f> {
    path: &'f BStr,
    bytes: &'f [u8],
    /// The same as text, UTF-16 decoded.
    text: &'f [u8],
    /// Settings may stand in it: it is for tests, or SOPS left them in the clear.
    plain_settings: bool,
}

/// Why a file's content makes it a finding.
struct Judged {
    severity: Severity,
    /// What the caret marks; nothing in particular: 0..0.
    mark: Range<usize>,
    /// What must not be shown, beside what the detectors know.
    hide: Option<Range<usize>>,
}

struct Forbidden {
    templates: Vec<String>,
}

impl Check<File<'_>> for Forbidden {
    fn check(&self, file: &File<'_>, out: &mut Findings<'_>) -> Result<()> {
        let path = file.path.to_ascii_lowercase();
        let name = path.rsplit(|b| *b == b'/').next().unwrap_or_default();
        let Some(kind) = KINDS.iter().find(|kind| (kind.is)(name, &path)) else { return Ok(()) };
        // A link's content is a path.
        if file.symlink || has_word(name, |word| self.templates.iter().any(|t| word == t.as_bytes())) {
            return Ok(());
        }
        let bytes = file.bytes()?;
        let by_value = encrypted::is_sops(bytes);
        if encrypted::is_encrypted(bytes) || by_value && kind.code != "dotenv" {
            return Ok(());
        }
        let text = readable(bytes);
        let for_tests = has_word(name, |word| matches!(word, b"test" | b"tests" | b"testing" | b"fake"));
        let material = Material { path: file.path, bytes, text: &text, plain_settings: for_tests || by_value };
        let Some(judged) = (kind.judge)(&material) else { return Ok(()) };
        let origin = Origin::File { path: file.path.to_owned(), commit: file.commit, blob: file.blob };
        // A finding about the whole file has its first line for an excerpt, and anything may stand there.
        let hide = judged.hide.or_else(|| judged.mark.is_empty().then(|| line_around(&text, judged.mark.start)));
        out.push(
            Violation::new(format!("files/{}", kind.code), judged.severity, origin, &text, judged.mark)
                .message(format!("this is {}", kind.name))
                .help(format!(
                    "{}\ntake it out: `git rm --cached {}`, and list it in .gitignore",
                    kind.help,
                    pathspec(file.path)
                ))
                .hide_all(hide)
                // One finding for one file, whatever is in it.
                .identity([file.path.as_bytes()]),
        );
        Ok(())
    }

    fn is_cacheable(&self) -> bool {
        true
    }
}

fn has_word(name: &[u8], is: impl Fn(&[u8]) -> bool) -> bool {
    name.split(|b| matches!(b, b'.' | b'-' | b'_')).any(is)
}
