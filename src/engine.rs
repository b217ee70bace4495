//! Source -> Subjects -> Checks -> Findings. Reads each distinct blob once, only if a check wants one of its paths;
//! in parallel when there is enough to do, with the same result for any number of threads.

mod blobs;
mod clean_cache;
mod commits;
mod delta_visit;
mod objects;
mod prescan;

use std::cell::Cell;
use std::collections::hash_map::RandomState;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;
use std::sync::Arc;

use bstr::BString;
use rayon::prelude::*;

pub use self::blobs::findings_in;
pub use self::clean_cache::CleanCache;
use self::commits::{commit_of, trailer};
use self::objects::Judged;
use self::prescan::Prescanned;
use crate::error::Result;
use crate::finding::{Finding, Findings, InlineAllow, Origin, Redact, Severity, Violation};
use crate::git::{
    self, ChangeQuery, Changes, GitGraph, GitSnapshot, RawCommit, Repo, SnapshotOf, Source, StatDigest, ThreadRepo,
    Update,
};
use crate::policy::{Batch, Compiled, Scoped};
use crate::report::{Stats, Undecided};
use crate::rules::TreeCheck;
use crate::rules::secrets::{patterns_compiled, redactor};
use crate::subject::{Kinds, Object, Oid, RefLine, RefSet, RefUpdate, Shared, Snapshot, Tree};
use crate::text::count;

/// Fewer jobs than this are not worth waking threads for.
const SERIAL: usize = 64;

/// Everything that was found, before the policy settles it.
#[derive(Default)]
pub struct Outcome {
    pub batches: Vec<Batch>,
    /// Allows from the trailers of each judged message; `None`: the pending one.
    pub trailers: HashMap<Option<Oid>, Vec<InlineAllow>>,
    pub errors: Vec<Undecided>,
    pub stats: Stats,
    /// Remarks on the run as a whole.
    pub notes: Vec<String>,
    /// Marked files in which nothing was found.
    pub clean: Vec<StatDigest>,
    /// The policy's detectors, where it has any of its own.
    pub redactor: Option<Arc<dyn Redact>>,
    /// Keys [`Finding::same`] of this run.
    pub key: u64,
}

/// What the engine needs beside source and checks.
pub struct RunConfig<'a> {
    pub checks: &'a Compiled,
    /// Short names or globs of protected branches.
    pub protected: &'a [String],
    pub path_budget: u64,
    pub threads: usize,
    pub reading: ManyBlobs,
    /// What a run before found clean, where it may be relied on.
    pub seen: Option<&'a CleanCache>,
}

/// In which way a great number of blobs is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ManyBlobs {
    /// As packs keep them, and where they stand only those in which something could be.
    #[default]
    Prescanned,
    /// Each where it stands: slower, with the same result.
    OneByOne,
}

/// Which kinds of subject a source can feed.
pub fn kinds(source: &Source) -> Kinds {
    match source {
        Source::WorkTree { .. } => Kinds::FILE.and(Kinds::TREE),
        Source::Index { .. } => Kinds::FILE.and(Kinds::TREE),
        Source::Merge { .. } => Kinds::FILE.and(Kinds::TREE).and(Kinds::REF),
        Source::Message { .. } => Kinds::COMMIT,
        Source::Push(_) => Kinds::ALL,
        Source::History { .. } => Kinds::FILE.and(Kinds::COMMIT),
    }
}

/// Judges what a source brings.
pub fn run(repo: &Repo, source: &Source, config: &RunConfig<'_>) -> Result<Outcome> {
    let checks = config.checks;
    let prescans = config.reading == ManyBlobs::Prescanned;
    let mut stats = Stats::default();
    let mut prescanned = match source {
        Source::History { .. } if prescans => Prescanned::all(repo, &checks.files, &mut stats)?,
        _ => Prescanned::default(),
    };
    let only_sifted = checks.files.iter().all(|s| s.check.sieve().is_some()) && checks.files.len() == 1;
    let unwanted = |id| prescanned.nobody_wants(id);
    let silent = |id: Oid, raw: RawCommit| {
        let subject = commit_of(raw, id, RefSet::default(), &|| Ok(Vec::new()), &|_| Ok(false));
        checks.commits.iter().all(|s| s.check.can_skip(&subject)) && trailer(&subject).is_none()
    };
    let prescan = git::Prescan { unwanted: only_sifted.then_some(&unwanted as _), silent: &silent };
    let key = RandomState::new().hash_one(0);
    let judged = Judged::new(checks, key);
    let show = |object: &Object<'_>| judged.object(object);
    let inspector = git::Inspector::new(&show);
    let ask = ChangeQuery {
        kinds: checks.kinds(),
        path_budget: config.path_budget,
        protected: config.protected,
        strictness: &|name| checks.strictness.of(name),
        is_excused: &|commit| checks.strictness.is_excused(commit),
        releases: &|name| checks.refs.iter().any(|s| s.check.is_release_tag(name)),
        threads: config.threads,
        marks: config.seen.is_some(),
        prescan: prescans.then_some(prescan),
        objects: (matches!(source, Source::Push(_)) && !checks.objects.is_empty()).then_some(&inspector),
    };
    let listed = repo.changes(source, &ask);
    let (malformed, mut errors) = judged.into_found();
    let changes = match listed {
        Ok(changes) => changes,
        // What is malformed can seldom be walked: its fault says more than the walk's.
        Err(error) if !malformed.is_empty() => {
            errors.push(Undecided { error, origin: None });
            Changes::default()
        }
        Err(error) => return Err(error),
    };
    if prescans && matches!(source, Source::Push(_)) {
        prescanned = Prescanned::of(repo, &changes.blobs, &checks.files, &mut stats)?;
    }
    let local = repo.thread_local();
    let refs = match source {
        Source::Push(push) => push.updates.iter().map(|u| u.name.clone()).collect(),
        Source::History { .. } => RefSet::default(),
        _ => local.head_name()?.into_iter().collect(),
    };
    let mut run = Run::new(config, refs, key);
    run.out.errors.extend(errors);
    run.keep(Batch { refs: run.refs.clone(), findings: malformed });
    match source {
        Source::Push(push) => {
            let head = push.head_ref.as_ref().filter(|head| !head.is_empty());
            run.lands_from = head.map(|head| [b"refs/heads/", head.as_slice()].concat().into());
            run.on_server = matches!(push.known, git::Excluded::Refs | git::Excluded::Quarantine);
            let graph = || {
                let graph = GitGraph::new(&local, push.branches_at.clone(), config.path_budget)?;
                Ok(if push.on_server { graph.on_server() } else { graph })
            };
            run.replacements(&changes.refs);
            run.refs(graph, push, &changes.refs)?;
        }
        Source::Merge { heads, message } => run.merge(&local, heads, message)?,
        Source::Message { text, parents, author } => run.message(&local, text, parents, author.as_ref())?,
        _ => {}
    }
    run.commits(repo, &changes.commits);
    run.trees(&local, source, &changes);
    run.blobs(Some(repo), &changes.blobs, &prescanned);
    run.finish();
    run.remarks(&changes);
    run.out.stats += stats;
    repo.count_into(&mut run.out.stats);
    Ok(run.out)
}

/// Judges files that belong to no repository.
pub fn run_outside(root: &std::path::Path, paths: &[std::path::PathBuf], config: &RunConfig<'_>) -> Outcome {
    let changes = git::plain_files(root, paths, config.threads);
    let mut run = Run::new(config, RefSet::default(), RandomState::new().hash_one(0));
    run.out.notes.push("not a git repository: the files under the given paths were checked as they are".to_owned());
    run.blobs(None, &changes.blobs, &Prescanned::default());
    run.finish();
    run.remarks(&changes);
    run.out
}

struct Run<'a> {
    config: &'a RunConfig<'a>,
    /// The refs to which the whole change goes.
    refs: RefSet,
    /// Full name of the branch whose pull request lands, where it is known.
    lands_from: Option<BString>,
    /// The branches of this repository are those that count.
    on_server: bool,
    /// Blobs that only say where their content is.
    pointers: u64,
    out: Outcome,
}

/// What one job brings home.
#[derive(Default)]
struct Part {
    batches: Vec<Batch>,
    trailer: Option<(Option<Oid>, Vec<InlineAllow>)>,
    errors: Vec<Undecided>,
    stats: Stats,
    pointers: u64,
    clean: Option<StatDigest>,
}

impl<'a> Run<'a> {
    fn new(config: &'a RunConfig<'a>, refs: RefSet, key: u64) -> Self {
        let out = Outcome { key, ..Outcome::default() };
        Self { config, refs, lands_from: None, on_server: false, pointers: 0, out }
    }

    fn collect(&self) -> Findings<'a> {
        Findings::new(self.config.checks.redactor.as_deref().unwrap_or(redactor()), self.out.key)
    }

    fn remarks(&mut self, changes: &Changes) {
        if changes.submodules > 0 {
            let submodules = count(changes.submodules, "submodule");
            self.out.notes.push(format!("{submodules}: content not seen, each is judged in its own repository"));
        }
        if self.pointers > 0 {
            let pointers = count(self.pointers, "LFS pointer");
            self.out.notes.push(format!("{pointers}: content not seen, it is kept elsewhere"));
        }
        let errors = changes.errors.iter().cloned();
        self.out.errors.extend(errors.map(|error| Undecided { error, origin: None }));
        self.out.redactor = self.config.checks.redactor.clone();
        self.out.stats.policies_parsed = self.config.checks.policies_parsed;
        self.out.stats.patterns_compiled = patterns_compiled() as u64;
    }

    /// What only several subjects together violate.
    fn finish(&mut self) {
        let mut findings = self.collect();
        let checks = self.config.checks;
        let mut errors = Vec::new();
        errors.extend(checks.files.iter().filter_map(|s| s.check.finish(&mut findings).err()));
        errors.extend(checks.commits.iter().filter_map(|s| s.check.finish(&mut findings).err()));
        errors.extend(checks.refs.iter().filter_map(|s| s.check.finish(&mut findings).err()));
        errors.extend(checks.trees.iter().filter_map(|s| s.check.finish(&mut findings).err()));
        self.out.errors.extend(errors.into_iter().map(|error| Undecided { error, origin: None }));
        self.keep(Batch { refs: self.refs.clone(), findings: findings.into_vec() });
    }

    fn keep(&mut self, batch: Batch) {
        if !batch.findings.is_empty() {
            self.out.batches.push(batch);
        }
    }

    fn absorb(&mut self, parts: Vec<Part>) {
        for part in parts {
            part.batches.into_iter().for_each(|batch| self.keep(batch));
            self.out.trailers.extend(part.trailer);
            self.out.errors.extend(part.errors);
            self.out.stats += part.stats;
            self.pointers += part.pointers;
            self.out.clean.extend(part.clean);
        }
    }

    /// Whatever the policy says: what git shows after such a push would not be what was judged. Deleting one is fine.
    fn replacements(&mut self, updates: &[Update]) {
        for update in updates.iter().filter(|u| u.new.is_some() && u.name.starts_with(b"refs/replace/")) {
            let mut findings = self.collect();
            let line = RefLine::new(update.name.as_ref(), update.old, update.new);
            let origin = Origin::Ref { name: update.name.clone(), old: update.old, new: update.new };
            let identity = [&line.text[line.name.clone()], &line.text[line.new.clone()]];
            findings.push(
                Violation::new("policy/replace-ref", Severity::Error, origin, &line.text, line.name.clone())
                    .identity(identity)
                    .message("a replacement would make git show other objects than those that were judged")
                    .note("no gate follows refs/replace, and everybody who fetches it does")
                    .help("rewrite the history instead (git filter-repo), or keep the replacement to yourself"),
            );
            self.keep(Batch { refs: update.name.clone().into(), findings: findings.into_vec() });
        }
    }

    fn refs<'g>(
        &mut self,
        graph: impl FnOnce() -> Result<GitGraph<'g>>,
        push: &git::Push,
        updates: &[Update],
    ) -> Result<()> {
        if self.config.checks.refs.is_empty() || updates.is_empty() {
            return Ok(());
        }
        let graph = graph()?;
        let together: Vec<_> = updates.iter().map(|u| (u.name.clone(), u.old, u.new)).collect();
        let shared = Shared::default();
        for update in updates {
            let subject = RefUpdate {
                name: update.name.clone(),
                old: update.old,
                new: update.new,
                pusher: push.pusher.clone(),
                head_ref: push.head_ref.clone(),
                together: &together,
                graph: &graph,
                shared: shared.clone(),
            };
            let mut findings = self.collect();
            for scoped in self.config.checks.refs.iter().filter(|s| s.scope.has_branch([update.name.as_ref()])) {
                if let Err(error) = scoped.check.check(&subject, &mut findings) {
                    let origin = Origin::Ref { name: update.name.clone(), old: update.old, new: update.new };
                    self.out.errors.push(Undecided { error, origin: Some(origin) });
                }
            }
            self.keep(Batch { refs: update.name.clone().into(), findings: findings.into_vec() });
        }
        Ok(())
    }

    /// The branch as a merge under way will leave it, before the merge is made.
    fn merge(&mut self, local: &ThreadRepo<'_>, heads: &[Oid], message: &BString) -> Result<()> {
        let (Some(head), Some(name)) = (local.head()?, local.head_name()?) else { return Ok(()) };
        if self.config.checks.refs.is_empty() || heads.is_empty() {
            return Ok(());
        }
        let graph = GitGraph::new(local, None, self.config.path_budget)?;
        let parents: Vec<Oid> = std::iter::once(head).chain(heads.iter().copied()).collect();
        let new = graph.pending_merge(&parents, message.as_ref())?;
        let update = Update { name, old: Some(head), new: Some(new) };
        self.refs(|| Ok(graph), &git::Push::default(), &[update])
    }

    fn trees(&mut self, local: &ThreadRepo<'_>, source: &Source, changes: &Changes) {
        if self.config.checks.trees.is_empty() {
            return;
        }
        let moves: Vec<(BString, Option<Oid>)> = changes.refs.iter().map(|u| (u.name.clone(), u.new)).collect();
        let budget = self.config.path_budget;
        for job in &changes.trees {
            let of = match (job.tree, source) {
                (Some(tree), _) => SnapshotOf::Tree(tree),
                (None, Source::Index { .. } | Source::Merge { .. }) => SnapshotOf::Index,
                (None, _) => SnapshotOf::WorkTree,
            };
            let before = job.before.map(|c| local.tree_of(c)).transpose().unwrap_or_else(|error| {
                // Without the state before, what the change took away would look as if it had never been there.
                self.out.errors.push(Undecided { error, origin: None });
                None
            });
            let snapshot = GitSnapshot::new(local, of, &moves, budget).after(before);
            let before = before.map(|t| GitSnapshot::new(local, SnapshotOf::Tree(t), &[], budget));
            let subject = Tree {
                commit: job.commit,
                name: job.name.clone(),
                snapshot: &snapshot,
                before: before.as_ref().map(|b| b as &dyn Snapshot),
            };
            let (mut findings, errors) = self.tree(&subject);
            self.out.errors.extend(errors);
            if let (Some(snapshot), false) = (subject.before, findings.is_empty()) {
                let then = Tree { commit: job.before, name: job.name.clone(), snapshot, before: None };
                // What could not be decided of the old state excuses nothing.
                let stood: HashSet<String> = self.tree(&then).0.into_iter().map(|f| f.fingerprint).collect();
                findings.iter_mut().for_each(|f| f.stood = stood.contains(&f.fingerprint));
            }
            self.keep(Batch { refs: job.name.clone().into_iter().collect(), findings });
        }
    }

    /// What the checks say of one snapshot.
    fn tree(&self, subject: &Tree<'_>) -> (Vec<Finding>, Vec<Undecided>) {
        let mut findings = self.collect();
        let here = |s: &&Scoped<TreeCheck>| s.scope.has_branch(subject.name.iter().map(AsRef::as_ref));
        let errors = self.config.checks.trees.iter().filter(here).filter_map(|scoped| {
            let error = scoped.check.check(subject, &mut findings).err()?;
            Some(Undecided { error, origin: None })
        });
        let errors = errors.collect();
        (findings.into_vec(), errors)
    }
}

/// What one thread works with.
struct Worker<'r> {
    local: ThreadRepo<'r>,
    /// Memory for the next file: fresh pages would cost as much as reading it.
    spare: Cell<Vec<u8>>,
}

/// Runs jobs on as many threads as pay, each with its own handle on the repository; results in the jobs' order. The
/// last ones are read first: packs keep the newest version of a file whole, and older ones as what differs from it.
fn in_parallel<J: Sync>(repo: &Repo, jobs: &[J], one: impl Fn(&Worker<'_>, &J) -> Part + Sync) -> Vec<Part> {
    let desk = || Worker { local: repo.thread_local(), spare: Cell::default() };
    if jobs.len() < SERIAL {
        let desk = desk();
        return jobs.iter().map(|j| one(&desk, j)).collect();
    }
    let backwards = jobs.par_iter().rev().with_min_len(8);
    let mut parts: Vec<Part> = backwards.map_init(desk, |desk, job| one(desk, job)).collect();
    parts.reverse();
    parts
}
