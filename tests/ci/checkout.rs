//! Whole runs of the binary in checkouts as platforms make them: shallow, detached, without the other branches.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::support::{Sandbox, TestRepo};

const POLICY: &str = "version: 1\nenvironments:\n  staging: { branch: dev }\n  production: { branch: main }\n\
                      protected: [{ branch: main, direct-push: ['*'] }]\n";

/// A server with `main` and `dev`, and a developer's clone of it.
struct World {
    sandbox: Arc<Sandbox>,
    developer: TestRepo,
}

impl World {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let developer = sandbox.init("developer", crate::support::Hash::Sha1);
        developer.write("portcullis.yaml", POLICY);
        for n in 0..4 {
            developer.write("app.txt", format!("{n}\n"));
            developer.commit(&format!("feat: step {n}"));
        }
        let server = developer.bare_remote("server");
        server.git(["config", "uploadpack.allowFilter", "true"]);
        server.git(["config", "uploadpack.allowAnySHA1InWant", "true"]);
        let world = Self { sandbox, developer };
        world.push("main");
        world.developer.git(["switch", "-q", "-c", "dev"]);
        world.developer.write("dev.txt", "dev\n");
        world.developer.commit("feat: only on dev");
        world.push("dev");
        world.developer.git(["switch", "-q", "main"]);
        world
    }

    fn push(&self, branch: &str) -> String {
        self.developer.git(["push", "-q", "--force", "server", branch]);
        self.developer.rev(branch)
    }

    fn url(&self) -> String {
        format!("file://{}", self.sandbox.path().join("server.git").display())
    }

    /// As a runner does it: one ref, one commit deep, detached.
    fn checkout(&self, name: &str, reference: &str, depth: Option<&str>) -> TestRepo {
        let runner = self.sandbox.init(name, crate::support::Hash::Sha1);
        runner.git(["remote", "add", "origin", &self.url()]);
        let depth = depth.map(|d| format!("--depth={d}"));
        let spec = format!("+{reference}:refs/remotes/checked/out");
        let words = ["fetch", "-q", "--no-tags"].into_iter().chain(depth.as_deref()).chain(["origin", &spec]);
        runner.git(words.map(str::to_owned).collect::<Vec<_>>());
        runner.git(["checkout", "-q", "--detach", "refs/remotes/checked/out"]);
        runner
    }

    /// Runs `ci` as GitHub would.
    fn github(&self, runner: &TestRepo, event: &str, sha: &str, payload: &Value, args: &[&str]) -> Output {
        let file = self.sandbox.path().join("event.json");
        std::fs::write(&file, payload.to_string()).expect("the event");
        let mut command = self.ci(runner, args);
        command.env("GITHUB_ACTIONS", "true").env("GITHUB_EVENT_NAME", event).env("GITHUB_EVENT_PATH", &file);
        command.env("GITHUB_SHA", sha).env("GITHUB_STEP_SUMMARY", self.summary()).output().expect("runs")
    }

    fn ci(&self, runner: &TestRepo, args: &[&str]) -> std::process::Command {
        let mut command = runner.command(env!("CARGO_BIN_EXE_portcullis"));
        command.arg("ci").args(args);
        command
    }

    fn summary(&self) -> PathBuf {
        self.sandbox.path().join("summary.md")
    }

    fn pull_request(&self, base: &str, head: &str, head_ref: &str) -> Value {
        json!({
            "pull_request": {
                "title": "whatever I did today",
                "base": { "ref": "main", "sha": base },
                "head": { "ref": head_ref, "sha": head },
            },
            "repository": { "default_branch": "main" },
        })
    }

    /// The merge that GitHub makes for a pull request, pushed under the name that it has there.
    fn merge_ref(&self, head: &str) -> String {
        self.developer.git(["switch", "-q", "--detach", "main"]);
        self.developer.git([
            "merge",
            "-q",
            "--no-ff",
            "-m",
            &format!("Merge {head} into {}", self.developer.rev("main")),
            head,
        ]);
        self.developer.git(["push", "-q", "--force", "server", "HEAD:refs/pull/7/merge"]);
        let merge = self.developer.rev("HEAD");
        self.developer.git(["switch", "-q", "main"]);
        merge
    }
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[track_caller]
fn expect(output: &Output, code: i32, words: &[&str]) {
    let text = text(output);
    assert_eq!(output.status.code(), Some(code), "{text}");
    words.iter().for_each(|w| assert!(text.contains(w), "no {w:?} in\n{text}"));
}

fn topic(world: &World, from: &str, commits: &[&str]) -> String {
    world.developer.git(["switch", "-q", "-c", "topic", from]);
    for (n, message) in commits.iter().enumerate() {
        world.developer.write(&format!("topic{n}.txt"), "topic\n");
        world.developer.commit(message);
    }
    let head = world.push("topic");
    world.developer.git(["switch", "-q", "main"]);
    head
}

#[test]
fn a_pull_request_in_a_checkout_one_commit_deep_is_deepened_and_judged() {
    let world = World::new();
    let base = world.developer.rev("main");
    let head = topic(&world, "main", &["feat: good", "this is not conventional"]);
    let merge = world.merge_ref(&head);
    let runner = world.checkout("runner", "refs/pull/7/merge", Some("1"));
    let event = world.pull_request(&base, &head, "topic");
    let output = world.github(&runner, "pull_request", &merge, &event, &[]);
    expect(&output, 1, &["::error", "conventional-commits/"]);
    let summary = std::fs::read_to_string(world.summary()).expect("a summary");
    assert!(summary.contains("## portcullis: fail"), "{summary}");
    // Only what the pull request brings: the commits below it are not told.
    assert!(!text(&output).contains("step 0"));
}

#[test]
fn the_title_is_judged_in_place_of_the_messages_when_it_is_asked_for() {
    let world = World::new();
    let base = world.developer.rev("main");
    let head = topic(&world, "main", &["this is not conventional"]);
    let merge = world.merge_ref(&head);
    let runner = world.checkout("runner", "refs/pull/7/merge", Some("1"));
    let event = world.pull_request(&base, &head, "topic");
    let output = world.github(&runner, "pull_request", &merge, &event, &["--title", "--format", "human"]);
    expect(&output, 1, &["whatever I did today", "conventional-commits/"]);
    let output =
        world.github(&runner, "pull_request", &merge, &event, &["--title", "feat: what I did", "--format", "human"]);
    expect(&output, 0, &["pass"]);
}

#[test]
fn development_does_not_reach_production_even_when_the_checkout_lacks_both() {
    let world = World::new();
    let base = world.developer.rev("main");
    let head = topic(&world, "dev", &["feat: on top of dev"]);
    let merge = world.merge_ref(&head);
    let runner = world.checkout("runner", "refs/pull/7/merge", Some("1"));
    let output = world.github(&runner, "pull_request", &merge, &world.pull_request(&base, &head, "topic"), &[]);
    expect(&output, 1, &["branch-topology/dev-leak"]);
    // As Gitea has it: the head itself, no merge.
    let runner = world.checkout("runner2", "refs/heads/topic", Some("1"));
    let output = world.github(&runner, "pull_request", &head, &world.pull_request(&base, &head, "topic"), &[]);
    expect(&output, 1, &["branch-topology/dev-leak"]);
}

#[test]
fn the_base_has_the_policy_and_a_change_of_it_is_told() {
    let world = World::new();
    let base = world.developer.rev("main");
    world.developer.git(["switch", "-q", "-c", "topic"]);
    world.developer.write("portcullis.yaml", "version: 1\nrules: { conventional-commits: { severity: off } }\n");
    world.developer.commit("relax everything");
    let head = world.push("topic");
    world.developer.git(["switch", "-q", "main"]);
    let merge = world.merge_ref(&head);
    let runner = world.checkout("runner", "refs/pull/7/merge", Some("1"));
    let output = world.github(&runner, "pull_request", &merge, &world.pull_request(&base, &head, "topic"), &[]);
    expect(&output, 1, &["conventional-commits/", "policy/changed"]);
}

#[test]
fn a_secret_that_came_and_went_within_a_shallow_push_is_found() {
    let world = World::new();
    let before = world.developer.rev("main");
    let token = format!("ghp_{}", "16C7e42F292c6912E7710c838347Ae178B4a");
    let secret = format!(
        "-----BEGIN {} KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n-----END {} KEY-----\n",
        "PRIVATE", "PRIVATE"
    );
    world.developer.write("deploy.sh", format!("TOKEN={token}\npassword: \"hunter2-Xk29fjQmP0z\"\n{secret}"));
    world.developer.commit("feat: deploy");
    world.developer.write("deploy.sh", "TOKEN=$TOKEN\n");
    world.developer.commit("fix: deploy");
    let after = world.push("main");
    let runner = world.checkout("runner", "refs/heads/main", Some("1"));
    let event = json!({ "ref": "refs/heads/main", "before": before, "after": after, "repository": { "default_branch": "main" } });
    let output = world.github(&runner, "push", &after, &event, &[]);
    expect(&output, 1, &["secrets/"]);
    assert!(!text(&output).contains("hunter2"));
}

#[test]
fn first_pushes_force_pushes_and_merge_queues_have_a_base() {
    let world = World::new();
    let main = world.developer.rev("main");
    let head = topic(&world, "main", &["not conventional at all"]);
    let runner = world.checkout("runner", "refs/heads/topic", Some("1"));
    let zero = "0".repeat(40);
    let push = |before: &str| json!({ "ref": "refs/heads/topic", "before": before, "after": head, "repository": { "default_branch": "main" } });
    let first = world.github(&runner, "push", &head, &push(&zero), &[]);
    expect(&first, 1, &["conventional-commits/"]);
    assert!(!text(&first).contains("step 3"));
    let forced = world.github(&runner, "push", &head, &push(&"1".repeat(40)), &["--format", "human"]);
    expect(&forced, 1, &["conventional-commits/", "forced away"]);
    // The default branch has nothing to be compared with then: nobody can tell.
    let event = json!({ "ref": "refs/heads/main", "before": "1".repeat(40), "after": main, "repository": { "default_branch": "main" } });
    let runner = world.checkout("runner2", "refs/heads/main", None);
    expect(&world.github(&runner, "push", &main, &event, &[]), 3, &["cannot be fetched", "--base"]);
    let queue = json!({ "merge_group": { "base_sha": main, "base_ref": "refs/heads/main", "head_sha": head }, "repository": { "default_branch": "main" } });
    let runner = world.checkout("runner3", "refs/heads/topic", Some("1"));
    expect(&world.github(&runner, "merge_group", &head, &queue, &[]), 1, &["conventional-commits/"]);
}

#[test]
fn a_tag_is_judged_as_the_server_has_it() {
    let world = World::new();
    let tag = |name: &str, words: &[&str]| {
        world.developer.git(["tag"].iter().chain(words).chain(&[name]).copied());
        world.developer.git(["push", "-q", "server", &format!("refs/tags/{name}")]);
        world.developer.rev(&format!("refs/tags/{name}"))
    };
    let good = tag("v1.0.0", &["-a", "-m", "v1.0.0"]);
    let commit = world.developer.rev("main");
    let runner = world.checkout("runner", "refs/heads/main", Some("1"));
    // What some checkouts leave in place of the tag object.
    runner.git(["update-ref", "refs/tags/v1.0.0", &runner.rev("HEAD")]);
    let event = |name: &str, after: &str| json!({ "ref": format!("refs/tags/{name}"), "before": "0".repeat(40), "after": after, "repository": { "default_branch": "main" } });
    expect(&world.github(&runner, "push", &commit, &event("v1.0.0", &good), &["--format", "human"]), 0, &["pass"]);
    let bad = tag("v1.0", &[]);
    expect(&world.github(&runner, "push", &commit, &event("v1.0", &bad), &["--format", "human"]), 1, &["semver-tags/"]);
}

#[test]
fn what_cannot_be_deepened_is_not_passed() {
    let world = World::new();
    let before = world.developer.rev("main~2");
    let main = world.developer.rev("main");
    let runner = world.checkout("runner", "refs/heads/main", Some("1"));
    runner.git(["remote", "set-url", "origin", "file:///nowhere/at/all"]);
    let event = json!({ "ref": "refs/heads/main", "before": before, "after": main, "repository": { "default_branch": "main" } });
    let sarif = world.sandbox.path().join("out.sarif");
    let format = format!("sarif={}", sarif.display());
    let output = world.github(&runner, "push", &main, &event, &["--format", &format]);
    expect(&output, 3, &["::error", "fetch-depth: 0"]);
    assert!(sarif.exists(), "a report is written also when nothing could be decided");
}

#[test]
fn gitlab_jenkins_bitbucket_and_a_plain_range() {
    let world = World::new();
    let main = world.developer.rev("main");
    let head = topic(&world, "dev", &["feat: on top of dev"]);
    let run = |name: &str, variables: &[(&str, &str)], args: &[&str]| {
        let runner = world.checkout(name, "refs/heads/topic", Some("1"));
        world.ci(&runner, args).envs(variables.iter().copied()).output().expect("runs")
    };
    let gitlab = [
        ("GITLAB_CI", "true"),
        ("CI_PIPELINE_SOURCE", "merge_request_event"),
        ("CI_COMMIT_SHA", &head),
        ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
        ("CI_MERGE_REQUEST_DIFF_BASE_SHA", &main),
        ("CI_DEFAULT_BRANCH", "main"),
    ];
    expect(&run("gitlab", &gitlab, &[]), 1, &["branch-topology/dev-leak"]);
    let jenkins = [
        ("JENKINS_URL", "https://ci.example.org"),
        ("CHANGE_ID", "7"),
        ("CHANGE_TARGET", "main"),
        ("GIT_COMMIT", &head),
    ];
    expect(&run("jenkins", &jenkins, &[]), 1, &["branch-topology/dev-leak"]);
    let bitbucket = [
        ("BITBUCKET_BUILD_NUMBER", "1"),
        ("BITBUCKET_COMMIT", head.as_str()),
        ("BITBUCKET_BRANCH", "topic"),
        ("BITBUCKET_PR_ID", "7"),
        ("BITBUCKET_PR_DESTINATION_BRANCH", "main"),
        ("BITBUCKET_PR_DESTINATION_COMMIT", &main[..12]),
    ];
    expect(&run("bitbucket", &bitbucket, &[]), 1, &["branch-topology/dev-leak"]);
    let untold = [("BITBUCKET_BUILD_NUMBER", "1"), ("BITBUCKET_COMMIT", main.as_str()), ("BITBUCKET_BRANCH", "main")];
    expect(&run("untold", &untold, &[]), 3, &["--base HEAD~1"]);
    expect(&run("range", &[], &["--range", &format!("{main}..{head}")]), 0, &["pass"]);
    expect(&run("nothing", &[], &[]), 2, &["--range A..B"]);
    assert!(Path::new(env!("CARGO_BIN_EXE_portcullis")).exists());
}

#[test]
fn a_run_started_by_hand_is_judged_by_the_policy_of_the_default_branch() {
    let world = World::new();
    world.developer.git(["switch", "-q", "-c", "topic"]);
    world.developer.write("portcullis.yaml", "version: 1\nrules: { secrets: { severity: off } }\n");
    world.developer.write("deploy.sh", format!("TOKEN=glpat-{}\n", "x7Kp2mQ9vR4tLw8ZbN3c"));
    world.developer.commit("feat: relax everything");
    let head = world.push("topic");
    let runner = world.checkout("runner", "refs/heads/topic", Some("1"));
    let event = json!({ "ref": "refs/heads/topic", "repository": { "default_branch": "main" } });
    let output = world.github(&runner, "workflow_dispatch", &head, &event, &["--format", "human"]);
    expect(&output, 1, &["secrets/"]);
}

#[test]
fn a_schedule_judges_the_whole_tree() {
    let world = World::new();
    let main = world.developer.rev("main");
    let runner = world.checkout("runner", "refs/heads/main", Some("1"));
    let event = json!({ "schedule": "0 4 * * 1", "repository": { "default_branch": "main" } });
    expect(&world.github(&runner, "schedule", &main, &event, &["--format", "human"]), 0, &["no change", "pass"]);
}

#[test]
fn what_has_landed_on_a_protected_branch_is_still_judged() {
    let world = World::new();
    let before = world.developer.rev("main");
    let after = {
        world.developer.write("app.txt", "more\n");
        world.developer.commit("not conventional at all");
        world.push("main")
    };
    let event = json!({ "ref": "refs/heads/main", "before": before, "after": after, "repository": { "default_branch": "main" } });
    // With the branch checked out, as most runners do it.
    let runner = world.checkout("runner", "refs/heads/main", Some("1"));
    runner.git(["switch", "-q", "-c", "main"]);
    expect(&world.github(&runner, "push", &after, &event, &[]), 1, &["conventional-commits/"]);
    let range = format!("{before}..{after}");
    let mut check = world.developer.command(env!("CARGO_BIN_EXE_portcullis"));
    expect(&check.args(["check", "--range", &range]).output().expect("runs"), 1, &["conventional-commits/"]);
}

#[test]
fn what_only_costs_time_at_the_gates_is_said_in_ci() {
    let world = World::new();
    let git = |args: &[&str]| world.developer.git(args);
    let before = world.developer.rev("main");
    // A topic that merged main, and main fast-forwarded to it; the merge adds what neither side has.
    git(&["switch", "-q", "-c", "topic", "main~1"]);
    world.developer.write("topic.txt", "topic\n");
    world.developer.commit("fix: topic");
    git(&["merge", "-q", "--no-commit", "--no-ff", "main"]);
    world.developer.write("smuggled.txt", "nobody saw me\n");
    world.developer.commit("Merge branch 'main' into topic");
    git(&["switch", "-q", "main"]);
    git(&["merge", "-q", "--ff-only", "topic"]);
    let after = world.push("main");
    let runner = world.checkout("runner", "refs/heads/main", Some("1"));
    let event = json!({ "ref": "refs/heads/main", "before": before, "after": after, "repository": { "default_branch": "main" } });
    let output = world.github(&runner, "push", &after, &event, &["--format", "human"]);
    expect(&output, 0, &["branch-topology/foxtrot", "branch-topology/evil-merge", "smuggled.txt"]);
    // The same as a pull request: its button makes a merge, which keeps main's own line.
    git(&["push", "-q", "--force", "server", &format!("{before}:refs/heads/main")]);
    git(&["push", "-q", "--force", "server", &format!("{after}:refs/heads/topic")]);
    let runner = world.checkout("runner2", "refs/heads/topic", Some("1"));
    let event = world.pull_request(&before, &after, "topic");
    let output = world.github(&runner, "pull_request", &after, &event, &["--format", "human"]);
    expect(&output, 0, &["branch-topology/evil-merge"]);
    assert!(!text(&output).contains("foxtrot"), "{}", text(&output));
    // The policy has the last word.
    let file = world.sandbox.path().join("quiet.yaml");
    std::fs::write(&file, format!("{POLICY}rules: {{ branch-topology/evil-merge: {{ severity: off }} }}\n")).unwrap();
    let quiet = ["--format", "human", "--policy", file.to_str().unwrap()];
    let output = world.github(&runner, "pull_request", &after, &event, &quiet);
    assert!(!text(&output).contains("evil-merge"), "{}", text(&output));
}
