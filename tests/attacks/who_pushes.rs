//! A gate that does not know what moves, or who moves it, lets nothing through that depends on it.

use std::fs;

use crate::hooks::gate::{BINARY, run, served, serving, try_git};
use crate::support::TestRepo;

#[test]
fn a_push_whose_refs_somebody_else_has_read_is_refused_and_logged() {
    let (repo, server) = serving(&[]);
    let log = repo.sandbox().path().join("log");
    repo.write("b", "b\n");
    repo.commit("feat: b");
    for first in ["while read -r old new ref; do :; done", "cat >/dev/null", "exec </dev/null"] {
        let hook =
            format!("#!/bin/sh\n{first}\nexec {BINARY} hook run pre-receive --audit-log {} -- \"$@\"\n", log.display());
        server.write_mode("hooks/pre-receive", hook, 0o755);
        // No object waits in quarantine where a ref is only taken away or put at what is there.
        for refspec in ["main", ":main", "main~1:refs/heads/topic"] {
            try_git(&repo, &["push", "origin", refspec]).is_refused(&["not decided", "standard input"]);
        }
    }
    assert_eq!(fs::read_to_string(&log).unwrap().lines().count(), 9);
    // Git does call pre-push without a ref.
    let nothing = repo.command(BINARY).args(["hook", "run", "pre-push", "--", "origin", "url"]).output().unwrap();
    assert!(nothing.status.success());
}

#[test]
fn an_account_that_the_server_does_not_name_is_none_that_may() {
    let (repo, server) = served(&[]);
    let policy = "version: 1\nenvironments: { production: { branch: main } }\nprotected:\n  - { branch: main, direct-push: [alice] }\n  - { branch: free, direct-push: [\"*\"] }\n";
    repo.write("portcullis.yaml", policy);
    repo.commit("feat: policy");
    repo.git(["push", "-q", "origin", "main"]);
    repo.write("b", "b\n");
    repo.commit("feat: b");
    let push = |repo: &TestRepo, refspec: &str, set: &[(&str, &str)]| {
        run(repo.command("git").args(["push", "origin", refspec]).env_remove("USER").envs(set.iter().copied()))
    };
    let unnamed: [&[(&str, &str)]; 3] = [&[], &[("USER", "")], &[("USER", "alice"), ("GATEWAY_INTERFACE", "CGI/1.1")]];
    for set in unnamed {
        push(&repo, "main", set).is_refused(&["not decided", "who pushes"]);
        for open in ["main:topic", "main:free"] {
            push(&repo, open, set).passes();
            server.git(["update-ref", "-d", &format!("refs/heads/{}", &open[5..])]);
        }
    }
    push(&repo, "main", &[("USER", "mallory")]).is_refused(&["branch-topology/direct-push"]);
    push(&repo, "main", &[("USER", "alice")]).passes();
}
