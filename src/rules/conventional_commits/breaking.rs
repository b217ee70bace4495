//! Lines that release tools read in different ways when they look for a breaking change. Owns which they are; the exact
//! footer is the parser's (`parse.rs`).
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
//! The first column is the pattern `^[\s|*]*(BREAKING CHANGE|BREAKING-CHANGE)[:\s]+(.*)`, read without regard to case.

use std::ops::Range;

use bstr::ByteSlice;

use super::codes::Code;
use super::judge::Mistake;
use super::parse::Message;
use super::{characters, parse};

/// The first line below the header that some tools take for a breaking change and others do not, or that none takes
/// for one though it nearly says so.
pub fn judge(message: &Message<'_>) -> Option<Mistake> {
    let text = message.text;
    let mut start = message.header.line.end;
    text[start..].lines_with_terminator().find_map(|line| {
        let range = start..start + line.trim_end().len();
        start += line.len();
        near_miss(text, range)
    })
}

/// What stands around the words of a line.
struct Line<'l> {
    /// White space and the signs of lists, headings, quotes and bold text.
    decoration: &'l str,
    /// `breaking change`, as written.
    words: &'l str,
    /// The plural's letter and the signs of bold text.
    ending: &'l str,
    /// With its colon.
    rest: &'l str,
}

fn near_miss(text: &[u8], range: Range<usize>) -> Option<Mistake> {
    let line = text[range.clone()].to_str().ok()?;
    // Most lines do not hold the word at all.
    let line = read(line)?;
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
            let help = "leave the line out: it makes the next release a major one";
            mistake(range, "this is read as a breaking change, though it says that there is none", Some(help), None)
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
        // Prose may begin with these words by chance, where a line is wrapped.
        let help = if line.words.starts_with("BREAKING") && !is_none {
            "write `BREAKING CHANGE: ` exactly if it is one"
        } else {
            "begin the line with another word if it is none"
        };
        return Some(mistake(range, "some release tools read this line as a breaking change", Some(help), None));
    }
    // A heading, or words without a colon that no tool reads.
    separator?;
    let suggestion =
        Some(format!("BREAKING CHANGE: {}", characters::plain(value).trim())).filter(|_| !value.is_empty());
    let words = if read_by_some {
        "only some release tools read this as a breaking change: it must be `BREAKING CHANGE: `"
    } else {
        "this is not read as a breaking change: it must be `BREAKING CHANGE: `"
    };
    Some(mistake(range, words, None, suggestion))
}

/// Reads a line that begins, behind signs of layout, with `breaking change` in any spelling, or `BREAKING:`.
fn read(line: &str) -> Option<Line<'_>> {
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
    (is_announced && !is_longer_word).then_some(Line { decoration, words, ending, rest })
}

/// Whether a value says that nothing breaks.
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

fn mistake(range: Range<usize>, message: &str, help: Option<&str>, suggestion: Option<String>) -> Mistake {
    Mistake {
        code: Code::BreakingChangeNearMiss,
        range,
        message: message.into(),
        help: help.map(str::to_owned),
        suggestion,
    }
}
