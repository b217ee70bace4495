//! Everything a repository holds, as a source: all commits that refs reach, and what each of them brings. Owns the order in which
//! packs are read for that, and what runs beside what.

use std::collections::HashSet;

use super::changes::{BlobJob, ChangeQuery, Changes, CommitJob, group, introduced_by, judged_tags, ref_to_tree};
use super::decoded_commits::DecodedCommits;
use super::pruned_trees::PrunedTrees;
use super::source::Update;
use super::trees::PathBudget;
use super::{ThreadRepo, oid, unreadable, walk};
use crate::error::{Error, Result};
use crate::subject::{Kinds, ObjectKind, Oid, RefSet};

/// Lists what all commits that refs reach bring, and with `all` what else the store holds.
pub(super) fn history(
    local: &ThreadRepo<'_>,
    all: bool,
    query: &ChangeQuery<'_>,
    budget: &PathBudget,
) -> Result<Changes> {
    let repo = local.repo;
    let unwanted = query.prescan.and_then(|s| s.unwanted).filter(|_| query.kinds.meets(Kinds::FILE));
    // What one thread does alone goes beside what all can share.
    let decode = || query.prescan.map(|s| DecodedCommits::read(repo, s.silent)).transpose();
    let (listed, decoded_commits) = rayon::join(|| tips(&repo.thread_local(), budget), decode);
    let (tips, mut out) = listed?;
    let decoded_commits = decoded_commits?.unwrap_or_default();
    let prune = || unwanted.map(|unwanted| PrunedTrees::read(repo, unwanted)).transpose();
    let (steps, pruned) = rayon::join(|| walk::all_commits(&repo.thread_local(), &tips, &decoded_commits), prune);
    let (steps, pruned) = (steps?, pruned?);
    // What is here is judged all the same, but nobody can say that all of history is clean.
    let boundary = local.shallow_boundary()?;
    if let Some(step) = steps.iter().find(|step| boundary.contains(&step.id)) {
        out.errors.push(
            Error::undecided(format!("this clone is shallow: its history ends at commit {}", step.id.short()))
                .hint("`git fetch --unshallow` (in CI: `fetch-depth: 0`) brings the missing history"),
        );
    }
    if query.kinds.meets(Kinds::FILE) {
        let unwanted = unwanted.zip(pruned.as_ref());
        let pairs = introduced_by(local, &steps, budget, unwanted, None)?;
        out.submodules += pairs.iter().map(|p| p.submodules).sum::<u64>();
        let pairs = steps.iter().zip(pairs).flat_map(|(s, i)| i.pairs.into_iter().map(|p| (p, Some(s.id))));
        out.blobs.extend(group(pairs));
    }
    let heard = steps.iter().filter(|s| !decoded_commits.is_silent(s.id));
    out.commits.extend(heard.map(|s| CommitJob {
        id: s.id,
        kind: ObjectKind::Commit,
        content: RefSet::default(),
        new_to: RefSet::default(),
    }));
    if all {
        unreachable_objects(local, unwanted, &decoded_commits, &mut out)?;
    }
    Ok(out)
}

/// The commits at which refs end, and whatever else refs name.
fn tips(local: &ThreadRepo<'_>, budget: &PathBudget) -> Result<(Vec<Oid>, Changes)> {
    let mut out = Changes::default();
    let mut tips: Vec<Oid> = local.head()?.into_iter().collect();
    for r in local.refs("refs/")? {
        let update = Update { name: r.name.clone(), old: None, new: Some(r.target) };
        match judged_tags(local, r.target, &update, &[], None, &mut out)? {
            (id, ObjectKind::Commit) => tips.push(id),
            (id, ObjectKind::Tree) => ref_to_tree(local, id, None, &mut out, budget)?,
            (id, _) => out.blobs.push(BlobJob::at(id, r.name)),
        }
    }
    tips.sort_unstable();
    tips.dedup();
    Ok((tips, out))
}

/// Objects of the store that no ref reaches; a blob there has no path, its id stands for one.
fn unreachable_objects(
    local: &ThreadRepo<'_>,
    unwanted: Option<&(dyn Fn(Oid) -> bool + Sync)>,
    decoded_commits: &DecodedCommits,
    out: &mut Changes,
) -> Result<()> {
    let seen_blobs: HashSet<Oid> = out.blobs.iter().filter_map(BlobJob::object).collect();
    let seen_commits: HashSet<Oid> = out.commits.iter().map(|c| c.id).collect();
    let store = local.gix.objects.store_ref();
    let ids = store.iter().map_err(unreadable("the objects cannot be listed"))?;
    let mut rest: Vec<Oid> = Vec::new();
    for id in ids {
        rest.push(oid(&id.map_err(unreadable("the objects cannot be listed"))?));
    }
    rest.sort_unstable();
    rest.dedup();
    for id in rest {
        match local.kind(id)? {
            ObjectKind::Blob if !seen_blobs.contains(&id) && !unwanted.is_some_and(|u| u(id)) => {
                out.blobs.push(BlobJob::at(id, id.to_string().into()))
            }
            kind @ (ObjectKind::Commit | ObjectKind::Tag)
                if !seen_commits.contains(&id) && !decoded_commits.is_silent(id) =>
            {
                let (content, new_to) = (RefSet::default(), RefSet::default());
                out.commits.push(CommitJob { id, kind, content, new_to });
            }
            _ => {}
        }
    }
    Ok(())
}
