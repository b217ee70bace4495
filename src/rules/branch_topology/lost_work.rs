//! Development work that production reverted, and that merging production into development would remove there too.
//! Owns the search by path: which development commits made the changes that a revert on production undoes.

use std::collections::{BTreeMap, HashMap, HashSet};

use bstr::{BString, ByteSlice as _};

use super::ancestry::AncestorsByDate;
use super::content;
use super::graph::{DEV, Region};
use super::patches::PatchCache;
use crate::error::Result;
use crate::subject::{Graph, Oid, PathChange};

/// Work that an update would remove from a development branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostWork {
    /// The commit on production that reverted it.
    pub revert: Oid,
    /// The development commits whose work would be lost, newest first.
    pub commits: Vec<Oid>,
    pub paths: Vec<BString>,
}

/// The update of a development branch, and the production tips.
pub struct LostWorkScope<'s> {
    pub old: Oid,
    pub new: Oid,
    pub production: &'s [Oid],
    /// Earlier tips of the development branch.
    pub earlier: &'s [Oid],
}

/// How many commits to search for the origin of a change that is undone without a revert message. Few, because a hotfix
/// merged back into development looks like a revert until its files' history was read.
const UNNAMED: usize = 300;
/// Maximum length of a first-parent line that is followed.
const LONGEST_LINE: usize = 20_000;

/// A path that the update sets back to an earlier state.
struct UndonePath {
    revert: Oid,
    named: bool,
    /// The state whose origin is searched for; starts at development's and walks back.
    current: Option<Oid>,
    target: Option<Oid>,
    commits: Vec<Oid>,
    found: bool,
}

/// Finds lost work. `region` is painted between the development branch's old and new tips. Costs at most the tree diffs that
/// `cap` merges allow.
pub fn find(
    region: &mut Region<'_>,
    graph: &dyn Graph,
    sides: &LostWorkScope<'_>,
    cap: usize,
) -> Result<Vec<LostWork>> {
    let members: Vec<_> = region.members().collect();
    let mut all_new = true;
    for at in &members {
        all_new = all_new && graph.is_new(region.oid(*at))?;
    }
    // Production's commits are not new, so an update of new commits only brings none of them.
    if all_new || sides.production.is_empty() {
        return Ok(Vec::new());
    }
    region.paint_development(sides.production)?;
    let mut patches = PatchCache::new(graph, cap);
    let changes_by_path = production_changes(region, &mut patches)?;
    if changes_by_path.is_empty() {
        return Ok(Vec::new());
    }
    let mut lost = Vec::new();
    for (before, after) in merge_steps(region, sides) {
        let (old, new) = (patches.node(before)?.tree, patches.node(after)?.tree);
        let Some(changes) = patches.diff(Some(old), new)? else { break };
        let kept = restored_states(sides.new, new, &mut patches, &changes)?;
        let mut paths = BTreeMap::new();
        for (path, had, has) in changes {
            // The same push restores it.
            if kept.contains(&(path.clone(), had)) {
                continue;
            }
            let reverts = changes_by_path.get(&path).into_iter().flatten();
            let revert = reverts.clone().find(|r| r.after == has).or_else(|| reverts.clone().find(|r| r.named));
            if let Some(revert) = revert {
                let undone = UndonePath {
                    revert: revert.commit,
                    named: revert.named,
                    current: had,
                    target: has,
                    commits: Vec::new(),
                    found: false,
                };
                paths.insert(path, undone);
            }
        }
        find_origins(graph, before, &mut paths, &mut patches)?;
        lost.extend(development_work(graph, sides, before, paths, &mut patches)?);
    }
    Ok(lost)
}

/// The paths of `changes` that the push restores later, with their restored state.
fn restored_states(
    end: Oid,
    tree: Oid,
    patches: &mut PatchCache<'_>,
    changes: &[PathChange],
) -> Result<HashSet<(BString, Option<Oid>)>> {
    let end = patches.node(end)?.tree;
    if end == tree {
        return Ok(HashSet::new());
    }
    let Some(later) = patches.diff(Some(tree), end)? else { return Ok(HashSet::new()) };
    let later: HashMap<BString, Option<Oid>> = later.into_iter().map(|(path, _, after)| (path, after)).collect();
    let back = changes.iter().filter(|(path, had, _)| later.get(path) == Some(had));
    Ok(back.map(|(path, had, _)| (path.clone(), *had)).collect())
}

/// The state in which a production commit leaves a path.
struct ProductionChange {
    commit: Oid,
    /// The commit's message says that it is a revert.
    named: bool,
    after: Option<Oid>,
}

/// The changes that the gained production commits make to each path, newest first.
fn production_changes(
    region: &Region<'_>,
    patches: &mut PatchCache<'_>,
) -> Result<HashMap<BString, Vec<ProductionChange>>> {
    let mut out: HashMap<BString, Vec<ProductionChange>> = HashMap::new();
    let from_production = region.members().filter(|c| region.has_paint(*c, DEV) && region.parents(*c).len() == 1);
    let mut commits: Vec<_> = from_production.collect();
    commits.sort_unstable_by_key(|c| (std::cmp::Reverse(region.time(*c)), region.oid(*c)));
    for at in commits {
        let commit = region.oid(at);
        let Some(delta) = patches.delta(commit)? else { break };
        let named = patches.node(commit)?.message.to_ascii_lowercase().contains_str("revert");
        for (path, _, after) in delta.iter() {
            out.entry(path.clone()).or_default().push(ProductionChange { commit, named, after: *after });
        }
    }
    Ok(out)
}

/// The points where development takes in production's commits: the commits before and after.
fn merge_steps(region: &Region<'_>, sides: &LostWorkScope<'_>) -> Vec<(Oid, Oid)> {
    if content::is_foxtrot(region, sides.old, sides.new) {
        return vec![(sides.old, sides.new)];
    }
    let chain = region.chain(sides.new).into_iter();
    let merges = chain.filter(|c| region.parents(*c).len() > 1);
    merges.map(|c| (region.oid(region.parents(c)[0]), region.oid(c))).collect()
}

/// Searches back from `tip` for the commits whose changes each path would lose.
fn find_origins(
    graph: &dyn Graph,
    tip: Oid,
    paths: &mut BTreeMap<BString, UndonePath>,
    patches: &mut PatchCache<'_>,
) -> Result<()> {
    let mut walk = AncestorsByDate::of(graph, tip)?;
    let mut looked_at = 0;
    while paths.values().any(|undone| !undone.found && (undone.named || looked_at < UNNAMED)) {
        let Some((commit, parents)) = walk.next_since(i64::MIN)? else { break };
        if parents > 1 {
            continue;
        }
        looked_at += 1;
        let Some(delta) = patches.delta(commit)? else { break };
        for (path, before, after) in delta.iter() {
            let Some(undone) = paths.get_mut(path).filter(|undone| !undone.found) else { continue };
            if undone.current == *after {
                undone.commits.push(commit);
                undone.current = *before;
                undone.found = undone.current == undone.target;
            }
        }
    }
    Ok(())
}

/// Keeps only development's own work that is lost as a whole commit, or to a commit that calls itself a revert.
fn development_work(
    graph: &dyn Graph,
    sides: &LostWorkScope<'_>,
    before: Oid,
    paths: BTreeMap<BString, UndonePath>,
    patches: &mut PatchCache<'_>,
) -> Result<Vec<LostWork>> {
    // A partial revert leaves the file in a new state; then the newest commit that changed the file is affected.
    let is_lost = |undone: &UndonePath| undone.found || (undone.named && !undone.commits.is_empty());
    let mut by_commit: BTreeMap<Oid, (Oid, bool, Vec<BString>)> = BTreeMap::new();
    for (path, undone) in paths.iter().filter(|(_, undone)| is_lost(undone)) {
        let commits = if undone.found { undone.commits.len() } else { 1 };
        for commit in &undone.commits[..commits] {
            let entry = by_commit.entry(*commit).or_insert((undone.revert, undone.named, Vec::new()));
            entry.2.push(path.clone());
        }
    }
    let mut lines = None;
    let mut lost: BTreeMap<Oid, LostWork> = BTreeMap::new();
    let mut commits: Vec<_> = by_commit.into_iter().collect();
    let mut timed = Vec::new();
    for (commit, entry) in commits.drain(..) {
        timed.push((std::cmp::Reverse(patches.node(commit)?.committer.time), commit, entry));
    }
    timed.sort_unstable_by_key(|t| (t.0, t.1));
    for (_, commit, (revert, named, mut of)) in timed {
        let whole = patches.delta(commit)?.is_some_and(|delta| delta.iter().all(|change| of.contains(&change.0)));
        if !named && !whole {
            continue;
        }
        let lines = match &lines {
            Some(lines) => lines,
            None => lines.insert(FirstParentLines::new(graph, sides, before)?),
        };
        if !lines.came_from_development(graph, commit)? {
            continue;
        }
        let entry = lost.entry(revert).or_insert(LostWork { revert, commits: Vec::new(), paths: Vec::new() });
        entry.commits.push(commit);
        entry.paths.append(&mut of);
    }
    let mut lost: Vec<LostWork> = lost.into_values().collect();
    for work in &mut lost {
        work.paths.sort_unstable();
        work.paths.dedup();
    }
    Ok(lost)
}

/// First-parent lines, newest first.
struct FirstParentLines {
    production: HashSet<Oid>,
    development: Vec<Vec<Oid>>,
}

impl FirstParentLines {
    fn new(graph: &dyn Graph, sides: &LostWorkScope<'_>, before: Oid) -> Result<Self> {
        let line = |tip: Oid| -> Result<Vec<Oid>> {
            let (mut line, mut next) = (Vec::new(), Some(tip));
            while let Some(at) = next.filter(|_| line.len() < LONGEST_LINE) {
                line.push(at);
                next = if graph.is_shallow(at)? { None } else { graph.parents(at)?.first().copied() };
            }
            Ok(line)
        };
        let mut production = HashSet::new();
        for tip in sides.production {
            production.extend(line(*tip)?);
        }
        let tips = [before].into_iter().chain(sides.earlier.iter().copied());
        Ok(Self { production, development: tips.map(line).collect::<Result<_>>()? })
    }

    /// Whether development had the commit first: on its own line, or merged from something other than production.
    fn came_from_development(&self, graph: &dyn Graph, commit: Oid) -> Result<bool> {
        if self.production.contains(&commit) {
            return Ok(false);
        }
        for line in &self.development {
            // Binary search for the oldest commit of the line that contains it.
            let (mut has, mut from) = (None, 0);
            let mut to = line.len();
            while from < to {
                let middle = from + (to - from) / 2;
                if graph.is_ancestor(commit, line[middle])? {
                    (has, from) = (Some(line[middle]), middle + 1);
                } else {
                    to = middle;
                }
            }
            let Some(first) = has else { continue };
            let others = graph.parents(first)?;
            let through_production =
                self.production.contains(&first) || others.iter().skip(1).any(|p| self.production.contains(p));
            if !through_production {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
