//! Forbidden files: every example of the policy file through the real check, and what is never read.

use bstr::{BStr, ByteSlice};
use portcullis::finding::{Finding, Findings};
use portcullis::policy::Trial;
use portcullis::rules::files::RULE;
use portcullis::rules::secrets::redactor;
use portcullis::subject::{Content, File};
use portcullis::yaml;

#[derive(serde::Deserialize)]
struct About {
    codes: Vec<Code>,
    examples: Examples,
}

#[derive(serde::Deserialize)]
struct Code {
    code: String,
}

#[derive(serde::Deserialize)]
struct Examples {
    pass: Vec<Example>,
    fail: Vec<Example>,
}

#[derive(serde::Deserialize)]
struct Example {
    path: String,
    text: String,
    code: Option<String>,
    at: Option<String>,
}

/// What the check says of a file, and whether it read it.
fn judge(path: &str, bytes: &[u8], symlink: bool) -> (Vec<Finding>, bool) {
    let (checks, mistakes) = Trial::new(RULE.policy, "").run(|o| (RULE.compile)(o));
    assert!(mistakes.is_empty());
    let load = || Ok(bytes.to_vec());
    let content = Content::new(&load);
    let file = File { path: BStr::new(path), commit: None, blob: None, symlink, content: &content };
    let mut out = Findings::new(redactor(), 1);
    checks.files[0].check(&file, &mut out).unwrap();
    (out.into_vec(), content.read().is_some())
}

#[test]
fn every_example_is_judged_as_it_says() {
    let about: About = yaml::from_document(RULE.policy, 1).unwrap();
    for e in &about.examples.fail {
        let text = e.text.replace("<>", "");
        let (findings, _) = judge(&e.path, text.as_bytes(), false);
        let [finding] = &findings[..] else { panic!("{}: {findings:?}", e.path) };
        assert_eq!(finding.rule, format!("files/{}", e.code.as_deref().unwrap()), "{}", e.path);
        let at = format!("{}:{}", finding.span.line, finding.span.column);
        assert_eq!(Some(at), e.at, "{}", e.path);
        assert!(!finding.excerpt.text.contains("q8Zt4vLm2Xw7Rb1"), "{}: {}", e.path, finding.excerpt.text);
    }
    for e in &about.examples.pass {
        assert_eq!(judge(&e.path, e.text.replace("<>", "").as_bytes(), false).0, [], "{}", e.path);
    }
    let failing: Vec<_> = about.examples.fail.iter().filter_map(|e| e.code.as_ref()).collect();
    assert!(about.codes.iter().all(|c| failing.contains(&&c.code)));
}

#[test]
fn other_files_are_never_read() {
    for path in ["src/main.rs", "env", "a.env.example", "tfstate", "x/id_rsa.pub", "kubeconfig/readme.md"] {
        assert!(!judge(path, b"A=1", false).1, "{path}");
    }
    assert_eq!(judge(".env", b"/run/secrets/env", true), (vec![], false), "a link to the real one");
}

#[test]
fn encrypted_and_empty_files_are_welcome_and_broken_ones_are_not() {
    for bytes in [&b"\0GITCRYPT\0abc"[..], b"$ANSIBLE_VAULT;1.1;AES256\n00", b"", b"\n\n"] {
        assert_eq!(judge(".env", bytes, false).0, [], "{}", bytes.as_bstr());
        assert_eq!(judge("a.p12", bytes, false).0, [], "{}", bytes.as_bstr());
    }
    assert_eq!(judge(".env", b"\xff\xfe\0A\0=", false).0.len(), 1);
}
