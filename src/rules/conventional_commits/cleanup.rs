//! Computes the message that git will keep from the file that the `commit-msg` hook gets. Owns git's clean-up modes, comment
//! characters and the scissors line. Overwrites bytes instead of removing them, so that offsets stay those of the file.
//! Callers pass the values of `commit.cleanup`, `core.commentChar` and `i18n.commitEncoding`.

use std::ops::Range;

use bstr::{BStr, BString, ByteSlice as _};

pub use super::parse::REMOVED;

/// `commit.cleanup`, with its `default` resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Removes comments and trailing white space.
    Strip,
    /// Removes only trailing white space.
    Whitespace,
    /// Removes nothing.
    Verbatim,
    /// Like `Whitespace`, and cuts at the scissors line.
    Scissors,
}

impl Mode {
    /// Parses the value of `commit.cleanup` or `--cleanup`; `None` for an unknown word. `edited`: the message was opened in an
    /// editor (git sets `GIT_EDITOR=:` for the hook otherwise).
    pub fn parse(value: Option<&BStr>, edited: bool) -> Option<Self> {
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
    /// `auto`: the character that git chose is derived from the comments that it wrote.
    Auto,
}

impl Default for CommentChar {
    fn default() -> Self {
        Self::Text("#".into())
    }
}

impl CommentChar {
    /// Parses the configured value. Git refuses an empty one; we use the default.
    pub fn parse(value: Option<&BStr>) -> Self {
        match value {
            Some(v) if v.eq_ignore_ascii_case(b"auto") => Self::Auto,
            Some(v) if !v.is_empty() => Self::Text(v.to_owned()),
            _ => Self::default(),
        }
    }

    /// The text that begins a comment in this message.
    fn in_message<'a>(&'a self, message: &'a [u8]) -> Option<&'a [u8]> {
        match self {
            Self::Text(text) => Some(text),
            Self::Auto => auto_comment_char(message),
        }
    }
}

/// The rest of a scissors line, after the comment character.
const SCISSORS: &[u8] = b" ------------------------ >8 ------------------------\n";

/// Overwrites with [`REMOVED`] what git will remove: comment lines and everything from the scissors line on. Keeps line ends,
/// and white space at the end of lines, which the parser ignores. `verbose`: `git commit -v` cuts at the scissors in every
/// mode.
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

/// Whether git itself wrote a scissors line, as `git commit -v` does: a comment that explains it follows. Without one, the
/// line is part of the message.
pub fn has_git_scissors(message: &[u8], comment: &CommentChar) -> bool {
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

/// Offset of the scissors line. Like git, requires a bare newline at its end.
fn scissors(message: &[u8], comment: &[u8]) -> Option<usize> {
    let line = [comment, SCISSORS].concat();
    message.find_iter(&line).find(|at| *at == 0 || message[at - 1] == b'\n')
}

/// The character that git chose for `core.commentChar=auto`: the first candidate that began no line of the message. Git
/// wrote its comments at the end; without comments, no line begins with the character.
fn auto_comment_char(message: &[u8]) -> Option<&[u8]> {
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

/// Converts a message to UTF-8 from the encoding in the commit's header or in `i18n.commitEncoding`. `None` for an unknown
/// encoding; bytes that it does not define become U+FFFD.
pub fn decode(message: &[u8], encoding: &BStr) -> Option<BString> {
    let encoding = encoding_rs::Encoding::for_label(encoding)?;
    Some(encoding.decode_without_bom_handling(message).0.into_owned().into())
}
