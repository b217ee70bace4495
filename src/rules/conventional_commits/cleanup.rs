//! The message that git will keep, worked out from the file that the `commit-msg` hook gets. Owns git's clean-up modes,
//! comment characters and the scissors line; removes nothing, so that offsets stay those of the file. Reads no
//! configuration: the gate hands in what `commit.cleanup`, `core.commentChar` and `i18n.commitEncoding` say.

use std::ops::Range;

use bstr::{BStr, BString, ByteSlice};

pub use super::parse::REMOVED;

/// `commit.cleanup`, with its `default` resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Comments go, and white space at the ends.
    Strip,
    /// Only white space at the ends.
    Whitespace,
    /// Nothing goes.
    Verbatim,
    /// What follows the scissors line goes too.
    Scissors,
}

impl Mode {
    /// Reads the value of `commit.cleanup` or `--cleanup`; `None` for a word that git does not know. `edited`: an editor
    /// was open on the message (git sets `GIT_EDITOR=:` for the hook when none was).
    pub fn read(value: Option<&BStr>, edited: bool) -> Option<Self> {
        match value.map(|v| v.as_bytes()) {
            None | Some(b"default") => Some(if edited { Self::Strip } else { Self::Whitespace }),
            Some(b"strip") => Some(Self::Strip),
            Some(b"whitespace") => Some(Self::Whitespace),
            Some(b"verbatim") => Some(Self::Verbatim),
            Some(b"scissors") => Some(if edited { Self::Scissors } else { Self::Whitespace }),
            Some(_) => None,
        }
    }
}

/// `core.commentChar` or `core.commentString`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommentChar {
    /// One byte or many.
    Text(BString),
    /// `auto`: the one that git chose is told from the comments that it wrote.
    Auto,
}

impl Default for CommentChar {
    fn default() -> Self {
        Self::Text("#".into())
    }
}

impl CommentChar {
    /// Reads the configured value. An empty one cannot be a comment: git refuses it, we take its default.
    pub fn read(value: Option<&BStr>) -> Self {
        match value {
            Some(v) if v.eq_ignore_ascii_case(b"auto") => Self::Auto,
            Some(v) if !v.is_empty() => Self::Text(v.to_owned()),
            _ => Self::default(),
        }
    }

    /// What begins a comment in this message.
    fn in_message<'a>(&'a self, message: &'a [u8]) -> Option<&'a [u8]> {
        match self {
            Self::Text(text) => Some(text),
            Self::Auto => automatic(message),
        }
    }
}

/// The rest of a scissors line, after the comment character.
const SCISSORS: &[u8] = b" ------------------------ >8 ------------------------\n";

/// Fills with [`REMOVED`] what git will take away: comment lines and everything from the scissors line on. Line ends
/// stay. White space at the end of lines is left: the parser does not count it. `verbose`: `git commit -v`, which cuts
/// at the scissors in every mode.
pub fn cleanup(message: &[u8], mode: Mode, comment: &CommentChar, verbose: bool) -> BString {
    let mut out = BString::from(message);
    let Some(comment) = comment.in_message(message) else { return out };
    let mut end = message.len();
    if verbose || mode == Mode::Scissors {
        end = scissors(message, comment).unwrap_or(end);
        remove(&mut out, end..message.len());
    }
    if mode == Mode::Strip {
        let mut start = 0;
        for line in message[..end].lines_with_terminator() {
            if line.starts_with(comment) {
                remove(&mut out, start..start + line.len());
            }
            start += line.len();
        }
    }
    out
}

/// Whether git itself wrote a scissors line, as `git commit -v` does: a comment that explains it follows. The same line
/// in a message that somebody wrote is text.
pub fn has_scissors_of_git(message: &[u8], comment: &CommentChar) -> bool {
    let Some(comment) = comment.in_message(message) else { return false };
    let Some(at) = scissors(message, comment) else { return false };
    message[at..].find_byte(b'\n').is_some_and(|end| message[at + end + 1..].starts_with(comment))
}

fn remove(out: &mut [u8], range: Range<usize>) {
    for b in &mut out[range] {
        if *b != b'\n' {
            *b = REMOVED;
        }
    }
}

/// Where the scissors line begins. Git wants it to end in a bare newline, and so do we.
fn scissors(message: &[u8], comment: &[u8]) -> Option<usize> {
    let line = [comment, SCISSORS].concat();
    message.find_iter(&line).find(|at| *at == 0 || message[at - 1] == b'\n')
}

/// `core.commentChar=auto`: git took the first of these that began no line, then wrote its comments at the end of the
/// message. Without such comments nothing in the message begins with the character it took.
fn automatic(message: &[u8]) -> Option<&[u8]> {
    let candidate = |line: &[u8]| {
        line.first().is_some_and(|b| b"#;@!$%^&|:".contains(b)) && line.get(1).is_none_or(|b| b" \t\r\n".contains(b))
    };
    let scissors = message.find(SCISSORS).and_then(|at| at.checked_sub(1)).map(|at| &message[at..]);
    if let Some(line) = scissors.filter(|l| candidate(l)) {
        return Some(&line[..1]);
    }
    let last = message.lines().rfind(|l| !l.trim().is_empty())?;
    candidate(last).then(|| &last[..1])
}

/// Makes UTF-8 of a message whose commit has an `encoding` header (or which `i18n.commitEncoding` speaks of). `None` for
/// an encoding that nobody knows; bytes that it does not define become U+FFFD.
pub fn decode(message: &[u8], encoding: &BStr) -> Option<BString> {
    let encoding = encoding_rs::Encoding::for_label(encoding)?;
    Some(encoding.decode_without_bom_handling(message).0.into_owned().into())
}
