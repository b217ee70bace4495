//! Everything a repository holds, as a source: all commits that refs reach, and what each of them brings. Owns the order
//! in which packs are read for that, and which reads run side by side.

use std::collections::HashSet;

use super::decoded_commits::DecodedCommits;
use super::introduced::{group, introduced_by, ref_to_tree, tag_chain};
use super::jobs::{BlobJob, ChangeQuery, Changes, CommitJob, HistoryFilter};
use super::pruned_trees::PrunedTrees;
use super::trees::PathBudget;
use super::{ThreadRepo, oid, unreadable, walk};
use crate::error::{Error, Result};
use crate::subject::{Kinds, ObjectKind, Oid, RefSet, Update};

/// Lists what all commits that refs reach bring, and with `all` what else the store holds.
pub(super) fn changes(
    local: &ThreadRepo<'_>,
    all: bool,
    query: &ChangeQuery,
    filter: Option<HistoryFilter<'_>>,
) -> Result<Changes> {
    let repo = local.repo;
    let budget = &PathBudget::new(query.path_budget);
    let unwanted = filter.and_then(|f| f.blob).filter(|_| query.kinds.intersects(Kinds::FILE));
    // Listing refs and walking take one thread each; reading packs uses the others meanwhile.
    let decode = || filter.map(|f| DecodedCommits::read(repo, f.commit)).transpose();
    let (listed, decoded) = rayon::join(|| tips(&repo.thread_local(), budget), decode);
    let (tips, mut out) = listed?;
    let decoded = decoded?.unwrap_or_default();
    let prune = || unwanted.map(|unwanted| PrunedTrees::read(repo, unwanted)).transpose();
    let (commits, pruned) = rayon::join(|| walk::all_commits(&repo.thread_local(), &tips, &decoded), prune);
    let (commits, pruned) = (commits?, pruned?);
    // The commits that are here are checked all the same, but nobody can say that all of history is clean.
    let boundary = local.shallow_boundary()?;
    if let Some(commit) = commits.iter().find(|commit| boundary.contains(&commit.id)) {
        out.errors.push(
            Error::undecided(format!("this clone is shallow: its history ends at commit {}", commit.id.short()))
                .hint("`git fetch --unshallow` (in CI: `fetch-depth: 0`) brings the missing history"),
        );
    }
    if query.kinds.intersects(Kinds::FILE) {
        let unwanted = unwanted.zip(pruned.as_ref());
        let found = introduced_by(local, &commits, budget, unwanted, None)?;
        out.submodules += found.iter().map(|i| i.submodules).sum::<u64>();
        let pairs = commits.iter().zip(found).flat_map(|(c, i)| i.pairs.into_iter().map(|p| (p, Some(c.id))));
        out.blobs.extend(group(pairs));
    }
    let to_check = commits.iter().filter(|c| !decoded.can_skip(c.id));
    out.commits.extend(to_check.map(|c| CommitJob {
        id: c.id,
        kind: ObjectKind::Commit,
        refs: RefSet::default(),
        new_to: RefSet::default(),
    }));
    if all {
        unreachable_objects(local, unwanted, &decoded, &mut out)?;
    }
    Ok(out)
}

/// The commits that refs point at, as tips of the walk; tags, trees and blobs that refs point at are listed as changes.
fn tips(local: &ThreadRepo<'_>, budget: &PathBudget) -> Result<(Vec<Oid>, Changes)> {
    let mut out = Changes::default();
    let mut tips: Vec<Oid> = local.head()?.into_iter().collect();
    for r in local.refs("refs/")? {
        let update = Update { name: r.name.clone(), old: None, new: Some(r.target) };
        match tag_chain(local, r.target, &update, &[], None, &mut out)? {
            (id, ObjectKind::Commit) => tips.push(id),
            (id, ObjectKind::Tree) => ref_to_tree(local, id, None, &mut out, budget)?,
            (id, _) => out.blobs.push(BlobJob::at(id, r.name)),
        }
    }
    tips.sort_unstable();
    tips.dedup();
    Ok((tips, out))
}

/// Lists objects of the store that no ref reaches. A blob there has no path, so its id serves as one.
fn unreachable_objects(
    local: &ThreadRepo<'_>,
    unwanted: Option<&(dyn Fn(Oid) -> bool + Sync)>,
    decoded: &DecodedCommits,
    out: &mut Changes,
) -> Result<()> {
    let listed_blobs: HashSet<Oid> = out.blobs.iter().filter_map(BlobJob::object).collect();
    let listed_commits: HashSet<Oid> = out.commits.iter().map(|c| c.id).collect();
    let store = local.gix.objects.store_ref();
    let ids = store.iter().map_err(unreadable("the objects cannot be listed"))?;
    let mut stored: Vec<Oid> = Vec::new();
    for id in ids {
        stored.push(oid(&id.map_err(unreadable("the objects cannot be listed"))?));
    }
    stored.sort_unstable();
    stored.dedup();
    for id in stored {
        match local.kind(id)? {
            ObjectKind::Blob if !listed_blobs.contains(&id) && !unwanted.is_some_and(|u| u(id)) => {
                out.blobs.push(BlobJob::at(id, id.to_string().into()))
            }
            kind @ (ObjectKind::Commit | ObjectKind::Tag) if !listed_commits.contains(&id) && !decoded.can_skip(id) => {
                let (refs, new_to) = (RefSet::default(), RefSet::default());
                out.commits.push(CommitJob { id, kind, refs, new_to });
            }
            _ => {}
        }
    }
    Ok(())
}
