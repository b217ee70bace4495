//! Walks towards ancestors, each no further than its question needs.
//! Owns levels and dates of the commit-graph file; sets between two tips are `graph`'s.

use std::collections::{BinaryHeap, HashSet};

use crate::error::{Error, Result};
use crate::subject::{Graph, Links, Oid};

/// All ancestors of some tips, the tips included, walked as far as somebody asked.
#[derive(Default)]
pub struct Ancestry {
    seen: HashSet<Oid>,
    /// Commits whose parents were not looked at yet, highest level and latest time first.
    queue: BinaryHeap<(u32, i64, Oid, Vec<Oid>)>,
}

impl Ancestry {
    pub fn of(graph: &dyn Graph, tips: impl IntoIterator<Item = Oid>) -> Result<Self> {
        let mut ancestry = Self::default();
        for tip in tips {
            ancestry.add(graph, tip)?;
        }
        Ok(ancestry)
    }

    fn add(&mut self, graph: &dyn Graph, commit: Oid) -> Result<()> {
        if self.seen.insert(commit) {
            let (parents, time, level) = links(graph, commit)?;
            self.queue.push((level, time, commit, parents));
        }
        Ok(())
    }

    pub fn contains(&mut self, graph: &dyn Graph, commit: Oid) -> Result<bool> {
        if self.seen.contains(&commit) {
            return Ok(true);
        }
        let lowest = links(graph, commit)?.2;
        while !self.seen.contains(&commit) && self.expand_next(graph, lowest)? {}
        Ok(self.seen.contains(&commit))
    }

    /// Looks at the next commit's parents; false when no commit of level `lowest` can come any more.
    fn expand_next(&mut self, graph: &dyn Graph, lowest: u32) -> Result<bool> {
        if self.queue.peek().is_none_or(|(level, ..)| *level != u32::MAX && *level <= lowest) {
            return Ok(false);
        }
        let Some((.., commit, parents)) = self.queue.pop() else { return Ok(false) };
        if graph.is_shallow(commit)? {
            return Err(shallow(commit));
        }
        for parent in parents {
            self.add(graph, parent)?;
        }
        Ok(true)
    }
}

/// Those of `targets` that `from` reaches, itself included. Walks no further than the last of them.
pub fn reachable(graph: &dyn Graph, from: Oid, targets: &HashSet<Oid>) -> Result<HashSet<Oid>> {
    let mut by_level: Vec<(u32, Oid)> = Vec::new();
    for target in targets {
        by_level.push((links(graph, *target)?.2, *target));
    }
    // The highest first: what a lower one needs walked is walked then.
    by_level.sort_unstable_by(|a, b| b.cmp(a));
    let mut ancestry = Ancestry::of(graph, [from])?;
    let mut found = HashSet::new();
    for (_, target) in by_level {
        if ancestry.contains(graph, target)? {
            found.insert(target);
        }
    }
    Ok(found)
}

/// A commit's ancestors, itself included, latest first, as far as somebody asks. Dates decide what is left out.
pub struct AncestorsByDate<'g> {
    graph: &'g dyn Graph,
    seen: HashSet<Oid>,
    queue: BinaryHeap<(i64, Oid, Vec<Oid>)>,
}

impl<'g> AncestorsByDate<'g> {
    pub fn of(graph: &'g dyn Graph, tip: Oid) -> Result<Self> {
        let (parents, time, _) = links(graph, tip)?;
        Ok(Self { graph, seen: HashSet::from([tip]), queue: BinaryHeap::from([(time, tip, parents)]) })
    }

    /// The next commit, unless it is older than `bound`; with how many parents it has.
    pub fn next_since(&mut self, bound: i64) -> Result<Option<(Oid, usize)>> {
        if self.queue.peek().is_none_or(|(time, ..)| *time < bound) {
            return Ok(None);
        }
        let Some((_, commit, parents)) = self.queue.pop() else { return Ok(None) };
        if !self.graph.is_shallow(commit)? {
            for parent in &parents {
                if self.seen.insert(*parent) {
                    let (above, time, _) = links(self.graph, *parent)?;
                    self.queue.push((time, *parent, above));
                }
            }
        }
        Ok(Some((commit, parents.len())))
    }
}

/// Parents, time and level.
pub fn links(graph: &dyn Graph, commit: Oid) -> Result<(Vec<Oid>, i64, u32)> {
    let links = graph.links(commit)?;
    let level = level(&links);
    Ok((links.parents, links.time, level))
}

/// `u32::MAX` outside the commit-graph file. Old versions of git wrote one with 0 for every level: that is none.
pub fn level(links: &Links) -> u32 {
    links.generation.filter(|level| *level > 0).unwrap_or(u32::MAX)
}

/// The error of a walk that the clone's shallow boundary ends.
pub fn shallow(cut: Oid) -> Error {
    Error::undecided(format!("the history ends at {} because this clone is shallow", cut.short()))
        .hint("git fetch --unshallow   # in GitHub Actions: actions/checkout with fetch-depth: 0")
}
