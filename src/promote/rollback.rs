//! Rolls back to a release by going forward: reverts of everything since, newest first, simulated, with a proof that the
//! resulting tree is the tag's. Never a reset.

use bstr::{BString, ByteSlice as _};
use serde::{Deserialize, Serialize};

use super::history::{Hex, Tip, tip};
use crate::error::{Error, Result};
use crate::git::{Committer, Picked, Picker, ThreadRepo, Write, new_commits};
use crate::subject::Oid;
use crate::text;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollback {
    pub version: u32,
    pub onto: Tip,
    pub tag: Tip,
    pub reverts: Vec<Revert>,
    /// Tree after the last revert.
    pub tree: Hex,
    /// It is the tag's tree, file by file.
    pub proved: bool,
    /// Where it is not: paths that would still differ.
    pub differs: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revert {
    pub commit: Hex,
    pub subject: String,
    /// A merge: reverted against its first parent.
    pub merge: bool,
    pub tree: Hex,
    /// Paths that conflict; such a revert is not in `tree`.
    pub conflicts: Vec<String>,
    /// A commit and its revert, both since the tag: neither needs one.
    pub cancels: bool,
}

/// `keep`: commits since the tag that stay, by any name git takes; what builds on them or they build on may conflict.
pub fn rollback(local: &ThreadRepo<'_>, onto: &str, tag: &str, keep: &[String]) -> Result<Rollback> {
    let onto = tip(local, onto)?;
    let full = format!("refs/tags/{tag}");
    let name = if local.find_ref(full.as_str().into())?.is_some() { full.as_str() } else { tag };
    let tag = Tip { name: name.to_owned(), oid: Hex(local.commit_named(name)?) };
    let since = new_commits(local, &[onto.oid.0], &[tag.oid.0])?;
    if !new_commits(local, &[tag.oid.0], &[onto.oid.0])?.is_empty() {
        let what = format!("{} is not part of {}: there is no way back to it", tag.name, onto.name);
        return Err(Error::usage(what).hint(format!("git tag --merged {}", onto.name)));
    }
    let keep: Vec<Oid> = keep.iter().map(|k| local.commit_named(k)).collect::<Result<_>>()?;
    let picker = Picker::new(local);
    let tree_of = |id: Oid| Ok::<_, Error>(picker.repo().commit(id)?.node.tree);
    let target = tree_of(tag.oid.0)?;
    let inside = |id: &Oid| since.iter().any(|s| s.id == *id);

    // Down the line of production itself: what merges brought goes with them.
    let mut line = Vec::new();
    let mut at = onto.oid.0;
    while inside(&at) {
        let commit = picker.repo().commit(at)?;
        let parent = commit.node.parents.first().copied();
        line.push(commit);
        match parent {
            Some(parent) => at = parent,
            None => break,
        }
    }
    let mut tree = tree_of(onto.oid.0)?;
    let mut reverts = Vec::new();
    for commit in line.iter().filter(|c| !keep.contains(&c.node.oid)) {
        let parent = match commit.node.parents.first() {
            Some(parent) => tree_of(*parent)?,
            None => break,
        };
        let picked = picker.pick(Some(commit.node.tree), parent, tree)?;
        let conflicts = match &picked {
            Picked::Clean(next) => {
                tree = *next;
                Vec::new()
            }
            Picked::Conflict(clashes) => clashes.iter().map(|c| text::sanitise(&c.path)).collect(),
        };
        reverts.push(Revert {
            commit: Hex(commit.node.oid),
            subject: text::sanitise(commit.message.lines().next().unwrap_or_default()),
            merge: commit.node.parents.len() > 1,
            tree: Hex(tree),
            conflicts,
            cancels: false,
        });
    }
    let differs: Vec<String> = picker.edits(Some(target), tree)?.iter().map(|e| text::sanitise(&e.path)).collect();
    let mut out = Rollback { version: 1, onto, tag, reverts, tree: Hex(tree), proved: differs.is_empty(), differs };
    if out.proved {
        shorten(&picker, &mut out)?;
    }
    Ok(out)
}

/// A commit and its exact undoing right after it need no reverts: what stands before and after them is the same tree.
fn shorten(picker: &Picker<'_>, rollback: &mut Rollback) -> Result<()> {
    let trees: Vec<Hex> = rollback.reverts.iter().map(|r| r.tree).collect();
    let start = Hex(picker.repo().commit(rollback.onto.oid.0)?.node.tree);
    let mut at = 0;
    while at < trees.len() {
        let before = if at == 0 { start } else { trees[at - 1] };
        match (at..trees.len()).rev().find(|end| trees[*end] == before) {
            Some(end) => {
                rollback.reverts[at..=end].iter_mut().for_each(|r| r.cancels = true);
                at = end + 1;
            }
            None => at += 1,
        }
    }
    Ok(())
}

/// Writes the reverts as commits on a new branch.
///
/// Errors: the branch they start from has moved, a revert conflicts, or the branch exists and is not this rollback.
pub fn apply(local: &ThreadRepo<'_>, rollback: &Rollback, branch: &str, now: i64) -> Result<Oid> {
    let is = tip(local, &rollback.onto.name)?.oid;
    if is != rollback.onto.oid {
        return Err(Error::usage(format!("{} has moved since this was worked out", rollback.onto.name)));
    }
    if let Some(stuck) = rollback.reverts.iter().find(|r| !r.conflicts.is_empty()) {
        let what = format!("the revert of {} conflicts in {}", stuck.commit.0.short(), stuck.conflicts.join(", "));
        return Err(Error::usage(what));
    }
    let full = format!("refs/heads/{branch}");
    if local.find_ref(full.as_str().into())?.is_some() {
        // An earlier run of the same.
        let there = local.commit_named(&full)?;
        if local.commit(there)?.node.tree == rollback.tree.0 {
            return Ok(there);
        }
        return Err(Error::usage(format!("the branch {branch} exists, and holds something else")));
    }
    let picker = Picker::new(local);
    let write = Write::new(&picker);
    let by = Committer::of(local, now)?;
    let (mut parent, mut tree) = (rollback.onto.oid.0, picker.repo().commit(rollback.onto.oid.0)?.node.tree);
    let mut made = Vec::new();
    for revert in rollback.reverts.iter().filter(|r| !r.cancels) {
        let commit = picker.repo().commit(revert.commit.0)?;
        let Some(first) = commit.node.parents.first() else { continue };
        let undone = picker.repo().commit(*first)?.node.tree;
        let Picked::Clean(next) = picker.pick(Some(commit.node.tree), undone, tree)? else {
            return Err(Error::undecided(format!("the revert of {} does not apply", revert.commit.0.short())));
        };
        tree = next;
        parent = write.own_commit(tree, parent, message(&commit.message, revert, *first).as_bstr(), &by)?;
        made.push(parent);
    }
    for id in made {
        write.keep(id)?;
    }
    super::worktree::create_branch(local, &write, &full, parent, "portcullis promote rollback")?;
    Ok(parent)
}

/// As git words it.
fn message(original: &[u8], revert: &Revert, first_parent: Oid) -> BString {
    let subject = original.lines().next().unwrap_or_default();
    let id = revert.commit.0;
    let mut out = BString::from(b"Revert \"".as_slice());
    out.extend_from_slice(subject);
    out.extend_from_slice(format!("\"\n\nThis reverts commit {id}").as_bytes());
    if revert.merge {
        out.extend_from_slice(format!(", reversing\nchanges made to {first_parent}").as_bytes());
    }
    out.extend_from_slice(b".\n");
    out
}
