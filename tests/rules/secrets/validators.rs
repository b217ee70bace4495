//! What formats prove by themselves.

use portcullis::finding::Confidence;
use portcullis::rules::secrets::detectors::validators::{Candidate, Verdict, by_name};
use portcullis::values::entropy::entropy;

use super::github_token;

fn verdict(check: &str, secret: &str) -> Verdict {
    let range = 0..secret.len();
    by_name(check).expect("a known check")(&Candidate {
        text: secret.as_bytes(),
        range: &range,
        secret: secret.as_bytes(),
        start: 0,
    })
}

#[test]
fn a_checksum_holds_for_the_real_one_only() {
    // A revoked token from a public description of the format.
    let known = concat!("gh", "p_zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq17");
    assert_eq!(verdict("github-crc32", known), Verdict::Raise);
    let token = github_token(1);
    assert_eq!(verdict("github-crc32", &token), Verdict::Raise);
    for at in 4..token.len() {
        let mut other = token.clone().into_bytes();
        other[at] = if other[at] == b'x' { b'y' } else { b'x' };
        assert_eq!(
            verdict("github-crc32", std::str::from_utf8(&other).expect("ASCII")),
            Verdict::Mismatch,
            "byte {at}"
        );
    }
    for broken in ["", "ghp_", "ghp_abc", "npm_"] {
        assert_eq!(verdict("npm-crc32", broken), Verdict::Reject);
    }
}

#[test]
fn checksums_of_other_houses() {
    let body = concat!("gls", "a_q4T0cS1vYhJm0rW8uKxg2Zb7pLdN5eFa");
    let sum: String = crc32fast::hash(body.as_bytes()).to_le_bytes().iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(verdict("grafana-crc32", &format!("{body}_{sum}")), Verdict::Raise);
    assert_eq!(verdict("grafana-crc32", &format!("{body}_00000000")), Verdict::Mismatch);
    // BIP 173 and BIP 350 test vectors for bech32, Bitcoin's own for base 58.
    assert_eq!(verdict("bech32", "A12UEL5L"), Verdict::Raise);
    assert_eq!(verdict("bech32", "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw"), Verdict::Raise);
    assert_eq!(verdict("bech32", "A12UEL5M"), Verdict::Reject);
    assert_eq!(verdict("base58check", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"), Verdict::Raise);
    assert_eq!(verdict("base58check", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb"), Verdict::Reject);
    assert_eq!(verdict("luhn", "4539 1488 0343 6467"), Verdict::Keep);
    assert_eq!(verdict("luhn", "4539 1488 0343 6468"), Verdict::Reject);
}

fn token(header: &str, claims: &str, signature: &str) -> String {
    use base64::Engine as _;
    let encode = |part: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(part);
    format!("{}.{}.{signature}", encode(header), encode(claims))
}

#[test]
fn a_web_token_is_decoded() {
    let signature = "q4T0cS1vYhJm0rW8uKxg2Zb7pLdN5eFaRiOt3UvXyQk";
    let good = |claims: &str| verdict("jwt", &token("{\"alg\":\"HS256\"}", claims, signature));
    assert_eq!(good("{\"sub\":\"a\"}"), Verdict::Keep);
    assert_eq!(good("{\"sub\":\"a\",\"exp\":4102444800}"), Verdict::Keep);
    assert_eq!(good("{\"sub\":\"a\",\"exp\":1500000000}"), Verdict::AtMost(Confidence::Low));
    assert_eq!(good("no object"), Verdict::Reject);
    assert_eq!(good("{\"name\":\"John Doe\"}"), Verdict::Reject);
    assert_eq!(verdict("jwt", &token("{\"alg\":\"none\"}", "{}", signature)), Verdict::Reject);
    assert_eq!(verdict("jwt", &token("{\"typ\":\"JWT\"}", "{}", signature)), Verdict::Reject);
    assert_eq!(verdict("jwt", &token("{\"alg\":\"HS256\"}", "{}", "")), Verdict::Reject);
}

#[test]
fn a_key_id_of_aws_holds_an_account() {
    assert_eq!(verdict("aws-key-id", concat!("AKI", "AQYLPMN5HFIQR7XYA")), Verdict::Keep);
    assert_eq!(verdict("aws-key-id", concat!("AKI", "AIOSFODNN7EXAMPLE")), Verdict::Reject);
    assert_eq!(verdict("aws-key-id", concat!("AKI", "A!YLPMN5HFIQR7XYA")), Verdict::Reject);
    assert_eq!(verdict("aws-key-id", "AKIA"), Verdict::Reject);
}

#[test]
fn shapes() {
    assert_eq!(verdict("uuid", "8f14e45f-ceea-467a-9a36-dedd4bea2543"), Verdict::Keep);
    assert_eq!(verdict("uuid", "00000000-0000-0000-0000-000000000000"), Verdict::Reject);
    assert_eq!(verdict("not-hex", "da39a3ee5e6b4b0d3255bfef95601890afd80709"), Verdict::Reject);
    assert_eq!(verdict("not-identifier", "argocd.initialAdminSecret"), Verdict::Reject);
    assert_eq!(verdict("not-identifier", "q4T0cS1vYhJm0rW8uKxg2Zb7pLdN5e"), Verdict::Keep);
    assert_eq!(verdict("stripe-mode", concat!("sk_", "test_4eC39HqLyjWDarjtT1zdp7dc")), Verdict::TestMode);
    assert_eq!(verdict("base64-32", "kR4mZ7vQ1xLw9TnYp2HdUa5FgEs8BcJo0iXeVtNz3yA="), Verdict::Keep);
    assert_eq!(verdict("base64-64", "kR4mZ7vQ1xLw9TnYp2HdUa5FgEs8BcJo0iXeVtNz3yA="), Verdict::Reject);
    assert_eq!(verdict("basic-auth", "ZGVwbG95OnY3S3EybVowdFJiNA=="), Verdict::Keep);
    assert_eq!(verdict("basic-auth", "dXNlcjpwYXNzd29yZA=="), Verdict::Reject);
}

#[test]
fn entropy_is_shannons() {
    assert_eq!([entropy(b""), entropy(b"aaaa"), entropy(b"abcd"), entropy(b"abcdefgh")], [0.0, 0.0, 2.0, 3.0]);
    let mut numbers = super::Numbers(8);
    for len in (1..200).chain([2000]) {
        let letters = 1 + numbers.below(256);
        let bytes: Vec<u8> = (0..len).map(|_| numbers.below(letters) as u8).collect();
        let share = |b: &u8| bytes.iter().filter(|x| x == &b).count() as f64 / len as f64;
        let expected = -bytes.iter().map(|b| share(b).log2() / len as f64).sum::<f64>();
        assert!((f64::from(entropy(&bytes)) - expected).abs() < 1e-5, "{len} bytes of {letters} letters");
    }
}

#[test]
fn every_check_bears_any_input() {
    let mut numbers = super::Numbers(21);
    for check in portcullis::rules::secrets::CHECKS {
        for len in 0..80 {
            let secret: Vec<u8> = (0..len).map(|_| numbers.below(256) as u8).collect();
            let range = 0..secret.len();
            by_name(check).expect("a known check")(&Candidate {
                text: &secret,
                range: &range,
                secret: &secret,
                start: 0,
            });
        }
    }
}
