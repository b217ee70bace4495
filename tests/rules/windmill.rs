//! The `windmill` family on trees made in memory.
//!
//! Cases are YAML (the rule's own examples and `tests/cases/windmill/*.yml`). In their files `⟦...⟧` marks what a caret
//! must stand under, and `<>` breaks what would look like a secret; both are taken out. What `<>` stood in must not
//! appear in any finding.

use std::collections::BTreeMap;

use bstr::{BStr, BString, ByteSlice as _};
use portcullis::finding::{Finding, Findings, NothingToHide};
use portcullis::options::{Environment, Trial, Vocabulary};
use portcullis::rules::Checks;
use portcullis::rules::windmill::RULE;
use portcullis::subject::{Content, File, Tree};
use portcullis::yaml;

use crate::support::snapshot::MemoryTree;

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// What the user writes below `rules: windmill:`.
    #[serde(default)]
    options: String,
    /// Short name of the tree's branch; none: no branch will have it.
    #[serde(default)]
    branch: Option<String>,
    #[serde(default)]
    files: BTreeMap<String, String>,
    #[serde(default)]
    branches: BTreeMap<String, BTreeMap<String, String>>,
    /// `code severity` of every finding, in the order of the marks. None: the case passes.
    #[serde(default)]
    fails: Vec<String>,
}

#[derive(serde::Deserialize)]
struct Explained {
    codes: Vec<Code>,
    examples: Vec<Case>,
}

#[derive(serde::Deserialize)]
struct Code {
    code: String,
    severity: String,
    summary: String,
    help: String,
}

fn explained() -> Explained {
    yaml::from_document(RULE.policy, 1).unwrap_or_else(|e| panic!("policies/windmill.yml: {}", e.message))
}

fn cases() -> Vec<Case> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/windmill");
    let mut paths: Vec<_> = std::fs::read_dir(directory).expect("cases").map(|e| e.expect("an entry").path()).collect();
    paths.sort();
    let mut cases = explained().examples;
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("a case file");
        let more: Vec<Case> = yaml::from_str(&text).unwrap_or_else(|e| panic!("{}: {}", path.display(), e.message));
        cases.extend(more);
    }
    cases
}

fn vocabulary() -> Vocabulary {
    let environment = |name: &str, branch: &str, aliases: &[&str]| Environment {
        name: name.into(),
        branches: vec![branch.into()],
        aliases: aliases.iter().map(|a| (*a).into()).collect(),
        tags: Vec::new(),
    };
    let environments = vec![
        environment("staging", "dev", &["stage", "stg", "dev"]),
        environment("production", "main", &["prod", "prd"]),
    ];
    Vocabulary { environments, ..Vocabulary::default() }
}

fn compile(options: &str) -> Checks {
    let trial = Trial { vocabulary: vocabulary(), ..Trial::new(RULE.policy, options) };
    let (checks, mistakes) = trial.run(|options| (RULE.compile)(options));
    assert_eq!(mistakes, [], "{options}");
    checks
}

/// Judges the tree and each of its files, as every gate does.
fn judge(checks: &Checks, tree: &MemoryTree, branch: Option<&str>) -> Vec<Finding> {
    let mut out = Findings::new(&NothingToHide, 0);
    let name = branch.map(|b| format!("refs/heads/{b}").into());
    let subject = Tree { commit: None, name, snapshot: tree, before: None };
    for check in &checks.trees {
        check.check(&subject, &mut out).expect("a verdict");
    }
    for (path, bytes) in tree.files() {
        judge_file(checks, path.as_bstr(), bytes, &mut out);
    }
    finish(checks, &mut out);
    let mut findings = out.into_vec();
    findings.sort_by_key(|f| (f.origin.path().cloned(), f.span.byte_start, f.span.byte_end, f.rule.clone()));
    findings
}

fn judge_file(checks: &Checks, path: &BStr, bytes: &[u8], out: &mut Findings<'_>) {
    let load = || Ok(bytes.to_vec());
    let content = Content::new(&load);
    let blob = Some(MemoryTree::blob(bytes));
    let file = File { path, commit: None, blob, symlink: false, content: &content };
    for check in &checks.files {
        check.check(&file, out).expect("a verdict");
    }
}

fn finish(checks: &Checks, out: &mut Findings<'_>) {
    for check in &checks.files {
        portcullis::rules::Check::<File<'_>>::finish(&**check, out).expect("a verdict");
    }
}

/// A tree, what is marked in it, and what must not be shown.
#[derive(Default)]
struct Marked {
    tree: MemoryTree,
    marks: Vec<(BString, usize, usize)>,
    secrets: Vec<String>,
}

impl Marked {
    fn new(files: &BTreeMap<String, String>) -> Self {
        let mut marked = Self::default();
        for (path, text) in files {
            let content = marked.content(path, text);
            marked.tree = marked.tree.file(path.as_str(), content);
        }
        marked.marks.sort();
        marked
    }

    fn content(&mut self, path: &str, text: &str) -> String {
        let bare: String = text.chars().filter(|c| !matches!(c, '⟦' | '⟧')).collect();
        for (at, _) in bare.match_indices("<>") {
            let ends = |c: char| c.is_whitespace() || "\"'{},".contains(c);
            let start = bare[..at].rfind(ends).map_or(0, |p| p + 1);
            let end = bare[at..].find(ends).map_or(bare.len(), |p| at + p);
            self.secrets.push(bare[start..end].replace("<>", ""));
        }
        let mut out = String::new();
        let mut open = Vec::new();
        for c in text.replace("<>", "").chars() {
            match c {
                '⟦' => open.push(out.len()),
                '⟧' => self.marks.push((path.into(), open.pop().expect("an opening mark"), out.len())),
                c => out.push(c),
            }
        }
        assert!(open.is_empty(), "{path}: a mark is not closed");
        out
    }
}

fn shown(finding: &Finding) -> String {
    format!("{} {:?} {} {:?}", finding.message, finding.help, finding.excerpt.text, finding.notes)
}

#[test]
fn every_case_gives_its_findings_and_no_other() {
    let mut wrong = Vec::new();
    for case in cases() {
        let checks = compile(&case.options);
        let mut marked = Marked::new(&case.files);
        for (name, files) in &case.branches {
            marked.tree = marked.tree.branch(name, Marked::new(files).tree);
        }
        let findings = judge(&checks, &marked.tree, case.branch.as_deref());
        let got: Vec<_> = findings
            .iter()
            .map(|f| format!("{} {:?}", f.rule.trim_start_matches("windmill/"), f.severity).to_lowercase())
            .collect();
        let at: Vec<_> = findings
            .iter()
            .map(|f| (f.origin.path().cloned().unwrap_or_default(), f.span.byte_start, f.span.byte_end))
            .collect();
        if got != case.fails || at != marked.marks {
            let listed: Vec<_> = findings
                .iter()
                .map(|f| format!("    {} {}:{} {}", f.rule, f.origin.path().expect("a path"), f.span.line, f.message))
                .collect();
            wrong.push(format!(
                "{}\n  wanted {:?}\n  got    {:?}\n  marks  {:?}\n  at     {:?}\n{}",
                case.name,
                case.fails,
                got,
                marked.marks,
                at,
                listed.join("\n")
            ));
        }
        for (finding, secret) in findings.iter().flat_map(|f| marked.secrets.iter().map(move |s| (f, s))) {
            if shown(finding).contains(secret.as_str()) {
                wrong.push(format!("{}: a secret is shown: {}", case.name, shown(finding)));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn every_code_is_explained_and_has_a_failing_case() {
    let explained = explained();
    let failing: Vec<String> = cases().into_iter().flat_map(|c| c.fails).collect();
    for code in &explained.codes {
        assert!(!code.summary.is_empty() && !code.help.is_empty(), "{}", code.code);
        let with_severity = format!("{} {}", code.code, code.severity);
        assert!(failing.contains(&with_severity), "no case fails with {with_severity}");
    }
    for fail in &failing {
        let code = fail.split(' ').next().expect("a code");
        assert!(explained.codes.iter().any(|c| c.code == code), "{code} is not explained");
    }
}

fn marked(files: &[(&str, &str)]) -> MemoryTree {
    files.iter().fold(MemoryTree::default(), |tree, (path, content)| tree.file(*path, content))
}

const CLOSED: &str = "includeKey: false\nskipSecrets: true\n";

fn key() -> String {
    ["aB3dE6gH", "9jK2mN5p"].concat().repeat(4)
}

#[test]
fn a_tree_without_windmill_only_costs_listing_it() {
    let tree = (0..500).fold(MemoryTree::default(), |tree, n| {
        tree.file(format!("a/{n}.variable.yaml"), "value: x\n")
            .file(format!(".github/workflows/{n}.yml"), "run: wmill\n")
    });
    let checks = compile("");
    let mut out = Findings::new(&NothingToHide, 0);
    let subject = Tree { commit: None, name: Some("refs/heads/main".into()), snapshot: &tree, before: None };
    checks.trees.iter().for_each(|c| c.check(&subject, &mut out).expect("a verdict"));
    assert_eq!((tree.reads(), out.len()), (0, 0));
}

#[test]
fn only_relevant_files_are_read() {
    let tree = marked(&[
        ("wmill.yaml", CLOSED),
        ("f/a/x.ts", "code"),
        ("f/a/x.script.yaml", "a: b"),
        ("f/a/u.schedule.yaml", "a: b"),
        ("f/a/v.variable.yaml", "value: x\n"),
        ("f/a/conf.resource.file.ini", "x"),
        ("README.md", "x"),
    ]);
    let checks = compile("");
    let mut out = Findings::new(&NothingToHide, 0);
    let subject = Tree { commit: None, name: None, snapshot: &tree, before: None };
    checks.trees.iter().for_each(|c| c.check(&subject, &mut out).expect("a verdict"));
    // The configuration, the variable, and the schedule for its references to resources.
    assert_eq!((tree.reads(), out.len()), (3, 0));
}

/// The files' checks on files of several commits, in the given order.
fn history(files: &[(&str, &str)]) -> Vec<Finding> {
    let checks = compile("");
    let mut out = Findings::new(&NothingToHide, 0);
    for (path, content) in files {
        judge_file(&checks, BStr::new(path), content.as_bytes(), &mut out);
    }
    finish(&checks, &mut out);
    let mut findings = out.into_vec();
    findings.sort_by_key(|f| (f.rule.clone(), f.origin.path().cloned()));
    findings
}

#[test]
fn key_and_ciphertext_are_found_in_different_commits_in_any_order() {
    let key = key();
    let secret = "value: 1Lq4pA0Z8n3mX7tYb2kVwA==\nis_secret: true\n";
    let mut files = vec![
        ("b/encryption_key.yaml", &*key),
        ("a/encryption_key.yaml", &*key),
        ("y.variable.yaml", secret),
        ("x.variable.yaml", secret),
    ];
    let first = history(&files);
    let rules: Vec<_> = first.iter().map(|f| &*f.rule).collect();
    assert_eq!(rules, ["windmill/key-and-secrets", "windmill/key-file", "windmill/key-file"]);
    assert_eq!(first[0].origin.path().expect("a path"), "a/encryption_key.yaml");
    assert_eq!(first[0].also[0].path, "x.variable.yaml");
    assert_eq!((first[0].span.line, first[0].span.column), (1, 1));
    files.reverse();
    // All that is told; which of two equal findings remembers what to mask depends on the order.
    let told = |findings: &[Finding]| -> Vec<_> {
        let one =
            |f: &Finding| (f.rule.clone(), f.origin.clone(), f.span, f.also.clone(), f.fingerprint.clone(), shown(f));
        findings.iter().map(one).collect()
    };
    assert_eq!(told(&history(&files)), told(&first));
    assert!(first.iter().all(|f| !shown(f).contains(&key)));
    // One of the two alone is not both.
    assert_eq!(history(&files[..2]), []);
    assert_eq!(history(&files[2..]).len(), 2);
}

#[test]
fn symbolic_links_are_not_followed() {
    let tree = marked(&[("f/a/real.txt", "x")])
        .link("wmill.yaml", "config/wmill.yaml")
        .link("encryption_key.yaml", "/run/key")
        .link("f/a/v.variable.yaml", "real.txt");
    let checks = compile("");
    let mut out = Findings::new(&NothingToHide, 0);
    let subject = Tree { commit: None, name: None, snapshot: &tree, before: None };
    checks.trees.iter().for_each(|c| c.check(&subject, &mut out).expect("a verdict"));
    let findings = out.into_vec();
    assert_eq!(findings.iter().map(|f| &*f.rule).collect::<Vec<_>>(), ["windmill/syntax"]);
}

#[test]
fn fingerprints_survive_edits_above_and_differ_by_location() {
    let before = marked(&[(
        "wmill.yaml",
        "includeKey: true\nskipSecrets: true\nworkspaces: { a: { overrides: { includeKey: true } } }\n",
    )]);
    let after = marked(&[(
        "wmill.yaml",
        "# a comment\nskipSecrets: true\n\nincludeKey:   True\nworkspaces:\n  a:\n    overrides:\n      includeKey: \"true\"\n",
    )]);
    let checks = compile("");
    let prints = |tree| judge(&checks, tree, None).into_iter().map(|f| f.fingerprint).collect::<Vec<_>>();
    assert_eq!(prints(&before), prints(&after));
    assert_eq!(prints(&before).len(), 2);
    assert_ne!(prints(&before)[0], prints(&before)[1]);
    // What is worse than before is another finding.
    let missing = marked(&[("wmill.yaml", "skipSecrets: true\n")]);
    let open = marked(&[("wmill.yaml", "skipSecrets: true\nincludeKey: true\n")]);
    assert_ne!(prints(&missing), prints(&open));
}

#[test]
fn a_changed_secret_at_the_same_location_is_a_new_finding() {
    let settings = |secret: &str| {
        marked(&[("wmill.yaml", CLOSED), ("settings.yaml", &format!("slack_oauth_client_secret: {secret}\n"))])
    };
    let checks = compile("");
    let print = |now: &MemoryTree, before: Option<&MemoryTree>| {
        let mut out = Findings::new(&NothingToHide, 0);
        let before = before.map(|b| b as &dyn portcullis::subject::Snapshot);
        let subject = Tree { commit: None, name: None, snapshot: now, before };
        checks.trees.iter().for_each(|c| c.check(&subject, &mut out).expect("a verdict"));
        out.into_vec().remove(0).fingerprint
    };
    let (old, new) = (settings("one-value"), settings("another-value"));
    assert_eq!(print(&old, None), print(&old, Some(&old)));
    assert_eq!(print(&old, None), print(&new, None));
    assert_ne!(print(&old, None), print(&new, Some(&old)));
}

#[test]
fn a_file_with_very_many_findings_reports_the_first_hundred() {
    let text = (0..1000).map(|n| format!("  token{n}: hunter\n")).collect::<String>();
    let findings = judge(&compile(""), &marked(&[("f/a/x.resource.yaml", &format!("value:\n{text}"))]), None);
    assert_eq!(findings.len(), 100);
    assert_eq!(findings.iter().filter(|f| !f.notes.is_empty()).count(), 1);
}

#[test]
fn a_mask_does_not_depend_on_the_masked_value() {
    let long = ["s3cr3t", "-value-", "of-some-length"].concat();
    let text = format!("{{\"value\": {{\"token\": \"{long}\", \"host\": \"inner-host\", \"password\": \"{long}\"}}}}");
    let findings = judge(&compile(""), &marked(&[("f/a/x.resource.json", &text)]), None);
    assert_eq!(findings.len(), 2);
    for f in &findings {
        assert_eq!(f.excerpt.text.matches("********").count(), 3, "{}", f.excerpt.text);
        assert!(!shown(f).contains("inner-host") && !shown(f).contains(&long[..6]), "{}", shown(f));
    }
    // The same secret twice is known to be one.
    assert_eq!(findings[0].same, findings[1].same);
}

#[test]
fn a_broken_secret_file_shows_none_of_its_content() {
    let text = "value: \"hunter2-not-closed\nis_secret: true\n";
    let tree = marked(&[("wmill.yaml", CLOSED), ("f/a/x.variable.yaml", text)]);
    let findings = judge(&compile(""), &tree, None);
    assert_eq!(findings.iter().map(|f| &*f.rule).collect::<Vec<_>>(), ["windmill/syntax"]);
    assert!(!shown(&findings[0]).contains("hunter2"), "{}", shown(&findings[0]));
}

#[test]
fn wrong_options_are_told() {
    for (options, word) in [
        ("secrets: allow", "encrypted"),
        ("require_explicit: 'true'", "is needed here"),
        ("requireexplicit: true", "require_explicit"),
        ("ci_files: ['[']", "glob"),
    ] {
        let trial = Trial { vocabulary: vocabulary(), ..Trial::new(RULE.policy, options) };
        let (_, mistakes) = trial.run(|options| (RULE.compile)(options));
        assert!(format!("{mistakes:?}").contains(word), "{options}: {mistakes:?}");
    }
}

#[test]
fn hostile_files_end_without_panic() {
    let deep = "[".repeat(5_000);
    let wide = format!("value: {{{}}}", (0..800).map(|n| format!("token{n}: $res:f/a/{n}, ")).collect::<String>());
    let line = format!("includeKey: {}\n", "x".repeat(1 << 17));
    let merged = "a: &a [*a, *a]\n".repeat(1000);
    let samples: [&[u8]; 12] = [
        b"",
        b"\0",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"---\n---\n",
        b"*x",
        b"? [a]\n: b\n",
        b"workspaces: [1, null, {overrides: []}]\nspecificItems: x\n",
        deep.as_bytes(),
        wide.as_bytes(),
        line.as_bytes(),
        merged.as_bytes(),
    ];
    let names = [
        "wmill.yaml",
        "settings.yaml",
        "settings.json",
        "encryption_key.yaml",
        "f/a/x.variable.yaml",
        "f/a/x.variable.json",
        "f/a/x.staging.resource.yaml",
        "f/a/x.http_trigger.yaml",
        "f/a/x.flow/flow.yaml",
        ".github/workflows/x.yml",
        "Jenkinsfile",
    ];
    let checks = compile("");
    for sample in samples {
        for name in names {
            let tree = MemoryTree::default().file("wmill.yaml", CLOSED).file(name, sample);
            let tree = tree.branch("dev", MemoryTree::default().file("wmill.yaml", sample));
            judge(&checks, &tree, Some("main"));
        }
    }
    // Names that are hard to read.
    let hostile = [
        &b"\xff.variable.yaml"[..],
        b".variable.yaml",
        b"settings..yaml",
        b"f/..variable.yaml",
        b"a/folder..meta.yaml",
    ];
    let tree = hostile.iter().fold(MemoryTree::default().file("wmill.yaml", CLOSED), |t, n| t.file(*n, "value: ''\n"));
    judge(&checks, &tree, Some("main"));
}
