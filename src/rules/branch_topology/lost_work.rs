//! Development's own work that production took back, and that merging production into development would take away there.
//! Owns the search path by path: which of development's commits made what a revert on production unmakes.

use std::collections::{BTreeMap, HashMap, HashSet};

use bstr::{BString, ByteSlice};

use super::ancestry::AncestorsByDate;
use super::content;
use super::graph::{DEV, Region};
use super::patches::PatchCache;
use crate::error::Result;
use crate::subject::{Graph, Oid, PathChange};

/// Work that an update would take out of a development branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostWork {
    /// Production's commit that took it back.
    pub revert: Oid,
    /// Development's commits whose work would vanish, newest first.
    pub commits: Vec<Oid>,
    pub paths: Vec<BString>,
}

/// The branches between which the update stands.
pub struct LostWorkScope<'s> {
    pub old: Oid,
    pub new: Oid,
    pub production: &'s [Oid],
    /// Where the development branch's ref stood earlier.
    pub earlier: &'s [Oid],
}

/// How many commits are looked at for what a commit undoes that does not call itself a revert: few, since a hotfix that
/// comes back to development looks like one until its files' history was read.
const UNNAMED: usize = 300;
/// A first-parent line is followed no further.
const LONGEST_LINE: usize = 20_000;

/// A path that goes back on its way into development.
struct UndonePath {
    revert: Oid,
    named: bool,
    /// The state whose author is looked for; walks back from what development has.
    current: Option<Oid>,
    target: Option<Oid>,
    commits: Vec<Oid>,
    found: bool,
}

/// `region` is painted between the development branch's old and new tips. At most `cap` merges' worth of tree diffs.
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
    // What production has was there before: an update of new commits alone brings nothing of it.
    if all_new || sides.production.is_empty() {
        return Ok(Vec::new());
    }
    region.paint_development(sides.production)?;
    let mut patches = PatchCache::new(graph, cap);
    let undoing = undoing(region, &mut patches)?;
    if undoing.is_empty() {
        return Ok(Vec::new());
    }
    let mut lost = Vec::new();
    for (before, after) in steps(region, sides) {
        let (old, new) = (patches.node(before)?.tree, patches.node(after)?.tree);
        let Some(changes) = patches.diff(Some(old), new)? else { break };
        let kept = states_at(sides.new, new, &mut patches, &changes)?;
        let mut paths = BTreeMap::new();
        for (path, had, has) in changes {
            // What the same push puts back is not lost.
            if kept.contains(&(path.clone(), had)) {
                continue;
            }
            let said = undoing.get(&path).into_iter().flatten();
            let revert = said.clone().find(|r| r.after == has).or_else(|| said.clone().find(|r| r.named));
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
        authors(graph, before, &mut paths, &mut patches)?;
        lost.extend(owned(graph, sides, before, paths, &mut patches)?);
    }
    Ok(lost)
}

/// Those paths of `changes`, with the state before them, that the push ends with all the same.
fn states_at(
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

/// A path as one of production's commits leaves it.
struct ProductionChange {
    commit: Oid,
    /// The message says that it is a revert.
    named: bool,
    after: Option<Oid>,
}

/// What production's commits among the gained ones do to each path, newest first.
fn undoing(region: &Region<'_>, patches: &mut PatchCache<'_>) -> Result<HashMap<BString, Vec<ProductionChange>>> {
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

/// Where development takes something of production in: from which state to which.
fn steps(region: &Region<'_>, sides: &LostWorkScope<'_>) -> Vec<(Oid, Oid)> {
    if content::is_foxtrot(region, sides.old, sides.new) {
        return vec![(sides.old, sides.new)];
    }
    let chain = region.chain(sides.new).into_iter();
    let merges = chain.filter(|c| region.parents(*c).len() > 1);
    merges.map(|c| (region.oid(region.parents(c)[0]), region.oid(c))).collect()
}

/// Looks back from `tip` for the commits that made what each path would lose.
fn authors(
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

/// Leaves what is development's own and goes as a whole, or by a commit that calls itself a revert.
fn owned(
    graph: &dyn Graph,
    sides: &LostWorkScope<'_>,
    before: Oid,
    paths: BTreeMap<BString, UndonePath>,
    patches: &mut PatchCache<'_>,
) -> Result<Vec<LostWork>> {
    // A revert of a part leaves its file in a state that it never had: the newest commit that made the file is affected.
    let gone = |undone: &UndonePath| undone.found || (undone.named && !undone.commits.is_empty());
    let mut by_commit: BTreeMap<Oid, (Oid, bool, Vec<BString>)> = BTreeMap::new();
    for (path, undone) in paths.iter().filter(|(_, undone)| gone(undone)) {
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
        if !lines.is_developments(graph, commit)? {
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

    /// Whether development had the commit before production brought it: its line has it, or took it in by merging
    /// something that is not production's line.
    fn is_developments(&self, graph: &dyn Graph, commit: Oid) -> Result<bool> {
        if self.production.contains(&commit) {
            return Ok(false);
        }
        for line in &self.development {
            // The lowest commit of the line that has it: all above have it, none below.
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
