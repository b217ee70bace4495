//! Structural checks: what a format itself says about whether a string is the real thing. No network, no guessing.
//! Owns the list of checks by name; each answers for one candidate.

mod checksum;
mod encoded;
mod key;
mod shape;

use std::ops::Range;

pub use checksum::{base58check, bech32, github_crc32, gitlab_crc32, grafana_crc32, luhn, npm_crc32};
pub use encoded::{base64, base64_32, base64_48, base64_64, base64_file, base64_json, basic_auth, discord, hex, jwt};
pub use key::{pem, wrapped_pem};
pub use shape::{
    aws_key_id, aws_secret, chosen, literal, mixed, mixed_case, not_hex, not_identifier, not_uuid, slack, stripe_mode,
    url_credentials, uuid,
};

use crate::finding::Confidence;

/// What a pattern matched, in its surroundings.
#[derive(Clone, Copy)]
pub struct Candidate<'t> {
    pub text: &'t [u8],
    /// The whole match, in bytes of `text`.
    pub range: &'t Range<usize>,
    /// The group `secret`, and where it starts in `text`.
    pub secret: &'t [u8],
    pub start: usize,
}

/// What a check says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing against it.
    Keep,
    /// This is something else.
    Reject,
    /// The format proves that it was issued: a checksum holds.
    Raise,
    /// It carries a checksum that does not hold: somebody typed it, or made it up.
    Mismatch,
    /// A whole private key, from its first line to its last: proof anywhere but in the source code of tests.
    Complete,
    /// It decodes to what it says it is, and anybody can make one.
    WellFormed,
    /// The place makes it a secret whatever it looks like; confidence is at most this.
    Placed(Confidence),
    /// Confidence is at most this.
    AtMost(Confidence),
    /// Real, but harmless by design (test mode): a warning of low confidence.
    TestMode,
}

impl Verdict {
    /// [`Verdict::Keep`] if it holds.
    pub fn require(holds: bool) -> Self {
        if holds { Self::Keep } else { Self::Reject }
    }
}

pub type Check = fn(&Candidate<'_>) -> Verdict;

/// The check of a name in [`super::definition::CHECKS`].
pub fn by_name(name: &str) -> Option<Check> {
    Some(match name {
        "aws-key-id" => aws_key_id,
        "aws-secret" => aws_secret,
        "base58check" => base58check,
        "base64" => base64,
        "base64-32" => base64_32,
        "base64-48" => base64_48,
        "base64-64" => base64_64,
        "base64-file" => base64_file,
        "base64-json" => base64_json,
        "basic-auth" => basic_auth,
        "bech32" => bech32,
        "chosen" => chosen,
        "discord" => discord,
        "github-crc32" => github_crc32,
        "gitlab-crc32" => gitlab_crc32,
        "grafana-crc32" => grafana_crc32,
        "hex" => hex,
        "jwt" => jwt,
        "literal" => literal,
        "luhn" => luhn,
        "mixed" => mixed,
        "mixed-case" => mixed_case,
        "not-hex" => not_hex,
        "not-identifier" => not_identifier,
        "not-uuid" => not_uuid,
        "npm-crc32" => npm_crc32,
        "pem" => pem,
        "slack" => slack,
        "stripe-mode" => stripe_mode,
        "url-credentials" => url_credentials,
        "uuid" => uuid,
        "wrapped-pem" => wrapped_pem,
        _ => return None,
    })
}
