//! What rules on structured files of a tree share: which files a change touches, and which environment a file belongs
//! to. Owns no requirement.

use bstr::{BStr, ByteSlice};

use super::divergence::names;
use crate::error::Result;
use crate::policy::Environment;
use crate::policy::scope::Branches;
use crate::subject::{Entry, Tree};

/// Files that are wanted and that the change touches; without a tree before it, all that are wanted. None is read.
pub fn touched(tree: &Tree<'_>, wanted: impl Fn(&BStr) -> bool) -> Result<Vec<Entry>> {
    let mut list = tree.snapshot.entries()?;
    list.retain(|e| !e.symlink && wanted(e.path.as_ref()));
    if list.is_empty() {
        return Ok(list);
    }
    if let Some(before) = tree.before {
        let before = before.entries()?;
        list.retain(|e| {
            let there = before.binary_search_by(|b| b.path.cmp(&e.path)).ok().map(|at| &before[at]);
            e.blob.is_none() || there != Some(e)
        });
    }
    Ok(list)
}

/// The one environment that a text names, by its order.
pub fn environment_in(text: &str, environments: &[Environment]) -> Option<usize> {
    let mut named = environments.iter().enumerate().filter(|(_, e)| names(text, &e.aliases));
    let (first, _) = named.next()?;
    named.next().is_none().then_some(first)
}

/// The environment whose branch this is. `name`: full.
pub fn environment_of_branch(name: &BStr, environments: &[Environment]) -> Option<usize> {
    environments.iter().position(|e| Branches::new(&e.branches).is_ok_and(|b| b.is_match(name)))
}

/// The environment of a file: the one that its path names, else that of the branch it is on.
pub fn environment_of(path: &BStr, branch: Option<&BStr>, environments: &[Environment]) -> Option<usize> {
    let by_path = environment_in(&path.to_str_lossy(), environments);
    by_path.or_else(|| branch.and_then(|b| environment_of_branch(b, environments)))
}
