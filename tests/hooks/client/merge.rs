//! pre-merge-commit: a merge is judged before it is made.

use super::super::gate::{install, portcullis, secret, try_git};
use crate::support::TestRepo;

const POLICY: &str = "version: 1\nextends: [dev-main]\n";

/// `main` and `dev` with a commit each that the other does not have; on `main`.
fn apart() -> TestRepo {
    let repo = TestRepo::init();
    repo.write("portcullis.yaml", POLICY);
    repo.commit("feat: a");
    repo.git(["checkout", "-q", "-b", "dev"]);
    repo.write("b", "b\n");
    repo.commit("feat: b");
    repo.git(["checkout", "-q", "main"]);
    repo.write("c", "c\n");
    repo.commit("fix: c");
    install(&repo, &[]);
    repo
}

#[test]
fn development_is_not_merged_into_production() {
    let repo = apart();
    let before = repo.rev("main");
    try_git(&repo, &["merge", "--no-ff", "--no-edit", "dev"])
        .is_refused(&["branch-topology/dev-leak", "git merge --abort"]);
    assert_eq!(repo.rev("main"), before);
    // Git proposes `git commit` to complete it: that is the same merge.
    try_git(&repo, &["commit", "--no-edit"]).is_refused(&["branch-topology/dev-leak", "git merge --abort"]);
    repo.git(["merge", "--abort"]);
    assert_eq!(repo.git(["status", "--porcelain"]), "");
    // The other way round is how fixes get home.
    repo.git(["checkout", "-q", "dev"]);
    try_git(&repo, &["merge", "-q", "--no-ff", "--no-edit", "main"]).passes();
}

#[test]
fn a_release_tag_may_be_merged() {
    let repo = apart();
    repo.git(["tag", "-a", "-m", "v1.0.0", "v1.0.0", "dev"]);
    try_git(&repo, &["merge", "-q", "--no-ff", "--no-edit", "v1.0.0"]).passes();
    assert_eq!(repo.rev("main^2"), repo.rev("dev"));
}

#[test]
fn a_topic_may_be_merged_and_its_files_are_judged() {
    let repo = apart();
    repo.git(["checkout", "-q", "-b", "topic", "main~1"]);
    repo.write("d", "d\n");
    repo.commit("feat: d");
    repo.git(["checkout", "-q", "main"]);
    try_git(&repo, &["merge", "-q", "--no-ff", "--no-edit", "topic"]).passes();
    repo.git(["reset", "-q", "--hard", "HEAD^"]);
    // A merge that brings what neither side has, staged by a driver or a rebase of the index.
    repo.git(["merge", "-q", "--no-commit", "--no-ff", "topic"]);
    repo.write("d", secret());
    repo.git(["add", "d"]);
    try_git(&repo, &["commit", "--no-edit"]).is_refused(&["d:1:10"]);
}

#[test]
fn several_heads_at_once_are_all_judged() {
    let repo = apart();
    repo.git(["checkout", "-q", "-b", "topic", "main~1"]);
    repo.write("d", "d\n");
    repo.commit("feat: d");
    repo.git(["checkout", "-q", "main"]);
    try_git(&repo, &["merge", "--no-edit", "topic", "dev"]).is_refused(&["branch-topology/dev-leak"]);
}

#[test]
fn a_merge_that_cannot_be_seen_is_not_made() {
    let repo = apart();
    let nowhere = "4d".repeat(20);
    let output = repo
        .command(super::super::gate::BINARY)
        .args(["hook", "run", "pre-merge-commit"])
        .env(format!("GITHEAD_{nowhere}"), "topic")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(portcullis(&repo, &["hook", "run", "pre-merge-commit"]).status.success());
}
