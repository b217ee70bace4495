//! Under which conditions a policy judges what gets to a ref: what was judged on one ref need not be judged again on
//! another for which the same conditions hold. Owns those conditions; how refs are compared by them is git's newness.

use bstr::BStr;

use super::Policy;
use crate::options::scope::{Branches, RefNames};
use crate::subject::{Kinds, Oid};

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Strictness {
    /// Branches at which a rule on content or messages looks, and nowhere else.
    looks: Vec<Branches>,
    /// Refs that an exception names.
    excused: Vec<RefNames>,
    /// Commits that an exception names.
    commits: Vec<Oid>,
}

impl Strictness {
    /// For each condition, whether a ref is judged under it.
    pub fn of(&self, full_name: &BStr) -> Vec<bool> {
        let looks = self.looks.iter().map(|branches| branches.is_match(full_name));
        looks.chain(self.excused.iter().map(|refs| !refs.is_match(full_name))).collect()
    }

    /// Whether an exception names the commit.
    pub fn is_excused(&self, commit: Oid) -> bool {
        self.commits.contains(&commit)
    }
}

impl Policy {
    /// The conditions of this policy.
    pub fn strictness(&self) -> Strictness {
        let looked_at = |id: &str| self.rules.iter().find(|r| r.id == id).map_or(Kinds::NONE, |r| r.looks_at);
        let looks = self.settings.branches(|family| looked_at(family).intersects(Kinds::FILE.union(Kinds::COMMIT)));
        Strictness {
            looks,
            excused: self.exceptions.iter().filter_map(|e| e.refs.clone()).collect(),
            commits: self.exceptions.iter().filter_map(|e| e.commit).collect(),
        }
    }
}
