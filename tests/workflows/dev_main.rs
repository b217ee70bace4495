//! `dev-main`: development deploys to staging, and production gets single commits, tested tags and hotfixes of it.

use super::{BOT, Team, keeps_its_history, rules, tags_and_messages};
use crate::hooks::gate::{BINARY, Said, run};

const PURE: &str = "version: 1\nextends: [dev-main]\n";
const WITH_BOT: &str = "version: 1\nextends: [dev-main]\nprotected:\n  \
    - { branch: main, direct-push: [release-bot] }\n  - { branch: dev }\n";

const DEV_LEAK: &[&str] = &["branch-topology/dev-leak"];

/// A team whose `dev` has two features that `main` has not; both branches are on the server.
fn team() -> Team {
    ahead(Team::on_plain_git(WITH_BOT))
}

fn ahead(team: Team) -> Team {
    team.repo.git(["push", "-q", "origin", "main:dev"]);
    team.branch("dev", "main");
    for name in ["a", "b"] {
        team.branch(&format!("topic/{name}"), "dev");
        team.change(name, &format!("feat: {name}"));
        team.repo.git(["push", "-q", "origin", &format!("topic/{name}")]);
        team.switch("dev");
        team.merge(&format!("topic/{name}"));
        team.repo.git(["push", "-q", "origin", "dev"]);
    }
    team.switch("main");
    team
}

fn bot(team: &Team) -> Said {
    team.push(BOT, &["main"])
}

#[test]
fn a_feature_is_promoted_by_picking_it() {
    let team = team();
    team.repo.git(["cherry-pick", "-x", "topic/b"]);
    bot(&team).passes();
    // And the other one after it, in a pull request's branch.
    team.branch("promote/a", "main");
    team.repo.git(["cherry-pick", "-x", "topic/a"]);
    team.push("alice", &["promote/a"]).passes();
    team.switch("main");
    team.merge("promote/a");
    bot(&team).passes();
}

#[test]
fn what_was_validated_is_tagged_and_the_tag_is_merged() {
    let team = team();
    team.tag("v1.0.0", "dev");
    team.push("alice", &["v1.0.0"]).passes();
    team.merge("v1.0.0");
    bot(&team).passes();
    // Exactly it: neither what came after, nor what came before.
    team.switch("dev");
    team.change("c", "feat: c");
    team.change("d", "feat: d");
    team.push("alice", &["dev"]).passes();
    team.tag("v1.1.0", "dev");
    team.push("alice", &["v1.1.0"]).passes();
    team.switch("main");
    team.merge("dev~1");
    team.refused(bot, DEV_LEAK);
    team.back("main");
    team.repo.git(["merge", "-q", "--squash", "v1.1.0"]);
    team.repo.git(["commit", "-q", "-m", "feat: release 1.1.0"]);
    bot(&team).passes();
}

#[test]
fn a_tag_of_the_same_push_validates_nothing() {
    let team = team();
    team.tag("v1.0.0", "dev");
    team.merge("v1.0.0");
    team.refused(|t| t.push(BOT, &["--atomic", "main", "v1.0.0"]), DEV_LEAK);
    // Nor does a prerelease: it says that there is something to validate.
    team.tag("v1.1.0-rc.1", "dev");
    team.push("alice", &["v1.1.0-rc.1"]).passes();
    team.refused(bot, DEV_LEAK);
}

#[test]
fn a_hotfix_goes_into_both_branches_in_either_order() {
    let team = team();
    // Production first.
    team.branch("hotfix/x", "main");
    team.change("x", "fix: x");
    team.switch("main");
    team.merge("hotfix/x");
    bot(&team).passes();
    team.switch("dev");
    team.merge("hotfix/x");
    team.push("alice", &["dev"]).passes();
    // Development first.
    team.branch("hotfix/y", "main");
    team.change("y", "fix: y");
    team.switch("dev");
    team.merge("hotfix/y");
    team.push("alice", &["dev"]).passes();
    team.switch("main");
    team.merge("hotfix/y");
    bot(&team).passes();
    // Production's own merges go home as a merge of main, too.
    team.switch("dev");
    team.merge("main");
    team.push("alice", &["dev"]).passes();
    team.switch("main");
    team.change("z", "fix: z");
    bot(&team).passes();
}

#[test]
fn a_hotfix_is_cut_from_the_release_that_runs() {
    let team = team();
    team.tag("v1.0.0", "dev");
    team.push("alice", &["v1.0.0"]).passes();
    team.merge("v1.0.0");
    bot(&team).passes();
    team.branch("hotfix/v1.0", "v1.0.0");
    team.change("x", "fix: x");
    team.tag("v1.0.1", "HEAD");
    team.push("alice", &["hotfix/v1.0", "v1.0.1"]).passes();
    team.switch("main");
    team.merge("hotfix/v1.0");
    bot(&team).passes();
    team.switch("dev");
    team.merge("hotfix/v1.0");
    team.push("alice", &["dev"]).passes();
}

#[test]
fn a_release_is_rolled_back_by_a_revert() {
    let team = team();
    team.tag("v1.0.0", "dev");
    team.push("alice", &["v1.0.0"]).passes();
    let merge = team.merge("v1.0.0");
    bot(&team).passes();
    team.repo.git(["revert", "--no-edit", "-m", "1", &merge]);
    bot(&team).passes();
    team.tag("v1.0.1", "main");
    team.push(BOT, &["v1.0.1"]).passes();
    team.repo.git(["revert", "--no-edit", "HEAD"]);
    assert!(team.repo.git(["log", "-1", "--format=%s"]).starts_with("Reapply"));
    bot(&team).passes();
}

#[test]
fn development_itself_never_comes() {
    let team = team();
    let before = team.repo.rev("main");
    for (merge, how) in [
        (&["--no-ff", "--no-edit", "dev"][..], "a merge"),
        (&["--ff-only", "dev"], "a fast-forward"),
        (&["--no-ff", "-m", "feat: innocent", "dev"], "a merge under another name"),
        (&["--no-edit", "-s", "ours", "dev"], "a merge that keeps nothing"),
        (&["--no-ff", "--no-edit", "dev~1"], "a part of it"),
    ] {
        team.repo.git([&["merge", "-q"], merge].concat());
        let said = team.refused(bot, DEV_LEAK);
        assert!(said.text.contains("portcullis promote plan"), "{how}: {}", said.text);
        team.repo.git(["reset", "-q", "--hard", &before]);
    }
    // Under another name, through a topic that had it merged, beside a topic, and with development in the same push.
    team.refused(|t| t.push(BOT, &["dev:main"]), DEV_LEAK);
    team.branch("renamed", "dev");
    team.switch("main");
    team.merge("renamed");
    team.refused(bot, DEV_LEAK);
    team.back("main");
    team.branch("topic/c", "main");
    team.change("c", "feat: c");
    team.merge("dev");
    team.push("alice", &["topic/c"]).passes();
    team.switch("main");
    team.merge("topic/c");
    team.refused(bot, DEV_LEAK);
    team.back("main");
    team.branch("topic/d", "main");
    team.change("d", "feat: d");
    team.switch("main");
    team.repo.git(["merge", "-q", "--no-edit", "topic/d", "dev"]);
    team.refused(bot, DEV_LEAK);
    team.back("main");
    team.switch("dev");
    team.merge("main~0");
    team.change("e", "feat: e");
    team.refused(|t| t.push(BOT, &["dev", "dev:main"]), DEV_LEAK);
    // First away with development, then the fast-forward: development does not go away.
    team.back("dev");
    team.refused(
        |t| t.push(BOT, &["--force", "main:dev", "dev:main"]),
        &["branch-topology/dev-leak", "branch-topology/non-ff"],
    );
}

#[test]
fn copies_say_what_they_are() {
    let team = team();
    team.repo.git(["merge", "-q", "--squash", "dev"]);
    team.repo.git(["commit", "-q", "-m", "feat: a and b"]);
    let said = team.refused(bot, &["branch-topology/squash-leak"]);
    assert!(said.text.contains("is a squash of dev"), "{}", said.text);
    team.back("main");
    team.repo.git(["cherry-pick", "topic/b"]);
    let said = bot(&team).passes_saying(&["warning: ", "git cherry-pick -x"]);
    assert_eq!(rules(&said), ["branch-topology/no-provenance"].into());
}

#[test]
fn a_copy_is_known_by_its_patch_where_the_files_differ() {
    let team = team();
    let lines = |first: &str, last: &str| format!("{first}\n{}{last}\n", "same\n".repeat(20));
    team.repo.write("shared", lines("one", "two"));
    team.repo.commit("fix: begin with a file");
    bot(&team).passes();
    team.switch("dev");
    team.merge("main");
    team.repo.write("shared", lines("one", "developed"));
    let original = team.repo.commit("feat: change the end");
    team.push("alice", &["dev"]).passes();
    team.switch("main");
    team.repo.write("shared", lines("fixed", "two"));
    team.repo.commit("fix: change the beginning");
    team.repo.git(["cherry-pick", &original]);
    let said = bot(&team).passes_saying(&[&original[..10], "but does not name it"]);
    assert_eq!(rules(&said), ["branch-topology/no-provenance"].into());
}

#[test]
fn a_topic_does_not_go_around_development() {
    let team = team();
    team.branch("topic/c", "main");
    team.change("c", "feat: c");
    team.switch("dev");
    team.merge("topic/c");
    team.push("alice", &["dev"]).passes();
    team.switch("main");
    team.merge("topic/c");
    team.refused(bot, &["branch-topology/shared-topic"]);
}

#[test]
fn only_named_accounts_push_to_production_and_everybody_to_development() {
    let team = team();
    team.change("x", "fix: x");
    team.refused(|t| t.push("alice", &["main"]), &["branch-topology/direct-push"]);
    team.back("dev");
    team.change("y", "feat: y");
    team.push("alice", &["dev"]).passes();
    team.switch("main");
    team.change("x", "fix: x");
    bot(&team).passes();
    for branch in ["main", "dev"] {
        keeps_its_history(&team, branch, |t, refs| t.push(BOT, refs));
    }
    team.back("main");
    tags_and_messages(&team, |t, refs| t.push("alice", refs));
    team.merge("origin/elsewhere");
    team.refused(bot, &["conventional-commits/autosquash-left"]);
}

#[test]
fn the_button_of_a_pull_request_is_no_direct_push_and_no_way_around() {
    let team = ahead(Team::on_a_forge(PURE));
    team.branch("hotfix/x", "main");
    team.change("x", "fix: x");
    team.switch("main");
    team.merge("hotfix/x");
    team.refused(|t| t.forge_push("alice", &["main"]), &["branch-topology/direct-push"]);
    team.land("alice", &["main"]).passes();
    team.merge("dev");
    let said = team.refused(|t| t.land("alice", &["main"]), DEV_LEAK);
    assert!(said.text.contains("close the pull request"), "{}", said.text);
}

/// How each kind of server says that somebody pressed the button, and how it does not.
#[test]
fn every_server_with_pull_requests_is_understood() {
    let team = Team::on_plain_git(PURE);
    team.repo.git(["push", "-q", "origin", "main:refs/heads/dev"]);
    let landing = |kind: &str, variables: &[(&str, &str)]| {
        let hook = format!("#!/bin/sh\nexec {BINARY} hook run pre-receive --server {kind} -- \"$@\"\n");
        team.server.write_mode("hooks/pre-receive", hook, 0o755);
        team.change("x", &format!("fix: land on {kind}"));
        run(team.repo.command("git").args(["push", "origin", "main"]).envs(variables.iter().copied()))
    };
    let (ghes, gitea) = (("GITHUB_USER_LOGIN", "alice"), ("GITEA_PUSHER_NAME", "alice"));
    let (gitlab, bitbucket) = (("GL_USERNAME", "alice"), ("BB_USER_NAME", "alice"));
    landing("ghes", &[ghes, ("GITHUB_PULL_REQUEST_HEAD", "alice:topic/x")]).passes();
    landing("forgejo", &[gitea, ("GITEA_PR_ID", "3")]).passes();
    landing("gitlab", &[gitlab, ("GL_PROTOCOL", "web")]).passes();
    let merge = ("BB_HOOK_TRIGGER_ID", "pull-request-merge");
    landing("bitbucket", &[bitbucket, merge, ("BB_FROM_REF", "refs/heads/topic/x")]).passes();
    for (kind, variables) in [
        ("ghes", &[ghes, ("GITHUB_VIA", "git refs update api")][..]),
        ("gitea", &[gitea, ("GITEA_PR_ID", "0")]),
        ("gitea", &[gitea, ("GITEA_PR_ID", "3"), ("GITEA_PUSH_TRIGGER", "pr-update-with-base")]),
        ("gitlab", &[gitlab, ("GL_PROTOCOL", "ssh")]),
        ("bitbucket", &[bitbucket, ("BB_HOOK_TRIGGER_ID", "push")]),
        // The word of another kind of server is nobody's.
        ("gitlab", &[gitlab, ("GITEA_PR_ID", "3"), merge]),
        ("bare", &[("USER", "alice"), ("GL_PROTOCOL", "web"), ("GITEA_PR_ID", "3")]),
    ] {
        team.refused(|_| landing(kind, variables), &["branch-topology/direct-push"]);
        team.back("main");
    }
    // The head's name is evidence of a hotfix that development had first.
    team.branch("fix", "main");
    team.change("y", "fix: y");
    team.branch("dev", "main");
    team.change("d", "feat: d");
    team.merge("fix");
    run(team.repo.command("git").args(["push", "origin", "dev"]).env("GL_USERNAME", "alice")).passes();
    team.switch("main");
    team.merge("fix");
    let head = |name| [ghes, ("GITHUB_PULL_REQUEST_HEAD", name)];
    let shared = &["branch-topology/shared-topic"];
    team.refused(|_| landing("ghes", &head("alice:fix")), shared);
    landing("ghes", &head("alice:hotfix/y")).passes();
}
