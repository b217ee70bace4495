//! One repository with a violation of every rule, judged by the real binary and told in every format. What it writes
//! stays in the target folder, where `tests/integrations/formats.sh` hands it to other people's validators.

mod repository;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use portcullis::report::FORMATS;
use portcullis::text::is_unsafe;
use serde_json::Value;

use self::repository::Repository;
use super::formats::{CASES, Told};

/// A run of the binary, with what it said in each format by the format's name.
struct Run {
    name: String,
    code: i32,
    said: Vec<(String, String)>,
}

impl Run {
    fn text(&self, format: &str) -> &str {
        let found = self.said.iter().find(|(name, _)| name == format);
        &found.unwrap_or_else(|| panic!("{}: {format} was not written", self.name)).1
    }

    fn report(&self) -> Value {
        serde_json::from_str(self.text("json")).expect("JSON")
    }

    fn rules(&self) -> BTreeSet<String> {
        let report = self.report();
        let findings = report["findings"].as_array().expect("a list");
        findings.iter().map(|f| f["rule"].as_str().expect("text").to_owned()).collect()
    }

    /// What stands, with each finding's line; `pins`: those without a file in the first.
    fn told(&self, pins: bool) -> Told {
        let report = self.report();
        let findings = report["findings"].as_array().expect("a list").iter();
        let one = |f: &Value| {
            let kind = f["origin"]["kind"].as_str().expect("a kind");
            let exact = !pins || ["file", "policy"].contains(&kind);
            let line = if exact { f["span"]["line"].as_u64().expect("a number") } else { 1 };
            (f["rule"].as_str().expect("text").to_owned(), line as usize)
        };
        findings.filter(|f| f["suppressed"].is_null()).map(one).collect()
    }
}

struct Judged {
    built: Repository,
    runs: Vec<Run>,
    wrong: Vec<(String, Run)>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("every-rule")
}

/// Built and judged once for all tests.
static JUDGED: LazyLock<Judged> = LazyLock::new(|| {
    let _ = std::fs::remove_dir_all(folder());
    let built = repository::build();
    let push = built.push.to_str().expect("a plain path").to_owned();
    let runs = vec![
        run(&built, "push", &["check", "--push", &push], &[]),
        run(&built, "tree", &["check"], &[]),
        on_github(&built),
        at_server(&built),
    ];
    // An example of this one is too long for a page of documentation.
    let too_long = ("not-a-file".to_owned(), "#".repeat((1 << 20) + 1));
    let wrong = repository::wrong_policies().into_iter().chain([too_long]).map(|(code, policy)| {
        let file = built.repo.path().join(".git/wrong.yaml");
        std::fs::write(&file, policy).expect("writes");
        let run = run(&built, &format!("policy-{code}"), &["check", "--policy", file.to_str().expect("plain")], &[]);
        (code, run)
    });
    let wrong = wrong.collect();
    Judged { built, runs, wrong }
});

/// Runs the binary with every format into a file, and keeps standard output as `stdout`.
fn run(built: &Repository, name: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Run {
    let out = folder().join(name);
    std::fs::create_dir_all(&out).expect("a folder");
    let mut command = built.repo.command(env!("CARGO_BIN_EXE_portcullis"));
    command.args(arguments).envs(variables.iter().copied());
    for format in FORMATS {
        command.arg("--format").arg(format!("{format}={}", out.join(format.name).display()));
    }
    let output = command.output().expect("the binary runs");
    let mut said: Vec<(String, String)> = FORMATS
        .iter()
        .map(|f| {
            let bytes = std::fs::read(out.join(f.name)).unwrap_or_else(|e| {
                panic!("{name}: {f} was not written: {e}\n{}", String::from_utf8_lossy(&output.stderr))
            });
            (f.to_string(), String::from_utf8(bytes).expect("UTF-8"))
        })
        .collect();
    said.push(("stdout".into(), String::from_utf8(output.stdout).expect("UTF-8")));
    let summary = out.join("summary");
    if let Ok(text) = std::fs::read_to_string(summary) {
        said.push(("summary".into(), text));
    }
    Run { name: name.to_owned(), code: output.status.code().expect("no signal"), said }
}

/// The push to main as a job of GitHub sees it.
fn on_github(built: &Repository) -> Run {
    let out = folder().join("ci");
    std::fs::create_dir_all(&out).expect("a folder");
    let (old, new) = (built.id("start"), built.id("merged"));
    let event = serde_json::json!({
        "before": old, "after": new, "ref": "refs/heads/main", "forced": false, "created": false, "deleted": false,
        "repository": { "default_branch": "main" }, "sender": { "login": "mallory" }, "pusher": { "name": "mallory" },
    });
    let file = built.repo.path().join(".git/event.json");
    std::fs::write(&file, event.to_string()).expect("writes");
    let summary = out.join("summary");
    let text = |path: &Path| path.to_str().expect("a plain path").to_owned();
    let variables = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_EVENT_NAME", "push"),
        ("GITHUB_EVENT_PATH", &text(&file)),
        ("GITHUB_REF", "refs/heads/main"),
        ("GITHUB_SHA", new),
        ("GITHUB_ACTOR", "mallory"),
        ("GITHUB_STEP_SUMMARY", &text(&summary)),
    ];
    run(built, "ci", &["ci"], &variables)
}

/// The whole push as a server judges it, and one that only its account is wrong with; told to the pusher only.
fn at_server(built: &Repository) -> Run {
    let out = folder().join("server");
    std::fs::create_dir_all(&out).expect("a folder");
    let whole = std::fs::read(&built.push).expect("there are lines");
    let short = format!("{} {} refs/heads/main\n", built.id("start"), built.id("own"));
    let pushes = [("remote", "bare", "USER", &whole[..]), ("remote-gitlab", "gitlab", "GL_USERNAME", short.as_bytes())];
    let said = pushes.map(|(name, kind, variable, lines)| {
        let mut command = built.repo.command(env!("CARGO_BIN_EXE_portcullis"));
        command.args(["hook", "run", "pre-receive", "--server", kind]).env(variable, "mallory");
        let (code, text) = repository::fed(&mut command, lines);
        assert_eq!(code, Some(1), "{name}: {text}");
        std::fs::write(out.join(name), &text).expect("writes");
        (name.to_owned(), text)
    });
    Run { name: "server".to_owned(), code: 1, said: said.into() }
}

/// Formats that tell only so much of a long report.
const CAPPED: [&str; 4] = ["github", "summary", "remote", "remote-gitlab"];

#[test]
fn every_format_tells_the_same_findings_on_the_same_lines() {
    for run in JUDGED.runs.iter().filter(|r| r.name != "server").chain(JUDGED.wrong.iter().map(|(_, run)| run)) {
        for case in CASES {
            let Some((_, text)) = run.said.iter().find(|(name, _)| name == case.name) else { continue };
            let (told, truth) = ((case.read)(text), run.told(case.pins));
            let strange: Vec<_> = told.difference(&truth).collect();
            // What an exception took out is told where a format can say so.
            let suppressed = strange.iter().all(|(rule, _)| {
                ["json", "jsonl", "sarif", "junit"].contains(&case.name) && rule == "assertions/replicas"
            });
            assert!(suppressed, "{} {} invents {strange:?}", run.name, case.name);
            let missing: Vec<_> = truth.difference(&told).collect();
            assert!(CAPPED.contains(&case.name) || missing.is_empty(), "{} {} lacks {missing:?}", run.name, case.name);
        }
    }
}

#[test]
fn a_pusher_reads_the_worst_first() {
    let server = JUDGED.runs.iter().find(|r| r.name == "server").expect("it ran");
    let push = JUDGED.runs.iter().find(|r| r.name == "push").expect("it ran");
    let case = |name| CASES.iter().find(|c| c.name == name).expect("it is one of them");
    let told = (case("remote").read)(server.text("remote"));
    assert!(told.len() >= 20, "{}", told.len());
    // What only a server judges aside, the first that it tells are the first of the report.
    let truth = push.told(false);
    let strange: Vec<_> = told.difference(&truth).filter(|(rule, _)| !rule.starts_with("policy/")).collect();
    assert!(strange.is_empty(), "{strange:?}");
    let told = (case("remote-gitlab").read)(server.text("remote-gitlab"));
    assert!(told.iter().any(|(rule, _)| rule == "branch-topology/direct-push"), "{told:?}");
}

#[test]
fn every_code_has_a_violation_here() {
    let listed = JUDGED.built.repo.command(env!("CARGO_BIN_EXE_portcullis")).arg("rules").output().expect("runs");
    let listed = String::from_utf8(listed.stdout).expect("UTF-8");
    let codes: BTreeSet<String> = listed
        .lines()
        .map(|line| line.split(' ').next().unwrap_or_default().replace("assertions/<id>", "assertions/replicas"))
        .collect();
    assert!(codes.len() > 700, "{}", codes.len());
    let mut found: BTreeSet<String> = JUDGED.runs.iter().filter(|r| r.name != "server").flat_map(Run::rules).collect();
    let server = JUDGED.runs.iter().find(|r| r.name == "server").expect("it ran");
    let pusher = CASES.iter().find(|c| c.name == "remote-gitlab").expect("it is one of them");
    found.extend((pusher.read)(server.text("remote-gitlab")).into_iter().map(|(rule, _)| rule));
    for (code, run) in &JUDGED.wrong {
        assert_eq!((run.code, run.rules()), (2, BTreeSet::from([format!("policy/{code}")])));
        found.extend(run.rules());
    }
    // A malformed object or a spent budget leaves other rules undecided, and these need a history or a second
    // environment of their own: the tests of their rules have one of each.
    let elsewhere = [
        "branch-topology/content-cap",
        "branch-topology/lost-work",
        "deployments/foreign-file",
        "deployments/kargo-branch",
        "deployments/other-environment",
        "divergence/not-seen",
        "divergence/payment-mode",
        "divergence/shared",
    ];
    let here = |code: &&String| !code.starts_with("git-objects/") && !elsewhere.contains(&code.as_str());
    let missing: Vec<_> = codes.difference(&found).filter(here).collect();
    assert!(missing.is_empty(), "{} codes have no violation in tests/cases/every-rule: {missing:#?}", missing.len());
    for run in &JUDGED.runs {
        assert_eq!(run.code, 1, "{}", run.name);
    }
}

#[test]
fn nothing_is_left_undecided() {
    for run in JUDGED.runs.iter().filter(|r| r.name != "server") {
        assert_eq!(run.report()["errors"], serde_json::json!([]), "{}", run.name);
    }
}

#[test]
fn no_format_tells_a_planted_secret_or_a_raw_control_character() {
    assert!(JUDGED.built.planted.len() > 600, "{}", JUDGED.built.planted.len());
    let planted = AhoCorasick::new(&JUDGED.built.planted).expect("they are few");
    for run in JUDGED.runs.iter().chain(JUDGED.wrong.iter().map(|(_, run)| run)) {
        for (format, text) in &run.said {
            let told: BTreeSet<&str> = planted.find_iter(text).map(|m| &text[m.range()]).collect();
            assert!(told.is_empty(), "{} {format} tells {told:?}", run.name);
            let raw: Vec<char> = text.chars().filter(|c| *c != '\n' && is_unsafe(*c)).collect();
            assert!(raw.is_empty(), "{} {format}: {raw:?}", run.name);
        }
    }
}
