//! `windmill`: the instance pushes to `staging` itself, and a pull request from there to `main` is the promotion.

use super::{Team, keeps_its_history};

const PURE: &str = "version: 1\nextends: [windmill]\n";
const DEV_LEAK: &[&str] = &["branch-topology/dev-leak"];

/// `staging` has a script that the instance deployed.
fn team() -> Team {
    let team = Team::on_a_forge(PURE);
    team.forge_push("alice", &["main:staging"]).passes();
    team.branch("staging", "main");
    deploy(&team, "a");
    team.forge_push("windmill", &["staging"]).passes();
    team.switch("main");
    team
}

/// What the instance commits when somebody presses Deploy.
fn deploy(team: &Team, name: &str) -> String {
    team.repo.write(&format!("f/jobs/{name}.ts"), "export async function main() {}\n");
    team.repo.write(&format!("f/jobs/{name}.script.yaml"), "summary: ''\nschema: null\n");
    team.repo.commit(&format!("[WM] f/jobs/{name} deployed"))
}

#[test]
fn the_instance_deploys_to_staging_in_its_own_words() {
    let team = team();
    team.switch("staging");
    team.repo.write("f/jobs/b.ts", "export async function main() {}\n");
    team.repo.commit("Script 'f/jobs/b' deployed");
    team.forge_push("windmill", &["staging"]).passes();
    // Its words are for its files and its branches only.
    team.change("Makefile", "[WM] f/jobs/c deployed");
    team.refused(|t| t.forge_push("windmill", &["staging"]), &["conventional-commits/type-missing"]);
    team.back("main");
    team.branch("topic", "main");
    deploy(&team, "c");
    team.refused(|t| t.forge_push("alice", &["topic"]), &["conventional-commits/type-missing"]);
    team.repo.git(["branch", "-q", "-m", "wm_deploy/staging/c"]);
    team.forge_push("windmill", &["wm_deploy/staging/c"]).passes();
}

#[test]
fn a_pull_request_of_windmill_s_files_is_the_promotion() {
    let team = team();
    team.merge("staging");
    // The same merge without the button.
    team.refused(|t| t.forge_push("alice", &["main"]), &["branch-topology/dev-leak", "branch-topology/direct-push"]);
    team.land("alice", &["main"]).passes();
    // Again, as a fast-forward, and as a squash.
    team.switch("staging");
    team.merge("main");
    deploy(&team, "b");
    team.forge_push("windmill", &["staging"]).passes();
    team.land("alice", &["staging:main"]).passes();
    // And backwards, so that staging has what main was given.
    team.back("main");
    team.branch("hotfix/x", "main");
    team.repo.write("f/jobs/a.ts", "export async function main() { return 1 }\n");
    team.repo.commit("fix: return something");
    team.switch("main");
    team.merge("hotfix/x");
    team.land("alice", &["main"]).passes();
    team.switch("staging");
    team.merge("main");
    team.forge_push("alice", &["staging"]).passes();
    // A promotion that did harm is reverted.
    team.switch("main");
    team.repo.git(["revert", "--no-edit", "-m", "1", "HEAD"]);
    team.land("alice", &["main"]).passes();
}

#[test]
fn a_promotion_brings_windmill_s_files_and_nothing_else() {
    let team = team();
    team.switch("staging");
    team.change("infra/main.tf", "infra: a server");
    team.forge_push("alice", &["staging"]).passes();
    team.switch("main");
    team.merge("staging");
    let said = team.refused(|t| t.land("alice", &["main"]), DEV_LEAK);
    assert!(said.text.contains("infra/main.tf"), "{}", said.text);
}

#[test]
fn branches_keep_their_history() {
    let team = team();
    keeps_its_history(&team, "staging", |t, refs| t.forge_push("windmill", refs));
    team.back("main");
    team.merge("staging");
    team.land("alice", &["main"]).passes();
    keeps_its_history(&team, "main", |t, refs| t.land("alice", refs));
}
