//! Sets of the refs that one change moves. A push can move thousands of refs and bring commits that are new to all of
//! them, so the names are shared and a set holds one bit for each.

use std::fmt;
use std::sync::Arc;

use bstr::{BStr, BString, ByteSlice as _};

/// Full names of some refs of a change, in the order of its updates.
#[derive(Clone, Default)]
pub struct RefSet {
    names: Arc<[BString]>,
    /// A bit for each name.
    members: Arc<[u64]>,
}

impl RefSet {
    /// The names whose bits are set.
    pub fn new(names: Arc<[BString]>, members: Arc<[u64]>) -> Self {
        Self { names, members }
    }

    /// The union of sets of the same change.
    pub fn union<'s>(sets: impl IntoIterator<Item = &'s Self>) -> Self {
        let mut out = Self::default();
        for set in sets {
            let longer = out.members.len().max(set.members.len());
            let word = |of: &Self, at: usize| of.members.get(at).copied().unwrap_or(0);
            let members = (0..longer).map(|at| word(&out, at) | word(set, at)).collect();
            let names = if set.names.is_empty() { &out.names } else { &set.names };
            out = Self { names: Arc::clone(names), members };
        }
        out
    }

    pub fn iter(&self) -> impl Iterator<Item = &BStr> {
        let is_member = |at: usize| self.members.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1);
        self.names.iter().enumerate().filter(move |(at, _)| is_member(*at)).map(|(_, name)| name.as_bstr())
    }

    pub fn is_empty(&self) -> bool {
        self.members.iter().all(|word| *word == 0)
    }
}

impl FromIterator<BString> for RefSet {
    fn from_iter<I: IntoIterator<Item = BString>>(names: I) -> Self {
        let names: Arc<[BString]> = names.into_iter().collect();
        let mut members = vec![0; names.len().div_ceil(64)];
        for at in 0..names.len() {
            members[at / 64] |= 1 << (at % 64);
        }
        Self { names, members: members.into() }
    }
}

impl From<BString> for RefSet {
    fn from(name: BString) -> Self {
        Self::from_iter([name])
    }
}

impl From<&str> for RefSet {
    fn from(name: &str) -> Self {
        Self::from(BString::from(name))
    }
}

impl PartialEq for RefSet {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl fmt::Debug for RefSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_the_names_whose_bits_are_set() {
        let names: Arc<[BString]> = (0..70).map(|n| BString::from(format!("r{n}"))).collect();
        let set = RefSet::new(Arc::clone(&names), Arc::from([2, 1 << 5]));
        assert_eq!(set.iter().collect::<Vec<_>>(), ["r1", "r69"]);
        assert!(!set.is_empty() && RefSet::default().is_empty());
        let all = RefSet::from_iter(names.iter().cloned());
        assert_eq!(all.iter().count(), 70);
        assert_eq!(RefSet::from("r1"), RefSet::new(names, Arc::from([2])));
    }
}
