//! A key in a file of its own is told once, whichever of the two families is excepted, off or skipped.

use super::{found, json, portcullis};
use crate::support::TestRepo;

/// Made up, and put together here so that no scanner takes this file for a leak.
fn key() -> String {
    [
        concat!("-----BEGIN EC PRIV", "ATE KEY-----"),
        "MHcCAQEEIIHf5mWpfyW8xRLRrr6ocv0TZE3kHSNYm6dlBcIuI9pOoAoGCCqGSM49",
        "AwEHoUQDQgAEa4f0yWrzPjN1ZS9dVTz1r6mhWT6kXU2aBzcPpF4CrYOEUZuv4U0B",
        concat!("-----END EC PRIV", "ATE KEY-----"),
        "",
    ]
    .join("\n")
}

fn world(path: &str, text: impl AsRef<[u8]>) -> TestRepo {
    let repo = TestRepo::init();
    repo.write(path, text);
    repo
}

fn told(repo: &TestRepo, arguments: &[&str]) -> (i32, Vec<String>) {
    let (code, mut report) = json(repo, &[&["check"], arguments].concat());
    report["findings"].as_array_mut().expect("a list").retain(|f| f["suppressed"].is_null());
    (code, found(&report))
}

#[test]
fn a_key_file_is_one_finding() {
    for path in ["home/.ssh/id_ecdsa", "tls/server.key", "certs/a.pem", "x"] {
        assert_eq!(told(&world(path, key()), &[]), (1, vec![format!("secrets/private-key {path}:1:1")]));
    }
    let utf16: Vec<u8> = [0xfeff].into_iter().chain(key().encode_utf16()).flat_map(u16::to_le_bytes).collect();
    assert_eq!(told(&world("tls/server.key", utf16), &[]), (1, vec!["secrets/private-key tls/server.key:1:1".into()]));
    let crlf = key().replace('\n', "\r\n");
    assert_eq!(told(&world("tls/server.key", crlf), &[]), (1, vec!["secrets/private-key tls/server.key:1:1".into()]));
}

#[test]
fn the_other_rule_is_suppressed_as_a_duplicate() {
    let report = json(&world("tls/server.key", key()), &["check"]).1;
    let other = report["findings"].as_array().expect("a list").iter().find(|f| f["rule"] == "files/private-key");
    let suppressed = &other.expect("it is in the report")["suppressed"];
    assert_eq!(
        (&suppressed["by"], &suppressed["reason"]),
        (&"duplicate".into(), &"secrets/private-key is told for the same line".into())
    );
}

#[test]
fn a_key_that_no_detector_reads_is_told_by_its_file() {
    let der = [b"\x30\x82\x01\x00\x02\x01\x00\x30\x0d\x06".as_slice(), &[7; 250]].concat();
    assert_eq!(told(&world("tls/server.der", der), &[]), (1, vec!["files/private-key tls/server.der:1:1".into()]));
}

#[test]
fn who_turns_one_family_off_or_skips_it_hears_of_the_other() {
    let repo = world("tls/server.key", key());
    assert_eq!(told(&repo, &["--only", "files"]), (1, vec!["files/private-key tls/server.key:1:1".into()]));
    assert_eq!(told(&repo, &["--only", "secrets"]), (1, vec!["secrets/private-key tls/server.key:1:1".into()]));
    repo.write("portcullis.yaml", "version: 1\nrules: { secrets: { severity: off } }\n");
    assert_eq!(told(&repo, &[]), (1, vec!["files/private-key tls/server.key:1:1".into()]));
    repo.write("portcullis.yaml", "version: 1\nrules: { secrets/private-key: { severity: warning } }\n");
    assert_eq!(told(&repo, &[]), (1, vec!["files/private-key tls/server.key:1:1".into()]), "the worse one stays");
}

#[test]
fn an_exception_or_an_allow_for_the_secret_is_enough() {
    let repo = world("tls/server.key", key());
    let excepted = "version: 1\nexceptions:\n  - { rule: secrets/private-key, path: tls/server.key, reason: \"made for tests\" }\n";
    repo.write("portcullis.yaml", excepted);
    assert_eq!(portcullis(&repo, &["check"]).status.code(), Some(0));
    let repo =
        world("tls/server.key", format!("# portcullis: allow(secrets/private-key) because made for tests\n{}", key()));
    repo.write("portcullis.yaml", "version: 1\ninline: { deny: [] }\n");
    assert_eq!(portcullis(&repo, &["check"]).status.code(), Some(0));
}

#[test]
fn a_policy_that_excepts_both_stays_valid_and_one_that_excepts_the_file_alone_refuses() {
    let repo = world("tls/server.key", key());
    let entry = |rule: &str| format!("  - {{ rule: {rule}, path: tls/server.key, reason: \"made for tests\" }}\n");
    let both = [entry("files/private-key"), entry("secrets/private-key")].concat();
    repo.write("portcullis.yaml", format!("version: 1\nexceptions:\n{both}"));
    let (code, told_of) = told(&repo, &[]);
    assert_eq!(code, 0);
    assert!(!told_of.iter().any(|f| f.starts_with("exceptions/")), "none is called unused: {told_of:?}");
    repo.write("portcullis.yaml", format!("version: 1\nexceptions:\n{}", entry("files/private-key")));
    assert_eq!(told(&repo, &[]).0, 1);
}

#[test]
fn a_baseline_of_today_excuses_a_key_file() {
    let repo = world("tls/server.key", key());
    assert_eq!(portcullis(&repo, &["check", "--write-exceptions"]).status.code(), Some(0));
    assert_eq!(portcullis(&repo, &["check"]).status.code(), Some(0));
}
