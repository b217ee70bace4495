//! Picks one after the other, in memory, each one worked out once per tree that it meets.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::history::History;
use crate::error::Result;
use crate::git::{Clash, Picked};
use crate::subject::Oid;

/// Remembers what became of each pick.
pub struct Simulation<'h, 'r> {
    history: &'h History<'r>,
    done: RefCell<HashMap<(Oid, usize), Rc<Picked>>>,
    picks: Cell<u64>,
}

/// One pick of a run.
#[derive(Clone, Debug)]
pub struct Taken {
    /// Position in [`History::dev`].
    pub at: usize,
    /// The tree after it.
    pub tree: Oid,
    pub empty: bool,
}

/// A run of picks, up to the first that does not fit.
pub struct Run {
    pub taken: Vec<Taken>,
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
        Self { history, done: RefCell::default(), picks: Cell::new(0) }
    }

    /// How many merges were worked out; asking again for one is free.
    pub fn picks(&self) -> u64 {
        self.picks.get()
    }

    pub fn pick(&self, onto: Oid, at: usize) -> Result<Rc<Picked>> {
        if let Some(picked) = self.done.borrow().get(&(onto, at)) {
            return Ok(Rc::clone(picked));
        }
        let change = &self.history.dev[at];
        let picked = Rc::new(self.history.picker.pick(change.base, change.tree(), onto)?);
        self.picks.set(self.picks.get() + 1);
        self.done.borrow_mut().insert((onto, at), Rc::clone(&picked));
        Ok(picked)
    }

    /// Picks in the order given, from the tip of production on.
    pub fn run(&self, order: &[usize]) -> Result<Run> {
        let mut tree = self.history.tree;
        let mut taken = Vec::with_capacity(order.len());
        for at in order {
            let picked = self.pick(tree, *at)?;
            let Picked::Clean(next) = *picked else { return Ok(Run { taken, stopped: Some((*at, picked)) }) };
            taken.push(Taken { at: *at, tree: next, empty: next == tree });
            tree = next;
        }
        Ok(Run { taken, stopped: None })
    }
}
