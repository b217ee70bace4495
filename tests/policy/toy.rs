//! Two rules to try policies with, and the shortest way from YAML to a report.

use std::sync::Mutex;

use bstr::BString;
use jiff::civil::{Date, date};
use portcullis::finding::{Findings, NothingToHide, Origin, Severity, Violation};
use portcullis::options::{Mistake, PolicyFile};
use portcullis::policy::{Batch, Policy, Run};
use portcullis::report::Report;
use portcullis::rules::{self, Check, Checks, Rule};
use portcullis::stats::Stats;
use portcullis::subject::{Commit, File, Kinds};

pub const TODAY: Date = date(2026, 6, 15);

struct Silent;

impl Check<File<'_>> for Silent {
    fn check(&self, _: &File<'_>, _: &mut Findings<'_>) -> portcullis::error::Result<()> {
        Ok(())
    }
}

impl Check<Commit<'_>> for Silent {
    fn check(&self, _: &Commit<'_>, _: &mut Findings<'_>) -> portcullis::error::Result<()> {
        Ok(())
    }
}

/// What `toy` read from its options, in the order of compilation; tests that look use their own words.
pub static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Looks at files.
pub static TOY: Rule = Rule {
    id: "toy",
    looks_at: Kinds::FILE,
    policy: "words: [a]\nmax: 3\n---\nsummary: x\ncodes:\n  - { code: one, severity: error, summary: x }\n  - { code: two, severity: off, summary: x }\n",
    compile: |options| {
        let seen =
            format!("{:?} {} {}", options.strings("words"), options.number("max"), options.shared("detectors").len());
        SEEN.lock().unwrap().push(seen);
        Checks { files: vec![Box::new(Silent)], ..Checks::default() }
    },
};

/// Looks at messages; its codes come from data.
pub static DATA: Rule = Rule {
    id: "data",
    looks_at: Kinds::COMMIT,
    policy: "{}\n---\nsummary: x\ncodes: [{ code: <detector>, severity: error, summary: x }]\n",
    compile: |_| Checks { commits: vec![Box::new(Silent)], ..Checks::default() },
};

pub static RULES: &[&Rule] = &[&TOY, &DATA, &rules::policy::RULE, &rules::exceptions::RULE];

pub fn load(text: &str) -> Result<Policy, Vec<Mistake>> {
    Policy::load_for(vec![PolicyFile::new("portcullis.yaml", text)], RULES)
}

#[track_caller]
pub fn policy(text: &str) -> Policy {
    load(text).unwrap_or_else(|mistakes| panic!("{:?}", told(&mistakes)))
}

/// `line:column rule: message [help]` of every mistake, as a renderer would place it.
pub fn told(mistakes: &[Mistake]) -> Vec<String> {
    let mut findings = Findings::new(&NothingToHide, 0);
    mistakes.iter().for_each(|m| findings.push(m.violation()));
    let help = |h: &Option<String>| h.as_ref().map_or(String::new(), |h| format!(" [{h}]"));
    let list = findings.into_vec();
    list.iter()
        .map(|f| format!("{}:{} {}: {}{}", f.span.line, f.span.column, f.rule, f.message, help(&f.help)))
        .collect()
}

/// Files with findings of `rule` on every line that holds `BAD`; those with `SAME` are about one secret.
pub fn files(rule: &'static str, files: &[(&str, &str)]) -> Vec<Batch> {
    files.iter().map(|(path, text)| file(rule, path, text)).collect()
}

pub fn file(rule: &'static str, path: &str, text: &str) -> Batch {
    let mut findings = Findings::new(&NothingToHide, 7);
    for (at, word) in text.match_indices("BAD").chain(text.match_indices("SAME")) {
        let origin = Origin::File { path: BString::from(path), commit: None, blob: None };
        let range = at..at + word.len();
        let violation = Violation::new(rule, Severity::Error, origin, text.as_bytes(), range.clone()).message("bad");
        findings.push(if word == "SAME" { violation.secret(range) } else { violation });
    }
    Batch { refs: Default::default(), findings: findings.into_vec() }
}

pub fn settle(policy: &Policy, batches: Vec<Batch>) -> Report {
    policy.settle(batches, Vec::new(), Stats::default(), &Run::new(TODAY))
}

/// `severity rule place suppression` of every finding.
pub fn shown(report: &Report) -> Vec<String> {
    report
        .findings
        .iter()
        .map(|f| {
            let path = f.origin.path().map_or_else(String::new, ToString::to_string);
            let by = f.suppressed.as_ref().map_or_else(String::new, |s| format!(" ({}: {})", s.by, s.reason));
            format!("{:?} {} {path}:{}:{}{by}", f.severity, f.rule, f.span.line, f.span.column)
        })
        .collect()
}
