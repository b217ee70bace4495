//! update: one ref at a time, after the quarantine is gone.

use super::super::gate::{BINARY, secret, served, try_git};
use crate::support::TestRepo;

fn with_update() -> (TestRepo, TestRepo) {
    let (repo, server) = served(&["update"]);
    assert!(!server.path().join("hooks/pre-receive").exists());
    repo.git(["push", "-q", "origin", "main"]);
    (repo, server)
}

#[test]
fn it_refuses_one_ref_and_passes_another() {
    let (repo, server) = with_update();
    for (name, content) in [("one", "one\n".to_owned()), ("two", secret())] {
        repo.git(["checkout", "-q", "-b", name, "main"]);
        repo.write(name, content);
        repo.commit(&format!("feat: {name}"));
    }
    try_git(&repo, &["push", "origin", "one", "two"]).is_refused(&["two:1:10", "hook declined"]);
    assert_eq!(server.git(["for-each-ref", "--format=%(refname:short)"]), "main\none");
    try_git(&repo, &["push", "--atomic", "origin", "one:three", "two"]).is_refused(&["two:1:10"]);
    assert_eq!(server.git(["for-each-ref", "--format=%(refname:short)"]), "main\none");
}

#[test]
fn an_existing_branch_a_tag_and_a_deletion() {
    let (repo, _) = with_update();
    repo.write("b", "b\n");
    repo.commit("feat: b");
    try_git(&repo, &["push", "-q", "origin", "main"]).passes();
    repo.git(["tag", "-a", "-m", "v", "1.2"]);
    try_git(&repo, &["push", "origin", "1.2"]).is_refused(&["semver-tags/"]);
    try_git(&repo, &["push", "-q", "origin", "main:topic"]).passes();
    try_git(&repo, &["push", "-q", "origin", ":topic"]).passes();
    repo.write("c", secret());
    repo.commit("feat: c");
    try_git(&repo, &["push", "origin", "main"]).is_refused(&["c:1:10"]);
}

#[test]
fn it_says_what_it_was_not_given() {
    let (_, server) = with_update();
    let run = |args: &[&str]| server.command(BINARY).args(["hook", "run", "update", "--"]).args(args).output().unwrap();
    assert_eq!(run(&["refs/heads/x"]).status.code(), Some(2));
    assert_eq!(run(&["refs/heads/x", &"0".repeat(40), "nonsense"]).status.code(), Some(2));
    let output = run(&["refs/heads/x", &"0".repeat(40), &"4d".repeat(20)]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
}
