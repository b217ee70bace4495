//! Private keys in armour: whether there is a key inside, and whether it is encrypted.

use bstr::ByteSlice as _;

use super::{Candidate, Verdict};
use crate::finding::Confidence;
use crate::rules::secrets::decode;

/// The body of a PEM (or PGP) block, wherever it is quoted: indented, with `\n` written out, in string concatenations, as
/// lines of a patch. A complete one is proof, wherever it stands.
pub fn pem(c: &Candidate<'_>) -> Verdict {
    let whole = &c.text[c.range.clone()];
    let label = &whole[..whole.len().min(80)];
    let label = &label[..label.find("KEY").unwrap_or(label.len())];
    let encrypted = label.contains_str("ENCRYPTED") || c.secret.contains_str("ENCRYPTED");
    let body = body(c.secret, mark_of_patch(c.text, c.range.start));
    if body.len() < 40 {
        return Verdict::Reject;
    }
    if is_shortened(c.secret) {
        return Verdict::AtMost(Confidence::Low);
    }
    if label.contains_str("PGP") {
        return Verdict::Keep;
    }
    let complete = c.text[c.range.end..].starts_with(b"-----END ");
    let sound = if complete { Verdict::Complete } else { Verdict::WellFormed };
    // The front is enough: a body can be cut off by the end of the text.
    let front = decode::base64(&body[..body.len().min(1024) / 4 * 4]).unwrap_or_default();
    if let Some(rest) = front.strip_prefix(b"openssh-key-v1\0") {
        // A length and the name of the cipher.
        let plain = rest.get(4..8) == Some(b"none");
        return if plain { sound } else { Verdict::AtMost(Confidence::Low) };
    }
    if encrypted {
        return Verdict::AtMost(Confidence::Low);
    }
    // Every other private key is a SEQUENCE of DER, with a long or short length; Nebula's are the bare bytes of a curve.
    let sequence = front.first() == Some(&0x30) || label.contains_str("NEBULA") && front.len() >= 32;
    if sequence && distinct(&front) > 8 { sound } else { Verdict::Reject }
}

/// `...` in a line of its own: documentation shows how a key looks.
fn is_shortened(block: &[u8]) -> bool {
    let marks = |line: &[u8]| line.trim_with(|c| !matches!(c, '.' | '…')) == b"..." || line.contains_str("…");
    block.lines().any(|line| line.len() < 80 && (marks(line) || line.contains_str("[snip]")))
}

/// A PEM block that is base64 as a whole, as in a kubeconfig.
pub fn wrapped_pem(c: &Candidate<'_>) -> Verdict {
    let decoded = decode::base64(&c.secret[..c.secret.len() / 4 * 4]).unwrap_or_default();
    let Some(label) = decoded.find("PRIVATE KEY") else { return Verdict::Reject };
    let Some(start) = decoded[label..].find("-----").map(|at| label + at + 5) else { return Verdict::Reject };
    let end = decoded[start..].find("-----").map_or(decoded.len(), |at| start + at);
    pem(&Candidate { text: &decoded, range: &(label.saturating_sub(30)..end), secret: &decoded[start..end], start })
}

fn distinct(bytes: &[u8]) -> usize {
    let mut seen = [false; 256];
    bytes.iter().for_each(|b| seen[*b as usize] = true);
    seen.iter().filter(|s| **s).count()
}

/// How each line of a patch is marked, if the block stands in one: by what stands before its own first line.
fn mark_of_patch(text: &[u8], at: usize) -> Option<u8> {
    let line = &text[text[..at].rfind_byte(b'\n').map_or(0, |end| end + 1)..at];
    line.first().copied().filter(|mark| matches!(mark, b'+' | b'-'))
}

/// Ways in which a line end is written out: in JSON, in XML, in HTML and in a URL.
const LINE_ENDS: [&str; 12] =
    ["\\r", "\\n", "\\u000a", "\\u000A", "\\u000d", "&#10;", "&#xA;", "&#xa;", "&#13;", "&#xD;", "<br>", "%0A"];

/// Lines are longer than this, but for the last, which nothing depends on.
const SHORT: usize = 16;

/// The base64 of the block, without headers (`Proc-Type: ...`), line ends and what quotes them.
fn body(block: &[u8], mark: Option<u8>) -> Vec<u8> {
    let mut lines = block.to_vec();
    for end in LINE_ENDS {
        if lines.contains_str(end) {
            lines = lines.replace(end, "\n");
        }
    }
    let mut out = Vec::with_capacity(lines.len());
    for line in lines.split(|b| *b == b'\n') {
        let line = mark.and_then(|mark| line.strip_prefix(&[mark])).unwrap_or(line);
        if line.contains(&b':') {
            continue;
        }
        let runs = line.split(|b| !(b.is_ascii_alphanumeric() || b"+/=".contains(b)));
        // What joins strings is none of it: `+`, `//` of a comment, the name of a line end.
        runs.filter(|run| run.len() >= SHORT).for_each(|run| out.extend_from_slice(run));
    }
    out
}
