//! A policy is read from a plain file only, and no result is written through what a repository holds.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use crate::command::{portcullis, token};
use crate::hooks::gate::{install, served, serving, try_git};
use crate::support::TestRepo;

/// A line of a file outside of the repository, which no output may show.
const PRIVATE: &str = "hunter_2: of a private file\n";

fn with_private_file() -> (TestRepo, PathBuf) {
    let repo = TestRepo::init();
    repo.write("a", "a\n");
    repo.commit("feat: a");
    let private = repo.sandbox().path().join("private");
    fs::write(&private, PRIVATE).unwrap();
    (repo, private)
}

/// Everything that a run says, and its exit code.
fn said(repo: &TestRepo, args: &[&str]) -> (Option<i32>, String) {
    let output = portcullis(repo, args);
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn a_policy_that_is_no_plain_file_is_refused_and_never_shown() {
    let (repo, private) = with_private_file();
    let policy = repo.path().join("portcullis.yaml");
    let pipe = repo.sandbox().path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    type Make<'m> = &'m dyn Fn();
    let kinds: [(&str, Make<'_>, &str); 7] = [
        ("link", &|| symlink(&private, &policy).unwrap(), "a symbolic link"),
        ("link to a device", &|| symlink("/dev/zero", &policy).unwrap(), "a symbolic link"),
        ("link to a pipe", &|| symlink(&pipe, &policy).unwrap(), "a symbolic link"),
        ("link to nothing", &|| symlink("nowhere", &policy).unwrap(), "a symbolic link"),
        ("pipe", &|| assert!(Command::new("mkfifo").arg(&policy).status().unwrap().success()), "a device or a pipe"),
        ("directory", &|| fs::create_dir(&policy).unwrap(), "a directory"),
        ("long file", &|| fs::write(&policy, format!("version: 1\n{}", "#\n".repeat(1 << 19))).unwrap(), "1 MiB"),
    ];
    for (name, make, why) in kinds {
        make();
        for args in [
            &["check"][..],
            &["check", "--staged"],
            &["hook", "run", "pre-commit"],
            &["check", "--policy", "portcullis.yaml"],
        ] {
            let (code, text) = said(&repo, args);
            assert_eq!(code, Some(2), "{name} {args:?}: {text}");
            assert!(text.contains(why) && !text.contains("hunter_2"), "{name} {args:?}: {text}");
        }
        let removed = fs::remove_file(&policy).or_else(|_| fs::remove_dir(&policy));
        removed.unwrap();
    }
    fs::write(&policy, "version: 1\n").unwrap();
    assert_eq!(said(&repo, &["check"]).0, Some(0));
}

#[test]
fn a_folder_that_is_a_link_leads_to_no_policy_and_to_no_result() {
    let (repo, private) = with_private_file();
    symlink(private.parent().unwrap(), repo.path().join("away")).unwrap();
    let (code, text) = said(&repo, &["check", "--policy", "away/private"]);
    assert!(code == Some(2) && text.contains("a symbolic link") && !text.contains("hunter_2"), "{text}");
    let (code, text) = said(&repo, &["check", "--format", "json=away/report"]);
    assert!(code == Some(2) && text.contains("cannot write away/report"), "{text}");
    assert!(!private.with_file_name("report").exists());
    // Outside of the repository links are the user's own.
    let link = repo.sandbox().path().join("link.yaml");
    let target = repo.sandbox().path().join("target.yaml");
    fs::write(&target, "version: 1\n").unwrap();
    symlink(&target, &link).unwrap();
    assert_eq!(said(&repo, &["check", "--policy", link.to_str().unwrap()]).0, Some(0));
}

#[test]
fn results_are_not_written_through_links_or_into_devices_of_the_repository() {
    let (repo, private) = with_private_file();
    repo.write("portcullis.yaml", "version: 1\nextends: [dev-main]\n");
    repo.commit("feat: policy");
    repo.git(["checkout", "-q", "-b", "dev"]);
    let missing = private.with_file_name("missing");
    for (name, target) in [("there", &private), ("missing", &missing)] {
        symlink(target, repo.path().join(name)).unwrap();
    }
    assert!(Command::new("mkfifo").arg(repo.path().join("pipe")).status().unwrap().success());
    for name in ["there", "missing", "pipe"] {
        let commands = [
            vec!["check".to_owned(), "--format".into(), "json".into(), "--output".into(), name.into()],
            vec!["check".into(), "--format".into(), format!("sarif={name}")],
            vec!["promote".into(), "plan".into(), "--format".into(), "json".into(), "-o".into(), name.into()],
            vec!["hook".into(), "install".into(), "--server".into(), "ghes".into(), "--output".into(), name.into()],
        ];
        for args in commands {
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            let (code, text) = said(&repo, &args);
            assert_eq!(code, Some(2), "{args:?}: {text}");
            assert_eq!(fs::read_to_string(&private).unwrap(), PRIVATE, "{args:?}");
            assert!(!missing.exists(), "{args:?}");
        }
    }
    assert_eq!(said(&repo, &["check", "--format", "json=report.json"]).0, Some(0));
    assert!(fs::read_to_string(repo.path().join("report.json")).unwrap().contains("\"verdict\""));
}

#[test]
fn exceptions_are_not_written_through_a_link() {
    let (repo, private) = with_private_file();
    repo.write("$(touch ran).yaml", format!("token: {}\n", token()));
    symlink(private.with_file_name("missing"), repo.path().join("portcullis.yaml")).unwrap();
    let (code, text) = said(&repo, &["check", "--write-exceptions"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(!private.with_file_name("missing").exists());
    assert_eq!(said(&repo, &["init"]).0, Some(2));
}

#[test]
fn a_push_cannot_leave_a_policy_that_is_no_plain_file() {
    let (repo, server) = serving(&[]);
    let blob = repo.git(["hash-object", "-w", "a"]);
    let commit = repo.rev("HEAD");
    for (mode, id, why) in [("120000", &blob, "a symbolic link"), ("160000", &commit, "a submodule")] {
        repo.git(["update-index", "--add", "--cacheinfo", &format!("{mode},{},portcullis.yaml", id.trim())]);
        repo.git(["commit", "-q", "-m", "feat: policy"]);
        try_git(&repo, &["push", "origin", "main"]).is_refused(&["policy/invalid", why]);
        repo.git(["reset", "-q", "--soft", "HEAD~1"]);
        repo.git(["rm", "-q", "--cached", "portcullis.yaml"]);
    }
    // One that stands there already is no policy, and every push says so.
    fs::rename(server.path().join("hooks"), server.path().join("off")).unwrap();
    repo.git(["update-index", "--add", "--cacheinfo", &format!("120000,{},portcullis.yaml", blob.trim())]);
    repo.git(["commit", "-q", "-m", "feat: policy"]);
    repo.git(["push", "-q", "origin", "main"]);
    fs::rename(server.path().join("off"), server.path().join("hooks")).unwrap();
    try_git(&repo, &["push", "origin", "main:topic"]).passes_saying(&["judged by the built-in", "a symbolic link"]);
}

#[test]
fn the_administrators_policy_may_not_be_a_device() {
    let (repo, server) = served(&[]);
    fs::remove_file(server.path().join("hooks/pre-receive")).unwrap();
    install(&server, &["--server", "bare", "--policy", "/dev/zero"]);
    try_git(&repo, &["push", "origin", "main"]).is_refused(&["not decided", "administrator's policy"]);
}
