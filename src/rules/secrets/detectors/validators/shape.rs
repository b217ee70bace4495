//! Shapes of identifiers: what a string of this form can and cannot be.

use bstr::ByteSlice as _;

use super::{Candidate, Verdict};
use crate::finding::Confidence;
use crate::values::{self, placeholder};

/// Since 2019 the tail of a key id holds the account's number: base 32, of at most twelve digits.
pub fn aws_key_id(c: &Candidate<'_>) -> Verdict {
    let Some(tail) = c.secret.get(4..) else { return Verdict::Reject };
    if tail.ends_with(b"EXAMPLE") {
        return Verdict::Reject;
    }
    let mut bits = 0u128;
    for byte in tail {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'2'..=b'7' => byte - b'2' + 26,
            // Ids from before that used all digits.
            b'0' | b'1' | b'8' | b'9' => return Verdict::AtMost(Confidence::Medium),
            _ => return Verdict::Reject,
        };
        bits = bits << 5 | u128::from(digit);
    }
    let all = tail.len() * 5;
    if all < 48 {
        return Verdict::Reject;
    }
    // The first six bytes, without their top bit and the lowest seven.
    let account = (bits >> (all - 48) & 0x7fff_ffff_ff80) >> 7;
    if account < 1_000_000_000_000 { Verdict::Keep } else { Verdict::AtMost(Confidence::Medium) }
}

/// Forty characters of base64 with all kinds in it; digests and paths have not.
pub fn aws_secret(c: &Candidate<'_>) -> Verdict {
    let kinds = [u8::is_ascii_uppercase, u8::is_ascii_lowercase, u8::is_ascii_digit];
    let all = kinds.iter().all(|kind| c.secret.iter().any(kind));
    Verdict::require(all && c.secret.len() == 40 && c.secret.find_iter("/").count() < 5)
}

/// A letter and a digit.
pub fn mixed(c: &Candidate<'_>) -> Verdict {
    Verdict::require(c.secret.iter().any(u8::is_ascii_alphabetic) && c.secret.iter().any(u8::is_ascii_digit))
}

/// Upper and lower case and a digit.
pub fn mixed_case(c: &Candidate<'_>) -> Verdict {
    let kinds = [u8::is_ascii_uppercase, u8::is_ascii_lowercase, u8::is_ascii_digit];
    Verdict::require(kinds.iter().all(|kind| c.secret.iter().any(kind)))
}

/// A digest or object id of 32, 40 or 64 hexadecimal digits is none.
pub fn not_hex(c: &Candidate<'_>) -> Verdict {
    Verdict::require(!values::is_digest(c.secret))
}

pub fn uuid(c: &Candidate<'_>) -> Verdict {
    let digits = c.secret.iter().filter(|b| **b != b'-').collect::<std::collections::BTreeSet<_>>().len();
    Verdict::require(values::is_uuid(c.secret) && digits > 2)
}

pub fn not_uuid(c: &Candidate<'_>) -> Verdict {
    Verdict::require(!values::is_uuid(c.secret))
}

/// Words in camel, snake or kebab case, dotted names, paths, calls.
pub fn not_identifier(c: &Candidate<'_>) -> Verdict {
    Verdict::require(!values::is_identifier(c.secret))
}

/// Keys of the test mode move no money.
pub fn stripe_mode(c: &Candidate<'_>) -> Verdict {
    if c.secret.contains_str("_test_") { Verdict::TestMode } else { Verdict::Keep }
}

/// `xoxb-<number>-<number>-<random>`: bots and users have numbers, and something random at the end.
pub fn slack(c: &Candidate<'_>) -> Verdict {
    let parts: Vec<&[u8]> = c.secret.split(|b| *b == b'-').collect();
    let Some((last, numbers)) = parts.split_last() else { return Verdict::Reject };
    let random = last.len() >= 6 && last.iter().collect::<std::collections::BTreeSet<_>>().len() > 3;
    let numbered = match parts[0] {
        b"xoxb" | b"xoxp" => numbers.len() > 1 && numbers[1..].iter().all(|n| n.iter().all(u8::is_ascii_digit)),
        _ => true,
    };
    Verdict::require(random && numbered)
}

/// A password that a person wrote where only a password can stand: no placeholder, no reference, no hash.
pub fn chosen(c: &Candidate<'_>) -> Verdict {
    let other = placeholder::is_password_placeholder(c.secret)
        || values::is_reference(c.secret)
        || values::is_ciphertext(c.secret)
        || values::is_template(c.secret);
    // `CREATE USER 'x'@'localhost' IDENTIFIED BY 'x'`
    let before = &c.text[c.start.saturating_sub(128)..c.start];
    let line = &before[before.rfind_byte(b'\n').map_or(0, |at| at + 1)..];
    let user = [b"'", c.secret, b"'@"].concat();
    match other {
        false if line.contains_str(user) => Verdict::AtMost(Confidence::Low),
        other => Verdict::require(!other),
    }
}

/// A password in a file that exists to keep passwords: even `password` is one there.
pub fn literal(c: &Candidate<'_>) -> Verdict {
    let distinct = c.secret.iter().collect::<std::collections::BTreeSet<_>>().len();
    if values::is_reference(c.secret) || values::is_ciphertext(c.secret) || distinct < 3 {
        return Verdict::Reject;
    }
    let weak = placeholder::is_password_placeholder(c.secret);
    Verdict::Placed(if weak { Confidence::Low } else { Confidence::High })
}

/// The password of a URL: not a reference, not a placeholder, not the user's name again. What stands there alone is a user,
/// or a token in the place of one.
pub fn url_credentials(c: &Candidate<'_>) -> Verdict {
    let before = &c.text[c.range.start..c.start];
    let user = before.rsplit_once_str("//").map_or(&b""[..], |(_, u)| u.trim_end_with(|c| c == ':'));
    if before.ends_with(b"://") {
        let random = c.secret.len() >= 20 && values::is_random(c.secret) && !values::is_identifier(c.secret);
        // A digest or an id there is the public key of an error tracker.
        return Verdict::require(random && !values::is_digest(c.secret) && !values::is_uuid(c.secret));
    }
    let scheme = c.text[..c.range.start].rsplit(|b| !b.is_ascii_alphanumeric()).next().unwrap_or_default();
    let same = user.eq_ignore_ascii_case(c.secret) || scheme.eq_ignore_ascii_case(c.secret);
    if c.secret.len() < 3 || placeholder::is_password_placeholder(c.secret) || values::is_reference(c.secret) {
        return Verdict::Reject;
    }
    let lower = c.secret.to_ascii_lowercase();
    // A piece of code that happens to stand between `://`, `:` and `@`, or somebody's example.
    if ["()", ");", "=>", "&&", "</"].iter().any(|part| values::contains(&lower, part)) || values::is_template(c.secret)
    {
        return Verdict::Reject;
    }
    let weak = same || lower.contains_str("%20") || c.secret.iter().all(u8::is_ascii_lowercase);
    let host = &c.text[c.text.len().min(c.start + c.secret.len() + 1)..];
    let local = ["localhost", "127.", "[::1]", "example."].iter().any(|local| host.starts_with(local.as_bytes()));
    // Nothing but a password can stand here: a person's counts as well as a machine's.
    Verdict::Placed(if weak || local && !values::is_random(c.secret) { Confidence::Low } else { Confidence::High })
}
