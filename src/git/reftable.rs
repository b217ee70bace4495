//! Reads refs from a reftable, which gix cannot, so that no hook starts git for them. Owns the file format; only git
//! writes it (`git update-ref`).
//!
//! A stack of tables is listed in `tables.list`, the newest last; a later record wins. A table is a header of 24 bytes (28 in
//! version 2), blocks of references, then blocks that are of no use here, and a footer. A block is a type, its length in 3
//! bytes, records whose names share a prefix with the one before, 3 bytes for each restart point, and how many there are.
//! <https://git-scm.com/docs/reftable>

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use bstr::{BString, ByteSlice as _};

use crate::error::{Error, Result};
use crate::subject::Oid;

/// A ref's direct target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Object(Oid),
    Symbolic(BString),
}

/// Targets by full name.
pub(super) type Refs = BTreeMap<BString, Target>;

/// How often the stack is read anew because git compacts tables meanwhile.
const ATTEMPTS: usize = 20;

/// The refs of a repository: those of its common directory, and over them those of the linked work tree.
pub(super) fn read(common_dir: &Path, git_dir: &Path) -> Result<Refs> {
    let mut refs = stack(&common_dir.join("reftable"))?;
    if git_dir != common_dir {
        // HEAD and the like belong to a work tree.
        refs.retain(|name, _| name.starts_with(b"refs/"));
        refs.extend(stack(&git_dir.join("reftable"))?);
    }
    Ok(refs)
}

fn stack(dir: &Path) -> Result<Refs> {
    let cannot = |e: std::io::Error| Error::undecided(format!("the reftable in {} cannot be read: {e}", dir.display()));
    for _ in 0..ATTEMPTS {
        let list = std::fs::read(dir.join("tables.list")).map_err(cannot)?;
        let mut refs = Refs::new();
        let mut is_whole = true;
        for name in list.lines().filter(|l| !l.is_empty()) {
            match std::fs::read(dir.join(name.to_path_lossy())) {
                Ok(bytes) => table(&bytes, &mut refs).ok_or_else(|| {
                    Error::undecided(format!("the reftable {} in {} is damaged", name.as_bstr(), dir.display()))
                        .hint("`git refs verify` or `git fsck` says more")
                })?,
                Err(e) if e.kind() == ErrorKind::NotFound => {
                    is_whole = false;
                    break;
                }
                Err(e) => return Err(cannot(e)),
            }
        }
        if is_whole {
            return Ok(refs);
        }
    }
    Err(Error::undecided(format!("the reftable in {} changes faster than it can be read", dir.display())))
}

/// Adds one table's records.
fn table(bytes: &[u8], refs: &mut Refs) -> Option<()> {
    let (header, id_length) = match (bytes.get(..4)?, bytes.get(4)?) {
        (b"REFT", 1) => (24, 20),
        (b"REFT", 2) => (28, if bytes.get(24..28)? == b"s256" { 32 } else { 20 }),
        _ => return None,
    };
    // The footer repeats the header and holds five numbers and a checksum.
    let end = bytes.len().checked_sub(header + 44)?;
    let block_size = be24(bytes.get(5..8)?);
    let mut start = 0usize;
    let mut at = header;
    while at < end && bytes[at] == b'r' {
        // The first block begins with the file.
        let length = be24(bytes.get(at + 1..at + 4)?);
        let block = bytes.get(start..start.checked_add(length)?)?;
        let restarts = usize::from(u16::from_be_bytes(block.get(length.checked_sub(2)?..)?.try_into().ok()?));
        let records = block.get(at + 4 - start..length.checked_sub(2 + 3 * restarts)?)?;
        block_of_refs(records, id_length, refs)?;
        let is_padded = block_size > length && bytes.get(start + length).is_none_or(|next| *next == 0);
        start += if is_padded { block_size } else { length };
        at = start;
    }
    Some(())
}

fn block_of_refs(mut rest: &[u8], id_length: usize, refs: &mut Refs) -> Option<()> {
    let mut name = BString::default();
    while !rest.is_empty() {
        let prefix = number(&mut rest)?;
        let (suffix, kind) = number(&mut rest).map(|n| (n >> 3, n & 7))?;
        if prefix > name.len() {
            return None;
        }
        name.truncate(prefix);
        name.extend_from_slice(take(&mut rest, suffix)?);
        number(&mut rest)?;
        let target = match kind {
            0 => {
                refs.remove(&name);
                continue;
            }
            1 => Target::Object(Oid::from_bytes(take(&mut rest, id_length)?)?),
            2 => {
                let id = Oid::from_bytes(take(&mut rest, id_length)?)?;
                take(&mut rest, id_length)?;
                Target::Object(id)
            }
            3 => {
                let length = number(&mut rest)?;
                Target::Symbolic(take(&mut rest, length)?.into())
            }
            _ => return None,
        };
        refs.insert(name.clone(), target);
    }
    Some(())
}

fn take<'b>(rest: &mut &'b [u8], length: usize) -> Option<&'b [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

/// A varint as in pack offsets: seven bits a byte, each continuation adds one.
fn number(rest: &mut &[u8]) -> Option<usize> {
    let mut byte = take(rest, 1)?[0];
    let mut value = usize::from(byte & 0x7f);
    while byte & 0x80 != 0 {
        byte = take(rest, 1)?[0];
        value = value.checked_add(1)?.checked_mul(128)? | usize::from(byte & 0x7f);
    }
    Some(value)
}

fn be24(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |n, byte| n << 8 | usize::from(*byte))
}
