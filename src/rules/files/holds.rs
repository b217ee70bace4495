//! What a file of some kind holds, and how bad that is.

use bstr::ByteSlice as _;

use super::{Judged, Material};
use crate::finding::{Confidence, Severity};
use crate::rules::secrets::{built_in, literal_value};
use crate::{text, yaml};

pub fn whole(severity: Severity) -> Judged {
    Judged { severity, mark: 0..0, hide: None }
}

/// Any content at all.
pub fn anything(file: &Material<'_>) -> Option<Judged> {
    (!file.bytes.trim().is_empty()).then(|| whole(Severity::Error))
}

/// The state or the plan of Terraform, which OpenTofu can encrypt.
pub fn terraform(file: &Material<'_>) -> Option<Judged> {
    let sealed = file.text.contains_str("\"encrypted_data\"");
    if sealed { None } else { anything(file) }
}

/// `NAME=value` lines whose values are neither empty nor placeholders, references or ciphertext. One that says it is a
/// secret is an error, mere settings are a warning.
pub fn dotenv(file: &Material<'_>) -> Option<Judged> {
    let secret = any_secret(file);
    if file.plain_settings {
        return secret;
    }
    let mut at = 0;
    for line in file.text.split(|b| *b == b'\n') {
        let start = at;
        at += line.len() + 1;
        let Some(equals) = line.find_byte(b'=') else { continue };
        let name = line[..equals].trim();
        let value = line[equals + 1..].trim_with(|c| c.is_whitespace() || matches!(c, '"' | '\''));
        if name.starts_with(b"#") || name.starts_with(b"sops_") || is_public(name) || !literal_value(value) {
            continue;
        }
        let key = line.find(name).map_or(start, |lead| start + lead);
        let settings = Judged {
            severity: Severity::Warning,
            mark: key..key + name.len(),
            hide: Some(start + equals + 1..start + line.len()),
        };
        return Some(secret.unwrap_or(settings));
    }
    secret
}

/// The public half of a key pair of dotenvx.
fn is_public(name: &[u8]) -> bool {
    name.trim_start_with(|c| c.is_whitespace()).starts_with(b"DOTENV_PUBLIC_KEY")
}

/// Variables of Terraform in a file whose name says that they are secret: every literal is one.
pub fn variables(file: &Material<'_>) -> Option<Judged> {
    let name = file.path.rsplit(|b| *b == b'/').next().unwrap_or_default().to_ascii_lowercase();
    let found = any_secret(file);
    if found.as_ref().is_some_and(|f| f.severity == Severity::Error) || !name.contains_str("secret") {
        return found;
    }
    let literal = |line: &[u8]| {
        let value = line.split_once_str("=").map_or(&b""[..], |(_, value)| value.trim());
        let value = value.strip_prefix(b"\"").and_then(|v| v.strip_suffix(b"\"")).unwrap_or_default();
        !line.trim_start().starts_with(b"#") && literal_value(value)
    };
    let (at, line) = file.text.lines().enumerate().find(|(_, line)| literal(line))?;
    let start: usize = file.text.lines_with_terminator().take(at).map(<[u8]>::len).sum();
    let equals = start + line.find_byte(b'=').unwrap_or(0);
    Some(Judged { severity: Severity::Error, mark: start..equals, hide: Some(equals + 1..start + line.len()) })
}

/// Anything that a detector finds with some confidence.
pub fn any_secret(file: &Material<'_>) -> Option<Judged> {
    let hits = built_in().scan(file.text, Some(file.path));
    let hit = hits.iter().max_by_key(|h| (h.confidence, std::cmp::Reverse(h.secret.start)))?;
    let line = text::line_around(file.text, hit.range.start);
    let mark = if hit.secret.end <= line.end { hit.secret.clone() } else { hit.range.start..line.end };
    let severity = if hit.confidence > Confidence::Low { Severity::Error } else { Severity::Warning };
    Some(Judged { severity, mark, hide: Some(hit.secret.clone()) })
}

/// A private key in armour or in DER; what is only public is fine. An encrypted one is a warning.
pub fn private_key(file: &Material<'_>) -> Option<Judged> {
    let text = file.text;
    const LABELS: [&str; 3] = ["PRIVATE KEY-----", "PRIVATE KEY BLOCK-----", "-----BEGIN OpenVPN Static key"];
    if let Some(at) = LABELS.iter().find_map(|label| text.find(label)) {
        let line = text::line_around(text, at);
        let front = &text[line.start..text.len().min(line.end + 256)];
        let encrypted = front.contains_str("ENCRYPTED");
        let severity = if encrypted { Severity::Warning } else { Severity::Error };
        return Some(Judged { severity, mark: line, hide: None });
    }
    if text.starts_with(b"PuTTY-User-Key-File-") {
        let encrypted = !text.contains_str("Encryption: none");
        return Some(whole(if encrypted { Severity::Warning } else { Severity::Error }));
    }
    if text.trim_start().starts_with(b"privkey:") {
        return single_value(file);
    }
    binary_key(file.bytes).map(whole)
}

/// A private key in DER, in Microsoft's form, or as a packet of OpenPGP.
fn binary_key(bytes: &[u8]) -> Option<Severity> {
    // PKCS#1, PKCS#8 and SEC 1: a sequence that begins with the version, 0 or 1, and goes on with the algorithm, a number
    // or the key. What is encrypted with a password begins with a sequence instead, as certificates do.
    let body = match bytes {
        [0x30, 0x82, _, _, rest @ ..] | [0x30, 0x81, _, rest @ ..] => rest,
        [0x30, length, rest @ ..] if *length < 0x80 => rest,
        // The magic number of a PVK file; then the key's type, and whether it is encrypted.
        [0x1e, 0xf1, 0xb5, 0xb0, ..] => {
            let encrypted = bytes.get(12).is_some_and(|b| *b != 0);
            return Some(if encrypted { Severity::Warning } else { Severity::Error });
        }
        // A packet of a secret key (tag 5) or subkey (tag 7), in the old form and in the new one.
        [0x94..=0x97 | 0x9c..=0x9f | 0xc5 | 0xc7, ..] if is_key_packet(bytes) => return Some(Severity::Error),
        _ => return None,
    };
    matches!(body, [2, 1, 0 | 1, 2 | 4 | 0x30, ..]).then_some(Severity::Error)
}

/// The version of a key's packet stands after its length.
fn is_key_packet(bytes: &[u8]) -> bool {
    let length = match bytes {
        [tag, ..] if tag & 0x40 == 0 => 1 + (1 << (tag & 3)),
        [_, 0..=191, ..] => 2,
        [_, 192..=223, ..] => 3,
        _ => 6,
    };
    matches!(bytes.get(length), Some(3..=6)) && bytes.len() > length + 20
}

/// A keyring of GnuPG with a secret key in it. Those of its agent say whether a passphrase protects them.
pub fn keyring(file: &Material<'_>) -> Option<Judged> {
    if file.text.contains_str("protected-private-key") {
        return Some(whole(Severity::Warning));
    }
    if file.text.contains_str("(private-key") || file.text.contains_str("(11:private-key") {
        return Some(whole(Severity::Error));
    }
    private_key(file)
}

/// A secret that YAML may write in any of its ways: plain, quoted, as a block, in a second document, under a name.
pub fn yaml_value(file: &Material<'_>) -> Option<Judged> {
    let parsed = yaml::parse(file.text);
    let mut found = None;
    for root in &parsed.roots {
        root.walk(&mut |_, node| {
            if !node.is_null() && node.text().is_some_and(|text| literal_value(text.trim().as_bytes())) {
                found.get_or_insert(node.span.clone());
            }
        });
    }
    match found {
        Some(span) => {
            let line = text::line_around(file.text, span.start);
            let mark = span.start..span.end.min(line.end).max(span.start);
            Some(Judged { severity: Severity::Error, mark, hide: Some(span) })
        }
        None if parsed.mistakes.is_empty() => None,
        None => single_value(file),
    }
}

/// A file whose whole content is the secret, possibly quoted or behind one key.
pub fn single_value(file: &Material<'_>) -> Option<Judged> {
    let line = file.text.lines().find(|l| !l.trim().is_empty() && !l.trim_start().starts_with(b"#") && *l != b"---")?;
    let start = file.text.find(line)?;
    // A program that fetches the password.
    if line.starts_with(b"#!") {
        return None;
    }
    let value = line.rsplit_once_str(": ").map_or(line, |(_, value)| value);
    let value = value.trim_with(|c| c.is_whitespace() || matches!(c, '"' | '\''));
    literal_value(value).then(|| Judged {
        severity: Severity::Error,
        mark: start..start + line.len(),
        hide: Some(start..start + line.len()),
    })
}

/// A user and a password in the clear in a line of an htpasswd file; hashes are somebody else's affair.
pub fn plain_htpasswd(file: &Material<'_>) -> Option<Judged> {
    let mut at = 0;
    for line in file.text.lines_with_terminator() {
        let start = at;
        at += line.len();
        let line = line.trim_end();
        let Some(colon) = line.find_byte(b':').filter(|_| !line.starts_with(b"#")) else { continue };
        let password = &line[colon + 1..];
        // `$apr1$...`, `{SHA}...`, and the thirteen characters of crypt.
        let hashed = password.starts_with(b"$") || password.starts_with(b"{") || password.len() == 13;
        if !hashed && literal_value(password) && password.len() > 3 {
            let hide = start + colon + 1..start + line.len();
            return Some(Judged { severity: Severity::Error, mark: hide.clone(), hide: Some(hide) });
        }
    }
    None
}

/// A file of JSON with a member that holds a key.
pub fn json_key(file: &Material<'_>) -> Option<Judged> {
    let fields: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(file.text).ok()?;
    let held = ["key", "_machinekey", "_current-profile"].iter().filter_map(|name| fields.get(*name)?.as_str());
    let literal = held.into_iter().any(|value| literal_value(value.as_bytes()));
    literal.then(|| whole(Severity::Error)).or_else(|| any_secret(file))
}
