//! A push, or a range as one, as a source: what its objects bring and to which refs its commits are new. Owns what counts as
//! known before it; what a commit introduces is `changes`'s.

use std::collections::{BTreeMap, HashMap, HashSet};

use bstr::ByteSlice;

use super::Local;
use super::changes::{Ask, BlobJob, Changes, CommitJob, TreeJob, bare_tree, group, introduced_by, judged_tags};
use super::objects::peel;
use super::source::{Known, Push};
use super::trees::PathBudget;
use super::walk::{self, Step};
use crate::error::Result;
use crate::subject::{Kinds, ObjectKind, Oid};

/// Lists what the new commits bring, what comes beside them, and to which refs each commit is new.
pub(super) fn push(local: &Local<'_>, push: &Push, ask: &Ask<'_>, budget: &PathBudget) -> Result<Changes> {
    let mut out = Changes { refs: push.updates.clone(), ..Changes::default() };
    let mut tips = Vec::new();
    let mut known: Vec<Oid> = push.updates.iter().filter_map(|u| u.old).collect();
    known.extend(known_commits(local, &push.known)?);
    for update in &push.updates {
        let Some(new) = update.new else { continue };
        let (target, kind) = judged_tags(local, new, update, &known, &mut out)?;
        match kind {
            ObjectKind::Commit => {
                tips.push(target);
                if ask.kinds.meets(Kinds::TREE) && !update.name.starts_with(b"refs/tags/") {
                    out.trees.push(TreeJob {
                        commit: Some(target),
                        tree: Some(local.tree_of(target)?),
                        name: Some(update.name.clone()),
                        before: update.old.filter(|o| local.has(*o)).map(|o| peel(local, o)).transpose()?.map(|p| p.0),
                    });
                }
            }
            ObjectKind::Tree => bare_tree(local, target, &mut out, budget)?,
            ObjectKind::Blob => out.blobs.push(BlobJob::at(target, update.name.clone())),
            ObjectKind::Tag => unreachable!("peeled"),
        }
    }
    if !ask.kinds.meets(Kinds::FILE.and(Kinds::COMMIT)) {
        return Ok(out);
    }
    let quarantined = local.repo.quarantined(local)?.map(|ids| sort_by_kind(local, ids)).transpose()?;
    let steps = match &quarantined {
        Some(new) => walk::ordered(local, &new.commits)?,
        None if tips.is_empty() => return Ok(out),
        None => walk::new_commits(local, &tips, &known)?,
    };
    if ask.kinds.meets(Kinds::FILE) {
        let pairs = introduced_by(local, &steps, budget, None)?;
        out.submodules += pairs.iter().map(|p| p.submodules).sum::<u64>();
        let pairs = steps.iter().zip(pairs).flat_map(|(s, i)| i.pairs.into_iter().map(|p| (p, Some(s.id))));
        out.blobs.extend(group(pairs));
    }
    if let Some(new) = &quarantined {
        unreferenced(new, &mut out);
    }
    if ask.kinds.meets(Kinds::COMMIT) {
        out.commits.extend(new_to_refs(local, push, &steps, &known, ask)?);
    }
    Ok(out)
}

/// New objects of a push by kind.
#[derive(Default)]
struct Waiting {
    commits: Vec<Oid>,
    tags: Vec<Oid>,
    blobs: Vec<Oid>,
}

fn sort_by_kind(local: &Local<'_>, ids: &[Oid]) -> Result<Waiting> {
    let mut out = Waiting::default();
    for &id in ids {
        match local.kind(id)? {
            ObjectKind::Commit => out.commits.push(id),
            ObjectKind::Tag => out.tags.push(id),
            ObjectKind::Blob => out.blobs.push(id),
            ObjectKind::Tree => {}
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
            out.commits.push(CommitJob { id: *id, kind: ObjectKind::Tag, new_object: true, new_to: Vec::new() });
        }
    }
}

/// Commits whose history is known before the change.
fn known_commits(local: &Local<'_>, known: &Known) -> Result<Vec<Oid>> {
    let prefix = match known {
        Known::Old | Known::Quarantine => return Ok(Vec::new()),
        Known::Commits(list) => return Ok(list.clone()),
        Known::Refs => "refs/",
        Known::RefsUnder(prefix) => prefix,
    };
    let mut out = Vec::new();
    for r in local.refs(prefix)? {
        if let Ok((id, ObjectKind::Commit)) = peel(local, r.target) {
            out.push(id);
        }
    }
    out.sort_unstable();
    out.dedup();
    Ok(out)
}

/// For each new commit, the refs to which it is new: `new --not old`, and not on a protected branch.
fn new_to_refs(local: &Local<'_>, push: &Push, steps: &[Step], known: &[Oid], ask: &Ask<'_>) -> Result<Vec<CommitJob>> {
    let mut guarded = protected_tips(local, ask.protected)?;
    if matches!(push.known, Known::Old | Known::Commits(_)) {
        // A range is judged after the fact: a protected branch that has it already is no state before it.
        let tips = push.updates.iter().filter_map(|u| u.new);
        for new in tips {
            guarded.retain(|tip| *tip != new && local.merge_base(*tip, new).ok() != Some(new));
        }
    }
    let mut jobs: BTreeMap<usize, CommitJob> = BTreeMap::new();
    let mut order: HashMap<Oid, usize> = HashMap::new();
    for (at, step) in steps.iter().enumerate() {
        order.insert(step.id, at);
        let kind = ObjectKind::Commit;
        jobs.insert(at, CommitJob { id: step.id, kind, new_object: true, new_to: Vec::new() });
    }
    let mut beyond = steps.len();
    for update in &push.updates {
        let Some(new) = update.new else { continue };
        let (tip, ObjectKind::Commit) = peel(local, new)? else { continue };
        if update.name.starts_with(b"refs/tags/") {
            continue;
        }
        let mut hidden = guarded.clone();
        match update.old {
            Some(old) => hidden.push(old),
            None => hidden.extend_from_slice(known),
        }
        let short = update.name.strip_prefix(b"refs/heads/".as_slice()).unwrap_or(&update.name);
        let fork = update.old.is_none() && !ask.protected.iter().any(|p| branch_matches(p, short));
        let new = if fork && push.known == Known::Quarantine {
            // What was here before was judged on the ref it came with; only a protected branch judges it again.
            walk::new_commits_within(local, tip, &order)?
        } else {
            walk::new_commits(local, &[tip], &hidden)?
        };
        for step in new {
            let at = *order.entry(step.id).or_insert_with(|| {
                beyond += 1;
                beyond
            });
            jobs.entry(at)
                .or_insert_with(|| CommitJob {
                    id: step.id,
                    kind: ObjectKind::Commit,
                    new_object: false,
                    new_to: Vec::new(),
                })
                .new_to
                .push(update.name.clone());
        }
    }
    Ok(jobs.into_values().collect())
}

/// Where the protected branches stand. Names without a wildcard are looked up, not searched for: a server may have
/// very many refs.
fn protected_tips(local: &Local<'_>, protected: &[String]) -> Result<Vec<Oid>> {
    let (patterns, names): (Vec<_>, Vec<_>) = protected.iter().partition(|p| p.contains(WILD));
    let mut tips = Vec::new();
    for name in names {
        tips.extend(local.find_ref(format!("refs/heads/{name}").as_bytes().as_bstr())?);
    }
    if !patterns.is_empty() {
        for r in local.refs("refs/heads/")? {
            let short = &r.name[b"refs/heads/".len()..];
            if patterns.iter().any(|p| branch_matches(p, short)) {
                tips.push(r.target);
            }
        }
    }
    Ok(tips)
}

const WILD: [char; 4] = ['*', '?', '[', '{'];

/// Whether a short branch name is the one a policy means; names there are literal or hold `*`.
pub fn branch_matches(pattern: &str, name: &[u8]) -> bool {
    if !pattern.contains(WILD) {
        return pattern.as_bytes() == name;
    }
    globset::GlobBuilder::new(pattern)
        .literal_separator(true)
        .build()
        .is_ok_and(|g| g.compile_matcher().is_match(&*name.to_str_lossy()))
}
