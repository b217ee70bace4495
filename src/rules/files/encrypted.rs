//! Whether a file is encrypted, so that it may stand in a repository. The mark of a tool alone proves nothing: what
//! follows it has to look like ciphertext.

use bstr::ByteSlice as _;

pub fn is_encrypted(bytes: &[u8]) -> bool {
    if let Some(rest) = bytes.strip_prefix(b"\0GITCRYPT\0") {
        return !is_readable(rest);
    }
    if let Some(rest) = bytes.strip_prefix(b"age-encryption.org/") {
        // Lines of recipients, and a line that ends them; then the ciphertext.
        return rest.find("\n--- ").is_some_and(|end| !is_readable(&rest[end + 5..]));
    }
    if bytes.starts_with(b"$ANSIBLE_VAULT;") {
        let digits = |line: &[u8]| line.iter().all(u8::is_ascii_hexdigit);
        return bytes.lines().skip(1).all(|line| digits(line.trim()));
    }
    if bytes.starts_with(b"-----BEGIN AGE ENCRYPTED") || bytes.starts_with(b"-----BEGIN PGP MESSAGE") {
        let line =
            |line: &[u8]| line.starts_with(b"-----") || line.contains_str(": ") || line.iter().all(|b| is_base64(*b));
        return bytes.lines().all(|l| line(l.trim()));
    }
    false
}

/// Encrypted by SOPS value by value.
pub fn is_sops(bytes: &[u8]) -> bool {
    bytes.contains_str("ENC[AES256_GCM,") && (bytes.contains_str("sops") || bytes.contains_str("sops_version"))
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)
}

/// Three quarters of it are printable: random bytes are so by less than a half.
fn is_readable(bytes: &[u8]) -> bool {
    let printable = bytes.iter().filter(|b| matches!(b, b' '..=b'~' | b'\t' | b'\n' | b'\r')).count();
    bytes.len() > 8 && 4 * printable >= 3 * bytes.len()
}
