//! The report is the same whatever the order of findings, and what counts is never hidden by what does not.

use bstr::BString;
use portcullis::finding::{Findings, NothingToHide, Origin, Severity, Violation};
use portcullis::policy::{Batch, Run};
use portcullis::report::Verdict;
use portcullis::stats::Stats;

use super::toy::{TODAY, file, files, policy, settle, shown};

#[test]
fn severities_and_scopes_of_families_and_codes() {
    let batches =
        || vec![file("toy/one", "src/a.md", "BAD"), file("toy/two", "src/b", "BAD"), file("toy/two", "doc/c", "BAD")];
    for (rules, wanted) in [
        ("{}", vec!["Error toy/two doc/c:1:1", "Error toy/one src/a.md:1:1", "Error toy/two src/b:1:1"]),
        ("{ toy: { severity: off } }", vec![]),
        ("{ toy/two: { severity: off } }", vec!["Error toy/one src/a.md:1:1"]),
        ("{ toy: { severity: off }, toy/one: { severity: note } }", vec!["Note toy/one src/a.md:1:1"]),
        (
            "{ toy: { severity: warning }, toy/one: { severity: error } }",
            vec!["Error toy/one src/a.md:1:1", "Warning toy/two doc/c:1:1", "Warning toy/two src/b:1:1"],
        ),
        ("{ toy: { include: [src] }, toy/two: { exclude: [b] } }", vec!["Error toy/one src/a.md:1:1"]),
        ("{ toy: { exclude: ['*.md'] }, toy/two: { include: [doc] } }", vec!["Error toy/two doc/c:1:1"]),
    ] {
        assert_eq!(shown(&settle(&policy(&format!("rules: {rules}")), batches())), wanted, "{rules}");
    }
}

#[test]
fn a_familys_severity_leaves_notes_alone() {
    let mut findings = Findings::new(&NothingToHide, 0);
    let origin = Origin::File { path: "a".into(), commit: None, blob: None };
    findings.push(Violation::new("toy/one", Severity::Note, origin, b"x", 0..1));
    let batch = Batch { refs: Default::default(), findings: findings.into_vec() };
    for (rules, wanted) in [("toy: { severity: error }", "Note"), ("toy/one: { severity: error }", "Error")] {
        let shown = shown(&settle(&policy(&format!("rules: {{ {rules} }}")), vec![batch.clone()]));
        assert_eq!(shown, [format!("{wanted} toy/one a:1:1")]);
    }
}

#[test]
fn branches_are_those_of_the_subject_or_of_the_ref_itself() {
    let update = |name: &str| {
        let mut findings = Findings::new(&NothingToHide, 0);
        let origin = Origin::Ref { name: name.into(), old: None, new: None };
        findings.push(Violation::new("toy/one", Severity::Error, origin, name.as_bytes(), 0..1));
        Batch { refs: Default::default(), findings: findings.into_vec() }
    };
    let policy = policy("rules: { toy/one: { branches: [main] } }");
    let count = |batch| settle(&policy, vec![batch]).findings.len();
    assert_eq!(
        (count(update("refs/heads/main")), count(update("refs/heads/dev")), count(update("refs/tags/v1"))),
        (1, 0, 1)
    );
    let with =
        |refs: &[&str]| Batch { refs: refs.iter().map(|r| BString::from(*r)).collect(), ..file("toy/one", "a", "BAD") };
    assert_eq!(
        (count(with(&["refs/heads/main", "refs/heads/x"])), count(with(&["refs/heads/x"])), count(with(&[]))),
        (1, 0, 1)
    );
}

#[test]
fn only_lets_nothing_else_through() {
    let run = |only: &str| {
        let run = Run { only: vec![only.into()], ..Run::new(TODAY) };
        let batches = vec![file("toy/one", "a", "BAD"), file("toy/two", "a", "BAD"), file("data/x", "a", "BAD")];
        let policy = policy("exceptions: [{ rule: toy/two, reason: x, until: 2020-01-01 }]");
        shown(&policy.settle(batches, vec![], Stats::default(), &run)).len()
    };
    assert_eq!((run("toy"), run("toy/one"), run("data"), run("exceptions")), (2, 1, 1, 1));
}

#[test]
fn one_secret_at_many_places_is_one_finding() {
    let report = settle(
        &policy(""),
        files("secrets/x", &[("b", "k: SAME"), ("a", "x\nk2: SAME"), ("c", "SAME SAME"), ("d", "BAD")]),
    );
    assert_eq!(shown(&report), ["Error secrets/x a:2:5", "Error secrets/x d:1:1"]);
    let also: Vec<_> = report.findings[0].also.iter().map(|p| format!("{}:{}", p.path, p.line)).collect();
    assert_eq!(also, ["b:1", "c:1"]);
}

#[test]
fn equal_fingerprints_are_one_finding() {
    let report = settle(
        &policy(""),
        vec![file("toy/one", "a", "BAD"), file("toy/one", "a", "x\nBAD"), file("toy/two", "a", "BAD")],
    );
    assert_eq!(shown(&report), ["Error toy/one a:1:1", "Error toy/two a:1:1"]);
    assert_eq!(report.findings[0].also.len(), 1);
}

#[test]
fn an_excused_place_never_hides_another() {
    let policy = policy("exceptions: [{ rule: data, path: a, reason: x }, { rule: data, path: c, reason: y }]");
    let report = settle(&policy, files("data/x", &[("a", "SAME"), ("b", "SAME"), ("c", "SAME"), ("d", "SAME")]));
    assert_eq!(
        shown(&report),
        ["Error data/x b:1:1", "Error data/x a:1:1 (exception: x)", "Error data/x c:1:1 (exception: y)"]
    );
    assert_eq!(report.findings[0].also[0].path, "d");
    assert_eq!(report.verdict(), Verdict::Fail);
}

#[test]
fn any_order_makes_the_same_report() {
    let mut batches = files("data/x", &[("a", "BAD\nSAME"), ("b", "SAME BAD"), ("c", "BAD"), ("a", "SAME")]);
    batches.extend(files(
        "toy/one",
        &[("a", "BAD"), ("b", "BAD # portcullis: allow(toy) because x"), ("c", "BAD # portcullis: allow(toy)")],
    ));
    let policy = policy("exceptions: [{ rule: data, path: c, reason: x }]\nrules: { toy: { severity: warning } }");
    let wanted = settle(&policy, batches.clone()).findings;
    assert_eq!(wanted.len(), 8);
    for turn in 0..batches.len() {
        batches.rotate_left(1);
        batches.swap(turn, 0);
        assert_eq!(settle(&policy, batches.clone()).findings, wanted);
    }
}

#[test]
fn mode_and_denied_warnings_decide_the_exit_code() {
    let run = |text: &str, deny_warnings: bool| {
        let run = Run { deny_warnings, ..Run::new(TODAY) };
        policy(text).settle(vec![file("toy/one", "a", "BAD")], vec![], Stats::default(), &run).exit_code()
    };
    assert_eq!((run("", false), run("mode: report", false)), (1, 0));
    let warning = "rules: { toy: { severity: warning } }";
    assert_eq!((run(warning, false), run(warning, true)), (0, 1));
}
