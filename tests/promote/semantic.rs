//! Merges by meaning: proposed where entries do not meet, never made, never where they do.

use super::story::{Commit, Story, Told};
use super::{plan_for, steps};

fn story(base: &str, dev: &[&str], main: &str) -> Told {
    let commit = |(n, text): (usize, &&str)| Commit::new(&format!("d{}", n + 1), &[("k.yaml", text)]);
    Story {
        base: [("k.yaml".to_owned(), base.to_owned())].into(),
        dev: dev.iter().enumerate().map(commit).collect(),
        main: if main.is_empty() { Vec::new() } else { vec![Commit::new("m1", &[("k.yaml", main)])] },
    }
    .tell()
}

#[test]
fn a_list_merges_entry_by_entry() {
    let told = story(
        "resources:\n  - a.yaml\n  - z.yaml\n",
        &[
            "resources:\n  - a.yaml\n  - b.yaml\n  - z.yaml\n",
            "resources:\n  - a.yaml\n  - b.yaml\n  - c.yaml\n  - z.yaml\n",
        ],
        "",
    );
    let plan = plan_for(&told, &["d2"]);
    assert_eq!(steps(&told, &plan), ["d1 clean", "d2 clean"], "the plan itself takes the dependency");
    let proposal = &plan.steps[1].proposals[0];
    assert_eq!(proposal.text, "resources:\n  - a.yaml\n  - c.yaml\n  - z.yaml\n");
    assert_eq!(proposal.what, "list");
    assert!(proposal.proof.iter().any(|p| p.contains("c.yaml: added by the pick")), "{:?}", proposal.proof);
    assert!(proposal.proof.iter().any(|p| p.contains("b.yaml: not on main")), "{:?}", proposal.proof);
}

#[test]
fn keys_and_image_tags_merge_by_name() {
    let told = story("a: 1\nb: 1\n", &["a: 1\nb: 2\n"], "a: 2\nb: 1\n");
    let plan = plan_for(&told, &["d1"]);
    assert_eq!(steps(&told, &plan), ["d1 conflict"], "a proposal changes no state");
    assert_eq!(plan.steps[0].proposals[0].text, "a: 2\nb: 2\n");
    let images =
        |web: &str, api: &str| format!("images:\n  - name: web\n    newTag: {web}\n  - name: api\n    newTag: {api}\n");
    let told = story(&images("1", "1"), &[&images("1", "2")], &images("2", "1"));
    let plan = plan_for(&told, &["d1"]);
    if plan.steps[0].proposals.is_empty() {
        assert_eq!(steps(&told, &plan), ["d1 clean"], "{plan:#?}");
    } else {
        assert_eq!(plan.steps[0].proposals[0].text, images("2", "2"));
        assert_eq!(plan.steps[0].proposals[0].what, "images");
    }
}

#[test]
fn one_entry_changed_by_both_is_a_conflict_and_stays_one() {
    for (base, dev, main) in [
        ("a: 1\nb: 1\n", "a: 2\nb: 1\n", "a: 3\nb: 1\n"),
        ("a: 1\nb: 1\n", "b: 1\n", "a: 3\nb: 1\n"),
        ("a:\n  - x: 1\n", "a:\n  - x: 2\n", "a:\n  - x: 3\n"),
        ("a: |\n  one\n", "a: |\n  two\n", "a: |\n  three\n"),
    ] {
        let plan = plan_for(&story(base, &[dev], main), &["d1"]);
        assert!(plan.steps[0].proposals.is_empty() && !plan.is_ready(), "{base} {dev} {main}");
    }
}
