//! What counts as promoted, how sure that is, and what takes it back.

use portcullis::promote::evidence::{By, Grade};

use super::story::{Commit, Story, Told};
use super::{lines, plan_for, skipped, steps};

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
    for words in ["Original commit: @d1@", "Promoted-from: @d1@"] {
        let message = format!("feat: three\n\n{words}");
        let told = story(vec![Commit::new("m1", &[("f", &lines(&[(3, "three")]))]).saying(&message)]);
        assert_eq!(grade_of_d1(&told), Some((Grade::Certain, By::Trailer)), "{words}");
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

/// Measures on a real repository: `PROMOTE_REPO=dir PROMOTE_FROM=master PROMOTE_ONTO=release-1,release-2`.
#[test]
#[ignore = "needs a real repository"]
fn measure_on_a_real_repository() {
    use portcullis::promote::{evidence::gather, history::History, simulate::Simulation};
    let variable = |name| std::env::var(name).expect(name);
    let repo = portcullis::git::discover(variable("PROMOTE_REPO").as_ref()).expect("opens").expect("is there");
    let local = repo.local();
    let (mut pairs, mut with, mut without, mut certain, mut wrong) = (0, 0, 0, 0, 0);
    let mut by: std::collections::BTreeMap<String, usize> = Default::default();
    for onto in variable("PROMOTE_ONTO").split(',') {
        let mut history = History::read(&local, &variable("PROMOTE_FROM"), onto).expect("a history");
        let mut truth: Vec<(usize, portcullis::subject::Oid)> = Vec::new();
        for change in &history.main {
            for hex in &change.said.picked_from {
                truth.extend(
                    history.abbreviated(hex).filter(|at| !history.dev[*at].is_merge()).map(|at| (at, change.id)),
                );
            }
        }
        truth.sort_unstable();
        truth.dedup_by_key(|t| t.0);
        let found = gather(&history, &Simulation::new(&history)).expect("evidence");
        for (at, promoted) in found.iter().enumerate() {
            if promoted.is_some_and(|p| p.grade == Grade::Certain) {
                certain += 1;
                wrong += usize::from(!truth.iter().any(|t| t.0 == at));
            }
        }
        with += truth.iter().filter(|t| found[t.0].is_some()).count();
        history.main.iter_mut().for_each(|c| c.said.picked_from.clear());
        let blind = gather(&history, &Simulation::new(&history)).expect("evidence");
        for (at, _) in &truth {
            let word = blind[*at].map_or("nothing".to_owned(), |p| format!("{:?}", p.by));
            *by.entry(word).or_default() += 1;
        }
        without += truth.iter().filter(|t| blind[t.0].is_some()).count();
        pairs += truth.len();
        let line = format!(
            "{onto}: {} candidates, {} on production; pairs so far {pairs}, found {with}, without trailers {without}, certain {certain}, wrongly {wrong}; {by:?}",
            history.dev.len(),
            history.main.len()
        );
        std::io::Write::write_all(&mut std::io::stderr(), format!("{line}\n").as_bytes()).expect("standard error");
    }
    assert!(with * 100 >= pairs * 95 && without * 100 >= pairs * 95 && wrong == 0);
}
