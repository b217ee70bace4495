//! One property for all formats: the same findings on the same lines, no secret, no raw control character, valid syntax.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use portcullis::finding::{Finding, Severity};
use portcullis::report::{
    Context, Report, RuleInfo, checkstyle, github, gitlab, gitlab_secrets, html, human, json, jsonl, junit, rdjson,
    remote, sarif, summary,
};
use portcullis::text::is_unsafe;
use regex::Regex;
use serde_json::Value;

use super::corpus::{self, SECRET};
use super::{Render, text, xml};

/// What a format tells: rule and line.
pub type Told = BTreeSet<(String, usize)>;
pub type Read = fn(&str) -> Told;

pub struct Case {
    pub name: &'static str,
    render: Render,
    pub read: Read,
    /// Findings without a file stand in the first line of the policy.
    pub pins: bool,
}

pub const CASES: &[Case] = &[
    Case { name: "human", render: human::render, read: read_human, pins: false },
    Case { name: "json", render: json::render, read: read_json, pins: false },
    Case { name: "jsonl", render: jsonl::render, read: read_jsonl, pins: false },
    Case { name: "sarif", render: sarif::render, read: read_sarif, pins: true },
    Case { name: "github", render: github::render, read: read_github, pins: true },
    Case { name: "gitlab", render: gitlab::render, read: read_gitlab, pins: true },
    Case { name: "junit", render: junit::render, read: read_junit, pins: false },
    Case { name: "checkstyle", render: checkstyle::render, read: read_checkstyle, pins: true },
    Case { name: "rdjson", render: rdjson::render, read: read_rdjson, pins: true },
    Case { name: "html", render: html::render, read: read_html, pins: false },
    Case { name: "summary", render: summary::render, read: read_summary, pins: false },
    Case { name: "remote", render: for_bare, read: read_remote, pins: false },
    Case { name: "remote-gitlab", render: for_gitlab, read: read_remote, pins: false },
];

pub fn for_bare(report: &Report, ctx: &Context<'_>, out: &mut dyn Write) -> io::Result<()> {
    remote::render("", report, ctx, out)
}

pub fn for_gitlab(report: &Report, ctx: &Context<'_>, out: &mut dyn Write) -> io::Result<()> {
    remote::render("GL-HOOK-ERR: ", report, ctx, out)
}

fn expected(finding: &Finding, pins: bool) -> (String, usize) {
    let exact = !pins || finding.origin.path().is_some();
    (finding.rule.to_string(), if exact { finding.span.line } else { 1 })
}

fn pattern(text: &str, pattern: &str) -> Told {
    let number = |c: &regex::Captures<'_>| c["line"].parse().expect("a number");
    Regex::new(pattern).expect("valid").captures_iter(text).map(|c| (c["rule"].to_owned(), number(&c))).collect()
}

fn read_human(text: &str) -> Told {
    pattern(text, r"(?m)^(?:error|warning|note)\[(?P<rule>.*)\]: .*\n *┌─ .*:(?P<line>\d+):\d+$")
}

fn pair(rule: &Value, line: &Value) -> (String, usize) {
    (rule.as_str().expect("a rule").to_owned(), line.as_u64().expect("a line") as usize)
}

fn document(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

fn items(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn read_json(text: &str) -> Told {
    items(&document(text)["findings"]).iter().map(|f| pair(&f["rule"], &f["span"]["line"])).collect()
}

fn read_jsonl(text: &str) -> Told {
    let records: Vec<Value> = text.lines().map(document).collect();
    assert_eq!(records.last().expect("a summary")["type"], "summary");
    let findings = records.iter().filter(|r| r["type"] == "finding");
    findings.map(|f| pair(&f["rule"], &f["span"]["line"])).collect()
}

fn read_sarif(text: &str) -> Told {
    let log = document(text);
    let results = items(&log["runs"][0]["results"]).iter();
    results.map(|r| pair(&r["ruleId"], &r["locations"][0]["physicalLocation"]["region"]["startLine"])).collect()
}

fn read_github(text: &str) -> Told {
    let commands: Vec<&str> = text.lines().filter(|l| l.trim_start().starts_with("::")).collect();
    let grammar = Regex::new(r"^::(error|warning|notice) (\w+=[^:,]*)(,\w+=[^:,]*)*::.*$").expect("valid");
    assert!(commands.len() <= 10, "{} annotations", commands.len());
    commands.iter().for_each(|c| assert!(grammar.is_match(c), "{c}"));
    pattern(text, r"(?m)^::\w+ file=[^,:]*,line=(?P<line>\d+).*,title=(?P<rule>[^:]*)::")
}

fn read_gitlab(text: &str) -> Told {
    let all = document(text);
    let entries = items(&all).iter();
    let prints: BTreeSet<_> = entries.clone().map(|e| e["fingerprint"].as_str().expect("text")).collect();
    assert_eq!(prints.len(), entries.len(), "fingerprints are unique");
    let findings = entries.filter(|e| e["check_name"] != "portcullis/not-decided");
    findings.map(|e| pair(&e["check_name"], &e["location"]["lines"]["begin"])).collect()
}

fn read_junit(text: &str) -> Told {
    let mut rule = String::new();
    let mut told = Told::new();
    let place = Regex::new(r"(?m)^.*?:(\d+):\d+(?: \(commit \w+\))?: (?:error|warning|note): ").expect("valid");
    for element in xml::parse(text) {
        if element.name == "testcase" {
            rule = element.get("name").to_owned();
        } else if ["failure", "system-out"].contains(&&*element.name) {
            told.extend(
                place.captures_iter(&element.text).map(|c| (rule.clone(), c[1].parse::<usize>().expect("a number"))),
            );
        }
    }
    told
}

fn read_checkstyle(text: &str) -> Told {
    let elements = xml::parse(text);
    let errors = elements.iter().filter(|e| e.name == "error" && e.get("source") != "portcullis/not-decided");
    errors.map(|e| (e.get("source").to_owned(), e.get("line").parse().expect("a number"))).collect()
}

fn read_rdjson(text: &str) -> Told {
    let all = document(text);
    let findings = items(&all["diagnostics"]).iter().filter(|d| d["code"]["value"] != "portcullis/not-decided");
    findings.map(|d| pair(&d["code"]["value"], &d["location"]["range"]["start"]["line"])).collect()
}

fn read_html(text: &str) -> Told {
    assert!(!text.contains("src=") && !text.contains("@import") && !text.contains("url("), "the page loads something");
    let told = pattern(text, r#"(?m)^<article data-rule="(?P<rule>[^"]*)" data-line="(?P<line>\d+)" "#);
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    let plain = |rule: String| entities.iter().fold(rule, |text, (name, c)| text.replace(name, c));
    told.into_iter().map(|(rule, line)| (plain(rule), line)).collect()
}

fn read_summary(text: &str) -> Told {
    pattern(text, r"(?m)^### ` (?P<rule>.*) ` \(\d+\)\n\n- .*?:(?P<line>\d+):\d+(?: \(commit \w+\))? `+: ")
}

fn read_remote(text: &str) -> Told {
    // Undo the wrapping.
    let flat = text.replace("GL-HOOK-ERR: ", "").replace("\n    ", "\u{1}");
    let squeezed = pattern(
        &flat,
        r"(?m)^  at .*?:(?P<line>[\d\x01]+):[\d\x01]+(?:[\x01 ]\(commit[\x01 ]\w+\))?\n  rule (?P<rule>.*)$",
    );
    squeezed.into_iter().map(|(rule, line)| (rule.replace('\u{1}', ""), line)).collect()
}

#[test]
fn every_format_tells_each_finding_on_its_line() {
    for finding in corpus::findings() {
        let report = corpus::report(vec![finding.clone()]);
        for case in CASES {
            let out = text(case.render, &report, &Context::default());
            let told = (case.read)(&out);
            assert_eq!(told, Told::from([expected(&finding, case.pins)]), "{}:\n{out}", case.name);
        }
    }
}

#[test]
fn formats_without_a_cap_tell_all_findings_at_once() {
    let report = corpus::report(corpus::findings());
    for case in CASES.iter().filter(|c| !["github", "remote", "remote-gitlab"].contains(&c.name)) {
        let told = (case.read)(&text(case.render, &report, &Context::default()));
        let all: Told = report.findings.iter().map(|f| expected(f, case.pins)).collect();
        assert_eq!(told, all, "{}", case.name);
    }
}

#[test]
fn no_format_leaks_a_secret_or_a_raw_control_character() {
    let report = corpus::hostile();
    let rules = [RuleInfo {
        id: "green/rule".into(),
        summary: corpus::HOSTILE.into(),
        why: corpus::HOSTILE.into(),
        help: corpus::HOSTILE.into(),
        severity: Severity::Error,
    }];
    let ctx = Context {
        rules: &rules,
        verbosity: portcullis::report::Verbosity::Verbose,
        stats: true,
        explain_base: "https://example.org/rules",
        ..Context::default()
    };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report");
    fs::create_dir_all(&folder).expect("a folder");
    let secrets = Case { name: "gitlab-secrets", render: gitlab_secrets::render, read: |_| Told::new(), pins: true };
    for case in CASES.iter().chain([&secrets]) {
        let out = text(case.render, &report, &ctx);
        // For validators outside, which know the published schemas.
        fs::write(folder.join(case.name), &out).expect("written");
        assert!(!out.contains(SECRET), "{} tells the secret", case.name);
        assert!(!out.contains(&SECRET[8..]), "{} tells a part of the secret", case.name);
        let raw: Vec<char> = out.chars().filter(|c| *c != '\n' && is_unsafe(*c)).collect();
        assert!(raw.is_empty(), "{}: {raw:?}", case.name);
        if case.name != "summary" {
            // A summary is no log. In a log, runners carry these out.
            assert!(!out.contains("##[") && !out.contains("##vso["), "{}", case.name);
            let commands = out.lines().any(|l| l.trim_start().starts_with("::"));
            assert!(!commands || case.name == "github", "{}", case.name);
        }
        // Parses, or panics.
        (case.read)(&out);
        assert!(out.ends_with('\n'), "{}", case.name);
    }
}

#[test]
fn an_empty_report_is_valid_everywhere() {
    let report = corpus::report(Vec::new());
    for case in CASES {
        assert!((case.read)(&text(case.render, &report, &Context::default())).is_empty(), "{}", case.name);
    }
}

#[test]
fn nothing_undecided_goes_unsaid() {
    let report = portcullis::report::Report { findings: Vec::new(), ..corpus::hostile() };
    for case in CASES {
        let out = text(case.render, &report, &Context::default()).to_lowercase();
        assert!(out.contains("not decided") || out.contains("not_decided"), "{}:\n{out}", case.name);
    }
}

#[test]
fn github_shows_ten_or_the_nine_worst_and_a_count() {
    let finding = |n: usize| {
        let severity = if n.is_multiple_of(2) { Severity::Warning } else { Severity::Error };
        corpus::at("a/b", severity, corpus::file(format!("{n}.txt")), b"x", b"x")
    };
    let told = |n: usize| text(github::render, &corpus::report((0..n).map(finding).collect()), &Context::default());
    assert_eq!(told(10).lines().filter(|l| l.starts_with("::")).count(), 10);
    let many = told(30);
    let commands: Vec<_> = many.lines().filter(|l| l.starts_with("::")).collect();
    assert_eq!(commands.len(), 10);
    assert!(commands[..9].iter().all(|c| c.starts_with("::error file=")), "{many}");
    assert!(commands[9].contains("and 21 more"), "{}", commands[9]);
}

#[test]
fn github_escapes_are_those_of_the_runner() {
    let finding = corpus::at("a/b", Severity::Error, corpus::file("c%0A,d:e\n.txt"), b"x\n\nneedle", b"needle");
    let out = text(github::render, &corpus::report(vec![finding]), &Context::default());
    assert_eq!(
        out.lines().next(),
        Some(
            "::error file=c%250A%2Cd%3Ae%0A.txt,line=3,endLine=3,col=1,endColumn=7,title=a/b::found by a/b%0A\
             portcullis explain a/b"
        )
    );
}

#[test]
fn junit_shows_green_rules_and_counts_cases() {
    let rules = ["a/green", "a/red"].map(|id| RuleInfo {
        id: id.into(),
        summary: "says something".into(),
        why: "".into(),
        help: "".into(),
        severity: Severity::Error,
    });
    let red = corpus::at("a/red", Severity::Error, corpus::file("f"), b"x", b"x");
    let note = corpus::at("a/other", Severity::Note, corpus::file("f"), b"x", b"x");
    let ctx = Context { rules: &rules, ..Context::default() };
    let out = text(junit::render, &corpus::report(vec![red, note]), &ctx);
    let all = xml::parse(&out);
    let names: Vec<_> = all.iter().filter(|e| e.name == "testcase").map(|e| e.get("name")).collect();
    assert_eq!(names, ["a/green", "a/red", "a/other"]);
    assert_eq!((all[0].get("tests"), all[0].get("failures"), all[0].get("errors")), ("3", "1", "0"));
    assert_eq!(all.iter().filter(|e| e.name == "failure").count(), 1);
}

#[test]
fn a_summary_stays_below_a_mebibyte_and_says_what_it_left_out() {
    let finding = |n: usize| {
        let text = "é".repeat(4000);
        let mut f =
            corpus::at(&format!("a/{n}"), Severity::Error, corpus::file("p/".repeat(400)), text.as_bytes(), b"");
        f.help = Some(format!("{n} {}", "<*&".repeat(3000)));
        f
    };
    let out = text(summary::render, &corpus::report((0..900).map(finding).collect()), &Context::default());
    assert!(out.len() < 1 << 20 && out.len() > 1 << 19, "{}", out.len());
    let shown = out.matches("\n### ").count();
    let left: usize = 900 - shown;
    assert!(
        out.ends_with(&format!("\n{left} sections with {left} findings left out: `portcullis check` lists all.\n"))
    );
}

#[test]
fn gitlab_secrets_holds_secrets_only_with_a_commit_each() {
    let out = text(gitlab_secrets::render, &corpus::report(corpus::findings()), &Context::default());
    let all = document(&out);
    let found = items(&all["vulnerabilities"]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["location"]["commit"]["sha"], corpus::oid(0x0f).to_string());
    assert_eq!(found[0]["location"]["start_line"], 3);
    assert_eq!(found[0]["severity"], "Critical");
    assert_eq!(all["scan"]["start_time"], "1970-01-01T00:00:00");
    assert_eq!(all["scan"]["status"], "success");
    let failed = document(&text(gitlab_secrets::render, &corpus::hostile(), &Context::default()));
    assert_eq!(failed["scan"]["status"], "failure");
}
