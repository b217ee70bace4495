//! Source -> Subjects -> Checks -> Findings. Reads each distinct blob once, only if a check wants one of its paths;
//! in parallel when there is enough to do, with the same result for any number of threads.

mod family;
mod seen;
mod sift;

use std::cell::Cell;
use std::collections::hash_map::RandomState;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;
use std::io::Read;

use bstr::{BStr, BString};
use rayon::prelude::*;

pub use self::seen::Seen;
use self::sift::{Known, Sifted};
use crate::error::{Error, Result};
use crate::finding::{Finding, Findings, InlineAllow, Origin, Severity, Violation, safe_words, trailer_allows};
use crate::git::{
    self, Ask, Blob, BlobJob, Changes, CommitJob, GitGraph, GitSnapshot, Local, Mark, RawCommit, Repo, Sifting,
    SnapshotOf, Source, Update,
};
use crate::policy::{Batch, Compiled, Scoped};
use crate::report::{Stats, Undecided};
use crate::rules::secrets::{patterns_compiled, redactor};
use crate::rules::{CommitCheck, TreeCheck};
use crate::subject::{Carrier, Commit, Content, File, Kinds, ObjectKind, Oid, RefLine, RefUpdate, Snapshot, Tree};

/// Fewer jobs than this are not worth waking threads for.
const SERIAL: usize = 64;

/// Memory that a thread keeps from one file for the next, at most.
const SPARE: usize = 4 << 20;

/// How a pointer of git's large file storage begins, and how long none is.
const LFS: &[u8] = b"version https://git-lfs.github.com/spec/";
const LFS_POINTER: usize = 1024;

fn is_pointer(bytes: &[u8]) -> bool {
    bytes.len() < LFS_POINTER && bytes.starts_with(LFS)
}

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
    pub clean: Vec<Mark>,
}

/// What the engine needs beside source and checks.
pub struct Setting<'a> {
    pub checks: &'a Compiled,
    /// Short names or globs of protected branches.
    pub protected: &'a [String],
    pub path_budget: u64,
    pub threads: usize,
    pub reading: ManyBlobs,
    /// What a run before found clean, where it may be relied on.
    pub seen: Option<&'a Seen>,
}

/// In which way a great number of blobs is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ManyBlobs {
    /// As packs keep them, and where they stand only those in which something could be.
    #[default]
    Sifted,
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
pub fn run(repo: &Repo, source: &Source, setting: &Setting<'_>) -> Result<Outcome> {
    let checks = setting.checks;
    let sifting = setting.reading == ManyBlobs::Sifted;
    let mut stats = Stats::default();
    let mut sifted = match source {
        Source::History { .. } if sifting => Sifted::all(repo, &checks.files, &mut stats)?,
        _ => Sifted::default(),
    };
    let only_sifted = checks.files.iter().all(|s| s.check.sieve().is_some()) && checks.files.len() == 1;
    let unwanted = |id| sifted.nobody_wants(id);
    let silent = |id: Oid, raw: RawCommit| {
        let subject = commit_of(raw, id, true, Vec::new(), &|| Ok(Vec::new()));
        checks.commits.iter().all(|s| s.check.is_silent(&subject)) && trailer(&subject).is_none()
    };
    let sift = Sifting { unwanted: only_sifted.then_some(&unwanted as _), silent: &silent };
    let ask = Ask {
        kinds: checks.kinds(),
        path_budget: setting.path_budget,
        protected: setting.protected,
        threads: setting.threads,
        marks: setting.seen.is_some(),
        sifting: sifting.then_some(sift),
    };
    let changes = repo.changes(source, &ask)?;
    if sifting && matches!(source, Source::Push(_)) {
        sifted = Sifted::of(repo, &changes.blobs, &checks.files, &mut stats)?;
    }
    let local = repo.local();
    let refs = match source {
        Source::Push(push) => push.updates.iter().map(|u| u.name.clone()).collect(),
        Source::History { .. } => Vec::new(),
        _ => local.head_name()?.into_iter().collect(),
    };
    let mut run = Run::new(setting, refs);
    match source {
        Source::Push(push) => {
            let graph = || GitGraph::new(&local, push.branches_at.clone(), setting.path_budget);
            run.replacements(&changes.refs);
            run.refs(graph, push, &changes.refs)?;
        }
        Source::Merge { heads, message } => run.merge(&local, heads, message)?,
        Source::Message { text, parents } => run.message(&local, text, parents)?,
        _ => {}
    }
    run.commits(repo, &changes.commits);
    run.trees(&local, source, &changes);
    run.blobs(Some(repo), &changes.blobs, &sifted);
    run.finish();
    run.remarks(&changes);
    run.out.stats += stats;
    repo.count_into(&mut run.out.stats);
    Ok(run.out)
}

/// Judges files that belong to no repository.
pub fn run_outside(root: &std::path::Path, paths: &[std::path::PathBuf], setting: &Setting<'_>) -> Outcome {
    let changes = git::plain_files(root, paths, setting.threads);
    let mut run = Run::new(setting, Vec::new());
    run.out.notes.push("not a git repository: the files under the given paths were checked as they are".to_owned());
    run.blobs(None, &changes.blobs, &Sifted::default());
    run.finish();
    run.remarks(&changes);
    run.out
}

struct Run<'a> {
    setting: &'a Setting<'a>,
    /// Keys the in-run identity of secrets.
    key: u64,
    /// Full names of the refs to which the whole change goes.
    refs: Vec<BString>,
    /// Blobs that only say where their content is.
    pointers: u64,
    out: Outcome,
}

/// What one job brings home.
#[derive(Default)]
struct Part {
    batch: Batch,
    trailer: Option<(Option<Oid>, Vec<InlineAllow>)>,
    errors: Vec<Undecided>,
    stats: Stats,
    pointers: u64,
    clean: Option<Mark>,
}

impl<'a> Run<'a> {
    fn new(setting: &'a Setting<'a>, refs: Vec<BString>) -> Self {
        Self { setting, key: RandomState::new().hash_one(0), refs, pointers: 0, out: Outcome::default() }
    }

    fn collect(&self) -> Findings<'static> {
        Findings::new(redactor(), self.key)
    }

    fn remarks(&mut self, changes: &Changes) {
        if changes.submodules > 0 {
            let n = changes.submodules;
            let s = if n == 1 { "" } else { "s" };
            self.out.notes.push(format!("{n} submodule{s}: content not seen, each is judged in its own repository"));
        }
        if self.pointers > 0 {
            let n = self.pointers;
            let s = if n == 1 { "" } else { "s" };
            self.out.notes.push(format!("{n} LFS pointer{s}: content not seen, it is kept elsewhere"));
        }
        let errors = changes.errors.iter().cloned();
        self.out.errors.extend(errors.map(|error| Undecided { error, origin: None }));
        for undecided in &mut self.out.errors {
            undecided.error.message = safe_words(redactor(), &undecided.error.message);
            undecided.origin = undecided.origin.take().map(|o| o.masked(redactor()));
        }
        self.out.stats.policies_parsed = self.setting.checks.policies_parsed;
        self.out.stats.patterns_compiled = patterns_compiled() as u64;
    }

    /// What only several subjects together violate.
    fn finish(&mut self) {
        let mut findings = self.collect();
        let checks = self.setting.checks;
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
            self.keep(part.batch);
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
            self.keep(Batch { refs: vec![update.name.clone()], findings: findings.into_vec() });
        }
    }

    fn refs<'g>(
        &mut self,
        graph: impl FnOnce() -> Result<GitGraph<'g>>,
        push: &git::Push,
        updates: &[Update],
    ) -> Result<()> {
        if self.setting.checks.refs.is_empty() || updates.is_empty() {
            return Ok(());
        }
        let graph = graph()?;
        let together: Vec<_> = updates.iter().map(|u| (u.name.clone(), u.old, u.new)).collect();
        for update in updates {
            let subject = RefUpdate {
                name: update.name.clone(),
                old: update.old,
                new: update.new,
                pusher: push.pusher.clone(),
                head_ref: push.head_ref.clone(),
                together: &together,
                graph: &graph,
            };
            let mut findings = self.collect();
            for scoped in self.setting.checks.refs.iter().filter(|s| s.scope.has_branch([update.name.as_ref()])) {
                if let Err(error) = scoped.check.check(&subject, &mut findings) {
                    let origin = Origin::Ref { name: update.name.clone(), old: update.old, new: update.new };
                    self.out.errors.push(Undecided { error, origin: Some(origin) });
                }
            }
            self.keep(Batch { refs: vec![update.name.clone()], findings: findings.into_vec() });
        }
        Ok(())
    }

    /// The branch as a merge under way will leave it, before the merge is made.
    fn merge(&mut self, local: &Local<'_>, heads: &[Oid], message: &BString) -> Result<()> {
        let (Some(head), Some(name)) = (local.head()?, local.head_name()?) else { return Ok(()) };
        if self.setting.checks.refs.is_empty() || heads.is_empty() {
            return Ok(());
        }
        let graph = GitGraph::new(local, None, self.setting.path_budget)?;
        let parents: Vec<Oid> = std::iter::once(head).chain(heads.iter().copied()).collect();
        let new = graph.pending_merge(&parents, message.as_ref())?;
        let update = Update { name, old: Some(head), new: Some(new) };
        self.refs(|| Ok(graph), &git::Push::default(), &[update])
    }

    fn message(&mut self, local: &Local<'_>, text: &BString, parents: &[Oid]) -> Result<()> {
        let head = local.head()?;
        let subject = Commit {
            carrier: Carrier::Pending,
            message: text.clone(),
            headers: BString::default(),
            parents: head.into_iter().chain(parents.iter().copied()).collect(),
            tree: None,
            author: Default::default(),
            committer: Default::default(),
            new_object: true,
            new_to: local.head_name()?.into_iter().collect(),
            changed_paths: &|| local.staged_paths(),
        };
        let mut findings = self.collect();
        for scoped in &self.setting.checks.commits {
            if let Err(error) = scoped.check.check(&subject, &mut findings) {
                self.out.errors.push(Undecided { error, origin: Some(Origin::Message { commit: None }) });
            }
        }
        self.out.trailers.extend(trailer(&subject));
        self.keep(Batch { refs: subject.new_to, findings: findings.into_vec() });
        Ok(())
    }

    fn commits(&mut self, repo: &Repo, jobs: &[CommitJob]) {
        if self.setting.checks.commits.is_empty() {
            return;
        }
        let parts = in_parallel(repo, jobs, |desk, job| self.commit(&desk.local, job));
        self.absorb(parts);
    }

    fn commit(&self, local: &Local<'_>, job: &CommitJob) -> Part {
        let mut part = Part::default();
        let origin = Origin::Message { commit: Some(job.id) };
        let mut findings = self.collect();
        let mut judge = |subject: &Commit<'_>| {
            let here = |s: &&Scoped<CommitCheck>| s.scope.has_branch(subject.new_to.iter().map(AsRef::as_ref));
            for scoped in self.setting.checks.commits.iter().filter(here) {
                if let Err(error) = scoped.check.check(subject, &mut findings) {
                    part.errors.push(Undecided { error, origin: Some(origin.clone()) });
                }
            }
            part.trailer = trailer(subject);
        };
        let read = match job.kind {
            ObjectKind::Tag => local.tag(job.id).map(|tag| {
                let headers = tag.raw[..tag.raw.len() - tag.message.len()].into();
                judge(&Commit {
                    carrier: Carrier::Tag(job.id, tag.name),
                    message: tag.message,
                    headers,
                    parents: Vec::new(),
                    tree: None,
                    author: tag.tagger.clone().unwrap_or_default(),
                    committer: tag.tagger.unwrap_or_default(),
                    new_object: job.new_object,
                    new_to: job.new_to.clone(),
                    changed_paths: &|| Ok(Vec::new()),
                });
            }),
            _ => local.commit(job.id).map(|raw| {
                let (tree, first) = (raw.node.tree, raw.node.parents.first().copied());
                let changed = || local.changed_paths(first, tree, self.setting.path_budget);
                judge(&commit_of(raw, job.id, job.new_object, job.new_to.clone(), &changed));
            }),
        };
        if let Err(error) = read {
            part.errors.push(Undecided { error, origin: Some(Origin::Message { commit: Some(job.id) }) });
        }
        part.batch = Batch { refs: job.new_to.clone(), findings: findings.into_vec() };
        part
    }

    fn trees(&mut self, local: &Local<'_>, source: &Source, changes: &Changes) {
        if self.setting.checks.trees.is_empty() {
            return;
        }
        let moves: Vec<(BString, Option<Oid>)> = changes.refs.iter().map(|u| (u.name.clone(), u.new)).collect();
        let budget = self.setting.path_budget;
        for job in &changes.trees {
            let of = match (job.tree, source) {
                (Some(tree), _) => SnapshotOf::Tree(tree),
                (None, Source::Index { .. } | Source::Merge { .. }) => SnapshotOf::Index,
                (None, _) => SnapshotOf::WorkTree,
            };
            let before = job.before.and_then(|c| local.tree_of(c).ok());
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
        let errors = self.setting.checks.trees.iter().filter(here).filter_map(|scoped| {
            let error = scoped.check.check(subject, &mut findings).err()?;
            Some(Undecided { error, origin: None })
        });
        let errors = errors.collect();
        (findings.into_vec(), errors)
    }

    fn blobs(&mut self, repo: Option<&Repo>, jobs: &[BlobJob], sifted: &Sifted) {
        if self.setting.checks.files.is_empty() {
            return;
        }
        let parts = match repo {
            Some(repo) => {
                let mut met = self.families(repo, jobs, sifted);
                let rest: Vec<(usize, &BlobJob)> =
                    jobs.iter().enumerate().filter(|(at, _)| !met.contains_key(at)).collect();
                let stored = |desk: &Desk<'_>, (_, job): &(usize, &BlobJob)| {
                    self.stored(Some(&desk.local), &desk.spare, job, sifted)
                };
                let read = in_parallel(repo, &rest, stored);
                met.extend(rest.iter().map(|(at, _)| *at).zip(read));
                (0..jobs.len()).filter_map(|at| met.remove(&at)).collect()
            }
            None => {
                jobs.par_iter().map_init(Cell::default, |spare, job| self.stored(None, spare, job, sifted)).collect()
            }
        };
        self.absorb(parts);
    }

    /// Whether the check that was asked has to read a blob where it stands.
    fn reads(&self, job: &BlobJob, known: Known<'_>) -> bool {
        let files = &self.setting.checks.files;
        job.places.iter().any(|place| {
            let path: &BStr = place.path.as_ref();
            files
                .get(known.number())
                .is_some_and(|s| s.scope.has_path(path) && known.wants(known.number(), &s.check, path))
        })
    }

    /// Judges a blob where it stands.
    fn stored(&self, local: Option<&Local<'_>>, spare: &Cell<Vec<u8>>, job: &BlobJob, sifted: &Sifted) -> Part {
        let load = || match (&job.blob, local) {
            (Blob::Object(id), Some(local)) => local.blob_unless_large(*id),
            (Blob::Object(id), None) => Err(Error::undecided(format!("object {id} has no repository"))),
            (Blob::Disk(file), _) => git::read_file(file, job.places.first().is_some_and(|p| p.symlink), spare.take()),
        };
        let streamed = Cell::new(0);
        let open = |read: &mut dyn FnMut(&mut dyn Read) -> Result<()>| -> Result<()> {
            let bytes = &streamed;
            match (&job.blob, local) {
                (Blob::Object(id), Some(local)) => read(&mut Counted { input: local.large_blob(*id)?, bytes }),
                (Blob::Object(id), None) => Err(Error::undecided(format!("object {id} has no repository"))),
                (Blob::Disk(file), _) => read(&mut Counted { input: git::open_file(file)?, bytes }),
            }
        };
        let content = Content::or_in_parts(&load, &open);
        let mut part = self.blob(&content, job, sifted);
        if streamed.get() > 0 {
            part.stats.blobs_read = 1;
            part.stats.bytes_read = streamed.get();
        }
        spare.set(content.into_spare().filter(|bytes| bytes.capacity() <= SPARE).unwrap_or_default());
        part
    }

    fn blob(&self, content: &Content<'_>, job: &BlobJob, sifted: &Sifted) -> Part {
        let mut part = Part::default();
        let blob = if let Blob::Object(id) = &job.blob { Some(*id) } else { None };
        let known = blob.and_then(|id| sifted.known(id));
        let seen = job.mark.is_some_and(|mark| self.setting.seen.is_some_and(|seen| seen.holds(&mark)));
        let mut findings = self.collect();
        let mut passed_over = false;
        for place in &job.places {
            let path: &BStr = place.path.as_ref();
            let file = File { path, commit: place.commit, blob, symlink: place.symlink, content };
            let here = self.setting.checks.files.iter().enumerate().filter(|(_, s)| s.scope.has_path(path));
            for (number, scoped) in here {
                if seen && scoped.check.judges_alone() {
                    continue;
                }
                if known.is_some_and(|k| !k.wants(number, &scoped.check, path)) {
                    passed_over = true;
                    continue;
                }
                let checked = match known {
                    Some(known) => known.check(number, &scoped.check, &file, &mut findings),
                    None => scoped.check.check(&file, &mut findings),
                };
                if let Err(error) = checked {
                    let origin = Origin::File { path: path.to_owned(), commit: place.commit, blob };
                    part.errors.push(Undecided { error, origin: Some(origin) });
                    break;
                }
            }
        }
        let pointer = match content.read() {
            Some(length) => length < LFS_POINTER && content.bytes().is_ok_and(is_pointer),
            None => passed_over && known.is_some_and(Known::is_pointer),
        };
        part.pointers = u64::from(pointer);
        if let (Blob::Disk(_), Some(bytes)) = (&job.blob, content.read()) {
            part.stats.blobs_read = 1;
            part.stats.bytes_read = bytes as u64;
        }
        part.stats.blobs_seen = u64::from(seen && content.read().is_none());
        let findings = findings.into_vec();
        if !findings.is_empty() {
            part.batch = Batch { refs: self.refs.clone(), findings };
        } else if part.errors.is_empty() && !pointer {
            part.clean = job.mark;
        }
        part
    }
}

/// Counts what is read of it.
struct Counted<'c, R> {
    input: R,
    bytes: &'c Cell<u64>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = self.input.read(into)?;
        self.bytes.set(self.bytes.get() + read as u64);
        Ok(read)
    }
}

fn commit_of<'a>(
    raw: RawCommit,
    id: Oid,
    new_object: bool,
    new_to: Vec<BString>,
    changed_paths: &'a dyn Fn() -> Result<Vec<BString>>,
) -> Commit<'a> {
    Commit {
        carrier: Carrier::Commit(id),
        message: raw.message,
        headers: raw.headers,
        parents: raw.node.parents,
        tree: Some(raw.node.tree),
        author: raw.node.author,
        committer: raw.node.committer,
        new_object,
        new_to,
        changed_paths,
    }
}

/// What a message allows by its trailers.
fn trailer(subject: &Commit<'_>) -> Option<(Option<Oid>, Vec<InlineAllow>)> {
    let id = match subject.carrier {
        Carrier::Pending => None,
        Carrier::Commit(id) | Carrier::Tag(id, _) => Some(id),
    };
    let allows = trailer_allows(&subject.message, redactor());
    (!allows.is_empty()).then_some((id, allows))
}

/// What one thread works with.
struct Desk<'r> {
    local: Local<'r>,
    /// Memory for the next file: fresh pages would cost as much as reading it.
    spare: Cell<Vec<u8>>,
}

/// Runs jobs on as many threads as pay, each with its own handle on the repository; results in the jobs' order. The
/// last ones are read first: packs keep the newest version of a file whole, and older ones as what differs from it.
fn in_parallel<J: Sync>(repo: &Repo, jobs: &[J], one: impl Fn(&Desk<'_>, &J) -> Part + Sync) -> Vec<Part> {
    let desk = || Desk { local: repo.local(), spare: Cell::default() };
    if jobs.len() < SERIAL {
        let desk = desk();
        return jobs.iter().map(|j| one(&desk, j)).collect();
    }
    let backwards = jobs.par_iter().rev().with_min_len(8);
    let mut parts: Vec<Part> = backwards.map_init(desk, |desk, job| one(desk, job)).collect();
    parts.reverse();
    parts
}
