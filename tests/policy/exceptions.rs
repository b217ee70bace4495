//! An exception excuses what all of its fields name, for as long as it says, and is judged itself.

use portcullis::finding::{Findings, NothingToHide, Origin, Severity, Violation};
use portcullis::policy::{Batch, Run};
use portcullis::report::Verdict;
use portcullis::rules;
use portcullis::stats::Stats;
use portcullis::subject::Oid;
use portcullis::yaml;

use super::toy::{TODAY, file, policy, settle, shown};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// One finding of `toy/one` in `a/b.yml`, in a commit on `main`, at a key.
fn sample() -> Batch {
    let mut findings = Findings::new(&NothingToHide, 0);
    let origin = Origin::File { path: "a/b.yml".into(), commit: Oid::from_hex(COMMIT.as_bytes()), blob: None };
    let violation = Violation::new("toy/one", Severity::Error, origin, b"k: BAD", 3..6).key("spec.list[0].k");
    findings.push(violation.message("bad"));
    Batch { refs: "refs/heads/main".into(), findings: findings.into_vec() }
}

fn excuses(fields: &str) -> bool {
    let policy = policy(&format!("exceptions: [{{ reason: because, {fields} }}]"));
    let report = settle(&policy, vec![sample()]);
    assert_eq!(report.findings.len(), 1, "{fields}");
    let suppressed = report.findings[0].suppressed.as_ref();
    assert!(suppressed.is_none_or(|s| s.by == "exception" && s.reason == "because"));
    assert_eq!(report.verdict() == Verdict::Pass, suppressed.is_some());
    suppressed.is_some()
}

#[test]
fn every_field_must_hold() {
    let fingerprint = sample().findings[0].fingerprint.clone();
    let (head, long) = (&fingerprint[..8], &fingerprint[..31]);
    let wrong = if head.starts_with('0') { "11111111" } else { "00000000" };
    let yes = [
        "rule: toy".to_owned(),
        "rule: toy/one".into(),
        "rule: toy, path: '*.yml'".into(),
        "rule: toy, path: a".into(),
        format!("rule: toy, fingerprint: '{head}'"),
        format!("rule: toy, fingerprint: '{}'", long.to_uppercase()),
        format!("rule: toy, commit: '{}'", COMMIT.to_uppercase()),
        "rule: toy, ref: main".into(),
        "rule: toy, ref: 'refs/heads/*'".into(),
        "rule: toy, key: 'spec.list[0].k'".into(),
        "rule: toy, key: 'spec.*.k'".into(),
        "rule: toy, key: '*'".into(),
        "rule: toy, until: 2026-06-15".into(),
        format!(
            "rule: toy/one, path: a/b.yml, fingerprint: '{fingerprint}', commit: {COMMIT}, ref: main, key: 'spec*', until: 2027-06-14"
        ),
    ];
    for fields in &yes {
        assert!(excuses(fields), "{fields}");
    }
    let no = [
        "rule: toy/two".to_owned(),
        "rule: data".into(),
        "rule: toy, path: b".into(),
        format!("rule: toy, fingerprint: '{wrong}'"),
        format!("rule: toy, commit: '1{}'", &COMMIT[1..]),
        "rule: toy, ref: dev".into(),
        "rule: toy, key: spec".into(),
        "rule: toy, key: 'spec.*.j'".into(),
        "rule: toy, key: '*.j*'".into(),
        format!("rule: toy, path: a/b.yml, fingerprint: '{wrong}'"),
    ];
    for fields in &no {
        assert!(!excuses(fields), "{fields}");
    }
}

#[test]
fn an_expired_one_is_an_error_in_the_policy_and_excuses_nothing() {
    let policy = policy("exceptions:\n  - { rule: toy, reason: x, until: 2026-06-14 }\n");
    let report = settle(&policy, vec![file("toy/one", "a", "BAD")]);
    assert_eq!(shown(&report), ["Error toy/one a:1:1", "Error exceptions/expired portcullis.yaml:2:36"]);
    assert!(matches!(report.findings[1].origin, Origin::Policy { .. }));
    assert!(report.findings[1].message.contains("expired on 2026-06-14"));
}

#[test]
fn one_without_a_reason_is_an_error_and_excuses_nothing() {
    for reason in ["", ", reason: ''", ", reason: ' '", ", reason: null"] {
        let policy = policy(&format!("exceptions:\n  - {{ rule: toy{reason} }}\n"));
        let report = settle(&policy, vec![file("toy/one", "a", "BAD")]);
        assert_eq!(
            shown(&report),
            ["Error toy/one a:1:1", "Error exceptions/no-reason portcullis.yaml:2:5"],
            "{reason}"
        );
    }
}

#[test]
fn one_that_lasts_too_long_is_an_error_unless_the_policy_allows_it() {
    let text = "exceptions: [{ rule: toy, reason: x, until: 2027-06-17 }]";
    let report = settle(&policy(text), vec![file("toy/one", "a", "BAD")]);
    assert_eq!(shown(&report), ["Error toy/one a:1:1", "Error exceptions/too-long portcullis.yaml:1:45"]);
    let longer = format!("{text}\nrules: {{ exceptions: {{ max-days: 367 }} }}");
    assert_eq!(
        shown(&settle(&policy(&longer), vec![file("toy/one", "a", "BAD")])),
        ["Error toy/one a:1:1 (exception: x)"]
    );
}

#[test]
fn an_unused_one_is_told_only_when_everything_was_seen() {
    let text = "exceptions:\n  - { rule: toy, path: gone, reason: x }\n  - { rule: toy, path: a, reason: y }\n  - { rule: toy, ref: main, reason: z }\n  - { rule: data, reason: z }\n";
    let policy = policy(text);
    let run = |complete: bool, only: &[&str]| {
        let only = only.iter().map(|s| s.to_string()).collect();
        let run = Run { complete, only, ..Run::new(TODAY) };
        shown(&policy.settle(vec![file("toy/one", "a", "BAD")], vec![], Stats::default(), &run))
    };
    let standing = "Error toy/one a:1:1 (exception: y)";
    assert_eq!(run(true, &[]), [standing, "Warning exceptions/unused portcullis.yaml:2:5"]);
    assert_eq!(run(false, &[]), [standing]);
    assert_eq!(run(true, &["toy"]), [standing]);
}

#[test]
fn what_exceptions_say_cannot_be_excepted_but_can_be_tuned() {
    let text = "exceptions:\n  - { rule: toy, reason: x, until: 2020-01-01 }\n  - { rule: exceptions, reason: y }\n";
    assert_eq!(shown(&settle(&policy(text), vec![])), ["Error exceptions/expired portcullis.yaml:2:36"]);
    let tuned = format!("{text}rules: {{ exceptions/expired: {{ severity: warning }} }}\n");
    assert_eq!(shown(&settle(&policy(&tuned), vec![])), ["Warning exceptions/expired portcullis.yaml:2:36"]);
}

#[test]
fn two_for_the_same_finding_are_both_used() {
    let policy = policy("exceptions: [{ rule: toy, reason: x }, { rule: toy/one, reason: y }]");
    let run = Run { complete: true, ..Run::new(TODAY) };
    let report = policy.settle(vec![file("toy/one", "a", "BAD")], vec![], Stats::default(), &run);
    assert_eq!(shown(&report), ["Error toy/one a:1:1 (exception: x)"]);
}

#[derive(serde::Deserialize)]
struct Examples {
    examples: PassAndFail,
}

#[derive(serde::Deserialize)]
struct PassAndFail {
    pass: Vec<String>,
    fail: Vec<Fail>,
}

#[derive(serde::Deserialize)]
struct Fail {
    code: String,
    exception: String,
}

#[test]
fn the_examples_of_the_family_are_true() {
    let about = rules::exceptions::RULE.about().unwrap();
    let Examples { examples } = yaml::from_document(rules::exceptions::RULE.policy, 1).unwrap();
    let run = |exception: &str| {
        let text = format!(
            "exceptions:\n  - {}",
            exception.replace("secrets/private-key", "toy/one").replace("secrets", "toy")
        );
        let run = Run { complete: true, ..Run::new(TODAY) };
        let used = file("toy/one", "test/fixtures/a.pem", "BAD");
        let unused = exception.contains("nothing is there");
        let batches = if unused { vec![] } else { vec![used] };
        let report = super::toy::policy(&text).settle(batches, vec![], Stats::default(), &run);
        report
            .standing()
            .iter()
            .map(|f| f.rule.to_string())
            .filter(|r| r.starts_with("exceptions/"))
            .collect::<Vec<_>>()
    };
    examples.pass.iter().for_each(|e| assert_eq!(run(e), [""; 0], "{e}"));
    for Fail { code, exception } in &examples.fail {
        assert_eq!(run(exception), [format!("exceptions/{code}")], "{exception}");
    }
    let failing: Vec<_> = examples.fail.iter().map(|f| f.code.as_str()).collect();
    assert!(about.codes.iter().all(|c| failing.contains(&c.code.as_str())), "every code has an example");
}
