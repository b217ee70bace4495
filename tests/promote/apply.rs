//! Plans made real: git's own trees and messages, on a new branch, and never on anything else.

use std::process::Output;

use portcullis::git::discover;
use portcullis::promote::apply::{Apply, apply};
use portcullis::promote::closure::Bound;
use portcullis::promote::judge::Unjudged;
use portcullis::promote::plan::Plan;
use portcullis::promote::planner::{self, PlanRequest};
use portcullis::promote::selection::Selection;

use super::brute::generate;
use super::lines;
use super::story::{Commit, Story, Told, tell_all};
use crate::support::{Hash, Sandbox, TestRepo};

fn run(repo: &TestRepo, arguments: &[&str]) -> Output {
    repo.command(env!("CARGO_BIN_EXE_portcullis")).arg("promote").args(arguments).output().expect("the binary runs")
}

fn ok(repo: &TestRepo, arguments: &[&str]) -> String {
    let out = run(repo, arguments);
    assert!(
        out.status.success(),
        "{arguments:?}: {}{}",
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );
    String::from_utf8(out.stdout).expect("UTF-8")
}

fn refused(repo: &TestRepo, arguments: &[&str]) -> String {
    let out = run(repo, arguments);
    assert!(!out.status.success(), "{arguments:?} was not refused");
    String::from_utf8(out.stderr).expect("UTF-8")
}

/// With a work tree, so that git can cherry-pick beside us.
fn story() -> Told {
    let sandbox = Sandbox::new();
    let git = sandbox.init("story", Hash::Sha1);
    let dev = vec![
        Commit::new("d1", &[("f", &lines(&[(3, "three")]))])
            .saying("feat: three\n\nBecause.  \n\n\n# Not a comment\n\nSigned-off-by: A <a@example.org>"),
        Commit::new("d2", &[("f", &lines(&[(3, "three"), (8, "eight")])), ("new/file", "new\n")]),
        Commit::new("d3", &[("f", &lines(&[(3, "three again"), (8, "eight")]))]),
        Commit::new("d4", &[]).without("g"),
    ];
    let main = vec![Commit::new("m1", &[("f", &format!("first\n{}", lines(&[])))])];
    let base = [("f".to_owned(), lines(&[])), ("g".to_owned(), "g\n".to_owned())].into();
    let told = Story { base, dev, main }.tell_in(&git);
    told.git.git(["switch", "-q", "main"]);
    told.git.git(["reset", "-q", "--hard"]);
    told
}

fn planned(told: &Told, names: &[&str]) -> (String, Plan) {
    let ids: Vec<&str> = names.iter().map(|n| told.ids[*n].as_str()).collect();
    let text = ok(&told.git, &[&["plan", "--no-check", "--format", "json"], &ids[..]].concat());
    let file = told.git.sandbox().path().join("plan.json");
    std::fs::write(&file, &text).expect("written");
    (file.to_string_lossy().into_owned(), Plan::from_json(text.as_bytes()).expect("a plan"))
}

fn branch(text: &str) -> String {
    text.split(' ').next().expect("a word").to_owned()
}

#[test]
fn commits_are_those_of_cherry_pick_x() {
    let told = story();
    let (file, plan) = planned(&told, &["d3", "d4"]);
    assert_eq!(plan.picks().count(), 3, "d1 comes along");
    let name = branch(&ok(&told.git, &["apply", &file]));
    assert!(name.starts_with("promote/20"));
    let picks: Vec<String> = plan.picks().map(|s| s.commit.0.to_string()).collect();
    told.git.git(["switch", "-q", "--detach", "main"]);
    told.git.git([&["cherry-pick".to_owned(), "-x".to_owned()], &picks[..]].concat());
    let about = |revision: &str| told.git.git(["log", "--format=%T %an %ae %ad%n%B", &format!("main..{revision}")]);
    assert_eq!(about(&name), about("HEAD"));
    assert_eq!(told.git.rev(&format!("{name}^{{tree}}")), plan.result.tree.0.to_string());
    told.git.git(["fsck", "--strict"]);
}

#[test]
fn generated_plans_come_to_what_cherry_pick_makes_of_them() {
    let git = Sandbox::new().init("stories", Hash::Sha1);
    let stories: Vec<Story> = (4000..4025).map(generate).collect();
    tell_all(&stories, &git);
    let repo = discover(git.path()).expect("it opens").expect("it is there");
    let local = repo.thread_local();
    let mut picked = 0;
    for seed in 0..stories.len() {
        let (from, onto, branch) = (format!("dev-{seed}"), format!("main-{seed}"), format!("p-{seed}"));
        let (selection, bound) = (Selection::default(), Bound::default());
        let ask = PlanRequest { from: &from, onto: &onto, selection: &selection, judge: &Unjudged, bound };
        let plan = planner::plan(&local, &ask).expect("a plan");
        let picks: Vec<String> = plan.picks().map(|s| s.commit.0.to_string()).collect();
        if picks.is_empty() {
            continue;
        }
        picked += picks.len();
        let how = Apply { branch: Some(&branch), partial: true, now: 1_800_000_000, today: "2027-01-15".to_owned() };
        apply(&local, &plan, &how).expect("it applies");
        git.git(["switch", "-q", "--force", "--detach", &onto]);
        git.git([&["cherry-pick".to_owned(), "-x".to_owned()], &picks[..]].concat());
        let about = |tip: &str| git.git(["log", "--format=%T %an %ae %ad%n%B", &format!("{onto}..{tip}")]);
        assert_eq!(about(&branch), about("HEAD"), "seed {seed}");
    }
    assert!(picked > 60, "only {picked} picks: this shows nothing");
    git.git(["fsck", "--strict"]);
}

#[test]
fn a_second_run_finds_the_first_ones_branch() {
    let told = story();
    let (file, _) = planned(&told, &["d1"]);
    let name = branch(&ok(&told.git, &["apply", &file]));
    let (tip, refs) = (told.git.rev(&name), told.git.git(["for-each-ref"]));
    assert!(ok(&told.git, &["apply", &file]).contains("stands already"));
    assert_eq!((told.git.rev(&name), told.git.git(["for-each-ref"])), (tip, refs));
}

#[test]
fn nothing_that_exists_is_moved() {
    let told = story();
    let (file, _) = planned(&told, &["d1"]);
    let before = told.git.git(["for-each-ref"]);
    let status = told.git.git(["status", "--porcelain"]);
    assert!(refused(&told.git, &["apply", &file, "--branch", "main"]).contains("the branch main exists"));
    assert_eq!(told.git.git(["for-each-ref"]), before);
    ok(&told.git, &["apply", &file, "--branch", "release-1"]);
    assert_eq!(told.git.git(["status", "--porcelain"]), status);
    assert_eq!(told.git.rev("main"), told.ids["m1"]);
}

#[test]
fn stale_and_foreign_plans_are_refused() {
    let told = story();
    let (file, _) = planned(&told, &["d1"]);
    let text = std::fs::read_to_string(&file).expect("a plan");
    let forged = text.replace(&told.ids["d1"], &told.ids["d2"]);
    std::fs::write(&file, forged).expect("written");
    assert!(refused(&told.git, &["apply", &file]).contains("the plan does not hold"));
    std::fs::write(&file, "{}").expect("written");
    assert!(refused(&told.git, &["apply", &file]).contains("this is no plan"));
    std::fs::write(&file, text).expect("written");
    told.git.git(["update-ref", "refs/heads/dev", &told.ids["d2"]]);
    assert!(refused(&told.git, &["apply", &file]).contains("the plan is stale: refs/heads/dev was"));
}

#[test]
fn git_picks_in_a_work_tree_of_its_own_and_goes_on_where_a_hook_stopped_it() {
    let told = story();
    let (file, plan) = planned(&told, &["d1", "d2"]);
    let hook = told.git.path().join(".git/hooks/commit-msg");
    std::fs::create_dir_all(hook.parent().expect("a directory")).expect("made");
    told.git.write_mode(".git/hooks/commit-msg", "#!/bin/sh\n! grep -q 'd2' \"$1\"\n", 0o755);
    let before = told.git.git(["for-each-ref"]);
    // cherry-pick runs prepare-commit-msg and commit-msg only when it commits through git commit.
    let first = run(&told.git, &["apply", &file, "--worktree"]);
    if !first.status.success() {
        assert_eq!(told.git.git(["for-each-ref"]), before);
        std::fs::remove_file(&hook).expect("gone");
        ok(&told.git, &["apply", &file, "--worktree"]);
    }
    let name = told.git.git(["for-each-ref", "--format=%(refname:short)", "refs/heads/promote"]);
    assert_eq!(told.git.rev(&format!("{name}^{{tree}}")), plan.result.tree.0.to_string());
    assert_eq!(told.git.git(["worktree", "list"]).lines().count(), 1);
    assert!(ok(&told.git, &["apply", &file, "--worktree"]).contains("stands already"));
}

#[test]
fn the_script_does_the_same() {
    let told = story();
    let (_, plan) = planned(&told, &["d3"]);
    let script = ok(&told.git, &["plan", &told.ids["d3"], "--no-check", "--format", "sh"]);
    let out = told.git.command("sh").args(["-c", &script]).output().expect("sh runs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(told.git.rev("HEAD^{tree}"), plan.result.tree.0.to_string());
}

#[test]
fn verify_names_every_hunk_that_differs() {
    let told = story();
    let (file, _) = planned(&told, &["d1", "d2"]);
    let name = branch(&ok(&told.git, &["apply", &file]));
    assert!(
        ok(&told.git, &["verify", &format!("main..{name}"), "--from", "dev"])
            .contains("2 picks looked at, 0 not as claimed")
    );
    told.git.git(["switch", "-q", &name]);
    told.git.write("new/file", "tampered\n");
    told.git.git(["add", "-A"]);
    told.git.git(["commit", "-q", "--amend", "--no-edit"]);
    let out = run(&told.git, &["verify", &format!("main..{name}")]);
    let text = String::from_utf8(out.stdout).expect("UTF-8");
    assert_eq!(out.status.code(), Some(1));
    assert!(text.contains("new/file:1 only in the original") && text.contains("new/file:1 only in the pick"), "{text}");
    assert!(!text.contains(" f:"), "the untouched hunk is not named: {text}");
}

#[test]
fn a_plan_is_judged_before_it_exists() {
    let told = story();
    let policy = "version: 1\nrules:\n  conventional-commits: { types: [feat] }\n";
    told.git.write("portcullis.yaml", policy);
    told.git.commit("feat: a policy");
    told.git.git(["switch", "-q", "dev"]);
    told.git.write("x", "x\n");
    let bad = told.git.commit("nonsense without a type");
    let objects = || told.git.git(["count-objects"]);
    let before = objects();
    let out = run(&told.git, &["plan", &bad, "--format", "json"]);
    assert_eq!(out.status.code(), Some(1));
    let plan = Plan::from_json(&out.stdout).expect("a plan");
    assert_eq!(super::state(plan.steps[0].state), "refused");
    assert!(plan.steps[0].findings.iter().any(|f| f.rule.starts_with("conventional-commits/")));
    assert_eq!(objects(), before, "a plan writes nothing");
    let good = run(&told.git, &["plan", &told.ids["d1"], "--format", "json"]);
    assert!(Plan::from_json(&good.stdout).expect("a plan").is_ready());
}

#[test]
fn what_the_result_violates_stands_at_the_commit_that_did_it() {
    let sandbox = Sandbox::new();
    let git = sandbox.init("story", Hash::Sha1);
    let base = [("f".to_owned(), lines(&[]))].into();
    let dev = vec![
        Commit::new("d1", &[("wmill.yaml", "defaultTs: bun\nno-such-key: 1\n")]),
        Commit::new("d2", &[("f", &lines(&[(3, "three")]))]),
    ];
    let told = Story { base, dev, main: Vec::new() }.tell_in(&git);
    let plan = Plan::from_json(&run(&told.git, &["plan", "--format", "json"]).stdout).expect("a plan");
    let windmill = |at: usize| plan.steps[at].findings.iter().filter(|f| f.rule.starts_with("windmill/")).count();
    assert!(windmill(0) > 0 && windmill(1) == 0, "{plan:?}");
    let later = run(&told.git, &["plan", &told.ids["d2"], "--format", "json"]);
    let later = Plan::from_json(&later.stdout).expect("a plan");
    assert!(later.steps[0].findings.is_empty() && later.result.findings.is_empty(), "{later:?}");
}

#[test]
fn the_same_question_has_the_same_answer() {
    let told = story();
    let ask = || ok(&told.git, &["plan", &told.ids["d1"], "--format", "json"]);
    assert_eq!(ask(), ask());
}
