//! The similarity of two files by git's own measure, and from it the rename of a removed file. If several added files
//! could be the target, the rename is unclear, and nothing is chosen.

use std::collections::HashMap;
use std::rc::Rc;

use bstr::BStr;

use super::picker::{Picker, Spans};
use super::tree_edits::{Edit, Leaf};
use crate::error::Result;
use crate::subject::Oid;

/// The new path of a removed file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RenameTarget<'e> {
    /// No added file is similar: it was removed, not renamed.
    None,
    To(&'e Edit),
    /// Several removed or added files could belong together, or there are too many to compare.
    Unclear,
}

/// The most pairs of files that are compared. git has a limit as well.
const MAX_PAIRS: usize = 100_000;
/// The largest file that is measured, in bytes.
const MAX_MEASURED: usize = 16 << 20;

/// Finds to which of one side's added files that side renamed its removed file at the path `removed`.
pub(super) fn rename_target<'e>(
    picker: &Picker<'_>,
    side: &'e [Edit],
    removed: &BStr,
    leaf: Leaf,
) -> Result<RenameTarget<'e>> {
    let added: Vec<&Edit> = side.iter().filter(|e| e.old.is_none() && comparable(e.new, leaf)).collect();
    let removed_files: Vec<&Edit> = side.iter().filter(|e| e.new.is_none() && comparable(e.old, leaf)).collect();
    if added.is_empty() || is_empty(picker, leaf)? {
        return Ok(RenameTarget::None);
    }
    if added.len() * removed_files.len() > MAX_PAIRS {
        return Ok(RenameTarget::Unclear);
    }
    // Equal content first, as git does.
    let equal: Vec<&&Edit> = added.iter().filter(|e| e.new.is_some_and(|n| n.id == leaf.id)).collect();
    let sources = removed_files.iter().filter(|e| e.old.is_some_and(|o| o.id == leaf.id)).count();
    match equal[..] {
        [only] if sources == 1 => return Ok(RenameTarget::To(only)),
        [] => {}
        _ => return Ok(RenameTarget::Unclear),
    }
    let mut similar = Vec::new();
    for edit in added {
        if let Some(new) = edit.new
            && is_similar(picker, leaf, new)?
        {
            similar.push(edit);
        }
    }
    let [only] = similar[..] else {
        return Ok(if similar.is_empty() { RenameTarget::None } else { RenameTarget::Unclear });
    };
    for other in removed_files.iter().filter(|e| e.path != removed) {
        if let (Some(old), Some(new)) = (other.old, only.new)
            && is_similar(picker, old, new)?
        {
            return Ok(RenameTarget::Unclear);
        }
    }
    Ok(RenameTarget::To(only))
}

fn comparable(one: Option<Leaf>, other: Leaf) -> bool {
    one.is_some_and(|one| one.is_file() == other.is_file() && one.is_submodule() == other.is_submodule())
}

/// Empty files are never renamed.
fn is_empty(picker: &Picker<'_>, leaf: Leaf) -> Result<bool> {
    Ok(leaf.is_submodule() || picker.blob(leaf.id)?.is_empty())
}

/// Whether at least half of the larger file is in both.
fn is_similar(picker: &Picker<'_>, old: Leaf, new: Leaf) -> Result<bool> {
    if !old.is_file() || !new.is_file() {
        return Ok(old.id == new.id);
    }
    let (a, b) = (picker.blob(old.id)?, picker.blob(new.id)?);
    let (small, large) = (a.len().min(b.len()), a.len().max(b.len()));
    if small == 0 || large > 2 * small {
        return Ok(false);
    }
    if large > MAX_MEASURED {
        // Not measured: counted as similar, so that the rename is unclear and not missed.
        return Ok(true);
    }
    let (a, b) = (spans(picker, old.id, &a), spans(picker, new.id, &b));
    let mut shared = 0u64;
    let mut other = b.iter().peekable();
    for (hash, bytes) in a.iter() {
        while other.next_if(|(h, _)| h < hash).is_some() {}
        if let Some((_, there)) = other.next_if(|(h, _)| h == hash) {
            shared += u64::from(*bytes.min(there));
        }
    }
    Ok(shared * 2 >= large as u64)
}

fn spans(picker: &Picker<'_>, id: Oid, bytes: &[u8]) -> Spans {
    if let Some(known) = picker.spans.borrow().get(&id) {
        return Rc::clone(known);
    }
    let made = Rc::new(measure(bytes));
    picker.spans.borrow_mut().insert(id, Rc::clone(&made));
    made
}

/// Counts bytes by the hash that git's diffcore-delta.c uses.
fn measure(bytes: &[u8]) -> Vec<(u32, u32)> {
    const BASE: u32 = 107_927;
    let text = !super::lines::is_binary(bytes);
    let mut counts: HashMap<u32, u32> = HashMap::new();
    let (mut one, mut two, mut length) = (0u32, 0u32, 0u32);
    let mut add = |one: u32, two: u32, length: u32| {
        *counts.entry(one.wrapping_add(two.wrapping_mul(0x61)) % BASE).or_default() += length;
    };
    for (at, byte) in bytes.iter().enumerate() {
        if text && *byte == b'\r' && bytes.get(at + 1) == Some(&b'\n') {
            continue;
        }
        let before = one;
        one = (one << 7) ^ (two >> 25);
        two = (two << 7) ^ (before >> 25);
        one = one.wrapping_add(u32::from(*byte));
        length += 1;
        if length < 64 && *byte != b'\n' {
            continue;
        }
        add(one, two, length);
        (one, two, length) = (0, 0, 0);
    }
    if length > 0 {
        add(one, two, length);
    }
    let mut out: Vec<(u32, u32)> = counts.into_iter().collect();
    out.sort_unstable();
    out
}
