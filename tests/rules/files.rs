//! The rule family `files`.

use std::cell::Cell;

use bstr::BStr;
use portcullis::finding::{Finding, Findings, Severity};
use portcullis::options::Trial;
use portcullis::rules::files::RULE;
use portcullis::rules::secrets::redactor;
use portcullis::subject::{Content, File};

/// The findings, and how often the content was read.
fn judge(path: &str, bytes: &[u8], symlink: bool) -> (Vec<Finding>, u32) {
    let (checks, mistakes) = Trial::new(RULE.policy, "").run(|options| (RULE.compile)(options));
    assert!(mistakes.is_empty(), "{mistakes:?}");
    let reads = Cell::new(0);
    let load = || {
        reads.set(reads.get() + 1);
        Ok(bytes.to_vec())
    };
    let content = Content::new(&load);
    let file = File { path: BStr::new(path), commit: None, blob: None, symlink, content: &content };
    let mut out = Findings::new(redactor(), 1);
    checks.files.iter().for_each(|check| check.check(&file, &mut out).expect("readable"));
    (out.into_vec(), reads.get())
}

#[derive(serde::Deserialize)]
struct Second {
    examples: Examples,
}

#[derive(serde::Deserialize)]
struct Examples {
    pass: Vec<Example>,
    fail: Vec<Example>,
}

#[derive(serde::Deserialize)]
struct Example {
    code: Option<String>,
    path: String,
    text: String,
}

#[test]
fn the_examples_hold_and_every_code_has_one() {
    let second: Second =
        serde_yaml::from_str(RULE.policy.split_once("\n---\n").expect("two documents").1).expect("YAML");
    for example in second.examples.pass.iter().chain(&second.examples.fail) {
        let (found, _) = judge(&example.path, example.text.replace("<>", "").as_bytes(), false);
        let rules: Vec<String> = found.iter().map(|f| f.rule.to_string()).collect();
        let expected: Vec<String> = example.code.iter().map(|c| format!("files/{c}")).collect();
        assert_eq!(rules, expected, "{}: {}", example.path, example.text);
    }
    for code in RULE.about().expect("well formed").codes {
        assert!(second.examples.fail.iter().any(|e| e.code.as_ref() == Some(&code.code)), "{}", code.code);
    }
}

#[test]
fn nothing_is_read_unless_the_path_says_so() {
    for path in ["src/main.rs", ".env.example", "environment.yaml", "README.md", "keys/id_rsa.pub", "public.crt"] {
        assert_eq!(judge(path, b"x", false).1, 0, "{path}");
    }
    assert_eq!(judge("infra/terraform.tfstate", b"{}", false).1, 1);
    assert_eq!(judge("infra/terraform.tfstate", b"../state", true), (Vec::new(), 0), "a link");
}

#[test]
fn settings_in_a_dotenv_are_a_warning_and_secrets_an_error() {
    let severity = |text: &str| judge(".env", text.as_bytes(), false).0.first().map(|f| f.severity);
    assert_eq!(severity("HOST=db.corp.internal\n"), Some(Severity::Warning));
    assert_eq!(severity(concat!("HOST=db.corp.internal\nDB_PASSWORD=v7Kq", "2mZ0tRb4\n")), Some(Severity::Error));
    assert_eq!(severity("# PORT=3000\nA=\nB=changeme\nC=${X}\n"), None);
    assert_eq!(severity(""), None);
}

#[test]
fn what_a_file_holds_is_not_shown() {
    for (path, text, secret) in [
        (".env", "MOTTO=blue-moon-17\n", "blue-moon-17"),
        ("encryption_key.yaml", "key: kR4mZ7vQ1xLw9TnYp2HdUa5F\n", "kR4mZ7vQ1xLw9TnYp2HdUa5F"),
        (".vault_pass", "correct horse\n", "correct horse"),
        (".npmrc", "_auth=ZGVwbG95OnY3S3EybVowdFJiNA==\n", "ZGVwbG95OnY3S3EybVowdFJiNA"),
    ] {
        let (found, _) = judge(path, text.as_bytes(), false);
        assert_eq!(found.len(), 1, "{path}");
        assert!(!format!("{:?}", found[0]).contains(secret), "{:?}", found[0]);
    }
}

#[test]
fn the_key_of_a_workspace_is_one_however_yaml_writes_it() {
    let key = concat!("kR4mZ7vQ1xLw9TnYp2H", "dUa5FkR4mZ7vQ");
    for form in [
        "{}\n",
        "\"{}\"\n",
        ">-\n  {}\n",
        "|\n  {}\n",
        "--- >-\n  {}\n",
        "---\n{}\n",
        "# note\n--- |+\n\n  {}\n",
        "key: |\n  {}\n",
        "- {}\n",
        "&a {}\n",
        "!!str {}\n",
        "%YAML 1.2\n---\n{}\n",
        "\u{feff}{}\n",
        "a: [\n{}\n",
    ] {
        let (found, _) = judge("encryption_key.yaml", form.replace("{}", key).as_bytes(), false);
        assert_eq!(found.first().map(|f| f.severity), Some(Severity::Error), "{form}");
        assert!(!found[0].excerpt.text.contains(key), "{form}");
    }
    for form in [">-\n  ${WORKSPACE_KEY}\n", "--- |\n  ${WORKSPACE_KEY}\n", "", "---\n", "# nothing\n", "~\n"] {
        assert!(judge("encryption_key.yaml", form.as_bytes(), false).0.is_empty(), "{form}");
    }
}

#[test]
fn a_proposed_command_names_the_file_and_nothing_else() {
    let help = |path: &str| judge(path, b"A=blue-moon-17\n", false).0[0].help.clone().expect("help");
    assert!(help("x';touch ran;'.env").contains(r"git rm --cached 'x'\'';touch ran;'\''.env'"));
    assert!(help("-f.env").contains("git rm --cached ./-f.env"));
    assert!(help("plain.env").contains("git rm --cached plain.env"));
}

#[test]
fn private_keys_are_told_by_content() {
    let severity = |bytes: &[u8]| judge("tls/a.key", bytes, false).0.first().map(|f| f.severity);
    assert_eq!(severity(concat!("x\n-----BEGIN EC PRIVATE", " KEY-----\nMHcC\n").as_bytes()), Some(Severity::Error));
    assert_eq!(
        severity(concat!("-----BEGIN ENCRYPTED PRIVATE", " KEY-----\nMHcC\n").as_bytes()),
        Some(Severity::Warning)
    );
    assert_eq!(severity(b"-----BEGIN CERTIFICATE-----\nMHcC\n"), None);
    assert_eq!(severity(b"\x30\x82\x04\xa4\x02\x01\x00\x02\x82"), Some(Severity::Error), "DER");
    assert_eq!(severity(b"\x30\x82\x03\x0d\x30\x82\x01\xf5"), None, "a certificate in DER");
    let encrypted = b"\0GITCRYPT\0\x93\xe1\x05\xfa\x8c\x11\xd0\x7f\x02\xc4\xb9\xee\x31\xa8";
    assert_eq!(severity(encrypted), None);
    assert_eq!(severity(b"\x30\x2e\x02\x01\0\x30\x05\x06\x03\x2b\x65\x70"), Some(Severity::Error), "PKCS#8");
    assert_eq!(severity(b"\x30\x82\x03\x0d\x02\x01\x05\x30\x82"), None, "another structure with a version");
    let wide: Vec<u8> = concat!("\u{feff}-----BEGIN RSA PRIVATE", " KEY-----\nMIIB\n")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(severity(&wide), Some(Severity::Error), "UTF-16");
    let pvk =
        |encrypted| [&[0x1e, 0xf1, 0xb5, 0xb0, 0, 0, 0, 0, 2, 0, 0, 0, encrypted, 0, 0, 0][..], &[7; 20]].concat();
    assert_eq!(severity(&pvk(0)), Some(Severity::Error));
    assert_eq!(severity(&pvk(1)), Some(Severity::Warning));
    assert_eq!(severity(b""), None);
}

#[test]
fn a_mark_of_encryption_needs_ciphertext_behind_it() {
    let severity = |path: &str, bytes: &[u8]| judge(path, bytes, false).0.first().map(|f| f.severity);
    let clear = concat!("DB_PASSWORD=v7Kq", "2mZ0tRb4\nHOST=db\n");
    for (mark, ciphertext) in [
        ("\0GITCRYPT\0", &b"\x93\xe1\x05\xfa\x8c\x11\xd0\x7f\x02\xc4\xb9\xee\x31\xa8"[..]),
        (
            "age-encryption.org/v1\n-> X25519 q4T0\nJm0r\n--- uKxg\n",
            b"\x93\xe1\x05\xfa\x8c\x11\xd0\x7f\x02\xc4\xb9\xee",
        ),
        ("$ANSIBLE_VAULT;1.1;AES256\n", b"6438313264\n6233\n"),
        ("-----BEGIN AGE ENCRYPTED FILE-----\n", b"YWdlLWVu\n-----END AGE ENCRYPTED FILE-----\n"),
        ("-----BEGIN PGP MESSAGE-----\n", b"Version: 1\n\nhQEMA2x\n=ab3d\n-----END PGP MESSAGE-----\n"),
    ] {
        assert_eq!(severity(".env", &[mark.as_bytes(), clear.as_bytes()].concat()), Some(Severity::Error), "{mark:?}");
        assert_eq!(severity(".env", &[mark.as_bytes(), ciphertext].concat()), None, "{mark:?}");
    }
}

#[test]
fn secret_packets_of_openpgp_are_told_from_public_ones() {
    let packet = |tag: u8| [&[tag, 0x00, 0xf8, 4][..], &[9; 60]].concat();
    let severity = |bytes: &[u8]| judge("keys/ring.gpg", bytes, false).0.first().map(|f| f.severity);
    assert_eq!(severity(&packet(0x95)), Some(Severity::Error), "a secret key");
    assert_eq!(severity(&packet(0x9d)), Some(Severity::Error), "a secret subkey");
    assert_eq!(severity(&packet(0x99)), None, "a public key");
    assert_eq!(severity(&packet(0x85)), None, "an encrypted session key");
    assert_eq!(severity(b"(21:protected-private-key(3:rsa"), Some(Severity::Warning));
}

#[test]
fn any_bytes_are_borne() {
    for path in [
        ".env",
        "a.key",
        "a.tfvars",
        ".npmrc",
        "encryption_key.yaml",
        "kubeconfig",
        "a.p12",
        "a.gpg",
        ".htpasswd",
        "kaggle.json",
        "tfplan",
        "secrets.tfvars",
    ] {
        for bytes in [
            &b""[..],
            b"\0",
            b"=",
            b"\n\n=\n",
            b"\xff\xfe=\0",
            b"\x30",
            b"\x30\x82",
            b"\x95",
            b"\xc5\xff",
            b"\x1e\xf1\xb5\xb0",
            b": ",
            b"'\"'",
            b"a=\xf0\x9f",
        ] {
            judge(path, bytes, false);
        }
    }
}
