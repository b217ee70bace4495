//! Rules, one module per family.

mod assertions;
mod branch_topology;
mod conventional_commits;
mod deployments;
mod divergence;

mod files;
mod git_objects;
pub mod secrets;
mod semver_tags;
mod windmill;
mod windmill_paths;

#[test]
fn rules_compile_only_checks_of_the_kinds_they_look_at() {
    let policy = portcullis::policy::Policy::load(Vec::new()).expect("the defaults");
    let compiled =
        portcullis::rules::RULES.iter().map(|rule| (rule, policy.with_options(rule, |o| (rule.compile)(o)).0));
    let mut with_checks = 0;
    for (rule, checks) in compiled {
        assert_eq!(checks.kinds().union(rule.looks_at), rule.looks_at, "{}", rule.id);
        with_checks += usize::from(checks.kinds() != portcullis::subject::Kinds::NONE);
    }
    assert!(with_checks >= 6, "only {with_checks} rules have checks by default");
}
