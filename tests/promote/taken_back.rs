//! What production merged and took back waits again; what stands there does not.

use portcullis::git::discover;
use portcullis::promote::backport::backport;
use portcullis::promote::closure::Bound;
use portcullis::promote::history::History;
use portcullis::promote::judge::Unjudged;
use portcullis::promote::plan::Plan;
use portcullis::promote::planner::{PlanRequest, plan};
use portcullis::promote::selection::Selection;
use portcullis::promote::status;

use crate::support::{Hash, Sandbox, TestRepo};

/// `main` and `dev` as the script leaves them, each word a step:
/// `dev:file` commits a file on dev, `merge` merges dev into main, `=words` runs git on main.
fn repository(steps: &[&str]) -> TestRepo {
    let git = Sandbox::new().init("w", Hash::Sha1);
    git.git(["commit", "--allow-empty", "-m", "feat: start"]);
    git.git(["branch", "-M", "main"]);
    git.git(["branch", "dev"]);
    for step in steps {
        if let Some(file) = step.strip_prefix("dev:") {
            git.git(["checkout", "-q", "dev"]);
            std::fs::write(git.path().join(file), format!("{file}\n")).expect("a file");
            git.git(["add", "-A"]);
            git.git(["commit", "-m", &format!("feat: {file}")]);
        } else if let Some(file) = step.strip_prefix("main:") {
            git.git(["checkout", "-q", "main"]);
            std::fs::write(git.path().join(file), format!("{file}\n")).expect("a file");
            git.git(["add", "-A"]);
            git.git(["commit", "-m", &format!("fix: {file}")]);
        } else if *step == "merge" {
            git.git(["checkout", "-q", "main"]);
            git.git(["merge", "--no-ff", "-m", "Merge dev", "dev"]);
        } else if let Some(words) = step.strip_prefix('=') {
            git.git(["checkout", "-q", "main"]);
            git.git(words.split('|'));
        }
    }
    git
}

fn plan_of(git: &TestRepo, selection: &Selection) -> Plan {
    let repo = discover(git.path()).expect("it opens").expect("it is there");
    let ask = PlanRequest { from: "dev", onto: "main", selection, judge: &Unjudged, bound: Bound::default() };
    plan(&repo.thread_local(), &ask).expect("a plan")
}

fn picked(plan: &Plan) -> Vec<&str> {
    plan.picks().map(|s| s.subject.as_str()).collect()
}

const REVERT_MERGE: &str = "=revert|-m|1|--no-edit|HEAD";
const REVERT: &str = "=revert|--no-edit|HEAD";

#[test]
fn what_production_took_back_waits_again() {
    let cases: [(&str, &[&str], &[&str]); 9] = [
        ("merged", &["dev:one", "merge"], &[]),
        ("reverted", &["dev:one", "dev:two", "merge", REVERT_MERGE], &["feat: one", "feat: two"]),
        ("with later work", &["dev:one", "merge", REVERT_MERGE, "dev:two"], &["feat: one", "feat: two"]),
        ("revert of the revert", &["dev:one", "merge", REVERT_MERGE, REVERT], &[]),
        ("reverted thrice", &["dev:one", "merge", REVERT_MERGE, REVERT, REVERT], &["feat: one"]),
        ("one commit of the merge", &["dev:one", "dev:two", "merge", "=revert|--no-edit|dev"], &["feat: two"]),
        (
            "a part of the merge",
            &[
                "dev:one",
                "dev:two",
                "merge",
                "=revert|-m|1|-n|HEAD",
                "=checkout|dev|--|one",
                "=commit|-m|Revert \"Merge dev\"",
            ],
            &["feat: two"],
        ),
        (
            "squashed, without an id",
            &["dev:one", "dev:two", "merge", "=revert|-m|1|-n|HEAD", "=commit|-m|fix: roll back what came too early"],
            &["feat: one", "feat: two"],
        ),
        ("brought again by a pick", &["dev:one", "merge", REVERT_MERGE, "=cherry-pick|-x|dev"], &[]),
    ];
    for (name, steps, wanted) in cases {
        let git = repository(steps);
        assert_eq!(picked(&plan_of(&git, &Selection::default())), wanted, "{name}");
        let repo = discover(git.path()).expect("it opens").expect("it is there");
        let history = History::read(&repo.thread_local(), "dev", "main").expect("a history");
        let status = status::status(&history, 1_800_000_000).expect("a status");
        assert_eq!(status.unpromoted, wanted.len(), "{name}");
    }
}

#[test]
fn production_s_own_work_is_not_offered() {
    // A hotfix that came back to dev, and that production then took back.
    let git = repository(&["main:fix", "dev:one"]);
    git.git(["checkout", "-q", "dev"]);
    git.git(["merge", "--no-ff", "-m", "Merge main into dev", "main"]);
    git.git(["checkout", "-q", "main"]);
    git.git(["revert", "--no-edit", "HEAD"]);
    assert_eq!(picked(&plan_of(&git, &Selection::default())), ["feat: one"]);
}

#[test]
fn both_ways_to_bring_it_again_are_told_and_no_merge_is_advised() {
    let git = repository(&["dev:one", "dev:two", "dev:three", "dev:four", "dev:five", "merge", REVERT_MERGE]);
    let plan = plan_of(&git, &Selection::default());
    assert!(
        plan.advice.iter().any(|a| a.contains("`git revert ") && a.contains("without conflict")),
        "{:?}",
        plan.advice
    );
    assert!(!plan.advice.iter().any(|a| a.contains("merge the tag")), "{:?}", plan.advice);
    assert!(plan.candidates.iter().all(|c| c.taken_back.is_some()));
    // The commit is named: that is no mistake of the user.
    let named = Selection { revisions: vec!["dev".into()], ..Selection::default() };
    assert_eq!(picked(&plan_of(&git, &named)), ["feat: five"]);
}

#[test]
fn the_revert_of_a_merged_promotion_takes_its_picks_back() {
    let git = repository(&["dev:one", "=checkout|-b|promote"]);
    git.git(["cherry-pick", "-x", "dev"]);
    git.git(["checkout", "-q", "main"]);
    git.git(["merge", "--no-ff", "-m", "Merge promote", "promote"]);
    assert!(picked(&plan_of(&git, &Selection::default())).is_empty());
    git.git(["revert", "-m", "1", "--no-edit", "HEAD"]);
    assert_eq!(picked(&plan_of(&git, &Selection::default())), ["feat: one"]);
}

#[test]
fn a_backport_leaves_out_the_revert_of_development_s_own_work() {
    let git = repository(&["dev:one", "merge", REVERT_MERGE, "main:fix"]);
    let repo = discover(git.path()).expect("it opens").expect("it is there");
    let back = backport(&repo.thread_local(), "dev", "main", &Selection::default(), &Unjudged).expect("a plan");
    assert_eq!(picked(&back.plan), ["fix: fix"]);
    assert!(back.plan.skipped.iter().any(|s| s.reason.ends_with("which is dev's own work")), "{:?}", back.plan.skipped);
}

#[test]
fn pull_requests_are_units() {
    let git = Sandbox::new().init("w", Hash::Sha1);
    git.git(["commit", "--allow-empty", "-m", "feat: start"]);
    git.git(["branch", "-M", "main"]);
    git.git(["checkout", "-q", "-b", "dev"]);
    let commit = |file: &str, message: &str| {
        std::fs::write(git.path().join(file), file).expect("a file");
        git.git(["add", "-A"]);
        git.git(["commit", "-m", message]);
    };
    let merge = |message: &str| {
        git.git(["checkout", "-q", "dev"]);
        git.git(["merge", "--no-ff", "-m", message, "topic"]);
        git.git(["branch", "-D", "topic"]);
    };
    git.git(["checkout", "-q", "-b", "topic"]);
    commit("a", "feat: a");
    commit("b", "feat: b");
    merge("Merge pull request #12 from ann/topic\n\nfeat: a and b");
    git.git(["checkout", "-q", "-b", "topic"]);
    commit("c", "feat: c");
    merge("Merge branch 'feature/ABC-7-login' into 'dev'\n\nSee merge request team/app!15");
    commit("d", "feat: d (#20)");
    commit("e", "feat: e\n\nSee #12 for why.");
    commit("f", "fix: f\n\nABC-70");
    let of = |tickets: &[&str]| {
        let tickets = tickets.iter().map(|t| (*t).to_owned()).collect();
        plan_of(&git, &Selection { tickets, ..Selection::default() })
    };
    assert_eq!(picked(&of(&["12"])), ["feat: a", "feat: b"]);
    assert_eq!(picked(&of(&["#12", "!15"])), ["feat: a", "feat: b", "feat: c"]);
    assert_eq!(picked(&of(&["20"])), ["feat: d (#20)"]);
    assert_eq!(picked(&of(&["ABC-7"])), ["feat: c"]);
    let none = of(&["12", "99"]);
    assert_eq!((none.not_found.as_slice(), none.is_ready()), (&["99".to_owned()][..], false));
}
