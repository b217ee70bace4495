//! The walks of one push: groups its updates into classes, and finds the new commits and judged messages of each class.

use std::collections::HashSet;

use bstr::{BStr, BString};

use super::branch_name;
use super::ref_sets::{Class, JudgedMessages};
use crate::error::Result;
use crate::git::ThreadRepo;
use crate::git::jobs::PushPolicy;
use crate::git::objects::peel;
use crate::git::push::{branch_matches, is_pattern, protected_tips};
use crate::git::source::{Excluded, Push};
use crate::git::walk::{self, WalkedCommit};
use crate::subject::{ObjectKind, Oid};

/// The state of the walks.
pub(super) struct Walker<'a, 'r> {
    pub local: &'a ThreadRepo<'r>,
    pub push: &'a Push,
    pub policy: &'a PushPolicy<'a>,
    /// For each update, the commit that it points its ref at.
    pub tips: &'a [Option<Oid>],
    /// Commits in the quarantine, sorted.
    pub quarantined: Option<&'a [Oid]>,
    /// Branches and tags before the change, listed on first use.
    pub listed: Option<Vec<(Vec<bool>, Oid)>>,
}

impl Walker<'_, '_> {
    fn is_range(&self) -> bool {
        matches!(self.push.known, Excluded::Old | Excluded::Commits(_))
    }

    fn is_server(&self) -> bool {
        matches!(self.push.known, Excluded::Refs | Excluded::Quarantine)
    }

    /// The conditions under which a ref is judged, in an order that is the same for every ref.
    fn strictness(&self, name: &BStr) -> Vec<bool> {
        let mut all = (self.policy.strictness)(name);
        // Commits may reach a branch that the server protects from a branch on which they were not judged.
        let short = name.strip_prefix(b"refs/heads/");
        let is_protected = short.is_some_and(|s| self.policy.protected.iter().any(|p| branch_matches(p, s)));
        all.push(self.is_server() && is_protected);
        all
    }

    pub(super) fn classes(&self) -> Vec<Class> {
        let mut classes: Vec<Class> = Vec::new();
        for (at, _) in self.tips.iter().enumerate().filter(|(_, tip)| tip.is_some()) {
            // A range is judged on its own, whatever other refs contain.
            let strictness =
                if self.is_range() { Vec::new() } else { self.strictness(self.push.updates[at].name.as_ref()) };
            match classes.iter_mut().find(|c| c.strictness == strictness) {
                Some(class) => class.members.push(at),
                None => classes.push(Class { strictness, members: vec![at] }),
            }
        }
        classes
    }

    /// Commits that are new to the refs of a class, each parent before its children.
    pub(super) fn new_commits(&mut self, class: &Class) -> Result<Vec<WalkedCommit>> {
        let tips: Vec<Oid> = class.members.iter().filter_map(|at| self.tips[*at]).collect();
        let known = self.excluded_by_name(class)?;
        let (quarantined_commits, open) = self.quarantined_below(&tips, &known)?;
        if open.is_empty() {
            return Ok(walk::parents_first(quarantined_commits));
        }
        // The refs that can be named without listing come first: there may be very many others.
        let mut rest = walk::new_commits(self.local, &open, &known)?;
        if !rest.is_empty() && self.has_more_refs(class) {
            let mut all = known;
            let strict = &class.strictness;
            let listed = self.all_refs()?.iter().filter(|(s, _)| is_as_strict(s, strict));
            all.extend(listed.map(|(_, tip)| *tip));
            all.sort_unstable();
            all.dedup();
            let open: Vec<Oid> = open.into_iter().filter(|id| all.binary_search(id).is_err()).collect();
            rest = if open.is_empty() { Vec::new() } else { walk::new_commits(self.local, &open, &all)? };
        }
        rest.extend(quarantined_commits);
        Ok(walk::parents_first(rest))
    }

    /// The quarantined commits below some tips, and the commits outside the quarantine, not in `known`, at which they end.
    fn quarantined_below(&self, tips: &[Oid], known: &[Oid]) -> Result<(Vec<WalkedCommit>, Vec<Oid>)> {
        let (mut quarantined_commits, mut open) = (Vec::new(), Vec::new());
        let mut seen: HashSet<Oid> = HashSet::new();
        let mut stack: Vec<Oid> = tips.to_vec();
        while let Some(id) = stack.pop() {
            if !seen.insert(id) || known.contains(&id) {
                continue;
            }
            if self.quarantined.is_some_and(|ids| ids.binary_search(&id).is_ok()) {
                let node = self.local.commit(id)?.node;
                stack.extend(&node.parents);
                quarantined_commits.push(WalkedCommit { id, parents: node.parents, tree: Some(node.tree) });
            } else {
                open.push(id);
            }
        }
        // A missing parent is beyond the boundary of the pusher's shallow clone, which git has accepted.
        open.retain(|id| quarantined_commits.is_empty() || self.local.has(*id));
        Ok((quarantined_commits, open))
    }

    /// Excluded commits that can be found without listing refs: old ids, and protected branches.
    fn excluded_by_name(&self, class: &Class) -> Result<Vec<Oid>> {
        let mut known = Vec::new();
        for update in &self.push.updates {
            let Some(old) = update.old.filter(|old| self.local.has(*old)) else { continue };
            if self.is_range() || is_as_strict(&self.strictness(update.name.as_ref()), &class.strictness) {
                known.extend(commit_at(self.local, old)?);
            }
        }
        match &self.push.known {
            Excluded::Old => {}
            Excluded::Commits(list) => known.extend(list),
            Excluded::Tracking(asked) => known.extend(asked.iter().flatten().filter(|id| self.local.has(**id))),
            Excluded::Refs | Excluded::Quarantine => {
                for name in self.policy.protected.iter().filter(|p| !is_pattern(p)) {
                    let full = BString::from(format!("refs/heads/{name}"));
                    if is_as_strict(&self.strictness(full.as_ref()), &class.strictness)
                        && let Some(tip) = self.local.find_ref(full.as_ref())?
                    {
                        known.extend(commit_at(self.local, tip)?);
                    }
                }
            }
        }
        known.sort_unstable();
        known.dedup();
        Ok(known)
    }

    /// Whether refs beside those of [`Walker::excluded_by_name`] can be as strict as a class.
    fn has_more_refs(&self, class: &Class) -> bool {
        match self.push.known {
            Excluded::Old | Excluded::Commits(_) => false,
            Excluded::Tracking(_) => true,
            // All protected branches have names, unless one is given by a glob.
            Excluded::Refs | Excluded::Quarantine => {
                class.strictness.last() != Some(&true) || self.policy.protected.iter().any(|p| is_pattern(p))
            }
        }
    }

    /// All refs before the change that the gate can see: how strictly each is judged, and its commit.
    fn all_refs(&mut self) -> Result<&[(Vec<bool>, Oid)]> {
        if self.listed.is_none() {
            let prefixes: &[&str] = if self.is_server() { &["refs/heads/", "refs/tags/"] } else { &["refs/remotes/"] };
            let mut all = Vec::new();
            for prefix in prefixes {
                for r in self.local.refs(prefix)? {
                    // A ref that cannot be read excludes nothing.
                    if let Ok(Some(tip)) = commit_at(self.local, r.target) {
                        all.push((self.strictness(branch_name(r.name.as_ref()).as_ref()), tip));
                    }
                }
            }
            self.listed = Some(all);
        }
        Ok(self.listed.as_deref().unwrap_or_default())
    }

    /// Of the new commits of a class, those whose messages are judged, and for which updates.
    pub(super) fn messages(&mut self, class: &Class, mut commits: HashSet<Oid>) -> Result<JudgedMessages> {
        let is_asked = !self.push.is_made_now();
        let on_branch = |at: &usize| has_messages(self.push.updates[*at].name.as_ref(), is_asked);
        let mut members: Vec<usize> = class.members.iter().copied().filter(on_branch).collect();
        if members.is_empty() || commits.is_empty() {
            return Ok(JudgedMessages { commits, members });
        }
        let tips: Vec<Oid> = members.iter().filter_map(|at| self.tips[*at]).collect();
        let mut excluded = Vec::new();
        if self.is_range() {
            excluded = self.excluded_by_name(class)?;
            excluded.extend(self.protected_before(&tips)?);
        } else if self.is_first(class)? {
            // Nobody can change the messages of an import, so only commits that no ref had before are judged.
            excluded.extend(self.all_refs()?.iter().map(|(_, tip)| *tip));
            if excluded.is_empty() && self.push.known != Excluded::Tracking(None) {
                members.clear();
            }
        }
        if !excluded.is_empty() {
            commits = walk::new_commits(self.local, &tips, &excluded)?.into_iter().map(|c| c.id).collect();
        }
        Ok(JudgedMessages { commits, members })
    }

    /// Whether no ref before the change is judged as strictly as a class.
    fn is_first(&mut self, class: &Class) -> Result<bool> {
        if !self.excluded_by_name(class)?.is_empty() {
            return Ok(false);
        }
        let strict = class.strictness.clone();
        Ok(!self.all_refs()?.iter().any(|(s, _)| is_as_strict(s, &strict)))
    }

    /// The tips of protected branches, whose commits were judged before. A range is judged after the fact: a protected
    /// branch that contains it already is left out.
    fn protected_before(&self, tips: &[Oid]) -> Result<Vec<Oid>> {
        let mut protected = protected_tips(self.local, self.policy.protected, self.push.branches_at.as_deref())?;
        for new in tips {
            protected.retain(|tip| tip != new && self.local.merge_base(*tip, *new).ok() != Some(*new));
        }
        Ok(protected)
    }

    /// The first commit on a new ref's first-parent chain that is not new; `None` if all of them are.
    pub(super) fn fork_point(&self, tip: Option<Oid>, is_new: &HashSet<Oid>) -> Result<Option<Oid>> {
        let mut next = tip;
        while let Some(id) = next.filter(|id| is_new.contains(id)) {
            next = self.local.commit(id)?.node.parents.first().copied();
        }
        Ok(next.filter(|id| self.local.has(*id)))
    }
}

/// Whether every condition that holds for `other` holds for this one, too.
fn is_as_strict(this: &[bool], other: &[bool]) -> bool {
    this.iter().zip(other).all(|(this, other)| this >= other)
}

/// Whether messages are judged on a ref: on branches, but not on tags, notes or stashes. `is_asked`: a user named the
/// ref.
fn has_messages(name: &BStr, is_asked: bool) -> bool {
    if is_asked {
        return ![&b"refs/tags/"[..], b"refs/notes/", b"refs/stash"].iter().any(|p| name.starts_with(p));
    }
    // Gerrit takes commits for a branch under `refs/for/`.
    name.starts_with(b"refs/heads/") || name.starts_with(b"refs/for/") || !name.starts_with(b"refs/")
}

/// The commit behind a ref's target, if it is one.
fn commit_at(local: &ThreadRepo<'_>, target: Oid) -> Result<Option<Oid>> {
    let (id, kind) = peel(local, target)?;
    Ok((kind == ObjectKind::Commit).then_some(id))
}
