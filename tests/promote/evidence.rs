//! What counts as promoted, how sure that is, and what takes it back.

use portcullis::git::discover;
use portcullis::promote::evidence::{By, Grade, gather};
use portcullis::promote::history::History;
use portcullis::promote::simulate::Simulation;

use super::brute::generate;
use super::story::{Commit, Story, Told, tell_all};
use super::{lines, plan_for, skipped, steps};
use crate::support::{Hash, Sandbox};

fn story(main: Vec<Commit>) -> Told {
    let dev = vec![
        Commit::new("d1", &[("f", &lines(&[(3, "three")]))]).saying("feat: three (#7)"),
        Commit::new("d2", &[("f", &lines(&[(3, "three"), (8, "eight")]))]),
    ];
    Story { base: [("f".to_owned(), lines(&[]))].into(), dev, main }.tell()
}

fn grade_of_d1(told: &Told) -> Option<(Grade, By)> {
    let plan = plan_for(told, &[]);
    plan.candidates.iter().find(|c| told.name(&c.commit.0.to_string()) == "d1")?.promoted.map(|p| (p.grade, p.by))
}

fn pick(files: &[(&str, &str)]) -> Commit {
    Commit::new("m1", files).saying("feat: three\n\n(cherry picked from commit d1)")
}

#[test]
fn a_trailer_counts_for_certain_only_with_the_same_patch() {
    let same = story(vec![pick(&[("f", &lines(&[(3, "three")]))])]);
    assert_eq!(grade_of_d1(&same), Some((Grade::Certain, By::Trailer)));
    assert_eq!(skipped(&same, &plan_for(&same, &[])).len(), 1);
    let other = story(vec![pick(&[("f", &lines(&[(3, "something else")]))])]);
    assert_eq!(grade_of_d1(&other), Some((Grade::Probable, By::Trailer)));
    for words in ["Original commit: @d1@", "Promoted-from: @d1@", "Backport of @d1@", "Backport #7"] {
        let message = format!("feat: three\n\n{words}");
        let told = story(vec![Commit::new("m1", &[("f", &lines(&[(3, "three")]))]).saying(&message)]);
        assert_eq!(grade_of_d1(&told), Some((Grade::Certain, By::Trailer)), "{words}");
    }
}

#[test]
fn an_adapted_backport_names_its_original_and_what_differs() {
    let text = lines(&[(3, "three, adapted")]);
    let adapted = [("f", text.as_str())];
    for words in ["Backport of @d1@ from main.", "commit @d1@ upstream.", "[ Upstream commit @d1@ ]", "Backport #7"] {
        let told = story(vec![Commit::new("m1", &adapted).saying(&format!("feat: for 1.x\n\n{words}"))]);
        assert_eq!(grade_of_d1(&told), Some((Grade::Probable, By::Trailer)), "{words}");
        let left_out = skipped(&told, &plan_for(&told, &[])).remove(0);
        assert!(left_out.contains("promoted, adapted") && left_out.ends_with(" in f:3"), "{left_out}");
    }
    for words in ["Fixes: @d1@", "Not a backport, see @d1@", "Closes #7"] {
        let told = story(vec![Commit::new("m1", &adapted).saying(&format!("feat: for 1.x\n\n{words}"))]);
        assert_eq!(grade_of_d1(&told), None, "{words}");
    }
}

#[test]
fn the_same_patch_elsewhere_in_the_file_is_enough() {
    let text = format!("new first line\n{}", lines(&[]));
    let moved = Commit::new("m0", &[("f", &text)]);
    let text = format!("new first line\n{}", lines(&[(3, "three")]));
    // The first hunk's context has changed, so the patch is another one; the pick is empty all the same.
    let told = story(vec![moved, Commit::new("m1", &[("f", &text)])]);
    assert_eq!(grade_of_d1(&told), Some((Grade::Likely, By::EmptyPick)));
    let told = story(vec![Commit::new("m1", &[("f", &lines(&[(3, "three")]))])]);
    assert_eq!(grade_of_d1(&told), Some((Grade::Likely, By::PatchId)));
}

#[test]
fn subjects_alone_say_nothing() {
    let told = story(vec![Commit::new("m1", &[("g", "other\n")]).saying("feat: three (#7)")]);
    // Same author, other time.
    assert_eq!(grade_of_d1(&told), None);
}

#[test]
fn a_revert_takes_it_back_and_the_reverts_revert_restores_it() {
    let three = lines(&[(3, "three")]);
    let back = Commit::new("m2", &[("f", &lines(&[]))]).saying("Revert \"feat: three\"\n\nno id in it");
    let told = story(vec![pick(&[("f", &three)]), back.clone()]);
    assert_eq!(grade_of_d1(&told), None);
    assert_eq!(steps(&told, &plan_for(&told, &["d1"])), ["d1 clean"]);
    let again = Commit::new("m3", &[("f", &three)]).saying("Revert \"Revert \"feat: three\"\"");
    let told = story(vec![pick(&[("f", &three)]), back, again]);
    assert_eq!(grade_of_d1(&told), Some((Grade::Certain, By::Trailer)));
}

#[test]
fn a_promoted_commit_that_is_named_is_not_picked_again() {
    let later = Commit::new("m2", &[("f", &lines(&[(3, "three on production")]))]);
    let told = story(vec![pick(&[("f", &lines(&[(3, "three")]))]), later]);
    let plan = plan_for(&told, &["d1", "d2"]);
    assert_eq!(steps(&told, &plan), ["d2 clean"]);
    assert!(skipped(&told, &plan)[0].starts_with("d1: already promoted as "));
}

/// Generated histories whose every pick is known: nothing else is certain, and the patch alone finds most of them.
#[test]
fn what_was_picked_is_found_and_nothing_else_is_certain() {
    let git = Sandbox::new().init_bare("stories", Hash::Sha1);
    let mut truth: Vec<Vec<usize>> = Vec::new();
    let stories: Vec<Story> = (5000..5100u64)
        .map(|seed| {
            let story = generate(seed);
            // Production as it would be after some picks of development's first commits, in order.
            let picked: Vec<usize> =
                (0..story.dev.len().min(4)).take_while(|at| seed >> at & 1 == 0 || *at == 0).collect();
            let main = picked.iter().map(|at| Commit { id: format!("p{at}"), ..story.dev[*at].clone() }).collect();
            truth.push(picked);
            Story { main, ..story }
        })
        .collect();
    tell_all(&stories, &git);
    let repo = discover(git.path()).expect("it opens").expect("it is there");
    let local = repo.thread_local();
    let (mut pairs, mut by_patch) = (0, 0);
    for (seed, picked) in truth.iter().enumerate() {
        let mut history = History::read(&local, &format!("dev-{seed}"), &format!("main-{seed}")).expect("a history");
        let blind = gather(&history, &Simulation::new(&history)).expect("evidence");
        for (main, dev) in picked.iter().enumerate() {
            history.main[main].trailers.picked_from.push(history.dev[*dev].id.to_string());
        }
        let found = gather(&history, &Simulation::new(&history)).expect("evidence");
        for at in 0..history.dev.len() {
            let certain = found[at].is_some_and(|p| p.grade == Grade::Certain);
            assert_eq!(certain, picked.contains(&at), "story {seed}, commit {at}: {:?}", found[at]);
            assert!(blind[at].is_none_or(|p| p.grade < Grade::Certain), "story {seed}: certain without a trailer");
            if picked.contains(&at) {
                assert!(blind[at].is_some(), "story {seed}, commit {at}: not found without its trailer");
                pairs += 1;
                by_patch += usize::from(blind[at].is_some_and(|p| p.by == By::PatchId));
            }
        }
    }
    assert!(pairs > 120 && by_patch * 10 > pairs * 9, "{by_patch} of {pairs}");
}

#[test]
fn what_production_took_back_is_told_before_it_goes_again() {
    let back = Commit::new("m2", &[("f", &lines(&[]))]).saying("Revert \"feat: three\"");
    let told = story(vec![pick(&[("f", &lines(&[(3, "three")]))]), back]);
    let short = |name: &str| told.ids[name][..10].to_owned();
    let words = format!(
        "{} (feat: three (#7)) was on main as {} and was taken back by {}: picking it brings it back",
        short("d1"),
        short("m1"),
        short("m2")
    );
    let plan = plan_for(&told, &["d1"]);
    assert!(plan.advice.contains(&words), "{:?}", plan.advice);
    assert!(!plan_for(&told, &["d2"]).advice.iter().any(|a| a.starts_with(&short("d2"))));
}
