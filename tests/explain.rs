//! `explain`, `rules`, `completions` and `man`, as a user runs them.

use portcullis::rules::RULES;
use portcullis::rules::secrets::DETECTORS;

use crate::support::{Sandbox, TestRepo};

fn run(args: &[&str]) -> (i32, String) {
    let sandbox = Sandbox::new();
    let output = sandbox.command(env!("CARGO_BIN_EXE_portcullis"), sandbox.path()).args(args).output().expect("runs");
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().expect("ends"), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn everything_that_is_listed_can_be_explained() {
    let (code, list) = run(&["rules", "list"]);
    assert_eq!(code, 0, "{list}");
    assert_eq!(run(&["rules"]).1, list);
    let names: Vec<&str> = list.lines().filter_map(|l| l.split_whitespace().next()).collect();
    assert!(names.len() > DETECTORS.len());
    // Every family, and some of each: a process a name would take a minute.
    for rule in RULES {
        assert!(run(&["explain", rule.id]).1.starts_with(&format!("{}: ", rule.id)));
    }
    for name in names.iter().step_by(25).chain(names.iter().filter(|n| !n.starts_with("secrets/")).step_by(4)) {
        let (code, text) = run(&["explain", name]);
        assert!(code == 0 && text.starts_with(&format!("{name} (")), "{text}");
    }
}

#[test]
fn a_detector_says_how_to_revoke_and_a_misspelt_rule_names_the_nearest() {
    let (code, text) = run(&["explain", "secrets/private-key"]);
    assert_eq!(code, 0);
    assert!(text.contains("what to do\n  1. make a new key pair"), "{text}");
    let (code, text) = run(&["explain", "semver-tag/nam"]);
    assert_eq!(code, 2);
    assert!(text.contains("did you mean `semver-tags/name`?"), "{text}");
}

#[test]
fn own_detectors_are_tried_on_their_own_examples() {
    let repo = TestRepo::init();
    let policy = |near_miss: &str| {
        format!(
            "version: 1\ndetectors:\n  - id: acme-key\n    name: an Acme key\n    provider: Acme\n    keywords: [acme_]\n    \
             pattern: '\\b(?P<secret>acme_[0-9a-f]{{16}})\\b'\n    matches: ['acme_<>0f3c9a1b77d2e4c5', 'k=acme_<>a1b2c3d4e5f60718']\n    \
             near-misses: ['acme_short', '{near_miss}']\n"
        )
    };
    let test = |text: &str| {
        repo.write("own.yaml", text);
        let mut command = repo.command(env!("CARGO_BIN_EXE_portcullis"));
        let output = command.args(["rules", "test", "own.yaml"]).output().expect("runs");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    assert_eq!(test(&policy("acme_xyz")), (Some(0), "pass: 1 detectors, 4 examples, 0 wrong\n".into()));
    let (code, text) = test(&policy("acme_<>0f3c9a1b77d2e4c5"));
    assert_eq!(code, Some(1));
    assert!(text.contains("acme-key: near-misses, example 2: is found") && !text.contains("0f3c9a1b"), "{text}");
    assert_eq!(test("version: 1\ndetectorz: []\n").0, Some(2));
}

#[test]
fn shells_and_man_get_their_pages() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, text) = run(&["completions", shell]);
        assert!(code == 0 && text.contains("portcullis") && text.contains("explain"), "{shell}");
    }
    let (code, page) = run(&["man"]);
    assert!(code == 0 && page.contains(".TH portcullis"), "{page}");
}
