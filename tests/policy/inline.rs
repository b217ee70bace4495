//! Allows beside what they excuse: they need a reason, and count only where the policy lets them.

use std::collections::HashMap;

use portcullis::finding::{Findings, NothingToHide, Origin, Redact, Severity, Violation, trailer_allows};
use portcullis::policy::{Batch, Run};
use portcullis::stats::Stats;
use portcullis::subject::Oid;

use super::toy::{TODAY, file, policy, settle, shown};

#[test]
fn on_the_line_or_the_one_above() {
    for text in [
        "BAD # portcullis: allow(toy) because of tests",
        "# portcullis: allow(toy/one) because of tests\nBAD",
        "<!-- portcullis: allow(other, toy) because of tests -->\nBAD",
        "/* portcullis: allow(toy/one)  because of tests */ BAD\r\n",
    ] {
        let found = shown(&settle(&policy(""), vec![file("toy/one", "a", text)]));
        assert!(found.len() == 1 && found[0].ends_with(" (inline: of tests)"), "{text}: {found:?}");
    }
    for text in [
        "# portcullis: allow(toy) because of tests\n\nBAD",
        "BAD\n# portcullis: allow(toy) because of tests",
        "BAD # portcullis: allow(toy/two) because of tests",
        "BAD # portcullis: allow(to) because of tests",
        "BAD # portcullis: allow() because of tests",
        "BAD # portcullis: allow(toy because of tests",
        "BAD # allow(toy) because of tests",
    ] {
        let found = shown(&settle(&policy(""), vec![file("toy/one", "a", text)]));
        assert!(found.len() == 1 && !found[0].contains('('), "{text}: {found:?}");
    }
}

#[test]
fn without_a_reason_it_is_an_error_of_its_own() {
    for text in [
        "BAD # portcullis: allow(toy)",
        "BAD # portcullis: allow(toy) because",
        "BAD # portcullis: allow(toy) becauseof",
    ] {
        let report = settle(&policy(""), vec![file("toy/one", "a", text)]);
        assert_eq!(shown(&report), ["Error exceptions/no-reason a:1:1", "Error toy/one a:1:1"], "{text}");
        assert_ne!(report.findings[0].fingerprint, report.findings[1].fingerprint);
    }
}

#[test]
fn a_denied_family_ignores_it_and_says_so() {
    let text = "BAD # portcullis: allow(toy) because of tests";
    let report = settle(&policy("inline: { deny: [toy] }"), vec![file("toy/one", "a", text)]);
    assert_eq!(shown(&report), ["Error toy/one a:1:1"]);
    assert!(report.findings[0].notes[0].contains("denies inline allows of `toy`"));
    let bare = settle(&policy("inline: { deny: [toy] }"), vec![file("toy/one", "a", "BAD # portcullis: allow(toy)")]);
    assert_eq!(bare.findings.len(), 1, "an allow that cannot count needs no reason");
    let quiet = settle(&policy("inline: { deny: [toy] }"), vec![file("toy/one", "a", "BAD")]);
    assert!(quiet.findings[0].notes.is_empty());
    let secrets = settle(&policy(""), vec![file("secrets/token", "a", "BAD # portcullis: allow(secrets) because x")]);
    assert_eq!(shown(&secrets), ["Error secrets/token a:1:1"], "denied by default");
}

#[test]
fn trailers_stand_in_the_last_paragraph() {
    let read = |message: &str| {
        let list = trailer_allows(message.as_bytes(), &NothingToHide);
        list.into_iter().map(|a| format!("{}={}", a.rule, a.reason)).collect::<Vec<_>>()
    };
    assert_eq!(read("feat: x\n\nPortcullis-Allow: toy because of y\n"), ["toy=of y"]);
    assert_eq!(
        read("feat: x\r\n\r\nbody\r\n\r\nportcullis-allow: a, b/c because z\r\nX: y\r\n   \r\n"),
        ["a=z", "b/c=z"]
    );
    assert_eq!(read("feat: x\n\nPortcullis-Allow: toy"), ["toy="]);
    for none in [
        "Portcullis-Allow: toy because y",
        "\n\nPortcullis-Allow: toy because y",
        "f: x\n\nPortcullis-Allow: toy because y\n\nend",
        "",
        "\n\n",
    ] {
        assert_eq!(read(none), [""; 0], "{none:?}");
    }
}

#[test]
fn a_trailer_counts_for_its_own_commit() {
    let oid = |digit: &str| Oid::from_hex(digit.repeat(40).as_bytes());
    let found = |commit: Option<Oid>, line: &[u8]| {
        let mut findings = Findings::new(&NothingToHide, 0);
        findings.push(Violation::new("toy/one", Severity::Error, Origin::Message { commit }, line, 0..1));
        findings.into_vec().remove(0)
    };
    let findings = vec![found(oid("1"), b"one"), found(oid("2"), b"two"), found(None, b"pending")];
    let allows = trailer_allows(b"x\n\nPortcullis-Allow: toy because it must", &NothingToHide);
    let by_commit = |key| {
        let run = Run { trailers: HashMap::from([(key, allows.clone())]), ..Run::new(TODAY) };
        let batch = Batch { refs: Default::default(), findings: findings.clone() };
        let report = policy("").settle(vec![batch], vec![], Stats::default(), &run);
        let suppressed: Vec<_> =
            report.suppressed().map(|f| (f.suppressed.as_ref().unwrap().by, f.excerpt.text.clone())).collect();
        suppressed
    };
    assert_eq!(by_commit(oid("1")), [("trailer", "one".into())]);
    assert_eq!(by_commit(None), [("trailer", "pending".into())]);
}

#[test]
fn skips_are_told() {
    let run = Run { skip: vec!["toy".into()], ..Run::new(TODAY) };
    let report = policy("").settle(
        vec![file("toy/one", "a", "BAD"), file("data/x", "a", "BAD")],
        vec![],
        Stats::default(),
        &run,
    );
    assert_eq!(shown(&report), ["Error data/x a:1:1", "Error toy/one a:1:1 (skip: skipped by the user)"]);
}

#[test]
fn a_reason_shows_no_secret() {
    struct Hides;
    impl Redact for Hides {
        fn secrets(&self, bytes: &[u8]) -> Vec<std::ops::Range<usize>> {
            bytes.windows(6).enumerate().filter(|(_, w)| *w == b"hunter").map(|(at, _)| at..at + 6).collect()
        }
    }
    let text = b"x # portcullis: allow(toy) because hunter\x1b[2J";
    let mut findings = Findings::new(&Hides, 0);
    let origin = Origin::File { path: "a".into(), commit: None, blob: None };
    findings.push(Violation::new("toy/one", Severity::Error, origin, text, 0..1));
    let report = settle(&policy(""), vec![Batch { refs: Default::default(), findings: findings.into_vec() }]);
    assert_eq!(report.findings[0].suppressed.as_ref().unwrap().reason, "********\\u{1b}[2J");
    let allows = trailer_allows(b"x\n\nPortcullis-Allow: toy because hunter", &Hides);
    assert_eq!(allows[0].reason, "********");
}
