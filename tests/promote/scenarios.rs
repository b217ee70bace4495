//! The histories of `tests/cases/promotion.json`, whose answers were found by brute force with git.

use portcullis::promote::closure::Bound;
use portcullis::promote::history::History;
use portcullis::promote::judge::Unjudged;
use portcullis::promote::plan::State;
use portcullis::promote::planner::{PlanRequest, plan};
use portcullis::promote::selection::Selection;
use portcullis::promote::simulate::Simulation;
use serde::Deserialize;

use super::story::Story;

#[derive(Deserialize)]
struct Case {
    name: String,
    #[serde(flatten)]
    story: Story,
    targets: Vec<String>,
    /// Each target picked alone onto production: state and conflicting paths.
    alone: Vec<(String, String, Vec<String>)>,
    /// The smallest sets; none when there is no clean one.
    closures: Vec<Vec<String>>,
    states: Vec<Vec<(String, String, Vec<String>)>>,
}

#[test]
fn plans_agree_with_brute_force() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../cases/promotion.json")).expect("the cases are JSON");
    assert!(cases.len() >= 12);
    for case in cases {
        let told = case.story.tell();
        let repo = told.open();
        let local = repo.thread_local();
        let history = History::read(&local, "dev", "main").expect("a history");
        let simulation = Simulation::new(&history);
        for (target, state, paths) in &case.alone {
            let at = history.abbreviated(&told.ids[target]).expect("a candidate");
            let run = simulation.run(&[at]).expect("it merges");
            let clashing: Vec<String> = run.clashes().iter().map(|c| c.path.to_string()).collect();
            let got = match run.taken.first() {
                None => "conflict",
                Some(t) if t.empty => "empty",
                Some(_) => "clean",
            };
            // Told in the order of development, one on top of the other, where they apply.
            if case.alone.len() == 1 {
                assert_eq!((got, &clashing), (state.as_str(), paths), "{}: {target} alone", case.name);
            }
        }
        let selection =
            Selection { revisions: case.targets.iter().map(|t| told.ids[t].clone()).collect(), ..Default::default() };
        let ask =
            PlanRequest { from: "dev", onto: "main", selection: &selection, judge: &Unjudged, bound: Bound::default() };
        let plan = plan(&local, &ask).expect("a plan");
        let name = |id: &portcullis::promote::history::Hex| told.name(&id.0.to_string()).to_owned();
        let order: Vec<String> =
            plan.steps.iter().filter(|s| s.state != State::Conflict).map(|s| name(&s.commit)).collect();
        if case.closures.is_empty() {
            assert_eq!(plan.in_state(State::Conflict).count(), case.targets.len(), "{}", case.name);
            assert!(plan.steps.iter().all(|s| s.conflicts.iter().any(|c| c.blocker.is_some())), "{}", case.name);
        } else {
            let at = case.closures.iter().position(|c| *c == order);
            let at = at.unwrap_or_else(|| panic!("{}: {order:?} is none of {:?}", case.name, case.closures));
            let states: Vec<(String, String, Vec<String>)> = plan
                .steps
                .iter()
                .map(|s| (name(&s.commit), format!("{:?}", s.state).to_lowercase(), Vec::new()))
                .collect();
            assert_eq!(states, case.states[at], "{}", case.name);
        }
        assert!(plan.result.proved, "{}", case.name);
    }
}
