//! Which commits a change brings, and to which of the refs that it moves each of them is new. Every gate uses it:
//! pre-push, pre-receive, update, `check --range`, `--ref` and `--push`, and `ci`. `introduced` owns what a commit
//! introduces.
//!
//! | situation | excluded as known before the change |
//! |---|---|
//! | a range (`check --range`, `ci`) | what its old side reaches, and the tip of the target branch |
//! | pre-push, `check --ref` | what any remote-tracking branch reaches, or what the remote says it has |
//! | pre-receive, update: a ref moves | what its old id reaches, or a branch or tag that is judged as strictly |
//! | a branch is created at the tip of such a ref | the same: nothing is new, and trees are compared with that commit |
//! | a branch is created on a new line of commits | the same: trees are compared with the commit it forked from |
//! | no ref reaches an object of the store or an alternate | nothing: it is judged when a ref gets it |
//! | a commit is on a branch that a rule leaves out, or that an exception names | it is judged when it gets to another one |
//! | a commit is on a topic, and gets to a protected branch | it is judged again: the topic may not have been judged |
//! | the first push to an empty repository | messages are taken as they are; content is judged all the same |
//! | notes, stashes, tags | messages of commits are not judged there |
//!
//! A ref is judged as strictly as another if every condition under which the other one is judged holds for it as well:
//! it is protected, a rule's `branches` match it, an exception's `ref` does not.

mod ref_sets;
mod walker;

use std::collections::{HashMap, HashSet};

use bstr::{BStr, BString, ByteSlice as _};

use self::ref_sets::{ClassMembers, MemberBits, RefSets, members_that_reach};
use self::walker::Walker;
use super::ThreadRepo;
use super::jobs::PushPolicy;
use super::source::Push;
use super::walk::{self, WalkedCommit};
use crate::error::Result;
use crate::subject::{Oid, RefSet};

/// The commits that a push brings.
pub(super) struct Newness {
    /// Each parent before its children.
    pub commits: Vec<WalkedCommit>,
    /// For each commit: the refs to which its content is new. Empty for a quarantined commit that no ref reaches.
    pub content: Vec<RefSet>,
    /// For each commit: the branches on which its message is judged.
    pub messages: Vec<RefSet>,
    /// For each update that creates a ref: the commit that its new commits fork from.
    pub fork_points: Vec<Option<Oid>>,
}

impl Newness {
    /// No commits, for this many updates.
    pub fn nothing(updates: usize) -> Self {
        Self { commits: Vec::new(), content: Vec::new(), messages: Vec::new(), fork_points: vec![None; updates] }
    }
}

/// `tips`: for each update, the commit that it points its ref at, if it is one. `quarantined`: commits in the
/// quarantine, sorted.
pub(super) fn of(
    local: &ThreadRepo<'_>,
    push: &Push,
    policy: &PushPolicy<'_>,
    tips: &[Option<Oid>],
    quarantined: Option<&[Oid]>,
) -> Result<Newness> {
    let mut walker = Walker { local, push, policy, tips, quarantined, listed: None };
    let mut commits: HashMap<Oid, WalkedCommit> = HashMap::new();
    let mut content: HashMap<Oid, ClassMembers> = HashMap::new();
    let mut messages: HashMap<Oid, ClassMembers> = HashMap::new();
    let mut fork_points = vec![None; tips.len()];
    let classes = walker.classes();
    for (number, class) in classes.iter().enumerate() {
        let new = walker.new_commits(class)?;
        let is_new: HashSet<Oid> = new.iter().map(|c| c.id).collect();
        for &at in &class.members {
            if push.updates[at].old.is_none() && push.is_made_now() {
                fork_points[at] = walker.fork_point(tips[at], &is_new)?;
            }
        }
        // All refs of a class are judged under the same conditions, so content that is new to one is new to all.
        is_new.iter().for_each(|id| content.entry(*id).or_default().push((number, MemberBits::new())));
        for (id, bits) in members_that_reach(class, tips, &new, &walker.messages(class, is_new)?) {
            messages.entry(id).or_default().push((number, bits));
        }
        commits.extend(new.into_iter().map(|c| (c.id, c)));
    }
    for id in quarantined.into_iter().flatten() {
        if !commits.contains_key(id) {
            let node = local.commit(*id)?.node;
            commits.insert(*id, WalkedCommit { id: *id, parents: node.parents, tree: Some(node.tree) });
        }
    }
    // A map has no order, and the result must not depend on it.
    let mut commits: Vec<WalkedCommit> = commits.into_values().collect();
    commits.sort_unstable_by_key(|c| c.id);
    let commits = walk::parents_first(commits);
    let names = push.updates.iter().map(|u| u.name.clone()).collect();
    let mut sets = RefSets { names, classes: &classes, known: HashMap::new() };
    let content = commits.iter().map(|c| sets.get(content.remove(&c.id))).collect();
    let messages = commits.iter().map(|c| sets.get(messages.remove(&c.id))).collect();
    Ok(Newness { commits, content, messages, fork_points })
}

/// The branch that a remote-tracking ref follows, else the name itself.
pub(super) fn branch_name(name: &BStr) -> BString {
    let branch = name.strip_prefix(b"refs/remotes/").and_then(|rest| rest.split_once_str("/"));
    branch.map_or_else(|| name.to_owned(), |(_, branch)| [b"refs/heads/", branch].concat().into())
}
