//! Finds and opens a repository: honours the environment that git sets, turns replacements off, reports foreign
//! ownership.
//! Owns [`Repo`] (shared between threads) and [`ThreadRepo`] (one per thread).

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use bstr::{BStr, BString};

use super::delta_cache::DeltaCache;
use super::jobs::Introduced;
use super::pack::Packs;
use super::quarantine::Quarantine;
use super::reftable::{Refs, Target};
use super::tree_diffs::TreeDiffs;
use super::{gix_id, oid, unreadable};
use crate::error::{Error, Result};
use crate::stats::Stats;
use crate::subject::{Entry, ObjectKind, Oid, Ref};

/// A repository, open. Cheap to share; take a [`ThreadRepo`] per thread.
pub struct Repo {
    shared: gix::ThreadSafeRepository,
    counters: Counters,
    /// Owned by another account: its configuration is not trusted.
    foreign: bool,
    quarantine: Option<Quarantine>,
    /// HEAD, read once, so that a run sees one state.
    head: OnceLock<Result<Head>>,
    /// All refs if they are stored as a reftable, read once.
    pub(super) reftable: OnceLock<Result<Option<Refs>>>,
    /// The new objects in the quarantine, listed once.
    pub(super) quarantined: OnceLock<Result<Vec<Oid>>>,
    /// The packs, listed once.
    pub(super) packs: OnceLock<Result<Arc<Packs>>>,
    /// What the index introduces, read once.
    pub(super) staged: OnceLock<Result<Introduced>>,
    /// The files of the work tree, listed once.
    pub(super) work_tree: OnceLock<Result<Vec<Entry>>>,
    scratch: Option<PathBuf>,
    /// Objects in memory that are read as if they were in the store.
    memory: Option<super::Memory>,
    /// Differences of trees that another view of this repository may have computed.
    pub(super) tree_diffs: Option<TreeDiffs>,
}

impl Drop for Repo {
    fn drop(&mut self) {
        if let Some(scratch) = &self.scratch {
            // git deletes it with the quarantine anyway.
            let _ = std::fs::remove_dir_all(scratch);
        }
    }
}

/// Work done, counted across threads. The sums do not depend on the number of threads.
#[derive(Default)]
pub(crate) struct Counters {
    pub commits: AtomicU64,
    pub trees: AtomicU64,
    pub blobs: AtomicU64,
    pub bytes: AtomicU64,
}

/// Where HEAD is.
#[derive(Clone)]
struct Head {
    /// Full name of the branch, born or not; `None` when detached.
    name: Option<BString>,
    /// `None` on an unborn branch. An error if HEAD's branch is a symbolic ref that cannot be followed.
    commit: Result<Option<Oid>>,
}

/// One thread's handle on the repository, with its own caches.
pub struct ThreadRepo<'r> {
    pub(crate) gix: gix::Repository,
    pub(crate) repo: &'r Repo,
}

/// Finds the repository that git means for `dir`: `GIT_DIR` and its kind first, then upwards.
/// `Ok(None)` when there is none.
pub fn discover(dir: &Path) -> Result<Option<Repo>> {
    let options = |trust| {
        gix::open::Options::default()
            .with(trust)
            // A clean object must not replace the one that is judged.
            .cli_overrides(["core.useReplaceRefs=false"])
    };
    let map =
        gix::sec::trust::Mapping { full: options(gix::sec::Trust::Full), reduced: options(gix::sec::Trust::Reduced) };
    match gix::ThreadSafeRepository::discover_with_environment_overrides_opts(dir, Default::default(), map) {
        Ok(shared) => {
            let foreign = shared.to_thread_local().git_dir_trust() == gix::sec::Trust::Reduced;
            Ok(Some(Repo::of(shared, foreign)))
        }
        Err(e) => {
            // gix has many error kinds for "no repository here", so look at the disk instead.
            if std::env::var_os("GIT_DIR").is_none() && !dir.ancestors().any(looks_like_repository) {
                return Ok(None);
            }
            Err(Error::undecided(format!("cannot open the git repository: {}", chain(&e)))
                .hint("`git status` in the same directory says what git thinks of it"))
        }
    }
}

fn looks_like_repository(dir: &Path) -> bool {
    dir.join(".git").exists()
        || (dir.join("HEAD").is_file() && dir.join("objects").is_dir() && dir.join("refs").is_dir())
}

/// All causes of an error on one line.
pub(crate) fn chain(e: &(dyn std::error::Error + 'static)) -> String {
    let mut out = e.to_string();
    let mut next = e.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !out.contains(&text) {
            out.push_str(": ");
            out.push_str(&text);
        }
        next = cause.source();
    }
    out
}

impl Repo {
    fn of(shared: gix::ThreadSafeRepository, foreign: bool) -> Self {
        Self {
            shared,
            counters: Counters::default(),
            foreign,
            quarantine: None,
            head: OnceLock::new(),
            reftable: OnceLock::new(),
            quarantined: OnceLock::new(),
            packs: OnceLock::new(),
            staged: OnceLock::new(),
            work_tree: OnceLock::new(),
            scratch: None,
            memory: None,
            tree_diffs: None,
        }
    }

    /// Adds the objects of a push that are in quarantine.
    pub fn with_quarantine(mut self, quarantine: Quarantine) -> Result<Self> {
        self.scratch = Some(quarantine.unite(&mut self.shared)?);
        self.quarantine = Some(quarantine);
        self.packs = OnceLock::new();
        Ok(self)
    }

    /// The same objects under other refs: as they stood at an earlier time. HEAD names `head`, a full name. `diffs`: what
    /// all views share.
    pub fn with_refs(&self, refs: impl IntoIterator<Item = Ref>, head: &BStr, diffs: &TreeDiffs) -> Self {
        let mut named: Refs = refs.into_iter().map(|r| (r.name, Target::Object(r.target))).collect();
        named.insert("HEAD".into(), Target::Symbolic(head.to_owned()));
        let mut then = Self::of(self.shared.clone(), self.foreign);
        then.reftable = Ok(Some(named)).into();
        then.packs = self.packs.clone();
        then.tree_diffs = Some(diffs.clone());
        then
    }

    pub fn has_quarantine(&self) -> bool {
        self.quarantine.is_some()
    }

    pub(crate) fn quarantine(&self) -> Option<&Quarantine> {
        self.quarantine.as_ref()
    }

    /// Adds objects in memory: the commits of a plan that is not applied yet.
    pub fn with_memory(mut self, memory: super::Memory) -> Self {
        self.memory = Some(memory);
        self
    }

    pub fn thread_local(&self) -> ThreadRepo<'_> {
        let mut gix = self.shared.to_thread_local();
        if let Some(memory) = &self.memory {
            gix.objects.set_object_memory(memory.0.clone());
        }
        // Tree walks read the same parents again and again.
        gix.object_cache_size_if_unset(4 << 20);
        gix.objects.set_pack_cache(|| Box::<DeltaCache>::default());
        ThreadRepo { gix, repo: self }
    }

    /// `None` for bare repositories.
    pub fn workdir(&self) -> Option<&Path> {
        self.shared.work_tree.as_deref()
    }

    pub fn git_dir(&self) -> PathBuf {
        self.shared.refs.git_dir().to_owned()
    }

    /// The directory that all linked work trees share: refs, hooks and objects.
    pub fn common_dir(&self) -> PathBuf {
        self.shared.common_dir.clone().unwrap_or_else(|| self.git_dir())
    }

    /// Whether the directory belongs to another account. git would refuse it; we read it without its configuration.
    pub fn is_foreign(&self) -> bool {
        self.foreign
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Adds what was read to a report's stats.
    pub fn count_into(&self, stats: &mut Stats) {
        let n = |c: &AtomicU64| c.load(Ordering::Relaxed);
        stats.commits_decoded += n(&self.counters.commits);
        stats.trees_diffed += n(&self.counters.trees);
        stats.blobs_read += n(&self.counters.blobs);
        stats.bytes_read += n(&self.counters.bytes);
    }
}

impl Counters {
    pub fn blob(&self, bytes: usize) {
        self.blobs.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

impl ThreadRepo<'_> {
    /// Resolves what a user may write for a commit (`HEAD~2`, `v1.0.0^{commit}`, a ref, an id), peeled to a commit.
    pub fn commit_named(&self, name: &str) -> Result<Oid> {
        self.has_reftable()?;
        let id = self.revision(name).ok_or_else(|| no_such_revision(name, self))?;
        let object = self.gix.find_object(gix_id(id)).map_err(unreadable(format_args!("cannot read {name}")))?;
        let commit = object
            .peel_to_kind(gix::object::Kind::Commit)
            .map_err(|_| Error::usage(format!("`{name}` is not a commit")))?;
        Ok(oid(&commit.id))
    }

    /// The object a revision names, unpeeled.
    pub fn object_named(&self, name: &str) -> Result<Oid> {
        self.has_reftable()?;
        self.revision(name).ok_or_else(|| no_such_revision(name, self))
    }

    /// HEAD's commit; `None` on an unborn branch. The commit of a branch is not opened, because git allows nothing else
    /// there; it may be missing.
    pub fn head(&self) -> Result<Option<Oid>> {
        self.read_head()?.commit
    }

    /// Full name of the checked-out branch, born or not; `None` when HEAD is detached.
    pub fn head_name(&self) -> Result<Option<BString>> {
        Ok(self.read_head()?.name)
    }

    fn read_head(&self) -> Result<Head> {
        let read = || {
            let target =
                self.ref_target("HEAD".into()).map_err(|e| Error::undecided(format!("cannot read HEAD: {e}")))?;
            Ok(match target {
                None => return Err(Error::undecided("there is no HEAD here")),
                Some(Target::Object(id)) => Head { name: None, commit: self.peeled_head(id) },
                Some(Target::Symbolic(name)) => Head { commit: self.commit_of(name.clone()), name: Some(name) },
            })
        };
        self.repo.head.get_or_init(read).clone()
    }

    fn peeled_head(&self, id: Oid) -> Result<Option<Oid>> {
        match super::objects::peel(self, id)? {
            (id, ObjectKind::Commit) => Ok(Some(id)),
            (id, _) => Err(Error::undecided(format!("HEAD is at {id}, which is no commit"))),
        }
    }

    fn commit_of(&self, mut branch: BString) -> Result<Option<Oid>> {
        // A branch can be a symbolic ref to another; git follows five as well.
        for _ in 0..=5 {
            match self.ref_target(branch.as_ref())? {
                None => return Ok(None),
                Some(Target::Object(id)) if branch.starts_with(b"refs/heads/") => return Ok(Some(id)),
                Some(Target::Object(id)) => return self.peeled_head(id),
                Some(Target::Symbolic(next)) => branch = next,
            }
        }
        Err(Error::undecided("symbolic ref cycle at HEAD"))
    }

    /// Commits whose parents exist but are not here.
    pub fn shallow_boundary(&self) -> Result<Vec<Oid>> {
        let list = self.gix.shallow_commits().map_err(unreadable("cannot read the list of shallow commits"))?;
        Ok(list.map_or_else(Vec::new, |c| c.iter().map(|id| oid(id)).collect()))
    }
}

fn no_such_revision(name: &str, local: &ThreadRepo<'_>) -> Error {
    let shallow = local.gix.is_shallow().unwrap_or(false);
    let error = Error::undecided(format!("there is no revision `{name}` here"));
    if shallow {
        error.hint("this clone is shallow: `git fetch --unshallow` brings the rest")
    } else {
        error.hint("`git fetch` may bring it; `git rev-parse` shows what git makes of the name")
    }
}
