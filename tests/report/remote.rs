//! The pusher's profile: widths, caps, and the line that repairs.

use portcullis::error::Error;
use portcullis::finding::{Finding, Origin, Severity};
use portcullis::report::{Context, Report, Undecided, Verbosity};
use unicode_width::UnicodeWidthStr as _;

use super::corpus::{at, file, findings, hostile, oid, report};
use super::formats::{for_bare, for_gitlab};
use super::text;

fn told(report: &Report) -> String {
    text(for_bare, report, &Context::default())
}

fn many(n: usize, path: &str) -> Vec<Finding> {
    (0..n).map(|i| at("a/b", Severity::Error, file(format!("{path}{i}")), b"x", b"x")).collect()
}

#[test]
fn no_line_is_wider_than_72_columns_and_no_output_longer_than_8_kib() {
    let wide = |n| many(n, &"漢字".repeat(60));
    let zalgo = |n| many(n, &"e\u{301}\u{302}\u{303}".repeat(200));
    let words = |n| many(n, &"word ".repeat(2000));
    let notes = Report { notes: vec!["e\u{301}".repeat(9000); 9], ..hostile() };
    for report in [report(wide(80)), report(zalgo(80)), report(words(80)), report(findings()), hostile(), notes] {
        for render in [for_bare, for_gitlab] {
            let out = text(render, &report, &Context::default());
            assert!(out.len() <= 8192, "{}", out.len());
            for line in out.lines() {
                assert!(line.width() <= 72, "{} columns: {line}", line.width());
            }
            assert!(out.lines().any(|l| l.contains("repair: ")), "{out}");
        }
    }
}

#[test]
fn at_most_fifty_and_a_true_count_of_the_rest() {
    for n in [49, 50, 51, 1000] {
        let out = told(&report(many(n, "f")));
        let shown = out.matches("error: found").count();
        assert!(shown <= 50 && shown > 40, "{shown}");
        let rest = n - shown;
        assert_eq!(out.contains(&format!("\nand {rest} more\n")), rest > 0, "{out}");
    }
}

#[test]
fn worst_first_repair_last() {
    let warning = at("a/w", Severity::Warning, file("f"), b"x", b"x");
    let error = at("a/e", Severity::Error, file("g"), b"x\ny", b"y");
    let undecided = Undecided { error: Error::undecided("blob is missing").hint("git fsck"), origin: Some(file("h")) };
    let expected = "\
portcullis: fail: 1 error, 1 warning; 0 suppressed, 1 not decided
error: found by a/e
  at g:2:1 (commit 0f0f0f0f0f)
  rule a/e
not decided: blob is missing
  at h
  git fsck
warning: found by a/w
  at f:1:1 (commit 0f0f0f0f0f)
  rule a/w
repair: git rebase -i 0f0f0f0f0f^ (or git commit --amend), then push
";
    assert_eq!(told(&Report { errors: vec![undecided], ..report(vec![warning, error]) }), expected);
}

#[test]
fn gitlab_shows_only_lines_with_its_prefix() {
    let out = text(for_gitlab, &hostile(), &Context::default());
    assert!(out.lines().all(|l| l.starts_with("GL-HOOK-ERR:")), "{out}");
}

#[test]
fn a_name_in_the_repair_line_is_one_word_for_a_shell() {
    let tag = at("a/b", Severity::Error, Origin::Tag { name: "v1;$(x)'y".into(), oid: oid(1) }, b"x", b"x");
    let last = told(&report(vec![tag])).lines().last().expect("a line").to_owned();
    assert_eq!(last, r"repair: git tag -d 'v1;$(x)'\''y', then tag and push");
}

#[test]
fn several_commits_are_not_repaired_one_by_one() {
    let other = Origin::Message { commit: Some(oid(2)) };
    let findings =
        vec![at("a/b", Severity::Error, file("f"), b"x", b"x"), at("a/c", Severity::Error, other, b"x", b"x")];
    let out = told(&report(findings));
    assert!(out.ends_with("repair: git rebase -i (edit the commits above), then push\n"), "{out}");
}

#[test]
fn a_pass_without_findings_is_silent() {
    assert_eq!(told(&report(Vec::new())), "");
    let warned = report(vec![at("a/b", Severity::Warning, file("f"), b"x", b"x")]);
    assert!(told(&warned).starts_with("portcullis: pass: 1 warning; 0 suppressed, 0 not decided\nwarning: found"));
    assert!(!told(&warned).contains("repair"));
    let quiet = Context { verbosity: Verbosity::Quiet, ..Context::default() };
    assert_eq!(text(for_bare, &warned, &quiet), "");
}
