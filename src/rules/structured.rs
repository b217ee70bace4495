//! Helpers for rules on a tree's structured files: which files a change touches, and to which environment a file belongs.

use bstr::{BStr, ByteSlice as _};

use crate::error::Result;
use crate::options::Environment;
use crate::options::scope::Branches;
use crate::subject::{Entry, Tree};

/// The wanted files that the change touches; all wanted files if there is no tree before it. Reads no file.
pub fn touched(tree: &Tree<'_>, wanted: impl Fn(&BStr) -> bool) -> Result<Vec<Entry>> {
    let mut list = tree.snapshot.entries()?;
    list.retain(|e| !e.symlink && wanted(e.path.as_ref()));
    if list.is_empty() {
        return Ok(list);
    }
    if let Some(before) = tree.before {
        let before = before.entries()?;
        list.retain(|e| {
            let same_path = before.binary_search_by(|b| b.path.cmp(&e.path)).ok().map(|at| &before[at]);
            e.blob.is_none() || same_path != Some(e)
        });
    }
    Ok(list)
}

/// Index of the environment that a text names; `None` if it names none or several.
pub fn environment_in(text: &str, environments: &[Environment]) -> Option<usize> {
    let mut named = environments.iter().enumerate().filter(|(_, e)| names(text, &e.aliases));
    let (first, _) = named.next()?;
    named.next().is_none().then_some(first)
}

/// Index of the environment that a branch belongs to. `name` is the full ref name.
pub fn environment_of_branch(name: &BStr, environments: &[Environment]) -> Option<usize> {
    environments.iter().position(|e| Branches::new(&e.branches).is_ok_and(|b| b.is_match(name)))
}

/// Index of a file's environment: the one that its path names, else that of its branch.
pub fn environment_of(path: &BStr, branch: Option<&BStr>, environments: &[Environment]) -> Option<usize> {
    let by_path = environment_in(&path.to_str_lossy(), environments);
    by_path.or_else(|| branch.and_then(|b| environment_of_branch(b, environments)))
}

/// Whether a text contains one of `words` as a whole word. The last label of a host name and the directory `/dev` do not
/// count.
pub fn names(text: &str, words: &[String]) -> bool {
    let mut start = 0;
    let parts = text.split(|c: char| !c.is_alphanumeric()).map(|part| {
        let at = start;
        start += part.len() + text[at + part.len()..].chars().next().map_or(0, char::len_utf8);
        (at, part)
    });
    parts.into_iter().any(|(at, part)| {
        let (before, after) = (&text[..at], &text[at + part.len()..]);
        let label = before.ends_with('.') && (after.is_empty() || after.starts_with(['/', ':']));
        let device = part == "dev" && before == "/" && after.starts_with('/');
        // `dev-team` and `dev-tools` do not name an environment.
        let compound = part.eq_ignore_ascii_case("dev")
            && after.strip_prefix(['-', '_']).is_some_and(|rest| {
                let word = &rest[..rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len())];
                ["team", "teams", "tools", "tool", "ops", "portal", "docs", "container", "containers", "null"]
                    .iter()
                    .any(|w| word.eq_ignore_ascii_case(w))
            });
        let company = part.eq_ignore_ascii_case("dev") && after.starts_with(".azure.com");
        !label && !device && !compound && !company && words.iter().any(|w| w.eq_ignore_ascii_case(part))
    })
}
