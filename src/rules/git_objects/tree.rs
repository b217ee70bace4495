//! Checks trees like `git fsck`: order, modes and names of entries. Also finds two names that are one file on some system,
//! which fsck does not look for.

use std::cmp::Ordering;
use std::collections::HashMap;

use bstr::ByteSlice as _;

use super::{Fault, names};

const BAD_TREE: Fault = Fault::error("badTree", "the tree cannot be read to its end");
const NOT_SORTED: Fault = Fault::error("treeNotSorted", "the entries are not in git's order");
const DUPLICATE: Fault = Fault::error("duplicateEntries", "there are two entries with this name");
const FULL_PATH: Fault = Fault::error("fullPathname", "a name contains a slash");
const HAS_DOT: Fault = Fault::error("hasDot", "an entry is named `.`");
const HAS_DOTDOT: Fault = Fault::error("hasDotdot", "an entry is named `..`");
const HAS_DOTGIT: Fault = Fault::error("hasDotgit", "the name means `.git` on some system");
const LARGE_NAME: Fault = Fault::error("largePathname", "a name is longer than 4,096 bytes");
const NULL_ID: Fault = Fault::error("nullSha1", "an entry has the null object id");
const ZERO_PADDED: Fault = Fault::error("zeroPaddedFilemode", "a mode begins with a zero");
const BAD_MODE: Fault = Fault::warning("badFilemode", "git does not write this mode");
const GITMODULES_LINK: Fault = Fault::error("gitmodulesSymlink", "`.gitmodules` is a symbolic link");
const GITATTRIBUTES_LINK: Fault = Fault::warning("gitattributesSymlink", "`.gitattributes` is a symbolic link");
const GITIGNORE_LINK: Fault = Fault::warning("gitignoreSymlink", "`.gitignore` is a symbolic link");
const MAILMAP_LINK: Fault = Fault::warning("mailmapSymlink", "`.mailmap` is a symbolic link");
const CASE: Fault = Fault::error("caseCollision", "another name differs from this one only by case");
const UNICODE: Fault = Fault::error("unicodeCollision", "another name differs from this one only in its Unicode form");
const ALIAS: Fault = Fault::error("aliasCollision", "another name is the same file as this one on Windows or macOS");

const LONG_NAME: usize = 4096;
const LINK: u32 = 0o120_000;
const DIRECTORY: u32 = 0o040_000;

/// A fault and the entry that has it.
pub struct EntryFault<'t> {
    pub fault: Fault,
    pub mode: &'t [u8],
    pub name: &'t [u8],
}

struct TreeEntry<'t> {
    mode: &'t [u8],
    bits: u32,
    name: &'t [u8],
    id: &'t [u8],
}

/// The faults of a tree, each kind once per name.
pub fn faults(tree: &[u8], hash_length: usize) -> Vec<EntryFault<'_>> {
    let mut out = Vec::new();
    let (entries, whole) = parse_entries(tree, hash_length);
    for entry in &entries {
        check_entry(entry, &mut |fault| out.push(EntryFault { fault, mode: entry.mode, name: entry.name }));
    }
    if !whole {
        let (mode, name) = entries.last().map_or((&b""[..], &b""[..]), |e| (e.mode, e.name));
        out.push(EntryFault { fault: BAD_TREE, mode, name });
    }
    for pair in entries.windows(2) {
        if order(&pair[0], &pair[1]) == Ordering::Greater {
            out.push(EntryFault { fault: NOT_SORTED, mode: pair[1].mode, name: pair[1].name });
        }
    }
    find_collisions(&entries, &mut out);
    out
}

/// The entries up to the first that cannot be parsed, and whether the whole tree was parsed.
fn parse_entries(tree: &[u8], hash_length: usize) -> (Vec<TreeEntry<'_>>, bool) {
    let mut out = Vec::new();
    let mut rest = tree;
    while !rest.is_empty() {
        let Some((entry, after)) = next(rest, hash_length) else { return (out, false) };
        out.push(entry);
        rest = after;
    }
    (out, true)
}

fn next(rest: &[u8], hash_length: usize) -> Option<(TreeEntry<'_>, &[u8])> {
    let (mode, after) = rest.split_once_str(" ")?;
    let octal = !mode.is_empty() && mode.iter().all(|b| matches!(b, b'0'..=b'7'));
    let bits = mode.iter().fold(0u32, |bits, b| bits.wrapping_shl(3) | u32::from(b & 7));
    let (name, after) = after.split_once_str("\0")?;
    let (id, after) = after.split_at_checked(hash_length)?;
    (octal && !name.is_empty()).then_some((TreeEntry { mode, bits, name, id }, after))
}

/// Reports the faults of a single entry.
fn check_entry(entry: &TreeEntry<'_>, report: &mut dyn FnMut(Fault)) {
    let name = entry.name;
    let link = entry.bits & 0o170_000 == LINK;
    if entry.id.iter().all(|b| *b == 0) {
        report(NULL_ID);
    }
    if name.contains(&b'/') {
        report(FULL_PATH);
    }
    match name {
        b"." => report(HAS_DOT),
        b".." => report(HAS_DOTDOT),
        _ => {}
    }
    if names::is_dot_git(name) {
        report(HAS_DOTGIT);
    }
    if entry.mode[0] == b'0' {
        report(ZERO_PADDED);
    }
    if name.len() > LONG_NAME {
        report(LARGE_NAME);
    }
    if link {
        let of = |file| names::is_dot_file(name, file);
        if of(&names::MODULES) {
            report(GITMODULES_LINK);
        }
        if of(&names::ATTRIBUTES) {
            report(GITATTRIBUTES_LINK);
        }
        if of(&names::IGNORE) {
            report(GITIGNORE_LINK);
        }
        if of(&names::MAILMAP) {
            report(MAILMAP_LINK);
        }
    }
    if !matches!(entry.bits, 0o100_644 | 0o100_755 | 0o120_000 | 0o040_000 | 0o160_000) {
        report(BAD_MODE);
    }
}

/// Compares in git's order, in which a directory's name ends in a slash. Equal names are a fault of their own.
fn order(a: &TreeEntry<'_>, b: &TreeEntry<'_>) -> Ordering {
    let common = a.name.len().min(b.name.len());
    a.name[..common].cmp(&b.name[..common]).then_with(|| {
        let at = |e: &TreeEntry<'_>| match e.name.get(common) {
            Some(byte) => *byte,
            None if e.bits & 0o170_000 == DIRECTORY && a.name != b.name => b'/',
            None => 0,
        };
        at(a).cmp(&at(b))
    })
}

/// Finds entries that are one file: with equal names, or names that some system treats as equal.
fn find_collisions<'t>(entries: &[TreeEntry<'t>], out: &mut Vec<EntryFault<'t>>) {
    let mut first: HashMap<Vec<u8>, &TreeEntry<'t>> = HashMap::with_capacity(entries.len());
    for entry in entries {
        let Some(other) = first.insert(names::fold(entry.name), entry) else { continue };
        let fault = if other.name == entry.name {
            DUPLICATE
        } else if other.name.eq_ignore_ascii_case(entry.name) {
            CASE
        } else {
            match names::difference(other.name, entry.name) {
                names::Difference::Case => CASE,
                names::Difference::Unicode => UNICODE,
                names::Difference::Alias => ALIAS,
            }
        };
        out.push(EntryFault { fault, mode: entry.mode, name: entry.name });
    }
}
