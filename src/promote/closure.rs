//! The smallest set of further commits that lets the chosen ones apply, and its proof. A conflict at a path can only be
//! mended by an earlier commit that touches that path, so the search branches over those alone, smallest sets first:
//! the first clean set is a smallest one, and running out of sets proves that there is none.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice as _};

use super::history::History;
use super::simulate::{Run, Simulation};
use crate::error::Result;
use crate::git::{Clash, ClashKind};

/// How much work the search for one group of commits may do before it settles for what it has.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    /// Sets of commits tried.
    pub sets: usize,
    /// Merges worked out.
    pub picks: u64,
}

impl Default for Bound {
    fn default() -> Self {
        Self { sets: 20_000, picks: 4_000 }
    }
}

/// What was found for all chosen commits together.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Closure {
    /// Chosen commits that apply and what they need, in the development branch's order.
    pub order: Vec<usize>,
    /// Chosen commits that no set of commits makes apply; or none that was found, where `proved` is false.
    pub failed: Vec<usize>,
    /// The set is a smallest one, and what failed cannot succeed.
    pub proved: bool,
}

/// Finds it. `chosen` and `pool` are positions in [`History::dev`], ascending; only commits of `pool` are added.
pub fn find(
    history: &History<'_>,
    simulation: &Simulation<'_, '_>,
    chosen: &[usize],
    pool: &[usize],
    bound: Bound,
) -> Result<Closure> {
    let retried = history.picker.rename_detections();
    let out = solve(simulation, groups(history, chosen, pool)?, bound)?;
    if history.picker.rename_detections() == retried {
        return Ok(out);
    }
    // Where renames were looked for, any file may have mattered to any other: then the proof needs all of them.
    if pool.len() <= FEW {
        return solve(simulation, vec![all_together(history, chosen, pool)?], bound);
    }
    let fits = simulation.run(&out.order)?.stopped.is_none();
    let added = out.order.len() + out.failed.len() - chosen.len();
    Ok(Closure { proved: out.proved && fits && out.failed.is_empty() && added <= 1, ..out })
}

/// So few commits are tried in every combination.
const FEW: usize = 12;

fn solve(simulation: &Simulation<'_, '_>, groups: Vec<Group>, bound: Bound) -> Result<Closure> {
    let mut out = Closure { proved: true, ..Closure::default() };
    for group in groups {
        let mut search = Search { simulation, touches: &group.touches, bound };
        let mut wanted = group.chosen.clone();
        let mut found = search.smallest(&wanted)?;
        if found.set.is_none() && wanted.len() > 1 {
            // One by one, so that one hopeless commit does not take the others with it.
            wanted.clear();
            found = SmallestSet { set: Some(Vec::new()), proved: true };
            for at in &group.chosen {
                let more: Vec<usize> = wanted.iter().copied().chain([*at]).collect();
                let next = search.smallest(&more)?;
                found.proved &= next.proved;
                if let Some(set) = next.set {
                    wanted = more;
                    found.set = Some(set);
                }
            }
        }
        let taken = found.set.unwrap_or_default();
        out.failed.extend(group.chosen.iter().filter(|at| !taken.contains(at)));
        out.order.extend(taken);
        out.proved &= found.proved;
    }
    out.order.sort_unstable();
    out.failed.sort_unstable();
    Ok(out)
}

fn all_together(history: &History<'_>, chosen: &[usize], pool: &[usize]) -> Result<Group> {
    let mut out = Group { chosen: chosen.to_vec(), touches: Touches::default() };
    for group in groups(history, chosen, pool)? {
        out.touches.paths.extend(group.touches.paths);
    }
    out.touches.pool = pool.iter().copied().filter(|at| chosen.binary_search(at).is_err()).collect();
    Ok(out)
}

/// Commits that can matter to each other: linked by the paths they touch.
#[derive(Default)]
struct Group {
    chosen: Vec<usize>,
    touches: Touches,
}

/// Who of a group touches what; positions ascending.
#[derive(Default)]
struct Touches {
    /// The paths that may be one file under several names share a list.
    paths: HashMap<BString, Rc<Vec<usize>>>,
    /// Commits that may be added.
    pool: BTreeSet<usize>,
}

fn groups(history: &History<'_>, chosen: &[usize], pool: &[usize]) -> Result<Vec<Group>> {
    let all: BTreeSet<usize> = chosen.iter().chain(pool).copied().collect();
    let mut names: BTreeMap<BString, usize> = BTreeMap::new();
    let mut links = Links::default();
    let mut touched: Vec<(usize, usize)> = Vec::new();
    for at in &all {
        let change = &history.dev[*at];
        let edits = history.picker.edits(change.base, change.tree())?;
        let moves = edits.iter().any(|e| e.new.is_none()) && edits.iter().any(|e| e.old.is_none());
        let mut first = None;
        for edit in edits.iter() {
            let name = *names.entry(edit.path.clone()).or_insert_with(|| links.add());
            touched.push((name, *at));
            // What goes and what comes in one commit may be one file that moves.
            if moves && (edit.new.is_none() || edit.old.is_none()) {
                links.join(name, *first.get_or_insert(name));
            }
        }
    }
    // A file where another commit has a directory.
    for (path, name) in &names {
        for (slash, _) in path.iter().enumerate().filter(|(_, b)| **b == b'/') {
            if let Some(above) = names.get(path[..slash].as_bstr()) {
                links.join(*name, *above);
            }
        }
    }
    let mut files: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (name, at) in touched {
        files.entry(links.root(name)).or_default().push(at);
    }
    // Commits that share a file.
    let mut commits = Links((0..history.dev.len()).collect());
    for list in files.values_mut() {
        list.sort_unstable();
        list.dedup();
        list.windows(2).for_each(|w| commits.join(w[0], w[1]));
    }
    let mut out: BTreeMap<usize, Group> = BTreeMap::new();
    for at in chosen {
        out.entry(commits.root(*at)).or_default().chosen.push(*at);
    }
    for at in pool.iter().filter(|at| chosen.binary_search(at).is_err()) {
        if let Some(group) = out.get_mut(&commits.root(*at)) {
            group.touches.pool.insert(*at);
        }
    }
    let files: HashMap<usize, Rc<Vec<usize>>> = files.into_iter().map(|(f, list)| (f, Rc::new(list))).collect();
    for (path, name) in names {
        let Some(list) = files.get(&links.root(name)) else { continue };
        if let Some(group) = out.get_mut(&commits.root(list[0])) {
            group.touches.paths.insert(path, Rc::clone(list));
        }
    }
    Ok(out.into_values().collect())
}

/// Union of sets.
#[derive(Default)]
struct Links(Vec<usize>);

impl Links {
    fn add(&mut self) -> usize {
        self.0.push(self.0.len());
        self.0.len() - 1
    }

    fn root(&mut self, at: usize) -> usize {
        let mut top = at;
        while self.0[top] != top {
            top = self.0[top];
        }
        self.0[at] = top;
        top
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}

struct Search<'s, 'h, 'r> {
    simulation: &'s Simulation<'h, 'r>,
    touches: &'s Touches,
    bound: Bound,
}

struct SmallestSet {
    set: Option<Vec<usize>>,
    proved: bool,
}

impl Search<'_, '_, '_> {
    fn smallest(&mut self, wanted: &[usize]) -> Result<SmallestSet> {
        let start = self.simulation.picks();
        let mut seen: HashSet<Vec<usize>> = HashSet::from([wanted.to_vec()]);
        let mut level = vec![wanted.to_vec()];
        while !level.is_empty() {
            let mut clean: Option<Vec<usize>> = None;
            let mut next = Vec::new();
            for set in &level {
                let run = self.simulation.trial(set)?;
                if run.stopped.is_none() {
                    // Equally small: the one that comes first in the development branch.
                    clean = Some(clean.map_or_else(|| set.clone(), |best| best.min(set.clone())));
                } else if clean.is_none() {
                    for more in self.helpers(&run, set) {
                        let larger = with(set, more);
                        if seen.insert(larger.clone()) {
                            next.push(larger);
                        }
                    }
                }
                if seen.len() > self.bound.sets || self.simulation.picks() - start > self.bound.picks {
                    let set = match clean {
                        Some(set) => Some(set),
                        None => self.greedy(wanted)?,
                    };
                    return Ok(SmallestSet { set, proved: false });
                }
            }
            if clean.is_some() {
                return Ok(SmallestSet { set: clean, proved: true });
            }
            level = next;
        }
        Ok(SmallestSet { set: None, proved: true })
    }

    /// Commits that could change what the stopped one meets.
    fn helpers(&self, run: &Run, set: &[usize]) -> Vec<usize> {
        let Some((stopped, _)) = &run.stopped else { return Vec::new() };
        let free = |at: &usize| at < stopped && self.touches.pool.contains(at) && set.binary_search(at).is_err();
        let paths: Option<Vec<&BStr>> = run.clashes().iter().map(own_path).collect();
        let mut out: Vec<usize> = match paths {
            // Each of these conflicts has to go: the one with the fewest helpers is enough to branch on.
            Some(paths) => paths
                .into_iter()
                .map(|p| {
                    let list = self.touches.paths.get(p).map_or(&[][..], |list| &list[..]);
                    list.iter().copied().filter(free).collect::<Vec<_>>()
                })
                .min_by_key(Vec::len)
                .unwrap_or_default(),
            None => self.touches.pool.iter().copied().filter(free).collect(),
        };
        out.sort_unstable();
        out
    }

    /// Everything that could help, then without whatever it can do without.
    fn greedy(&mut self, wanted: &[usize]) -> Result<Option<Vec<usize>>> {
        let mut set = wanted.to_vec();
        loop {
            let run = self.simulation.trial(&set)?;
            if run.stopped.is_none() {
                break;
            }
            let more = self.helpers(&run, &set);
            if more.is_empty() {
                return Ok(None);
            }
            more.into_iter().for_each(|at| set = with(&set, at));
        }
        for at in set.clone().into_iter().rev().filter(|at| wanted.binary_search(at).is_err()) {
            let less: Vec<usize> = set.iter().copied().filter(|other| *other != at).collect();
            if self.simulation.trial(&less)?.stopped.is_none() {
                set = less;
            }
        }
        Ok(Some(set))
    }
}

/// The path that alone decides about a clash; `None` where a rename or a directory reaches beyond it.
fn own_path(clash: &Clash) -> Option<&BStr> {
    matches!(clash.kind, ClashKind::Content | ClashKind::Binary | ClashKind::Attribute).then(|| clash.path.as_bstr())
}

fn with(set: &[usize], more: usize) -> Vec<usize> {
    let mut out = set.to_vec();
    if let Err(at) = out.binary_search(&more) {
        out.insert(at, more);
    }
    out
}
