//! What becomes of hits: findings, their words and severities, and that no secret is in them.

use bstr::{BStr, BString, ByteSlice as _};
use portcullis::finding::{Finding, Findings, Origin, Severity};
use portcullis::options::Trial;
use portcullis::rules::Checks;
use portcullis::rules::secrets::{RULE, built_in, redactor};
use portcullis::subject::{Carrier, Commit, Content, File, Oid, Person};

use super::detectors::{definitions, path_for};
use super::github_token;

fn compiled(user: &str, detectors: &str) -> Checks {
    let trial = Trial { detectors, ..Trial::new(RULE.policy, user) };
    let (checks, mistakes) = trial.run(|options| (RULE.compile)(options));
    assert!(mistakes.is_empty(), "{mistakes:?}");
    checks
}

fn file(checks: &Checks, path: &str, bytes: &[u8]) -> Vec<Finding> {
    let load = || Ok(bytes.to_vec());
    let content = Content::new(&load);
    let file = File { path: BStr::new(path), commit: None, blob: None, symlink: false, content: &content };
    let mut out = Findings::new(redactor(), 1);
    checks.files.iter().for_each(|check| check.check(&file, &mut out).expect("readable"));
    out.into_vec()
}

fn message(checks: &Checks, carrier: Carrier, text: &str, headers: &str) -> Vec<Finding> {
    let paths = || Ok(Vec::<BString>::new());
    let commit = Commit {
        carrier,
        message: text.into(),
        headers: headers.into(),
        parents: Vec::new(),
        tree: None,
        author: Person { name: "A".into(), email: "a@corp.internal".into(), time: 0 },
        committer: Person::default(),
        new_to: Default::default(),
        changed_paths: &paths,
        came_by: &|_| Ok(false),
    };
    let mut out = Findings::new(redactor(), 1);
    checks.commits.iter().for_each(|check| check.check(&commit, &mut out).expect("decided"));
    out.into_vec()
}

/// Everything of a finding that anybody may ever see.
fn shown(finding: &Finding) -> String {
    format!(
        "{} {:?} {:?} {:?} {:?}",
        finding.message, finding.help, finding.notes, finding.excerpt, finding.fingerprint
    )
}

#[test]
fn no_secret_is_in_any_finding() {
    let checks = compiled("", "");
    for definition in definitions() {
        let path = path_for(&definition);
        for example in &definition.matches {
            let text = example.replace("<>", "");
            let hits = built_in().scan(text.as_bytes(), Some(BStr::new(&path)));
            let findings = file(&checks, &path, text.as_bytes());
            assert_eq!(findings.len(), hits.len(), "{}", definition.id);
            for hit in hits {
                let secret = &text[hit.secret.clone()];
                for finding in &findings {
                    let shown = shown(finding);
                    assert!(!shown.contains(secret), "{}: {shown}", definition.id);
                    // Not even a part that would help: the longest line of a block, or half of a token.
                    let part = secret.lines().max_by_key(|l| l.len()).unwrap_or(secret);
                    let part = &part[..part.floor_char_boundary(part.len().min(24))];
                    assert!(part.len() < 8 || !shown.contains(part), "{}: {shown}", definition.id);
                }
            }
        }
    }
}

#[test]
fn a_finding_says_what_to_do_and_where() {
    let token = github_token(1);
    let found = file(&compiled("", ""), "ci/build.yaml", format!("env:\n  GH: {token}\n").as_bytes());
    let [finding] = &found[..] else { panic!("{found:?}") };
    assert_eq!((finding.rule.as_ref(), finding.severity), ("secrets/github-pat", Severity::Error));
    assert!(finding.message.starts_with("found ") && !finding.message.ends_with('.'));
    assert_eq!((finding.span.line, finding.span.column), (2, 7));
    assert_eq!(finding.excerpt.text, "  GH: ********");
    assert!(finding.help.as_ref().is_some_and(|h| h.starts_with("revoke it")));
    assert!(finding.same.is_some());
}

#[test]
fn two_secrets_in_one_line_are_both_masked_in_both() {
    let (a, b) = (github_token(1), github_token(2));
    let found = file(&compiled("", ""), "x.txt", format!("{a} and {b}").as_bytes());
    assert_eq!(found.iter().map(|f| f.excerpt.text.as_str()).collect::<Vec<_>>(), ["******** and ********"; 2]);
}

#[test]
fn two_halves_near_each_other_are_one_finding_with_both_places() {
    let text = format!(
        "aws_access_key_id = {}{}\naws_secret_access_key = {}{}\n",
        "AKI", "AQYLPMN5HFIQR7XYA", "kR4mZ7vQ1xLw9TnYp2Hd", "Ua5FgEs8BcJo0iXeVtNz"
    );
    let found = file(&compiled("", ""), "home/credentials.ini", text.as_bytes());
    let [finding] = &found[..] else { panic!("{found:?}") };
    assert_eq!(finding.rule, "secrets/aws-secret-access-key");
    assert_eq!((finding.span.line, finding.also.iter().map(|p| p.line).collect::<Vec<_>>()), (2, vec![1]));
}

#[test]
fn confidence_and_policy_make_the_severity() {
    let low = concat!("apiKey: 8f14e45f-ceea-467a-9a36-", "dedd4bea2543");
    let severity = |user| file(&compiled(user, ""), "a.yaml", low.as_bytes())[0].severity;
    assert_eq!(severity(""), Severity::Warning);
    assert_eq!(severity("min-confidence-error: low"), Severity::Error);
    assert_eq!(severity("min-confidence-warning: medium"), Severity::Note);
    assert!(file(&compiled("allow: ['^8f14e45f']", ""), "a.yaml", low.as_bytes()).is_empty());
}

#[test]
fn messages_people_and_raw_headers_are_read() {
    let checks = compiled("", "");
    let token = github_token(6);
    let oid = Oid::from_hex(&[b'1'; 40]).expect("forty digits");
    let count = |carrier, text: &str, headers: &str| message(&checks, carrier, text, headers).len();
    assert_eq!(count(Carrier::Pending, &format!("fix: use {token}"), ""), 1);
    assert_eq!(count(Carrier::Commit(oid), &format!("fix: use {token}"), "tree x\n"), 1);
    assert_eq!(count(Carrier::Commit(oid), "fix: x", &format!("author {token} <a@b>\n")), 1);
    assert_eq!(count(Carrier::Commit(oid), "fix: x", &format!("mergetag object 1\n tag v1\n \n {token}\n")), 1);
    let tag = message(&checks, Carrier::Tag(oid, "v1".into()), &format!("release {token}"), "");
    assert!(matches!(&tag[..], [f] if matches!(&f.origin, Origin::Tag { name, .. } if name == "v1")));
}

#[test]
fn binary_content_is_searched_for_forms_that_nothing_else_has() {
    let key = concat!(
        "-----BEGIN EC",
        " PRIVATE KEY-----\nMHcCAQEEIIHf5mWpfyW8xRLRrr6ocv0TZE3kHSNYm6dlBcIuI9pOoAoGCCqGSM49\nAwEHoUQDQgAEa4f0yWrzPjN1ZS9dVTz1r6mhWT6kXU2aBzcPpF4CrYOEUZuv4U0B\n-----END EC"
    );
    let others = concat!("password = v7Kq", "2mZ0tRb4\npostgres://app:v7Kq", "2mZ0tRb@db.internal/app");
    let token = github_token(9);
    let bytes = [
        b"\x7fELF\x02\x01\x01\0\0\x01\x02\x03",
        key.as_bytes(),
        &[0, 1, 2].repeat(40),
        token.as_bytes(),
        b"\0",
        others.as_bytes(),
    ]
    .concat();
    let rules = |policy, bytes: &[u8]| -> Vec<String> {
        file(&compiled(policy, ""), "bin/tool", bytes).iter().map(|f| f.rule.to_string()).collect()
    };
    assert_eq!(rules("", &bytes), ["secrets/private-key", "secrets/github-pat"]);
    assert_eq!(rules("binary: true", &bytes), ["secrets/private-key", "secrets/github-pat", "secrets/url-credentials"]);
    let image = [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", &bytes[..]].concat();
    assert_eq!(rules("", &image), [""; 0], "an image");
    assert_eq!(rules("binary: true", &image).len(), 3);
    let disguised = format!("GIF89a\0\ntoken: {token}\n");
    assert_eq!(rules("", disguised.as_bytes()), ["secrets/github-pat"], "text behind the mark of an image");
    let clean = [b"\x7fELF\x02\x01\x01\0\0\x01\x02\x03".as_slice(), &[0, 1, 2].repeat(40)].concat();
    assert_eq!(rules("binary: true", &clean), [""; 0]);
}

const OWN: &str = r"
- id: acme-token
  name: a token of Acme
  keywords: [acme_]
  pattern: '\b(?P<secret>acme_[0-9a-z]{20})\b'
  matches: ['x acme_q4t0cs1vyhjm0rw8ukxg', 'acme_<>zb7pldn5efariot3uvxy']
  near-misses: ['acme_short', 'acme_']
";

#[test]
fn detectors_of_the_policy_run_beside_the_built_in_ones() {
    let checks = compiled("", OWN);
    let text = format!("a: acme_q4t0cs1vyhjm0rw8ukxg\nb: {}\n", github_token(2));
    let found = file(&checks, "a.yaml", text.as_bytes());
    assert_eq!(found.iter().map(|f| f.rule.as_ref()).collect::<Vec<_>>(), ["secrets/acme-token", "secrets/github-pat"]);
    assert!(found[0].message.contains("a token of Acme"));
}

#[test]
fn mistakes_in_own_detectors_are_all_told() {
    let wrong = r"
- id: Acme Token
  name: x
  keywords: [AC]
  pattern: '(?P<secret>[)'
  checks: [github-crc]
- { id: github-pat, name: x, keywords: [abc], pattern: '(?P<secret>x)' }
- { id: fine, name: x, keywords: [abc], pattern: '(?P<secret>abc[)', pair: github-pta }
- { id: silent, name: x, keywords: [abc], pattern: '(?P<secret>abc[0-9]{9})', matches: [abc], near-misses: ['abc<>604182735'] }
- { id: typo, nmae: x, keywords: [abc], pattern: '(?P<secret>x)' }
";
    let trial = Trial { detectors: wrong, ..Trial::new(RULE.policy, "") };
    let (_, mistakes) = trial.run(|options| (RULE.compile)(options));
    let told: Vec<String> = mistakes.iter().map(|m| m.wrong.message.clone()).collect();
    let all = told.join("\n");
    for part in [
        "an id is",
        "a keyword has",
        "no check `github-crc`",
        "another detector `github-pat`",
        "the pattern is wrong",
        "no detector `github-pta`; did you mean `github-pat`",
        "is not found by `silent`",
        "is found by `silent`",
        "nmae",
        "`name` is missing",
    ] {
        assert!(all.contains(part), "{part} not in\n{all}");
    }
}

#[test]
fn utf_16_findings_point_into_the_text_that_people_see() {
    let text = format!("a\r\nkey {}\r\n", github_token(2));
    let bytes: Vec<u8> = [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let found = file(&compiled("", ""), "a.txt", &bytes);
    assert!(matches!(&found[..], [f] if (f.span.line, f.span.column) == (2, 5)), "{found:?}");
    assert!(found[0].excerpt.text.as_bytes().contains_str("key ********"));
}

#[test]
fn the_examples_of_the_policy_file_hold() {
    #[derive(serde::Deserialize)]
    struct About {
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
    let second = RULE.policy.split_once("\n---\n").expect("two documents").1;
    let about: About = serde_yaml::from_str(second).expect("as in the brief");
    let checks = compiled("", "");
    for example in about.examples.pass.iter().chain(&about.examples.fail) {
        let found = file(&checks, &example.path, example.text.replace("<>", "").as_bytes());
        let rules: Vec<String> = found.iter().map(|f| f.rule.to_string()).collect();
        let expected: Vec<String> = example.code.iter().map(|c| format!("secrets/{c}")).collect();
        assert_eq!(rules, expected, "{}", example.text);
    }
    assert!(RULE.about().is_ok_and(|a| a.codes.iter().any(|c| c.code == "<detector>")));
}
