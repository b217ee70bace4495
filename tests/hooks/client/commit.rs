//! pre-commit: whatever git calls the index is judged, and never the work tree.

use super::super::gate::{corrupt, guarded, install, run, secret, try_git};
use crate::support::TestRepo;

#[test]
fn a_clean_commit_passes_without_a_word() {
    let repo = guarded();
    repo.write("b", "b\n");
    repo.git(["add", "b"]);
    try_git(&repo, &["commit", "-q", "-m", "feat: b"]).passes();
}

#[test]
fn what_is_staged_counts_and_not_the_work_tree() {
    let repo = guarded();
    repo.write("b", secret());
    repo.git(["add", "b"]);
    repo.write("b", "clean again\n");
    try_git(&repo, &["commit", "-m", "feat: b"]).is_refused(&[
        "secrets/gitlab-pat",
        "b:1:10",
        "git restore --staged b",
    ]);
    repo.git(["add", "b"]);
    repo.write("b", secret());
    try_git(&repo, &["commit", "-q", "-m", "feat: b"]).passes();
}

#[test]
fn a_first_commit_is_judged_whole() {
    let repo = TestRepo::init();
    install(&repo, &[]);
    repo.write("deep/er/b", secret());
    repo.git(["add", "-A"]);
    let help = "git rm --cached deep/er/b";
    try_git(&repo, &["commit", "-m", "feat: b"]).is_refused(&["deep/er/b:1", help]);
    repo.git(["rm", "-q", "--cached", "deep/er/b"]);
    repo.write("deep/er/b", "b\n");
    repo.git(["add", "-A"]);
    try_git(&repo, &["commit", "-q", "-m", "feat: b"]).passes();
}

#[test]
fn an_index_of_another_name_is_the_one_that_counts() {
    let repo = guarded();
    repo.write("a", secret());
    // `-a` commits from index.lock, a path from next-index-PID.lock: the index itself is clean in both.
    try_git(&repo, &["commit", "-a", "-m", "feat: a"]).is_refused(&["secrets/gitlab-pat"]);
    try_git(&repo, &["commit", "-m", "feat: a", "--", "a"]).is_refused(&["secrets/gitlab-pat"]);
    // And the other way round: what is staged beside the path is not committed.
    repo.git(["add", "a"]);
    repo.write("b", "b\n");
    repo.git(["add", "-N", "b"]);
    try_git(&repo, &["commit", "-q", "-m", "feat: b", "--", "b"]).passes();
    assert_eq!(repo.git(["show", "--name-only", "--format=", "HEAD"]), "b");
}

#[test]
fn an_amended_commit_is_judged_by_what_it_adds_to_head() {
    let repo = guarded();
    repo.write("b", "b\n");
    repo.git(["add", "b"]);
    repo.git(["commit", "-q", "-m", "feat: b"]);
    repo.write("b", secret());
    try_git(&repo, &["commit", "-a", "--amend", "--no-edit"]).is_refused(&["secrets/gitlab-pat"]);
    repo.write("b", "bb\n");
    try_git(&repo, &["commit", "-q", "-a", "--amend", "--no-edit"]).passes();
    try_git(&repo, &["commit", "-q", "--amend", "-m", "fix: b"]).passes();
}

#[test]
fn attributes_blind_nobody() {
    let repo = guarded();
    repo.write(".gitattributes", "* binary -diff\n");
    repo.write("b", secret());
    repo.git(["add", "-A"]);
    try_git(&repo, &["commit", "-m", "feat: b"]).is_refused(&["b:1:10"]);
}

#[test]
fn renaming_an_old_secret_brings_it_again() {
    let repo = TestRepo::init();
    repo.write("old", secret());
    repo.commit("feat: old");
    install(&repo, &[]);
    repo.git(["mv", "old", "new"]);
    try_git(&repo, &["commit", "-m", "refactor: rename"]).is_refused(&["new:1:10"]);
}

#[test]
fn a_conflict_that_is_resolved_is_judged() {
    let repo = guarded();
    repo.git(["checkout", "-q", "-b", "topic"]);
    repo.write("a", "topic\n");
    repo.git(["commit", "-q", "-a", "-m", "feat: topic"]);
    repo.git(["checkout", "-q", "main"]);
    repo.write("a", "main\n");
    repo.git(["commit", "-q", "-a", "-m", "feat: main"]);
    assert!(!try_git(&repo, &["merge", "topic"]).ok);
    repo.write("a", secret());
    repo.git(["add", "a"]);
    try_git(&repo, &["commit", "--no-edit"]).is_refused(&["a:1:10"]);
    repo.write("a", "both\n");
    repo.git(["add", "a"]);
    try_git(&repo, &["commit", "-q", "--no-edit"]).passes();
    // The other side of a merge is no news.
    assert_eq!(repo.git(["rev-list", "--count", "--merges", "HEAD"]), "1");
}

#[test]
fn a_squash_is_judged_and_so_is_a_pick_that_is_continued() {
    let repo = TestRepo::init();
    repo.write("a", "a\n");
    repo.commit("feat: a");
    repo.git(["checkout", "-q", "-b", "topic"]);
    repo.write("a", format!("topic\n{}", secret()));
    repo.commit("feat: topic");
    repo.git(["checkout", "-q", "main"]);
    install(&repo, &[]);
    repo.git(["merge", "-q", "--squash", "topic"]);
    try_git(&repo, &["commit", "-m", "feat: squashed"]).is_refused(&["a:2:10"]);
    repo.git(["reset", "-q", "--hard"]);
    repo.write("a", "main\n");
    repo.git(["commit", "-q", "-a", "-m", "feat: main"]);
    assert!(!try_git(&repo, &["cherry-pick", "topic"]).ok);
    repo.git(["add", "a"]);
    try_git(&repo, &["-c", "core.editor=true", "cherry-pick", "--continue"]).is_refused(&["secrets/gitlab-pat"]);
    repo.write("a", "both\n");
    repo.git(["add", "a"]);
    try_git(&repo, &["-c", "core.editor=true", "cherry-pick", "--continue"]).passes();
}

#[test]
fn a_blob_that_cannot_be_read_is_not_passed() {
    let repo = guarded();
    repo.write("b", "b\n");
    repo.git(["add", "b"]);
    corrupt(&repo, &repo.git(["hash-object", "b"]));
    let said = try_git(&repo, &["commit", "-m", "feat: b"]);
    assert!(!said.ok, "{said:?}");
    let output = super::super::gate::portcullis(&repo, &["hook", "run", "pre-commit"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
}

#[test]
fn a_policy_that_cannot_be_followed_refuses_and_says_where() {
    let repo = guarded();
    repo.write("portcullis.yaml", "version: 1\nrules:\n  sekrets: {}\n");
    repo.git(["add", "-A"]);
    try_git(&repo, &["commit", "-m", "feat: policy"]).is_refused(&[
        "policy/unknown-rule",
        "portcullis.yaml:3",
        "secrets",
    ]);
}

#[test]
fn rules_may_be_skipped_here_and_it_is_said() {
    let repo = guarded();
    repo.write("b", secret());
    repo.git(["add", "b"]);
    let commit = ["commit", "-q", "-m", "feat: b"];
    run(repo.command("git").args(commit).env("PORTCULLIS_SKIP", "secret"))
        .is_refused(&["policy/unknown-rule", "PORTCULLIS_SKIP"]);
    run(repo.command("git").args(commit).env("PORTCULLIS_SKIP", "secrets"))
        .passes_saying(&["skipped here, judged at the push: secrets"]);
}

#[test]
fn content_that_is_elsewhere_is_said_to_be_unseen() {
    let repo = guarded();
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 12345\n", "4d".repeat(32));
    repo.write("big.bin", pointer);
    repo.git(["add", "-A"]);
    let commit = repo.rev("HEAD");
    repo.git(["update-index", "--add", "--cacheinfo", &format!("160000,{commit},sub")]);
    try_git(&repo, &["commit", "-q", "-m", "feat: elsewhere"])
        .passes_saying(&["1 submodule: content not seen", "1 LFS pointer: content not seen"]);
}
