//! The plan as text, Markdown and a page: complete, and safe with hostile names.

use portcullis::promote::render;

use super::story::{Commit, Story, Told};
use super::{lines, plan_for};

fn hostile() -> Told {
    let dev = vec![
        Commit::new("d1", &[("f", &lines(&[(3, "three")]))])
            .saying("feat: <script>alert(1)</script> \u{1b}[31m @everyone"),
        Commit::new("d2", &[("f", &lines(&[(3, "three again")]))]),
        Commit::new("d3", &[("g", &lines(&[(1, "one")]))]),
        Commit::new("d4", &[("windmill/f/etl/load.script.yaml", "a: 1\n"), ("windmill/wmill.yaml", "a: 1\n")]),
    ];
    let main = vec![Commit::new("m1", &[("g", &lines(&[(1, "hot")]))])];
    Story { base: [("f".to_owned(), lines(&[])), ("g".to_owned(), lines(&[]))].into(), dev, main }.tell()
}

#[test]
fn a_page_shows_everything_and_runs_nothing() {
    let plan = plan_for(&hostile(), &[]);
    let page = render::html(&plan);
    assert!(!page.contains("<script") && !page.contains("http://") && !page.contains("https://"), "{page}");
    assert!(page.contains("&lt;script&gt;") && !page.contains('\u{1b}'));
    for class in ["commit selected", "commit conflict", "commit own", "commit planned"] {
        assert!(page.contains(class), "{class}");
    }
    assert_eq!(page.matches("<svg class=\"lanes\"").count(), 1);
    for open in ["<section", "<svg", "<g ", "<ul", "<ol", "<li", "<p", "<text", "<title"] {
        let name = open.trim_end().trim_start_matches('<');
        let opened = page.matches(&format!("<{name} ")).count() + page.matches(&format!("<{name}>")).count();
        assert_eq!(opened, page.matches(&format!("</{name}>")).count(), "{name}");
    }
}

#[test]
fn text_and_markdown_are_safe() {
    let plan = plan_for(&hostile(), &[]);
    for text in [render::human(&plan, false, true), render::markdown(&plan), render::script(&plan)] {
        assert!(!text.contains('\u{1b}'));
        assert!(text.contains("feat: "));
    }
    assert!(!render::markdown(&plan).contains("<script>"));
    assert!(render::human(&plan, true, true).contains("\u{1b}[31m"));
}

#[test]
fn items_of_windmill_are_grouped_and_identity_is_split_off() {
    let told = hostile();
    let plan = plan_for(&told, &["d4"]);
    let items: Vec<(&str, &str)> = plan.items.iter().map(|i| (i.path.as_str(), i.kind.as_str())).collect();
    assert_eq!(items, [("f/etl/load", "script"), ("windmill", "")]);
    assert_eq!(plan.steps[0].identity, ["windmill/wmill.yaml"]);
    assert!(plan.steps[0].split[1].ends_with("-- windmill/wmill.yaml"));
}

#[test]
fn reasons_and_blockers_name_commits_and_lines() {
    let told = hostile();
    let plan = plan_for(&told, &["d2", "d3"]);
    let text = render::human(&plan, false, false);
    assert!(text.contains("both touch f:3"), "{text}");
    assert!(text.contains(&format!("g:1: both sides change these lines; {}", &told.ids["m1"][..10])), "{text}");
}

#[test]
fn a_blocker_is_found_behind_the_picks_before() {
    let dev = vec![
        Commit::new("d1", &[("f", &format!("first\nsecond\n{}", lines(&[])))]),
        Commit::new("d2", &[("f", &format!("first\nsecond\n{}", lines(&[(8, "eight")])))]),
    ];
    let main = vec![
        Commit::new("m1", &[("f", &lines(&[(8, "hot")]))]),
        Commit::new("m2", &[("f", &lines(&[(5, "five"), (8, "hot")]))]),
    ];
    let told = Story { base: [("f".to_owned(), lines(&[]))].into(), dev, main }.tell();
    let plan = plan_for(&told, &[]);
    assert_eq!(super::steps(&told, &plan), ["d1 clean", "d2 conflict"]);
    let conflict = &plan.steps[1].conflicts[0];
    assert_eq!((conflict.lines.as_str(), conflict.theirs.as_str()), ("10", "10"), "in the result so far, and in d2");
    let blocker = conflict.blocker.as_ref().expect("somebody changed that line");
    assert_eq!(told.name(&blocker.commit.0.to_string()), "m1");
}
