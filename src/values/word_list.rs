//! Lists of words, written as one text with blanks between them: whole words, and parts that may stand anywhere in a
//! text. Each is compiled when it is first asked, so a run that finds no candidate pays nothing.

use std::collections::HashSet;
use std::sync::OnceLock;

use aho_corasick::AhoCorasick;

/// Whole words, compared byte by byte.
pub struct WordList {
    text: &'static str,
    words: OnceLock<HashSet<&'static [u8]>>,
}

impl WordList {
    pub const fn new(text: &'static str) -> Self {
        Self { text, words: OnceLock::new() }
    }

    pub fn has(&self, word: &[u8]) -> bool {
        self.words.get_or_init(|| self.text.split_ascii_whitespace().map(str::as_bytes).collect()).contains(word)
    }
}

/// Parts of a text, found in any case of ASCII letters.
pub struct PartList {
    text: &'static str,
    search: OnceLock<AhoCorasick>,
}

impl PartList {
    pub const fn new(text: &'static str) -> Self {
        Self { text, search: OnceLock::new() }
    }

    /// Whether one of the parts stands in `text`.
    pub fn is_in(&self, text: &[u8]) -> bool {
        let search = self.search.get_or_init(|| {
            let parts = self.text.split_ascii_whitespace();
            AhoCorasick::builder().ascii_case_insensitive(true).build(parts).expect("a short list of words compiles")
        });
        search.is_match(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_match_whole_and_parts_anywhere() {
        static WORDS: WordList = WordList::new("pass  key");
        static PARTS: PartList = PartList::new("change_me xxxx");
        assert!(WORDS.has(b"key") && !WORDS.has(b"keys") && !WORDS.has(b"") && !WORDS.has(b"Key"));
        assert!(PARTS.is_in(b"a-CHANGE_me") && !PARTS.is_in(b"change-me") && !PARTS.is_in(b""));
    }
}
