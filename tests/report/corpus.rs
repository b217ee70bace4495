//! Findings born as rules bear them, through `Findings::push`, from texts and names that mean harm.

use std::ops::Range;

use bstr::{BString, ByteSlice as _};
use portcullis::error::Error;
use portcullis::finding::{Confidence, Finding, Findings, Location, Origin, Redact, Severity, Suppression, Violation};
use portcullis::report::{Report, Undecided};
use portcullis::stats::Stats;
use portcullis::subject::Oid;

/// Nobody's: the word that must not be seen in any output.
pub const SECRET: &str = concat!("pc_live_", "7Hq2ZtXw91LmRb4K");

/// Ends and begins things in every syntax there is.
pub const HOSTILE: &str =
    "\x1b[31m\u{202e}\0\r\n ::error::x\n##vso[t]x##[x]\n]]>&<\"'%0A,:`|*\u{85}\u{7f}\u{200b}\u{e0041}\u{feff}";

pub struct Hide;

impl Redact for Hide {
    fn secrets(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        bytes.find_iter(SECRET).map(|at| at..at + SECRET.len()).collect()
    }
}

pub fn oid(n: u8) -> Oid {
    Oid::from_bytes(&[n; 20]).expect("20 bytes")
}

pub fn file(path: impl Into<BString>) -> Origin {
    Origin::File { path: path.into(), commit: Some(oid(0x0f)), blob: Some(oid(0x9a)) }
}

pub fn born(violation: Violation<'_>) -> Finding {
    let mut findings = Findings::new(&Hide, 7);
    findings.push(violation);
    findings.into_vec().pop().expect("one was pushed")
}

/// A finding on the first place of `what` in `text`.
pub fn at(rule: &str, severity: Severity, origin: Origin, text: &[u8], what: &[u8]) -> Finding {
    let start = text.find(what).expect("the text has it");
    let range = start..start + what.len();
    born(Violation::new(rule.to_owned(), severity, origin, text, range).message(format!("found by {rule}")))
}

pub fn report(findings: Vec<Finding>) -> Report {
    Report {
        findings,
        errors: Vec::new(),
        stats: Stats::default(),
        notes: Vec::new(),
        enforce: true,
        deny_warnings: false,
    }
}

/// One of everything; every rule once, so that a finding is known by its rule.
pub fn findings() -> Vec<Finding> {
    use Severity::{Error, Note, Warning};
    let token = format!("a: 1\nb: 2\ntoken: {SECRET} # {SECRET}\n");
    let start = token.find(SECRET).expect("it is there");
    let secret = born(
        Violation::new("secrets/token", Error, file("ops/deploy.sh"), token.as_bytes(), start..start + SECRET.len())
            .secret(start..start + SECRET.len())
            .confidence(Confidence::High)
            .message(format!("a token, {SECRET}"))
            .help(format!("revoke {SECRET}\ngit rebase -i"))
            .note(format!("seen {SECRET}{HOSTILE}"))
            .also(Location { path: HOSTILE.into(), commit: Some(oid(3)), line: 4 })
            .also(Location { path: b"old/\xfe.sh".into(), commit: None, line: 0 }),
    );
    let hostile = format!("one\n{HOSTILE}{SECRET}{HOSTILE}\n");
    let words = born(
        Violation::new("files/words", Warning, file("w.txt"), hostile.as_bytes(), 4..10)
            .message(format!("{HOSTILE}{SECRET}"))
            .help(HOSTILE)
            .note(HOSTILE),
    );
    let mut long = vec![b'a'; 1 << 20];
    long[700_000..700_006].copy_from_slice(b"needle");
    let many = [&b"x\n".repeat(70_000)[..], b"\xff\xfe \xc3(needle\xff"].concat();
    let push = b"0000000000000000000000000000000000000000 0f0f refs/tags/1.2";
    let name = |n: &str| BString::from(n);
    vec![
        secret,
        words,
        at("files/escape", Error, file("a\x1b[31m.txt"), b"x needle", b"needle"),
        at("files/newline", Error, file("b\nc::error::x\r.txt"), b"x\r\nneedle\r\n", b"needle"),
        at("files/percent", Warning, file("c%0A,d:e f#?.txt"), b"x\nx\nneedle", b"needle"),
        at("files/cdata", Error, file("]]>&lt;'\"<x>.xml"), b"]]><![CDATA[ &needle; ]]>", b"needle"),
        at("files/raw", Error, file(&b"d\xff\\\xc3.txt"[..]), b"needle", b"needle"),
        at("files/bidi", Note, file("\u{202e}gpj.sh"), "\u{202e}needle\u{2066}".as_bytes(), b"needle"),
        at("files/wide", Warning, file("漢字.txt"), "日本語: needle".as_bytes(), b"needle"),
        at("files/ticks", Note, file("`a``b```.md"), b"``` needle ````", b"needle"),
        at("files/long", Error, file("dist/app.min.js"), &long, b"needle"),
        at("files/binary", Error, file("many.bin"), &many, b"needle"),
        at("files/empty", Note, file("empty"), b"", b""),
        at("files/end", Warning, file("end"), b"x\ny\n\n", b"\n\n"),
        at("files/armed", Error, file("##[group]"), b"##vso[task.setvariable]needle##[x]", b"needle"),
        at("files/several-lines", Error, file("s"), b"x\nneedle\nneedle\n", b"needle\nneedle"),
        at("commits/type", Error, Origin::Message { commit: None }, b"needle: x", b"needle"),
        at("commits/body", Warning, Origin::Message { commit: Some(oid(5)) }, b"x\n\n::error::needle", b"needle"),
        at(
            "tags/name",
            Error,
            Origin::Ref { name: name("refs/tags/1.2"), old: None, new: Some(oid(0x0f)) },
            push,
            b"1.2",
        ),
        at(
            "branches/name",
            Note,
            Origin::Ref { name: name(HOSTILE), old: Some(oid(1)), new: None },
            HOSTILE.as_bytes(),
            b"x",
        ),
        at("tags/message", Warning, Origin::Tag { name: b"v1\xff$(x)".into(), oid: oid(6) }, b"t\n\nneedle", b"needle"),
        at("policy/key", Error, Origin::Policy { path: name("portcullis.yaml") }, b"version: 1\nneedle: 2", b"needle"),
        at("assertions/<&\"'>", Error, file("x.yaml"), b"needle", b"needle"),
    ]
}

/// The corpus as a report: with a suppressed finding, things not decided, and remarks.
pub fn hostile() -> Report {
    let mut suppressed = at("files/allowed", Severity::Error, file("allowed.txt"), b"x\nneedle", b"needle");
    suppressed.suppressed = Some(Suppression { by: "inline", reason: HOSTILE.to_owned() });
    let mut all = findings();
    all.push(suppressed);
    let undecided = |origin| Undecided {
        error: Error::undecided(format!("cannot read {HOSTILE}")).hint(format!("git fetch {HOSTILE}")),
        origin,
    };
    Report {
        errors: vec![
            undecided(None),
            undecided(Some(file(HOSTILE))),
            undecided(Some(Origin::Message { commit: None })),
        ],
        notes: vec![format!("judged by {HOSTILE}")],
        stats: Stats { blobs_read: 3, policies_parsed: 1, ..Stats::default() },
        ..report(all)
    }
}
