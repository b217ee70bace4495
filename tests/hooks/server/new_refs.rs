//! What is new to a ref, and to whom: branches that are created, first imports, refs that are no branches.

use super::super::gate::{install, run, secret, served, serving, try_git};
use crate::support::TestRepo;

const WORDS: &str = "Some words";

fn words(repo: &TestRepo, message: &str) -> String {
    repo.git(["commit", "-q", "--allow-empty", "-m", message]);
    repo.rev("HEAD")
}

#[test]
fn a_first_import_is_not_refused_for_its_messages() {
    for hook in ["pre-receive", "update"] {
        let repo = TestRepo::init();
        let server = repo.bare_remote("origin");
        install(&server, &["--server", "bare", hook]);
        words(&repo, WORDS);
        words(&repo, "feat: new");
        repo.git(["tag", "-a", "-m", "v1.0.0", "v1.0.0"]);
        repo.git(["branch", "topic"]);
        try_git(&repo, &["push", "-q", "origin", "main"]).passes();
        try_git(&repo, &["push", "-q", "origin", "topic", "v1.0.0"]).passes();
        words(&repo, "New words");
        try_git(&repo, &["push", "origin", "main"]).is_refused(&["conventional-commits/", "fail: 1 error"]);
    }
    let (repo, _) = served(&[]);
    repo.write("b", secret());
    repo.commit(WORDS);
    try_git(&repo, &["push", "origin", "main"]).is_refused(&["b:1:10", "fail: 1 error"]);
}

#[test]
fn an_import_may_come_branch_by_branch() {
    let (repo, _) = served(&[]);
    repo.write("portcullis.yaml", "version: 1\nprotected: [{ branch: main, direct-push: ['*'] }]\n");
    repo.commit(WORDS);
    try_git(&repo, &["push", "-q", "origin", "main:refs/heads/topic"]).passes_saying(&["policy/changed"]);
    try_git(&repo, &["push", "-q", "origin", "main"]).passes();
}

#[test]
fn a_new_branch_is_judged_from_where_it_was_cut() {
    let (repo, server) = served(&[]);
    std::fs::rename(server.path().join("hooks"), server.path().join("off")).unwrap();
    repo.git(["branch", "dev"]);
    let old = words(&repo, WORDS);
    words(&repo, "feat: b");
    repo.git(["push", "-q", "origin", "main", "dev"]);
    std::fs::rename(server.path().join("off"), server.path().join("hooks")).unwrap();
    // At a branch's own commit, in the middle of one, and above one.
    try_git(&repo, &["push", "-q", "origin", "main:refs/heads/same"]).passes();
    try_git(&repo, &["push", "-q", "origin", &format!("{old}:refs/heads/middle")]).passes();
    repo.git(["checkout", "-q", "-b", "topic", &old]);
    words(&repo, "feat: topic");
    try_git(&repo, &["push", "-q", "origin", "topic"]).passes();
    words(&repo, "Own words");
    try_git(&repo, &["push", "origin", "topic:other"]).is_refused(&["conventional-commits/", "fail: 1 error"]);
}

#[test]
fn messages_are_judged_on_branches_only() {
    let (repo, _) = serving(&[]);
    repo.git(["notes", "add", "-m", "{}"]);
    words(&repo, WORDS);
    for name in ["refs/notes/commits", "refs/backup/x"] {
        let from = if name.starts_with("refs/notes/") { name } else { "main" };
        try_git(&repo, &["push", "-q", "origin", &format!("{from}:{name}")]).passes();
    }
    for name in ["refs/heads/x", "refs/for/main"] {
        try_git(&repo, &["push", "origin", &format!("main:{name}")]).is_refused(&["conventional-commits/"]);
    }
    repo.git(["notes", "--ref", "keys", "add", "-m", &secret()]);
    try_git(&repo, &["push", "origin", "refs/notes/keys"]).is_refused(&["secrets/gitlab-pat"]);
}

#[test]
fn what_git_subtree_writes_is_accepted() {
    let (repo, _) = serving(&[]);
    let message = |end: &str| format!("Squashed 'lib/' changes from 1234567..89abcde\n\n89abcde Fix things\n{end}");
    words(&repo, &message("\ngit-subtree-dir: lib\ngit-subtree-split: 89abcdef0123456789abcdef0123456789abcdef"));
    try_git(&repo, &["push", "-q", "origin", "main"]).passes();
    words(&repo, &message(""));
    try_git(&repo, &["push", "origin", "main"]).is_refused(&["conventional-commits/"]);
}

#[test]
fn what_windmill_pushed_lands_by_its_pull_request() {
    let repo = TestRepo::init();
    let server = repo.bare_remote("origin");
    repo.write("portcullis.yaml", "version: 1\nextends: [windmill]\nrules: { windmill: { severity: off } }\n");
    repo.commit("feat: policy");
    repo.git(["push", "-q", "origin", "main", "main:staging"]);
    let hook = format!("#!/bin/sh\nexec {} hook run pre-receive --server gitea\n", super::super::gate::BINARY);
    server.write_mode("hooks/pre-receive", hook, 0o755);
    let push = |spec: &str, pull: &str| {
        let mut git = repo.command("git");
        run(git.args(["push", "-q", "origin", spec]).env("GITEA_PUSHER_NAME", "ann").env("GITEA_PR_ID", pull))
    };
    let branch = "wm_deploy/staging/f/one";
    repo.git(["checkout", "-q", "-b", branch]);
    repo.write("f/a/one.py", "1\n");
    repo.commit("[WM] Script 'f/a/one' deployed");
    push(branch, "0").passes();
    for title in
        ["[WM] Script 'f/a/one' deployed (#6)", "Script 'f/a/one' deployed (#6)", "Wm deploy/staging/f/one (#6)"]
    {
        repo.git(["checkout", "-q", "--detach", "main"]);
        repo.git(["merge", "-q", "--squash", branch]);
        repo.commit(title);
        repo.git(["push", "-q", "--dry-run", "origin", "HEAD:main"]);
        push("HEAD:refs/heads/main", "6").passes();
        server.git(["update-ref", "refs/heads/main", &repo.rev("main")]);
    }
    // The same words with something else, and on a topic.
    repo.git(["checkout", "-q", "-b", "topic", "main"]);
    repo.write("f/a/two.py", "2\n");
    repo.commit("[WM] Script 'f/a/two' deployed");
    push("topic", "0").is_refused(&["conventional-commits/"]);
    push("topic:main", "7").is_refused(&["conventional-commits/"]);
    repo.git(["checkout", "-q", "main"]);
    repo.git(["merge", "-q", "--no-ff", "-m", "Merge pull request #6", branch]);
    push("main", "6").passes();
}
