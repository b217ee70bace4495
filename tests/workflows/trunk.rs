//! `trunk`: short-lived branches into `main` by pull request, releases are tags on it.

use super::{BOT, Team, keeps_its_history, tags_and_messages};

const PURE: &str = "version: 1\nextends: [trunk]\n";
const WITH_BOT: &str = "version: 1\nextends: [trunk]\nprotected: [{ branch: main, direct-push: [release-bot] }]\n";

#[test]
fn topics_land_by_pull_request_and_nothing_else_does() {
    let team = Team::on_a_forge(PURE);
    team.branch("topic/a", "main");
    team.change("a", "feat: a");
    team.forge_push("alice", &["topic/a"]).passes();
    // The button's three shapes: merge, rebase, squash.
    team.switch("main");
    team.merge("topic/a");
    team.land("alice", &["main"]).passes();
    team.branch("topic/b", "main");
    team.change("b", "feat: b");
    team.land("alice", &["topic/b:main"]).passes();
    team.back("main");
    team.branch("topic/c", "main");
    team.change("c", "feat: c");
    team.change("d", "fix: c again");
    team.switch("main");
    team.repo.git(["merge", "-q", "--squash", "topic/c"]);
    team.repo.git(["commit", "-q", "-m", "feat: c (#3)"]);
    team.land("alice", &["main"]).passes();
    // Without the button nobody gets in.
    team.change("e", "feat: e");
    let said = team.refused(|t| t.forge_push("alice", &["main"]), &["branch-topology/direct-push"]);
    assert!(said.text.contains("alice may not push to main directly"), "{}", said.text);
    team.back("main");
    // A pull request is no way around the rest.
    team.change("e", "did things");
    team.refused(|t| t.land("alice", &["main"]), &["conventional-commits/type-missing"]);
    team.back("main");
    tags_and_messages(&team, |t, refs| t.forge_push("alice", refs));
    team.merge("origin/elsewhere");
    team.refused(|t| t.land("alice", &["main"]), &["conventional-commits/autosquash-left"]);
    keeps_its_history(&team, "main", |t, refs| t.land("alice", refs));
}

#[test]
fn on_plain_git_the_named_account_lands_what_was_reviewed() {
    let team = Team::on_plain_git(WITH_BOT);
    team.branch("topic/a", "main");
    team.change("a", "feat: a");
    team.push("alice", &["topic/a"]).passes();
    team.refused(|t| t.push("alice", &["topic/a:main"]), &["branch-topology/direct-push"]);
    team.switch("main");
    let merge = team.merge("topic/a");
    team.push(BOT, &["main"]).passes();
    team.tag("v1.0.0", "main");
    team.push("alice", &["v1.0.0"]).passes();
    // A bad release is taken back by a revert, and released again.
    team.repo.git(["revert", "--no-edit", "-m", "1", &merge]);
    team.push(BOT, &["main"]).passes();
    team.tag("v1.0.1", "main");
    team.push("alice", &["v1.0.1"]).passes();
    // A hotfix of a release that is not the newest any more.
    team.branch("hotfix/v1.0", "v1.0.1");
    team.change("fix", "fix: at once");
    team.tag("v1.0.2", "HEAD");
    team.push("alice", &["hotfix/v1.0", "v1.0.2"]).passes();
    team.switch("main");
    team.merge("hotfix/v1.0");
    team.push(BOT, &["main"]).passes();
    // Both in one push: the tag stands on what the branch is after it.
    team.change("b", "feat: b");
    team.tag("v1.1.0", "main");
    team.push(BOT, &["--atomic", "main", "v1.1.0"]).passes();
    tags_and_messages(&team, |t, refs| t.push("alice", refs));
    keeps_its_history(&team, "main", |t, refs| t.push(BOT, refs));
}
