//! Whose policy judges: never that of the push.

use super::super::gate::{BINARY, run, secret, served, serving, try_git};
use crate::support::TestRepo;

const RELAXED: &str = "version: 1\nrules: { secrets: { severity: off } }\n";

fn bring(repo: &TestRepo, policy: &str) {
    repo.write("portcullis.yaml", policy);
    repo.commit("chore: policy");
}

fn push_as(repo: &TestRepo, account: &str, args: &[&str]) -> super::super::gate::Said {
    run(repo.command("git").arg("push").args(args).env("USER", account))
}

#[test]
fn a_push_is_judged_by_the_policy_before_it() {
    let (repo, _) = serving(&[]);
    repo.write("b", secret());
    bring(&repo, RELAXED);
    try_git(&repo, &["push", "origin", "main"]).is_refused(&["b:1:10", "policy/changed"]);
    // Nor by bringing it on another ref of the same push, or on another branch before.
    repo.git(["checkout", "-q", "-b", "policy", "origin/main"]);
    bring(&repo, RELAXED);
    try_git(&repo, &["push", "origin", "policy:main", "main:topic"]).is_refused(&["b:1:10"]);
    try_git(&repo, &["push", "-q", "origin", "policy"]).passes();
    try_git(&repo, &["push", "origin", "main:topic"]).is_refused(&["b:1:10"]);
}

#[test]
fn a_changed_policy_is_told_and_counts_from_then_on() {
    let (repo, _) = serving(&[]);
    bring(&repo, "version: 1\nrules: { secrets/gitlab-pat: { severity: warning } }\n");
    try_git(&repo, &["push", "origin", "main"])
        .passes_saying(&["warning: this push brings a policy", "policy/changed"]);
    repo.write("b", secret());
    repo.commit("feat: b");
    try_git(&repo, &["push", "-q", "origin", "main"]).passes_saying(&["warning"]);
    bring(&repo, "version: 1\n");
    try_git(&repo, &["push", "origin", "main"]).passes_saying(&["warning: this push changes the policy", "tightened"]);
    repo.write("c", secret());
    repo.commit("feat: c");
    try_git(&repo, &["push", "origin", "main"]).is_refused(&["c:1:10"]);
}

#[test]
fn with_approvers_nobody_else_relaxes_it_in_two_steps() {
    let (repo, server) = serving(&[]);
    server.git(["config", "receive.denyDeleteCurrent", "ignore"]);
    bring(&repo, "version: 1\napprovers: [alice]\n");
    push_as(&repo, "mallory", &["origin", "main"]).passes_saying(&["policy/changed"]);
    bring(&repo, RELAXED);
    push_as(&repo, "mallory", &["origin", "main"]).is_refused(&["error: this push changes the policy", "alice"]);
    // Nor by taking the policy, or the branch with it, away; nor by a symbolic name of the branch.
    push_as(&repo, "mallory", &["origin", ":main"]).is_refused(&["takes the policy away"]);
    server.git(["symbolic-ref", "refs/heads/alias", "refs/heads/main"]);
    push_as(&repo, "mallory", &["origin", "main:alias"]).is_refused(&["policy/changed"]);
    repo.git(["rm", "-q", "portcullis.yaml"]);
    repo.commit("chore: no policy");
    push_as(&repo, "mallory", &["origin", "main"]).is_refused(&["takes the policy away"]);
    push_as(&repo, "alice", &["origin", "main"]).passes_saying(&["warning: this push takes the policy away"]);
}

#[test]
fn without_approvers_nobody_relaxes_it() {
    let (repo, server) = serving(&[]);
    // Not even with the first policy, as far as that would switch the gate off.
    for first in ["version: 1\nmode: report\n", RELAXED, "version: 1\nrules: { files: { exclude: ['**'] } }\n"] {
        bring(&repo, first);
        try_git(&repo, &["push", "origin", "main"]).is_refused(&["policy/changed", "relaxed", "administrator"]);
        repo.git(["reset", "-q", "--hard", "HEAD~1"]);
    }
    bring(&repo, "version: 1\nextends: [dev-main]\nrules: { conventional-commits: { severity: warning } }\n");
    push_as(&repo, "alice", &["origin", "main:main"]).passes_saying(&["warning: this push brings a policy"]);
    server.git(["update-ref", "refs/heads/dev", "main"]);
    for relaxed in [
        "mode: report\nextends: [dev-main]\nrules: { conventional-commits: { severity: warning } }",
        "extends: [dev-main]\nrules: { conventional-commits: { severity: off } }",
        "extends: [dev-main]\napprovers: [mallory]\nrules: { conventional-commits: { severity: warning } }",
        "extends: [dev-main]\npolicy-changes: anyone\nprotected: []\nrules: { conventional-commits: { severity: warning } }",
        "rules: { conventional-commits: { severity: warning } }",
    ] {
        bring(&repo, &format!("version: 1\n{relaxed}\n"));
        push_as(&repo, "mallory", &["origin", "main"]).is_refused(&["policy/changed", "relaxed"]);
        repo.git(["reset", "-q", "--hard", "HEAD~1"]);
    }
}

#[test]
fn the_administrator_can_let_everybody_relax_the_policy() {
    let (repo, server) = serving(&[]);
    let file = repo.sandbox().path().join("policy.yaml");
    let hook = format!("#!/bin/sh\nexec {BINARY} hook run pre-receive --policy {} -- \"$@\"\n", file.display());
    server.write_mode("hooks/pre-receive", hook, 0o755);
    std::fs::write(&file, "version: 1\n").unwrap();
    bring(&repo, RELAXED);
    try_git(&repo, &["push", "origin", "main"]).is_refused(&["policy/changed"]);
    std::fs::write(&file, "version: 1\npolicy-changes: anyone\n").unwrap();
    try_git(&repo, &["push", "origin", "main"]).passes_saying(&["warning: this push brings a policy"]);
}

#[test]
fn a_policy_that_cannot_be_followed_does_not_get_in() {
    let (repo, _) = serving(&[]);
    bring(&repo, "version: 1\nrules: { sekrets: {} }\n");
    try_git(&repo, &["push", "origin", "main"]).is_refused(&["policy/invalid", "portcullis.yaml:2"]);
    bring(&repo, "version: 1\nrules: { secrets: { bianry: true } }\n");
    try_git(&repo, &["push", "origin", "main"]).is_refused(&["policy/invalid"]);
    // On another branch it is a file like any other.
    try_git(&repo, &["push", "-q", "origin", "main:topic"]).passes();
}

#[test]
fn one_that_got_in_nevertheless_is_replaced_by_the_defaults() {
    let (repo, server) = served(&[]);
    std::fs::rename(server.path().join("hooks"), server.path().join("off")).unwrap();
    bring(&repo, "version: 99\n");
    repo.git(["push", "-q", "origin", "main"]);
    std::fs::rename(server.path().join("off"), server.path().join("hooks")).unwrap();
    repo.write("b", secret());
    repo.commit("feat: b");
    try_git(&repo, &["push", "origin", "main"]).is_refused(&["b:1:10", "judged by the built-in"]);
    repo.git(["reset", "-q", "--hard", "HEAD~1"]);
    bring(&repo, "version: 1\n");
    try_git(&repo, &["push", "origin", "main"]).passes_saying(&["judged by the built-in", "policy/changed"]);
    repo.write("c", "c\n");
    repo.commit("feat: c");
    try_git(&repo, &["push", "-q", "origin", "main"]).passes();
}

#[test]
fn the_administrator_s_policy_wins() {
    let (repo, server) = served(&[]);
    let file = repo.sandbox().path().join("policy.yaml");
    let hook = format!("#!/bin/sh\nexec {BINARY} hook run pre-receive --policy {} -- \"$@\"\n", file.display());
    server.write_mode("hooks/pre-receive", hook, 0o755);
    std::fs::write(&file, "version: 1\npolicy-changes: anyone\n").unwrap();
    bring(&repo, RELAXED);
    repo.git(["push", "-q", "origin", "main"]);
    std::fs::write(&file, "version: 1\n").unwrap();
    repo.write("b", secret());
    repo.commit("feat: b");
    try_git(&repo, &["push", "origin", "main"]).is_refused(&["b:1:10"]);
    std::fs::write(&file, "version: 1\nmode: report\n").unwrap();
    try_git(&repo, &["push", "origin", "main:report"]).passes_saying(&["b:1:10", "reported only"]);
    for broken in ["version: 1\nnonsense: 1\n", "version: 1\nrules: { secrets: { bianry: true } }\n"] {
        std::fs::write(&file, broken).unwrap();
        try_git(&repo, &["push", "origin", "main:x"]).is_refused(&["not decided", "administrator's policy"]);
    }
    std::fs::remove_file(&file).unwrap();
    try_git(&repo, &["push", "origin", "main:x"]).is_refused(&["not decided", "cannot be read"]);
}

#[test]
fn exceptions_come_from_the_trusted_place_too() {
    let (repo, _) = serving(&[]);
    let excepting = "version: 1\nexceptions:\n  - { rule: secrets, path: b, reason: fixture, until: 2026-12-31 }\n";
    repo.write("b", secret());
    bring(&repo, excepting);
    try_git(&repo, &["push", "origin", "main"]).is_refused(&["b:1:10"]);
}

#[test]
fn what_the_pusher_sets_is_no_way_around() {
    let (repo, server) = serving(&[]);
    server.git(["config", "receive.advertisePushOptions", "true"]);
    repo.write("b", secret());
    repo.commit("feat: b");
    run(repo
        .command("git")
        .args(["push", "-o", "portcullis.skip", "origin", "main"])
        .env("PORTCULLIS_SKIP", "secrets"))
    .is_refused(&["b:1:10"]);
}

#[test]
fn a_baseline_of_the_push_excuses_nothing_in_it_and_needs_an_approver() {
    let (repo, _) = serving(&[]);
    bring(&repo, "version: 1\napprovers: [alice]\nprotected: [{ branch: main, direct-push: ['*'] }]\n");
    push_as(&repo, "mallory", &["origin", "main"]).passes_saying(&["brings a policy"]);
    repo.write("b", secret());
    repo.write("portcullis.baseline.yaml", "version: 1\n");
    let accept = repo.command(BINARY).args(["check", "--write-exceptions"]).output().unwrap();
    assert!(accept.status.success());
    let baseline = std::fs::read(repo.path().join("portcullis.baseline.yaml")).unwrap();
    repo.commit("feat: b");
    push_as(&repo, "alice", &["origin", "main"]).is_refused(&["b:1:10"]);
    repo.git(["reset", "-q", "--hard", "HEAD~1"]);
    repo.write("portcullis.baseline.yaml", baseline);
    repo.commit("chore: baseline");
    let words = ["error: this push changes the baseline of the policy", "exceptions: 1 added", "alice"];
    push_as(&repo, "mallory", &["origin", "main"]).is_refused(&words);
    push_as(&repo, "alice", &["origin", "main"]).passes_saying(&["warning: this push changes the baseline"]);
    repo.write("b", secret());
    repo.commit("feat: b");
    push_as(&repo, "mallory", &["origin", "main"]).passes();
    // Taking an exception away tightens, and a baseline that cannot be followed does not arrive.
    repo.write("portcullis.baseline.yaml", "version: 1\n");
    repo.commit("chore: nothing is excepted");
    push_as(&repo, "mallory", &["origin", "main"]).passes_saying(&["(tightened:", "exceptions: 1 removed"]);
    repo.write("portcullis.baseline.yaml", "version: 1\nmode: report\n");
    repo.commit("chore: more");
    push_as(&repo, "alice", &["origin", "main"]).is_refused(&["policy/invalid", "portcullis.baseline.yaml:2"]);
}
