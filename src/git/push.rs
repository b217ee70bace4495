//! A push, or a range as one, as a source: from ref updates to what has to be checked. `newness` owns which commits they
//! bring and to which refs these are new; `introduced` owns what a commit introduces.

use std::collections::{HashMap, HashSet};

use bstr::{BString, ByteSlice as _};

use super::ThreadRepo;
use super::introduced::{group, introduced_by, ref_to_tree, tag_chain};
use super::jobs::{Blob, BlobJob, ChangeQuery, Changes, CommitJob, Introduced, PushPolicy, SnapshotOf, TreeJob};
use super::newness::{self, Newness};
use super::objects::peel;
use super::released::Releases;
use super::source::Push;
use super::trees::PathBudget;
use crate::error::Result;
use crate::subject::{Kinds, ObjectKind, Oid, RefSet};

/// Lists what the new commits bring, what comes beside them, and to which refs each commit is new.
pub(super) fn changes(
    local: &ThreadRepo<'_>,
    push: &Push,
    query: &ChangeQuery,
    policy: &PushPolicy<'_>,
) -> Result<Changes> {
    let budget = &PathBudget::new(query.path_budget);
    let mut out = Changes { refs: push.updates.clone(), ..Changes::default() };
    let by_object = query.kinds.intersects(Kinds::FILE.union(Kinds::COMMIT).union(Kinds::OBJECT));
    let quarantined = if by_object { local.repo.quarantined(local)? } else { None };
    let quarantined = quarantined.map(|ids| sort_by_kind(local, ids)).transpose()?;
    if let Some(new) = &quarantined {
        // Before any walk: the finding on a malformed object says more than the error of a walk that meets it.
        inspect(local, policy, &new.commits)?;
        inspect(local, policy, &new.tags)?;
    }
    let known: Vec<Oid> = push.updates.iter().filter_map(|u| u.old).collect();
    let mut tips = Vec::with_capacity(push.updates.len());
    for update in &push.updates {
        let Some(new) = update.new else {
            tips.push(None);
            continue;
        };
        let (target, kind) = tag_chain(local, new, update, &known, policy.inspector, &mut out)?;
        tips.push((kind == ObjectKind::Commit).then_some(target));
        match kind {
            ObjectKind::Tree => ref_to_tree(local, target, policy.inspector, &mut out, budget)?,
            ObjectKind::Blob => out.blobs.push(BlobJob::at(target, update.name.clone())),
            _ => {}
        }
    }
    let creates_refs = push.is_made_now() && push.updates.iter().any(|u| u.old.is_none());
    let newness = if by_object || (creates_refs && query.kinds.intersects(Kinds::TREE)) {
        newness::of(local, push, policy, &tips, quarantined.as_ref().map(|new| new.commits.as_slice()))?
    } else {
        Newness::nothing(tips.len())
    };
    if query.kinds.intersects(Kinds::TREE) {
        out.trees = trees(local, push, &tips, &newness, policy)?;
    }
    if query.kinds.intersects(Kinds::FILE.union(Kinds::OBJECT)) {
        let found = introduced_by(local, &newness.commits, budget, None, policy.inspector)?;
        out.submodules += found.iter().map(|i| i.submodules).sum::<u64>();
        let attribution = Attribution::of(&newness, &found, policy);
        let pairs = newness.commits.iter().zip(found).flat_map(|(c, i)| i.pairs.into_iter().map(|p| (p, Some(c.id))));
        let mut blobs = group(pairs);
        attribution.apply(&mut blobs);
        out.blobs.extend(blobs);
    }
    if let Some(new) = &quarantined {
        inspect(local, policy, &new.trees)?;
        unreferenced(new, &mut out);
    }
    if query.kinds.intersects(Kinds::COMMIT) {
        let all = newness.commits.into_iter().zip(newness.content).zip(newness.messages);
        out.commits.extend(all.map(|((commit, refs), new_to)| CommitJob {
            id: commit.id,
            kind: ObjectKind::Commit,
            refs,
            new_to,
        }));
    }
    Ok(out)
}

/// The trees of new branch tips and of release tags, each with the commit that it is compared with.
fn trees(
    local: &ThreadRepo<'_>,
    push: &Push,
    tips: &[Option<Oid>],
    newness: &Newness,
    policy: &PushPolicy<'_>,
) -> Result<Vec<TreeJob>> {
    let mut jobs = Vec::new();
    let releases = Releases::of(local, push, tips, policy)?;
    for (at, update) in push.updates.iter().enumerate() {
        let Some(tip) = tips[at] else { continue };
        let before = if update.name.starts_with(b"refs/tags/") {
            let checked = releases.as_ref().filter(|r| r.is_checked(update.name.as_ref(), tip));
            let Some(releases) = checked else { continue };
            releases.before(tip)?
        } else {
            match update.old.filter(|old| local.has(*old)) {
                Some(old) => Some(peel(local, old)?.0),
                None => newness.fork_points[at],
            }
        };
        jobs.push(TreeJob {
            snapshot: SnapshotOf::Tree(local.tree_of(tip)?),
            commit: Some(tip),
            name: Some(update.name.clone()),
            before,
        });
    }
    Ok(jobs)
}

/// To which refs each (blob, path) pair is new, and which commit is named for it, where several commits introduce the
/// same pair and are new to different refs, or only some of them are excused.
struct Attribution {
    /// Set where all commits are new to the same refs and none is excused.
    all: Option<RefSet>,
    by_pair: HashMap<(Oid, BString, bool), Attributed>,
    sets: Vec<RefSet>,
}

/// The refs of one pair, as indexes into the sets, and the commit that is named for it.
struct Attributed {
    sets: Vec<usize>,
    commit: Oid,
    is_excused: bool,
}

impl Attribution {
    fn of(newness: &Newness, found: &[Introduced], policy: &PushPolicy<'_>) -> Self {
        let mut sets: Vec<RefSet> = Vec::new();
        let mut index = |set: &RefSet| {
            sets.iter().rposition(|s| s == set).unwrap_or_else(|| {
                sets.push(set.clone());
                sets.len() - 1
            })
        };
        let set_of_commit: Vec<usize> = newness.content.iter().map(&mut index).collect();
        let is_excused = |id: Oid| (policy.is_excused)(id);
        let mut by_pair: HashMap<(Oid, BString, bool), Attributed> = HashMap::new();
        if sets.len() <= 1 && !newness.commits.iter().any(|c| is_excused(c.id)) {
            return Self { all: sets.pop(), by_pair, sets };
        }
        for ((commit, introduced), set) in newness.commits.iter().zip(found).zip(set_of_commit) {
            for pair in &introduced.pairs {
                let key = (pair.blob, pair.path.clone(), pair.symlink);
                let excused = is_excused(commit.id);
                let attributed = by_pair.entry(key).or_insert(Attributed {
                    sets: Vec::new(),
                    commit: commit.id,
                    is_excused: excused,
                });
                if !attributed.sets.contains(&set) {
                    attributed.sets.push(set);
                }
                // An exception for one commit does not cover another that introduces the same pair again.
                if attributed.is_excused && !excused {
                    (attributed.commit, attributed.is_excused) = (commit.id, false);
                }
            }
        }
        Self { all: None, by_pair, sets }
    }

    fn apply(self, blobs: &mut [BlobJob]) {
        for job in blobs {
            let Blob::Object(id) = job.blob else { continue };
            for occurrence in &mut job.occurrences {
                if let Some(all) = &self.all {
                    occurrence.new_to = all.clone();
                } else if let Some(of) = self.by_pair.get(&(id, occurrence.path.clone(), occurrence.symlink)) {
                    occurrence.commit = Some(of.commit);
                    occurrence.new_to = match of.sets[..] {
                        [set] => self.sets[set].clone(),
                        _ => RefSet::union(of.sets.iter().map(|set| &self.sets[*set])),
                    };
                }
            }
        }
    }
}

/// The objects in the quarantine, by kind.
#[derive(Default)]
struct Quarantined {
    commits: Vec<Oid>,
    tags: Vec<Oid>,
    trees: Vec<Oid>,
    blobs: Vec<Oid>,
}

/// Shows the inspector those objects that it has not seen.
fn inspect(local: &ThreadRepo<'_>, policy: &PushPolicy<'_>, ids: &[Oid]) -> Result<()> {
    let Some(inspector) = policy.inspector else { return Ok(()) };
    ids.iter().try_for_each(|id| inspector.read(local, *id))
}

fn sort_by_kind(local: &ThreadRepo<'_>, ids: &[Oid]) -> Result<Quarantined> {
    let mut out = Quarantined::default();
    let packed = local.repo.kinds_in_quarantine(local)?;
    for &id in ids {
        match packed.get(&id).map_or_else(|| local.kind(id), |kind| Ok(*kind))? {
            ObjectKind::Commit => out.commits.push(id),
            ObjectKind::Tag => out.tags.push(id),
            ObjectKind::Blob => out.blobs.push(id),
            ObjectKind::Tree => out.trees.push(id),
        }
    }
    Ok(out)
}

/// Lists blobs and tags that the push brings and none of its refs reaches: once accepted, anyone can fetch them by id.
fn unreferenced(new: &Quarantined, out: &mut Changes) {
    let listed: HashSet<Oid> = out.blobs.iter().filter_map(BlobJob::object).collect();
    for id in new.blobs.iter().filter(|id| !listed.contains(id)) {
        out.blobs.push(BlobJob::at(*id, id.to_string().into()));
    }
    for id in &new.tags {
        if !out.commits.iter().any(|c| c.id == *id) {
            let (refs, new_to) = (RefSet::default(), RefSet::default());
            out.commits.push(CommitJob { id: *id, kind: ObjectKind::Tag, refs, new_to });
        }
    }
}

/// The tips of protected branches, under `branches_at` and under `refs/heads/`. Names without a wildcard are looked up
/// one by one: a server may have very many refs.
pub(super) fn protected_tips(
    local: &ThreadRepo<'_>,
    protected: &[String],
    branches_at: Option<&str>,
) -> Result<Vec<Oid>> {
    let (patterns, names): (Vec<_>, Vec<_>) = protected.iter().partition(|p| is_pattern(p));
    let mut tips = Vec::new();
    for prefix in branches_at.into_iter().chain(["refs/heads/"]) {
        for name in &names {
            tips.extend(local.find_ref(format!("{prefix}{name}").as_bytes().as_bstr())?);
        }
        if !patterns.is_empty() {
            for r in local.refs(prefix)? {
                if patterns.iter().any(|p| branch_matches(p, &r.name[prefix.len()..])) {
                    tips.push(r.target);
                }
            }
        }
    }
    Ok(tips)
}

/// Whether a branch name in the policy is a glob.
pub(super) fn is_pattern(branch: &str) -> bool {
    branch.contains(WILDCARDS)
}

const WILDCARDS: [char; 4] = ['*', '?', '[', '{'];

/// Whether a short branch name matches a name or glob of the policy.
pub fn branch_matches(pattern: &str, name: &[u8]) -> bool {
    if !is_pattern(pattern) {
        return pattern.as_bytes() == name;
    }
    globset::GlobBuilder::new(pattern)
        .literal_separator(true)
        .build()
        .is_ok_and(|g| g.compile_matcher().is_match(&*name.to_str_lossy()))
}
