//! One walk from a [`Source`] to what the rules may look at: ids, paths and names; no blob is read here.

use std::collections::HashMap;
use std::path::PathBuf;

use bstr::{BStr, BString};
use rayon::prelude::*;

use super::inspect::Inspector;
use super::pruned_trees::PrunedTrees;
use super::source::{Source, Update};
use super::stat_digest::{StatDigest, StatDigests};
use super::trees::{self, PathBudget};
use super::walk::WalkedCommit;
use super::{RawCommit, Repo, ThreadRepo, history, index, push, worktree};
use crate::error::{Error, Result};
use crate::subject::{Kinds, ObjectKind, Oid, RefSet};

/// Where a blob stands, and the first commit that put it there.
#[derive(Clone, Debug, PartialEq)]
pub struct Occurrence {
    pub path: BString,
    pub commit: Option<Oid>,
    pub symlink: bool,
    /// The refs to which it is new; none where that is not known of a single place.
    pub new_to: RefSet,
}

/// Where a job's bytes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blob {
    Object(Oid),
    Disk(PathBuf),
}

/// One distinct blob and all places where the change puts it: read once.
#[derive(Clone, Debug)]
pub struct BlobJob {
    pub blob: Blob,
    pub places: Vec<Occurrence>,
    /// A file of the work tree that is as the index has it, where somebody asked for that.
    pub mark: Option<StatDigest>,
}

impl BlobJob {
    /// An object that stands at one place of no commit.
    pub fn at(id: Oid, path: BString) -> Self {
        Self {
            blob: Blob::Object(id),
            places: vec![Occurrence { path, commit: None, symlink: false, new_to: RefSet::default() }],
            mark: None,
        }
    }

    /// The id, where it is an object.
    pub fn object(&self) -> Option<Oid> {
        if let Blob::Object(id) = &self.blob { Some(*id) } else { None }
    }
}

/// A commit or annotated tag to be judged by its text.
#[derive(Clone, Debug)]
pub struct CommitJob {
    pub id: Oid,
    pub kind: ObjectKind,
    /// The refs to which it is new, whatever is judged of it.
    pub content: RefSet,
    /// The branches on which its message is judged.
    pub new_to: RefSet,
}

/// A ref to be judged.
pub type RefJob = Update;

/// A snapshot to be judged.
#[derive(Clone, Debug)]
pub struct TreeJob {
    pub commit: Option<Oid>,
    /// `None`: the index or the work tree.
    pub tree: Option<Oid>,
    pub name: Option<BString>,
    pub before: Option<Oid>,
}

/// What a source brings.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    pub blobs: Vec<BlobJob>,
    pub commits: Vec<CommitJob>,
    pub refs: Vec<RefJob>,
    pub trees: Vec<TreeJob>,
    /// Parts that could not be listed.
    pub errors: Vec<Error>,
    /// Submodule entries whose content was not seen.
    pub submodules: u64,
}

/// Blobs with paths, before they are grouped.
#[derive(Debug, Default)]
pub(crate) struct Introduced {
    pub pairs: Vec<Pair>,
    /// Paths that the first parent has and the index lacks; for the index only.
    pub removed: Vec<BString>,
    pub submodules: u64,
}

/// A blob under a path.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub path: BString,
    pub blob: Oid,
    pub symlink: bool,
}

impl Introduced {
    pub(crate) fn add(&mut self, path: BString, blob: Oid, symlink: bool, submodule: bool) {
        if submodule {
            self.submodules += 1;
        } else {
            self.pairs.push(Pair { path, blob, symlink });
        }
    }
}

/// What the caller knows beside the source.
pub struct ChangeQuery<'a> {
    /// Only what somebody will look at is listed.
    pub kinds: Kinds,
    pub path_budget: u64,
    /// Short names or globs of protected branches.
    pub protected: &'a [String],
    /// The conditions of the policy under which a ref, by its full name, is judged; always in the same order.
    pub strictness: &'a (dyn Fn(&BStr) -> Vec<bool> + Sync),
    /// Whether the policy excuses what a commit brings.
    pub is_excused: &'a (dyn Fn(Oid) -> bool + Sync),
    /// Whether a ref, by its full name, is a tag that releases what it names.
    pub releases: &'a (dyn Fn(&BStr) -> bool + Sync),
    pub threads: usize,
    /// Files of the work tree that are as the index has them are marked.
    pub marks: bool,
    /// For history: packs are read by their families of deltas. `None`: each object where it stands.
    pub prescan: Option<Prescan<'a>>,
    /// Who is shown the new commits, tags and trees of a push.
    pub objects: Option<&'a Inspector<'a>>,
}

/// What need not be listed.
#[derive(Clone, Copy)]
pub struct Prescan<'a> {
    /// Blobs that nobody will look at, wherever they stand; `None`: every blob is looked at.
    pub unwanted: Option<&'a (dyn Fn(Oid) -> bool + Sync)>,
    /// Whether nobody would say anything of a commit.
    pub silent: &'a (dyn Fn(Oid, RawCommit) -> bool + Sync),
}

impl Repo {
    /// Lists what `source` brings.
    pub fn changes(&self, source: &Source, query: &ChangeQuery<'_>) -> Result<Changes> {
        let local = self.thread_local();
        let budget = PathBudget::new(query.path_budget);
        match source {
            Source::WorkTree { paths } => self.worktree_changes(&local, paths, query),
            Source::Index { parents } | Source::Merge { heads: parents, .. } => {
                let mut out = Changes::default();
                if query.kinds.meets(Kinds::FILE) {
                    let trees: Vec<Oid> = parents.iter().map(|c| local.tree_of(*c)).collect::<Result<_>>()?;
                    let (pairs, submodules) = index::introduced(&local, &trees, &budget)?;
                    out.submodules = submodules;
                    out.blobs = group(pairs.into_iter().map(|p| (p, None)));
                }
                if query.kinds.meets(Kinds::TREE) {
                    let name = local.head_name()?;
                    out.trees.push(TreeJob { commit: None, tree: None, name, before: local.head()? });
                }
                Ok(out)
            }
            Source::Message { .. } => Ok(Changes::default()),
            Source::Push(push) => push::push(&local, push, query, &budget),
            Source::History { all } => history::history(&local, *all, query, &budget),
        }
    }

    fn worktree_changes(&self, local: &ThreadRepo<'_>, paths: &[PathBuf], query: &ChangeQuery<'_>) -> Result<Changes> {
        let root = self.workdir().ok_or_else(|| {
            Error::usage("a bare repository has no work tree to check")
                .hint("`portcullis check --ref HEAD` judges a ref, `--history` everything")
        })?;
        let mut out = Changes::default();
        if query.kinds.meets(Kinds::FILE) {
            let listing = worktree::tracked_and_new(local, root, paths, query.threads)?;
            if paths.is_empty() && query.kinds.meets(Kinds::TREE) {
                // Walked once: a run judges one state of the work tree.
                self.work_tree.get_or_init(|| listing.entries());
            }
            let marker = query.marks.then(|| StatDigests::new(local)).transpose()?;
            out.blobs = from_disk(listing.files, marker.as_ref());
            out.errors = listing.errors;
            out.submodules = listing.submodules;
        }
        if query.kinds.meets(Kinds::TREE) {
            out.trees.push(TreeJob { commit: None, tree: None, name: local.head_name()?, before: None });
        }
        Ok(out)
    }
}

/// Files of directories that belong to no repository.
pub fn plain_files(root: &std::path::Path, paths: &[PathBuf], threads: usize) -> Changes {
    let listing = worktree::plain(root, paths, threads);
    Changes { blobs: from_disk(listing.files, None), errors: listing.errors, ..Changes::default() }
}

fn from_disk(files: Vec<worktree::Disk>, marker: Option<&StatDigests>) -> Vec<BlobJob> {
    let job = |f: worktree::Disk, mark| BlobJob {
        blob: Blob::Disk(f.file),
        places: vec![Occurrence { path: f.path, commit: None, symlink: f.symlink, new_to: RefSet::default() }],
        mark,
    };
    match marker {
        None => files.into_iter().map(|f| job(f, None)).collect(),
        Some(marker) => files
            .into_par_iter()
            .with_min_len(64)
            .map(|f| {
                let mark = marker.mark(&f);
                job(f, mark)
            })
            .collect(),
    }
}

/// One job per distinct blob, in the order of first sight. A path that holds the same blob as a file and as a link is two
/// places.
pub(super) fn group(pairs: impl Iterator<Item = (Pair, Option<Oid>)>) -> Vec<BlobJob> {
    let mut at: HashMap<Oid, usize> = HashMap::new();
    let mut jobs: Vec<BlobJob> = Vec::new();
    for (pair, commit) in pairs {
        let job = *at.entry(pair.blob).or_insert_with(|| {
            jobs.push(BlobJob { blob: Blob::Object(pair.blob), places: Vec::new(), mark: None });
            jobs.len() - 1
        });
        jobs[job].places.push(Occurrence { path: pair.path, commit, symlink: pair.symlink, new_to: RefSet::default() });
    }
    jobs.iter_mut().filter(|job| job.places.len() > 1).for_each(|job| first_of_each(&mut job.places));
    jobs
}

/// A pair that comes and goes is one pair: its first commit stands for it.
fn first_of_each(places: &mut Vec<Occurrence>) {
    let mut order: Vec<usize> = (0..places.len()).collect();
    let key = |at: usize| (&places[at].path, places[at].symlink);
    // Stable: the first of its kind stays the first.
    order.sort_by(|a, b| key(*a).cmp(&key(*b)));
    order.dedup_by(|b, a| key(*a) == key(*b));
    let mut stays = vec![false; places.len()];
    order.into_iter().for_each(|at| stays[at] = true);
    let mut stays = stays.into_iter();
    places.retain(|_| stays.next().unwrap_or(false));
}

/// Lists the tag objects between a ref and what it finally points at, and returns that.
pub(super) fn judged_tags(
    local: &ThreadRepo<'_>,
    new: Oid,
    update: &Update,
    known: &[Oid],
    inspector: Option<&Inspector<'_>>,
    out: &mut Changes,
) -> Result<(Oid, ObjectKind)> {
    let mut at = new;
    for _ in 0..64 {
        let kind = local.kind(at)?;
        if kind != ObjectKind::Tag {
            return Ok((at, kind));
        }
        if !known.contains(&at) && !out.commits.iter().any(|c| c.id == at) {
            inspector.map_or(Ok(()), |inspector| inspector.read(local, at))?;
            let content = RefSet::from(update.name.clone());
            out.commits.push(CommitJob { id: at, kind, new_to: content.clone(), content });
        }
        at = local.tag(at)?.target;
    }
    Err(Error::undecided(format!("the tag at {new} is nested too deeply")))
}

/// A ref may point at a tree: everything in it is introduced.
pub(super) fn ref_to_tree(
    local: &ThreadRepo<'_>,
    tree: Oid,
    inspector: Option<&Inspector<'_>>,
    out: &mut Changes,
    budget: &PathBudget,
) -> Result<()> {
    let mut found = Introduced::default();
    let within = trees::Within { inspector, ..trees::Within::default() };
    trees::introduced_in(local, within, tree, &[], budget, &mut |f| {
        found.add(f.path.to_owned(), f.id, f.mode.is_link(), f.mode.is_commit());
    })?;
    out.submodules += found.submodules;
    out.blobs.extend(group(found.pairs.into_iter().map(|p| (p, None))));
    Ok(())
}

/// What each commit introduces against all its parents, in the order of `steps`.
pub(super) fn introduced_by(
    local: &ThreadRepo<'_>,
    steps: &[WalkedCommit],
    budget: &PathBudget,
    unwanted: Option<(&(dyn Fn(Oid) -> bool + Sync), &PrunedTrees)>,
    inspector: Option<&Inspector<'_>>,
) -> Result<Vec<Introduced>> {
    // Most parents are steps themselves: no commit is decoded_commits once for itself and again for each child.
    let tree = |local: &ThreadRepo<'_>, step: &WalkedCommit| {
        Ok((step.id, step.tree.map_or_else(|| local.tree_of(step.id), Ok)?))
    };
    let known: Result<HashMap<Oid, Oid>> = match steps.len() {
        0..64 => steps.iter().map(|step| tree(local, step)).collect(),
        _ => {
            let repo = local.repo;
            steps
                .par_iter()
                .with_min_len(64)
                .map_init(|| repo.thread_local(), |local, step| tree(local, step))
                .collect()
        }
    };
    let known = known?;
    let tree_of = |local: &ThreadRepo<'_>, commit: Oid| match known.get(&commit) {
        Some(tree) => Ok(*tree),
        None => local.tree_of(commit),
    };
    let one = |local: &ThreadRepo<'_>, step: &WalkedCommit| -> Result<Introduced> {
        let mut found = Introduced::default();
        inspector.map_or(Ok(()), |inspector| inspector.read(local, step.id))?;
        let tree = tree_of(local, step.id)?;
        // A parent that is not here can only be one past a shallow boundary: everything then counts as new.
        let parents = step.parents.iter().filter(|p| known.contains_key(*p) || local.has(**p));
        let parents: Vec<Oid> = parents.map(|p| tree_of(local, *p)).collect::<Result<_>>()?;
        let within = trees::Within { pruned: unwanted.map(|(_, pruned)| pruned), inspector };
        trees::introduced_in(local, within, tree, &parents, budget, &mut |f| {
            if f.mode.is_commit() || !unwanted.is_some_and(|(unwanted, _)| unwanted(f.id)) {
                found.add(f.path.to_owned(), f.id, f.mode.is_link(), f.mode.is_commit());
            }
        })?;
        Ok(found)
    };
    if steps.len() < 64 {
        return steps.iter().map(|s| one(local, s)).collect();
    }
    let repo = local.repo;
    // The newest first, as packs have them.
    let backwards = steps.par_iter().rev().with_min_len(16);
    let mut found: Vec<Introduced> =
        backwards.map_init(|| repo.thread_local(), |local, step| one(local, step)).collect::<Result<_>>()?;
    found.reverse();
    Ok(found)
}
