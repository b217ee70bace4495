//! Every key of the policy, right and wrong, with the caret where it belongs.

use portcullis::finding::Severity;
use portcullis::options::{Budgets, Environment, PolicyFile, Protected};
use portcullis::policy::{Mode, PRESETS, Policy};
use portcullis::rules;
use portcullis::yaml;

use super::toy::{RULES, load, policy, told};

const ALL: &str = r#"
version: 1
extends: [dev-main]
mode: report
environments:
  staging:    { branch: dev, aliases: [stage, stg] }
  production: { branches: [main, "release/*"], aliases: prd, tags: ["v{semver}", "{component}/v{semver}"] }
protected:
  - { branch: main, direct-push: [release-bot], non-ff: error, delete: warning, linear: note, signed: off }
  - { branch: dev }
approvers: [alice, 1234]
exceptions:
  - { rule: toy/one, path: "test/*.pem", fingerprint: 3f9a1b2c, commit: '0123456789abcdef0123456789abcdef01234567', ref: main, key: a.b, reason: "x", until: 2026-07-01 }
inline: { deny: [toy] }
budgets: { time: 2m, paths: 7, content-comparisons: 0, blob-window: 1MiB }
rules:
  toy: { severity: error, include: [src], exclude: ["*.md"], branches: [main, "x/**"], words: [b] }
  toy/one: { severity: off }
  data/anything: { include: /x }
detectors: [{ id: a }]
assertions: [{ id: b }]
"#;

#[test]
fn every_key_can_be_written() {
    let policy = policy(ALL);
    let words = policy.vocabulary();
    assert_eq!(policy.mode(), Mode::Report);
    let environment = |name: &str, branches: &[&str], aliases: &[&str], tags: &[&str]| Environment {
        name: name.into(),
        branches: branches.iter().map(|s| s.to_string()).collect(),
        aliases: aliases.iter().map(|s| s.to_string()).collect(),
        tags: tags.iter().map(|s| s.to_string()).collect(),
    };
    assert_eq!(
        words.environments,
        [
            environment("staging", &["dev"], &["staging", "stage", "stg"], &[]),
            environment(
                "production",
                &["main", "release/*"],
                &["production", "prd"],
                &["v{semver}", "{component}/v{semver}"]
            ),
        ]
    );
    let main = Protected {
        direct_push: vec!["release-bot".into()],
        delete: Some(Severity::Warning),
        linear: Some(Severity::Note),
        ..Protected::new("main")
    };
    assert_eq!(words.protected, [main, Protected::new("dev")]);
    assert_eq!(words.approvers, ["alice", "1234"]);
    assert_eq!(words.budgets, Budgets { time: 120, paths: 7, content_comparisons: 0, blob_window: 1 << 20 });
}

#[test]
fn nothing_at_all_is_the_defaults() {
    for files in [vec![], vec![PolicyFile::new("p", "")], vec![PolicyFile::new("p", "# nothing\n")]] {
        let policy = Policy::load_for(files, RULES).unwrap();
        assert_eq!((policy.mode(), policy.vocabulary().environments.len()), (Mode::Enforce, 0));
        assert_eq!(policy.vocabulary().budgets, Budgets::default());
    }
}

#[test]
fn branches_of_environments_are_protected_unless_said_otherwise() {
    let words = |text| policy(text).vocabulary().protected.clone();
    let given = "environments: { a: { branch: dev }, b: { branches: [main, 'r/*'] } }";
    assert_eq!(words(given), [Protected::new("dev"), Protected::new("main"), Protected::new("r/*")]);
    assert_eq!(words(&format!("{given}\nprotected: []")), []);
}

#[test]
fn every_wrong_value_has_its_caret() {
    for (text, wanted) in [
        (
            "mode: enforced",
            "1:7 policy/wrong-value: one of `enforce`, `report` is needed here [did you mean `enforce`?]",
        ),
        ("extends: dev-main", "1:10 policy/wrong-value: a list is needed here, not a string"),
        (
            "extends: [trunk, dev-mian]",
            "1:18 policy/unknown-preset: unknown preset `dev-mian` [did you mean `dev-main`?]",
        ),
        ("version: 0", "1:10 policy/wrong-value: `version: 1` is the only one there is"),
        ("version: '1'", "1:10 policy/wrong-value: `version: 1` is the only one there is"),
        (
            "environments: [a]",
            "1:15 policy/wrong-value: a map from environments to their branches is needed here, not a list",
        ),
        (
            "environments: { a: main }",
            "1:20 policy/wrong-value: a map with the keys branch, branches, aliases, tags is needed here, not a string",
        ),
        ("environments: { a: {} }", "1:17 policy/wrong-value: the environment `a` has neither a branch nor tags"),
        (
            "environments: { a: { branch: x, branches: [y] } }",
            "1:33 policy/wrong-value: either `branch` or `branches`, not both",
        ),
        (
            "environments: { a: { brnach: x, branch: '[' } }",
            "1:22 policy/unknown-key: unknown key `brnach` [did you mean `branch`?]|1:41 policy/wrong-value: not a glob: unclosed character class; missing ']'",
        ),
        (
            "environments:\n  a: { branch: x }\n  b: { branch: y, aliases: [c, a] }",
            "3:32 policy/wrong-value: this is already a name of `a`",
        ),
        (
            "environments: { a: { tags: [v1] } }",
            "1:29 policy/wrong-value: a tag format holds `{semver}` once, and may hold `{component}` [for example `v{semver}` or `{component}/v{semver}`]",
        ),
        (
            "environments: { a: { tags: ['v{semver}{smever}'] } }",
            "1:29 policy/wrong-value: a tag format holds `{semver}` once, and may hold `{component}` [for example `v{semver}` or `{component}/v{semver}`]",
        ),
        ("protected: main", "1:12 policy/wrong-value: a list is needed here, not a string"),
        ("protected: [{ non-ff: error }]", "1:13 policy/wrong-value: `branch` is missing"),
        (
            "protected: [{ branch: a, non_ff: error }]",
            "1:26 policy/unknown-key: unknown key `non_ff` [did you mean `non-ff`?]",
        ),
        (
            "protected: [{ branch: a, linear: yes }]",
            "1:34 policy/wrong-value: one of `error`, `warning`, `note`, `off` is needed here",
        ),
        ("protected: [{ branch: a, direct-push: {} }]", "1:39 policy/wrong-value: a list is needed here, not a map"),
        ("approvers: [[a]]", "1:13 policy/wrong-value: a string is needed here, not a list"),
        ("inline: [a]", "1:9 policy/wrong-value: a map with the keys deny is needed here, not a list"),
        ("inline: { deny: [toys] }", "1:18 policy/unknown-rule: unknown rule `toys` [did you mean `toy`?]"),
        ("inline: { deny: [toy/one] }", "1:18 policy/wrong-value: a family is needed here, not one of its codes"),
        ("budgets: { time: 60 }", "1:18 policy/wrong-value: a time is a whole number with a unit of `s`, `m`, `h`"),
        ("budgets: { time: 0s }", "1:18 policy/wrong-value: with a budget of 0 for `time` nothing can be decided"),
        (
            "budgets: { blob-window: 16MB }",
            "1:25 policy/wrong-value: a size is a whole number with a unit of `B`, `KiB`, `MiB`, `GiB`",
        ),
        (
            "budgets: { blob-window: 99999999999GiB }",
            "1:25 policy/wrong-value: a size is a whole number with a unit of `B`, `KiB`, `MiB`, `GiB`",
        ),
        (
            "budgets: { paths: many, content-comparison: 1 }",
            "1:19 policy/wrong-value: a number is needed here, not a string|1:25 policy/unknown-key: unknown key `content-comparison` [did you mean `content-comparisons`?]",
        ),
        ("rules: [a]", "1:8 policy/wrong-value: a map from rules to their options is needed here, not a list"),
        (
            "rules: { toy: off }",
            "1:15 policy/wrong-value: a map is needed here, not a string [for example `toy: { severity: off }`]",
        ),
        ("rules: { tyo: {} }", "1:10 policy/unknown-rule: unknown rule `tyo` [did you mean `toy`?]"),
        ("rules: { toy/oen: {} }", "1:10 policy/unknown-rule: unknown rule `toy/oen` [did you mean `toy/one`?]"),
        ("rules: { tyo/one: {} }", "1:10 policy/unknown-rule: unknown rule `tyo/one` [did you mean a code of `toy`?]"),
        (
            "rules: { toy/one: { words: [] } }",
            "1:21 policy/unknown-key: unknown key `words` [known here: severity, include, exclude, branches]",
        ),
        (
            "rules: { toy: { severity: fatal, include: ['!a'], exclude: {}, branches: [''] } }",
            "1:27 policy/wrong-value: one of `error`, `warning`, `note`, `off` is needed here|1:44 policy/wrong-value: a glob cannot be negated: name what is meant under `include` or `exclude`|1:60 policy/wrong-value: a list is needed here, not a map|1:75 policy/wrong-value: an empty glob matches nothing",
        ),
        (
            "rules: { exceptions: { max-day: 3 } }",
            "1:24 policy/unknown-key: unknown key `max-day` [did you mean `max-days`?]",
        ),
        ("detectors: { id: a }", "1:12 policy/wrong-value: a list is needed here, not a map"),
        ("assertions: [a]", "1:14 policy/wrong-value: a map is needed here"),
        ("exceptions: { rule: toy }", "1:13 policy/wrong-value: a list is needed here, not a map"),
        ("exceptions: [{ reason: x }]", "1:14 policy/wrong-value: `rule` is missing"),
        (
            "exceptions: [{ rule: toi, reason: x }]",
            "1:22 policy/unknown-rule: unknown rule `toi` [did you mean `toy`?]",
        ),
        (
            "exceptions: [{ rule: toy, reason: x, until: soon }]",
            "1:45 policy/wrong-value: a date like 2027-01-31 is needed here",
        ),
        (
            "exceptions: [{ rule: toy, reason: x, until: 2026-02-30 }]",
            "1:45 policy/wrong-value: a date like 2027-01-31 is needed here",
        ),
        (
            "exceptions: [{ rule: toy, reason: x, fingerprint: 3f9a }]",
            "1:51 policy/wrong-value: at least 8 hexadecimal digits are needed here",
        ),
        (
            "exceptions: [{ rule: toy, reason: x, commit: main }]",
            "1:46 policy/wrong-value: the whole id of a commit is needed here [git rev-parse COMMIT]",
        ),
        (
            "exceptions: [{ rule: toy, reason: x, path: '[' }]",
            "1:44 policy/wrong-value: not a glob: unclosed character class; missing ']'",
        ),
        ("exceptions: [{ rule: toy, reason: x, ref: '' }]", "1:43 policy/wrong-value: an empty glob matches nothing"),
        (
            "exceptions: [{ rule: toy, reason: x, paht: a }]",
            "1:38 policy/unknown-key: unknown key `paht` [did you mean `path`?]",
        ),
        ("verison: 1", "1:1 policy/unknown-key: unknown key `verison` [did you mean `version`?]"),
        ("? [a]\n: 1", "1:3 policy/wrong-value: a key is a word, not a list"),
        ("mode: report\nmode: report", "2:1 policy/syntax: the key `mode` is given twice"),
        ("- a", "1:1 policy/syntax: a policy is a map, not a list"),
        ("mode: report\n---\nmode: report", "3:1 policy/syntax: a policy is one YAML document"),
        (
            "mode: *m",
            "1:7 policy/syntax: there is no anchor `&m` before this alias|1:7 policy/wrong-value: one of `enforce`, `report` is needed here",
        ),
    ] {
        let mistakes = load(text).expect_err(text);
        assert_eq!(told(&mistakes).join("|"), wanted, "{text}");
    }
}

#[test]
fn carets_count_bytes_after_a_bom_and_crlf() {
    let mistakes = load("\u{feff}version: 1\r\nrules:\r\n  tóy: {}\r\n").unwrap_err();
    assert_eq!(told(&mistakes), ["3:3 policy/unknown-rule: unknown rule `tóy` [did you mean `toy`?]"]);
    let mistakes = load("approvers: ['é', {}]").unwrap_err();
    assert_eq!(told(&mistakes), ["1:19 policy/wrong-value: a string is needed here, not a map"]);
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_the_file() {
    let mistakes = load("mode: x\nrules: { tyo: {} }\nbudgets: { time: 1 }\nfoo: 1\nextends: [foo]\n").unwrap_err();
    let lines: Vec<_> = told(&mistakes).iter().map(|t| t.split(':').next().unwrap().to_owned()).collect();
    assert_eq!(lines, ["1", "2", "3", "4", "5"]);
}

#[test]
fn a_newer_version_is_one_mistake() {
    let mistakes = load("version: 2\nnew-key: 1\nmode: maybe\n").unwrap_err();
    assert_eq!(
        told(&mistakes),
        [
            "1:10 policy/version: version 2 of the policy is newer than this program knows [use a newer portcullis, or write the policy for `version: 1`]"
        ]
    );
}

#[test]
fn no_bytes_make_loading_panic() {
    for text in [
        &b"\xff\xfe"[..],
        b"\0",
        b"rules: {\0: 1}",
        b"a: \xff",
        &[b'['; 4096],
        b"exceptions: [[[",
        b"version: 99999999999999999999",
    ] {
        assert!(Policy::load(vec![PolicyFile::new("p", text)]).is_err(), "{text:?}");
    }
}

#[test]
fn every_preset_loads_and_compiles() {
    for (name, text) in PRESETS {
        let policy = Policy::load(vec![PolicyFile::new("p", format!("extends: [{name}]"))]);
        let policy = policy.unwrap_or_else(|m| panic!("{name}: {:?}", told(&m)));
        assert_eq!(told(&policy.validate()), [""; 0], "{name}");
        let words = policy.vocabulary();
        assert_eq!(words.environments.last().unwrap().name, "production", "{name}");
        assert!(words.protected.iter().any(|p| p.branch == "main" && p.direct_push.is_empty()), "{name}");
        // It can be used as a file of its own, but for what is not there yet.
        assert!(!text.contains("extends"), "{name}");
    }
}

#[test]
fn later_layers_win() {
    let words = |text| policy(text).vocabulary().clone();
    let both = words("extends: [dev-main, trunk]");
    assert_eq!(both.environments.len(), 1, "the later preset's environments replace the earlier's");
    let own = words("extends: [dev-main]\nenvironments: { production: { branch: master } }");
    assert_eq!(own.environments[0].branches, ["master"]);
    assert_eq!(own.protected[0].branch, "main", "what the file does not say stays");
    let admin = Policy::load_for(
        vec![
            PolicyFile::new("a", "mode: report\nbudgets: { time: 5s, paths: 9 }"),
            PolicyFile::new("b", "extends: [trunk]\nmode: enforce\nbudgets: { time: 7s }"),
        ],
        RULES,
    )
    .unwrap();
    assert_eq!(admin.mode(), Mode::Enforce);
    assert_eq!((admin.vocabulary().budgets.time, admin.vocabulary().budgets.paths), (7, 9));
    assert_eq!(admin.files().iter().map(|f| f.path.to_string()).collect::<Vec<_>>(), ["a", "b", "preset trunk"]);
}

#[derive(serde::Deserialize)]
struct Examples {
    examples: PassAndFail,
}

#[derive(serde::Deserialize)]
struct PassAndFail {
    pass: Vec<String>,
    fail: Vec<Fail>,
}

#[derive(serde::Deserialize)]
struct Fail {
    code: String,
    policy: String,
}

#[test]
fn the_examples_of_the_family_are_true() {
    let Examples { examples } = yaml::from_document(rules::policy::RULE.policy, 1).unwrap();
    examples.pass.iter().for_each(|text| drop(policy(text)));
    for Fail { code, policy } in &examples.fail {
        assert_eq!(load(policy).unwrap_err()[0].wrong.code, format!("policy/{code}"), "{policy}");
    }
    let failing: Vec<_> = examples.fail.iter().map(|f| f.code.as_str()).collect();
    // What a push does to a policy is no mistake in a file: tests/hooks/server/policy.rs has those.
    let of_pushes = ["changed", "invalid", "replace-ref", "not-a-file"];
    let codes = rules::policy::RULE.about().unwrap().codes;
    assert!(codes.iter().all(|c| failing.contains(&c.code.as_str()) || of_pushes.contains(&c.code.as_str())));
}

#[test]
fn every_family_tells_about_itself() {
    for rule in portcullis::rules::RULES {
        let about = rule.about().unwrap_or_else(|m| panic!("{}: {}", rule.id, m.message));
        assert!(!about.summary.is_empty() && !about.codes.is_empty(), "{}", rule.id);
    }
    let broken = Policy::load(vec![]).unwrap().validate();
    assert_eq!(told(&broken), [""; 0], "the defaults of every family are right");
}
