//! Writes picked commits and one new branch to the repository. Objects are written children first and the branch last,
//! so an interrupted run leaves only unreachable objects. Never moves an existing ref.

use std::cell::RefCell;
use std::collections::HashSet;

use bstr::{BStr, BString, ByteSlice as _};
use gix::objs::{Kind, Write as _};
use gix::refs::transaction::PreviousValue;

use super::objects::RawCommit;
use super::picker::Picker;
use super::tree_edits::put;
use super::{ThreadRepo, gix_id, unreadable};
use crate::error::{Error, Result};
use crate::subject::Oid;

/// Writes objects of a picker's memory.
pub struct Write<'p, 'r> {
    picker: &'p Picker<'r>,
    /// The target: the object store, or a memory of its own.
    disk: gix::Repository,
    done: RefCell<HashSet<Oid>>,
}

/// Objects that are in memory only.
pub struct Memory(pub(super) gix::odb::memory::Storage);

/// Who commits, and when: `Name <mail> seconds zone`, as a commit's header has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committer(BString);

impl Committer {
    /// The committer by git's configuration and environment. `seconds`: since 1970, in UTC, unless the environment gives a
    /// date.
    pub fn of(local: &ThreadRepo<'_>, seconds: i64) -> Result<Self> {
        let unknown = || {
            Error::usage("git does not know who you are")
                .hint("git config user.name 'Your Name' && git config user.email you@example.org")
        };
        let who = local.gix.committer().ok_or_else(unknown)?.map_err(|_| unknown())?;
        if who.name.trim().is_empty() || who.email.trim().is_empty() {
            return Err(unknown());
        }
        let now = format!("{seconds} +0000");
        // The clock's time would make a different commit in every run.
        let given = local.gix.config_snapshot().string("gitoxide.commit.committerDate").is_some();
        let time = if given { who.time.trim() } else { &now };
        Ok(Self(format!("{} <{}> {time}", who.name.trim().as_bstr(), who.email.trim().as_bstr()).into()))
    }

    /// A placeholder, for commits of a plan that are checked and discarded.
    pub fn planner(seconds: i64) -> Self {
        Self(format!("portcullis <portcullis@localhost> {seconds} +0000").into())
    }
}

impl<'p, 'r> Write<'p, 'r> {
    /// Writes to the picker's repository.
    pub fn new(picker: &'p Picker<'r>) -> Self {
        Self { picker, disk: picker.local.repo.thread_local().gix, done: RefCell::default() }
    }

    /// Writes to memory, for [`super::Repo::with_memory`], only objects that the repository does not have.
    pub fn to_memory(picker: &'p Picker<'r>) -> Self {
        let disk = picker.local.repo.thread_local().gix.with_object_memory();
        Self { disk, ..Self::new(picker) }
    }

    /// The objects that [`Write::to_memory`] has written.
    pub fn into_memory(self) -> Memory {
        Memory(self.disk.objects.reset_object_memory().unwrap_or_default())
    }

    /// Creates a commit with the author of `original`, in the picker's memory. Signatures and `mergetag` headers are left
    /// out, because they sign another object.
    pub fn commit(&self, original: &RawCommit, tree: Oid, parent: Oid, message: &BStr, by: &Committer) -> Result<Oid> {
        let header = |name: &str| original.headers.lines().find(|l| l.starts_with(name.as_bytes()));
        let missing = || Error::undecided(format!("commit {} names no author", original.node.oid));
        let author = header("author ").ok_or_else(missing)?;
        self.put_commit(tree, parent, &author["author ".len()..], by, header("encoding "), message)
    }

    /// Creates a commit with `by` as author and committer, in the picker's memory.
    pub fn own_commit(&self, tree: Oid, parent: Oid, message: &BStr, by: &Committer) -> Result<Oid> {
        self.put_commit(tree, parent, &by.0, by, None, message)
    }

    fn put_commit(
        &self,
        tree: Oid,
        parent: Oid,
        author: &[u8],
        by: &Committer,
        encoding: Option<&[u8]>,
        message: &BStr,
    ) -> Result<Oid> {
        let head = format!("tree {tree}\nparent {parent}\nauthor ");
        let mut raw = [head.as_bytes(), author, b"\ncommitter ", &by.0, b"\n"].concat();
        if let Some(line) = encoding {
            raw.extend_from_slice(line);
            raw.push(b'\n');
        }
        raw.push(b'\n');
        raw.extend_from_slice(message);
        put(&self.picker.local.gix, Kind::Commit, &raw)
    }

    /// Writes an object and all objects it refers to that are missing.
    pub fn keep(&self, id: Oid) -> Result<()> {
        // Packs that were added meanwhile are not looked for: at worst an object is written twice.
        if self.done.borrow().contains(&id) || self.disk.objects.exists_without_refresh(&gix_id(id)) {
            return Ok(());
        }
        let empty = gix_id(id).is_empty_tree();
        let (kind, bytes) = if empty { (Kind::Tree, Vec::new()) } else { self.picker.local.object(id)? };
        match kind {
            Kind::Tree => {
                for entry in self.picker.trees.read(&self.picker.local, id)?.entries().filter(|e| !e.mode.is_commit()) {
                    self.keep(entry.id)?;
                }
            }
            Kind::Commit => {
                // Not the parents, which callers keep first: a recursion over thousands of commits would be too deep.
                let commit = self.picker.local.commit(id)?.node;
                self.keep(commit.tree)?;
            }
            Kind::Blob | Kind::Tag => {}
        }
        let made = self.disk.objects.write_buf_with_known_id(kind, &bytes, gix_id(id));
        made.map_err(unreadable("an object cannot be written"))?;
        self.done.borrow_mut().insert(id);
        Ok(())
    }

    /// Creates a branch that must not exist yet.
    pub fn branch(&self, full_name: &str, at: Oid, why: &str) -> Result<()> {
        self.disk
            .reference(full_name, gix_id(at), PreviousValue::MustNotExist, why)
            .map(drop)
            .map_err(|e| Error::undecided(format!("the branch {full_name} cannot be made: {e}")))
    }
}
