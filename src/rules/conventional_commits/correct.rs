//! Suggests a corrected header. Owns every guess (the type from a verb, the imperative, the lower-case first letter), and
//! makes none without evidence in the words. What counts as a mistake is decided in `validate.rs`.

use super::case::{Case, first_lower};
use super::characters::without_unsafe;
use super::codes::Code;
use super::convention::{Convention, TypeMatch};
use super::exempt::AUTOSQUASH;
use super::header::is_scope_char;
use super::parse::{Message, Parts};
use super::prefix;

/// Verbs that imply a type and scope, in the imperative; other endings (`s`, `ed`, `ing`) are recognised.
const VERBS: &[(&str, &str, Option<&str>)] = &[
    ("add", "feat", None),
    ("implement", "feat", None),
    ("introduce", "feat", None),
    ("support", "feat", None),
    ("enable", "feat", None),
    ("allow", "feat", None),
    ("create", "feat", None),
    ("fix", "fix", None),
    ("repair", "fix", None),
    ("correct", "fix", None),
    ("resolve", "fix", None),
    ("prevent", "fix", None),
    ("refactor", "refactor", None),
    ("rename", "refactor", None),
    ("move", "refactor", None),
    ("remove", "refactor", None),
    ("simplify", "refactor", None),
    ("extract", "refactor", None),
    ("document", "docs", None),
    ("test", "test", None),
    ("format", "style", None),
    ("update", "chore", None),
    ("upgrade", "chore", None),
    ("bump", "chore", None),
    ("deploy", "chore", Some("release")),
    ("promote", "chore", Some("release")),
    ("release", "chore", Some("release")),
];

/// The corrected header; `None` if the type cannot be guessed or the description is empty.
pub fn header(message: &Message<'_>, convention: &Convention) -> Option<String> {
    let header = &message.header;
    let line = message.str(&header.line);
    if let Some(word) = AUTOSQUASH.into_iter().find(|w| line.starts_with(w)) {
        let rest = without_unsafe(line[word.len()..].trim());
        return (!rest.is_empty()).then(|| format!("{word} {rest}"));
    }
    if let Some((keys, rest)) = prefix::split(&without_unsafe(&line))
        && let Some(mut parts) = prefix::valid_header(rest, convention).or_else(|| guess(rest, convention))
    {
        prefix::append_keys(&mut parts, keys);
        return corrected(parts, convention);
    }
    let written = message.str(&header.kind);
    let has_colon = !header.kind.is_empty() && !type_is_missing(message, convention);
    let parts = if !has_colon {
        let start = if header.kind.is_empty() { header.description.start } else { header.kind.start };
        guess(&message.str(&(start..header.line.end)), convention)?
    } else {
        let description = without_unsafe(&message.str(&header.description));
        let scope = header.scope.as_ref().map(|s| message.str(s).into_owned());
        let bang = header.bang.is_some();
        match convention.match_type(&written) {
            TypeMatch::Known | TypeMatch::Case(Some(_)) | TypeMatch::Unknown(Some(_)) => {
                let kind = match convention.match_type(&written) {
                    TypeMatch::Case(Some(kind)) | TypeMatch::Unknown(Some(kind)) => kind.to_owned(),
                    _ => written.clone().into_owned(),
                };
                Parts { kind, scope, bang, description, ..Parts::default() }
            }
            TypeMatch::Case(None) => {
                Parts { kind: convention.type_case.apply(&written)?, scope, bang, description, ..Parts::default() }
            }
            // `component: fix x`: the word is probably a scope.
            TypeMatch::Unknown(None) => {
                let mut parts = guess(&description, convention)?;
                let word = scope.or_else(|| written.chars().all(is_scope_char).then(|| written.clone().into_owned()));
                parts.scope = parts.scope.or(word.filter(|w| convention.unknown_scope(w).is_none()));
                parts.bang = bang;
                parts
            }
        }
    };
    corrected(parts, convention)
}

fn corrected(mut parts: Parts, convention: &Convention) -> Option<String> {
    finish(&mut parts, convention)?;
    Some(parts.to_string())
}

/// Whether the header has no type at all, and not only a missing colon after one.
pub fn type_is_missing(message: &Message<'_>, convention: &Convention) -> bool {
    let has = |code| message.errors.iter().any(|s| s.code == code);
    has(Code::TypeMissing)
        || (message.errors.iter().any(|s| s.code == Code::ColonMissing && !is_wide_colon(message, s.range.start))
            && !convention.is_type(&message.str(&message.header.kind)))
}

fn is_wide_colon(message: &Message<'_>, at: usize) -> bool {
    message.text[at..].starts_with("：".as_bytes())
}

/// Guesses the parts of a header without a type: from a bracketed type, or a verb that is or implies one.
fn guess(line: &str, convention: &Convention) -> Option<Parts> {
    let line = without_unsafe(line);
    let line = line.trim_start_matches(|c: char| !c.is_alphanumeric() && !"[({`'\"".contains(c));
    if let Some((word, rest)) = line.strip_prefix(['[', '(', '{']).and_then(|l| l.split_once([']', ')', '}'])) {
        let kind = match convention.match_type(word) {
            TypeMatch::Known => Some(word),
            TypeMatch::Case(kind) | TypeMatch::Unknown(kind) => kind,
        };
        if let Some(kind) = kind {
            let description = first_lower(rest.trim_start_matches([':', ' ', '-']));
            return Some(Parts { kind: kind.to_owned(), description, ..Parts::default() });
        }
    }
    let (first, rest) = line.split_once(char::is_whitespace)?;
    let first = first.to_lowercase();
    let &(verb, kind, scope) = VERBS.iter().find(|(verb, ..)| is_form_of(&first, verb))?;
    let documents = |w: &str| {
        let w = w.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        w.ends_with(".md") || matches!(w.as_str(), "readme" | "documentation" | "docs" | "changelog")
    };
    let kind = if scope.is_none() && rest.split_whitespace().any(documents) { "docs" } else { kind };
    if !convention.types.is_empty() && !convention.is_type(kind) {
        return None;
    }
    let rest = rest.trim_start();
    let description = if verb == kind { first_lower(rest) } else { format!("{verb} {rest}") };
    let description = if scope.is_some() { description.replace('→', "to") } else { description };
    Some(Parts { kind: kind.to_owned(), scope: scope.map(str::to_owned), description, ..Parts::default() })
}

fn is_form_of(word: &str, verb: &str) -> bool {
    let Some(rest) = word.strip_prefix(verb.strip_suffix('e').unwrap_or(verb)) else { return false };
    let endings: &[&str] = if verb.ends_with('e') { &["e", "es", "ed", "ing"] } else { &["", "s", "es", "ed", "ing"] };
    endings.contains(&rest)
}

/// Corrects scope, case and full stop. `None` if the result would still be invalid.
fn finish(parts: &mut Parts, convention: &Convention) -> Option<()> {
    parts.scope = parts.scope.take().and_then(|scope| {
        let kept: String = scope.chars().filter(|c| is_scope_char(*c)).collect();
        let kept =
            convention.scope_case.apply(kept.trim()).filter(|_| convention.scope_case != Case::Any).unwrap_or(kept);
        Some(kept.trim().to_owned()).filter(|k| !k.is_empty())
    });
    if let Some(scope) = &mut parts.scope {
        let nearest = crate::text::nearest(scope, convention.scopes.iter().map(String::as_str));
        if convention.unknown_scope(scope).is_some() {
            *scope = nearest?.to_owned();
        }
    } else if convention.scope_required {
        return None;
    }
    // Remove characters that were meant as the colon.
    let mut description = parts.description.as_str();
    description = description.trim_start_matches(['-', '–', '—', ':', ';', ',', '=', '|', ' ']).trim_end();
    if description.ends_with('.') && !description.ends_with("..") {
        description = description.trim_end_matches('.').trim_end();
    }
    parts.description = match convention.description_case.matches(description) {
        true => description.to_owned(),
        false => convention.description_case.apply(description)?,
    };
    let length = parts.to_string().chars().count();
    (!parts.description.is_empty() && convention.header_max.is_none_or(|max| length <= max)).then_some(())
}
