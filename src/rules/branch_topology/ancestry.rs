//! Lazy walks towards ancestors: each goes only as far as its answer needs.
//! Owns how generation numbers and commit dates bound a walk. Sets of commits between two tips are `graph`'s.

use std::collections::{BinaryHeap, HashSet};

use crate::error::{Error, Result};
use crate::subject::{Graph, Links, Oid};

/// The ancestors of some tips, including the tips, walked on demand.
#[derive(Default)]
pub struct Ancestry {
    seen: HashSet<Oid>,
    /// Commits whose parents were not visited yet, highest generation and latest date first.
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

    /// Visits the next commit's parents. False once no further commit can have generation `lowest`.
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

/// The `targets` that are reachable from `from`, itself included. Walks no further than the last of them.
pub fn reachable(graph: &dyn Graph, from: Oid, targets: &HashSet<Oid>) -> Result<HashSet<Oid>> {
    let mut by_level: Vec<(u32, Oid)> = Vec::new();
    for target in targets {
        by_level.push((links(graph, *target)?.2, *target));
    }
    // Highest generation first, so that later targets reuse the walk.
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

/// Iterates over a commit and its ancestors by date, latest first, down to a date bound.
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

    /// The next commit and its number of parents; `None` if it is older than `bound`.
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

/// Parents, commit time and generation.
pub fn links(graph: &dyn Graph, commit: Oid) -> Result<(Vec<Oid>, i64, u32)> {
    let links = graph.links(commit)?;
    let level = level(&links);
    Ok((links.parents, links.time, level))
}

/// The generation number; `u32::MAX` outside the commit-graph file. Old versions of git wrote 0 for all commits, which
/// means unknown.
pub fn level(links: &Links) -> u32 {
    links.generation.filter(|level| *level > 0).unwrap_or(u32::MAX)
}

/// The error for a walk that reaches the shallow boundary.
pub fn shallow(cut: Oid) -> Error {
    Error::undecided(format!("the history ends at {} because this clone is shallow", cut.short()))
        .hint("git fetch --unshallow   # in GitHub Actions: actions/checkout with fetch-depth: 0")
}
