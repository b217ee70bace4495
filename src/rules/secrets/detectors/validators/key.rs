//! Private keys in armour: whether there is a key inside, and whether it is encrypted.

use bstr::ByteSlice;

use super::{Candidate, Verdict};
use crate::finding::Confidence;
use crate::rules::secrets::decode;

/// The body of a PEM (or PGP) block, wherever it is quoted: indented, with `\n` written out, in string concatenations.
pub fn pem(c: &Candidate<'_>) -> Verdict {
    let whole = &c.text[c.range.clone()];
    let label = &whole[..whole.len().min(80)];
    let encrypted = label.contains_str("ENCRYPTED") || c.secret.contains_str("ENCRYPTED");
    let body = body(c.secret);
    if body.len() < 40 {
        return Verdict::Reject;
    }
    if label.contains_str("PGP") {
        return Verdict::Keep;
    }
    // The front is enough: a body can be cut off by the end of the text.
    let front = decode::base64(&body[..body.len().min(1024) / 4 * 4]).unwrap_or_default();
    if let Some(rest) = front.strip_prefix(b"openssh-key-v1\0") {
        // A length and the name of the cipher.
        let plain = rest.get(4..8) == Some(b"none");
        return if plain { Verdict::WellFormed } else { Verdict::AtMost(Confidence::Low) };
    }
    if encrypted {
        return Verdict::AtMost(Confidence::Low);
    }
    // Every private key in DER is a SEQUENCE with a long or short length.
    if front.first() == Some(&0x30) && distinct(&front) > 8 { Verdict::WellFormed } else { Verdict::Reject }
}

/// A PEM block that is base64 as a whole, as in a kubeconfig.
pub fn wrapped_pem(c: &Candidate<'_>) -> Verdict {
    let decoded = decode::base64(&c.secret[..c.secret.len() / 4 * 4]).unwrap_or_default();
    let Some(label) = decoded.find("PRIVATE KEY") else { return Verdict::Reject };
    let Some(start) = decoded[label..].find("-----").map(|at| label + at + 5) else { return Verdict::Reject };
    let end = decoded[start..].find("-----").map_or(decoded.len(), |at| start + at);
    pem(&Candidate { text: &decoded, range: &(0..end), secret: &decoded[start..end], start })
}

fn distinct(bytes: &[u8]) -> usize {
    let mut seen = [false; 256];
    bytes.iter().for_each(|b| seen[*b as usize] = true);
    seen.iter().filter(|s| **s).count()
}

/// The base64 of the block, without headers (`Proc-Type: ...`), line ends and what quotes them.
fn body(block: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(block.len());
    let unescaped = block.replace("\\r", "\n").replace("\\n", "\n");
    for line in unescaped.split(|b| *b == b'\n') {
        if line.contains(&b':') {
            continue;
        }
        out.extend(line.iter().filter(|b| b.is_ascii_alphanumeric() || b"+/=".contains(b)));
    }
    // String concatenations leave their `+` at the end of each line; base64 proper may hold some, at any place.
    out
}
