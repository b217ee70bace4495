//! Where a branch's ref stood before: its reflog, and a file of our own on servers, whose repositories keep no reflog
//! unless somebody asked for one.
//! Owns the file: lines `commit branch`, appended. Nothing takes lines away: each was true once, and stays so.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use bstr::{BStr, BString, ByteSlice};

use super::{ThreadRepo, oid};
use crate::error::{Error, Result};
use crate::subject::Oid;

fn file(local: &ThreadRepo<'_>) -> PathBuf {
    local.repo.common_dir().join("portcullis").join("earlier-tips")
}

/// Commits of a reflog, by the ref's full name; without one, or without the ref, none.
pub fn of_reflog(local: &ThreadRepo<'_>, name: &BStr) -> Result<Vec<Oid>> {
    let what = || Error::undecided(format!("the reflog of {name} cannot be read"));
    let Ok(Some(reference)) = local.gix.try_find_reference(name) else { return Ok(Vec::new()) };
    let mut log = reference.log_iter();
    let Some(lines) = log.all().map_err(|_| what())? else { return Ok(Vec::new()) };
    // A line that is torn says nothing.
    let ids = lines.filter_map(Result::ok).flat_map(|line| [line.previous_oid(), line.new_oid()]);
    let mut tips: Vec<Oid> = ids.filter(|id| !id.is_null()).map(|id| oid(&id)).collect();
    tips.sort_unstable();
    tips.dedup();
    Ok(tips)
}

/// What was kept for a branch, by its short name.
pub fn kept(local: &ThreadRepo<'_>, branch: &BStr) -> Result<Vec<Oid>> {
    let path = file(local);
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(Error::undecided(format!("{} cannot be read: {e}", path.display()))),
    };
    let lines = text.lines().filter_map(|line| line.split_once_str(" "));
    let of_branch = lines.filter(|(_, name)| *name == branch);
    let ids = of_branch.filter_map(|(id, _)| gix::ObjectId::from_hex(id).ok());
    Ok(ids.map(|id| oid(&id)).collect())
}

/// Keeps that the branch stood at a commit.
pub fn keep(local: &ThreadRepo<'_>, branch: &BStr, tip: Oid) -> Result<()> {
    if kept(local, branch)?.contains(&tip) {
        return Ok(());
    }
    let path = file(local);
    let write = || {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        // One write: lines of pushes at the same time do not mix.
        let mut line = BString::from(format!("{tip} "));
        line.extend_from_slice(branch);
        line.push(b'\n');
        OpenOptions::new().append(true).create(true).open(&path)?.write_all(&line)
    };
    write().map_err(|e| {
        Error::undecided(format!("{} cannot be written: {e}", path.display()))
            .hint("without it, a later merge could hide which commits are development's own")
    })
}
