//! First-parent lines of development's trunk: which commits of a line could explain a change on production, by whole files.

use std::collections::{HashMap, HashSet};

use bstr::BString;

use super::graph::{CommitIndex, Region};
use super::patches::{CommitChanges, PatchCache};
use crate::error::Result;
use crate::subject::Oid;

/// A first-parent line of the trunk, oldest first, with what each commit changes.
#[derive(Clone)]
pub(super) struct TrunkLine {
    pub(super) commits: Vec<(CommitIndex, CommitChanges)>,
    /// State below the line, for paths that the line or production changes.
    below: HashMap<BString, Option<Oid>>,
    /// Production's state, for paths that differ from `below`.
    production: HashMap<BString, Option<Oid>>,
}

/// Whether a merge of whole files gives one path its expected state.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PathFit {
    Same,
    /// Both sides changed the file: only a line-by-line merge can tell.
    Open,
    Differs,
}

impl TrunkLine {
    pub(super) fn apply_production(&mut self, delta: &CommitChanges) {
        for (path, before, after) in delta.iter() {
            // Neither side had changed the path yet, so `below` and production are equal.
            self.below.entry(path.clone()).or_insert(*before);
            self.production.insert(path.clone(), *after);
        }
    }

    /// `theirs` is the line's state of the path.
    fn fit(&self, path: &BString, theirs: Option<Oid>, delta: &HashMap<&BString, Option<Oid>>) -> PathFit {
        let below = self.below.get(path).copied();
        let ours = self.production.get(path).copied().or(below);
        let target = delta.get(path).copied().or(ours);
        let merged = if ours == Some(theirs) || below == Some(theirs) {
            ours
        } else if ours == below {
            Some(theirs)
        } else {
            return if target == Some(theirs) { PathFit::Same } else { PathFit::Open };
        };
        if merged == target { PathFit::Same } else { PathFit::Differs }
    }

    /// The commits of the line whose merge can result in `delta`, newest first: those that fit by whole files, and those that
    /// touch one of its paths and could fit by merging lines.
    pub(super) fn candidates(&self, delta: &CommitChanges) -> (Vec<CommitIndex>, Vec<CommitIndex>) {
        let wanted: HashMap<&BString, Option<Oid>> = delta.iter().map(|(path, _, new)| (path, *new)).collect();
        let (mut open, mut differs) = (0_usize, 0_usize);
        let count = |fit: PathFit, add: bool, counts: (&mut usize, &mut usize)| {
            let counter = match fit {
                PathFit::Same => return,
                PathFit::Open => counts.0,
                PathFit::Differs => counts.1,
            };
            *counter = if add { *counter + 1 } else { counter.saturating_sub(1) };
        };
        for (path, before, _) in delta.iter() {
            let theirs = self.below.get(path).copied().unwrap_or(*before);
            count(self.fit(path, theirs, &wanted), true, (&mut open, &mut differs));
        }
        let (mut likely, mut by_lines) = (Vec::new(), Vec::new());
        for (at, changes) in &self.commits {
            for (path, before, after) in changes.iter() {
                count(self.fit(path, *before, &wanted), false, (&mut open, &mut differs));
                count(self.fit(path, *after, &wanted), true, (&mut open, &mut differs));
            }
            let touches = || changes.iter().any(|c| wanted.contains_key(&c.0));
            match (differs, open) {
                (0, 0) => likely.push(*at),
                (0, _) if touches() => by_lines.push(*at),
                _ => {}
            }
        }
        likely.reverse();
        by_lines.reverse();
        (likely, by_lines)
    }
}

/// The lines of the trunk that end at `start`, with the changes of each commit.
pub(super) fn lines(
    region: &Region<'_>,
    trunk: &[CommitIndex],
    start: Option<Oid>,
    patches: &mut PatchCache<'_>,
) -> Result<Vec<TrunkLine>> {
    let on: HashSet<CommitIndex> = trunk.iter().copied().collect();
    let continued: HashSet<CommitIndex> = trunk.iter().filter_map(|c| region.parents(*c).first().copied()).collect();
    let Some(start) = start else { return Ok(Vec::new()) };
    let start = patches.node(start)?.tree;
    let mut out = Vec::new();
    for head in trunk.iter().filter(|c| !continued.contains(c)) {
        let mut commits = Vec::new();
        let mut next = Some(*head);
        // Spend half of the budget, and keep the rest for other lines and the search for promoted commits.
        let most = patches.diffs_left() / 2;
        while let Some(at) = next.filter(|c| on.contains(c) && region.is_expanded(*c)) {
            if commits.len() == most {
                patches.mark_spent();
                break;
            }
            let Some(delta) = patches.delta(region.oid(at))? else { break };
            commits.push((at, delta));
            next = region.parents(at).first().copied();
        }
        commits.reverse();
        let bottom = match next {
            Some(at) => Some(patches.node(region.oid(at))?.tree),
            None => None,
        };
        let Some(changes) = patches.diff(bottom, start)? else { break };
        let mut line = TrunkLine { commits, below: HashMap::new(), production: HashMap::new() };
        for (path, before, after) in changes {
            line.below.insert(path.clone(), before);
            line.production.insert(path, after);
        }
        for (path, before, _) in line.commits.iter().flat_map(|(_, delta)| delta.iter()) {
            line.below.entry(path.clone()).or_insert(*before);
        }
        out.push(line);
    }
    Ok(out)
}
