//! The policy file as the command line uses it: mistakes, exceptions, inline allows, the baseline.

use super::{found, json, portcullis, token};
use crate::support::TestRepo;

#[test]
fn mistakes_are_told_all_at_once_with_carets() {
    let repo = TestRepo::init();
    repo.write("portcullis.yaml", "version: 1\nenviroments: {}\nrules:\n  secrts: {}\n  secrets: { binary: maybe }\n");
    let (code, report) = json(&repo, &["check"]);
    assert_eq!(code, 2);
    let told = found(&report);
    assert!(told.contains(&"policy/unknown-key portcullis.yaml:2:1".to_owned()), "{told:?}");
    assert!(told.iter().any(|f| f.ends_with("portcullis.yaml:4:3")), "{told:?}");
    let human = String::from_utf8(portcullis(&repo, &["check"]).stdout).unwrap();
    assert!(human.contains("did you mean `environments`?") && human.contains("did you mean `secrets`?"), "{human}");
}

#[test]
fn what_stands_can_be_accepted_and_what_is_new_is_not() {
    let repo = TestRepo::init();
    repo.write("a.yaml", format!("token: {}\n", token()));
    let policy = "# ours\nversion: 1   # keep\n";
    repo.write("portcullis.yaml", policy);
    assert_eq!(portcullis(&repo, &["check", "--write-exceptions"]).status.code(), Some(0));
    let written = std::fs::read_to_string(repo.path().join("portcullis.yaml")).unwrap();
    assert!(written.starts_with(policy) && written.contains("reason: \"baseline\""), "{written}");
    let (code, report) = json(&repo, &["check"]);
    assert_eq!((code, report["summary"]["suppressed"].as_u64()), (0, Some(1)));
    // Lines above it do not matter; another place does.
    repo.write("a.yaml", format!("# new\n\ntoken: {}\n", token()));
    assert_eq!(json(&repo, &["check"]).0, 0);
    repo.write("b.yaml", format!("token: {}\n", token()));
    let (code, report) = json(&repo, &["check"]);
    assert_eq!(code, 1);
    assert!(found(&report).iter().any(|f| f == "secrets/github-pat b.yaml:1:8"), "{:?}", found(&report));
}

#[test]
fn inline_allows_need_a_reason_and_can_be_denied() {
    let repo = TestRepo::init();
    let allow = |reason: &str| format!("token: {} # portcullis: allow(secrets){reason}\n", token());
    repo.write("a.yaml", allow(" because it is made up"));
    let (code, report) = json(&repo, &["check"]);
    assert_eq!(code, 1, "by default a secret cannot be excused where it stands");
    assert!(report["findings"][0]["notes"].to_string().contains("inline"), "{report}");
    repo.write("portcullis.yaml", "version: 1\ninline: { deny: [] }\n");
    assert_eq!(json(&repo, &["check"]).0, 0);
    repo.write("a.yaml", allow(""));
    let (code, report) = json(&repo, &["check"]);
    assert_eq!(code, 1);
    assert!(found(&report).iter().any(|f| f.starts_with("exceptions/no-reason")), "{:?}", found(&report));
}

#[test]
fn an_expired_exception_is_a_finding_itself() {
    let repo = TestRepo::init();
    repo.write("a.yaml", format!("token: {}\n", token()));
    repo.write(
        "portcullis.yaml",
        "version: 1\nexceptions:\n  - { rule: secrets, path: a.yaml, reason: old, until: 2020-01-01 }\n",
    );
    let (code, report) = json(&repo, &["check"]);
    assert_eq!(code, 1);
    assert!(
        found(&report).iter().any(|f| f.starts_with("exceptions/expired portcullis.yaml:3")),
        "{:?}",
        found(&report)
    );
}

#[test]
fn a_policy_can_be_named_or_taken_from_a_commit() {
    let repo = TestRepo::init();
    repo.write("a.yaml", format!("token: {}\n", token()));
    repo.write("portcullis.yaml", "version: 1\nrules: { secrets: { severity: off } }\n");
    let first = repo.commit("feat: a");
    repo.write("portcullis.yaml", "version: 1\n");
    repo.write("other.yaml", "version: 1\nmode: report\n");
    assert_eq!(json(&repo, &["check"]).0, 1);
    assert_eq!(json(&repo, &["check", "--policy-from", &first]).0, 0);
    assert_eq!(json(&repo, &["check", "--policy", "other.yaml"]).0, 0, "reported, not refused");
    assert_eq!(portcullis(&repo, &["check", "--policy", "missing.yaml"]).status.code(), Some(2));
}
