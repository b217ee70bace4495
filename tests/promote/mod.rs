//! Promotion plans against real git and against brute force.

mod agrees;
mod apply;
mod browser;
mod brute;
mod evidence;
mod pages;
mod scenarios;
mod semantic;
mod series;
mod story;
mod taken_back;
mod ways_back;

use portcullis::promote::closure::Bound;
use portcullis::promote::history::Hex;
use portcullis::promote::judge::Unjudged;
use portcullis::promote::plan::{Plan, State};
use portcullis::promote::planner::{PlanRequest, plan};
use portcullis::promote::selection::Selection;

use story::Told;

/// A plan for commits of a story, by name; none: for everything.
fn plan_for(told: &Told, names: &[&str]) -> Plan {
    let selection =
        Selection { revisions: names.iter().map(|n| told.ids[*n].clone()).collect(), ..Selection::default() };
    plan_with(told, &selection)
}

fn plan_with(told: &Told, selection: &Selection) -> Plan {
    let repo = told.open();
    let ask = PlanRequest { from: "dev", onto: "main", selection, judge: &Unjudged, bound: Bound::default() };
    plan(&repo.thread_local(), &ask).expect("a plan")
}

/// `name state` of each step.
fn steps(told: &Told, plan: &Plan) -> Vec<String> {
    let name = |id: &Hex| told.name(&id.0.to_string()).to_owned();
    plan.steps.iter().map(|s| format!("{} {}", name(&s.commit), state(s.state))).collect()
}

fn state(state: State) -> String {
    format!("{state:?}").to_lowercase()
}

/// `name: reason` of each commit left out.
fn skipped(told: &Told, plan: &Plan) -> Vec<String> {
    plan.skipped.iter().map(|s| format!("{}: {}", told.name(&s.commit.0.to_string()), s.reason)).collect()
}

/// Ten lines, some of them replaced: `lines(&[(3, "three")])`.
fn lines(changes: &[(usize, &str)]) -> String {
    (1..=10)
        .map(|n| match changes.iter().find(|(at, _)| *at == n) {
            Some((_, text)) => format!("{text}\n"),
            None => format!("line {n}\n"),
        })
        .collect()
}
