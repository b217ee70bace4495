//! Findings as they are collected: that the work for them grows with the text, not with the square of it.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use portcullis::finding::{Findings, Origin, Redact, Severity, Surroundings, Violation};

/// Counts the bytes that it is asked about.
#[derive(Default)]
struct Counting(AtomicUsize);

impl Redact for Counting {
    fn secrets(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        self.0.fetch_add(bytes.len(), Ordering::Relaxed);
        Vec::new()
    }
}

/// How many bytes are searched for secrets when every `step` bytes of a text are a finding.
fn searched(text: &[u8], step: usize) -> usize {
    let counting = Counting::default();
    let mut findings = Findings::new(&counting, 0);
    let mut around = Surroundings::new(text);
    for at in (0..text.len() - 8).step_by(step) {
        let origin = Origin::File { path: "a/b.yaml".into(), commit: None, blob: None };
        let violation = Violation::new("toy/x", Severity::Error, origin, text, at..at + 8)
            .message("found something")
            .help("take it out\nand revoke it");
        findings.push_in(violation, &mut around);
    }
    drop(findings);
    counting.0.into_inner()
}

#[test]
fn many_findings_cost_no_more_searches_than_a_few_passes_over_the_text() {
    for (name, line) in [("one line", "password=x, "), ("many lines", "password=x\n"), ("long lines", "name: x; ")] {
        let mut text = line.repeat(40_000);
        if name == "long lines" {
            text = text.as_bytes().chunks(5000).map(|l| String::from_utf8_lossy(l) + "\n").collect();
        }
        let bytes = searched(text.as_bytes(), 16);
        assert!(bytes < 8 * text.len(), "{name}: {bytes} of {}", text.len());
    }
}

#[test]
fn places_are_the_same_whichever_way_the_findings_come() {
    let text = b"one\r\ntwo two\n\nthree\r\n\nend";
    let lines = |order: &[usize]| -> Vec<(usize, usize, usize)> {
        let mut findings = Findings::new(&portcullis::finding::NothingToHide, 0);
        let mut around = Surroundings::new(text);
        for at in order {
            let origin = Origin::Message { commit: None };
            let range = *at..(at + 2).min(text.len());
            findings.push_in(Violation::new("toy/x", Severity::Error, origin, text, range), &mut around);
        }
        let mut places: Vec<_> =
            findings.into_vec().iter().map(|f| (f.span.byte_start, f.span.line, f.span.column)).collect();
        places.sort_unstable();
        places
    };
    let alone: Vec<_> = (0..=text.len()).flat_map(|at| lines(&[at])).collect();
    let forwards: Vec<usize> = (0..=text.len()).collect();
    let backwards: Vec<usize> = (0..=text.len()).rev().collect();
    let mixed: Vec<usize> = (0..=text.len()).map(|n| n * 7 % (text.len() + 1)).collect();
    assert_eq!(lines(&forwards), alone);
    assert_eq!(lines(&backwards), alone);
    assert_eq!(lines(&mixed), alone);
}
