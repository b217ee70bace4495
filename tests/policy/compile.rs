//! Only what can find something is read, and its mistakes are told with the file they are in.

use portcullis::policy::Compiled;
use portcullis::subject::Kinds;

use super::toy::{SEEN, policy, told};

fn families(compiled: &Compiled) -> (Vec<&'static str>, u64) {
    (compiled.families.clone(), compiled.policies_parsed)
}

#[test]
fn only_families_that_the_source_feeds_are_read() {
    let policy = policy("rules: { data: { unknown: 1 } }");
    let files = policy.compile(Kinds::FILE, &[]).unwrap_or_else(|m| panic!("{:?}", told(&m)));
    assert_eq!(families(&files), (vec!["toy"], 1));
    assert_eq!((files.files.len(), files.commits.len(), files.kinds()), (1, 0, Kinds::FILE));
    let mistakes = policy.compile(Kinds::ALL, &[]).err().unwrap();
    assert_eq!(
        told(&mistakes),
        ["1:18 policy/unknown-key: unknown key `unknown` [known here: branches, exclude, include, severity]"]
    );
    assert_eq!(told(&policy.validate()), told(&mistakes));
}

#[test]
fn what_is_off_is_not_read() {
    let off = policy("rules: { toy: { severity: off, nonsense: 1 } }");
    assert_eq!(families(&off.compile(Kinds::FILE, &[]).ok().unwrap()), (vec![], 0));
    let back = policy("rules: { toy: { severity: off }, toy/one: { severity: error } }");
    assert_eq!(families(&back.compile(Kinds::FILE, &[]).ok().unwrap()), (vec!["toy"], 1));
}

#[test]
fn only_names_families_or_codes() {
    let policy = policy("");
    for (only, wanted) in [("data", vec!["data"]), ("toy/one", vec!["toy"]), ("policy", vec![])] {
        assert_eq!(policy.compile(Kinds::ALL, &[only.into()]).ok().unwrap().families, wanted, "{only}");
    }
    let mistakes = policy.compile(Kinds::ALL, &["data".into(), "tois".into(), "toy/tow".into()]).err().unwrap();
    assert_eq!(
        told(&mistakes),
        [
            "1:6 policy/unknown-rule: unknown rule `tois` [known here: toy, data, policy, exceptions]",
            "1:11 policy/unknown-rule: unknown rule `toy/tow` [did you mean `toy/two`?]"
        ]
    );
    assert_eq!(mistakes[0].file.path, "--only");
}

#[test]
fn options_come_from_defaults_and_every_layer() {
    let compile = |text: &str| {
        let policy = policy(text);
        let mut seen = SEEN.lock().unwrap();
        seen.clear();
        drop(seen);
        policy.compile(Kinds::FILE, &["toy".into()]).unwrap_or_else(|m| panic!("{:?}", told(&m)));
    };
    compile("detectors: [{ id: a }, { id: b }]\nrules: { toy: { words: [unmistakable], severity: note } }");
    assert!(SEEN.lock().unwrap().iter().any(|s| s == "[\"unmistakable\"] 3 2"));
}

#[test]
fn a_scope_goes_with_every_check() {
    let policy = policy("rules: { toy: { include: [src], exclude: ['*.md'], branches: [main] } }");
    let compiled = policy.compile(Kinds::FILE, &[]).ok().unwrap();
    let scope = &compiled.files[0].scope;
    for (path, inside) in [("src/a", true), ("x/src/b", true), ("src/a.md", false), ("doc/a", false)] {
        assert_eq!(scope.has_path(path.into()), inside, "{path}");
    }
    for (refs, inside) in [
        (&["refs/heads/main"][..], true),
        (&["refs/heads/dev"], false),
        (&["refs/heads/dev", "refs/heads/main"], true),
        (&["main"], true),
        (&["refs/tags/v1"], true),
        (&[], true),
    ] {
        assert_eq!(scope.has_branch(refs.iter().map(|r| (*r).into())), inside, "{refs:?}");
    }
}
