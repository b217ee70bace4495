//! Verdict and exit code.

use portcullis::error::Error;
use portcullis::finding::{Severity, Suppression};
use portcullis::report::{Report, Undecided, Verdict};

use super::corpus::{at, file, report};

fn with(severities: &[Severity], errors: &[Error]) -> Report {
    let findings = severities.iter().map(|s| at("a/b", *s, file("f"), b"x", b"x")).collect();
    let errors = errors.iter().map(|e| Undecided { error: e.clone(), origin: None }).collect();
    Report { errors, ..report(findings) }
}

#[test]
fn exit_codes() {
    use Severity::{Error as E, Note, Warning};
    let unseen = || Error::undecided("shallow clone");
    let wrong = || Error::usage("no such rule");
    let table = [
        (with(&[], &[]), Verdict::Pass, 0),
        (with(&[Note, Warning], &[]), Verdict::Pass, 0),
        (with(&[Note, E], &[]), Verdict::Fail, 1),
        (with(&[], &[unseen()]), Verdict::Undecided, 3),
        (with(&[Warning], &[unseen()]), Verdict::Undecided, 3),
        (with(&[E], &[unseen()]), Verdict::Fail, 1),
        (with(&[], &[unseen(), wrong()]), Verdict::Undecided, 2),
        (Report { deny_warnings: true, ..with(&[Warning], &[]) }, Verdict::Fail, 1),
        (Report { deny_warnings: true, ..with(&[Note], &[]) }, Verdict::Pass, 0),
        (Report { enforce: false, ..with(&[E], &[]) }, Verdict::Fail, 0),
        (Report { enforce: false, ..with(&[], &[unseen()]) }, Verdict::Undecided, 0),
    ];
    for (n, (report, verdict, code)) in table.iter().enumerate() {
        assert_eq!((report.verdict(), report.exit_code()), (*verdict, *code), "row {n}");
    }
}

#[test]
fn what_is_suppressed_does_not_count() {
    let mut report = with(&[Severity::Error], &[]);
    report.findings[0].suppressed = Some(Suppression { by: "exception", reason: "fixture".into() });
    assert_eq!(report.verdict(), Verdict::Pass);
    assert_eq!(report.sentence(), "pass: no findings; 1 suppressed, 0 not decided");
}

#[test]
fn the_sentence_says_why() {
    let warned = Report { deny_warnings: true, ..with(&[Severity::Warning], &[]) };
    assert_eq!(warned.sentence(), "fail: 1 warning (warnings are denied); 0 suppressed, 0 not decided");
    let logged = Report { enforce: false, ..with(&[Severity::Error, Severity::Error], &[]) };
    assert_eq!(logged.sentence(), "fail (reported only, nothing is refused): 2 errors; 0 suppressed, 0 not decided");
}
