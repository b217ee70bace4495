//! reference-transaction, which somebody asked for: a fast-forward of a protected branch, which no other hook sees.

use super::super::gate::{install, try_git};
use crate::support::TestRepo;

/// `dev` ahead of `main`, both at the remote; a clone of it with all hooks and this one.
fn clone() -> (TestRepo, TestRepo) {
    let seed = TestRepo::init();
    seed.write("portcullis.yaml", "version: 1\nextends: [dev-main]\n");
    seed.commit("feat: a");
    seed.git(["checkout", "-q", "-b", "dev"]);
    seed.write("b", "b\n");
    seed.commit("feat: b");
    seed.bare_remote("origin");
    seed.git(["push", "-q", "origin", "main", "dev"]);
    seed.git(["clone", "-q", "-b", "main", "../origin.git", "../clone"]);
    let clone = seed.sandbox().at("clone");
    clone.git(["branch", "-q", "dev", "origin/dev"]);
    install(&clone, &[]);
    install(&clone, &["reference-transaction"]);
    (seed, clone)
}

#[test]
fn a_fast_forward_of_production_to_development_does_not_happen() {
    let (_, clone) = clone();
    let before = clone.rev("main");
    try_git(&clone, &["merge", "--ff-only", "dev"]).is_refused(&[
        "branch-topology/dev-leak",
        "the branch did not move",
        "git reset --merge",
    ]);
    assert_eq!(clone.rev("main"), before);
    // As it says.
    clone.git(["reset", "-q", "--merge"]);
    assert_eq!(clone.git(["status", "--porcelain"]), "");
    try_git(&clone, &["branch", "-f", "other", "dev"]).passes();
    try_git(&clone, &["update-ref", "refs/heads/main", "dev"]).is_refused(&["branch-topology/dev-leak"]);
}

#[test]
fn everyday_work_is_not_disturbed() {
    let (seed, clone) = clone();
    for args in [
        &["checkout", "-q", "dev"][..],
        &["checkout", "-q", "-b", "topic"],
        &["checkout", "-q", "--detach"],
        &["checkout", "-q", "main"],
        &["symbolic-ref", "HEAD", "refs/heads/dev"],
        &["symbolic-ref", "HEAD", "refs/heads/main"],
        &["branch", "-m", "topic", "topic2"],
        &["branch", "-q", "-D", "topic2"],
        &["tag", "v0.0.1"],
        &["stash", "list"],
        &["commit", "-q", "--allow-empty", "-m", "fix: here"],
        &["reset", "-q", "--hard", "HEAD~1"],
        &["pack-refs", "--all"],
        &["fetch", "-q"],
    ] {
        try_git(&clone, args).passes();
    }
    // Somebody merged the release; pulling it is a fast-forward of a protected branch that stands on the server.
    seed.git(["checkout", "-q", "main"]);
    seed.git(["merge", "-q", "--no-edit", "dev"]);
    seed.git(["push", "-q", "origin", "main"]);
    try_git(&clone, &["pull", "-q"]).passes();
    assert_eq!(clone.rev("main"), seed.rev("main"));
    // With a commit of one's own in between it becomes a merge.
    seed.write("c", "c\n");
    seed.commit("fix: c");
    seed.git(["push", "-q", "origin", "main"]);
    clone.git(["commit", "-q", "--allow-empty", "-m", "fix: mine"]);
    try_git(&clone, &["pull", "-q", "--no-rebase", "--no-edit"]).passes();
}

#[test]
fn what_cannot_be_decided_stops_it() {
    let (_, clone) = clone();
    clone.git(["config", "core.logAllRefUpdates", "false"]);
    clone.write("portcullis.yaml", "version: 1\nprotected: 7\n");
    try_git(&clone, &["update-ref", "refs/heads/main", "dev"]).is_refused(&["portcullis.yaml"]);
}
