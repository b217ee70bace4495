//! [`Snapshot`] on a real repository: a commit's tree, the index, the work tree. Owns lazy listing and reading.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice as _};

use super::jobs::SnapshotOf;
use super::objects::peel;
use super::trees::{self, PathBudget};
use super::{ThreadRepo, index, worktree};
use crate::document::Stored;
use crate::error::{Error, Result};
use crate::subject::{Entry, ObjectKind, Oid, Snapshot, TOO_LARGE};

/// Bytes of files that are cached for the next rule.
const MAX_CACHED: usize = 16 << 20;
/// Bytes of files whose parsed documents are cached too: beyond that, memory costs more than parsing again.
const MAX_PARSED: usize = 4 << 20;

/// Files that were read, while there is room.
#[derive(Default)]
struct FileCache {
    files: HashMap<BString, Rc<Stored>>,
    bytes: usize,
}

/// A tree of a repository; other refs are seen as they are after `moves`.
pub struct GitSnapshot<'r> {
    local: &'r ThreadRepo<'r>,
    of: SnapshotOf,
    /// Refs that the same change moves: full name and new id (`None`: deleted).
    moves: &'r [(BString, Option<Oid>)],
    /// The tree of the same ref before the change.
    before: Option<Oid>,
    entries: OnceCell<Result<Vec<Entry>>>,
    cache: RefCell<FileCache>,
    path_budget: u64,
}

impl<'r> GitSnapshot<'r> {
    pub fn new(
        local: &'r ThreadRepo<'r>,
        of: SnapshotOf,
        moves: &'r [(BString, Option<Oid>)],
        path_budget: u64,
    ) -> Self {
        Self { local, of, moves, before: None, entries: OnceCell::new(), cache: RefCell::default(), path_budget }
    }

    /// Sets the tree of the same ref before the change.
    pub fn after(mut self, before: Option<Oid>) -> Self {
        self.before = before;
        self
    }

    fn list(&self) -> Result<Vec<Entry>> {
        let budget = PathBudget::new(self.path_budget);
        match &self.of {
            SnapshotOf::Tree(tree) => trees::files(self.local, *tree, &budget),
            SnapshotOf::Index => index::entries(self.local, &index::open(self.local)?, &budget),
            SnapshotOf::WorkTree => {
                let root = self.root()?;
                let list = || worktree::tracked_and_new(self.local, &root, &[], 0)?.entries();
                self.local.repo.work_tree.get_or_init(list).clone()
            }
        }
    }

    fn root(&self) -> Result<PathBuf> {
        self.local
            .repo
            .workdir()
            .map(ToOwned::to_owned)
            .ok_or_else(|| Error::usage("a bare repository has no work tree"))
    }

    /// Reads a file, from the object store or the disk.
    fn load(&self, path: &BStr) -> Result<Option<Vec<u8>>> {
        // If the files were listed before, searching the list is faster than parsing a tree per directory again.
        if let (SnapshotOf::Tree(tree), None) = (&self.of, self.entries.get()) {
            return match trees::lookup(self.local, *tree, path)? {
                Some((id, mode)) if mode.is_blob_or_symlink() => self.local.blob(id).map(Some),
                _ => Ok(None),
            };
        }
        let entries = self.listed()?;
        let Ok(at) = entries.binary_search_by(|e| e.path.as_bstr().cmp(path)) else { return Ok(None) };
        match entries[at].blob {
            Some(id) => self.local.blob(id).map(Some),
            None => {
                let file = worktree::join(&self.root()?, path)?;
                let bytes = worktree::read(&file, entries[at].symlink, Vec::new())?;
                let bytes = bytes.ok_or_else(|| Error::undecided(format!("{path} is {TOO_LARGE}")))?;
                self.local.repo.counters().blob(bytes.len());
                Ok(Some(bytes))
            }
        }
    }

    fn listed(&self) -> Result<&[Entry]> {
        self.entries.get_or_init(|| self.list()).as_deref().map_err(Error::clone)
    }
}

impl Snapshot for GitSnapshot<'_> {
    fn entries(&self) -> Result<Vec<Entry>> {
        Ok(self.listed()?.to_vec())
    }

    fn changed_paths(&self) -> Result<Option<Vec<BString>>> {
        match (&self.of, self.before) {
            (SnapshotOf::Tree(tree), Some(before)) => {
                let diff = trees::diff(self.local, Some(before), *tree, &PathBudget::new(self.path_budget))?;
                Ok(Some(diff.into_iter().map(|(path, ..)| path).collect()))
            }
            (SnapshotOf::Index, Some(_)) => self.local.staged_paths().map(Some),
            _ => Ok(None),
        }
    }

    fn read(&self, path: &BStr) -> Result<Option<Rc<Stored>>> {
        if let Some(file) = self.cache.borrow().files.get(path) {
            return Ok(Some(Rc::clone(file)));
        }
        let Some(bytes) = self.load(path)? else { return Ok(None) };
        let mut cache = self.cache.borrow_mut();
        let size = cache.bytes + bytes.len();
        let file = Rc::new(if size <= MAX_PARSED { Stored::new(bytes) } else { Stored::uncached(bytes) });
        if size <= MAX_CACHED {
            cache.bytes = size;
            cache.files.insert(path.to_owned(), Rc::clone(&file));
        }
        Ok(Some(file))
    }

    fn other(&self, name: &str) -> Result<Option<Box<dyn Snapshot + '_>>> {
        let candidates: Vec<BString> = if name.starts_with("refs/") {
            vec![name.into()]
        } else {
            vec![
                format!("refs/heads/{name}").into(),
                format!("refs/remotes/origin/{name}").into(),
                format!("refs/tags/{name}").into(),
            ]
        };
        for full in candidates {
            let target = match self.moves.iter().find(|(n, _)| *n == full) {
                Some((_, new)) => *new,
                None => self.local.find_ref(full.as_ref())?,
            };
            if let Some(target) = target {
                let (id, kind) = peel(self.local, target)?;
                let tree = match kind {
                    ObjectKind::Commit => self.local.tree_of(id)?,
                    _ => return Ok(None),
                };
                return Ok(Some(Box::new(GitSnapshot::new(
                    self.local,
                    SnapshotOf::Tree(tree),
                    self.moves,
                    self.path_budget,
                ))));
            }
        }
        Ok(None)
    }

    fn branches(&self) -> Result<Vec<BString>> {
        let prefix = "refs/heads/";
        let mut names: Vec<BString> = self.local.refs(prefix)?.into_iter().map(|r| r.name).collect();
        names.retain(|n| !self.moves.iter().any(|(m, new)| m == n && new.is_none()));
        names.extend(
            self.moves.iter().filter(|(n, new)| new.is_some() && n.starts_with(prefix.as_bytes())).map(|m| m.0.clone()),
        );
        let mut short: Vec<BString> = names.into_iter().map(|n| n[prefix.len()..].into()).collect();
        short.sort_unstable();
        short.dedup();
        Ok(short)
    }
}
