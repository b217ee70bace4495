//! One walk from a [`Source`] to what the rules may look at: ids, paths and names; no blob is read here.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;

use bstr::{BString, ByteSlice};
use rayon::prelude::*;

use super::marks::{Mark, Marker};
use super::objects::peel;
use super::prune::Pruned;
use super::source::{Known, Push, Source, Update};
use super::trees::{self, PathBudget};
use super::walk::{self, Step};
use super::{Local, RawCommit, Repo, history, index, worktree};
use crate::error::{Error, Result};
use crate::subject::{Kinds, ObjectKind, Oid};

/// Where a blob stands, and the first commit that put it there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub path: BString,
    pub commit: Option<Oid>,
    pub symlink: bool,
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
    pub places: Vec<Place>,
    /// A file of the work tree that is as the index has it, where somebody asked for that.
    pub mark: Option<Mark>,
}

impl BlobJob {
    /// An object that stands at one place of no commit.
    pub(super) fn at(id: Oid, path: BString) -> Self {
        Self { blob: Blob::Object(id), places: vec![Place { path, commit: None, symlink: false }], mark: None }
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
    pub new_object: bool,
    pub new_to: Vec<BString>,
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
pub struct Ask<'a> {
    /// Only what somebody will look at is listed.
    pub kinds: Kinds,
    pub path_budget: u64,
    /// Short names or globs of protected branches: what stands there is never judged again as a message.
    pub protected: &'a [String],
    pub threads: usize,
    /// Files of the work tree that are as the index has them are marked.
    pub marks: bool,
    /// For history: packs are read by their families of deltas. `None`: each object where it stands.
    pub sifting: Option<Sifting<'a>>,
}

/// What need not be listed.
#[derive(Clone, Copy)]
pub struct Sifting<'a> {
    /// Blobs that nobody will look at, wherever they stand; `None`: every blob is looked at.
    pub unwanted: Option<&'a (dyn Fn(Oid) -> bool + Sync)>,
    /// Whether nobody would say anything of a commit.
    pub silent: &'a (dyn Fn(Oid, RawCommit) -> bool + Sync),
}

impl Repo {
    /// Lists what `source` brings.
    pub fn changes(&self, source: &Source, ask: &Ask<'_>) -> Result<Changes> {
        let local = self.local();
        let budget = PathBudget::new(ask.path_budget);
        match source {
            Source::WorkTree { paths } => self.worktree_changes(&local, paths, ask),
            Source::Index { parents } | Source::Merge { heads: parents, .. } => {
                let mut out = Changes::default();
                if ask.kinds.meets(Kinds::FILE) {
                    let trees: Vec<Oid> = parents.iter().map(|c| local.tree_of(*c)).collect::<Result<_>>()?;
                    let (pairs, submodules) = index::introduced(&local, &trees, &budget)?;
                    out.submodules = submodules;
                    out.blobs = group(pairs.into_iter().map(|p| (p, None)));
                }
                if ask.kinds.meets(Kinds::TREE) {
                    let name = local.head_name()?;
                    out.trees.push(TreeJob { commit: None, tree: None, name, before: local.head()? });
                }
                Ok(out)
            }
            Source::Message { .. } => Ok(Changes::default()),
            Source::Push(push) => push_changes(&local, push, ask, &budget),
            Source::History { all } => history::history(&local, *all, ask, &budget),
        }
    }

    fn worktree_changes(&self, local: &Local<'_>, paths: &[PathBuf], ask: &Ask<'_>) -> Result<Changes> {
        let root = self.workdir().ok_or_else(|| {
            Error::usage("a bare repository has no work tree to check")
                .hint("`portcullis check --ref HEAD` judges a ref, `--history` everything")
        })?;
        let mut out = Changes::default();
        if ask.kinds.meets(Kinds::FILE) {
            let listing = worktree::tracked_and_new(local, root, paths, ask.threads)?;
            if paths.is_empty() && ask.kinds.meets(Kinds::TREE) {
                // Walked once: a run judges one state of the work tree.
                self.work_tree.get_or_init(|| listing.entries());
            }
            let marker = ask.marks.then(|| Marker::new(local)).transpose()?;
            out.blobs = from_disk(listing.files, marker.as_ref());
            out.errors = listing.errors;
            out.submodules = listing.submodules;
        }
        if ask.kinds.meets(Kinds::TREE) {
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

fn from_disk(files: Vec<worktree::Disk>, marker: Option<&Marker>) -> Vec<BlobJob> {
    let job = |f: worktree::Disk, mark| BlobJob {
        blob: Blob::Disk(f.file),
        places: vec![Place { path: f.path, commit: None, symlink: f.symlink }],
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

/// One job per distinct blob, in the order of first sight.
pub(super) fn group(pairs: impl Iterator<Item = (Pair, Option<Oid>)>) -> Vec<BlobJob> {
    let mut at: HashMap<Oid, usize> = HashMap::new();
    let mut jobs: Vec<BlobJob> = Vec::new();
    for (pair, commit) in pairs {
        let job = *at.entry(pair.blob).or_insert_with(|| {
            jobs.push(BlobJob { blob: Blob::Object(pair.blob), places: Vec::new(), mark: None });
            jobs.len() - 1
        });
        let places = &mut jobs[job].places;
        // A pair that comes and goes is one pair: its first commit stands for it.
        if !places.iter().any(|p| p.path == pair.path) {
            places.push(Place { path: pair.path, commit, symlink: pair.symlink });
        }
    }
    jobs
}

fn push_changes(local: &Local<'_>, push: &Push, ask: &Ask<'_>, budget: &PathBudget) -> Result<Changes> {
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

/// Lists the tag objects between a ref and what it finally points at, and returns that.
pub(super) fn judged_tags(
    local: &Local<'_>,
    new: Oid,
    update: &Update,
    known: &[Oid],
    out: &mut Changes,
) -> Result<(Oid, ObjectKind)> {
    let mut at = new;
    for _ in 0..64 {
        let kind = local.kind(at)?;
        if kind != ObjectKind::Tag {
            return Ok((at, kind));
        }
        if !known.contains(&at) && !out.commits.iter().any(|c| c.id == at) {
            out.commits.push(CommitJob { id: at, kind, new_object: true, new_to: vec![update.name.clone()] });
        }
        at = local.tag(at)?.target;
    }
    Err(Error::undecided(format!("the tag at {new} is nested too deeply")))
}

/// A ref may point at a tree: everything in it is introduced.
pub(super) fn bare_tree(local: &Local<'_>, tree: Oid, out: &mut Changes, budget: &PathBudget) -> Result<()> {
    let mut found = Introduced::default();
    trees::introduced(local, tree, &[], budget, &mut |f| {
        found.add(f.path.to_owned(), f.id, f.mode.is_link(), f.mode.is_commit());
    })?;
    out.submodules += found.submodules;
    out.blobs.extend(group(found.pairs.into_iter().map(|p| (p, None))));
    Ok(())
}

/// What each commit introduces against all its parents, in the order of `steps`.
pub(super) fn introduced_by(
    local: &Local<'_>,
    steps: &[Step],
    budget: &PathBudget,
    unwanted: Option<(&(dyn Fn(Oid) -> bool + Sync), &Pruned)>,
) -> Result<Vec<Introduced>> {
    // Most parents are steps themselves: no commit is decoded once for itself and again for each child.
    let tree = |local: &Local<'_>, step: &Step| Ok((step.id, step.tree.map_or_else(|| local.tree_of(step.id), Ok)?));
    let known: Result<HashMap<Oid, Oid>> = match steps.len() {
        0..64 => steps.iter().map(|step| tree(local, step)).collect(),
        _ => {
            let repo = local.repo;
            steps.par_iter().with_min_len(64).map_init(|| repo.local(), |local, step| tree(local, step)).collect()
        }
    };
    let known = known?;
    let tree_of = |local: &Local<'_>, commit: Oid| match known.get(&commit) {
        Some(tree) => Ok(*tree),
        None => local.tree_of(commit),
    };
    let one = |local: &Local<'_>, step: &Step| -> Result<Introduced> {
        let mut found = Introduced::default();
        let tree = tree_of(local, step.id)?;
        // A parent that is not here can only be one past a shallow boundary: everything then counts as new.
        let parents = step.parents.iter().filter(|p| known.contains_key(*p) || local.has(**p));
        let parents: Vec<Oid> = parents.map(|p| tree_of(local, *p)).collect::<Result<_>>()?;
        trees::introduced_in(local, unwanted.map(|(_, pruned)| pruned), tree, &parents, budget, &mut |f| {
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
        backwards.map_init(|| repo.local(), |local, step| one(local, step)).collect::<Result<_>>()?;
    found.reverse();
    Ok(found)
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
