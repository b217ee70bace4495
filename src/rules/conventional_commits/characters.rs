//! Characters that make a message look different from what it is, and bytes that are not UTF-8. Owns the list; every
//! message is checked for them, even an exempt one.

use std::ops::Range;

use super::codes::Code;
use super::parse::{self, REMOVED};
use super::validate::MessageMistake;

/// The code of a character that reorders the line or moves the cursor, which no message may contain.
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

/// Whether a character is invisible, so that a search for the visible words fails. The joiners U+200C and U+200D are not
/// included: many languages and emoji need them.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}' | '\u{200b}'
            | '\u{2060}'..='\u{2064}' | '\u{206a}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
    )
}

/// The name of the first unusual space in a text, such as `no-break space (U+00A0)`; `None` if all are plain.
pub fn odd_space(text: &str) -> Option<String> {
    let c = text.chars().find(|c| c.is_whitespace() && *c != ' ')?;
    let name = match c {
        '\t' => return Some("tab".into()),
        '\u{a0}' => "no-break space",
        '\u{202f}' => "narrow no-break space",
        '\u{2007}' => "figure space",
        '\u{3000}' => "ideographic space",
        _ => "unusual space",
    };
    Some(format!("{name} (U+{:04X})", u32::from(c)))
}

/// Whether a tag character belongs to a flag emoji: 🏴 and the letters of a region.
fn continues_flag(c: char, before: &str) -> bool {
    matches!(c, '\u{e0020}'..='\u{e007f}')
        && before.trim_end_matches(|c| matches!(c, '\u{e0020}'..='\u{e007f}')).ends_with('\u{1f3f4}')
}

/// Removes the characters that no header may contain.
pub fn without_unsafe(text: &str) -> String {
    text.chars().filter(|c| unsafe_code(*c).is_none() && !is_invisible(*c)).collect()
}

/// Checks the bytes of a message: one mistake per code, at its first occurrence. `pending`: [`REMOVED`] bytes come from our
/// own clean-up and are allowed.
pub fn check(text: &[u8], pending: bool) -> Vec<MessageMistake> {
    let mut mistakes: Vec<MessageMistake> = Vec::new();
    // Fast path: the usual message is plain ASCII.
    if text.iter().all(|b| matches!(b, b' '..=b'~' | b'\n' | b'\t')) {
        return mistakes;
    }
    let mut found = |code: Code, range: Range<usize>, message: String| {
        if !mistakes.iter().any(|m| m.code == code) {
            mistakes.push(MessageMistake { code, range, message, help: Some(help(code).into()), suggestion: None });
        }
    };
    let header = parse::header_line(text);
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
                found(code, range, format!("the message contains the {what} character U+{:04X}", u32::from(c)));
            } else if is_invisible(c) && header.contains(&range.start) && !continues_flag(c, &chunk.valid()[..n]) {
                let name =
                    if matches!(c, '\u{200b}' | '\u{feff}') { "zero-width space" } else { "invisible character" };
                let message = format!("the header contains an invisible character: {name} U+{:04X}", u32::from(c));
                found(Code::InvisibleCharacter, range, message);
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
        Code::InvisibleCharacter => "remove it, or type the line again",
        Code::ControlCharacter => "remove it: a terminal would execute it or hide it",
        _ => "remove it: it makes the line look different from what it is",
    }
}
