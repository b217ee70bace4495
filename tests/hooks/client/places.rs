//! Where hooks may stand and commits may be made: linked work trees, submodules, every scope of core.hooksPath.

use std::ffi::OsStr;

use super::super::gate::{another_secret, guarded, install, secret, try_git};
use crate::support::{Hash, TestRepo};

/// A clean commit passes, one with a secret does not, and the repository beside it does not mind.
#[track_caller]
fn is_judged(repo: &TestRepo) {
    repo.write("clean", "clean\n");
    repo.git(["add", "clean"]);
    try_git(repo, &["commit", "-q", "-m", "feat: clean"]).passes();
    repo.write("dirty", secret());
    repo.git(["add", "dirty"]);
    try_git(repo, &["commit", "-m", "feat: dirty"]).is_refused(&["dirty:1:10"]);
}

#[test]
fn a_linked_work_tree_has_an_index_of_its_own() {
    let repo = guarded();
    let linked = repo.linked_worktree("linked");
    // Dirty in the main work tree's index: no business of the linked one's.
    repo.write("b", another_secret("w8Nx7Kq2mPz9LrTbJ4vs"));
    repo.git(["add", "b"]);
    is_judged(&linked);
    assert_eq!(linked.git(["log", "-1", "--format=%s"]), "feat: clean");
    // And it reads its own policy.
    linked.git(["rm", "-q", "-f", "dirty"]);
    linked.write("portcullis.yaml", "version: 1\nrules: { secrets: { severity: off } }\n");
    linked.write("dirty", secret());
    linked.git(["add", "-A"]);
    try_git(&linked, &["commit", "-q", "-m", "feat: dirty"]).passes();
    try_git(&repo, &["commit", "-q", "-m", "feat: b"]).is_refused(&["b:1:10"]);
}

#[test]
fn a_submodule_is_judged_in_its_own_repository() {
    let repo = guarded();
    let other = repo.sandbox().init("other", Hash::Sha1);
    other.write("x", "x\n");
    other.commit("feat: x");
    repo.git([OsStr::new("submodule"), "add".as_ref(), "-q".as_ref(), other.path().as_os_str(), "sub".as_ref()]);
    try_git(&repo, &["commit", "-q", "-m", "feat: sub"]).passes_saying(&["1 submodule: content not seen"]);
    let sub = repo.sandbox().at("repo/sub");
    install(&sub, &[]);
    is_judged(&sub);
    // A file of the outer repository, called from inside the submodule's directory: the outer index counts.
    repo.write("b", secret());
    repo.git(["add", "b"]);
    try_git(&repo, &["commit", "-m", "feat: b"]).is_refused(&["b:1:10"]);
}

#[test]
fn the_hooks_path_may_be_set_at_every_scope() {
    let local = TestRepo::init();
    local.git(["config", "core.hooksPath", ".git/tools/hooks"]);
    install(&local, &[]);
    assert!(local.path().join(".git/tools/hooks/pre-commit").is_file());
    is_judged(&local);

    let worktree = guarded();
    let linked = worktree.linked_worktree("linked");
    worktree.git(["config", "extensions.worktreeConfig", "true"]);
    let own = worktree.path().join(".git/worktrees/linked/own");
    linked.git([OsStr::new("config"), "--worktree".as_ref(), "core.hooksPath".as_ref(), own.as_os_str()]);
    install(&linked, &[]);
    is_judged(&linked);

    // Nothing is written there; what somebody has put there themselves works.
    let global = TestRepo::init();
    let shared = global.sandbox().home().join("hooks");
    std::fs::create_dir(&shared).unwrap();
    install(&global, &[]);
    std::fs::rename(global.path().join(".git/hooks/pre-commit"), shared.join("pre-commit")).unwrap();
    global.git([OsStr::new("config"), "--global".as_ref(), "core.hooksPath".as_ref(), shared.as_os_str()]);
    is_judged(&global);
}

#[test]
fn a_commit_from_below_the_top_is_the_same() {
    let repo = guarded();
    repo.write("sub/dir/dirty", secret());
    repo.git(["add", "-A"]);
    let below = repo.sandbox().at("repo/sub/dir");
    try_git(&below, &["commit", "-m", "feat: b"]).is_refused(&["sub/dir/dirty:1:10"]);
    repo.git(["rm", "-q", "--cached", "sub/dir/dirty"]);
    below.write("clean", "clean\n");
    below.git(["add", "clean"]);
    try_git(&below, &["commit", "-q", "-m", "feat: b"]).passes();
}

#[test]
fn sha256_is_no_other_world() {
    let repo = TestRepo::init_with(Hash::Sha256);
    install(&repo, &[]);
    is_judged(&repo);
}
