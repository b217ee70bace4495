//! `staged-release`: `main` deploys to staging, a release tag to production, hotfixes are cut from the tag that runs.

use super::{BOT, Team, keeps_its_history, tags_and_messages};

const PURE: &str = "version: 1\nextends: [staged-release]\n";
const WITH_BOT: &str =
    "version: 1\nextends: [staged-release]\nprotected: [{ branch: main, direct-push: [release-bot] }]\n";

fn released() -> Team {
    let team = Team::on_plain_git(WITH_BOT);
    team.branch("topic/a", "main");
    team.change("a", "feat: a");
    team.push("alice", &["topic/a"]).passes();
    team.switch("main");
    team.merge("topic/a");
    team.push(BOT, &["main"]).passes();
    team.tag("v1.0.0", "main");
    team.push("alice", &["v1.0.0"]).passes();
    team
}

#[test]
fn a_release_is_a_tag_on_main() {
    let team = released();
    team.change("b", "feat: b");
    team.push(BOT, &["main"]).passes();
    team.tag("v1.1.0-rc.1", "main");
    team.tag("v1.1.0", "main");
    team.push("alice", &["v1.1.0-rc.1"]).passes();
    team.push("alice", &["v1.1.0"]).passes();
    // Not on a topic, and not on what main does not have yet.
    team.branch("topic/c", "main");
    team.change("c", "feat: c");
    team.tag("v1.2.0", "HEAD");
    team.refused(|t| t.push("alice", &["topic/c", "v1.2.0"]), &["semver-tags/on-branch"]);
    team.switch("main");
    team.merge("topic/c");
    team.push(BOT, &["--atomic", "main", "v1.2.0"]).passes();
}

#[test]
fn a_hotfix_is_cut_from_the_tag_that_runs() {
    let team = released();
    team.change("b", "feat: not yet in production");
    team.push(BOT, &["main"]).passes();
    team.branch("hotfix/v1.0", "v1.0.0");
    let fix = team.change("x", "fix: x");
    // It may raise the patch number of its release, and no other.
    team.tag("v1.1.0", "HEAD");
    team.refused(|t| t.push("alice", &["v1.1.0"]), &["semver-tags/on-branch"]);
    team.repo.git(["tag", "-d", "v1.1.0"]);
    team.tag("v1.0.1", "HEAD");
    team.push("alice", &["hotfix/v1.0", "v1.0.1"]).passes();
    // A second one on top of it.
    team.change("y", "fix: y");
    team.tag("v1.0.2", "HEAD");
    team.push("alice", &["hotfix/v1.0", "v1.0.2"]).passes();
    // And home, by a pick or by a merge.
    team.switch("main");
    team.repo.git(["cherry-pick", "-x", &fix]);
    team.push(BOT, &["main"]).passes();
    team.merge("hotfix/v1.0");
    team.push(BOT, &["main"]).passes();
    team.tag("v1.1.0", "main");
    team.push("alice", &["v1.1.0"]).passes();
    // A branch that was not cut at a release mends none.
    team.branch("hotfix/late", "main~1");
    team.change("z", "fix: z");
    team.tag("v1.1.1", "HEAD");
    team.refused(|t| t.push("alice", &["v1.1.1"]), &["semver-tags/on-branch"]);
}

#[test]
fn a_release_is_rolled_back_by_a_new_one() {
    let team = released();
    let bad = team.change("b", "feat: b");
    team.push(BOT, &["main"]).passes();
    team.tag("v1.1.0", "main");
    team.push("alice", &["v1.1.0"]).passes();
    // Pushing the old tag again moves nothing, and moving the new one is refused.
    assert!(team.push("alice", &["v1.0.0"]).ok);
    team.repo.git(["tag", "-a", "-f", "-m", "v1.1.0", "v1.1.0", "v1.0.0^{commit}"]);
    team.refused(|t| t.push("alice", &["--force", "v1.1.0"]), &["semver-tags/immutable"]);
    team.repo.git(["revert", "--no-edit", &bad]);
    team.push(BOT, &["main"]).passes();
    team.tag("v1.1.1", "main");
    team.push("alice", &["v1.1.1"]).passes();
}

#[test]
fn nobody_gets_around_the_pull_request() {
    let team = released();
    team.change("b", "feat: b");
    team.refused(|t| t.push("alice", &["main"]), &["branch-topology/direct-push"]);
    team.back("main");
    tags_and_messages(&team, |t, refs| t.push("alice", refs));
    keeps_its_history(&team, "main", |t, refs| t.push(BOT, refs));

    let team = Team::on_a_forge(PURE);
    team.change("b", "feat: b");
    team.refused(|t| t.forge_push("alice", &["main"]), &["branch-topology/direct-push"]);
    team.land("alice", &["main"]).passes();
}
