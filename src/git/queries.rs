//! Small queries of commands and the engine: ref names, pending merges, changed paths.

use bstr::{BStr, BString, ByteSlice as _};

use super::newness::branch_name;
use super::reftable::Target;
use super::trees::{self, PathBudget};
use super::{Repo, ThreadRepo, gix_id, index, oid, unreadable};
use crate::error::{Error, Result};
use crate::subject::{Oid, Person};

/// The other parents of a pending merge (`MERGE_HEAD`), in git's order; empty if there is none.
pub fn merge_heads(repo: &Repo) -> Result<Vec<Oid>> {
    let file = repo.git_dir().join("MERGE_HEAD");
    match std::fs::read(&file) {
        Ok(text) => Ok(text.lines().filter_map(|l| Oid::from_hex(l.trim())).collect()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(unreadable("MERGE_HEAD cannot be read")(e)),
    }
}

impl ThreadRepo<'_> {
    /// The file or link at a path in a commit; `Ok(None)` if there is none, or a directory or submodule.
    pub fn file_in_commit(&self, commit: Oid, path: &BStr) -> Result<Option<Oid>> {
        let tree = self.commit(commit)?.node.tree;
        let entry = trees::lookup(self, tree, path)?;
        Ok(entry.filter(|(_, mode)| mode.is_blob_or_symlink()).map(|(id, _)| id))
    }

    /// The best common ancestor; an error if there is none here.
    pub fn merge_base(&self, a: Oid, b: Oid) -> Result<Oid> {
        let base = self.gix.merge_base(gix_id(a), gix_id(b)).map_err(unreadable("the merge base cannot be found"))?;
        base.map(|b| oid(&b))
            .ok_or_else(|| Error::undecided(format!("{} and {} have no common ancestor here", a.short(), b.short())))
    }

    /// The full name of the ref that a user's argument names; the argument itself if it names none.
    pub fn branch_called(&self, word: &str) -> Result<BString> {
        if word == "HEAD" || word == "@" {
            return Ok(self.head_name()?.unwrap_or_else(|| word.into()));
        }
        for candidate in [
            word.to_owned(),
            format!("refs/heads/{word}"),
            format!("refs/{word}"),
            format!("refs/tags/{word}"),
            format!("refs/remotes/{word}"),
        ] {
            if candidate.starts_with("refs/") && self.find_ref(candidate.as_bytes().as_bstr())?.is_some() {
                return Ok(candidate.into());
            }
        }
        Ok(word.into())
    }

    /// The ref that moves when `name` is updated: the final target of a symbolic ref, else `name` itself.
    pub fn moved_by(&self, name: &BStr) -> Result<BString> {
        // As many as git follows.
        const SYMBOLIC: usize = 5;
        let mut name = name.to_owned();
        for _ in 0..SYMBOLIC {
            // A ref that cannot be read is the end of the chain.
            match self.ref_target(name.as_ref()).ok().flatten() {
                Some(Target::Symbolic(target)) => name = target,
                _ => return Ok(name),
            }
        }
        Err(Error::undecided(format!("symbolic ref cycle at {name}")))
    }

    /// Whether a remote-tracking branch of this short name contains a commit.
    pub fn is_on_remote_branch(&self, branch: &[u8], commit: Oid) -> Result<bool> {
        for r in self.refs("refs/remotes/")? {
            let name = r.name[b"refs/remotes/".len()..].as_bstr();
            let same = name.split_once_str("/").is_some_and(|(_, b)| b == branch);
            if same && (r.target == commit || self.merge_base(r.target, commit).is_ok_and(|b| b == commit)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Paths that a commit changes against its first parent, deletions included.
    pub fn changed_paths(&self, parent: Option<Oid>, tree: Oid, path_budget: u64) -> Result<Vec<BString>> {
        let old = parent.filter(|p| self.has(*p)).map(|p| self.tree_of(p)).transpose()?;
        let diff = trees::diff(self, old, tree, &PathBudget::new(path_budget))?;
        Ok(diff.into_iter().map(|d| d.0).collect())
    }

    /// The parents of the commit to be where it replaces HEAD (`--amend`, a reword), or none where a rebase rewrites a root
    /// commit. `None`: HEAD will be its parent. While HEAD is amended, git passes HEAD's author to its hooks.
    pub fn amended_parents(&self, author: Option<&Person>) -> Result<Option<Vec<Oid>>> {
        let Some(head) = self.head()? else { return Ok(None) };
        let node = self.commit(head)?.node;
        if author.is_some_and(|author| *author == node.author) {
            return Ok(Some(node.parents));
        }
        let onto = std::fs::read(self.repo.git_dir().join("rebase-merge/squash-onto")).unwrap_or_default();
        Ok((Oid::from_hex(onto.trim()) == Some(head)).then(Vec::new))
    }

    /// Whether a commit, or everything that it changes (as after a squash), is on a branch whose full name is accepted.
    /// The branches are this repository's own if it is the server, else the remote-tracking ones.
    pub fn came_by(
        &self,
        commit: Oid,
        parents: &[Oid],
        tree: Oid,
        on_server: bool,
        path_budget: u64,
        accepts: &dyn Fn(&BStr) -> bool,
    ) -> Result<bool> {
        let prefix = if on_server { "refs/heads/" } else { "refs/remotes/" };
        let mut tips = Vec::new();
        for r in self.refs(prefix)?.into_iter().filter(|r| accepts(branch_name(r.name.as_ref()).as_ref())) {
            tips.push(r.target);
        }
        if tips.iter().any(|tip| *tip == commit || self.merge_base(*tip, commit).is_ok_and(|base| base == commit)) {
            return Ok(true);
        }
        let [parent] = parents else { return Ok(false) };
        if tips.is_empty() {
            return Ok(false);
        }
        let changed = trees::diff(self, Some(self.tree_of(*parent)?), tree, &PathBudget::new(path_budget))?;
        for tip in tips {
            let theirs = self.tree_of(tip)?;
            let mut all = !changed.is_empty();
            for (path, _, new) in &changed {
                all = all && trees::lookup(self, theirs, path.as_ref())?.map(|(id, _)| id) == *new;
            }
            if all {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The paths that the pending commit will change, deletions included.
    pub fn staged_paths(&self) -> Result<Vec<BString>> {
        let budget = PathBudget::new(u64::MAX);
        let staged = index::staged(self, &budget)?;
        let mut paths: Vec<BString> = staged.pairs.iter().map(|p| &p.path).chain(&staged.removed).cloned().collect();
        paths.sort_unstable();
        paths.dedup();
        Ok(paths)
    }
}
