//! A server whose HEAD names a branch that nobody has: the policy of the team's branch counts all the same, and nobody
//! replaces it by creating the branch that is missing.

use crate::hooks::gate::{install, portcullis, run, try_git};
use crate::support::TestRepo;

const POLICY: &str = "version: 1\nextends: [dev-main]\napprovers: [bob]\n";

/// A work tree on `main` and a bare repository whose HEAD names `master`, with the hook and a policy on `branch`.
fn served(branch: &str) -> (TestRepo, TestRepo) {
    let repo = TestRepo::init();
    repo.write("portcullis.yaml", POLICY);
    repo.commit("feat: policy");
    let server = repo.bare_remote("origin");
    server.git(["symbolic-ref", "HEAD", "refs/heads/master"]);
    repo.git(["push", "-q", "origin", &format!("main:refs/heads/{branch}")]);
    install(&server, &["--server", "bare"]);
    (repo, server)
}

fn push_as(repo: &TestRepo, account: &str, args: &[&str]) -> crate::hooks::gate::Said {
    run(repo.command("git").arg("push").args(args).env("USER", account))
}

#[test]
fn the_policy_of_the_branch_that_is_there_counts_and_every_push_says_so() {
    let (repo, server) = served("main");
    repo.write("b", "b\n");
    repo.commit("feat: b");
    push_as(&repo, "mallory", &["origin", "main"]).is_refused(&["branch-topology/direct-push", "HEAD names"]);
    push_as(&repo, "mallory", &["origin", "main:topic"]).passes_saying(&["HEAD names the branch master"]);
    let doctor = portcullis(&server, &["hook", "doctor"]);
    assert!(String::from_utf8_lossy(&doctor.stdout).contains("HEAD names the branch master"), "{doctor:?}");
    server.git(["symbolic-ref", "HEAD", "refs/heads/main"]);
    push_as(&repo, "mallory", &["origin", "main:other"]).passes();
}

#[test]
fn nobody_creates_the_missing_branch_with_a_policy_of_their_own() {
    for (team, missing) in [("main", "master"), ("work", "master"), ("work", "main"), ("work", "aaa")] {
        let (repo, _) = served(team);
        repo.git(["fetch", "-q"]);
        let creates = format!("main:refs/heads/{missing}");
        repo.git(["checkout", "-q", "-b", "own"]);
        for (relaxed, path) in [("version: 1\nmode: report\n", "portcullis.yaml"), ("", "portcullis.yaml")] {
            if relaxed.is_empty() {
                repo.git(["rm", "-q", path]);
            } else {
                repo.write(path, relaxed);
            }
            repo.commit("chore: relax");
            let creates = creates.replacen("main", "own", 1);
            push_as(&repo, "mallory", &["origin", &creates]).is_refused(&["policy/changed"]);
            // With another branch in the same push, too.
            push_as(&repo, "mallory", &["origin", &creates, "own:zzz"]).is_refused(&["policy/changed"]);
        }
        // An approver may, where the branch takes direct pushes at all.
        if missing != "main" {
            assert!(push_as(&repo, "bob", &["origin", &creates]).ok, "{missing}");
        }
    }
}

#[test]
fn the_first_push_to_an_empty_server_brings_its_policy() {
    let repo = TestRepo::init();
    repo.write("portcullis.yaml", POLICY);
    repo.commit("feat: policy");
    let server = repo.bare_remote("origin");
    server.git(["symbolic-ref", "HEAD", "refs/heads/master"]);
    install(&server, &["--server", "bare"]);
    try_git(&repo, &["push", "origin", "main"]).passes_saying(&["this push brings a policy"]);
}
