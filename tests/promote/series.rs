//! What commits say about each other.

use super::story::{Commit, Story};
use super::{lines, plan_for, skipped, steps};

fn two_files() -> std::collections::BTreeMap<String, String> {
    [("f".to_owned(), lines(&[])), ("g".to_owned(), lines(&[]))].into()
}

#[test]
fn a_commit_and_its_revert_cancel_out() {
    let dev = vec![
        Commit::new("d1", &[("f", &lines(&[(3, "three")]))]),
        Commit::new("d2", &[("f", &lines(&[]))]).saying("Revert \"feat: d1\"\n\nThis reverts commit @d1@."),
        Commit::new("d3", &[("g", &lines(&[(3, "three")]))]),
    ];
    // Ids are known one import later: the revert names its target only if it comes in another one.
    let told = Story { base: two_files(), dev: dev[..1].to_vec(), main: Vec::new() }.tell();
    let revert = format!("Revert \"feat: d1\"\n\nThis reverts commit {}.", told.ids["d1"]);
    let mut dev = dev;
    dev[1].message = Some(revert);
    let told = Story { base: two_files(), dev, main: Vec::new() }.tell();
    let plan = plan_for(&told, &[]);
    assert_eq!(steps(&told, &plan), ["d3 clean"]);
    assert_eq!(skipped(&told, &plan).len(), 2);
    let alone = plan_for(&told, &["d1"]);
    assert_eq!(steps(&told, &alone), ["d1 clean"]);
    assert!(alone.advice.iter().any(|a| a.contains("was taken back later")), "{:?}", alone.advice);
}

#[test]
fn needs_that_are_said_come_along_and_known_bugs_are_told() {
    let first = Commit::new("d1", &[("f", &lines(&[(3, "three")]))]);
    let told = Story { base: two_files(), dev: vec![first.clone()], main: Vec::new() }.tell();
    let id = &told.ids["d1"];
    let dev = vec![
        first,
        Commit::new("d2", &[("g", &lines(&[(3, "three")]))]).saying(&format!("feat: d2\n\nDepends-on: {id}")),
        Commit::new("d3", &[("f", &lines(&[(3, "three"), (9, "nine")]))])
            .saying(&format!("fix: d3\n\nFixes: {}", &id[..10])),
    ];
    let told = Story { base: two_files(), dev, main: Vec::new() }.tell();
    let plan = plan_for(&told, &["d2"]);
    assert_eq!(steps(&told, &plan), ["d1 clean", "d2 clean"]);
    assert_eq!(plan.steps[1].because[0].path, "Depends-on");
    assert!(plan.advice.iter().any(|a| a.starts_with("you would ship a known bug")), "{:?}", plan.advice);
    let selection = portcullis::promote::selection::Selection { kinds: vec!["fix".into()], ..Default::default() };
    let plan = super::plan_with(&told, &selection);
    assert_eq!(steps(&told, &plan), Vec::<String>::new());
    assert!(skipped(&told, &plan)[0].contains("which is not promoted"));
}

#[test]
fn filters_narrow_and_all_but_leaves_out() {
    use portcullis::promote::selection::Selection;
    let dev = vec![
        Commit::new("d1", &[("apps/web/a.yaml", "1\n")]).saying("feat(web): a (#12)"),
        Commit::new("d2", &[("apps/api/a.yaml", "1\n")]).saying("fix(api): b\n\nABC-7"),
        Commit::new("d3", &[("docs/x.md", "1\n")]).saying("docs: c"),
    ];
    let told = Story { base: two_files(), dev, main: Vec::new() }.tell();
    let one = |s: Selection| steps(&told, &super::plan_with(&told, &s));
    let some = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
    assert_eq!(one(Selection { apps: some(&["web"]), ..Default::default() }), ["d1 clean"]);
    assert_eq!(one(Selection { paths: some(&["apps"]), ..Default::default() }), ["d1 clean", "d2 clean"]);
    assert_eq!(one(Selection { paths: some(&["**/*.md"]), ..Default::default() }), ["d3 clean"]);
    assert_eq!(one(Selection { scopes: some(&["api"]), ..Default::default() }), ["d2 clean"]);
    assert_eq!(one(Selection { kinds: some(&["docs"]), ..Default::default() }), ["d3 clean"]);
    assert_eq!(one(Selection { tickets: some(&["12"]), ..Default::default() }), ["d1 clean"]);
    assert_eq!(one(Selection { tickets: some(&["ABC-7"]), ..Default::default() }), ["d2 clean"]);
    assert_eq!(one(Selection { authors: some(&["u thor"]), ..Default::default() }).len(), 3);
    assert_eq!(one(Selection { until: Some(1_700_001_000), ..Default::default() }), ["d1 clean"]);
    assert_eq!(one(Selection { since: Some(1_700_001_100), ..Default::default() }), ["d3 clean"]);
    let all_but = vec![told.ids["d1"].clone()];
    assert_eq!(one(Selection { all_but, ..Default::default() }), ["d2 clean", "d3 clean"]);
}
