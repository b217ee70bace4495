//! The rule family `secrets`.

mod archives;
mod check;
mod chunks;
pub mod detectors;
mod engine;
mod generators;
mod generic;
mod incremental;
mod keys;
mod kubernetes;
mod names;
mod place;
mod prefilter;
mod quiet;
mod validators;

/// A deterministic stream of numbers (xorshift): tests that fail must fail again.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    /// A string of an alphabet.
    pub fn word(&mut self, alphabet: &[u8], len: usize) -> String {
        (0..len).map(|_| alphabet[self.below(alphabet.len())] as char).collect()
    }
}

pub const BASE62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A classic GitHub token with a checksum that holds.
pub fn github_token(seed: u64) -> String {
    let random = Numbers(seed).word(BASE62, 30);
    let mut sum = crc32fast::hash(random.as_bytes());
    let mut digits = [0; 6];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(sum % 62) as usize];
        sum /= 62;
    }
    format!("{}{random}{}", concat!("gh", "p_"), std::str::from_utf8(&digits).expect("ASCII"))
}
