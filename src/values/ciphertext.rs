//! Ciphertext and hashes: what is fit to be committed, by the marks of the tools that make it.

use bstr::ByteSlice as _;

use super::is_base64;

/// Encrypted or hashed: fit to be committed, or at least no secret in the clear.
pub fn is_ciphertext(value: &[u8]) -> bool {
    const STARTS: &[&str] = &[
        "ENC[",
        "ENC(",
        "PKCS7[",
        "encrypted:",
        "$ANSIBLE_VAULT",
        "vault:v",
        "$2a$",
        "$2b$",
        "$2x$",
        "$2y$",
        "$argon2",
        "$pbkdf2",
        "$scrypt",
        "$1$",
        "$5$",
        "$6$",
        "$y$",
        "$7$",
        "$apr1$",
        "{SSHA",
        "{SHA",
        "{MD5}",
        "{CRYPT}",
        "{bcrypt}",
        "pbkdf2",
        "scrypt:",
        "SCRAM-SHA-",
        "sha1:",
        "sha256:",
        "sha512:",
        "sha1-",
        "sha256-",
        "sha384-",
        "sha512-",
        "md5:",
        "age1",
        "age-encryption.org",
        "-----BEGIN AGE",
        "-----BEGIN PGP MESSAGE",
        "-----BEGIN PUBLIC",
        "-----BEGIN CERTIFICATE",
        "ssh-rsa ",
        "ssh-ed25519 ",
        "ecdsa-sha2",
        "AQICAHh",
        "AAAAB3NzaC1yc2E",
        "AAAAC3NzaC1lZDI1",
        "AAAAE2VjZHNhLXNoYTI",
        "$encrypted:",
    ];
    // A sealed secret: a version, the length of an RSA key's session key, and a lot of base64.
    let sealed = value.len() > 300 && value.starts_with(b"Ag") && value.iter().all(|b| is_base64(*b));
    // With the name of the user before it, as in an htpasswd file.
    let entry =
        value.splitn_str(2, ":").nth(1).is_some_and(|hash| hash.starts_with(b"$2") || hash.starts_with(b"$apr1$"));
    sealed || entry || STARTS.iter().any(|s| value.starts_with_str(s))
}
