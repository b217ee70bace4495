//! Sets of commits between tips: the commits that an update brings, those of them that development has, and development's
//! trunk. Owns one lazy walk that paints the region between the tips; knows nothing of policies, tags or findings.
//!
//! Three colours flow from the tips to the parents: [`OLD`], [`NEW`], [`DEV`]. Dates and generations order the walk.
//! Paint alone decides that a commit is *inside* a set. That it is *outside* `Anc(old)` (the ancestors of the old tip) is
//! proved by walking the old side to its end or down to a generation that cannot reach the commit. Where neither is cheap,
//! dates are trusted until a wrong one is found. An undetected wrong date can only make [`Region::is_gained`] too large: the
//! gate may refuse too much, never too little.

use std::collections::{BinaryHeap, HashMap, VecDeque};

use super::ancestry::{links, shallow};
use crate::error::Result;
use crate::subject::{Graph, Oid};

/// Reached from the update's old side.
pub const OLD: u8 = 1;
/// Reached from the update's new tip.
pub const NEW: u8 = 2;
/// Reached from a development branch.
pub const DEV: u8 = 4;
const SEEN_PARENTS: u8 = 8;
const SHALLOW: u8 = 16;

/// How many commits below the oldest gained one are checked for wrong dates.
const PROBE: usize = 64;

/// Index of a commit in its region.
pub type CommitIndex = usize;

struct PaintedCommit {
    oid: Oid,
    /// Generation number; `u32::MAX` outside the commit-graph file.
    level: u32,
    time: i64,
    paint: u8,
    parents: Vec<CommitIndex>,
    /// Parents that were not visited yet.
    unseen: Vec<Oid>,
}

/// The painted part of a commit graph.
pub struct Region<'g> {
    graph: &'g dyn Graph,
    commits: Vec<PaintedCommit>,
    index: HashMap<Oid, CommitIndex>,
    /// Painted commits whose parents were not visited yet, highest generation and latest date first.
    queue: BinaryHeap<(u32, i64, CommitIndex)>,
    /// Number of queued commits that are not in `Anc(old)`.
    open: usize,
    /// A parent is later than its child.
    has_wrong_dates: bool,
    /// Counts how often paint reached a commit whose parents were visited before.
    repaints: usize,
    /// Tips of the development branches.
    tips: Vec<CommitIndex>,
    new: Option<CommitIndex>,
}

impl<'g> Region<'g> {
    /// Paints from `old` and `new` until every commit of `Anc(new)` that may be outside `Anc(old)` was visited. Costs about
    /// as much as `git rev-list new ^old`.
    pub fn between(graph: &'g dyn Graph, old: &[Oid], new: Oid) -> Result<Self> {
        let mut region = Self {
            graph,
            commits: Vec::new(),
            index: HashMap::new(),
            queue: BinaryHeap::new(),
            open: 0,
            has_wrong_dates: false,
            repaints: 0,
            tips: Vec::new(),
            new: None,
        };
        for tip in old {
            let at = region.at(*tip)?;
            region.paint(at, OLD);
        }
        let at = region.at(new)?;
        region.new = Some(at);
        region.paint(at, NEW);
        while region.open > 0 {
            region.expand_next()?;
        }
        if let Some(cut) = region.members().find(|c| region.has_paint(*c, SHALLOW)) {
            return Err(shallow(region.oid(cut)));
        }
        Ok(region)
    }

    /// Number of commits; every [`CommitIndex`] is smaller.
    pub fn len(&self) -> usize {
        self.commits.len()
    }

    pub fn is_empty(&self) -> bool {
        self.commits.is_empty()
    }

    pub fn oid(&self, at: CommitIndex) -> Oid {
        self.commits[at].oid
    }

    /// The update's new tip.
    pub fn tip(&self) -> Option<CommitIndex> {
        self.new
    }

    pub fn find(&self, oid: Oid) -> Option<CommitIndex> {
        self.index.get(&oid).copied()
    }

    /// Empty for commits of `Anc(old)` that the walk did not need to expand.
    pub fn parents(&self, at: CommitIndex) -> &[CommitIndex] {
        &self.commits[at].parents
    }

    /// The walk visited the commit's parents.
    pub fn is_expanded(&self, at: CommitIndex) -> bool {
        self.has_paint(at, SEEN_PARENTS)
    }

    /// The commit's date; see [`Graph::time`].
    pub fn time(&self, at: CommitIndex) -> i64 {
        self.commits[at].time
    }

    /// Whether the commit has one of these colours.
    pub fn has_paint(&self, at: CommitIndex, paint: u8) -> bool {
        self.commits[at].paint & paint != 0
    }

    /// `Anc(new) \ Anc(old)`.
    pub fn is_gained(&self, at: CommitIndex) -> bool {
        self.has_paint(at, NEW) && !self.has_paint(at, OLD)
    }

    /// `Anc(new) \ Anc(old)`, in no particular order. Can be too large, see the module.
    pub fn members(&self) -> impl Iterator<Item = CommitIndex> + '_ {
        (0..self.commits.len()).filter(|c| self.is_gained(*c))
    }

    /// The update brings the commit and a development branch has it.
    pub fn is_shared(&self, at: CommitIndex) -> bool {
        self.is_gained(at) && self.has_paint(at, DEV)
    }

    /// The members on the tip's first-parent chain, tip first.
    pub fn chain(&self, tip: Oid) -> Vec<CommitIndex> {
        let first = self.find(tip);
        std::iter::successors(first, |c| self.parents(*c).first().copied()).take_while(|c| self.is_gained(*c)).collect()
    }

    /// Paints from development tips until it is known which members they reach.
    /// Costs at most the region between those tips and `old`; nothing if every member is new to the repository.
    pub fn paint_development(&mut self, tips: &[Oid]) -> Result<()> {
        for tip in tips {
            let at = self.at(*tip)?;
            self.tips.push(at);
            self.paint(at, DEV);
        }
        let mut undecided = Vec::new();
        for at in self.members().filter(|c| !self.has_paint(*c, DEV)).collect::<Vec<_>>() {
            if !self.graph.is_new(self.oid(at))? {
                undecided.push(at);
            }
        }
        let mut lowest = self.lowest_level(&undecided);
        let mut repaints = self.repaints;
        while self.open > 0 && !undecided.is_empty() {
            // Generations decrease towards ancestors, so nothing in the queue can reach the undecided commits.
            if self.queue.peek().is_some_and(|(level, ..)| *level != u32::MAX && *level <= lowest) {
                break;
            }
            self.expand_next()?;
            if self.repaints != repaints {
                repaints = self.repaints;
                undecided.retain(|c| self.commits[*c].paint & (DEV | OLD) == 0);
                lowest = self.lowest_level(&undecided);
            }
        }
        match self.outside_old().find(|c| self.has_paint(*c, SHALLOW)) {
            Some(cut) if !undecided.is_empty() => Err(shallow(self.oid(cut))),
            _ => Ok(()),
        }
    }

    /// Walks the development side down to `Anc(old)`, at most `limit` more commits. True if it got there.
    pub fn walk_dev_side(&mut self, limit: usize) -> Result<bool> {
        for _ in 0..limit {
            if self.open == 0 {
                break;
            }
            self.expand_next()?;
        }
        Ok(self.open == 0)
    }

    /// Every commit outside `Anc(old)` was visited.
    pub fn is_complete(&self) -> bool {
        self.open == 0
    }

    /// Walks the old side until no commit outside `Anc(old)` can turn out to be inside. The module says when dates are
    /// trusted. `Err` if a shallow boundary cuts the old side off.
    pub fn resolve_old_side(&mut self) -> Result<()> {
        let oldest = loop {
            let (level, time) = self
                .outside_old()
                .map(|c| (self.commits[c].level, self.commits[c].time))
                .fold((u32::MAX, i64::MAX), |low, c| (low.0.min(c.0), low.1.min(c.1)));
            let before = self.repaints;
            while let Some((next_level, next_time, _)) = self.queue.peek().copied() {
                if next_level != u32::MAX && next_level <= level {
                    break;
                }
                if !self.has_wrong_dates && next_time < time && !self.probe()? {
                    break;
                }
                self.expand_next()?;
            }
            if self.repaints == before {
                break time;
            }
        };
        let matters =
            |c: &CommitIndex| self.has_paint(*c, SHALLOW) && (self.has_wrong_dates || self.commits[*c].time >= oldest);
        match (0..self.commits.len()).find(matters) {
            Some(cut) => Err(shallow(self.oid(cut))),
            None => Ok(()),
        }
    }

    /// Visits a few commits below the point where dates say that the walk is over, evenly over all its ends. True if it finds
    /// a wrong date.
    fn probe(&mut self) -> Result<bool> {
        let mut ends: VecDeque<CommitIndex> = self.queue.drain().map(|(.., at)| at).collect();
        for _ in 0..PROBE {
            let Some(at) = ends.pop_front() else { break };
            self.expand(at)?;
            ends.extend(self.queue.drain().map(|(.., at)| at));
            if self.has_wrong_dates {
                break;
            }
        }
        let ends = ends.into_iter().map(|c| (self.commits[c].level, self.commits[c].time, c));
        self.queue = ends.collect();
        Ok(self.has_wrong_dates)
    }

    /// The maximal shared commits: none is an ancestor of another. Sorted by id.
    pub fn frontier(&self) -> Vec<CommitIndex> {
        let shared: Vec<CommitIndex> = self.members().filter(|c| self.is_shared(*c)).collect();
        // The shared set is closed under ancestry within the members, so a commit without a shared child is maximal.
        let mut maximal = vec![true; self.commits.len()];
        for at in &shared {
            self.parents(*at).iter().for_each(|p| maximal[*p] = false);
        }
        let mut tops: Vec<CommitIndex> = shared.into_iter().filter(|c| maximal[*c]).collect();
        tops.sort_unstable_by_key(|c| self.oid(*c));
        tops
    }

    /// `Anc(from) \ Anc(old)` without the ancestors of commits that match `stop`; `from` first.
    pub fn side(&self, from: CommitIndex, stop: impl Fn(CommitIndex) -> bool) -> Vec<CommitIndex> {
        let reach = self.reach(from, None);
        let mut cut = vec![false; self.commits.len()];
        for at in reach.iter().filter(|c| stop(**c)) {
            if !cut[*at] {
                self.reach(*at, Some(&mut cut));
            }
        }
        reach.into_iter().filter(|c| !cut[*c]).collect()
    }

    fn reach(&self, from: CommitIndex, marks: Option<&mut Vec<bool>>) -> Vec<CommitIndex> {
        let mut own = Vec::new();
        let marks = marks.unwrap_or_else(|| {
            own = vec![false; self.commits.len()];
            &mut own
        });
        let (mut out, mut stack) = (Vec::new(), vec![from]);
        while let Some(at) = stack.pop() {
            if !self.has_paint(at, OLD) && !std::mem::replace(&mut marks[at], true) {
                out.push(at);
                stack.extend(self.parents(at).iter().rev());
            }
        }
        out
    }

    /// The development branches' own line, newest first: first parents from their tips and `earlier` tips down to `Anc(old)`.
    /// At a merge, the other parents too if `follows` returns true; it gets the merge and whether its first parent is in
    /// `Anc(old)`.
    pub fn trunk(
        &self,
        earlier: impl Iterator<Item = Oid>,
        mut follows: impl FnMut(Oid, bool) -> Result<bool>,
    ) -> Result<Vec<CommitIndex>> {
        let mut on = vec![false; self.commits.len()];
        let (mut trunk, mut stack) = (Vec::new(), self.tips.clone());
        stack.extend(earlier.filter_map(|tip| self.find(tip)).filter(|at| self.has_paint(*at, DEV)));
        while let Some(tip) = stack.pop() {
            let mut next = Some(tip);
            while let Some(at) = next {
                if self.has_paint(at, OLD) || std::mem::replace(&mut on[at], true) {
                    break;
                }
                trunk.push(at);
                let parents = self.parents(at);
                next = parents.first().copied();
                if let [first, others @ ..] = parents
                    && !others.is_empty()
                    && follows(self.oid(at), self.has_paint(*first, OLD))?
                {
                    stack.extend(others);
                }
            }
        }
        trunk.sort_by_key(|c| std::cmp::Reverse((self.commits[*c].level, self.commits[*c].time)));
        Ok(trunk)
    }

    /// Commits that development has and `old` does not, latest first, as far as the walk went.
    pub fn development(&self) -> Vec<CommitIndex> {
        let mut out: Vec<CommitIndex> =
            self.outside_old().filter(|c| self.has_paint(*c, DEV) && self.is_expanded(*c)).collect();
        out.sort_by_key(|c| std::cmp::Reverse((self.commits[*c].level, self.commits[*c].time)));
        out
    }

    fn outside_old(&self) -> impl Iterator<Item = CommitIndex> + '_ {
        (0..self.commits.len()).filter(|c| !self.has_paint(*c, OLD))
    }

    fn lowest_level(&self, of: &[CommitIndex]) -> u32 {
        of.iter().map(|c| self.commits[*c].level).min().unwrap_or(u32::MAX)
    }

    fn at(&mut self, oid: Oid) -> Result<CommitIndex> {
        if let Some(at) = self.index.get(&oid) {
            return Ok(*at);
        }
        let (unseen, time, level) = links(self.graph, oid)?;
        let at = self.commits.len();
        self.commits.push(PaintedCommit { oid, level, time, paint: 0, parents: Vec::new(), unseen });
        self.index.insert(oid, at);
        Ok(at)
    }

    /// Visits the parents of the next commit in the queue.
    fn expand_next(&mut self) -> Result<()> {
        match self.queue.pop() {
            Some((.., at)) => self.expand(at),
            None => Ok(()),
        }
    }

    fn expand(&mut self, at: CommitIndex) -> Result<()> {
        let PaintedCommit { oid, time, paint, .. } = self.commits[at];
        if paint & OLD == 0 {
            self.open -= 1;
        }
        self.commits[at].paint |= SEEN_PARENTS;
        if self.graph.is_shallow(oid)? {
            self.commits[at].paint |= SHALLOW;
            return Ok(());
        }
        let mut parents = Vec::new();
        for parent in std::mem::take(&mut self.commits[at].unseen) {
            let parent = self.at(parent)?;
            self.has_wrong_dates |= self.commits[parent].time > time;
            parents.push(parent);
        }
        self.commits[at].parents = parents.clone();
        parents.into_iter().for_each(|p| self.paint(p, paint & (OLD | NEW | DEV)));
        Ok(())
    }

    /// Paints a commit and all of its ancestors that were expanded already.
    fn paint(&mut self, at: CommitIndex, colours: u8) {
        let mut stack = vec![(at, colours)];
        while let Some((at, colours)) = stack.pop() {
            let had = self.commits[at].paint;
            let fresh = colours & !had;
            if fresh == 0 {
                continue;
            }
            self.commits[at].paint |= colours;
            if had & SEEN_PARENTS != 0 {
                self.repaints += 1;
                stack.extend(self.commits[at].parents.iter().map(|p| (*p, colours)));
            } else if had == 0 {
                let PaintedCommit { level, time, .. } = self.commits[at];
                self.queue.push((level, time, at));
                self.open += usize::from(colours & OLD == 0);
            } else if fresh & OLD != 0 {
                self.open -= 1;
            }
        }
    }
}
