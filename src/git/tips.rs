//! Earlier tips of a branch: from its reflog, and on servers, which have no reflog by default, from a file of our own.
//! Owns that file: lines `commit branch`, appended and never removed.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;

use bstr::{BStr, BString, ByteSlice as _};

use super::{ThreadRepo, oid};
use crate::error::{Error, Result};
use crate::subject::Oid;

fn file(local: &ThreadRepo<'_>) -> PathBuf {
    local.repo.common_dir().join("portcullis").join("earlier-tips")
}

/// The commits in a ref's reflog, by the ref's full name; none if there is no ref or no reflog.
pub fn of_reflog(local: &ThreadRepo<'_>, name: &BStr) -> Result<Vec<Oid>> {
    let what = || Error::undecided(format!("the reflog of {name} cannot be read"));
    let Ok(Some(reference)) = local.gix.try_find_reference(name) else { return Ok(Vec::new()) };
    let mut log = reference.log_iter();
    let Some(lines) = log.all().map_err(|_| what())? else { return Ok(Vec::new()) };
    // A torn line is skipped.
    let ids = lines.filter_map(Result::ok).flat_map(|line| [line.previous_oid(), line.new_oid()]);
    let mut tips: Vec<Oid> = ids.filter(|id| !id.is_null()).map(|id| oid(&id)).collect();
    tips.sort_unstable();
    tips.dedup();
    Ok(tips)
}

/// The recorded tips of a branch, by its short name.
pub fn recorded(local: &ThreadRepo<'_>, branch: &BStr) -> Result<Vec<Oid>> {
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

/// Records a tip of a branch.
pub fn record(local: &ThreadRepo<'_>, branch: &BStr, tip: Oid) -> Result<()> {
    if recorded(local, branch)?.contains(&tip) {
        return Ok(());
    }
    let path = file(local);
    let write = || {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        // One write, so that lines of concurrent pushes do not mix.
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
