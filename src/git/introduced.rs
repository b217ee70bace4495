//! From commits and refs to what they introduce: blobs with their paths, tag objects, and the jobs that group them.
//! Reads trees, but no blob.

use std::collections::HashMap;

use rayon::prelude::*;

use super::ThreadRepo;
use super::inspect::Inspector;
use super::jobs::{Blob, BlobJob, Changes, CommitJob, Introduced, Occurrence, Pair};
use super::pruned_trees::PrunedTrees;
use super::trees::{self, PathBudget, TreeFilter};
use super::walk::WalkedCommit;
use crate::error::{Error, Result};
use crate::subject::{MAX_NESTED_TAGS, ObjectKind, Oid, RefSet, Update};

/// With fewer commits than this, starting threads costs more than it saves.
const SERIAL: usize = 64;

/// One job per distinct blob, in the order in which the blobs first occur. A blob that is both a file and a link under
/// one path has two occurrences there.
pub(super) fn group(pairs: impl Iterator<Item = (Pair, Option<Oid>)>) -> Vec<BlobJob> {
    let mut at: HashMap<Oid, usize> = HashMap::new();
    let mut jobs: Vec<BlobJob> = Vec::new();
    for (pair, commit) in pairs {
        let job = *at.entry(pair.blob).or_insert_with(|| {
            jobs.push(BlobJob { blob: Blob::Object(pair.blob), occurrences: Vec::new(), stat_digest: None });
            jobs.len() - 1
        });
        jobs[job].occurrences.push(Occurrence {
            path: pair.path,
            commit,
            symlink: pair.symlink,
            new_to: RefSet::default(),
        });
    }
    jobs.iter_mut().filter(|job| job.occurrences.len() > 1).for_each(|job| keep_first_of_each(&mut job.occurrences));
    jobs
}

/// Keeps the first of equal occurrences: a pair that several commits introduce is reported at the first of them.
fn keep_first_of_each(occurrences: &mut Vec<Occurrence>) {
    let mut order: Vec<usize> = (0..occurrences.len()).collect();
    let key = |at: usize| (&occurrences[at].path, occurrences[at].symlink);
    // Stable: of equal occurrences, the first stays the first.
    order.sort_by(|a, b| key(*a).cmp(&key(*b)));
    order.dedup_by(|b, a| key(*a) == key(*b));
    let mut is_kept = vec![false; occurrences.len()];
    order.into_iter().for_each(|at| is_kept[at] = true);
    let mut is_kept = is_kept.into_iter();
    occurrences.retain(|_| is_kept.next().unwrap_or(false));
}

/// Lists the tag objects between a ref and the object that they finally point at, and returns that object.
/// `known`: objects that refs pointed at before.
pub(super) fn tag_chain(
    local: &ThreadRepo<'_>,
    new: Oid,
    update: &Update,
    known: &[Oid],
    inspector: Option<&Inspector<'_>>,
    out: &mut Changes,
) -> Result<(Oid, ObjectKind)> {
    let mut at = new;
    for _ in 0..MAX_NESTED_TAGS {
        let kind = local.kind(at)?;
        if kind != ObjectKind::Tag {
            return Ok((at, kind));
        }
        if !known.contains(&at) && !out.commits.iter().any(|c| c.id == at) {
            inspector.map_or(Ok(()), |inspector| inspector.read(local, at))?;
            let refs = RefSet::from(update.name.clone());
            out.commits.push(CommitJob { id: at, kind, new_to: refs.clone(), refs });
        }
        at = local.tag(at)?.target;
    }
    Err(Error::undecided(format!("the tag at {new} is nested too deeply")))
}

/// Lists everything in a tree that a ref points at.
pub(super) fn ref_to_tree(
    local: &ThreadRepo<'_>,
    tree: Oid,
    inspector: Option<&Inspector<'_>>,
    out: &mut Changes,
    budget: &PathBudget,
) -> Result<()> {
    let mut found = Introduced::default();
    let within = TreeFilter { inspector, ..TreeFilter::default() };
    trees::introduced_in(local, within, tree, &[], budget, &mut |f| {
        found.add(f.path.to_owned(), f.id, f.mode.is_link(), f.mode.is_commit());
    })?;
    out.submodules += found.submodules;
    out.blobs.extend(group(found.pairs.into_iter().map(|p| (p, None))));
    Ok(())
}

/// What each commit introduces against all its parents, in the order of `commits`. `unwanted`: blobs not to list, and
/// the trees that hold no others.
pub(super) fn introduced_by(
    local: &ThreadRepo<'_>,
    commits: &[WalkedCommit],
    budget: &PathBudget,
    unwanted: Option<(&(dyn Fn(Oid) -> bool + Sync), &PrunedTrees)>,
    inspector: Option<&Inspector<'_>>,
) -> Result<Vec<Introduced>> {
    // Most parents are among the commits, so that each commit is decoded once, and not again for each child.
    let tree_by_id = |local: &ThreadRepo<'_>, commit: &WalkedCommit| {
        Ok((commit.id, commit.tree.map_or_else(|| local.tree_of(commit.id), Ok)?))
    };
    let trees: Result<HashMap<Oid, Oid>> = match commits.len() {
        0..SERIAL => commits.iter().map(|commit| tree_by_id(local, commit)).collect(),
        _ => {
            let repo = local.repo;
            commits
                .par_iter()
                .with_min_len(SERIAL)
                .map_init(|| repo.thread_local(), |local, commit| tree_by_id(local, commit))
                .collect()
        }
    };
    let trees = trees?;
    let tree_of = |local: &ThreadRepo<'_>, commit: Oid| match trees.get(&commit) {
        Some(tree) => Ok(*tree),
        None => local.tree_of(commit),
    };
    let one = |local: &ThreadRepo<'_>, commit: &WalkedCommit| -> Result<Introduced> {
        let mut found = Introduced::default();
        inspector.map_or(Ok(()), |inspector| inspector.read(local, commit.id))?;
        let tree = tree_of(local, commit.id)?;
        // Only a parent beyond the shallow boundary can be missing; everything then counts as new.
        let parents = commit.parents.iter().filter(|p| trees.contains_key(*p) || local.has(**p));
        let parents: Vec<Oid> = parents.map(|p| tree_of(local, *p)).collect::<Result<_>>()?;
        let within = TreeFilter { pruned: unwanted.map(|(_, pruned)| pruned), inspector };
        trees::introduced_in(local, within, tree, &parents, budget, &mut |f| {
            if f.mode.is_commit() || !unwanted.is_some_and(|(unwanted, _)| unwanted(f.id)) {
                found.add(f.path.to_owned(), f.id, f.mode.is_link(), f.mode.is_commit());
            }
        })?;
        Ok(found)
    };
    if commits.len() < SERIAL {
        return commits.iter().map(|s| one(local, s)).collect();
    }
    let repo = local.repo;
    // The newest first, as packs order them.
    let backwards = commits.par_iter().rev().with_min_len(16);
    let mut found: Vec<Introduced> =
        backwards.map_init(|| repo.thread_local(), |local, commit| one(local, commit)).collect::<Result<_>>()?;
    found.reverse();
    Ok(found)
}
