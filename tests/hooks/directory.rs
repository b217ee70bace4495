//! Which directory git means, and when it is not ours to write to.

use std::fs;
use std::os::unix::fs::symlink;

use super::{calls, hook, host, refused, snapshot, try_hook_on};
use crate::support::{Hash, Sandbox, TestRepo};

#[test]
fn linked_worktrees_share_the_hooks_of_the_repository() {
    let repo = TestRepo::init();
    repo.write("a", "a\n");
    repo.commit("feat: a");
    let linked = repo.linked_worktree("linked");
    hook(&linked, &["install"]);
    assert!(repo.path().join(".git/hooks/pre-commit").is_file());
    for tree in [&repo, &linked] {
        tree.write("b", "b\n");
        tree.commit("feat: b");
        assert_eq!(calls(&repo)[0], "pre-commit ");
    }
    hook(&repo, &["uninstall"]);
    assert!(snapshot(&repo.path().join(".git/hooks")).is_empty());
}

#[test]
fn a_subdirectory_means_its_repository() {
    let repo = TestRepo::init();
    repo.write("deep/er/a", "a\n");
    repo.git(["config", "core.hooksPath", ".githooks"]);
    hook(&repo.sandbox().at("repo/deep/er"), &["install", "pre-commit"]);
    assert!(repo.path().join(".githooks/pre-commit").is_file());
}

#[test]
fn a_bare_repository_has_its_hooks_at_the_top() {
    let bare = Sandbox::new().init_bare("bare.git", Hash::Sha256);
    hook(&bare, &["install", "pre-receive"]);
    assert!(bare.path().join("hooks/pre-receive").is_file());
}

#[test]
fn a_configured_directory_of_the_repository_is_used() {
    for inside_worktree in [false, true] {
        let repo = TestRepo::init();
        let absolute = repo.path().join(if inside_worktree { "own" } else { ".git/own" });
        let relative = if inside_worktree { "own" } else { ".git/own" };
        for value in [absolute.to_str().unwrap(), relative] {
            repo.git(["config", "core.hooksPath", value]);
            hook(&repo, &["install"]);
            repo.write("a", value);
            repo.git(["add", "a"]);
            // The portable shim finds the binary in PATH only.
            let path = format!("{}:{}", repo.sandbox().path().join("bin").display(), std::env::var("PATH").unwrap());
            let status = repo.command("git").env("PATH", path).args(["commit", "-q", "-m", "feat: a"]).status();
            assert!(status.unwrap().success());
            assert_eq!(calls(&repo).len(), 2, "{value}");
            hook(&repo, &["uninstall"]);
            assert!(snapshot(&absolute).is_empty());
        }
    }
}

#[test]
fn worktree_scope_is_used_and_named() {
    let repo = TestRepo::init();
    repo.git(["config", "extensions.worktreeConfig", "true"]);
    repo.git(["config", "--worktree", "core.hooksPath", ".git/mine"]);
    hook(&repo, &["install", "pre-commit"]);
    assert!(hook(&repo, &["status"]).contains(".git/mine/pre-commit (worktree)"));
}

#[test]
fn what_travels_to_clones_has_no_path_of_this_machine() {
    let repo = TestRepo::init();
    repo.git(["config", "core.hooksPath", ".githooks"]);
    let said = hook(&repo, &["install"]);
    assert!(said.contains(".githooks is part of the work tree: commit it"), "{said}");
    let root = repo.sandbox().path();
    for (name, (_, content)) in snapshot(&repo.path().join(".githooks")) {
        assert!(!String::from_utf8(content).unwrap().contains(root.to_str().unwrap()), "{name}");
    }
}

#[test]
fn a_tracked_script_gets_a_block_and_loses_it_without_a_trace() {
    for script in [
        "#!/bin/sh\necho mine\nexit 0\n",
        "#!/usr/bin/env bash\nexit 0",
        "#!/bin/sh -eu\nset -f\necho mine\n",
        "exit 0\n",
        "",
    ] {
        let repo = TestRepo::init();
        repo.git(["config", "core.hooksPath", ".githooks"]);
        repo.write_mode(".githooks/pre-commit", script, 0o775);
        repo.git(["add", "-A"]);
        let before = snapshot(&repo.path().join(".githooks"));
        assert!(hook(&repo, &["install", "pre-commit"]).contains("at the top of .githooks/pre-commit"));
        let with_block = snapshot(&repo.path().join(".githooks"));
        assert_eq!(with_block["pre-commit"].0, before["pre-commit"].0);
        hook(&repo, &["install", "pre-commit"]);
        assert_eq!(snapshot(&repo.path().join(".githooks")), with_block);
        hook(&repo, &["uninstall"]);
        assert_eq!(snapshot(&repo.path().join(".githooks")), before, "{script:?}");
    }
}

#[test]
fn a_block_runs_its_own_script_first_even_before_an_early_exit() {
    let repo = TestRepo::init();
    repo.write("a", "a\n");
    repo.commit("feat: a");
    repo.bare_remote("origin");
    repo.git(["config", "core.hooksPath", ".githooks"]);
    let script = "#!/bin/sh -eu\ncat >../seen\necho own >>../bin/log\nif test -e ../no; then exit 9; fi\nexit 0\n";
    repo.write_mode(".githooks/pre-push", script, 0o755);
    hook(&repo, &["install", "pre-push"]);
    let path = format!("{}:{}", repo.sandbox().path().join("bin").display(), std::env::var("PATH").unwrap());
    let push = |branch: &str| {
        repo.command("git").env("PATH", &path).args(["push", "-q", "origin"]).arg(format!("main:{branch}")).status()
    };
    assert!(push("main").unwrap().success());
    let log = calls(&repo);
    assert!(log[0].starts_with("pre-push origin"), "{log:?}");
    assert_eq!(log[1..], ["own", "pre-push after .githooks/pre-push"]);
    let given = fs::read(repo.sandbox().path().join("bin/stdin")).unwrap();
    assert!(!given.is_empty());
    assert_eq!(fs::read(repo.sandbox().path().join("seen")).unwrap(), given);
    fs::write(repo.sandbox().path().join("no"), "").unwrap();
    assert!(!push("other").unwrap().success());
    assert_eq!(calls(&repo)[1..], ["own"]);
}

#[test]
fn a_block_without_a_binary_refuses_or_goes_on() {
    for (option, code) in [("--print", 3), ("--optional", 5)] {
        let repo = TestRepo::init();
        repo.git(["config", "core.hooksPath", ".githooks"]);
        let path = repo.write_mode(".githooks/pre-commit", "#!/bin/sh -e\nset -- a:b\necho $1\nexit 5\n", 0o755);
        let args =
            if option == "--optional" { vec!["install", option, "pre-commit"] } else { vec!["install", "pre-commit"] };
        hook(&repo, &args);
        let output = repo.command(&path).env("PATH", "/nowhere").output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        assert_eq!(output.stdout, if code == 5 { &b"a:b\n"[..] } else { b"" });
    }
}

#[test]
fn a_tracked_hook_that_takes_no_lines_is_left_alone() {
    let repo = TestRepo::init();
    repo.git(["config", "core.hooksPath", ".githooks"]);
    repo.write_mode(".githooks/pre-commit", "#!/usr/bin/env python3\n", 0o755);
    repo.write_mode(".githooks/commit-msg", "#!/bin/sh\n", 0o644);
    repo.write_mode("tool", "#!/bin/sh\n", 0o755);
    symlink("../tool", repo.path().join(".githooks/pre-push")).unwrap();
    let before = snapshot(&repo.path().join(".githooks"));
    let (message, hint) = refused(&repo, &["install", "pre-commit"]);
    assert!(message.contains("not a shell script") && hint.contains("portcullis hook run pre-commit -- \"$@\""));
    assert!(refused(&repo, &["install", "commit-msg"]).0.contains("not executable"));
    assert!(refused(&repo, &["install", "pre-push"]).0.contains("symbolic link"));
    assert_eq!(snapshot(&repo.path().join(".githooks")), before);
    hook(&repo, &["install", "--force", "pre-commit", "pre-push"]);
    hook(&repo, &["uninstall"]);
    assert_eq!(snapshot(&repo.path().join(".githooks")), before);
}

#[test]
fn everybodys_directory_is_never_written() {
    for scope in ["--global", "--system", "command"] {
        let repo = TestRepo::init();
        let shared = repo.sandbox().path().join("shared");
        fs::create_dir(&shared).unwrap();
        let mut host = host(&repo);
        let mut set = |name: &str, value: &str| host.variables.push((name.into(), value.into()));
        let value = shared.to_str().unwrap();
        let system = repo.sandbox().path().join("system");
        match scope {
            "--global" => drop(repo.git(["config", "--global", "core.hooksPath", value])),
            "--system" => {
                fs::write(&system, format!("[core]\n\thooksPath = {value}\n")).unwrap();
                set("GIT_CONFIG_NOSYSTEM", "0");
                set("GIT_CONFIG_SYSTEM", system.to_str().unwrap());
            }
            _ => {
                set("GIT_CONFIG_COUNT", "1");
                set("GIT_CONFIG_KEY_0", "core.hooksPath");
                set("GIT_CONFIG_VALUE_0", value);
            }
        }
        // This git, and one that is old for sure.
        let bin = repo.sandbox().path().join("old");
        fs::create_dir(&bin).unwrap();
        super::executable(&bin.join("git"), &super::configured::git_of_version("2.53.0"));
        host.variables.push(("PATH".into(), format!("{}:{}", bin.display(), std::env::var("PATH").unwrap()).into()));
        for args in [&["install"][..], &["install", "--force"], &["install", "--link"]] {
            let error = try_hook_on(&host, args).unwrap_err();
            assert!(error.message.contains(scope.trim_start_matches('-')) && error.message.contains(value), "{error}");
            let hint = error.hint.unwrap();
            assert!(hint.contains("git 2.54") && hint.contains("--print"), "{hint}");
        }
        try_hook_on(&host, &["uninstall"]).unwrap();
        assert!(snapshot(&shared).is_empty());
        assert!(!repo.path().join(".git/hooks").exists());
    }
}

#[test]
fn a_directory_outside_needs_force() {
    let repo = TestRepo::init();
    let shared = repo.sandbox().path().join("shared");
    repo.git(["config", "core.hooksPath", shared.to_str().unwrap()]);
    assert!(refused(&repo, &["install"]).0.contains("outside this repository"));
    assert!(!shared.exists());
    hook(&repo, &["install", "--force"]);
    assert_eq!(snapshot(&shared).len(), 4);
    assert!(refused(&repo, &["uninstall"]).0.contains("outside"));
    hook(&repo, &["uninstall", "--force"]);
    assert!(snapshot(&shared).is_empty());
}

#[test]
fn a_linked_directory_is_not_written_through() {
    let repo = TestRepo::init();
    fs::create_dir(repo.path().join("real")).unwrap();
    symlink("../real", repo.path().join(".git/hooks")).unwrap();
    assert!(refused(&repo, &["install"]).0.contains("symbolic link"));
    assert!(snapshot(&repo.path().join("real")).is_empty());
    hook(&repo, &["install", "--force", "pre-commit"]);
    assert_eq!(snapshot(&repo.path().join("real")).len(), 1);
}

#[test]
fn a_linked_shim_is_not_written_through() {
    let repo = TestRepo::init();
    hook(&repo, &["install", "pre-commit"]);
    let path = repo.path().join(".git/hooks/pre-commit");
    fs::rename(&path, repo.path().join("shared-shim")).unwrap();
    symlink("../../shared-shim", &path).unwrap();
    hook(&repo, &["install", "pre-commit"]);
    let mut moved = host(&repo);
    moved.binary = "/opt/portcullis".into();
    let error = try_hook_on(&moved, &["install", "pre-commit"]).unwrap_err();
    assert!(error.message.contains("symbolic link"), "{error}");
    try_hook_on(&moved, &["install", "--force", "pre-commit"]).unwrap();
    assert!(path.is_symlink());
    assert!(fs::read_to_string(repo.path().join("shared-shim")).unwrap().contains("/opt/portcullis"));
}

#[test]
fn an_empty_path_and_no_directory_are_errors() {
    let repo = TestRepo::init();
    repo.git(["config", "core.hooksPath", ""]);
    let (message, hint) = refused(&repo, &["install"]);
    assert!(message.contains("core.hooksPath is set to nothing in the local configuration"), "{message}");
    assert!(hint.contains("git config --local --unset core.hooksPath"), "{hint}");
    repo.git(["config", "core.hooksPath", "/dev/null"]);
    assert!(refused(&repo, &["install"]).0.contains("/dev/null is not a directory"));
}

#[test]
fn inside_the_git_directory_one_is_sent_to_the_work_tree() {
    let repo = TestRepo::init();
    let inside = repo.sandbox().at("repo/.git");
    assert!(refused(&inside, &["install"]).1.contains("-C"));
}
