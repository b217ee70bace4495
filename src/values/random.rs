//! Randomness: whether the characters of a value tell that a machine drew them.

use super::entropy::entropy;
use super::identifier::{is_identifier, is_numbered_word, is_wordy, words};

/// Random, as far as its characters tell: mixed kinds, no words, entropy near what its length allows.
pub fn is_random(value: &[u8]) -> bool {
    let hex = value.iter().all(u8::is_ascii_hexdigit);
    let digits = value.iter().filter(|b| b.is_ascii_digit()).count();
    let letters = value.iter().filter(|b| b.is_ascii_alphabetic()).count();
    let floor = match value.len() {
        0..8 => return false,
        8..12 => 2.6,
        12..16 => 2.9,
        16..20 => 3.1,
        20..32 if hex => 2.8,
        20..32 => 3.4,
        _ if hex => 3.0,
        _ => 3.6,
    };
    if letters == 0 || entropy(value) < floor || is_identifier(value) || is_numbered_word(value) {
        return false;
    }
    if digits > 0 {
        return true;
    }
    // Both cases and marks that no name or sentence has.
    let any = |kind: fn(&u8) -> bool| value.iter().any(kind);
    let marks = value.iter().filter(|b| b.is_ascii_punctuation() && !b"_-.:/,'".contains(b)).count();
    if value.len() >= 12 && marks > 2 && any(u8::is_ascii_lowercase) && any(u8::is_ascii_uppercase) {
        return true;
    }
    // Without digits: both cases in disorder, or letters that no word has.
    let turns = value.windows(2).filter(|p| p[0].is_ascii_lowercase() && p[1].is_ascii_uppercase()).count();
    turns * 5 >= value.len() && turns >= 2 || letters == value.len() && value.len() >= 10 && !words(value).all(is_wordy)
}
