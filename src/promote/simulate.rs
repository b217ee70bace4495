//! Simulates picks one after the other in memory; each is computed once per tree that it is applied to.

use std::rc::Rc;

use super::history::History;
use crate::error::Result;
use crate::git::{Clash, Picked};
use crate::subject::Oid;

/// Counts what it works out.
pub struct Simulation<'h, 'r> {
    history: &'h History<'r>,
    start: u64,
}

/// One pick of a run.
#[derive(Clone, Debug)]
pub struct PickedCommit {
    /// Position in [`History::dev`].
    pub at: usize,
    /// The tree after it.
    pub tree: Oid,
    pub empty: bool,
}

/// A run of picks, up to the first that does not fit.
pub struct Run {
    pub taken: Vec<PickedCommit>,
    /// The commit that does not fit, and why.
    pub stopped: Option<(usize, Rc<Picked>)>,
}

impl Run {
    /// The clashes of the commit that does not fit.
    pub fn clashes(&self) -> &[Clash] {
        match self.stopped.as_ref().map(|(_, picked)| picked.as_ref()) {
            Some(Picked::Conflict(clashes)) => clashes,
            _ => &[],
        }
    }
}

impl<'h, 'r> Simulation<'h, 'r> {
    pub fn new(history: &'h History<'r>) -> Self {
        Self { history, start: history.picker.merges() }
    }

    /// How many merges were worked out; asking again for one is free.
    pub fn picks(&self) -> u64 {
        self.history.picker.merges() - self.start
    }

    pub fn pick(&self, onto: Oid, at: usize) -> Result<Rc<Picked>> {
        let change = &self.history.dev[at];
        self.history.picker.pick_once(change.base, change.tree(), onto)
    }

    /// As [`Simulation::run`], but the tree at the end is not made: [`Run::taken`] lacks the last pick.
    pub fn trial(&self, order: &[usize]) -> Result<Run> {
        let Some((last, before)) = order.split_last() else { return self.run(order) };
        let mut run = self.run(before)?;
        if run.stopped.is_none() {
            let tree = run.taken.last().map_or(self.history.tree, |t| t.tree);
            let change = &self.history.dev[*last];
            let clash = self.history.picker.clash(change.base, change.tree(), tree)?;
            run.stopped = clash.map(|picked| (*last, picked));
        }
        Ok(run)
    }

    /// Picks in the order given, from the tip of production on.
    pub fn run(&self, order: &[usize]) -> Result<Run> {
        let mut tree = self.history.tree;
        let mut taken = Vec::with_capacity(order.len());
        for at in order {
            let picked = self.pick(tree, *at)?;
            let Picked::Clean(next) = *picked else { return Ok(Run { taken, stopped: Some((*at, picked)) }) };
            taken.push(PickedCommit { at: *at, tree: next, empty: next == tree });
            tree = next;
        }
        Ok(Run { taken, stopped: None })
    }
}
