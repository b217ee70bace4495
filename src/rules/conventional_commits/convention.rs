//! What a repository asks of its messages: the options of the family, compiled. Owns their names and their meaning;
//! their defaults stand in `policies/conventional-commits.yml`.

use std::ops::Range;

use regex::bytes::Regex;

use super::case::Case;

/// Every demand beyond the grammar. Empty lists, `None` and zeroes demand nothing.
#[derive(Clone, Debug, Default)]
pub struct Convention {
    /// In the order of the policy, as they are to be written. Empty: any word is a type.
    pub types: Vec<String>,
    /// Other words for types: `(word, type)`.
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
    /// White space at the end of the header counts as a mistake.
    pub header_trim: bool,
    /// Characters of all paragraphs together.
    pub body_length: Length,
    pub body_line_max: Option<usize>,
    pub body_required: bool,
    pub footer_line_max: Option<usize>,
    /// Trailers glued to prose are a mistake.
    pub footer_separated: bool,
    /// Tokens that must be among the footers.
    pub footers: Vec<String>,
    pub signed_off_by: bool,
    /// One of these must match somewhere in the message.
    pub references: Vec<Regex>,
}

/// How long something may be, both ends included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Length {
    pub min: usize,
    pub max: Option<usize>,
}

/// How a written type relates to the types there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind<'c> {
    Known,
    /// Right but for its case: the type as it is to be written.
    Case(Option<&'c str>),
    /// The type that was meant, where one can be told.
    Unknown(Option<&'c str>),
}

impl Convention {
    /// Looks a written type up.
    pub fn kind(&self, word: &str) -> Kind<'_> {
        if self.types.is_empty() {
            return if self.type_case.fits(word) { Kind::Known } else { Kind::Case(None) };
        }
        if self.types.iter().any(|t| t == word) {
            return Kind::Known;
        }
        let lower = word.to_lowercase();
        if let Some(found) = self.types.iter().find(|t| t.to_lowercase() == lower) {
            return if self.type_case == Case::Any { Kind::Known } else { Kind::Case(Some(found)) };
        }
        let alias = self.aliases.iter().find(|(from, _)| from.to_lowercase() == lower);
        let alias = alias.and_then(|(_, to)| self.types.iter().find(|t| *t == to)).map(String::as_str);
        Kind::Unknown(alias.or_else(|| self.misspelt(&lower)))
    }

    /// The type that a misspelt word stands for. A word of up to four letters is so near to many others (`ui` and `ci`,
    /// `text` and `test`) that only a missing, doubled or swapped letter counts.
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

    /// The first part of a scope (`api,web`, `api/web`) that is not in the list, as a range of it; `None` where the whole
    /// is, or every part.
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
