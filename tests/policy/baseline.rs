//! `--write-exceptions`: after it nothing stands, and no byte of the user's is lost.

use bstr::ByteSlice as _;
use portcullis::finding::{Findings, NothingToHide, Origin, Severity, Violation};
use portcullis::options::PolicyFile;
use portcullis::policy::{Accepted, Batch, Before, Policy, accept};
use portcullis::report::Report;

use super::toy::{RULES, TODAY, file, files, policy, settle, shown, told};

fn batches() -> Vec<Batch> {
    let mut list = files("toy/one", &[("a.txt", "BAD"), ("x/[b] *\"é\".txt", "BAD\nx\nBAD"), ("!c", "BAD")]);
    list.extend(files("data/t", &[("s", "SAME"), ("r", "k SAME")]));
    let mut findings = Findings::new(&NothingToHide, 0);
    let origin = Origin::Ref { name: "refs/heads/x".into(), old: None, new: None };
    findings.push(Violation::new("data/ref", Severity::Warning, origin, b"x", 0..1));
    let origin = Origin::File { path: b"\xff\n".as_bstr().into(), commit: None, blob: None };
    findings.push(Violation::new("toy/two", Severity::Warning, origin.clone(), b"y", 0..1));
    findings.push(Violation::new("toy/two", Severity::Note, origin, b"z", 0..1));
    list.push(Batch { refs: Default::default(), findings: findings.into_vec() });
    list
}

const SHAPES: &[&str] = &[
    "",
    "# only a comment",
    "version: 1\n",
    "version: 1",
    "\u{feff}version: 1\n# end\n",
    "version: 1\r\nmode: enforce # x\r\n",
    "version: 1\nexceptions: []\nmode: enforce\n",
    "version: 1\nexceptions: [ # none yet\n  ]\n",
    "exceptions: [{ rule: data/z, reason: y }]\n",
    "exceptions: [\n  { rule: data/z, reason: y }, # because\n]\nmode: enforce\n",
    "exceptions:\n  - { rule: data/z, reason: y } # why\n  # between\n\nmode: enforce\n",
    "exceptions:\n- rule: data/z\n  reason: >-\n    y\n    z\n\n# after\nmode: enforce\n",
    "exceptions:\n- rule: data/z\n  reason: y",
    "version: 1\r\nexceptions:\r\n    -   rule: data/z\r\n        reason: y\r\nmode: enforce\r\n",
    "exceptions:\nmode: enforce\n",
    "exceptions: # none\nmode: enforce\n",
    "exceptions: null # none\n",
    "exceptions: ~",
    "{ version: 1 }\n",
    "{}\n",
    "{ version: 1, exceptions: [], mode: enforce }",
    "{ exceptions: , mode: enforce }",
    "  exceptions:\n  mode: enforce\n",
    "  version: 1\n  mode: enforce\n",
    "---\nversion: 1\n...\n# over\n",
];

fn into(report: &Report, policy: Option<&[u8]>, baseline: Option<&[u8]>) -> Accepted {
    let before = Before { policy, baseline, baseline_name: "portcullis.baseline.yaml" };
    accept(report, &before, TODAY).unwrap_or_else(|e| panic!("{e}"))
}

/// The policy after few findings were accepted, if it changed.
fn into_policy(report: &Report, policy: Option<&[u8]>) -> Option<Vec<u8>> {
    let accepted = into(report, policy, None);
    assert_eq!(accepted.baseline, None);
    accepted.policy
}

#[test]
fn afterwards_nothing_stands() {
    for shape in SHAPES {
        let before = policy(shape);
        let report = settle(&before, batches());
        let standing = report.standing().iter().filter(|f| f.severity > Severity::Note).count();
        assert_eq!(standing, 7, "{shape}");
        let out = into_policy(&report, Some(shape.as_bytes())).expect(shape);
        let out = String::from_utf8(out).unwrap();
        let report = settle(&policy(&out), batches());
        assert_eq!(
            report.standing().iter().map(|f| f.severity).collect::<Vec<_>>(),
            [Severity::Note],
            "{out}\n{:?}",
            shown(&report)
        );
        // Everything that was there is still there, in its order; a written `null` gives way to the list.
        let mut rest = out.as_str();
        let written = shape.replace(" null", "").replace(" ~", "");
        let parts = written.split_inclusive(['\n', ' ', ']', '}', '[', '{']).map(str::trim).filter(|p| !p.is_empty());
        for part in parts {
            let at = rest.find(part).unwrap_or_else(|| panic!("{part:?} of {shape:?} is not in {out}"));
            rest = &rest[at + part.len()..];
        }
        assert_eq!(out.contains('\r'), shape.contains('\r'));
        assert!(!shape.contains('\r') || out.lines().count() == out.matches("\r\n").count(), "{out:?}");
        // A second run has nothing to add.
        assert_eq!(into_policy(&report, Some(out.as_bytes())), None);
    }
}

#[test]
fn a_missing_file_is_begun() {
    let report = settle(&policy(""), vec![file("toy/one", "a.txt", "BAD")]);
    let out = into_policy(&report, None).unwrap();
    let fingerprint = &report.findings[0].fingerprint;
    assert_eq!(
        out.to_str().unwrap(),
        format!(
            "version: 1\nexceptions:\n  - {{ rule: toy/one, path: \"/a.txt\", fingerprint: \"{fingerprint}\", reason: \"baseline\", until: 2027-06-15 }}\n"
        )
    );
    let clean = settle(&policy(""), vec![]);
    assert_eq!(into_policy(&clean, None), None);
}

#[test]
fn a_baseline_excuses_no_more_than_what_stood() {
    let report = settle(&policy(""), vec![file("toy/one", "x/[b]*.txt", "BAD")]);
    let out = String::from_utf8(into_policy(&report, None).unwrap()).unwrap();
    let later = settle(
        &policy(&out),
        vec![file("toy/one", "x/[b]*.txt", "new line\nBAD\nnew: BAD"), file("toy/one", "x/bb.txt", "BAD")],
    );
    assert_eq!(
        shown(&later),
        [
            "Error toy/one x/[b]*.txt:3:6",
            "Error toy/one x/bb.txt:1:1",
            "Error toy/one x/[b]*.txt:2:1 (exception: baseline)"
        ]
    );
}

#[test]
fn a_file_that_cannot_be_read_is_left_alone() {
    let report = settle(&policy(""), vec![file("toy/one", "a", "BAD")]);
    for broken in ["exceptions: [", "- a", "exceptions: { a: b }", "exceptions: x", "a: 1\n---\nb: 1\n", "a: 1\na: 2"] {
        let before = Before { policy: Some(broken.as_bytes()), baseline: None, baseline_name: "" };
        let error = accept(&report, &before, TODAY).expect_err(broken);
        assert!(error.message.starts_with("cannot write exceptions: "), "{broken}: {error}");
    }
}

/// The toy policy with this baseline beside it.
fn with(baseline: &str) -> Result<Policy, Vec<portcullis::options::Mistake>> {
    let baseline = PolicyFile::new("portcullis.baseline.yaml", baseline).as_baseline();
    Policy::load_for(vec![PolicyFile::new("portcullis.yaml", "version: 1\n"), baseline], RULES)
}

fn many(names: std::ops::Range<u32>) -> Vec<Batch> {
    names.map(|n| file("toy/one", &format!("{n:02}.txt"), "BAD")).collect()
}

#[test]
fn more_than_ten_findings_go_into_a_sorted_file_of_their_own() {
    let report = settle(&policy(""), many(0..11).into_iter().rev().collect());
    let accepted = into(&report, Some(b"version: 1\n"), None);
    assert_eq!((&accepted.policy, accepted.added, accepted.removed), (&None, 11, 0));
    let out = String::from_utf8(accepted.baseline.unwrap()).unwrap();
    let lines: Vec<&str> = out.lines().filter(|l| l.starts_with("  - { rule: toy/one, path: \"/")).collect();
    assert!(lines.len() == 11 && lines.is_sorted(), "{out}");
    let after = settle(&with(&out).unwrap(), many(0..12));
    assert_eq!(after.standing().len(), 1, "{:?}", shown(&after));
    // From then on everything goes there, and a second time nothing changes.
    let again = into(&after, Some(b"version: 1\n"), Some(out.as_bytes()));
    assert_eq!((&again.policy, again.added), (&None, 1));
    let out = again.baseline.unwrap();
    let after = settle(&with(out.to_str().unwrap()).unwrap(), many(0..12));
    assert_eq!(into(&after, None, Some(&out)), Accepted::default());
    // Exceptions that the policy has count.
    let policy_of_eight = into_policy(&settle(&policy(""), many(0..8)), None).unwrap();
    let more = settle(&policy(policy_of_eight.to_str().unwrap()), many(0..11));
    assert!(into(&more, Some(&policy_of_eight), None).baseline.is_some());
}

#[test]
fn a_baseline_keeps_comments_and_loses_what_nothing_needs() {
    let first = into(&settle(&policy(""), many(0..3)), None, Some(b""));
    let text = String::from_utf8(first.baseline.unwrap()).unwrap();
    let text =
        text.replacen("  - { rule: toy/one, path: \"/01", "  # agreed with Ann\n  - { rule: toy/one, path: \"/01", 1);
    for text in [text.clone(), text.replace('\n', "\r\n"), text.replace("  - ", "- "), format!("{text}# end\n")] {
        let before = with(&text).unwrap_or_else(|m| panic!("{text}: {:?}", told(&m)));
        let run = portcullis::policy::Run { complete: true, ..portcullis::policy::Run::new(TODAY) };
        // The first file is mended, another comes.
        let report = before.settle(many(1..4), Vec::new(), Default::default(), &run);
        let unused: Vec<_> = report.findings.iter().filter(|f| f.rule == "exceptions/unused").collect();
        assert_eq!(unused.len(), 1, "{:?}", shown(&report));
        let accepted = into(&report, None, Some(text.as_bytes()));
        assert_eq!((accepted.added, accepted.removed), (1, 1), "{text}");
        let out = String::from_utf8(accepted.baseline.unwrap()).unwrap();
        assert!(!out.contains("/00.txt") && out.contains("/03.txt") && out.contains("# agreed with Ann"), "{out}");
        assert!(out.find("# agreed").unwrap() < out.find("/01.txt").unwrap(), "{out}");
        assert_eq!(out.contains('\r'), text.contains('\r'));
        assert_eq!(out.contains("# end"), text.contains("# end"));
        assert!(with(&out).is_ok(), "{out}");
    }
}

#[test]
fn an_expired_exception_of_a_baseline_is_renewed_where_it_stands() {
    let first = into(&settle(&policy(""), many(0..2)), None, Some(b""));
    let text = String::from_utf8(first.baseline.unwrap()).unwrap().replace("until: 2027", "until: 2025");
    let text = text.replacen("  - {", "  # why\n  - {", 1);
    let report = settle(&with(&text).unwrap(), many(0..1));
    let accepted = into(&report, None, Some(text.as_bytes()));
    assert_eq!((accepted.added, accepted.removed), (1, 1));
    let out = String::from_utf8(accepted.baseline.unwrap()).unwrap();
    assert!(out.contains("# why") && out.contains("until: 2027") && !out.contains("until: 2025"), "{out}");
}

#[test]
fn the_last_exception_of_a_baseline_can_go() {
    let first = into(&settle(&policy(""), many(0..1)), None, Some(b"# ours\n"));
    let text = String::from_utf8(first.baseline.unwrap()).unwrap();
    assert!(text.starts_with("# ours\nexceptions:\n  - {"), "{text}");
    let run = portcullis::policy::Run { complete: true, ..portcullis::policy::Run::new(TODAY) };
    let report = with(&text).unwrap().settle(Vec::new(), Vec::new(), Default::default(), &run);
    let accepted = into(&report, None, Some(text.as_bytes()));
    let out = String::from_utf8(accepted.baseline.unwrap()).unwrap();
    assert_eq!((out.as_str(), accepted.removed), ("# ours\nexceptions: []\n", 1));
    let again = into(&settle(&with(&out).unwrap(), many(0..1)), None, Some(out.as_bytes()));
    assert!(with(again.baseline.unwrap().to_str().unwrap()).is_ok());
}

#[test]
fn a_baseline_holds_exceptions_for_single_findings_and_nothing_else() {
    for (text, wanted) in [
        ("mode: report\n", "unknown key"),
        ("extends: [trunk]\n", "unknown key"),
        ("exceptions:\n  - { rule: toy, reason: x }\n", "names a `fingerprint`"),
        ("exceptions:\n  - { rule: toy, path: '**', reason: x }\n", "names a `fingerprint`"),
        ("version: 2\n", "newer"),
    ] {
        let mistakes = with(text).expect_err(text);
        assert!(told(&mistakes)[0].contains(wanted), "{text}: {:?}", told(&mistakes));
        assert_eq!(mistakes[0].file.path, "portcullis.baseline.yaml");
    }
    for text in ["", "# nothing\n", "version: 1\n", "exceptions:\n", "exceptions: []\n"] {
        assert!(with(text).is_ok(), "{text}");
    }
}
