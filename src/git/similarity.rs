//! How alike two files are, by git's own measure, and which of the files that came is the one that went: a rename that
//! nobody can doubt, or none. Where there is more than one reading, it says so instead of choosing.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use bstr::BStr;

use super::pick::Picker;
use super::tree_edits::{Edit, Leaf};
use crate::error::Result;
use crate::subject::Oid;

/// What became of a file that is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Went<'e> {
    /// Nothing that came is like it.
    Away,
    To(&'e Edit),
    /// Several files could be it, or it could be several; or there are too many to look at.
    Unclear,
}

/// More pairs than this are not compared: git has a limit, too.
const PAIRS: usize = 100_000;
/// More bytes than this are not measured.
const LARGE: usize = 16 << 20;

/// Byte counts by hash of line, or of 64 bytes: sorted by hash.
type Spans = Rc<Vec<(u32, u32)>>;

#[derive(Default)]
pub(super) struct Measured(RefCell<HashMap<Oid, Spans>>);

/// Where the file `gone` of one side went, among the other edits of that side.
pub(super) fn went<'e>(picker: &Picker<'_>, side: &'e [Edit], gone: &BStr, leaf: Leaf) -> Result<Went<'e>> {
    let came: Vec<&Edit> = side.iter().filter(|e| e.old.is_none() && comparable(e.new, leaf)).collect();
    let left: Vec<&Edit> = side.iter().filter(|e| e.new.is_none() && comparable(e.old, leaf)).collect();
    if came.is_empty() || is_empty(picker, leaf)? {
        return Ok(Went::Away);
    }
    if came.len() * left.len() > PAIRS {
        return Ok(Went::Unclear);
    }
    // Equal content first, as git does.
    let equal: Vec<&&Edit> = came.iter().filter(|e| e.new.is_some_and(|n| n.id == leaf.id)).collect();
    let sources = left.iter().filter(|e| e.old.is_some_and(|o| o.id == leaf.id)).count();
    match equal[..] {
        [only] if sources == 1 => return Ok(Went::To(only)),
        [] => {}
        _ => return Ok(Went::Unclear),
    }
    let mut like = Vec::new();
    for edit in came {
        if let Some(new) = edit.new
            && alike(picker, leaf, new)?
        {
            like.push(edit);
        }
    }
    let [only] = like[..] else {
        return Ok(if like.is_empty() { Went::Away } else { Went::Unclear });
    };
    for other in left.iter().filter(|e| e.path != gone) {
        if let (Some(old), Some(new)) = (other.old, only.new)
            && alike(picker, old, new)?
        {
            return Ok(Went::Unclear);
        }
    }
    Ok(Went::To(only))
}

fn comparable(one: Option<Leaf>, other: Leaf) -> bool {
    one.is_some_and(|one| one.is_file() == other.is_file() && one.is_submodule() == other.is_submodule())
}

/// Empty files are never renamed.
fn is_empty(picker: &Picker<'_>, leaf: Leaf) -> Result<bool> {
    Ok(leaf.is_submodule() || picker.blob(leaf.id)?.is_empty())
}

/// At least half of the larger one is in both.
fn alike(picker: &Picker<'_>, old: Leaf, new: Leaf) -> Result<bool> {
    if !old.is_file() || !new.is_file() {
        return Ok(old.id == new.id);
    }
    let (a, b) = (picker.blob(old.id)?, picker.blob(new.id)?);
    let (small, large) = (a.len().min(b.len()), a.len().max(b.len()));
    if small == 0 || large > 2 * small {
        return Ok(false);
    }
    if large > LARGE {
        // Alike as far as anybody knows.
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
    if let Some(known) = picker.measured.0.borrow().get(&id) {
        return Rc::clone(known);
    }
    let made = Rc::new(measure(bytes));
    picker.measured.0.borrow_mut().insert(id, Rc::clone(&made));
    made
}

/// The hash that git measures similarity with.
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
