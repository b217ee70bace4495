//! Keys that their own documentation publishes: they open an emulator or a test mode, and cannot be revoked.
//! Owns the list, by digest, so that no scanner takes this file for a leak.

use bstr::ByteSlice as _;
use sha2::{Digest as _, Sha256};

/// The first eight bytes of a key's SHA-256, and how long the key is.
const KEYS: &[(u64, usize)] = &[
    // Azurite: https://learn.microsoft.com/azure/storage/common/storage-use-azurite
    (0x0011_cc25_eb43_2071, 88),
    // The emulator of Cosmos DB: https://learn.microsoft.com/azure/cosmos-db/emulator
    (0xaa65_4743_9583_c3a2, 88),
    // Site and secret key for tests with reCAPTCHA: https://developers.google.com/recaptcha/docs/faq
    (0x03b9_70ed_8171_d73b, 40),
    (0xf5e9_5c99_5463_5b65, 40),
    // Turnstile's for tests: https://developers.cloudflare.com/turnstile/troubleshooting/testing/
    (0xfb8f_3512_9df8_7662, 35),
    (0x1e3e_5865_6012_d861, 35),
    (0x841b_4f5b_0b34_e19a, 35),
    // Stripe's, all over its documentation: https://docs.stripe.com/keys
    (0x2caf_c097_0149_a84f, 32),
    // AWS's examples: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html
    (0x1a5d_44a2_dca1_9669, 20),
    (0x7831_4b11_be2e_5815, 40),
    (0xc6ea_27c5_34f9_93d3, 20),
    (0xe21b_597b_a6b9_cafa, 40),
    // The first line of the private key in Vagrant's boxes: https://github.com/hashicorp/vagrant/tree/main/keys
    (0xeca7_c079_6c0d_2871, LINE),
];

/// How long a line of a private key is.
const LINE: usize = 64;

pub fn is_published(secret: &[u8]) -> bool {
    let line = || secret.lines().map(|line| line.trim()).find(|line| line.len() == LINE);
    is_listed(secret) || secret.len() > 2 * LINE && line().is_some_and(is_listed)
}

fn is_listed(key: &[u8]) -> bool {
    KEYS.iter().any(|(_, length)| *length == key.len()) && {
        let digest = Sha256::digest(key);
        let front = u64::from_be_bytes(digest[..8].try_into().expect("eight of 32 bytes"));
        KEYS.contains(&(front, key.len()))
    }
}
