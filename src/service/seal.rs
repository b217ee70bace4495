//! Detects changes below `.git` while a foreign program works in the clone: settings, attributes and hooks there make git run
//! programs or push elsewhere. Owns what counts as changed.
//!
//! The index is exempt: it is rebuilt and checked afterwards, and names no programs.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

const GIT: &str = ".git";

/// The state of a clone before the program ran.
pub struct Seal(BTreeMap<PathBuf, PathState>);

/// Reads the state of a path on demand.
type ReadState<'a> = &'a dyn Fn() -> io::Result<PathState>;

#[derive(PartialEq, Eq)]
enum PathState {
    Folder,
    File(Vec<u8>),
    /// Too large to read twice; every write changes some of these fields.
    Object {
        inode: u64,
        length: u64,
        changed: (i64, i64),
    },
    /// A link or a device, which git never creates here.
    Other,
}

impl Seal {
    pub fn new(tree: &Path) -> io::Result<Self> {
        let mut states = BTreeMap::new();
        walk(&tree.join(GIT), false, &mut |path: PathBuf, state: ReadState<'_>| {
            states.insert(path, state()?);
            Ok(true)
        })?;
        Ok(Self(states))
    }

    /// Describes a change, if there is one.
    pub fn find_change(&self, tree: &Path) -> io::Result<Option<String>> {
        let (mut seen, mut changed) = (0, None);
        walk(&tree.join(GIT), false, &mut |path: PathBuf, state: ReadState<'_>| {
            let same = match self.0.get(&path) {
                // Do not read a file whose length changed.
                Some(PathState::File(text)) if path.symlink_metadata()?.len() != text.len() as u64 => false,
                Some(PathState::Other) | None => false,
                Some(before) => state()? == *before,
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

/// Calls `each` for every path at and below `at` until it returns false.
fn walk(
    at: &Path,
    object: bool,
    each: &mut impl FnMut(PathBuf, ReadState<'_>) -> io::Result<bool>,
) -> io::Result<bool> {
    let meta = match at.symlink_metadata() {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(true),
        meta => meta?,
    };
    let state = || -> io::Result<PathState> {
        Ok(match meta.file_type() {
            t if t.is_dir() => PathState::Folder,
            t if !t.is_file() => PathState::Other,
            _ if object => {
                PathState::Object { inode: meta.ino(), length: meta.len(), changed: (meta.ctime(), meta.ctime_nsec()) }
            }
            _ => PathState::File(fs::read(at)?),
        })
    };
    if !each(at.to_owned(), &state)? {
        return Ok(false);
    }
    if meta.is_dir() {
        for entry in fs::read_dir(at)? {
            let name = entry?.file_name();
            let top = at.ends_with(GIT);
            if top && name == "index" {
                continue;
            }
            // `info` names other object directories, so compare its content.
            let object = (object || (top && name == "objects")) && name != "info";
            if !walk(&at.join(name), object, each)? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Finds a `.git` below the top, which git would use as a submodule with its own settings.
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
