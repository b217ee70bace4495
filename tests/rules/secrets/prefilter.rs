//! The prefilter finds what a naive search finds: every keyword, everywhere, in either case.

use std::borrow::Cow;

use portcullis::rules::secrets::{Prefilter, built_in};

use super::Numbers;

fn naive(keywords: &[Cow<'static, str>], text: &[u8]) -> Vec<(usize, usize)> {
    let lower = text.to_ascii_lowercase();
    let mut out = Vec::new();
    for (number, keyword) in keywords.iter().enumerate() {
        for (at, window) in lower.windows(keyword.len()).enumerate() {
            if window == keyword.as_bytes() {
                out.push((number, at));
            }
        }
    }
    out.sort_unstable();
    out
}

fn fast(prefilter: &Prefilter, text: &[u8]) -> Vec<(usize, usize)> {
    let mut out = Vec::new();
    prefilter.search(text, |keyword, at| out.push((keyword, at)));
    out.sort_unstable();
    out
}

#[test]
fn it_equals_a_naive_search_on_keywords_in_noise() {
    let prefilter = built_in().prefilter();
    let keywords = prefilter.keywords();
    let mut numbers = Numbers(7);
    for round in 0..400 {
        let mut text = Vec::new();
        while text.len() < round {
            match numbers.below(3) {
                0 => text.extend_from_slice(numbers.word(b"aek_-: sTOp.", 3).as_bytes()),
                1 => text.push(numbers.below(256) as u8),
                _ => {
                    let keyword = &keywords[numbers.below(keywords.len())];
                    let flip = numbers.below(2) == 0;
                    text.extend(keyword.bytes().map(|b| if flip { b.to_ascii_uppercase() } else { b }));
                }
            }
        }
        assert_eq!(fast(prefilter, &text), naive(keywords, &text), "{:?}", String::from_utf8_lossy(&text));
    }
}

#[test]
fn every_keyword_is_found_at_every_offset_and_at_both_ends() {
    let prefilter = built_in().prefilter();
    for (number, keyword) in prefilter.keywords().iter().enumerate() {
        for lead in 0..9 {
            for tail in 0..9 {
                let text = format!("{}{}{}", "~".repeat(lead), keyword, "~".repeat(tail));
                assert!(fast(prefilter, text.as_bytes()).contains(&(number, lead)), "{keyword} {lead} {tail}");
            }
        }
    }
}

#[test]
fn overlapping_and_nested_keywords_are_all_found() {
    let keywords: Vec<Cow<'static, str>> = ["aaa", "aaaa", "abab", "bab", "token", "kentok"].map(Cow::from).to_vec();
    let prefilter = Prefilter::new(keywords.clone());
    for text in ["aaaaaaa", "abababab", "tokentokentoken", "AaAaBABaB", "", "a", "ab", "abc"] {
        assert_eq!(fast(&prefilter, text.as_bytes()), naive(&keywords, text.as_bytes()), "{text}");
    }
}
