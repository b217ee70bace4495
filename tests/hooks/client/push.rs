//! pre-push: every line, and of each what the remote does not have.

use super::super::gate::{BINARY, guarded, run, secret, try_git};
use crate::support::TestRepo;

/// A guarded repository whose `main` is at the remote.
fn published() -> (TestRepo, TestRepo) {
    let repo = guarded();
    let remote = repo.bare_remote("origin");
    repo.git(["push", "-q", "origin", "main"]);
    (repo, remote)
}

fn unjudged(repo: &TestRepo, args: &[&str]) {
    repo.git([&["-c", "core.hooksPath=/nowhere"], args].concat());
}

fn commit_unjudged(repo: &TestRepo, path: &str, content: &str, message: &str) -> String {
    repo.write(path, content);
    repo.git(["add", "-A"]);
    unjudged(repo, &["commit", "-q", "-m", message]);
    repo.rev("HEAD")
}

#[test]
fn nothing_to_send_is_nothing_to_judge() {
    let (repo, _) = published();
    try_git(&repo, &["push", "-q", "origin", "main"]).passes();
    // Even where there is no repository to open.
    let home = repo.sandbox().at("home");
    run(home.command(BINARY).args(["hook", "run", "pre-push", "--", "origin", "url"])).passes();
}

#[test]
fn a_clean_commit_passes_and_what_slipped_by_is_found() {
    let (repo, _) = published();
    repo.write("b", "b\n");
    repo.commit("feat: b");
    try_git(&repo, &["push", "-q", "origin", "main"]).passes();
    let commit = commit_unjudged(&repo, "c", &secret(), "feat: c");
    try_git(&repo, &["push", "origin", "main"]).is_refused(&["secrets/gitlab-pat", "c:1:10", &commit[..10]]);
    // Added and removed again within the push: it was pushed nevertheless.
    commit_unjudged(&repo, "c", "c\n", "fix: c");
    try_git(&repo, &["push", "origin", "main"]).is_refused(&["c:1:10", &commit[..10]]);
}

#[test]
fn a_message_that_no_hook_saw_is_found() {
    let (repo, _) = published();
    commit_unjudged(&repo, "b", "b\n", "did things");
    try_git(&repo, &["push", "origin", "main"]).is_refused(&["conventional-commits/"]);
}

#[test]
fn a_new_branch_is_judged_by_what_it_adds() {
    let repo = TestRepo::init();
    commit_unjudged(&repo, "old", &secret(), "long before there were rules");
    repo.bare_remote("origin");
    repo.git(["push", "-q", "origin", "main"]);
    super::super::gate::install(&repo, &[]);
    repo.git(["checkout", "-q", "-b", "topic"]);
    repo.write("b", "b\n");
    repo.commit("feat: b");
    try_git(&repo, &["push", "-q", "origin", "topic"]).passes();
    try_git(&repo, &["push", "-q", "origin", "topic:refs/heads/other"]).passes();
    // To another remote goes what the first one has: that is history which nobody can mend here.
    repo.bare_remote("second");
    try_git(&repo, &["push", "-q", "second", "topic"]).passes();
    commit_unjudged(&repo, "new", &secret(), "feat: new");
    try_git(&repo, &["push", "second", "topic"]).is_refused(&["new:1:10", "fail: 1 error"]);
}

#[test]
fn a_rewritten_branch_is_judged_by_what_is_new() {
    let repo = TestRepo::init();
    commit_unjudged(&repo, "old", &secret(), "long before there were rules");
    repo.git(["checkout", "-q", "-b", "topic"]);
    commit_unjudged(&repo, "b", "b\n", "feat: b");
    repo.bare_remote("origin");
    repo.git(["push", "-q", "origin", "main", "topic"]);
    super::super::gate::install(&repo, &[]);
    repo.git(["commit", "-q", "--amend", "-m", "feat: b again"]);
    try_git(&repo, &["push", "-q", "--force", "origin", "topic"]).passes();
    repo.write("c", secret());
    repo.git(["add", "c"]);
    unjudged(&repo, &["commit", "-q", "--amend", "--no-edit"]);
    let said = try_git(&repo, &["push", "--force", "origin", "topic"]).is_refused(&["c:1:10"]);
    assert!(!said.text.contains("old:1"), "{}", said.text);
}

#[test]
fn the_remote_s_commit_may_be_unknown_here() {
    let (repo, remote) = published();
    repo.git(["push", "-q", "origin", "main:refs/heads/topic"]);
    repo.git(["clone", "-q", "-b", "topic", remote.path().to_str().unwrap(), "../clone"]);
    let clone = repo.sandbox().at("clone");
    clone.write("elsewhere", "x\n");
    clone.commit("feat: elsewhere");
    clone.git(["push", "-q", "origin", "topic"]);
    repo.git(["checkout", "-q", "-b", "topic"]);
    repo.write("b", "b\n");
    repo.commit("feat: b");
    try_git(&repo, &["push", "-q", "--force", "origin", "topic"]).passes();
}

#[test]
fn deleting_needs_no_judgement_unless_it_is_protected() {
    let (repo, remote) = published();
    repo.git(["push", "-q", "origin", "main:refs/heads/topic"]);
    try_git(&repo, &["push", "-q", "origin", ":topic"]).passes();
    remote.git(["config", "receive.denyDeleteCurrent", "ignore"]);
    repo.write("portcullis.yaml", "version: 1\nextends: [dev-main]\n");
    try_git(&repo, &["push", "origin", ":main"]).is_refused(&["branch-topology/non-ff", "main"]);
}

#[test]
fn every_line_is_judged() {
    let (repo, _) = published();
    for name in ["one", "two", "three"] {
        repo.git(["checkout", "-q", "-b", name, "main"]);
        let content = if name == "two" { secret() } else { format!("{name}\n") };
        commit_unjudged(&repo, name, &content, &format!("feat: {name}"));
    }
    try_git(&repo, &["push", "origin", "one", "two", "three"]).is_refused(&["two:1:10"]);
    try_git(&repo, &["push", "-q", "origin", "one", "three"]).passes();
}

#[test]
fn tags_are_judged_by_name_and_by_message() {
    let (repo, _) = published();
    repo.git(["tag", "-a", "-m", "release 1.0.0", "v1.0.0"]);
    try_git(&repo, &["push", "-q", "origin", "v1.0.0"]).passes();
    repo.git(["tag", "-a", "-m", &secret(), "v1.0.1"]);
    try_git(&repo, &["push", "origin", "v1.0.1"]).is_refused(&["secrets/gitlab-pat", "v1.0.1"]);
    repo.git(["tag", "-a", "-m", "release", "1.2"]);
    try_git(&repo, &["push", "origin", "1.2"]).is_refused(&["semver-tags/"]);
}

#[test]
fn a_push_to_an_address_is_judged_against_all_remotes() {
    let (repo, remote) = published();
    let address = remote.path().to_str().unwrap();
    repo.write("b", "b\n");
    repo.commit("feat: b");
    try_git(&repo, &["push", "-q", address, "main"]).passes();
    commit_unjudged(&repo, "c", &secret(), "feat: c");
    try_git(&repo, &["push", address, "main"]).is_refused(&["c:1:10"]);
}

#[test]
fn what_cannot_be_walked_is_not_pushed() {
    let (repo, remote) = published();
    repo.write("b", "b\n");
    repo.commit("feat: b");
    let output = run(repo
        .command("sh")
        .args(["-c", &format!("echo garbage | {BINARY} hook run pre-push -- origin {}", remote.path().display())]));
    assert!(!output.ok && output.text.contains("pre-push"), "{output:?}");
    repo.git(["clone", "-q", "--depth=1", &format!("file://{}", repo.path().display()), "../shallow"]);
    let shallow = repo.sandbox().at("shallow");
    super::super::gate::install(&shallow, &[]);
    shallow.git(["remote", "add", "second", remote.path().to_str().unwrap()]);
    shallow.write("c", "c\n");
    shallow.commit("feat: c");
    // The remote has what lies below the boundary, but nobody here knows that.
    try_git(&shallow, &["push", "second", "HEAD:refs/heads/topic"]).is_refused(&["shallow", "git fetch --unshallow"]);
}

#[test]
fn a_bare_clone_with_work_trees_asks_the_remote() {
    let repo = TestRepo::init();
    commit_unjudged(&repo, "old", &secret(), "long before there were rules");
    let remote = repo.bare_remote("origin");
    repo.git(["push", "-q", "origin", "main"]);
    let sandbox = repo.sandbox();
    let address = remote.path().to_str().unwrap();
    repo.git(["clone", "-q", "--bare", address, "../layout.git"]);
    sandbox.at("layout.git").git(["worktree", "add", "-q", "../topic", "-b", "topic"]);
    let topic = sandbox.at("topic");
    super::super::gate::install(&topic, &[]);
    topic.git(["commit", "-q", "--allow-empty", "-m", "feat: mine"]);
    try_git(&topic, &["push", "-q", "origin", "topic"]).passes();
    // Another local branch is not what the remote has.
    unjudged(&topic, &["commit", "-q", "--no-verify", "--allow-empty", "-m", "bad words"]);
    topic.git(["checkout", "-q", "-b", "above"]);
    topic.git(["commit", "-q", "--allow-empty", "-m", "feat: above"]);
    try_git(&topic, &["push", "origin", "above"]).is_refused(&["conventional-commits/", "fail: 1 error"]);
}

#[test]
fn what_was_pulled_from_an_address_is_other_people_s_history() {
    let (repo, _) = published();
    repo.git(["clone", "-q", ".", "../upstream"]);
    let upstream = repo.sandbox().at("upstream");
    upstream.write("theirs", "x\n");
    upstream.commit("Their words");
    repo.git(["pull", "-q", "--no-rebase", "--no-edit", upstream.path().to_str().unwrap(), "main"]);
    try_git(&repo, &["push", "-q", "origin", "main"]).passes();
}
