//! What a repository requires of its messages: the family's options, compiled. Owns their meaning; defaults are in
//! `policies/conventional-commits.yml`.

use std::ops::Range;

use regex::bytes::Regex;

use super::case::Case;

/// Requirements beyond the grammar. Empty lists, `None` and zeroes require nothing.
#[derive(Clone, Debug, Default)]
pub struct Convention {
    /// Allowed types in the policy's order and spelling. Empty: any word is a type.
    pub types: Vec<String>,
    /// Synonyms of types: `(word, type)`.
    pub aliases: Vec<(String, String)>,
    pub type_case: Case,
    /// Empty: any scope.
    pub scopes: Vec<String>,
    pub scope_required: bool,
    pub scope_case: Case,
    pub description_case: Case,
    /// Characters.
    pub description_length: Length,
    /// Characters.
    pub header_max: Option<usize>,
    /// Trailing white space in the header is a mistake.
    pub header_trim: bool,
    /// Characters of all paragraphs in total.
    pub body_length: Length,
    pub body_line_max: Option<usize>,
    pub body_required: bool,
    pub footer_line_max: Option<usize>,
    /// Trailers without a blank line before them are a mistake.
    pub footer_separated: bool,
    /// Required footer tokens.
    pub footers: Vec<String>,
    pub signed_off_by: bool,
    /// One of these must match somewhere in the message.
    pub references: Vec<Regex>,
}

/// An inclusive range of lengths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Length {
    pub min: usize,
    pub max: Option<usize>,
}

/// How a written type compares with the allowed types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeMatch<'c> {
    Known,
    /// Only the case is wrong; with the correct spelling, if there is a list of types.
    Case(Option<&'c str>),
    /// Not a type; with the type that was probably meant.
    Unknown(Option<&'c str>),
}

impl Convention {
    /// Looks up a written type.
    pub fn match_type(&self, word: &str) -> TypeMatch<'_> {
        if self.types.is_empty() {
            return if self.type_case.matches(word) { TypeMatch::Known } else { TypeMatch::Case(None) };
        }
        if self.types.iter().any(|t| t == word) {
            return TypeMatch::Known;
        }
        let lower = word.to_lowercase();
        if let Some(found) = self.types.iter().find(|t| t.to_lowercase() == lower) {
            return if self.type_case == Case::Any { TypeMatch::Known } else { TypeMatch::Case(Some(found)) };
        }
        let alias = self.aliases.iter().find(|(from, _)| from.to_lowercase() == lower);
        let alias = alias.and_then(|(_, to)| self.types.iter().find(|t| *t == to)).map(String::as_str);
        TypeMatch::Unknown(alias.or_else(|| self.misspelt(&lower)))
    }

    /// The type that a misspelt word stands for. Words of up to four letters are close to many others (`ui` and `ci`, `text`
    /// and `test`), so that for them only a missing, doubled or swapped letter counts.
    fn misspelt(&self, lower: &str) -> Option<&str> {
        let types = self.types.iter().map(String::as_str);
        let kept_letters = |t: &&str| {
            let kind = t.to_lowercase();
            lower.chars().count() > 4 || lower.chars().count() != kind.chars().count() || is_swapped(lower, &kind)
        };
        let same_start =
            |t: &&str| t.to_lowercase().chars().next() == lower.chars().next() || is_swapped(lower, &t.to_lowercase());
        crate::text::nearest(lower, types.filter(kept_letters).filter(same_start))
    }

    /// Whether a word is written exactly as one of the types.
    pub fn is_type(&self, word: &str) -> bool {
        self.types.iter().any(|t| t == word)
    }

    /// The range of the first part of a scope (`api,web`, `api/web`) that is not in the list; `None` if the whole scope or
    /// every part is.
    pub fn unknown_scope(&self, scope: &str) -> Option<Range<usize>> {
        let known = |s: &str| self.scopes.iter().any(|k| k == s);
        if self.scopes.is_empty() || known(scope.trim()) {
            return None;
        }
        let mut start = 0;
        for part in scope.split([',', '/']) {
            let from = start + (part.len() - part.trim_start().len());
            let name = part.trim();
            if !name.is_empty() && !known(name) {
                return Some(from..from + name.len());
            }
            start += part.len() + 1;
        }
        None
    }
}

/// Whether two words have the same letters in another order.
fn is_swapped(a: &str, b: &str) -> bool {
    let sorted = |word: &str| {
        let mut letters: Vec<char> = word.chars().collect();
        letters.sort_unstable();
        letters
    };
    sorted(a) == sorted(b)
}
