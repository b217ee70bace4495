//! The two lanes as SVG: development on the left, production on the right, a line from each commit to its pick, an arc
//! from each commit to what it needs. Static: it says everything without a script.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use super::short_ref;
use crate::promote::advice::count;
use crate::promote::history::Hex;
use crate::promote::plan::{Lane, Plan, Role, State, Step};
use crate::report::page::escape;

/// Pixels between two commits, and where the lanes stand.
const ROW: usize = 34;
const TOP: usize = 56;
const DEV: usize = 92;
const MAIN: usize = 600;
const WIDTH: usize = 1100;
/// Characters of a subject that fit beside a lane.
const FIT: usize = 54;
/// Lines over more rows than this would run together: there the ids have to do.
const REACH: usize = 24;

/// So many commits of a lane are drawn; beyond that only what the plan speaks of.
const ROWS: usize = 150;

/// Newest first, as people look at branches.
pub fn svg(plan: &Plan) -> String {
    let spoken: HashSet<Hex> = plan.steps.iter().map(|s| s.commit).collect();
    let candidates = drawn(&plan.candidates, |lane| spoken.contains(&lane.commit));
    let picked: HashSet<Hex> = candidates.iter().filter_map(|c| c.promoted?.commit).collect();
    let blockers = plan.steps.iter().flat_map(|s| &s.conflicts).filter_map(|c| Some(c.blocker.as_ref()?.commit));
    let blockers: HashSet<Hex> = blockers.collect();
    let production = drawn(&plan.production, |lane| blockers.contains(&lane.commit));
    let rows = candidates.len().max(production.len() + plan.picks().count() + 1) + 1;
    let height = TOP + ROW * rows + 16;
    let mut out = String::new();
    // Writing to a String does not fail.
    let _ = writeln!(
        out,
        "<svg class=\"lanes\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\" \
         aria-labelledby=\"lanes-title\"><title id=\"lanes-title\">Both branches since they parted, newest first</title>"
    );
    let y = |row: usize| TOP + row * ROW;
    let dev: HashMap<Hex, usize> = candidates.iter().rev().enumerate().map(|(row, c)| (c.commit, row)).collect();
    // What the plan would add stands on top of production.
    let picks: Vec<&Step> = plan.picks().collect();
    let planned: HashMap<Hex, usize> = picks.iter().rev().enumerate().map(|(row, s)| (s.commit, row)).collect();
    let below = picks.len() + usize::from(!picks.is_empty());
    let main: HashMap<Hex, usize> =
        production.iter().rev().enumerate().map(|(row, c)| (c.commit, row + below)).collect();
    for (x, name, tip) in [(DEV, &plan.from.name, plan.from.oid), (MAIN, &plan.onto.name, plan.onto.oid)] {
        let _ = writeln!(
            out,
            "<text class=\"branch\" x=\"{x}\" y=\"26\">{} <tspan class=\"id\">{}</tspan></text>",
            escape(short_ref(name)),
            tip.0.short()
        );
        let _ = writeln!(out, "<line class=\"lane\" x1=\"{x}\" y1=\"{}\" x2=\"{x}\" y2=\"{height}\"/>", TOP - 12);
    }
    // Lines first, so that dots lie on them.
    for lane in &candidates {
        let to = lane.promoted.and_then(|p| p.commit).and_then(|c| main.get(&c));
        if let (Some(from), Some(to)) = (dev.get(&lane.commit), to) {
            let class = if lane.promoted.is_some_and(|p| p.is_settled()) { "same" } else { "same maybe" };
            link(&mut out, class, (beside(&lane.subject), y(*from)), y(*to));
        }
        if let (Some(from), Some(to)) = (dev.get(&lane.commit), planned.get(&lane.commit)) {
            link(&mut out, "pick", (beside(&lane.subject), y(*from)), y(*to));
        }
    }
    for step in &plan.steps {
        for reason in &step.because {
            if let (Some(a), Some(b)) = (dev.get(&step.commit), dev.get(&reason.commit)) {
                let bend = 24 + 6 * a.abs_diff(*b).min(8);
                let lines = if reason.lines.is_empty() { String::new() } else { format!(":{}", reason.lines) };
                let _ = writeln!(
                    out,
                    "<path class=\"needs\" d=\"M{} {} C{} {} {} {} {} {}\"><title>{} needs {}: both touch {}{lines}</title></path>",
                    DEV - 9,
                    y(*a),
                    DEV - bend,
                    y(*a),
                    DEV - bend,
                    y(*b),
                    DEV - 9,
                    y(*b),
                    step.commit.0.short(),
                    reason.commit.0.short(),
                    escape(&reason.path)
                );
            }
        }
    }
    for lane in &candidates {
        let Some(row) = dev.get(&lane.commit) else { continue };
        let step = plan.steps.iter().find(|s| s.commit == lane.commit);
        let (class, word) = match (step.map(|s| (s.state, s.role)), lane.promoted) {
            (Some((State::Conflict, _)), _) => ("conflict", "conflict"),
            (Some((State::Refused, _)), _) => ("refused", "refused"),
            (Some((State::Empty, _)), _) => ("promoted", "nothing left to do"),
            (Some((_, Role::Dependency)), _) => ("needed", "comes along"),
            (Some(_), _) => ("selected", "selected"),
            (None, Some(p)) if p.is_settled() => ("promoted", "promoted"),
            (None, Some(_)) => ("maybe", "probably promoted"),
            (None, None) if lane.merge => ("merge", "merge"),
            (None, None) => ("open", "not promoted"),
        };
        dot(&mut out, (DEV, y(*row)), class, lane.commit, &lane.subject, word);
    }
    for step in picks {
        if let Some(row) = planned.get(&step.commit) {
            dot(&mut out, (MAIN, y(*row)), "planned", step.commit, &step.subject, "planned pick");
        }
    }
    if below > 0 {
        let at = y(below) - ROW / 2 - 4;
        let _ = writeln!(
            out,
            "<line class=\"now\" x1=\"{}\" y1=\"{at}\" x2=\"{}\" y2=\"{at}\"/><text class=\"now\" x=\"{}\" y=\"{}\">today</text>",
            MAIN - 40,
            WIDTH - 20,
            MAIN + 24,
            at + 4
        );
    }
    for lane in &production {
        let Some(row) = main.get(&lane.commit) else { continue };
        let (class, word) = match (picked.contains(&lane.commit), lane.merge) {
            (true, _) => ("promoted", "promoted"),
            (_, true) => ("merge", "merge"),
            _ => ("own", "only here"),
        };
        dot(&mut out, (MAIN, y(*row)), class, lane.commit, &lane.subject, word);
    }
    for (x, row, all, shown) in [
        (DEV, candidates.len(), plan.candidates.len(), candidates.len()),
        (MAIN, production.len() + below, plan.production.len(), production.len()),
    ] {
        if all > shown {
            let _ = writeln!(
                out,
                "<text class=\"now\" x=\"{}\" y=\"{}\">{} not drawn</text>",
                x + 18,
                y(row) + 4,
                count(all - shown, "other commit")
            );
        }
    }
    out.push_str("</svg>\n");
    out
}

/// What matters, and the newest of the rest while there is room; in the order of the lane.
fn drawn(lane: &[Lane], matters: impl Fn(&Lane) -> bool) -> Vec<&Lane> {
    let mut room = ROWS.saturating_sub(lane.iter().filter(|l| matters(l)).count());
    let mut out: Vec<&Lane> = Vec::new();
    for commit in lane.iter().rev() {
        let matters = matters(commit);
        if matters || room > 0 {
            room -= usize::from(!matters);
            out.push(commit);
        }
    }
    out.reverse();
    out
}

fn link(out: &mut String, class: &str, (start, from): (usize, usize), to: usize) {
    if from.abs_diff(to) > REACH * ROW {
        return;
    }
    let (a, b) = (DEV + 440, MAIN - 10);
    let middle = (a + b) / 2;
    let _ = writeln!(
        out,
        "<path class=\"{class}\" d=\"M{} {from} H{a} C{middle} {from} {middle} {to} {b} {to}\"/>",
        start.min(a)
    );
}

/// Where a subject ends, roughly: nobody knows the reader's font.
fn beside(subject: &str) -> usize {
    DEV + 96 + 7 * subject.chars().count().min(FIT)
}

fn dot(out: &mut String, (x, y): (usize, usize), class: &str, commit: Hex, subject: &str, word: &str) {
    let short: String = if subject.chars().count() > FIT {
        subject.chars().take(FIT - 1).chain(['…']).collect()
    } else {
        subject.to_owned()
    };
    let _ = write!(out, "<g class=\"commit {class}\"><title>{} {}: {word}</title>", commit.0, escape(subject));
    let _ = match class {
        // Shapes differ as well as colours.
        "conflict" | "refused" => write!(out, "<path d=\"M{} {} l12 12 m0 -12 l-12 12\"/>", x - 6, y - 6),
        "merge" => write!(out, "<circle cx=\"{x}\" cy=\"{y}\" r=\"3\"/>"),
        "own" => write!(out, "<path d=\"M{x} {} l7 7 l-7 7 l-7 -7 z\"/>", y - 7),
        "maybe" => write!(
            out,
            "<circle cx=\"{x}\" cy=\"{y}\" r=\"7\"/><path class=\"half\" d=\"M{x} {} a7 7 0 0 0 0 14 z\"/>",
            y - 7
        ),
        _ => write!(out, "<circle cx=\"{x}\" cy=\"{y}\" r=\"7\"/>"),
    };
    let _ = writeln!(
        out,
        "<text x=\"{}\" y=\"{}\"><tspan class=\"id\">{}</tspan> {}</text></g>",
        x + 18,
        y + 4,
        &commit.0.short()[..7],
        escape(&short)
    );
}
