//! What a value is, whatever rule asks: a placeholder, a reference, ciphertext, a digest, an identifier, or something random.
//! One list of each for secrets, windmill and divergence. Every answer is about the whole value: a mark such as `<`, `/` or
//! `{` that merely occurs in a generated password means nothing.

pub mod base64;
mod ciphertext;
pub mod entropy;
mod identifier;
pub mod placeholder;
mod random;
mod reference;
mod word_list;

pub use ciphertext::is_ciphertext;
pub use identifier::{is_digest, is_identifier, is_numbered_word, is_path, is_timestamp, is_uuid};
pub use placeholder::is_placeholder;
pub use random::is_random;
pub use reference::{is_pattern, is_reference, is_template};
pub use word_list::{PartList, WordList};

/// Whether a value only stands for a secret: empty, a placeholder, a reference, ciphertext. One answer for every rule.
pub fn stands_for_secret(value: &[u8]) -> bool {
    value.is_empty() || is_reference(value) || is_ciphertext(value) || placeholder::is_password_placeholder(value)
}

/// Whether a short text holds a part: building a searcher for each of many parts would cost more than it saves.
pub fn contains(text: &[u8], part: &str) -> bool {
    let part = part.as_bytes();
    text.windows(part.len()).any(|w| w[0] == part[0] && w == part)
}

pub fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_')
}
