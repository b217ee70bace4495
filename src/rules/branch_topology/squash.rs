//! Squashes: one commit with the content that merging several development commits would have brought. It can be a commit
//! with one parent, a merge that brings no other commits, or be hidden in a merge of something else.
//! Owns the search: compares changes path by path to find the development commits that may have been squashed, and merges
//! only those in memory.

use std::collections::{HashMap, HashSet};

use bstr::BString;

use super::ancestry::AncestorsByDate;
use super::content::{ContentIssue, ContentScope};
use super::graph::{CommitIndex, DEV, NEW, OLD, Region};
use super::leak;
use super::merges;
use super::patches::{self, CommitChanges, PatchCache};
use crate::error::Result;
use crate::subject::{Merged, Oid};

/// The budget of merges is divided by this for candidates whose files must be merged line by line to fit.
const LINE_MERGE_SHARE: usize = 1;
/// Maximum number of merge-base queries: each may walk far if development was never merged.
const MAX_BASE_QUERIES: usize = 20;
/// Seconds by which a copy may be older than its original, because clocks differ.
const CLOCKS_DIFFER: i64 = 3_600;

/// Searches the commits of `line`, a first-parent line of production's own commits, oldest first. `is_chain`: it is the
/// branch's own line, not one that a merge brings.
pub fn find_squashes(
    region: &Region<'_>,
    scope: &ContentScope<'_>,
    line: &[CommitIndex],
    is_chain: bool,
    cap: usize,
    patches: &mut PatchCache<'_>,
    issues: &mut Vec<ContentIssue>,
) -> Result<()> {
    let trunk = leak::trunk(region, scope.query)?;
    let start = line.first().and_then(|c| region.parents(*c).first()).map(|c| region.oid(*c));
    let mut lines = lines(region, &trunk, start, patches)?;
    let mut search = SquashSearch {
        region,
        scope,
        bases: MergeBases::new(region, scope, is_chain),
        line_merges_left: cap.div_ceil(LINE_MERGE_SHARE),
        patches,
    };
    let mut before: Option<CommitChanges> = None;
    for at in line {
        let commit = region.oid(*at);
        if let Some(done) = before.take() {
            lines.iter_mut().for_each(|line| line.apply_production(&done));
        }
        let Some(delta) = search.patches.delta(commit)? else { return Ok(()) };
        before = Some(delta.clone());
        if delta.is_empty() || region.is_shared(*at) {
            continue;
        }
        let issue = match region.parents(*at)[..] {
            [] => None,
            [base] => search.squash_issue(*at, base, &lines, &delta, None)?,
            [base, ref others @ ..] if merges::parents_bring_nothing(region, base, others) => {
                search.squash_issue(*at, base, &lines, &delta, None)?
            }
            [base, ..] => match merges::additions(region, *at, scope.query.graph, search.patches)? {
                None => None,
                Some(added) => {
                    let mut lines = lines.clone();
                    lines.iter_mut().for_each(|line| line.apply_production(&added.merged));
                    let whole = search.squash_issue(*at, base, &lines, &added.changes, Some(added.tree))?;
                    whole.or_else(|| hidden_content(region, *at, &lines, &added.changes))
                }
            },
        };
        issues.extend(issue);
    }
    Ok(())
}

/// Development content that a merge adds itself, if it is not a whole squash.
fn hidden_content(
    region: &Region<'_>,
    at: CommitIndex,
    lines: &[TrunkLine],
    added: &CommitChanges,
) -> Option<ContentIssue> {
    let added: HashSet<(&BString, Oid)> = added.iter().filter_map(|(path, _, new)| Some((path, (*new)?))).collect();
    let newest = lines.iter().flat_map(|line| line.commits.iter().rev());
    let mut paths: Vec<BString> = Vec::new();
    let mut of = None;
    for (commit, changes) in newest {
        let here = changes.iter().filter(|(path, _, new)| new.is_some_and(|new| added.contains(&(path, new))));
        for (path, ..) in here {
            of = of.or(Some(region.oid(*commit)));
            paths.push(path.clone());
        }
    }
    paths.sort_unstable();
    paths.dedup();
    Some(ContentIssue::HiddenInMerge { commit: region.oid(at), of: of?, paths })
}

struct SquashSearch<'s, 'g, 'p> {
    region: &'s Region<'g>,
    scope: &'s ContentScope<'s>,
    bases: MergeBases<'s>,
    /// Line-by-line merges left in the budget.
    line_merges_left: usize,
    patches: &'s mut PatchCache<'p>,
}

impl SquashSearch<'_, '_, '_> {
    /// The issue if the commit equals the merge of a development commit into `base`. `ours` is the tree to merge into if it
    /// is not that of `base`.
    fn squash_issue(
        &mut self,
        at: CommitIndex,
        base: CommitIndex,
        lines: &[TrunkLine],
        delta: &CommitChanges,
        ours: Option<Oid>,
    ) -> Result<Option<ContentIssue>> {
        let (region, commit) = (self.region, self.region.oid(at));
        let node = self.patches.node(commit)?;
        let (likely, long): (Vec<_>, Vec<_>) = lines.iter().map(|line| line.candidates(delta)).unzip();
        let likely: Vec<CommitIndex> = likely.into_iter().flatten().collect();
        let long: Vec<CommitIndex> = long.into_iter().flatten().collect();
        for (i, tip) in likely.iter().chain(&long).enumerate() {
            if i >= likely.len() {
                if self.line_merges_left == 0 {
                    self.patches.mark_spent();
                    break;
                }
                self.line_merges_left -= 1;
            }
            if !self.patches.take_merge() {
                break;
            }
            let Some(merged) = self.bases.merge(region, base, *tip, ours, self.patches)? else { break };
            if merged != Merged::Clean(node.tree)
                || !brings_several_unpromoted(region, self.scope, base, *tip, self.patches)?
            {
                continue;
            }
            let of = region.oid(*tip);
            return Ok(Some(match self.scope.query.releases.tag_on(of)? {
                Some(tag) => ContentIssue::TagSquash { commit, tag: tag.clone() },
                None => ContentIssue::Squash { commit, of },
            }));
        }
        Ok(None)
    }
}

/// A first-parent line of the trunk, oldest first, with what each commit changes.
#[derive(Clone)]
struct TrunkLine {
    commits: Vec<(CommitIndex, CommitChanges)>,
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
    fn apply_production(&mut self, delta: &CommitChanges) {
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
    fn candidates(&self, delta: &CommitChanges) -> (Vec<CommitIndex>, Vec<CommitIndex>) {
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

fn lines(
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

/// Merge bases of development commits and production, taken from the walked region where possible.
struct MergeBases<'s> {
    scope: &'s ContentScope<'s>,
    /// The development side was walked down to production's and no commit above production's old tip is shared, so the
    /// region has the merge bases.
    region_has_bases: bool,
    /// The commits are production's own line, which has every merge base. A topic may have been cut before one.
    is_chain: bool,
    queried: HashMap<CommitIndex, Vec<Oid>>,
    queries_left: usize,
}

impl<'s> MergeBases<'s> {
    fn new(region: &Region<'_>, scope: &'s ContentScope<'s>, is_chain: bool) -> Self {
        let forward = region.find(scope.old).is_some_and(|c| region.has_paint(c, NEW));
        let apart = !region.members().any(|c| region.is_shared(c));
        let region_has_bases = forward && apart && region.is_complete();
        Self { scope, region_has_bases, is_chain, queried: HashMap::new(), queries_left: MAX_BASE_QUERIES }
    }

    /// Merges a development commit into `base` of production, or into `ours_tree`. `None` if finding the merge base would cost
    /// too much.
    fn merge(
        &mut self,
        region: &Region<'_>,
        base: CommitIndex,
        tip: CommitIndex,
        ours_tree: Option<Oid>,
        patches: &mut PatchCache<'_>,
    ) -> Result<Option<Merged>> {
        let graph = self.scope.query.graph;
        let (ours, theirs) = (region.oid(base), region.oid(tip));
        let mut bases = self.bases_in_region(region, tip);
        if let (false, Some([end])) = (self.is_chain, bases.as_deref())
            && !graph.is_ancestor(*end, ours)?
        {
            bases = None;
        }
        let bases = match bases {
            Some(bases) => bases,
            None => {
                // The merge base only changes at merges.
                let key = self.key(region, tip);
                if !self.queried.contains_key(&key) {
                    // If our walk was given up, git's would be at least as long.
                    if self.queries_left == 0 || !region.is_complete() {
                        patches.mark_spent();
                        return Ok(None);
                    }
                    self.queries_left -= 1;
                    self.queried.insert(key, graph.merge_bases(ours, theirs)?);
                }
                self.queried[&key].clone()
            }
        };
        let base = match bases.as_slice() {
            [] => None,
            [_, _, ..] if ours_tree.is_none() => return graph.merge_commits(ours, theirs).map(Some),
            [first, ..] => Some(patches.node(*first)?.tree),
        };
        let ours = match ours_tree {
            Some(tree) => tree,
            None => patches.node(ours)?.tree,
        };
        graph.merge_trees(base, ours, patches.node(theirs)?.tree).map(Some)
    }

    /// Where the commit's side left production, if at one commit only.
    fn bases_in_region(&self, region: &Region<'_>, tip: CommitIndex) -> Option<Vec<Oid>> {
        if !self.region_has_bases {
            return None;
        }
        let side = region.side(tip, |_| false);
        let ends: HashSet<CommitIndex> =
            side.iter().flat_map(|c| region.parents(*c)).copied().filter(|c| region.has_paint(*c, OLD)).collect();
        (ends.len() < 2).then(|| ends.into_iter().map(|c| region.oid(c)).collect())
    }

    fn key(&self, region: &Region<'_>, tip: CommitIndex) -> CommitIndex {
        let mut at = tip;
        while let [parent] = region.parents(at)[..]
            && !region.has_paint(parent, OLD)
        {
            at = parent;
        }
        at
    }
}

/// Whether at least two development commits in `base..tip` were not promoted before. A trailer counts as promotion only if
/// the patch equals that of the commit it names.
fn brings_several_unpromoted(
    region: &Region<'_>,
    scope: &ContentScope<'_>,
    base: CommitIndex,
    tip: CommitIndex,
    patches: &mut PatchCache<'_>,
) -> Result<bool> {
    let below: HashSet<CommitIndex> = region.side(base, |_| false).into_iter().collect();
    let brought = region.side(tip, |_| false).into_iter();
    let mut brought: Vec<CommitIndex> =
        brought.filter(|c| region.parents(*c).len() < 2 && !below.contains(c)).collect();
    brought.sort_unstable_by_key(|c| std::cmp::Reverse((region.time(*c), region.oid(*c))));
    if brought.len() < 2 {
        return Ok(false);
    }
    // Promoted copies are in production and not older than their originals.
    let mut latest = AncestorsByDate::of(scope.query.graph, scope.new)?;
    let mut own = Vec::new();
    let mut unpromoted = 0;
    'brought: for at in brought {
        let original = region.oid(at);
        while let Some((commit, parents)) = latest.next_since(region.time(at).saturating_sub(CLOCKS_DIFFER))? {
            let here = region.find(commit);
            if parents == 1 && !here.is_some_and(|c| region.has_paint(c, DEV)) {
                // Commits of the update itself count only with a trailer.
                let claimed_only = here.is_some_and(|c| region.is_gained(c) && !below.contains(&c));
                own.push((commit, claimed_only));
            }
        }
        for (copy, claimed_only) in &own {
            if *claimed_only
                && !patches::contains_commit(&patches::named_originals(&patches.node(*copy)?.message), original)
            {
                continue;
            }
            match patches.is_same_patch(*copy, original)? {
                Some(true) => continue 'brought,
                Some(false) => {}
                None => return Ok(false),
            }
        }
        unpromoted += 1;
        if unpromoted == 2 {
            return Ok(true);
        }
    }
    Ok(false)
}
