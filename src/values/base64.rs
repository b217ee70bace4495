//! Base64 as people write it: either alphabet, padded or not.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);

/// Decodes base64 of either alphabet, padded or not.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let standard = |b: &u8| match b {
        b'-' => b'+',
        b'_' => b'/',
        b => *b,
    };
    let text: Vec<u8> = text.iter().map(standard).collect();
    GeneralPurpose::new(&alphabet::STANDARD, LENIENT).decode(text).ok()
}
