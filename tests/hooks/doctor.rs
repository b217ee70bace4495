//! What is said about hooks, and whether they are really tried.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use portcullis::hooks::{Hook, doctor};

use super::{calls, executable, hook, host, try_hook, try_hook_on};
use crate::support::{Hash, Sandbox, TestRepo};

#[test]
fn status_has_a_line_for_each_hook() {
    let repo = TestRepo::init();
    repo.write_mode(".git/hooks/commit-msg", "#!/bin/sh\n", 0o755);
    repo.write_mode(".git/hooks/pre-push", "#!/bin/sh\n", 0o644);
    hook(&repo, &["install", "pre-commit", "commit-msg"]);
    let binary = repo.sandbox().path().join("bin/portcullis").display().to_string();
    let version = env!("CARGO_PKG_VERSION");
    let expected = [
        format!("pre-commit             ours {version}, executable, binary {binary}; .git/hooks/pre-commit (default)"),
        format!(
            "commit-msg             ours {version}, executable, binary {binary}, first commit-msg.portcullis-before; \
             .git/hooks/commit-msg (default)"
        ),
        "pre-merge-commit       missing; .git/hooks/pre-merge-commit (default)".into(),
        "pre-push               other, not executable: git skips it; .git/hooks/pre-push (default)".into(),
    ];
    assert_eq!(hook(&repo, &["status"]).lines().collect::<Vec<_>>(), expected);
    assert_eq!(hook(&repo, &["status", "commit-msg"]).lines().collect::<Vec<_>>(), [&expected[1]]);
    fs::remove_file(&binary).unwrap();
    assert!(status_of(&repo, "pre-commit").contains("no binary found"));
    fs::write(repo.path().join(".git/hooks/pre-commit"), "#!/bin/sh\n# portcullis shim 9.9 0\n").unwrap();
    assert!(status_of(&repo, "pre-commit").contains("ours 9.9, edited"));
}

/// Without the stand-in put back.
fn status_of(repo: &TestRepo, name: &str) -> String {
    let mut host = host(repo);
    fs::remove_file(&host.binary).unwrap();
    host.variables.push(("PATH".into(), std::env::var_os("PATH").unwrap()));
    try_hook_on(&host, &["status", name]).unwrap().1
}

#[test]
fn status_finds_the_opt_in_and_server_hooks_that_are_ours() {
    let bare = Sandbox::new().init_bare("bare.git", Hash::Sha1);
    assert!(hook(&bare, &["status"]).starts_with("pre-receive            missing"));
    hook(&bare, &["install", "--server", "gitea"]);
    hook(&bare, &["install", "reference-transaction"]);
    let said = hook(&bare, &["status"]);
    assert!(said.contains("hooks/pre-receive.d/portcullis") && said.contains("reference-transaction"), "{said}");
    assert_eq!(said.lines().count(), 2);
}

#[test]
fn a_healthy_installation_passes_and_judges_nothing() {
    for unborn in [true, false] {
        let repo = TestRepo::init();
        if !unborn {
            repo.write("a", "a\n");
            repo.commit("feat: a");
        }
        repo.write_mode(".git/hooks/pre-push", "#!/bin/sh\nexit 1\n", 0o755);
        hook(&repo, &["install"]);
        let said = hook(&repo, &["doctor"]);
        assert_eq!(said.matches("with an empty PATH: ok").count(), 4, "{said}");
        assert_eq!(said.matches("in a linked work tree: ok").count(), if unborn { 0 } else { 4 }, "{said}");
        assert!(calls(&repo).is_empty());
        assert_eq!(repo.git(["worktree", "list"]).lines().count(), 1);
    }
}

#[test]
fn what_is_wrong_is_said_with_what_helps() {
    let repo = TestRepo::init();
    let sick = |what: &str| {
        let (code, said) = try_hook(&repo, &["doctor", "pre-commit"]).unwrap();
        assert!(code == 1 && said.contains(what) && said.contains("help: "), "{what}: {said}");
    };
    let path = repo.path().join(".git/hooks/pre-commit");
    sick("is not there");
    repo.write_mode(".git/hooks/pre-commit", "#!/bin/sh\n", 0o755);
    sick("is not ours");
    hook(&repo, &["install", "pre-commit"]);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    sick("git skips it");
    hook(&repo, &["install", "pre-commit"]);
    let binary = repo.sandbox().path().join("bin/portcullis");
    executable(&binary, "#!/bin/sh\necho portcullis 0.0.1 pre-commit\n");
    sick("it answers with `portcullis 0.0.1 pre-commit`");
    executable(&binary, "#!/bin/sh\nprintf 'b\\033[31mad\\n' >&2\nexit 2\n");
    sick("it ends with 2: b\\u{1b}[31mad");
    executable(&binary, "#!/bin/sh\nuname -a\n");
    sick("ends with 127");
    fs::write(&path, [fs::read(&path).unwrap(), b"true\n".to_vec()].concat()).unwrap();
    sick("changed by hand");
}

#[test]
fn a_binary_that_only_path_leads_to_is_found_out() {
    let repo = TestRepo::init();
    hook(&repo, &["install", "pre-commit"]);
    let bin = repo.sandbox().path().join("bin");
    fs::rename(&bin, bin.with_file_name("moved")).unwrap();
    let mut host = host(&repo);
    fs::remove_file(&host.binary).unwrap();
    let path = format!("{}:{}", bin.with_file_name("moved").display(), std::env::var("PATH").unwrap());
    host.variables.push(("PATH".into(), path.into()));
    let (code, said) = try_hook_on(&host, &["doctor", "pre-commit"]).unwrap();
    assert!(code == 1 && said.contains("in place: ok") && said.contains("with an empty PATH"), "{said}");
    assert!(said.contains("ends with 3"), "{said}");
}

#[test]
fn tracked_hooks_that_are_not_committed_are_missing_in_a_linked_worktree() {
    let repo = TestRepo::init();
    repo.write("a", "a\n");
    repo.commit("feat: a");
    repo.git(["config", "core.hooksPath", ".githooks"]);
    hook(&repo, &["install", "pre-commit"]);
    let local = repo.sandbox().home().join(".local/bin");
    fs::create_dir_all(&local).unwrap();
    fs::copy(repo.sandbox().path().join("bin/portcullis"), local.join("portcullis")).unwrap();
    let (code, said) = try_hook(&repo, &["doctor", "pre-commit"]).unwrap();
    assert!(code == 1 && said.contains("linked work tree looks for .githooks/pre-commit"), "{said}");
    repo.write_mode(".githooks/pre-push", "#!/usr/bin/env sh\nexit 1\n", 0o755);
    hook(&repo, &["install", "pre-push"]);
    repo.commit("chore: hooks");
    let said = hook(&repo, &["doctor", "pre-commit", "pre-push"]);
    assert!(said.contains("pre-push               with the system's PATH only: ok"), "{said}");
    assert_eq!(said.matches(": ok").count(), 6, "{said}");
}

#[test]
fn only_the_question_alone_is_answered() {
    let answer = |words: &[&str]| {
        let mut out = Vec::new();
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        (doctor::answer(Hook::Update, &words, &mut out).unwrap(), String::from_utf8(out).unwrap())
    };
    assert_eq!(answer(&[doctor::QUESTION]), (true, format!("portcullis {} update\n", env!("CARGO_PKG_VERSION"))));
    for other in [&[][..], &["refs/heads/main"], &[doctor::QUESTION, "x"], &["x", doctor::QUESTION]] {
        assert_eq!(answer(other), (false, String::new()));
    }
}
