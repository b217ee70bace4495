//! Lines that release tools interpret differently when they look for a breaking change. Owns the list of such lines; the
//! exact footer is parsed in `parse.rs`.
//!
//! | line | conventional-commits-parser, semantic-release | git-cliff, release-please |
//! |---|---|---|
//! | `BREAKING CHANGE: x`, `BREAKING-CHANGE: x` | breaking | breaking |
//! | `breaking change: x`, `Breaking change x` | breaking, in any case | nothing |
//! | `BREAKING CHANGE x`, without its colon | breaking | nothing |
//! | `* BREAKING CHANGE: x`, indented, after a bar | breaking | nothing |
//! | `**BREAKING CHANGE**: x`, `## BREAKING CHANGE: x`, `- BREAKING CHANGE: x` | nothing | nothing |
//! | `BREAKING CHANGES: x`, `BREAKING: x` | nothing | nothing |
//!
//! The first column is the pattern `^[\s|*]*(BREAKING CHANGE|BREAKING-CHANGE)[:\s]+(.*)`, ignoring case.

use std::ops::Range;

use bstr::ByteSlice as _;

use super::codes::Code;
use super::parse::Message;
use super::validate::MessageMistake;
use super::{characters, parse};

/// Finds the first line below the header that only some tools read as a breaking change, or that none reads as one
/// although it nearly is.
pub fn check(message: &Message<'_>) -> Option<MessageMistake> {
    let text = message.text;
    let mut start = message.header.line.end;
    text[start..].lines_with_terminator().find_map(|line| {
        let range = start..start + line.trim_end().len();
        start += line.len();
        near_miss(text, range)
    })
}

/// The parts of a line with `breaking change`.
struct BreakingLine<'l> {
    /// White space and the markup of lists, headings, quotes and bold text.
    decoration: &'l str,
    /// `breaking change`, as written.
    words: &'l str,
    /// A plural `s` and the markup of bold text.
    ending: &'l str,
    /// With its colon.
    rest: &'l str,
}

fn near_miss(text: &[u8], range: Range<usize>) -> Option<MessageMistake> {
    let line = text[range.clone()].to_str().ok()?;
    // Most lines do not contain the word.
    let line = parse_line(line)?;
    let exact = line.decoration.is_empty()
        && line.ending.is_empty()
        && matches!(line.words, "BREAKING CHANGE" | "BREAKING-CHANGE");
    let (separator, value) = match line.rest.trim_start().chars().next() {
        Some(sign @ (':' | '#')) => (Some(sign), line.rest.trim_start()[1..].trim_start_matches([':', '*', '_', ' '])),
        _ => (None, line.rest.trim()),
    };
    let is_none = says_none(value);
    if exact && (line.rest == ":" || line.rest.starts_with(": ")) {
        return is_none.then(|| {
            let help = "remove the line: it makes the next release a major one";
            mistake(range, "this is read as a breaking change, although it says that there is none", Some(help), None)
        });
    }
    let read_by_some = line.decoration.chars().all(|c| c.is_whitespace() || matches!(c, '|' | '*'))
        && line.ending.is_empty()
        && matches!(line.words.to_ascii_lowercase().as_str(), "breaking change" | "breaking-change")
        && line.rest.starts_with(|c: char| c.is_whitespace() || c == ':');
    if is_none && !read_by_some {
        return None;
    }
    if read_by_some && (separator.is_none() || is_none) {
        // A wrapped line of prose may begin with these words by chance.
        let help = if line.words.starts_with("BREAKING") && !is_none {
            "if it is one, write exactly `BREAKING CHANGE: `"
        } else {
            "if it is not, begin the line with another word"
        };
        return Some(mistake(range, "some release tools read this line as a breaking change", Some(help), None));
    }
    // A heading, or words without a colon that no tool reads.
    separator?;
    let suggestion =
        Some(format!("BREAKING CHANGE: {}", characters::without_unsafe(value).trim())).filter(|_| !value.is_empty());
    let words = if read_by_some {
        "only some release tools read this as a breaking change: write `BREAKING CHANGE: `"
    } else {
        "this is not read as a breaking change: write `BREAKING CHANGE: `"
    };
    Some(mistake(range, words, None, suggestion))
}

/// Parses a line that begins, after markup, with `breaking change` in any spelling or with `BREAKING:`.
fn parse_line(line: &str) -> Option<BreakingLine<'_>> {
    let start =
        line.find(|c: char| !c.is_whitespace() && !"|*-+>#_`•".contains(c) && c != char::from(parse::REMOVED))?;
    let (decoration, rest) = line.split_at(start);
    rest.get(..8).filter(|w| w.eq_ignore_ascii_case("breaking"))?;
    let after = &rest[8..];
    let gap = usize::from(after.starts_with([' ', '-', '_']));
    let change = after.get(gap..gap + 6).is_some_and(|w| w.eq_ignore_ascii_case("change"));
    let length = if change { 8 + gap + 6 } else { 8 };
    let (words, after) = rest.split_at(length);
    let ending = after.len() - after.trim_start_matches(['s', 'S']).trim_start_matches(['*', '_', '`']).len();
    let (ending, rest) = after.split_at(ending);
    let is_announced = change || (words == "BREAKING" && rest.starts_with(':'));
    let is_longer_word = rest.starts_with(|c: char| c.is_alphanumeric());
    (is_announced && !is_longer_word).then_some(BreakingLine { decoration, words, ending, rest })
}

/// Whether a value means that nothing breaks.
fn says_none(value: &str) -> bool {
    if value.trim().is_empty() {
        return false;
    }
    let value = value.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    matches!(
        value.as_str(),
        "" | "none"
            | "no"
            | "n/a"
            | "na"
            | "nil"
            | "nothing"
            | "false"
            | "keine"
            | "nein"
            | "aucun"
            | "aucune"
            | "non"
            | "ninguno"
            | "ninguna"
            | "nessuna"
            | "geen"
            | "not applicable"
            | "no breaking changes"
            | "no breaking change"
            | "none known"
    )
}

fn mistake(range: Range<usize>, message: &str, help: Option<&str>, suggestion: Option<String>) -> MessageMistake {
    MessageMistake {
        code: Code::BreakingChangeNearMiss,
        range,
        message: message.into(),
        help: help.map(str::to_owned),
        suggestion,
    }
}
