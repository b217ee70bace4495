//! Status, backport, rollback and notes.

use portcullis::promote::backport::{Merge, backport};
use portcullis::promote::history::History;
use portcullis::promote::judge::Unjudged;
use portcullis::promote::selection::Selection;
use portcullis::promote::status::{Why, deploy_branch, status};
use portcullis::promote::{notes, rollback};

use super::lines;
use super::story::{Commit, Story, Told};

fn story() -> Told {
    story_parts().tell()
}

fn story_parts() -> Story {
    let base = [("apps/web/v.yaml".to_owned(), lines(&[])), ("apps/api/v.yaml".to_owned(), lines(&[]))].into();
    let dev = vec![
        Commit::new("d1", &[("apps/web/v.yaml", &lines(&[(3, "three")]))]).saying("feat(web)!: three"),
        Commit::new("d2", &[("apps/web/v.yaml", &lines(&[(3, "three"), (9, "nine")]))]).saying("fix(web): nine"),
    ];
    let main = vec![
        Commit::new("m1", &[("apps/web/v.yaml", &lines(&[(3, "three")]))])
            .saying("feat(web)!: three\n\n(cherry picked from commit d1)"),
        Commit::new("m2", &[("apps/api/v.yaml", &lines(&[(5, "hot")]))]).saying("fix(api): hot"),
    ];
    Story { base, dev, main }
}

#[test]
fn drift_is_told_by_what_is_deployed() {
    let told = story();
    let repo = told.open();
    let history = History::read(&repo.thread_local(), "dev", "main").expect("a history");
    let got = status(&history, 1_700_000_000 + 10 * 86_400).expect("a status");
    assert_eq!(got.unpromoted, 1);
    let drift: Vec<_> = got.drift.iter().map(|d| (d.path.as_str(), d.why, d.unpromoted, d.hotfixes)).collect();
    assert_eq!(drift, [("apps/api", Why::Hotfix, 0, 1), ("apps/web", Why::Unpromoted, 1, 0)]);
    let fixes: Vec<&str> = got.hotfixes.iter().map(|c| told.name(&c.commit)).collect();
    assert_eq!(fixes, ["m2"]);
    assert_eq!(got.oldest_days, Some(9));
}

#[test]
fn backport_takes_productions_own_and_not_its_picks() {
    let told = story();
    let repo = told.open();
    let back = backport(&repo.thread_local(), "dev", "main", &Selection::default(), &Unjudged).expect("a plan");
    assert_eq!(super::steps(&told, &back.plan), ["m2 clean"]);
    assert_eq!(back.merge, Merge::Clean);
}

#[test]
fn a_rollback_proves_that_the_tree_is_the_tags() {
    let told = story();
    told.git.git(["update-ref", "refs/tags/v1.0.0", &told.ids["base"]]);
    let repo = told.open();
    let local = repo.thread_local();
    let back = rollback::rollback(&local, "main", "v1.0.0", &[]).expect("a way back");
    assert!(back.proved);
    assert_eq!(back.tree.0.to_string(), told.git.rev("v1.0.0^{tree}"));
    let tip = rollback::apply(&local, &back, "rollback/x", 1_700_900_000).expect("it applies");
    assert_eq!(told.git.rev(&format!("{tip}^{{tree}}")), told.git.rev("v1.0.0^{tree}"));
    assert_eq!(told.git.rev("main"), told.ids["m2"], "production itself does not move");
    assert!(
        told.git
            .git(["log", "--format=%B", &format!("main..{tip}")])
            .contains(&format!("This reverts commit {}.", told.ids["m1"]))
    );
    let again =
        rollback::apply(&local, &back, "rollback/x", 1_700_900_999).expect("a second run finds the first one's");
    assert_eq!(again, tip);
    let keep = rollback::rollback(&local, "main", "v1.0.0", &[told.ids["m2"].clone()]).expect("a way back");
    assert!(!keep.proved && keep.differs == ["apps/api/v.yaml"]);
    assert!(rollback::rollback(&local, "main", "dev", &[]).is_err(), "dev is not part of main");
}

#[test]
fn a_merge_is_rolled_back_as_one() {
    let told = story();
    told.git.git(["update-ref", "refs/tags/v1.0.0", "main"]);
    let merge = told.git.git(["merge-tree", "--write-tree", "main", "dev"]);
    let commit = told.git.git(["commit-tree", "-p", "main", "-p", "dev", "-m", "Merge dev", merge.trim()]);
    told.git.git(["update-ref", "refs/heads/main", &commit]);
    let repo = told.open();
    let back = rollback::rollback(&repo.thread_local(), "main", "v1.0.0", &[]).expect("a way back");
    assert!(back.proved && back.reverts.len() == 1 && back.reverts[0].merge);
}

#[test]
fn notes_put_breaking_changes_first_and_count_a_pick_once() {
    let told = story();
    let merge = told.git.git(["merge-tree", "--write-tree", "main", "dev"]);
    let both = told.git.git(["commit-tree", "-p", "main", "-p", "dev", "-m", "Merge dev", merge.trim()]);
    let repo = told.open();
    let list = notes::collect(&repo.thread_local(), &format!("{}..{both}", told.ids["base"])).expect("notes");
    let titles: Vec<&str> = list.iter().map(|n| n.title.as_str()).collect();
    assert_eq!(titles.iter().filter(|t| **t == "three").count(), 1, "{titles:?}");
    assert_eq!(titles.len(), 3);
    let text = notes::markdown(&list);
    assert!(text.starts_with("## Breaking changes\n\n- **web**: three"), "{text}");
    assert!(text.find("## Features") < text.find("## Fixes"));
    assert_eq!(notes::escape("a @b <i> [x](y)"), "a @\u{2060}b &lt;i&gt; \\[x\\](y)");
}

#[test]
fn deploy_branches_of_windmill_are_read() {
    let told = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
    assert_eq!(deploy_branch("staging/script/f__etl__load"), told("staging", "f/etl/load"));
    assert_eq!(deploy_branch("staging/f__etl"), told("staging", "f/etl"));
    assert_eq!(deploy_branch("staging"), None);
}

#[test]
fn backport_leaves_the_revert_of_a_pick_where_it_is() {
    let mut all = story_parts();
    all.main.push(Commit::new("m3", &[("apps/web/v.yaml", &lines(&[]))]).saying("Revert \"feat(web)!: three\""));
    let told = all.tell();
    let repo = told.open();
    let back = backport(&repo.thread_local(), "dev", "main", &Selection::default(), &Unjudged).expect("a plan");
    assert_eq!(super::steps(&told, &back.plan), ["m2 clean"]);
    let why = super::skipped(&told, &back.plan);
    assert!(why.iter().any(|w| w.starts_with("m3: takes back ")), "{why:?}");
}
