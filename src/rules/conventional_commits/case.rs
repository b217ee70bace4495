//! Letter cases (`lower`, `kebab`, ...): tests whether a text has one, and converts.

/// A letter case, as in commitlint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Case {
    #[default]
    Any,
    Lower,
    Upper,
    /// Any case that does not begin with a capital: what common presets require of descriptions.
    LowerFirst,
    Sentence,
    Start,
    Camel,
    Kebab,
    Pascal,
    Snake,
}

impl Case {
    /// All cases by their names in the policy.
    pub const WORDS: &'static [&'static str] =
        &["any", "lower", "upper", "lower-first", "sentence", "start", "camel", "kebab", "pascal", "snake"];

    /// `Any` for a word that is not in [`Case::WORDS`].
    pub fn named(word: &str) -> Self {
        match word {
            "lower" => Self::Lower,
            "upper" => Self::Upper,
            "lower-first" => Self::LowerFirst,
            "sentence" => Self::Sentence,
            "start" => Self::Start,
            "camel" => Self::Camel,
            "kebab" => Self::Kebab,
            "pascal" => Self::Pascal,
            "snake" => Self::Snake,
            _ => Self::Any,
        }
    }

    /// Whether the text has this case. Quoted parts do not count, because quotes mark names. A text that does not begin with
    /// a letter has every case.
    pub fn matches(self, text: &str) -> bool {
        let text = unquoted(text);
        let text = text.trim();
        let Some(first) = text.chars().next().filter(|c| c.is_alphabetic()) else { return true };
        let only = |extra: &str| text.chars().all(|c| c.is_alphanumeric() || extra.contains(c));
        let lower = || !text.chars().any(char::is_uppercase);
        match self {
            Self::Any => true,
            Self::Lower => lower(),
            Self::Upper => !text.chars().any(char::is_lowercase),
            Self::LowerFirst => !first.is_uppercase(),
            Self::Sentence => !first.is_lowercase(),
            Self::Start => text.split(' ').all(|w| w.chars().next().is_none_or(|c| !c.is_lowercase())),
            Self::Camel => !first.is_uppercase() && only(""),
            Self::Pascal => !first.is_lowercase() && only(""),
            Self::Kebab => lower() && only("-"),
            Self::Snake => lower() && only("_"),
        }
    }

    /// The text in this case; `None` for cases that depend on word boundaries.
    pub fn apply(self, text: &str) -> Option<String> {
        match self {
            Self::Lower => Some(text.to_lowercase()),
            Self::Upper => Some(text.to_uppercase()),
            Self::LowerFirst => Some(first_lower(text)),
            Self::Sentence => {
                let mut chars = text.chars();
                Some(chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect()))
            }
            _ => None,
        }
    }
}

/// Lowers the first letter, unless the first word is an abbreviation (`API`) or a name (`GitHub`).
pub fn first_lower(text: &str) -> String {
    let word = text.split_whitespace().next().unwrap_or_default();
    if word.chars().skip(1).any(|c| c.is_uppercase()) || word.chars().count() < 2 {
        return text.to_owned();
    }
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_lowercase().chain(chars).collect())
}

/// Removes quoted parts. An unpaired quote (`don't`) stays.
fn unquoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['`', '"', '\'']) {
        let quote = char::from(rest.as_bytes()[at]);
        out.push_str(&rest[..at]);
        match rest[at + 1..].find(quote) {
            Some(end) => rest = &rest[at + 1 + end + 1..],
            None => {
                out.push(quote);
                rest = &rest[at + 1..];
            }
        }
    }
    out + rest
}
