//! Which commits a change brings, and to which of the refs that it moves each of them is new. Every gate asks here:
//! pre-push, pre-receive, update, `check --range`, `--ref` and `--push`, and `ci`. What a commit introduces is the business
//! of `changes`.
//!
//! | situation | known before the change |
//! |---|---|
//! | a range (`check --range`, `ci`) | what its old side reaches, and the tip of the target branch |
//! | pre-push, `check --ref` | what any remote-tracking branch reaches, or what the remote says it has |
//! | pre-receive, update: a ref moves | what is reachable from its old id, or from a branch or tag that is judged as strictly |
//! | a branch is created where such a ref stands | the same: nothing is new, and trees are compared with that commit |
//! | a branch is created on a new line of commits | the same: trees are compared with the commit it was cut from |
//! | an object is in the store, or in an alternate, and on no ref | nothing: it is judged when a ref gets it |
//! | a commit is on a branch that a rule leaves out, or that an exception names | it is judged when it gets to another one |
//! | a commit is on a topic, and gets to a protected branch | it is judged again: the topic may have come unjudged |
//! | the first push to an empty repository | messages are taken as they are; content is judged all the same |
//! | notes, stashes, tags | messages of commits are not judged there |
//!
//! A ref is judged as strictly as another if every condition under which the other one is judged holds for it as well:
//! it is protected, a rule's `branches` match it, an exception's `ref` does not.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bstr::{BStr, BString, ByteSlice};

use super::objects::peel;
use super::push::protected_tips;
use super::source::{Excluded, Push};
use super::walk::{self, WalkedCommit};
use super::{ChangeQuery, ThreadRepo};
use crate::error::Result;
use crate::subject::{ObjectKind, Oid, RefSet};

/// What a push brings.
pub(super) struct Newness {
    /// Each parent before its children.
    pub steps: Vec<WalkedCommit>,
    /// For each step: the refs to which its content is new. Empty for what waits in quarantine and no ref reaches.
    pub content: Vec<RefSet>,
    /// For each step: the branches on which its message is judged.
    pub messages: Vec<RefSet>,
    /// For each update: the commit that it began at, where it creates a ref.
    pub began_at: Vec<Option<Oid>>,
}

impl Newness {
    /// That of as many updates that bring no commits.
    pub fn nothing(updates: usize) -> Self {
        Self { steps: Vec::new(), content: Vec::new(), messages: Vec::new(), began_at: vec![None; updates] }
    }
}

/// A bit for each member of a class.
type Bits = Vec<u64>;

/// More refs of one class than these are not told apart: a commit that is new to one of them counts as new to all.
const TOLD_APART: usize = 512;
/// The same from this many different sets on.
const DIFFERENT_SETS: usize = 4096;

/// Updates that are judged under the same conditions.
struct Class {
    strictness: Vec<bool>,
    members: Vec<usize>,
}

struct Walker<'a, 'r> {
    local: &'a ThreadRepo<'r>,
    push: &'a Push,
    ask: &'a ChangeQuery<'a>,
    /// For each update, the commit at which it ends.
    tips: &'a [Option<Oid>],
    /// Objects that wait in quarantine, sorted.
    waiting: Option<&'a [Oid]>,
    /// Branches and tags before the change, listed when somebody asks.
    listed: Option<Vec<(Vec<bool>, Oid)>>,
}

/// `tips`: for each update, the commit at which it ends, if it ends at one. `waiting`: commits of the quarantine, sorted.
pub(super) fn of(
    local: &ThreadRepo<'_>,
    push: &Push,
    ask: &ChangeQuery<'_>,
    tips: &[Option<Oid>],
    waiting: Option<&[Oid]>,
) -> Result<Newness> {
    let mut walker = Walker { local, push, ask, tips, waiting, listed: None };
    let mut steps: HashMap<Oid, WalkedCommit> = HashMap::new();
    let mut content: HashMap<Oid, Shares> = HashMap::new();
    let mut messages: HashMap<Oid, Shares> = HashMap::new();
    let mut began_at = vec![None; tips.len()];
    let classes = walker.classes();
    for (number, class) in classes.iter().enumerate() {
        let brought = walker.brought(class)?;
        let is_new: HashSet<Oid> = brought.iter().map(|s| s.id).collect();
        for &at in &class.members {
            if push.updates[at].old.is_none() && push.is_made_now() {
                began_at[at] = walker.base(tips[at], &is_new)?;
            }
        }
        // Whatever excuses content of one ref excuses that of the whole class.
        is_new.iter().for_each(|id| content.entry(*id).or_default().push((number, Bits::new())));
        for (id, bits) in spread(class, tips, &brought, &walker.messages(class, is_new)?) {
            messages.entry(id).or_default().push((number, bits));
        }
        steps.extend(brought.into_iter().map(|s| (s.id, s)));
    }
    for id in waiting.into_iter().flatten() {
        if !steps.contains_key(id) {
            let node = local.commit(*id)?.node;
            steps.insert(*id, WalkedCommit { id: *id, parents: node.parents, tree: Some(node.tree) });
        }
    }
    // The order of a map is nobody's.
    let mut steps: Vec<WalkedCommit> = steps.into_values().collect();
    steps.sort_unstable_by_key(|s| s.id);
    let steps = walk::parents_first(steps);
    let names = push.updates.iter().map(|u| u.name.clone()).collect();
    let mut sets = Sets { names, classes: &classes, known: HashMap::new() };
    let content = steps.iter().map(|s| sets.get(content.remove(&s.id))).collect();
    let messages = steps.iter().map(|s| sets.get(messages.remove(&s.id))).collect();
    Ok(Newness { steps, content, messages, began_at })
}

/// Classes by number, and which of their members; no bits: all of them.
type Shares = Vec<(usize, Bits)>;

/// Sets that many commits share are kept once.
struct Sets<'c> {
    names: Arc<[BString]>,
    classes: &'c [Class],
    known: HashMap<Shares, RefSet>,
}

impl Sets<'_> {
    fn get(&mut self, shares: Option<Shares>) -> RefSet {
        let Some(mut shares) = shares else { return RefSet::default() };
        if let Some(set) = self.known.get(&shares) {
            return set.clone();
        }
        if self.known.len() > DIFFERENT_SETS {
            shares.iter_mut().for_each(|(_, bits)| bits.clear());
        }
        let members = |shares: &Shares| {
            let mut all = vec![0; self.names.len().div_ceil(64)];
            for (class, bits) in shares {
                for (n, at) in self.classes[*class].members.iter().enumerate() {
                    if bits.is_empty() || bits[n / 64] >> (n % 64) & 1 == 1 {
                        all[at / 64] |= 1 << (at % 64);
                    }
                }
            }
            RefSet::new(Arc::clone(&self.names), all.into())
        };
        let set = members(&shares);
        self.known.entry(shares).or_insert(set).clone()
    }
}

/// Hands each member on from its tip to every commit below it whose message is judged.
fn spread(class: &Class, tips: &[Option<Oid>], brought: &[WalkedCommit], judged: &Judged) -> HashMap<Oid, Bits> {
    let Judged { commits, members } = judged;
    if members.is_empty() {
        return HashMap::new();
    }
    if class.members.len() > TOLD_APART {
        return commits.iter().map(|id| (*id, Bits::new())).collect();
    }
    let nobody = vec![0; class.members.len().div_ceil(64)];
    let mut of: HashMap<Oid, Bits> = HashMap::new();
    for (n, at) in class.members.iter().enumerate().filter(|(_, at)| members.contains(at)) {
        if let Some(tip) = tips[*at].filter(|tip| commits.contains(tip)) {
            of.entry(tip).or_insert_with(|| nobody.clone())[n / 64] |= 1 << (n % 64);
        }
    }
    // Children first.
    for step in brought.iter().rev() {
        let Some(bits) = of.get(&step.id).cloned() else { continue };
        for parent in step.parents.iter().filter(|p| commits.contains(*p)) {
            let into = of.entry(*parent).or_insert_with(|| nobody.clone());
            into.iter_mut().zip(&bits).for_each(|(a, b)| *a |= b);
        }
    }
    of
}

/// Commits whose messages are judged, and the updates for which they are.
struct Judged {
    commits: HashSet<Oid>,
    members: Vec<usize>,
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
        let mut all = (self.ask.strictness)(name);
        // A branch that the server protects may get what was pushed elsewhere while nobody judged.
        let short = name.strip_prefix(b"refs/heads/");
        let is_protected = short.is_some_and(|s| self.ask.protected.iter().any(|p| super::branch_matches(p, s)));
        all.push(self.is_server() && is_protected);
        all
    }

    fn classes(&self) -> Vec<Class> {
        let mut classes: Vec<Class> = Vec::new();
        for (at, _) in self.tips.iter().enumerate().filter(|(_, tip)| tip.is_some()) {
            // A range is judged by itself, whatever else was judged elsewhere.
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
    fn brought(&mut self, class: &Class) -> Result<Vec<WalkedCommit>> {
        let tips: Vec<Oid> = class.members.iter().filter_map(|at| self.tips[*at]).collect();
        let known = self.named(class)?;
        let (fresh, open) = self.waiting_below(&tips, &known)?;
        if open.is_empty() {
            return Ok(walk::parents_first(fresh));
        }
        // Cheap answers first: there may be very many refs.
        let mut rest = walk::new_commits(self.local, &open, &known)?;
        if !rest.is_empty() && self.has_more_refs(class) {
            let mut all = known;
            let strict = &class.strictness;
            let listed = self.listed()?.iter().filter(|(s, _)| is_as_strict(s, strict));
            all.extend(listed.map(|(_, tip)| *tip));
            all.sort_unstable();
            all.dedup();
            let open: Vec<Oid> = open.into_iter().filter(|id| all.binary_search(id).is_err()).collect();
            rest = if open.is_empty() { Vec::new() } else { walk::new_commits(self.local, &open, &all)? };
        }
        rest.extend(fresh);
        Ok(walk::parents_first(rest))
    }

    /// What waits in quarantine below some commits, and where that ends at commits which are not known.
    fn waiting_below(&self, tips: &[Oid], known: &[Oid]) -> Result<(Vec<WalkedCommit>, Vec<Oid>)> {
        let (mut fresh, mut open) = (Vec::new(), Vec::new());
        let mut seen: HashSet<Oid> = HashSet::new();
        let mut stack: Vec<Oid> = tips.to_vec();
        while let Some(id) = stack.pop() {
            if !seen.insert(id) || known.contains(&id) {
                continue;
            }
            if self.waiting.is_some_and(|ids| ids.binary_search(&id).is_ok()) {
                let node = self.local.commit(id)?.node;
                stack.extend(&node.parents);
                fresh.push(WalkedCommit { id, parents: node.parents, tree: Some(node.tree) });
            } else {
                open.push(id);
            }
        }
        // A pusher's shallow clone may end here, and git has accepted that.
        open.retain(|id| fresh.is_empty() || self.local.has(*id));
        Ok((fresh, open))
    }

    /// Excluded commits that can be named without listing refs: old ids, and protected branches.
    fn named(&self, class: &Class) -> Result<Vec<Oid>> {
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
                for name in self.ask.protected.iter().filter(|p| !super::push::is_pattern(p)) {
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

    /// Whether refs that were not named yet can be as strict as a class.
    fn has_more_refs(&self, class: &Class) -> bool {
        match self.push.known {
            Excluded::Old | Excluded::Commits(_) => false,
            Excluded::Tracking(_) => true,
            // Of protected branches all are named, unless a pattern means more of them.
            Excluded::Refs | Excluded::Quarantine => {
                class.strictness.last() != Some(&true) || self.ask.protected.iter().any(|p| super::push::is_pattern(p))
            }
        }
    }

    /// Refs before the change that can be known to a gate: how strictly each is judged, and its commit.
    fn listed(&mut self) -> Result<&[(Vec<bool>, Oid)]> {
        if self.listed.is_none() {
            let prefixes: &[&str] = if self.is_server() { &["refs/heads/", "refs/tags/"] } else { &["refs/remotes/"] };
            let mut all = Vec::new();
            for prefix in prefixes {
                for r in self.local.refs(prefix)? {
                    // One that cannot be read hides nothing.
                    if let Ok(Some(tip)) = commit_at(self.local, r.target) {
                        all.push((self.strictness(branch_name(r.name.as_ref()).as_ref()), tip));
                    }
                }
            }
            self.listed = Some(all);
        }
        Ok(self.listed.as_deref().unwrap_or_default())
    }

    /// Which messages are judged of `commits`, which a class brings, and for which updates.
    fn messages(&mut self, class: &Class, mut commits: HashSet<Oid>) -> Result<Judged> {
        let is_asked = !self.push.is_made_now();
        let on_branch = |at: &usize| has_messages(self.push.updates[*at].name.as_ref(), is_asked);
        let mut members: Vec<usize> = class.members.iter().copied().filter(on_branch).collect();
        if members.is_empty() || commits.is_empty() {
            return Ok(Judged { commits, members });
        }
        let tips: Vec<Oid> = members.iter().filter_map(|at| self.tips[*at]).collect();
        let mut hidden = Vec::new();
        if self.is_range() {
            hidden = self.named(class)?;
            hidden.extend(self.protected_before(&tips)?);
        } else if self.is_first(class)? {
            // Nobody can mend the messages of an import; only what no ref had before can be new words.
            hidden.extend(self.listed()?.iter().map(|(_, tip)| *tip));
            if hidden.is_empty() && self.push.known != Excluded::Tracking(None) {
                members.clear();
            }
        }
        if !hidden.is_empty() {
            commits = walk::new_commits(self.local, &tips, &hidden)?.into_iter().map(|s| s.id).collect();
        }
        Ok(Judged { commits, members })
    }

    /// Whether no ref was there before that is judged as strictly as a class.
    fn is_first(&mut self, class: &Class) -> Result<bool> {
        if !self.named(class)?.is_empty() {
            return Ok(false);
        }
        let strict = class.strictness.clone();
        Ok(!self.listed()?.iter().any(|(s, _)| is_as_strict(s, &strict)))
    }

    /// Where protected branches stand: what is there was judged. A range is judged after the fact, so a protected branch
    /// that has it already is no state before it.
    fn protected_before(&self, tips: &[Oid]) -> Result<Vec<Oid>> {
        let mut protected = protected_tips(self.local, self.ask.protected, self.push.branches_at.as_deref())?;
        for new in tips {
            protected.retain(|tip| tip != new && self.local.merge_base(*tip, *new).ok() != Some(*new));
        }
        Ok(protected)
    }

    /// Where the first parents of a new ref leave what is new; `None` where all of them are.
    fn base(&self, tip: Option<Oid>, is_new: &HashSet<Oid>) -> Result<Option<Oid>> {
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

/// The branch that a remote-tracking ref follows, else the name itself.
pub(super) fn branch_name(name: &BStr) -> BString {
    let branch = name.strip_prefix(b"refs/remotes/").and_then(|rest| rest.split_once_str("/"));
    branch.map_or_else(|| name.to_owned(), |(_, branch)| [b"refs/heads/", branch].concat().into())
}

/// Whether commits that land on a ref have messages that somebody wrote and others read. `is_asked`: a user named the ref.
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
