//! Characters that make a message look other than it is, and bytes that are no text. Owns which they are; they are
//! judged in every message, exempt or not.

use std::ops::Range;

use super::codes::Code;
use super::judge::Mistake;
use super::parse::REMOVED;

/// The code of a character that no message may hold: it reorders the line or moves the cursor.
pub fn unsafe_code(c: char) -> Option<Code> {
    match c {
        '\t' | '\n' => None,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            Some(Code::BidiControl)
        }
        c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => Some(Code::ControlCharacter),
        _ => None,
    }
}

/// Judges the bytes of a message, whoever wrote it: one mistake per code, at the first place. `pending`: lines of
/// [`REMOVED`] are git's clean-up, not the author's.
pub fn judge(text: &[u8], pending: bool) -> Vec<Mistake> {
    let mut mistakes: Vec<Mistake> = Vec::new();
    // Plain ASCII text, the usual message, has none of it.
    if text.iter().all(|b| matches!(b, b' '..=b'~' | b'\n' | b'\t')) {
        return mistakes;
    }
    let mut found = |code: Code, range: Range<usize>, message: String| {
        if !mistakes.iter().any(|m| m.code == code) {
            mistakes.push(Mistake { code, range, message, help: Some(help(code).into()), suggestion: None });
        }
    };
    let mut at = 0;
    for chunk in text.utf8_chunks() {
        for (n, c) in chunk.valid().char_indices() {
            let range = at + n..at + n + c.len_utf8();
            let line_end = c == '\r' && text.get(range.end).is_none_or(|b| *b == b'\n');
            if line_end || (pending && c == char::from(REMOVED)) {
                continue;
            }
            if let Some(code) = unsafe_code(c) {
                let what = if code == Code::BidiControl { "bidirectional control" } else { "control" };
                found(code, range, format!("the message holds the {what} character U+{:04X}", u32::from(c)));
            }
        }
        at += chunk.valid().len();
        if !chunk.invalid().is_empty() {
            found(Code::NotUtf8, at..at + chunk.invalid().len(), "the message is not UTF-8".into());
        }
        at += chunk.invalid().len();
    }
    mistakes
}

fn help(code: Code) -> &'static str {
    match code {
        Code::NotUtf8 => "write it in UTF-8, or name the encoding in `i18n.commitEncoding`",
        Code::ControlCharacter => "remove it: a terminal would carry it out, or show nothing",
        _ => "remove it: it makes the line look other than it is",
    }
}
