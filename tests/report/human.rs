//! What people see, to the letter.

use std::time::Duration;

use portcullis::error::Error;
use portcullis::finding::{Finding, Location, Origin, Severity, Suppression, Violation};
use portcullis::report::{Context, Report, Undecided, Verbosity, human};
use portcullis::stats::Stats;

use super::corpus::{SECRET, at, born, file, findings, oid, report};
use super::text;

fn told(report: &Report, ctx: &Context<'_>) -> String {
    text(human::render, report, ctx)
}

fn leak() -> Finding {
    let source = format!("a: 1\nb: 2\ntoken: {SECRET}\n");
    let range = 17..17 + SECRET.len();
    born(
        Violation::new(
            "secrets/example-token",
            Severity::Error,
            file("ops/deploy.sh"),
            source.as_bytes(),
            range.clone(),
        )
        .secret(range)
        .message("an access token")
        .help("revoke it where it was made, then\ngit rebase -i 0f0f0f0f0f^")
        .also(Location { path: "old/deploy.sh".into(), commit: Some(oid(2)), line: 9 }),
    )
}

#[test]
fn a_secret_with_all_there_is_to_say() {
    let expected = "\
error[secrets/example-token]: an access token
  ┌─ ops/deploy.sh:3:8
  │
3 │ token: ********
  │        ^^^^^^^^
  │
  = in commit 0f0f0f0f0f
  = also: old/deploy.sh:9 (commit 0202020202)
  = help: revoke it where it was made, then
          git rebase -i 0f0f0f0f0f^
  = more: portcullis explain secrets/example-token

portcullis: fail: 1 error; 0 suppressed, 0 not decided
";
    assert_eq!(told(&report(vec![leak()]), &Context::default()), expected);
}

#[test]
fn worst_first_and_each_rule_explained_once() {
    let note = at("b/note", Severity::Note, Origin::Message { commit: None }, b"feat: x", b"feat");
    let error = at("a/error", Severity::Error, file("f"), b"x\ny", b"y");
    let other = at("a/error", Severity::Error, file("g"), b"x", b"x");
    let expected = "\
error[a/error]: found by a/error
  ┌─ f:2:1
  │
2 │ y
  │ ^
  │
  = in commit 0f0f0f0f0f
  = more: portcullis explain a/error

error[a/error]: found by a/error
  ┌─ g:1:1
  │
1 │ x
  │ ^
  │
  = in commit 0f0f0f0f0f

note[b/note]: found by b/note
  ┌─ commit message:1:1
  │
1 │ feat: x
  │ ^^^^
  │
  = more: portcullis explain b/note

portcullis: fail: 2 errors, 1 note; 0 suppressed, 0 not decided
";
    assert_eq!(told(&report(vec![note, error, other]), &Context::default()), expected);
}

#[test]
fn what_was_not_decided_stands_before_the_verdict() {
    let undecided = Undecided {
        error: Error::undecided("the history is cut off").hint("git fetch --unshallow"),
        origin: Some(Origin::Ref { name: "refs/heads/main".into(), old: None, new: None }),
    };
    let report = Report {
        errors: vec![undecided],
        notes: vec!["judged by the old policy".into()],
        stats: Stats { policies_parsed: 1, commits_decoded: 2, bytes_read: 9, ..Stats::default() },
        ..report(Vec::new())
    };
    let ctx = Context { stats: true, elapsed: Some(Duration::from_micros(12_345)), ..Context::default() };
    let expected = "\
note: judged by the old policy

not decided: update of refs/heads/main: the history is cut off
  = help: git fetch --unshallow

work: 1 policy parsed, 2 commits decoded, 0 trees diffed, 0 blobs (9 bytes, 0 binary) read, 0 patterns compiled
time: 12.3 ms
portcullis: undecided: no findings; 0 suppressed, 1 not decided
";
    assert_eq!(told(&report, &ctx), expected);
}

#[test]
fn the_column_of_a_windowed_line_is_the_real_one() {
    let mut source = b"x\n".to_vec();
    source.extend(vec![b'a'; 1 << 20]);
    source[700_002..700_008].copy_from_slice(b"needle");
    let finding = at("a/b", Severity::Error, file("app.min.js"), &source, b"needle");
    let out = told(&report(vec![finding]), &Context::default());
    assert!(out.contains("┌─ app.min.js:2:700001\n"), "{out}");
    assert!(out.len() < 1000, "{}", out.len());
    let lines: Vec<&str> = out.lines().collect();
    let caret = lines[4].chars().position(|c| c == '^').expect("a caret");
    assert_eq!(lines[3].chars().skip(caret).take(6).collect::<String>(), "needle");
}

#[test]
fn the_caret_stays_under_its_text_when_the_line_is_disarmed() {
    let finding = at("a/b", Severity::Error, file("f"), b"##vso[x]needle ##[y]", b"needle");
    let out = told(&report(vec![finding]), &Context::default());
    assert!(out.contains("1 │ #\\u{23}vso[x]needle #\\u{23}[y]\n  │              ^^^^^^\n"), "{out}");
    assert!(out.contains("f:1:9\n"), "{out}");
}

#[test]
fn suppressed_ones_are_for_those_who_ask() {
    let mut finding = leak();
    finding.suppressed = Some(Suppression { by: "exception", reason: "a fixture".into() });
    let report = report(vec![finding]);
    let short = told(&report, &Context::default());
    assert_eq!(short, "portcullis: pass: no findings; 1 suppressed, 0 not decided\n");
    let long = told(&report, &Context { verbosity: Verbosity::Verbose, ..Context::default() });
    assert!(long.contains("= suppressed by exception: a fixture\n"), "{long}");
    assert!(long.contains(&format!("= fingerprint: {}\n", report.findings[0].fingerprint)), "{long}");
}

#[test]
fn quiet_says_the_verdict_only_and_only_a_bad_one() {
    let ctx = Context { verbosity: Verbosity::Quiet, stats: true, ..Context::default() };
    assert_eq!(told(&report(vec![leak()]), &ctx), "portcullis: fail: 1 error; 0 suppressed, 0 not decided\n");
    let note = at("b/note", Severity::Note, file("f"), b"x", b"x");
    assert_eq!(told(&report(vec![note]), &ctx), "");
}

#[test]
fn colour_changes_nothing_but_colour() {
    let report = report(findings());
    let plain = told(&report, &Context::default());
    let colored = told(&report, &Context { color: true, ..Context::default() });
    assert!(!plain.contains('\x1b') && colored.contains('\x1b'));
    let codes = regex::Regex::new("\x1b\\[[0-9;]*m").expect("valid");
    assert_eq!(codes.replace_all(&colored, ""), plain);
}

#[test]
fn paths_open_from_where_the_user_stands() {
    let ctx = Context { to_root: "../../", ..Context::default() };
    let out = told(&report(vec![leak()]), &ctx);
    assert!(out.contains("┌─ ../../ops/deploy.sh:3:8\n") && out.contains("also: ../../old/deploy.sh:9"), "{out}");
    let message = at("a/b", Severity::Error, Origin::Message { commit: None }, b"x", b"x");
    assert!(told(&report(vec![message]), &ctx).contains("┌─ commit message:1:1\n"));
}
