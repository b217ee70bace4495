//! git's stable patch-id: a hash of a commit's diff that does not depend on line numbers. A header id, of paths and modes
//! alone, comes first: it tells commits that touch different files apart without reading a file. Merges have none.

use bstr::{BStr, ByteSlice as _};

use super::lines;
use super::picker::Picker;
use super::tree_edits::{Edit, Leaf};
use crate::error::Result;
use crate::subject::Oid;

/// `git patch-id --stable` of `git diff-tree -p --full-index`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PatchId(pub Oid);

/// The sum of the hashes of all files, independent of their order.
struct Sum {
    kind: gix::hash::Kind,
    total: Vec<u8>,
}

impl Sum {
    fn new(kind: gix::hash::Kind) -> Self {
        Self { kind, total: vec![0; kind.len_in_bytes()] }
    }

    fn add(&mut self, text: &[u8]) {
        let mut hasher = gix::hash::hasher(self.kind);
        hasher.update(text);
        let Ok(id) = hasher.try_finalize() else { return };
        let mut carry = 0u16;
        for (total, byte) in self.total.iter_mut().zip(id.as_slice()) {
            carry += u16::from(*total) + u16::from(*byte);
            *total = carry as u8;
            carry >>= 8;
        }
    }

    fn id(&self) -> Option<PatchId> {
        Oid::from_bytes(&self.total).map(PatchId)
    }
}

impl Picker<'_> {
    /// The id of paths and modes alone; no file is read. Patches with different header ids are different.
    pub fn header_id(&self, old: Option<Oid>, new: Oid) -> Result<Option<PatchId>> {
        let mut sum = Sum::new(self.local.gix.object_hash());
        for edit in self.edits(old, new)?.iter() {
            for part in parts(edit) {
                sum.add(&[title(&part), modes(&part)].concat());
            }
        }
        Ok(sum.id())
    }

    /// `None` when nothing changes.
    pub fn patch_id(&self, old: Option<Oid>, new: Oid) -> Result<Option<PatchId>> {
        let edits = self.edits(old, new)?;
        if edits.is_empty() {
            return Ok(None);
        }
        let mut sum = Sum::new(self.local.gix.object_hash());
        let mut text = Vec::new();
        let mut last = Body::Lines;
        for part in edits.iter().flat_map(parts) {
            // git counts the title of the next file to a binary one before it, and a file without a body (empty, or with a
            // changed mode only) to the file after it.
            if last != Body::Binary {
                text.extend(title(&part));
            }
            text.extend(modes(&part));
            last = self.body(&part, &mut text)?;
            if last != Body::Nothing {
                sum.add(&text);
                text.clear();
            }
        }
        // At the end git hashes the rest, even if it is empty.
        if last != Body::Lines {
            sum.add(&text);
        }
        Ok(sum.id())
    }

    /// Adds the diff below the header, without white space.
    fn body(&self, part: &Part<'_>, out: &mut Vec<u8>) -> Result<Body> {
        if part.old.map(|l| l.id) == part.new.map(|l| l.id) {
            return Ok(Body::Nothing);
        }
        let (before, after) = (self.text(part.old)?, self.text(part.new)?);
        if lines::is_binary(&before) || lines::is_binary(&after) {
            // With --full-index, git hashes the two object ids in place of the content.
            let zero = || "0".repeat(2 * self.local.gix.object_hash().len_in_bytes());
            let hex = |leaf: Option<Leaf>| leaf.map_or_else(zero, |l| l.id.to_string());
            out.extend_from_slice(hex(part.old).as_bytes());
            out.extend_from_slice(hex(part.new).as_bytes());
            return Ok(Body::Binary);
        }
        if before == after {
            return Ok(Body::Nothing);
        }
        for (sign, prefix, side) in [(b"---", b"a/", part.old), (b"+++", b"b/", part.new)] {
            out.extend_from_slice(sign);
            match side {
                Some(_) => add_name(out, prefix, part.path),
                None => out.extend_from_slice(b"/dev/null"),
            }
        }
        for (sign, line) in lines::unified(&before, &after) {
            if sign != b' ' {
                out.push(sign);
            }
            out.extend(line.iter().filter(|b| !is_space(**b)));
        }
        Ok(Body::Lines)
    }

    fn text(&self, leaf: Option<Leaf>) -> Result<std::rc::Rc<Vec<u8>>> {
        match leaf {
            None => Ok(Default::default()),
            Some(leaf) if leaf.is_submodule() => {
                Ok(std::rc::Rc::new(format!("Subproject commit {}\n", leaf.id).into_bytes()))
            }
            Some(leaf) => self.blob(leaf.id),
        }
    }
}

/// The kind of diff below a header.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Body {
    Nothing,
    Binary,
    Lines,
}

/// One `diff --git` section. A file that becomes a link has two: a deletion and an addition.
struct Part<'e> {
    path: &'e BStr,
    old: Option<Leaf>,
    new: Option<Leaf>,
}

fn parts(edit: &Edit) -> Vec<Part<'_>> {
    let path = edit.path.as_bstr();
    let whole = Part { path, old: edit.old, new: edit.new };
    match (edit.old, edit.new) {
        (Some(a), Some(b)) if a.is_file() != b.is_file() || a.is_submodule() != b.is_submodule() => {
            vec![Part { path, old: edit.old, new: None }, Part { path, old: None, new: edit.new }]
        }
        _ => vec![whole],
    }
}

fn title(part: &Part<'_>) -> Vec<u8> {
    let mut out = b"diff--git".to_vec();
    add_name(&mut out, b"a/", part.path);
    add_name(&mut out, b"b/", part.path);
    out
}

fn modes(part: &Part<'_>) -> Vec<u8> {
    match (part.old, part.new) {
        (None, Some(new)) => format!("newfilemode{:06o}", new.mode).into_bytes(),
        (Some(old), None) => format!("deletedfilemode{:06o}", old.mode).into_bytes(),
        (Some(old), Some(new)) if old.mode != new.mode => {
            format!("oldmode{:06o}newmode{:06o}", old.mode, new.mode).into_bytes()
        }
        _ => Vec::new(),
    }
}

/// As git prints a name: quoted where it must be, and then without its white space.
fn add_name(out: &mut Vec<u8>, prefix: &[u8], path: &BStr) {
    let odd = |b: &u8| *b < 0x20 || *b >= 0x7f || matches!(*b, b'"' | b'\\');
    if !path.iter().any(odd) {
        out.extend(prefix.iter().chain(path.iter()).filter(|b| !is_space(**b)));
        return;
    }
    out.push(b'"');
    out.extend_from_slice(prefix);
    for b in path.iter().filter(|b| **b != b' ') {
        match b {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x07 => out.extend_from_slice(b"\\a"),
            0x08 => out.extend_from_slice(b"\\b"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            0x0b => out.extend_from_slice(b"\\v"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b if odd(b) => out.extend_from_slice(format!("\\{b:03o}").as_bytes()),
            b => out.push(*b),
        }
    }
    out.push(b'"');
}

/// git's `isspace`.
fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | b'\r')
}
