//! Makes a plan: candidates, evidence, selection, closure, simulation, judgement, advice, in this order.

use std::collections::{BTreeMap, BTreeSet};

use super::advice::Direction;
use super::blame::{self, Because};
use super::closure::{self, Bound};
use super::evidence::{self, By, Promoted};
use super::history::{Change, Hex, History};
use super::judge::{JudgePlan, Planned};
use super::plan::{Blocker, Conflict, Lane, Outcome, Plan, Reason, Role, Skipped, State, Step};
use super::render::short_ref;
use super::selection::{Selected, Selection};
use super::series;
use super::simulate::Simulation;
use super::{advice, items, semantic, verify};
use crate::error::Result;
use crate::git::{Clash, ClashKind, Picked, ThreadRepo};
use crate::text;

/// What to plan.
pub struct PlanRequest<'a> {
    /// Any name that git takes for the tip of the development branch, and of production.
    pub from: &'a str,
    pub onto: &'a str,
    pub selection: &'a Selection,
    pub judge: &'a dyn JudgePlan,
    pub bound: Bound,
}

/// Plans it. Moves no ref and writes no file.
pub fn plan(local: &ThreadRepo<'_>, ask: &PlanRequest<'_>) -> Result<Plan> {
    let history = History::read(local, ask.from, ask.onto)?;
    plan_of(&history, Direction::Promotion, ask.selection, ask.judge, ask.bound)
}

/// As [`plan`], on branches that were read already.
pub fn plan_of(
    history: &History<'_>,
    direction: Direction,
    selection: &Selection,
    judge: &dyn JudgePlan,
    bound: Bound,
) -> Result<Plan> {
    let simulation = Simulation::new(history);
    let promoted = evidence::gather(history, &simulation)?;
    let mut selected = selection.of(history)?;
    let mut skipped = BTreeMap::new();
    for at in selected.chosen.clone() {
        // Whether nothing is left to do is seen when its turn comes.
        if let Some(p) = promoted[at]
            && p.by != By::EmptyPick
            && !selected.named.contains(&at)
        {
            selected.chosen.remove(&at);
            skipped.insert(at, why_promoted(p) + &adapted(history, at, p)?);
        }
    }
    // Named ones that are promoted stay as empty steps; where they would do something again, they must not.
    for at in selected.named.clone() {
        let Some(p) = promoted[at].filter(|p| p.is_settled()) else { continue };
        let empty = matches!(*simulation.pick(history.tree, at)?, Picked::Clean(tree) if tree == history.tree);
        if !empty {
            selected.chosen.remove(&at);
            skipped.insert(at, why_promoted(p));
        }
    }
    if direction == Direction::Backport {
        for at in selected.chosen.clone() {
            if let Some(undone) = history.dev[at].takes_back
                && !selected.named.contains(&at)
            {
                selected.chosen.remove(&at);
                let onto = short_ref(&history.onto.name);
                skipped.insert(at, format!("takes back {}, which is {onto}'s own work", undone.0.short()));
            }
        }
        for (at, target) in undone_picks(history, &promoted, &selected) {
            selected.chosen.remove(&at);
            let (what, from) = (history.dev[target].id.short(), short_ref(&history.onto.name));
            skipped.insert(at, format!("takes back {what}, a pick of what {from} goes on having"));
        }
    }
    let series = series::resolve(history, &promoted, &selected);
    skipped.extend(series.skipped.clone());
    let chosen: Vec<usize> = series.chosen.iter().copied().collect();
    let pool: Vec<usize> = (0..history.dev.len())
        .filter(|at| promoted[*at].is_none_or(|p| p.by == By::EmptyPick) && !history.dev[*at].is_merge())
        .collect();
    let closure = closure::find(history, &simulation, &chosen, &pool, bound)?;
    let added: Vec<usize> = closure
        .order
        .iter()
        .copied()
        .filter(|at| !selected.chosen.contains(at) || series.required.contains_key(at))
        .collect();
    let because = blame::reasons(&simulation, &closure.order, &added)?;

    let mut builder = Builder { history, simulation: &simulation, promoted: &promoted, steps: Vec::new() };
    let run = simulation.run(&closure.order)?;
    let mut tree = history.tree;
    let mut failed = closure.failed.iter().copied().peekable();
    for taken in &run.taken {
        while let Some(at) = failed.next_if(|at| *at < taken.at) {
            builder.failed(at, tree)?;
        }
        if taken.empty && !selected.named.contains(&taken.at) {
            let why = promoted[taken.at]
                .map_or_else(|| "nothing left to do after the picks before it".to_owned(), why_promoted);
            skipped.insert(taken.at, why);
            continue;
        }
        let role = if added.contains(&taken.at) { Role::Dependency } else { Role::Selected };
        builder.taken(taken.at, taken.empty, taken.tree, role, &because, &series.required);
        tree = taken.tree;
    }
    for at in failed {
        builder.failed(at, tree)?;
    }
    let mut steps = builder.steps;
    items::flag_identity(history, &mut steps)?;
    semantic::propose(history, &mut steps)?;
    semantic::instead(history, &simulation, &closure.order, &because, &mut steps)?;
    let lane = |c: &Change, promoted: Option<Promoted>| Lane {
        commit: Hex(c.id),
        subject: c.subject.clone(),
        author: c.author(),
        time: c.time(),
        merge: c.is_merge(),
        promoted,
        taken_back: c.taken_back,
    };
    let mut plan = Plan {
        version: 1,
        from: history.from.clone(),
        onto: history.onto.clone(),
        steps,
        skipped: skipped.iter().map(|(at, reason)| skip(history, *at, reason)).collect(),
        result: Outcome { tree: Hex(tree), findings: Vec::new(), proved: closure.proved },
        advice: series.warnings,
        not_found: selected.not_found.clone(),
        candidates: history.dev.iter().zip(&promoted).map(|(c, p)| lane(c, *p)).collect(),
        production: history.main.iter().map(|c| lane(c, None)).collect(),
        items: Vec::new(),
    };
    plan.items = items::group(history, &plan)?;
    judge.judge(&Planned { history, plan: &plan })?.settle(&mut plan);
    let settled: BTreeSet<usize> = (0..promoted.len()).filter(|at| promoted[*at].is_some()).collect();
    advice::give(direction, history, &settled, &selected.chosen, &mut plan)?;
    Ok(plan)
}

/// Production's reverts of its own picks: development has the original, and nobody took it back there.
fn undone_picks(history: &History<'_>, promoted: &[Option<Promoted>], selected: &Selected) -> Vec<(usize, usize)> {
    let target = |at: &usize| {
        let trailers = &history.dev[*at].trailers;
        let named = trailers.reverts.iter().find_map(|hex| history.abbreviated(hex));
        let subject = trailers.reverts_subject.as_ref();
        named.or_else(|| subject.and_then(|s| (0..*at).rev().find(|i| history.dev[*i].subject == *s)))
    };
    let unnamed = selected.chosen.iter().filter(|at| !selected.named.contains(at));
    unnamed
        .filter_map(|at| target(at).filter(|t| promoted[*t].is_some_and(Promoted::is_settled)).map(|t| (*at, t)))
        .collect()
}

fn skip(history: &History<'_>, at: usize, reason: &str) -> Skipped {
    let change = &history.dev[at];
    Skipped { commit: Hex(change.id), subject: change.subject.clone(), reason: reason.to_owned() }
}

/// One line for people.
pub fn why_promoted(promoted: Promoted) -> String {
    let on = promoted.commit.map_or_else(String::new, |c| format!(" as {}", c.0.short()));
    match promoted.by {
        By::Trailer if promoted.is_settled() => {
            format!("already promoted{on}: the trailer names it and the patches agree")
        }
        By::Trailer => format!("promoted, adapted{on}: the message names it, and the patches differ"),
        By::PatchId => format!("already promoted{on}: the same patch"),
        By::EmptyPick => format!("nothing left to do{on}: what it changes stands on production"),
        By::SubjectAndTime => format!("probably promoted{on}: same subject, author and author time"),
    }
}

/// Which hunks an adapted copy has of its own, and lacks.
fn adapted(history: &History<'_>, at: usize, promoted: Promoted) -> Result<String> {
    let copy = promoted.commit.and_then(|id| history.main.iter().find(|c| c.id == id.0));
    let Some(copy) = copy.filter(|_| promoted.by == By::Trailer && !promoted.is_settled()) else {
        return Ok(String::new());
    };
    let original = &history.dev[at];
    let differences = verify::differences(&history.picker, (copy.base, copy.tree()), (original.base, original.tree()))?;
    let mut places: Vec<String> = differences
        .iter()
        .map(|d| if d.lines.is_empty() { d.path.clone() } else { format!("{}:{}", d.path, d.lines) })
        .collect();
    places.dedup();
    let more = places.len().saturating_sub(PLACES);
    places.truncate(PLACES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Ok(format!(" in {}{more}", places.join(", ")))
}

/// So many differing hunks of an adapted copy are named.
const PLACES: usize = 5;

struct Builder<'b, 'h, 'r> {
    history: &'h History<'r>,
    simulation: &'b Simulation<'h, 'r>,
    promoted: &'b [Option<Promoted>],
    steps: Vec<Step>,
}

impl Builder<'_, '_, '_> {
    fn taken(
        &mut self,
        at: usize,
        empty: bool,
        tree: crate::subject::Oid,
        role: Role,
        because: &[Because],
        required: &BTreeMap<usize, usize>,
    ) {
        let history = self.history;
        let mut reasons: Vec<Reason> = because
            .iter()
            .filter(|b| b.needs == at)
            .map(|b| Reason {
                commit: Hex(history.dev[b.needed].id),
                path: text::sanitise(&b.path),
                lines: b.lines.clone(),
            })
            .collect();
        let trailers = required.iter().filter(|(_, who)| **who == at);
        reasons.extend(trailers.map(|(needed, _)| Reason {
            commit: Hex(history.dev[*needed].id),
            path: "Depends-on".to_owned(),
            lines: String::new(),
        }));
        let state = if empty { State::Empty } else { State::Clean };
        self.push(at, state, tree, role, reasons, Vec::new());
    }

    fn failed(&mut self, at: usize, tree: crate::subject::Oid) -> Result<()> {
        let picked = self.simulation.pick(tree, at)?;
        let picked = match *picked {
            // It fits onto this tree only because something that must come before it does not.
            Picked::Clean(_) => self.simulation.pick(self.history.tree, at)?,
            _ => picked,
        };
        let clashes: &[Clash] = if let Picked::Conflict(clashes) = picked.as_ref() { clashes } else { &[] };
        let mut conflicts = Vec::with_capacity(clashes.len());
        for clash in clashes {
            let blocker = blame::blocker(self.history, clash)?;
            conflicts.push(Conflict {
                path: text::sanitise(&clash.path),
                lines: blame::span(clash.overlaps.iter().map(|o| &o.ours)),
                kind: kind_name(clash.kind).to_owned(),
                theirs: blame::span(clash.overlaps.iter().map(|o| &o.theirs)),
                blocker: blocker.map(|c| Blocker { commit: Hex(c.id), subject: c.subject.clone() }),
            });
        }
        self.push(at, State::Conflict, tree, Role::Selected, Vec::new(), conflicts);
        Ok(())
    }

    fn push(
        &mut self,
        at: usize,
        state: State,
        tree: crate::subject::Oid,
        role: Role,
        because: Vec<Reason>,
        conflicts: Vec<Conflict>,
    ) {
        let change = &self.history.dev[at];
        self.steps.push(Step {
            commit: Hex(change.id),
            subject: change.subject.clone(),
            state,
            tree: Hex(tree),
            role,
            because,
            conflicts,
            promoted: self.promoted[at],
            findings: Vec::new(),
            identity: Vec::new(),
            split: Vec::new(),
            proposals: Vec::new(),
        });
    }
}

pub fn kind_name(kind: ClashKind) -> &'static str {
    match kind {
        ClashKind::Content => "content",
        ClashKind::Missing => "missing",
        ClashKind::Changed => "changed",
        ClashKind::BothAdded => "both-added",
        ClashKind::Binary => "binary",
        ClashKind::Directory => "directory",
        ClashKind::Attribute => "attribute",
        ClashKind::Rename => "rename",
    }
}
