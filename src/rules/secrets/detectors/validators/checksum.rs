//! Tokens that carry their own checksum.

use bstr::ByteSlice as _;
use sha2::{Digest as _, Sha256};

use super::{Candidate, Verdict};

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `ghp_`, `gho_`, `ghu_`, `ghs_`, `ghr_`: thirty random characters and the CRC-32 of them in six of base 62. How
/// `github_pat_` works out its own is not published, so its shape has to do.
pub fn github_crc32(c: &Candidate<'_>) -> Verdict {
    if c.secret.starts_with(b"github_pat_") { Verdict::Keep } else { base62_crc32(c.secret) }
}

/// `npm_`: the same scheme.
pub fn npm_crc32(c: &Candidate<'_>) -> Verdict {
    base62_crc32(c.secret)
}

fn base62_crc32(token: &[u8]) -> Verdict {
    let body = token.find_byte(b'_').map_or(token, |at| &token[at + 1..]);
    let Some(split) = body.len().checked_sub(6).filter(|n| *n > 0) else { return Verdict::Reject };
    let (random, sum) = body.split_at(split);
    proof(to_base(crc32fast::hash(random), BASE62, 6) == sum)
}

/// `glsa_<secret>_<sum>`: the CRC-32 of what stands before the last underscore, least significant byte first, in
/// hexadecimal.
pub fn grafana_crc32(c: &Candidate<'_>) -> Verdict {
    let Some(at) = c.secret.rfind_byte(b'_') else { return Verdict::Reject };
    let sum: String = crc32fast::hash(&c.secret[..at]).to_le_bytes().iter().map(|b| format!("{b:02x}")).collect();
    proof(c.secret[at + 1..].eq_ignore_ascii_case(sum.as_bytes()))
}

/// Routable tokens of GitLab end in `.`, two digits of length and seven of CRC-32, all base 36; older ones have no dot.
pub fn gitlab_crc32(c: &Candidate<'_>) -> Verdict {
    let Some(dot) = c.secret.rfind_byte(b'.') else { return Verdict::Keep };
    if c.secret.len() - dot != 10 {
        return Verdict::Keep;
    }
    let (before, sum) = c.secret.split_at(dot + 3);
    proof(to_base(crc32fast::hash(before), b"0123456789abcdefghijklmnopqrstuvwxyz", 7) == sum)
}

/// What a checksum says of something that looks like nothing else.
fn proof(holds: bool) -> Verdict {
    if holds { Verdict::Raise } else { Verdict::Mismatch }
}

fn to_base(mut number: u32, digits: &[u8], width: usize) -> Vec<u8> {
    let base = digits.len() as u32;
    let mut out: Vec<u8> = (0..width)
        .map(|_| {
            let digit = digits[(number % base) as usize];
            number /= base;
            digit
        })
        .collect();
    out.reverse();
    out
}

/// Bech32 (age keys): the checksum of BIP 173 over prefix and data.
pub fn bech32(c: &Candidate<'_>) -> Verdict {
    const DIGITS: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    let lower = c.secret.to_ascii_lowercase();
    let Some(one) = lower.rfind_byte(b'1') else { return Verdict::Reject };
    let (prefix, data) = (&lower[..one], &lower[one + 1..]);
    let mut sum = 1u32;
    let mut feed = |value: u32| {
        let top = sum >> 25;
        sum = (sum & 0x1ff_ffff) << 5 ^ value;
        for (bit, with) in [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3].into_iter().enumerate() {
            if top >> bit & 1 == 1 {
                sum ^= with;
            }
        }
    };
    prefix.iter().for_each(|b| feed(u32::from(b >> 5)));
    feed(0);
    prefix.iter().for_each(|b| feed(u32::from(b & 31)));
    for byte in data {
        let Some(value) = DIGITS.find_byte(*byte) else { return Verdict::Reject };
        feed(value as u32);
    }
    if sum == 1 { Verdict::Raise } else { Verdict::Reject }
}

/// Base 58 with the double SHA-256 checksum of Bitcoin (WIF, extended keys).
pub fn base58check(c: &Candidate<'_>) -> Verdict {
    const DIGITS: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    if c.secret.len() > 256 {
        return Verdict::Reject;
    }
    // Least significant byte first.
    let mut number: Vec<u8> = Vec::new();
    for byte in c.secret {
        let Some(digit) = DIGITS.find_byte(*byte) else { return Verdict::Reject };
        let mut carry = digit as u32;
        for place in &mut number {
            carry += u32::from(*place) * 58;
            *place = carry as u8;
            carry >>= 8;
        }
        if carry > 0 {
            number.push(carry as u8);
        }
    }
    number.extend(c.secret.iter().take_while(|b| **b == b'1').map(|_| 0));
    number.reverse();
    let Some(split) = number.len().checked_sub(4).filter(|n| *n > 0) else { return Verdict::Reject };
    let holds = Sha256::digest(Sha256::digest(&number[..split]))[..4] == number[split..];
    if holds { Verdict::Raise } else { Verdict::Reject }
}

/// The check digit of payment cards and some account numbers.
pub fn luhn(c: &Candidate<'_>) -> Verdict {
    let digits: Vec<u32> = c.secret.iter().filter(|b| b.is_ascii_digit()).map(|b| u32::from(b - b'0')).collect();
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| if at % 2 == 1 { digit * 2 - if *digit > 4 { 9 } else { 0 } } else { *digit })
        .sum();
    Verdict::require(digits.len() > 1 && sum.is_multiple_of(10))
}
