//! To which refs each commit is new, as bits for each class of refs. Owns the bound on how finely refs are told apart: a
//! push can move thousands of refs and bring a hundred thousand commits.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bstr::BString;

use crate::git::walk::WalkedCommit;
use crate::subject::{Oid, RefSet};

/// A bit for each member of a class.
pub(super) type MemberBits = Vec<u64>;

/// A class with more refs than this is not resolved: a commit that is new to one of its refs counts as new to all.
const MAX_RESOLVED_REFS: usize = 512;
/// The same once there are more different sets than this.
const MAX_SETS: usize = 4096;

/// Updates that are judged under the same conditions.
pub(super) struct Class {
    pub strictness: Vec<bool>,
    pub members: Vec<usize>,
}

/// The commits whose messages are judged, and the updates for which they are.
pub(super) struct JudgedMessages {
    pub commits: HashSet<Oid>,
    pub members: Vec<usize>,
}

/// Classes by index, each with the members that a commit is new to; no bits: all members.
pub(super) type ClassMembers = Vec<(usize, MemberBits)>;

/// Ref sets, each kept once, because many commits share one.
pub(super) struct RefSets<'c> {
    pub names: Arc<[BString]>,
    pub classes: &'c [Class],
    pub known: HashMap<ClassMembers, RefSet>,
}

impl RefSets<'_> {
    pub fn get(&mut self, members: Option<ClassMembers>) -> RefSet {
        let Some(mut members) = members else { return RefSet::default() };
        if let Some(set) = self.known.get(&members) {
            return set.clone();
        }
        if self.known.len() > MAX_SETS {
            members.iter_mut().for_each(|(_, bits)| bits.clear());
        }
        let resolve = |members: &ClassMembers| {
            let mut all = vec![0; self.names.len().div_ceil(64)];
            for (class, bits) in members {
                for (n, at) in self.classes[*class].members.iter().enumerate() {
                    if bits.is_empty() || bits[n / 64] >> (n % 64) & 1 == 1 {
                        all[at / 64] |= 1 << (at % 64);
                    }
                }
            }
            RefSet::new(Arc::clone(&self.names), all.into())
        };
        let set = resolve(&members);
        self.known.entry(members).or_insert(set).clone()
    }
}

/// For each commit whose message is judged, the members whose tips reach it.
pub(super) fn members_that_reach(
    class: &Class,
    tips: &[Option<Oid>],
    new: &[WalkedCommit],
    judged: &JudgedMessages,
) -> HashMap<Oid, MemberBits> {
    let JudgedMessages { commits, members } = judged;
    if members.is_empty() {
        return HashMap::new();
    }
    if class.members.len() > MAX_RESOLVED_REFS {
        return commits.iter().map(|id| (*id, MemberBits::new())).collect();
    }
    let nobody = vec![0; class.members.len().div_ceil(64)];
    let mut of: HashMap<Oid, MemberBits> = HashMap::new();
    for (n, at) in class.members.iter().enumerate().filter(|(_, at)| members.contains(at)) {
        if let Some(tip) = tips[*at].filter(|tip| commits.contains(tip)) {
            of.entry(tip).or_insert_with(|| nobody.clone())[n / 64] |= 1 << (n % 64);
        }
    }
    // Children first.
    for commit in new.iter().rev() {
        let Some(bits) = of.get(&commit.id).cloned() else { continue };
        for parent in commit.parents.iter().filter(|p| commits.contains(*p)) {
            let into = of.entry(*parent).or_insert_with(|| nobody.clone());
            into.iter_mut().zip(&bits).for_each(|(a, b)| *a |= b);
        }
    }
    of
}
