//! Places where a secret was known to slip by others: each is seen in a push.

use super::super::gate::{another_secret, run, secret, serving, try_git};

#[test]
fn only_in_the_tree_of_a_merge() {
    let (repo, _) = serving(&[]);
    repo.git(["checkout", "-q", "-b", "topic"]);
    repo.write("b", "b\n");
    repo.commit("feat: b");
    repo.git(["checkout", "-q", "main"]);
    repo.write("c", "c\n");
    repo.commit("feat: c");
    repo.git(["merge", "-q", "--no-commit", "--no-ff", "topic"]);
    repo.write("d", secret());
    repo.git(["add", "d"]);
    repo.git(["commit", "-q", "--no-edit"]);
    let merge = repo.rev("HEAD");
    repo.git(["rm", "-q", "d"]);
    repo.commit("fix: d");
    try_git(&repo, &["push", "origin", "main"]).is_refused(&["d:1:10", &merge[..10]]);
}

#[test]
fn in_messages_and_people() {
    let (repo, _) = serving(&[]);
    let body = format!("feat: b\n\n{}", secret());
    repo.git(["commit", "-q", "--allow-empty", "-m", &body]);
    try_git(&repo, &["push", "origin", "main"]).is_refused(&["secrets/gitlab-pat", "message of"]);
    repo.git(["reset", "-q", "--hard", "HEAD~1"]);
    repo.git(["tag", "-a", "-m", &secret(), "v1.0.0"]);
    try_git(&repo, &["push", "origin", "v1.0.0"]).is_refused(&["secrets/gitlab-pat", "tag v1.0.0"]);
    let name = secret().replace(['"', '\n'], "");
    let commit = ["commit", "-q", "--allow-empty", "-m", "feat: c"];
    assert!(run(repo.command("git").args(commit).env("GIT_AUTHOR_NAME", name)).ok);
    try_git(&repo, &["push", "origin", "main"]).is_refused(&["secrets/gitlab-pat"]);
}

#[test]
fn in_a_tag_that_only_a_merge_holds() {
    let (repo, _) = serving(&[]);
    repo.git(["checkout", "-q", "-b", "topic"]);
    repo.commit("feat: b");
    // Git keeps a signed tag in the merge's headers; it looks for no more than the first line of a signature.
    let signed = format!("{}-----BEGIN PGP SIGNATURE-----\n\nabc\n-----END PGP SIGNATURE-----\n", secret());
    repo.git(["tag", "-a", "-m", &signed, "t"]);
    repo.git(["checkout", "-q", "main"]);
    repo.commit("feat: c");
    repo.git(["merge", "-q", "--no-ff", "-m", "merge: t", "t"]);
    assert!(repo.git(["cat-file", "commit", "HEAD"]).contains("\nmergetag object"));
    try_git(&repo, &["push", "origin", "main"]).is_refused(&["secrets/gitlab-pat"]);
}

#[test]
fn added_and_removed_within_one_push() {
    let (repo, _) = serving(&[]);
    repo.write("b", secret());
    let commit = repo.commit("feat: b");
    repo.git(["rm", "-q", "b"]);
    repo.commit("fix: b");
    try_git(&repo, &["push", "origin", "main"]).is_refused(&["b:1:10", &commit[..10]]);
}

#[test]
fn an_old_secret_at_a_new_path() {
    let (repo, server) = serving(&[]);
    std::fs::rename(server.path().join("hooks"), server.path().join("off")).unwrap();
    repo.write("old", secret());
    repo.commit("feat: old");
    repo.git(["push", "-q", "origin", "main"]);
    std::fs::rename(server.path().join("off"), server.path().join("hooks")).unwrap();
    repo.write("b", "b\n");
    repo.commit("feat: b");
    try_git(&repo, &["push", "-q", "origin", "main"]).passes();
    repo.git(["mv", "old", "new"]);
    repo.commit("refactor: new");
    // The blob is no news to the server, the place is.
    try_git(&repo, &["push", "origin", "main"]).is_refused(&["new:1:10"]);
}

#[test]
fn under_attributes_that_blind() {
    let (repo, _) = serving(&[]);
    repo.write(".gitattributes", "* binary -diff -text\n");
    repo.write("b", secret());
    repo.commit("feat: b");
    try_git(&repo, &["push", "origin", "main"]).is_refused(&["b:1:10"]);
}

#[test]
fn several_are_all_told() {
    let (repo, _) = serving(&[]);
    repo.write("b", secret());
    repo.commit("feat: b");
    repo.write("c", another_secret("w8Nx7Kq2mPz9LrTbJ4vs"));
    repo.commit("feat: c");
    try_git(&repo, &["push", "origin", "main"]).is_refused(&["b:1:10", "c:1:10", "fail: 2 errors", "git rebase -i"]);
}
