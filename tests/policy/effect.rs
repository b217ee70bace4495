//! What a change of the policy does: tightened, relaxed or neutral.

use portcullis::options::PolicyFile;
use portcullis::policy::{Effect, Policy, compare};

fn policy(text: &str) -> Policy {
    let text = format!("version: 1\n{text}\n");
    Policy::load(vec![PolicyFile::new("portcullis.yaml", text.clone())]).unwrap_or_else(|m| panic!("{text}: {m:?}"))
}

fn effects(old: &str, new: &str) -> Vec<Effect> {
    let mut effects: Vec<Effect> = compare(&policy(old), &policy(new)).iter().map(|c| c.effect).collect();
    effects.dedup();
    effects
}

#[test]
fn a_change_and_its_reverse_have_opposite_effects() {
    // The left one is stricter.
    let pairs = [
        ("", "mode: report"),
        ("", "rules: { secrets: { severity: warning } }"),
        ("", "rules: { secrets: { severity: off } }"),
        ("", "rules: { secrets/github-pat: { severity: note } }"),
        ("rules: { branch-topology/foxtrot: { severity: error } }", ""),
        ("", "rules: { secrets: { exclude: [docs] } }"),
        ("rules: { secrets: { exclude: [docs] } }", "rules: { secrets: { exclude: [docs, test] } }"),
        ("", "rules: { secrets: { include: [src] } }"),
        ("rules: { secrets: { include: [src, docs] } }", "rules: { secrets: { include: [src] } }"),
        ("", "rules: { files: { branches: [main] } }"),
        ("", "rules: { secrets/github-pat: { exclude: [docs] } }"),
        ("rules: { secrets: { binary: true } }", ""),
        ("rules: { conventional-commits: { header-max-length: 72 } }", ""),
        ("", "rules: { conventional-commits: { header-max-length: null } }"),
        ("rules: { conventional-commits: { types: [feat, fix] } }", ""),
        ("rules: { semver-tags: { prerelease: deny } }", ""),
        ("", "exceptions: [{ rule: secrets, path: a, reason: x }]"),
        (
            "exceptions: [{ rule: secrets, path: a, reason: x }]",
            "exceptions: [{ rule: secrets, reason: x }, { rule: secrets, path: a, reason: x }]",
        ),
        ("protected: [{ branch: main }]", ""),
        ("protected: [{ branch: main, direct-push: [] }]", "protected: [{ branch: main, direct-push: [a] }]"),
        ("protected: [{ branch: main, direct-push: [a] }]", "protected: [{ branch: main }]"),
        ("protected: [{ branch: main }]", "protected: [{ branch: main, non-ff: off }]"),
        ("protected: [{ branch: main, signed: error }]", "protected: [{ branch: main, signed: warning }]"),
        ("", "inline: { deny: [files, windmill] }"),
        ("budgets: { content-comparisons: 300 }", ""),
        (
            "assertions: [{ id: a, files: ['*.yml'], format: yaml, path: a, present: true, severity: error, message: m }]",
            "",
        ),
    ];
    for (strict, loose) in pairs {
        assert_eq!(effects(strict, loose), [Effect::Relaxed], "{strict} -> {loose}");
        assert_eq!(effects(loose, strict), [Effect::Tightened], "{loose} -> {strict}");
    }
}

#[test]
fn what_judges_alike_is_neutral() {
    let pairs = [
        ("", "# a remark"),
        (
            "rules: { secrets: { severity: error, exclude: [a] } }",
            "rules:\n  secrets:\n    exclude: a\n    severity: error",
        ),
        ("exceptions: [{ rule: secrets, path: a, reason: x }]", "exceptions: [{ reason: y, path: a, rule: secrets }]"),
        (
            "exceptions: [{ rule: secrets, path: a, reason: x }, { rule: files, path: b, reason: x }]",
            "exceptions: [{ rule: files, path: b, reason: x }, { rule: secrets, path: a, reason: x }]",
        ),
        ("", "policy-changes: anyone"),
        ("", "rules: { conventional-commits: { header-max-length: 100 } }"),
    ];
    for (old, new) in pairs {
        assert_eq!(effects(old, new), [], "{old} -> {new}");
    }
    assert_eq!(effects("", "budgets: { time: 90s }"), [Effect::Neutral]);
    assert_eq!(effects("budgets: { paths: 7 }", ""), [Effect::Neutral]);
}

#[test]
fn a_budget_that_stops_every_later_push_needs_an_approver() {
    for smaller in ["budgets: { paths: 1 }", "budgets: { time: 1s }"] {
        assert_eq!(effects("", smaller), [Effect::Relaxed], "{smaller}");
    }
}

#[test]
fn an_environment_in_front_tightens_only_without_tags_and_with_branches_of_its_own() {
    let old = "environments: { staging: { branch: dev }, production: { branch: 'release/*' } }";
    let with = |first: &str| effects(old, &old.replace("{ staging", &format!("{{ first: {first}, staging")));
    assert_eq!(with("{ branch: feature }"), [Effect::Tightened]);
    for first in
        ["{ branch: feature, tags: ['x{semver}'] }", "{ branch: dev }", "{ branch: release/1 }", "{ branch: 'f*' }"]
    {
        assert_eq!(with(first).first(), Some(&Effect::Relaxed), "{first}");
    }
}

#[test]
fn what_nobody_can_tell_relaxes_whichever_way_it_goes() {
    let pairs = [
        (
            "environments: { staging: { branch: dev }, production: { branch: main } }",
            "environments: { production: { branch: main }, staging: { branch: dev } }",
        ),
        ("exceptions: [{ rule: secrets, path: a, reason: x }]", "exceptions: [{ rule: secrets, path: b, reason: x }]"),
        ("rules: { semver-tags: { formats: ['v{semver}'] } }", "rules: { semver-tags: { formats: ['x{semver}'] } }"),
        ("rules: { secrets: { include: [a] } }", "rules: { secrets: { include: [b] } }"),
        ("", "approvers: [a]"),
        ("approvers: [a]", "approvers: [a, b]"),
    ];
    for (one, other) in pairs {
        for (old, new) in [(one, other), (other, one)] {
            assert_eq!(effects(old, new).first(), Some(&Effect::Relaxed), "{old} -> {new}");
        }
    }
}

#[test]
fn presets_count_by_what_they_say() {
    let spelled = "environments:\n  staging: { branch: dev }";
    assert!(effects("extends: [dev-main]", "").contains(&Effect::Relaxed));
    assert!(effects(spelled, "extends: [dev-main]").contains(&Effect::Relaxed), "production comes last now");
    assert_eq!(effects("extends: [dev-main]", "extends: [dev-main, dev-main]"), []);
}
