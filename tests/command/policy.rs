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

#[test]
fn the_whole_policy_is_judged_whatever_is_checked_and_hooks_read_what_they_need() {
    let repo = TestRepo::init();
    repo.write("message", "feat: x\n");
    // Off, of no use to a work tree, and beside a mistake in what is shared.
    for (policy, count) in [
        ("rules: { semver-tags: { prefx: v } }", 1),
        ("rules: { semver-tags: { severity: off, prefx: v } }", 1),
        ("enviroments: {}\nrules: { semver-tags: { prefx: v }, branch-topology: { manul: deny } }", 3),
    ] {
        repo.write("portcullis.yaml", format!("version: 1\n{policy}\n"));
        for args in [&["check"][..], &["check", "--only", "secrets"], &["check", "--message", "message"]] {
            let (code, report) = json(&repo, args);
            assert_eq!((code, found(&report).len()), (2, count), "{policy} {args:?}: {:?}", found(&report));
        }
    }
    repo.write("portcullis.yaml", "version: 1\nrules: { semver-tags: { prefx: v } }\n");
    assert_eq!(portcullis(&repo, &["hook", "run", "pre-commit"]).status.code(), Some(0));
}

#[test]
fn a_change_of_the_policy_is_told_line_by_line() {
    let repo = TestRepo::init();
    repo.write("portcullis.yaml", "version: 1\nrules: { secrets: { severity: error } }\n");
    repo.commit("feat: policy");
    let diff = |a: &str, b: &str| {
        let output = portcullis(&repo, &["policy", "diff", a, b]);
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    repo.write("portcullis.yaml", "version: 1\nmode: report\nrules: { secrets: { severity: error } }\napprovers: []\n");
    let (code, text) = diff("HEAD", "portcullis.yaml");
    assert_eq!(
        (code, text.as_str()),
        (Some(1), "relaxed    mode: enforce -> report\n1 relaxed, 0 tightened, 0 neutral\n")
    );
    let (code, text) = diff("portcullis.yaml", "HEAD");
    assert_eq!((code, text.lines().next()), (Some(0), Some("tightened  mode: report -> enforce")));
    assert_eq!(diff("HEAD", "nowhere").0, Some(2));
    repo.write("portcullis.yaml", "version: 1\nnonsense: 1\n");
    let (code, text) = diff("HEAD", "portcullis.yaml");
    assert!(code == Some(2) && text.contains("nonsense"), "{text}");
}

/// More findings than a policy is to have exceptions.
fn many_tokens(repo: &TestRepo, files: std::ops::Range<u32>) {
    for n in files {
        repo.write(
            &format!("{n:02}.yaml"),
            format!("token: {}\n", token()).replacen("token", &format!("token_{n}"), 1),
        );
    }
}

#[test]
fn a_baseline_stands_beside_the_policy_and_is_read_with_it() {
    let repo = TestRepo::init();
    many_tokens(&repo, 0..1);
    repo.write("portcullis.baseline.yaml", "# ours\nversion: 1\n");
    repo.write("portcullis.yaml", "version: 1\n");
    let out = portcullis(&repo, &["check", "--write-exceptions"]);
    let told = String::from_utf8(out.stdout).unwrap();
    assert!(told.contains("1 finding excepted in ") && told.contains("portcullis.baseline.yaml"), "{told}");
    assert_eq!(std::fs::read_to_string(repo.path().join("portcullis.yaml")).unwrap(), "version: 1\n");
    assert_eq!(json(&repo, &["check"]).0, 0);
    repo.commit("feat: all");
    // By its name, from a commit, without the policy itself, and not for another policy.
    for (args, code) in [
        (&["check", "--policy", "portcullis.yaml"][..], 0),
        (&["check", "--policy-from", "HEAD"], 0),
        (&["check", "--policy-from", "HEAD", "--only", "secrets"], 0),
    ] {
        assert_eq!(json(&repo, args).0, code, "{args:?}");
    }
    repo.write("other.yaml", "version: 1\n");
    assert_eq!(json(&repo, &["check", "--policy", "other.yaml"]).0, 1);
    repo.write("other.baseline.yaml", std::fs::read(repo.path().join("portcullis.baseline.yaml")).unwrap());
    assert_eq!(json(&repo, &["check", "--policy", "other.yaml"]).0, 0);
    std::fs::remove_file(repo.path().join("portcullis.yaml")).unwrap();
    assert_eq!(json(&repo, &["check"]).0, 0, "a baseline stands beside the built-in defaults, too");
}

#[test]
fn baselines_of_two_branches_merge_line_by_line() {
    let repo = TestRepo::init();
    repo.write(".gitattributes", "portcullis.baseline.yaml merge=union\n");
    repo.write("portcullis.yaml", "version: 1\n");
    repo.write("portcullis.baseline.yaml", "version: 1\nexceptions:\n");
    repo.commit("chore: start");
    repo.git(["checkout", "-q", "-b", "topic"]);
    many_tokens(&repo, 1..3);
    assert_eq!(portcullis(&repo, &["check", "--write-exceptions"]).status.code(), Some(0));
    repo.commit("feat: topic");
    repo.git(["checkout", "-q", "main"]);
    many_tokens(&repo, 3..5);
    assert_eq!(portcullis(&repo, &["check", "--write-exceptions"]).status.code(), Some(0));
    repo.commit("feat: main");
    repo.git(["merge", "-q", "-m", "chore: merge", "topic"]);
    let (code, report) = json(&repo, &["check"]);
    // The same value in four files is one finding with four places.
    assert_eq!((code, report["summary"]["suppressed"].as_u64()), (0, Some(1)), "{report}");
}

#[test]
fn a_baseline_that_cannot_be_followed_is_told_in_its_own_name() {
    let repo = TestRepo::init();
    repo.write("portcullis.yaml", "version: 1\n");
    repo.write("portcullis.baseline.yaml", "version: 1\nexceptions:\n  - { rule: secrets, reason: all }\n");
    let (code, report) = json(&repo, &["check"]);
    assert_eq!(code, 2);
    assert!(found(&report)[0].ends_with("portcullis.baseline.yaml:3:5"), "{:?}", found(&report));
    std::fs::remove_file(repo.path().join("portcullis.baseline.yaml")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", repo.path().join("portcullis.baseline.yaml")).unwrap();
    let (code, report) = json(&repo, &["check"]);
    assert_eq!(code, 2);
    assert!(found(&report)[0].starts_with("policy/not-a-file portcullis.baseline.yaml"), "{:?}", found(&report));
}
