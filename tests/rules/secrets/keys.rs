//! Private keys in every form in which people keep them.

use bstr::BStr;
use portcullis::finding::{Confidence, Severity};
use portcullis::rules::secrets::built_in;

use super::Numbers;

const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The lines of a key's body, which begins like a sequence of DER.
fn lines(seed: u64) -> Vec<String> {
    let mut numbers = Numbers(seed);
    let mut lines: Vec<String> = (0..4).map(|_| numbers.word(BASE64, 64)).collect();
    lines[0].replace_range(..4, "MIIE");
    lines.push(numbers.word(BASE64, 32));
    lines
}

fn block(label: &str, seed: u64) -> Vec<String> {
    let mut block = lines(seed);
    block.insert(0, format!("-----BEGIN {label}PRIVATE KEY-----"));
    block.push(format!("-----END {label}PRIVATE KEY-----"));
    block
}

fn is_error(path: &str, text: &str) -> bool {
    built_in()
        .scan(text.as_bytes(), Some(BStr::new(path)))
        .iter()
        .any(|h| h.severity == Severity::Error && h.confidence > Confidence::Low)
}

#[test]
fn every_label_of_a_private_key_counts() {
    for label in ["", "RSA ", "EC ", "DSA ", "ED25519 ", "TSS2 ", "NEBULA X25519 ", "NEBULA P256 ", "COSIGN ", "Acme "]
    {
        let text = block(label, 3).join("\n");
        for path in ["a.yaml", "notes.md", "build.log", "testdata/key.txt", "tests/a.conf"] {
            assert!(is_error(path, &text), "{label} in {path}");
        }
        assert!(!is_error("a.yaml", &text.replace("PRIVATE", "PUBLIC")), "{label}");
    }
}

#[test]
fn a_key_is_found_however_its_lines_are_written() {
    type Wrap = fn(&str) -> String;
    let join =
        |wrap: Wrap, between: &str, seed| block("", seed).iter().map(|l| wrap(l)).collect::<Vec<_>>().join(between);
    let forms: [(&str, Wrap, &str); 14] = [
        ("a.js", |l| format!("  \"{l}\\n\""), " +\n"),
        ("A.java", |l| format!("    + \"{l}\\n\""), "\n"),
        ("a.php", |l| format!("'{l}'"), " . PHP_EOL .\n"),
        ("a.py", |l| format!("    '{l}\\n'"), "\n"),
        ("a.vb", |l| format!("\"{l}\" & vbCrLf"), " & _\n"),
        ("a.go", |l| format!("// {l}"), "\n"),
        ("a.sh", |l| format!("# {l}"), "\n"),
        ("a.patch", |l| format!("+{l}"), "\n"),
        ("a.diff", |l| format!("-{l}"), "\n"),
        ("b.patch", |l| format!("+    {l}"), "\r\n"),
        ("a.json", |l| l.to_string(), "\\r\\n"),
        ("b.json", |l| l.to_string(), "\\\\n"),
        ("a.xml", |l| l.to_string(), "&#10;"),
        ("a.list.js", |l| format!("'{l}'"), ", "),
    ];
    for (path, wrap, between) in forms {
        for seed in 1..20 {
            let text = format!("key = x\n{}\nend\n", join(wrap, between, seed));
            assert!(is_error(path, &text), "{path}, seed {seed}:\n{text}");
        }
    }
}

#[test]
fn what_only_looks_like_a_key_is_none() {
    let placeholder = "-----BEGIN PRIVATE".to_owned() + " KEY-----\n...\n-----END PRIVATE" + " KEY-----\n";
    assert!(!is_error("a.yaml", &placeholder));
    let words = placeholder.replace("...", &"your private key goes here ".repeat(4));
    assert!(!is_error("a.yaml", &words));
    // In the source code of a scanner the label stands alone.
    assert!(!is_error("a.go", &format!("re := regexp.MustCompile(`{}`)\n", &placeholder[..27])));
}

#[test]
fn keys_that_documentation_publishes_are_none() {
    let account = |key: &str| format!("AccountName=devstoreaccount1;AccountKey={key};");
    let azurite =
        concat!("Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50u", "SRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==");
    assert!(!is_error("compose.yaml", &account(azurite)));
    assert!(is_error("compose.yaml", &account(&azurite.replace("Eby8", "Fby8"))), "another key of that name");
}
