//! Time, log, identity, and what happens when something dies.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::super::gate::{BINARY, Said, run, secret, served, serving, try_git};
use crate::support::TestRepo;

/// Replaces the server's hook by one with these options.
fn hook(server: &TestRepo, options: &str) {
    let text = format!("#!/bin/sh\nexec {BINARY} hook run pre-receive {options} -- \"$@\"\n");
    server.write_mode("hooks/pre-receive", text, 0o755);
}

fn lines(log: &Path) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(log).unwrap_or_default();
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines().map(|l| serde_json::from_str(l).unwrap_or_else(|e| panic!("{e}: {l}"))).collect()
}

fn logged() -> (TestRepo, TestRepo, PathBuf) {
    let (repo, server) = served(&[]);
    let log = repo.sandbox().path().join("audit.jsonl");
    hook(&server, &format!("--server gitlab --audit-log {}", log.display()));
    (repo, server, log)
}

#[test]
fn each_push_leaves_a_line() {
    let (repo, _, log) = logged();
    let push = |args: &[&str]| run(repo.command("git").arg("push").args(args).env("GL_USERNAME", "alice"));
    push(&["-q", "origin", "main"]).passes();
    repo.write("b", secret());
    let next = repo.commit("feat: b");
    push(&["origin", "main", "main:topic"]).is_refused(&["b:1:10"]);
    let lines = lines(&log);
    assert_eq!(lines.len(), 2);
    let (first, second) = (&lines[0], &lines[1]);
    assert_eq!((first["verdict"].as_str(), first["identity"].as_str()), (Some("pass"), Some("alice")));
    assert_eq!(first["refs"][0]["old"], serde_json::Value::Null);
    assert_eq!((second["verdict"].as_str(), second["exit_code"].as_u64()), (Some("fail"), Some(1)));
    assert_eq!(second["refs"][1]["name"], "refs/heads/topic");
    assert_eq!(second["refs"][1]["new"], next);
    assert_eq!(second["rules"][0]["name"], "secrets/gitlab-pat");
    assert!(!fs::read_to_string(&log).unwrap().contains("7Kq2mPz9"));
}

#[test]
fn twenty_pushes_at_once_leave_twenty_lines() {
    let (repo, server, log) = logged();
    repo.git(["push", "-q", "origin", "main"]);
    let pushes: Vec<_> = (0..20)
        .map(|n| {
            let tree = repo.rev("HEAD^{tree}");
            let commit = repo.git(["commit-tree", "-p", "HEAD", "-m", &format!("feat: number {n}"), &tree]);
            let mut push = repo.command("git");
            push.args(["push", "-q", "origin", &format!("{commit}:refs/heads/b{n}")]);
            push.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for push in pushes {
        Said::from(push.wait_with_output().unwrap()).passes();
    }
    let mut names: Vec<_> = lines(&log).iter().map(|l| l["refs"][0]["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 21);
    assert_eq!(server.git(["for-each-ref", "--format=%(refname)"]).lines().count(), 21);
}

#[test]
fn half_a_line_of_somebody_killed_stays_theirs() {
    let (repo, _, log) = logged();
    fs::write(&log, "{\"time\":").unwrap();
    try_git(&repo, &["push", "-q", "origin", "main"]).passes();
    let text = fs::read_to_string(&log).unwrap();
    assert_eq!(text.lines().count(), 2);
    assert!(serde_json::from_str::<serde_json::Value>(text.lines().nth(1).unwrap()).is_ok());
}

#[test]
fn a_push_that_cannot_be_logged_is_refused() {
    let (repo, server, log) = logged();
    // A disk that is full whatever is written to it.
    if Path::new("/dev/full").exists() {
        hook(&server, "--audit-log /dev/full");
        try_git(&repo, &["push", "origin", "main"]).is_refused(&["not decided", "the audit log /dev/full"]);
    }
    hook(&server, &format!("--audit-log {}/nowhere/log", repo.path().display()));
    try_git(&repo, &["push", "origin", "main"]).is_refused(&["not decided", "the audit log"]);
    hook(&server, &format!("--time-budget 1 --audit-log {}", log.display()));
    let held = fs::File::create(&log).unwrap();
    held.lock().unwrap();
    try_git(&repo, &["push", "origin", "main"]).is_refused(&["another push holds its lock"]);
    drop(held);
    try_git(&repo, &["push", "-q", "origin", "main"]).passes();
}

#[test]
fn accounts_may_be_let_through_and_it_is_logged() {
    let (repo, server, log) = logged();
    let reason = "--bypass release-bot --bypass-reason 'INC-1 rollback'";
    hook(&server, &format!("--server gitlab {reason} --audit-log {}", log.display()));
    repo.write("b", secret());
    repo.commit("feat: b");
    let push = |variable: &str, account: &str| {
        run(repo.command("git").args(["push", "origin", "main"]).env(variable, account))
    };
    push("GL_USERNAME", "mallory").is_refused(&["b:1:10"]);
    // The variable of another kind of server is the pusher's to set.
    push("GITEA_PUSHER_NAME", "release-bot").is_refused(&["b:1:10"]);
    push("USER", "release-bot").is_refused(&["b:1:10"]);
    push("GL_USERNAME", "release-bot").passes_saying(&["let through by configuration, and logged", "INC-1 rollback"]);
    let lines = lines(&log);
    assert_eq!(lines.len(), 4);
    assert_eq!((lines[3]["verdict"].as_str(), lines[3]["exit_code"].as_u64()), (Some("bypass"), Some(0)));
    assert_eq!(lines[3]["remarks"][0], "INC-1 rollback");
    assert_eq!(lines[3]["rules"][0]["name"], "secrets/gitlab-pat");
}

#[test]
fn time_that_is_spent_is_no_pass() {
    let (repo, server, log) = logged();
    hook(&server, &format!("--time-budget 0 --audit-log {}", log.display()));
    let text: String = (0..200_000).map(|n| format!("password = lookup({n})\n")).collect();
    repo.write("big", text);
    repo.commit("feat: big");
    try_git(&repo, &["push", "origin", "main"]).is_refused(&["the time budget of 0 s is spent", "--time-budget"]);
    let lines = lines(&log);
    assert_eq!(lines.len(), 1);
    assert_eq!((lines[0]["verdict"].as_str(), lines[0]["exit_code"].as_u64()), (Some("undecided"), Some(3)));
    assert!(!server.try_git(["rev-parse", "-q", "--verify", "main"]).status.success());
}

#[test]
fn being_killed_is_no_pass() {
    let (repo, server) = serving(&[]);
    let before = (server.git(["for-each-ref"]), server.git(["count-objects", "-v"]));
    repo.write("b", "b\n");
    let next = repo.commit("feat: b");
    // The kept hook runs first; its parent is the judge, and the judge's parent is git.
    let kept = server.write_mode("kept", "", 0o755);
    hook(&server, &format!("--chain {}", kept.display()));
    for victim in ["$PPID", "$(cut -d' ' -f4 /proc/$PPID/stat)"] {
        if victim.contains("/proc") && !Path::new("/proc/self/stat").exists() {
            continue;
        }
        server.write_mode("kept", format!("#!/bin/sh\nkill -9 {victim}\nsleep 1\n"), 0o755);
        let said = try_git(&repo, &["push", "origin", "main"]);
        assert!(!said.ok, "{}", said.text);
        assert_eq!((server.git(["for-each-ref"]), server.git(["count-objects", "-v"])), before);
        assert!(!server.try_git(["cat-file", "-e", &next]).status.success());
        server.git(["fsck", "--strict"]);
    }
    server.write_mode("kept", "#!/bin/sh\n", 0o755);
    try_git(&repo, &["push", "-q", "origin", "main"]).passes();
}

#[test]
fn a_server_without_room_refuses() {
    let (repo, server) = serving(&[]);
    repo.write("b", "b\n");
    repo.commit("feat: b");
    // The scratch directory cannot be made: the push is not judged, and so not taken.
    let kept = server.write_mode("kept", "#!/bin/sh\nrm -rf \"$GIT_QUARANTINE_PATH\"\n", 0o755);
    hook(&server, &format!("--chain {}", kept.display()));
    try_git(&repo, &["push", "origin", "main"]).is_refused(&["not decided"]);
}
