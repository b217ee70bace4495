//! What must not change in the clone while a foreign program works in it: everything below `.git` but the index, for
//! settings, attributes and hooks there make git run programs, and lead a push elsewhere. Owns what counts as changed.
//!
//! The index is rebuilt and judged afterwards, and names no program.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

const GIT: &str = ".git";

/// The state of a clone before the program ran.
pub struct Seal(BTreeMap<PathBuf, Mark>);

/// What is at a path; looked at when it is asked for.
type Look<'a> = &'a dyn Fn() -> io::Result<Mark>;

#[derive(PartialEq, Eq)]
enum Mark {
    Folder,
    File(Vec<u8>),
    /// Too large to be read twice: no write leaves all of this as it was.
    Object {
        inode: u64,
        length: u64,
        changed: (i64, i64),
    },
    /// A link or a device; git makes none of them.
    Other,
}

impl Seal {
    pub fn new(tree: &Path) -> io::Result<Self> {
        let mut marks = BTreeMap::new();
        walk(&tree.join(GIT), false, &mut |path: PathBuf, mark: Look<'_>| {
            marks.insert(path, mark()?);
            Ok(true)
        })?;
        Ok(Self(marks))
    }

    /// What has changed, in words, or `None`.
    pub fn broken(&self, tree: &Path) -> io::Result<Option<String>> {
        let (mut seen, mut changed) = (0, None);
        walk(&tree.join(GIT), false, &mut |path: PathBuf, mark: Look<'_>| {
            let same = match self.0.get(&path) {
                // A file that has grown is not read.
                Some(Mark::File(text)) if path.symlink_metadata()?.len() != text.len() as u64 => false,
                Some(Mark::Other) | None => false,
                Some(before) => mark()? == *before,
            };
            seen += 1;
            if !same {
                changed = Some(path);
            }
            Ok(same)
        })?;
        if changed.is_none() && seen < self.0.len() {
            return Ok(Some(format!("something was removed below {GIT}")));
        }
        let changed = match changed {
            Some(changed) => Some((changed, "was changed")),
            None => nested(tree, true)?.map(|nested| (nested, "is a repository of its own")),
        };
        Ok(changed.map(|(path, what)| {
            let path = path.strip_prefix(tree).unwrap_or(&path);
            format!("{} {what}", crate::text::sanitise(path.as_os_str().as_encoded_bytes()))
        }))
    }
}

/// Gives each path at and below `at` to `each`, until it says `false`.
fn walk(at: &Path, object: bool, each: &mut impl FnMut(PathBuf, Look<'_>) -> io::Result<bool>) -> io::Result<bool> {
    let meta = match at.symlink_metadata() {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(true),
        meta => meta?,
    };
    let mark = || -> io::Result<Mark> {
        Ok(match meta.file_type() {
            t if t.is_dir() => Mark::Folder,
            t if !t.is_file() => Mark::Other,
            _ if object => {
                Mark::Object { inode: meta.ino(), length: meta.len(), changed: (meta.ctime(), meta.ctime_nsec()) }
            }
            _ => Mark::File(fs::read(at)?),
        })
    };
    if !each(at.to_owned(), &mark)? {
        return Ok(false);
    }
    if meta.is_dir() {
        for entry in fs::read_dir(at)? {
            let name = entry?.file_name();
            let top = at.ends_with(GIT);
            if top && name == "index" {
                continue;
            }
            // `info` tells where else objects are.
            let object = (object || (top && name == "objects")) && name != "info";
            if !walk(&at.join(name), object, each)? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// A `.git` below the top: what git finds in there would be followed as the settings of a submodule.
fn nested(folder: &Path, top: bool) -> io::Result<Option<PathBuf>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let is_git = entry.file_name().as_encoded_bytes().eq_ignore_ascii_case(GIT.as_bytes());
        if is_git && !(top && entry.file_name() == GIT) {
            return Ok(Some(entry.path()));
        }
        if !is_git
            && entry.file_type()?.is_dir()
            && let Some(found) = nested(&entry.path(), false)?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}
