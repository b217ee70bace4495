//! Values that decode to something which says more.

use bstr::ByteSlice as _;
use serde_json::Value;

use super::{Candidate, Verdict};
use crate::finding::Confidence;
use crate::rules::secrets::{built_in, decode};
use crate::values::placeholder;

/// Decodes in either alphabet.
pub fn base64(c: &Candidate<'_>) -> Verdict {
    Verdict::require(decode::base64(c.secret).is_some())
}

pub fn base64_32(c: &Candidate<'_>) -> Verdict {
    decodes_to(c, 32)
}

pub fn base64_48(c: &Candidate<'_>) -> Verdict {
    decodes_to(c, 48)
}

pub fn base64_64(c: &Candidate<'_>) -> Verdict {
    decodes_to(c, 64)
}

fn decodes_to(c: &Candidate<'_>, bytes: usize) -> Verdict {
    Verdict::require(decode::base64(c.secret).is_some_and(|d| d.len() == bytes))
}

/// From the first `eyJ` on, the value decodes to the beginning of a JSON object: tokens append signatures to it.
pub fn base64_json(c: &Candidate<'_>) -> Verdict {
    let Some(start) = c.secret.find(b"eyJ") else { return Verdict::Reject };
    let body = &c.secret[start..];
    let run = body.iter().take_while(|b| b.is_ascii_alphanumeric() || b"+/-_=".contains(b)).count();
    // The alphabet of the signature may run on: whole quanta of the front are enough to see a key.
    let front = &body[..run.min(64) / 4 * 4];
    let decoded = decode::base64(front).unwrap_or_default();
    let key = decoded.strip_prefix(b"{\"").and_then(|rest| rest.find(b"\":"));
    Verdict::require(key.is_some_and(|at| decoded[2..2 + at].iter().all(|b| b.is_ascii_graphic())))
}

/// A whole file, encoded: a detector is sure of something in it.
pub fn base64_file(c: &Candidate<'_>) -> Verdict {
    let decoded = decode::base64(&c.secret[..c.secret.len() / 4 * 4]).unwrap_or_default();
    let path = decode::path_of(&decoded);
    let surest = built_in().scan(&decoded, Some(path)).iter().map(|hit| hit.confidence).max();
    match surest {
        Some(confidence) if confidence > Confidence::Low => Verdict::Placed(confidence),
        _ => Verdict::Reject,
    }
}

/// `user:password`, encoded.
pub fn basic_auth(c: &Candidate<'_>) -> Verdict {
    let decoded = decode::base64(c.secret).unwrap_or_default();
    let Some(colon) = decoded.find_byte(b':') else { return Verdict::Reject };
    let (user, password) = (&decoded[..colon], &decoded[colon + 1..]);
    let printable = decoded.iter().all(|b| !b.is_ascii_control());
    Verdict::require(
        printable
            && !user.is_empty()
            && password.len() > 2
            && user != password
            && !placeholder::is_password_placeholder(password),
    )
}

/// Only hexadecimal digits, and more than two different ones.
pub fn hex(c: &Candidate<'_>) -> Verdict {
    let distinct = c.secret.iter().collect::<std::collections::BTreeSet<_>>().len();
    Verdict::require(distinct > 2 && c.secret.iter().all(u8::is_ascii_hexdigit))
}

/// Header and payload are JSON objects, there is an algorithm and a signature. One that has expired proves little.
pub fn jwt(c: &Candidate<'_>) -> Verdict {
    let mut parts = c.secret.split(|b| *b == b'.');
    let mut object = || match serde_json::from_slice(&decode::base64(parts.next()?)?).ok()? {
        Value::Object(fields) => Some(fields),
        _ => None,
    };
    let Some(header) = object() else { return Verdict::Reject };
    // An encrypted one (five parts) has no readable payload.
    if header.contains_key("enc") {
        return Verdict::Keep;
    }
    let Some(claims) = object() else { return Verdict::Reject };
    let signed = parts.next().is_some_and(|s| s.len() >= 16);
    match header.get("alg").and_then(Value::as_str) {
        None => return Verdict::Reject,
        Some(alg) if alg.eq_ignore_ascii_case("none") => return Verdict::Reject,
        Some(_) if !signed => return Verdict::Reject,
        Some(_) => {}
    }
    // The one on jwt.io's front page, pasted everywhere.
    if claims.get("name").and_then(Value::as_str) == Some("John Doe") {
        return Verdict::Reject;
    }
    match claims.get("exp").and_then(Value::as_f64) {
        Some(time) if time < now() => Verdict::AtMost(Confidence::Low),
        _ => Verdict::Keep,
    }
}

fn now() -> f64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64())
}

/// The first part of a Discord token is its account's number, encoded.
pub fn discord(c: &Candidate<'_>) -> Verdict {
    let first = c.secret.split(|b| *b == b'.').next().unwrap_or_default();
    let id = decode::base64(first).unwrap_or_default();
    Verdict::require((15..=20).contains(&id.len()) && id.iter().all(u8::is_ascii_digit))
}
