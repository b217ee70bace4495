//! The usual environments, lowest first, and the words that repositories write for each.

use bstr::{BStr, ByteSlice as _};

/// A step on the way to production. The first word is the one to use where a repository is undecided.
pub struct Tier {
    pub words: &'static [&'static str],
    /// The words are rare enough that a branch called so is an environment, also where no file says so.
    pub by_branch: bool,
}

pub const TIERS: [Tier; 7] = [
    Tier { words: &["dev", "development", "develop"], by_branch: true },
    Tier { words: &["test", "testing", "tst"], by_branch: false },
    Tier { words: &["integration", "int"], by_branch: false },
    Tier { words: &["qa", "uat"], by_branch: false },
    Tier { words: &["staging", "stage", "stg"], by_branch: true },
    Tier { words: &["preprod", "pre-prod", "preproduction", "pre-production", "pre-prd", "preprd"], by_branch: false },
    Tier { words: &["production", "prod", "prd"], by_branch: true },
];

pub const DEVELOPMENT: usize = 0;
pub const STAGING: usize = 4;
pub const PRODUCTION: usize = TIERS.len() - 1;

/// Every word with the number of its tier.
pub fn words() -> impl Iterator<Item = (usize, &'static str)> {
    TIERS.iter().enumerate().flat_map(|(n, tier)| tier.words.iter().map(move |word| (n, *word)))
}

/// The tier that a word names.
pub fn of_word(word: &str) -> Option<usize> {
    words().find(|(_, known)| *known == word).map(|(tier, _)| tier)
}

/// Whether a path holds a word, separated by anything but letters and digits.
pub fn has_word(path: &BStr, word: &str) -> bool {
    !places(path, word).is_empty()
}

/// Where a word stands in a path. `prod` does not stand in `pre-prod`.
pub fn places(path: &BStr, word: &str) -> Vec<usize> {
    let separated = |b: Option<&u8>| b.is_none_or(|b| !b.is_ascii_alphanumeric());
    let whole = |at: &usize| {
        let before = &path[..*at];
        separated(before.last())
            && separated(path.get(at + word.len()))
            && !(before.ends_with(b"pre-") || before.ends_with(b"pre_") || before.ends_with(b"non-"))
    };
    path.find_iter(word).filter(whole).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pre_production_is_not_production() {
        assert!(!has_word("overlays/pre-prod/a.yaml".into(), "prod"));
        assert!(has_word("overlays/pre-prod/a.yaml".into(), "pre-prod"));
        assert!(has_word("overlays/prod/a.yaml".into(), "prod"));
        assert!(!has_word("products/a.yaml".into(), "prod"));
    }
}
