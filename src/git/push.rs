//! A push, or a range as one, as a source: from refs that move to what there is to judge. Which commits that brings, and to
//! which refs they are new, is `newness`'s; what a commit introduces is `changes`'s.

use std::collections::{HashMap, HashSet};

use bstr::{BString, ByteSlice};

use super::changes::{
    BlobJob, ChangeQuery, Changes, CommitJob, Introduced, TreeJob, group, introduced_by, judged_tags, ref_to_tree,
};
use super::newness::{self, Newness};
use super::objects::peel;
use super::released::Releases;
use super::source::Push;
use super::trees::PathBudget;
use super::{Blob, ThreadRepo};
use crate::error::Result;
use crate::subject::{Kinds, ObjectKind, Oid, RefSet};

/// Lists what the new commits bring, what comes beside them, and to which refs each commit is new.
pub(super) fn push(
    local: &ThreadRepo<'_>,
    push: &Push,
    query: &ChangeQuery<'_>,
    budget: &PathBudget,
) -> Result<Changes> {
    let mut out = Changes { refs: push.updates.clone(), ..Changes::default() };
    let by_object = query.kinds.meets(Kinds::FILE.and(Kinds::COMMIT).and(Kinds::OBJECT));
    let waiting = if by_object { local.repo.quarantined(local)? } else { None };
    let waiting = waiting.map(|ids| sort_by_kind(local, ids)).transpose()?;
    if let Some(new) = &waiting {
        // First of all: what is malformed is told by its name, and not by the walk that comes upon it.
        inspect(local, query, &new.commits)?;
        inspect(local, query, &new.tags)?;
    }
    let known: Vec<Oid> = push.updates.iter().filter_map(|u| u.old).collect();
    let mut tips = Vec::with_capacity(push.updates.len());
    for update in &push.updates {
        let Some(new) = update.new else {
            tips.push(None);
            continue;
        };
        let (target, kind) = judged_tags(local, new, update, &known, query.objects, &mut out)?;
        tips.push((kind == ObjectKind::Commit).then_some(target));
        match kind {
            ObjectKind::Tree => ref_to_tree(local, target, query.objects, &mut out, budget)?,
            ObjectKind::Blob => out.blobs.push(BlobJob::at(target, update.name.clone())),
            _ => {}
        }
    }
    let created = push.is_made_now() && push.updates.iter().any(|u| u.old.is_none());
    let brought = if by_object || (created && query.kinds.meets(Kinds::TREE)) {
        newness::of(local, push, query, &tips, waiting.as_ref().map(|w| w.commits.as_slice()))?
    } else {
        Newness::nothing(tips.len())
    };
    if query.kinds.meets(Kinds::TREE) {
        out.trees = trees(local, push, &tips, &brought, query)?;
    }
    if query.kinds.meets(Kinds::FILE.and(Kinds::OBJECT)) {
        let found = introduced_by(local, &brought.steps, budget, None, query.objects)?;
        out.submodules += found.iter().map(|i| i.submodules).sum::<u64>();
        let places = Places::of(&brought, &found, query);
        let pairs = brought.steps.iter().zip(found).flat_map(|(s, i)| i.pairs.into_iter().map(|p| (p, Some(s.id))));
        let mut blobs = group(pairs);
        places.settle(&mut blobs);
        out.blobs.extend(blobs);
    }
    if let Some(waiting) = &waiting {
        inspect(local, query, &waiting.trees)?;
        unreferenced(waiting, &mut out);
    }
    if query.kinds.meets(Kinds::COMMIT) {
        let all = brought.steps.into_iter().zip(brought.content).zip(brought.messages);
        out.commits.extend(all.map(|((step, content), new_to)| CommitJob {
            id: step.id,
            kind: ObjectKind::Commit,
            content,
            new_to,
        }));
    }
    Ok(out)
}

/// The trees in which branches end, and those that tags release, each with the state that it is compared with.
fn trees(
    local: &ThreadRepo<'_>,
    push: &Push,
    tips: &[Option<Oid>],
    brought: &Newness,
    query: &ChangeQuery<'_>,
) -> Result<Vec<TreeJob>> {
    let mut jobs = Vec::new();
    let releases = Releases::of(local, push, tips, query)?;
    for (at, update) in push.updates.iter().enumerate() {
        let Some(tip) = tips[at] else { continue };
        let before = if update.name.starts_with(b"refs/tags/") {
            let judged = releases.as_ref().filter(|r| r.is_judged(update.name.as_ref(), tip));
            let Some(releases) = judged else { continue };
            releases.before(tip)?
        } else {
            match update.old.filter(|old| local.has(*old)) {
                Some(old) => Some(peel(local, old)?.0),
                None => brought.began_at[at],
            }
        };
        jobs.push(TreeJob {
            commit: Some(tip),
            tree: Some(local.tree_of(tip)?),
            name: Some(update.name.clone()),
            before,
        });
    }
    Ok(jobs)
}

/// To which refs the content of each place is new, and which commit answers for it, where several commits bring the same
/// and not all of them count alike.
struct Places {
    /// Where all commits count alike.
    all: Option<RefSet>,
    by_place: HashMap<(Oid, BString, bool), Whose>,
    sets: Vec<RefSet>,
}

/// Which of the sets a place belongs to, and the commit that answers for it.
struct Whose {
    sets: Vec<usize>,
    commit: Oid,
    is_excused: bool,
}

impl Places {
    fn of(brought: &Newness, found: &[Introduced], query: &ChangeQuery<'_>) -> Self {
        let mut sets: Vec<RefSet> = Vec::new();
        let mut number = |set: &RefSet| {
            sets.iter().rposition(|s| s == set).unwrap_or_else(|| {
                sets.push(set.clone());
                sets.len() - 1
            })
        };
        let of_step: Vec<usize> = brought.content.iter().map(&mut number).collect();
        let is_excused = |id: Oid| (query.is_excused)(id);
        let mut by_place: HashMap<(Oid, BString, bool), Whose> = HashMap::new();
        if sets.len() <= 1 && !brought.steps.iter().any(|s| is_excused(s.id)) {
            return Self { all: sets.pop(), by_place, sets };
        }
        for ((step, introduced), set) in brought.steps.iter().zip(found).zip(of_step) {
            for pair in &introduced.pairs {
                let key = (pair.blob, pair.path.clone(), pair.symlink);
                let excused = is_excused(step.id);
                let whose =
                    by_place.entry(key).or_insert(Whose { sets: Vec::new(), commit: step.id, is_excused: excused });
                if !whose.sets.contains(&set) {
                    whose.sets.push(set);
                }
                // An exception for one commit says nothing of another that brings the same again.
                if whose.is_excused && !excused {
                    (whose.commit, whose.is_excused) = (step.id, false);
                }
            }
        }
        Self { all: None, by_place, sets }
    }

    fn settle(self, blobs: &mut [BlobJob]) {
        for job in blobs {
            let Blob::Object(id) = job.blob else { continue };
            for place in &mut job.places {
                if let Some(all) = &self.all {
                    place.new_to = all.clone();
                } else if let Some(whose) = self.by_place.get(&(id, place.path.clone(), place.symlink)) {
                    place.commit = Some(whose.commit);
                    place.new_to = match whose.sets[..] {
                        [set] => self.sets[set].clone(),
                        _ => RefSet::union(whose.sets.iter().map(|set| &self.sets[*set])),
                    };
                }
            }
        }
    }
}

/// New objects of a push by kind.
#[derive(Default)]
struct Waiting {
    commits: Vec<Oid>,
    tags: Vec<Oid>,
    trees: Vec<Oid>,
    blobs: Vec<Oid>,
}

/// Shows objects that were not shown before.
fn inspect(local: &ThreadRepo<'_>, query: &ChangeQuery<'_>, ids: &[Oid]) -> Result<()> {
    let Some(inspector) = query.objects else { return Ok(()) };
    ids.iter().try_for_each(|id| inspector.read(local, *id))
}

fn sort_by_kind(local: &ThreadRepo<'_>, ids: &[Oid]) -> Result<Waiting> {
    let mut out = Waiting::default();
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

/// What a push brings beside what its commits introduce: once accepted, anybody can fetch it by its id.
fn unreferenced(new: &Waiting, out: &mut Changes) {
    let seen: HashSet<Oid> = out.blobs.iter().filter_map(BlobJob::object).collect();
    for id in new.blobs.iter().filter(|id| !seen.contains(id)) {
        out.blobs.push(BlobJob::at(*id, id.to_string().into()));
    }
    for id in &new.tags {
        if !out.commits.iter().any(|c| c.id == *id) {
            let (content, new_to) = (RefSet::default(), RefSet::default());
            out.commits.push(CommitJob { id: *id, kind: ObjectKind::Tag, content, new_to });
        }
    }
}

/// Where the protected branches stand, as the server's branches are known here. Names without a wildcard are looked up,
/// not searched for: a server may have very many refs.
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

/// Whether a policy's word for a branch can mean several.
pub(super) fn is_pattern(branch: &str) -> bool {
    branch.contains(WILD)
}

const WILD: [char; 4] = ['*', '?', '[', '{'];

/// Whether a short branch name is the one a policy means; names there are literal or hold `*`.
pub fn branch_matches(pattern: &str, name: &[u8]) -> bool {
    if !is_pattern(pattern) {
        return pattern.as_bytes() == name;
    }
    globset::GlobBuilder::new(pattern)
        .literal_separator(true)
        .build()
        .is_ok_and(|g| g.compile_matcher().is_match(&*name.to_str_lossy()))
}
