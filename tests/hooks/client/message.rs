//! commit-msg: the message as git will keep it.

use super::super::gate::{guarded, install, run, secret, try_git};
use crate::support::TestRepo;

fn commit(repo: &TestRepo, message: &str) -> super::super::gate::Said {
    try_git(repo, &["commit", "--allow-empty", "-m", message])
}

#[test]
fn a_message_passes_or_is_refused() {
    let repo = guarded();
    try_git(&repo, &["commit", "-q", "--allow-empty", "-m", "feat: b"]).passes();
    commit(&repo, "did things").is_refused(&["conventional-commits/", "commit message"]);
    commit(&repo, &format!("feat: b\n\n{}", secret())).is_refused(&["secrets/gitlab-pat"]);
    assert_eq!(repo.git(["rev-list", "--count", "HEAD"]), "2");
}

#[test]
fn what_git_will_strip_is_not_judged() {
    let repo = guarded();
    let editor = format!("sh -c 'printf \"feat: b\\n# {}\\n\" >\"$1\"' sh", secret().trim().replace('"', ""));
    run(repo.command("git").args(["commit", "-q", "--allow-empty"]).env("GIT_EDITOR", &editor)).passes();
    assert_eq!(repo.git(["log", "-1", "--format=%B"]), "feat: b\n");
}

#[test]
fn git_s_own_messages_pass_and_a_merge_is_judged_too() {
    let repo = guarded();
    repo.git(["checkout", "-q", "-b", "topic"]);
    repo.write("b", "b\n");
    repo.commit("feat: b");
    repo.git(["checkout", "-q", "main"]);
    repo.git(["commit", "-q", "--allow-empty", "-m", "feat: c"]);
    let body = format!("Merge branch 'topic'\n\n{}", secret());
    try_git(&repo, &["merge", "--no-ff", "-m", &body, "topic"]).is_refused(&["secrets/gitlab-pat"]);
    repo.git(["merge", "--abort"]);
    try_git(&repo, &["merge", "-q", "--no-ff", "--no-edit", "topic"]).passes();
    try_git(&repo, &["revert", "--no-edit", "topic"]).passes();
    try_git(&repo, &["commit", "-q", "--allow-empty", "--fixup=HEAD"]).passes();
}

#[test]
fn a_message_that_cannot_be_read_is_not_passed() {
    let repo = guarded();
    let output = super::super::gate::portcullis(&repo, &["hook", "run", "commit-msg", "--", "nowhere"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let output = super::super::gate::portcullis(&repo, &["hook", "run", "commit-msg"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    repo.git(["config", "commit.cleanup", "thoroughly"]);
    std::fs::write(repo.path().join("m"), "feat: b\n").unwrap();
    let output = super::super::gate::portcullis(&repo, &["hook", "run", "commit-msg", "--", "m"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

#[test]
fn no_blob_is_read_for_a_message() {
    let repo = TestRepo::init();
    repo.write("a", "a\n");
    install(&repo, &[]);
    repo.git(["add", "a"]);
    repo.write("portcullis.yaml", "version: 1\n");
    try_git(&repo, &["commit", "-q", "-m", "feat: a"]).passes();
    // The tree of HEAD is gone: a message does not need it.
    let tree = repo.rev("HEAD^{tree}");
    std::fs::remove_file(super::super::gate::loose(&repo, &tree)).unwrap();
    std::fs::write(repo.path().join("m"), "feat: b\n").unwrap();
    let output = super::super::gate::portcullis(&repo, &["hook", "run", "commit-msg", "--", "m"]);
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn what_is_amended_keeps_the_parents_that_it_has() {
    let repo = TestRepo::init();
    install(&repo, &[]);
    let amend = || try_git(&repo, &["commit", "-q", "--amend", "--no-edit", "--allow-empty"]);
    try_git(&repo, &["commit", "-q", "--allow-empty", "-m", "Initial commit"]).passes();
    amend().passes();
    commit(&repo, "Initial commit").is_refused(&["conventional-commits/"]);
    repo.git(["checkout", "-q", "-b", "topic"]);
    repo.git(["commit", "-q", "--allow-empty", "-m", "feat: b"]);
    repo.git(["checkout", "-q", "main"]);
    repo.git(["commit", "-q", "--allow-empty", "-m", "feat: c"]);
    repo.git(["merge", "-q", "--no-ff", "--no-edit", "topic"]);
    amend().passes();
    try_git(&repo, &["commit", "-q", "--amend", "-m", "Merge branch 'topic' once more"]).passes();
    commit(&repo, "Merge branch 'other'").is_refused(&["conventional-commits/"]);
    commit(&repo, "Merge branch 'topic' once more").is_refused(&["conventional-commits/"]);
    // A secret is found in an amended merge, too.
    let body = format!("Merge branch 'topic'\n\n{}", secret());
    try_git(&repo, &["commit", "--amend", "-m", &body]).is_refused(&["secrets/gitlab-pat"]);
    repo.git(["commit", "-q", "--allow-empty", "-m", "feat: d"]);
    try_git(&repo, &["commit", "--amend", "--allow-empty", "-m", "some words"]).is_refused(&["conventional-commits/"]);
}

/// Shims are read by a way of their own, which knows nothing but `hook run`.
#[test]
fn a_call_that_no_shim_makes_is_understood_or_explained_all_the_same() {
    let repo = TestRepo::init();
    repo.write("m", "feat: a\n");
    let call = |arguments: &[&str]| {
        let output = super::super::gate::portcullis(&repo, arguments);
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&text).into_owned())
    };
    for good in [
        &["hook", "run", "--color", "never", "commit-msg", "--", "m"][..],
        &["-C", ".", "hook", "run", "commit-msg", "--", "m"],
        &["hook", "run", "commit-msg", "--server", "gitea", "--", "m"],
    ] {
        assert_eq!(call(good), (Some(0), String::new()), "{good:?}");
    }
    let (code, help) = call(&["hook", "run", "--help"]);
    assert!(code == Some(0) && help.contains("Usage: portcullis hook run"), "{help}");
    let (code, usage) = call(&["hook", "run", "commit-msg", "m"]);
    assert!(code == Some(2) && usage.contains("unexpected argument 'm'"), "{usage}");
    let (code, usage) = call(&["hook", "run"]);
    assert!(code == Some(2) && usage.contains("<NAME>"), "{usage}");
}
