//! Hooks in git's configuration: only where git runs them.

use std::fs;

use portcullis::hooks::Host;

use super::{executable, host, try_hook_on};
use crate::support::TestRepo;

/// A git that says to be of another version.
pub(super) fn git_of_version(version: &str) -> String {
    let real = std::env::split_paths(&std::env::var_os("PATH").unwrap())
        .map(|dir| dir.join("git"))
        .find(|git| git.is_file())
        .expect("git is installed");
    format!(
        "#!/bin/sh\n[ \"$1\" != version ] || {{ echo 'git version {version}'; exit; }}\nexec '{}' \"$@\"\n",
        real.display()
    )
}

fn host_with_git(repo: &TestRepo, version: &str) -> Host {
    let bin = repo.sandbox().path().join(version);
    fs::create_dir_all(&bin).unwrap();
    executable(&bin.join("git"), &git_of_version(version));
    let mut host = host(repo);
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    host.variables.push(("PATH".into(), path.into()));
    host
}

#[test]
fn a_foreign_directory_is_gone_round_by_the_local_configuration() {
    let repo = TestRepo::init();
    let before = fs::read(repo.path().join(".git/config")).unwrap();
    repo.git(["config", "--global", "core.hooksPath", "/srv/hooks"]);
    let host = host_with_git(&repo, "2.54.0");
    let (code, said) = try_hook_on(&host, &["install"]).unwrap();
    assert_eq!(code, 0, "{said}");
    let command = format!("{} hook run pre-push --", host.binary.display());
    assert_eq!(repo.git(["config", "--local", "hook.portcullis-pre-push.command"]), command);
    assert_eq!(repo.git(["config", "--local", "hook.portcullis-pre-push.event"]), "pre-push");
    let written = fs::read(repo.path().join(".git/config")).unwrap();
    try_hook_on(&host, &["install"]).unwrap();
    assert_eq!(fs::read(repo.path().join(".git/config")).unwrap(), written);
    let (_, status) = try_hook_on(&host, &["status"]).unwrap();
    assert!(status.contains("ours, in the configuration, executable, binary"), "{status}");
    try_hook_on(&host, &["uninstall"]).unwrap();
    assert_eq!(fs::read(repo.path().join(".git/config")).unwrap(), before);
}

#[test]
fn global_needs_a_git_that_runs_it() {
    let repo = TestRepo::init();
    let before = fs::read(repo.sandbox().global_config()).unwrap();
    for version in ["2.47.3", "2.53.9", "2.9.0", "1.99.0 (Apple Git-1)"] {
        let error = try_hook_on(&host_with_git(&repo, version), &["install", "--global"]).unwrap_err();
        assert!(error.message.contains("need git 2.54"), "{error}");
        assert!(error.hint.unwrap().contains("--template"));
        assert_eq!(fs::read(repo.sandbox().global_config()).unwrap(), before);
    }
    for version in ["2.54.0-rc1", "2.54.0.windows.1", "2.100.0", "3.0.1"] {
        let host = host_with_git(&repo, version);
        try_hook_on(&host, &["install", "--global", "--optional"]).unwrap();
        let command = repo.git(["config", "--global", "hook.portcullis-commit-msg.command"]);
        assert!(command.starts_with("test ! -x "), "{command}");
        try_hook_on(&host, &["uninstall", "--global"]).unwrap();
        assert_eq!(fs::read(repo.sandbox().global_config()).unwrap(), before, "{version}");
    }
}

#[test]
fn the_configured_command_is_a_shell_command() {
    let repo = TestRepo::init();
    let mut host = host_with_git(&repo, "2.54.0");
    let bin = repo.sandbox().path().join("it's here");
    fs::create_dir(&bin).unwrap();
    host.binary = bin.join("portcullis");
    for missing in [false, true] {
        let option = if missing { "--optional" } else { "--force" };
        try_hook_on(&host, &["install", "--global", option, "commit-msg"]).unwrap();
        let command = repo.git(["config", "--global", "hook.portcullis-commit-msg.command"]);
        // Git appends the arguments of the hook in this way.
        let run = || repo.command("sh").args(["-c", &format!("{command} \"$@\""), "hook", "a b"]).output().unwrap();
        let _ = fs::remove_file(&host.binary);
        assert_eq!(run().status.success(), missing);
        executable(&host.binary, "#!/bin/sh\necho \"$# $*\"\nexit 4\n");
        let output = run();
        assert_eq!((output.status.code(), &output.stdout[..]), (Some(4), &b"5 hook run commit-msg -- a b\n"[..]));
    }
}

#[test]
fn print_shows_the_commands() {
    let repo = TestRepo::init();
    let (_, text) = try_hook_on(&host(&repo), &["install", "--global", "--print", "pre-push"]).unwrap();
    assert!(text.starts_with("git config --global hook.portcullis-pre-push.event 'pre-push'\n"), "{text}");
}
