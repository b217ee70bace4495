//! `--write-exceptions`: after it nothing stands, and no byte of the user's is lost.

use bstr::ByteSlice;
use portcullis::finding::{Findings, NothingToHide, Origin, Severity, Violation};
use portcullis::policy::{Batch, write_exceptions};

use super::toy::{TODAY, file, files, policy, settle, shown};

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

#[test]
fn afterwards_nothing_stands() {
    for shape in SHAPES {
        let before = policy(shape);
        let report = settle(&before, batches());
        let standing = report.standing().iter().filter(|f| f.severity > Severity::Note).count();
        assert_eq!(standing, 7, "{shape}");
        let out = write_exceptions(&report, Some(shape.as_bytes()), TODAY).unwrap_or_else(|e| panic!("{shape}: {e}"));
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
        assert_eq!(write_exceptions(&report, Some(out.as_bytes()), TODAY).unwrap(), out.as_bytes());
    }
}

#[test]
fn a_missing_file_is_begun() {
    let report = settle(&policy(""), vec![file("toy/one", "a.txt", "BAD")]);
    let out = write_exceptions(&report, None, TODAY).unwrap();
    let fingerprint = &report.findings[0].fingerprint;
    assert_eq!(
        out.to_str().unwrap(),
        format!(
            "version: 1\nexceptions:\n  - {{ rule: toy/one, path: \"/a.txt\", fingerprint: \"{fingerprint}\", reason: \"baseline\", until: 2027-06-15 }}\n"
        )
    );
    let clean = settle(&policy(""), vec![]);
    assert_eq!(write_exceptions(&clean, None, TODAY).unwrap(), b"");
}

#[test]
fn a_baseline_excuses_no_more_than_what_stood() {
    let report = settle(&policy(""), vec![file("toy/one", "x/[b]*.txt", "BAD")]);
    let out = String::from_utf8(write_exceptions(&report, None, TODAY).unwrap()).unwrap();
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
        let error = write_exceptions(&report, Some(broken.as_bytes()), TODAY).expect_err(broken);
        assert!(error.message.starts_with("cannot write exceptions: "), "{broken}: {error}");
    }
}
