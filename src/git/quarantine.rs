//! The quarantine of a push: objects that git has received and not yet accepted. gix reads neither of the environment
//! variables that name it, so we create a scratch object directory whose alternates are all directories, flattened, and
//! open the repository on that union. Nothing is ever written into the quarantine's own objects.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{Repo, ThreadRepo, oid, unreadable};
use crate::error::{Error, Result};
use crate::subject::Oid;

/// The quarantine that git's environment names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantine {
    /// `GIT_QUARANTINE_PATH`, else `GIT_OBJECT_DIRECTORY`: also the directory that disappears with the push.
    path: PathBuf,
    /// `GIT_ALTERNATE_OBJECT_DIRECTORIES`, the repository's own objects among them.
    alternates: Vec<PathBuf>,
}

/// Git stops following alternates of alternates at this depth.
const MAX_ALTERNATE_DEPTH: usize = 5;

impl Quarantine {
    /// `None` when git has set up no quarantine: `update`, delete-only pushes, hosts without one.
    pub fn from_environment(variable: impl Fn(&str) -> Option<OsString>, directory: &Path) -> Option<Self> {
        // Gitaly has a quarantine of its own and sets only git's general variable.
        let path = directory.join(variable("GIT_QUARANTINE_PATH").or_else(|| variable("GIT_OBJECT_DIRECTORY"))?);
        let listed = variable("GIT_ALTERNATE_OBJECT_DIRECTORIES").unwrap_or_default();
        let alternates = split_paths(listed.as_encoded_bytes()).into_iter().map(|p| directory.join(p)).collect();
        Some(Self { path, alternates })
    }

    /// Points the repository at quarantine and main objects together.
    pub(super) fn unite(&self, shared: &mut gix::ThreadSafeRepository) -> Result<PathBuf> {
        let own = shared.objects.path().to_owned();
        let mut all = Vec::new();
        let mut seen = HashSet::new();
        for dir in std::iter::once(&self.path).chain(&self.alternates).chain([&own]) {
            flatten(dir, 0, &mut seen, &mut all)?;
        }
        // git does not migrate a dot name when it accepts the push, and deletes it with the quarantine even if we are killed.
        let scratch = self.path.join(format!(".portcullis-{}", std::process::id()));
        let info = scratch.join("info");
        let cannot = |e: std::io::Error| {
            Error::undecided(format!("cannot prepare the view on the pushed objects in {}: {e}", scratch.display()))
        };
        std::fs::create_dir_all(&info).map_err(cannot)?;
        std::fs::write(info.join("alternates"), alternates_file(&all)).map_err(cannot)?;
        link_commit_graph(&info, &all);
        let kind = shared.to_thread_local().object_hash();
        let store = gix::odb::Store::at_opts(scratch.clone(), kind, &mut std::iter::empty(), Default::default())
            .map_err(unreadable("cannot open the pushed objects"))?;
        shared.objects = gix::parallel::OwnShared::new(store);
        Ok(scratch)
    }

    /// The directory of the quarantined objects.
    pub(super) fn objects(&self) -> &Path {
        &self.path
    }

    /// Ids of all objects in the quarantine that the repository did not have, sorted.
    pub(super) fn new_objects(&self, kind: gix::hash::Kind) -> Result<Vec<Oid>> {
        let what = "the pushed objects cannot be listed";
        let quarantined =
            gix::odb::at_opts(self.path.clone(), kind, Vec::new(), Default::default()).map_err(unreadable(what))?;
        let mut ids = Vec::new();
        for id in quarantined.store_ref().iter().map_err(unreadable(what))? {
            ids.push(id.map_err(unreadable(what))?);
        }
        ids.sort_unstable();
        ids.dedup();
        let mains = self.main_stores(kind)?;
        // git completes a thin pack with bases from the repository: those are not new.
        ids.retain(|id| !mains.iter().any(|m| gix::objs::Exists::exists(m, id)));
        Ok(ids.iter().map(|id| oid(id)).collect())
    }

    fn main_stores(&self, kind: gix::hash::Kind) -> Result<Vec<gix::odb::Handle>> {
        let mut dirs = Vec::new();
        let mut seen = HashSet::new();
        for dir in &self.alternates {
            flatten(dir, 0, &mut seen, &mut dirs)?;
        }
        dirs.iter()
            .map(|d| {
                let mut store = gix::odb::at_opts(d.clone(), kind, Vec::new(), Default::default())
                    .map_err(unreadable("cannot open the repository's objects"))?;
                // Most ids are missing: looking for new packs at each miss would cost more than the push.
                store.refresh_never();
                Ok(store)
            })
            .collect()
    }
}

/// Links the commit-graph of the first directory that has one, because gix looks for it beside the objects. A failure
/// costs only time.
fn link_commit_graph(info: &Path, directories: &[PathBuf]) {
    for name in ["commit-graph", "commit-graphs"] {
        let mut there = directories.iter().map(|d| d.join("info").join(name));
        if let Some(found) = there.find(|path| path.exists()) {
            #[cfg(unix)]
            let _ = std::os::unix::fs::symlink(found, info.join(name));
            return;
        }
    }
}

/// Adds an objects directory and its alternates; relative paths are resolved against the directory that names them.
fn flatten(dir: &Path, depth: usize, seen: &mut HashSet<PathBuf>, out: &mut Vec<PathBuf>) -> Result<()> {
    let Ok(real) = dir.canonicalize() else {
        // git only warns about a missing alternate; a missing object then has an error of its own.
        return Ok(());
    };
    if !seen.insert(real.clone()) {
        return Ok(());
    }
    let listed = match std::fs::read(real.join("info/alternates")) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(e) => return Err(unreadable(format_args!("cannot read the alternates of {}", real.display()))(e)),
    };
    out.push(real.clone());
    if depth < MAX_ALTERNATE_DEPTH {
        for line in listed.split(|b| *b == b'\n').filter(|l| !l.is_empty() && l[0] != b'#') {
            for path in split_paths(line) {
                flatten(&real.join(path), depth + 1, seen, out)?;
            }
        }
    }
    Ok(())
}

/// Splits a list of paths at `:`; an entry that begins with `"` is C-quoted.
fn split_paths(list: &[u8]) -> Vec<PathBuf> {
    let mut out = Vec::new();
    let mut rest = list;
    while !rest.is_empty() {
        if rest[0] == b'"'
            && let Some((path, used)) = unquote(rest)
        {
            out.push(path_of(&path));
            rest = &rest[used..];
            rest = rest.strip_prefix(b":").unwrap_or(rest);
            continue;
        }
        let end = rest.iter().position(|b| *b == b':').unwrap_or(rest.len());
        if end > 0 {
            out.push(path_of(&rest[..end]));
        }
        rest = &rest[(end + 1).min(rest.len())..];
    }
    out
}

fn path_of(bytes: &[u8]) -> PathBuf {
    gix::path::from_byte_slice(bytes).map(Path::to_owned).unwrap_or_default()
}

/// Undoes git's C-style quoting; returns the bytes and the length of the quoted text.
fn unquote(quoted: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut out = Vec::new();
    let mut at = 1;
    loop {
        match *quoted.get(at)? {
            b'"' => return Some((out, at + 1)),
            b'\\' => {
                at += 1;
                let byte = match *quoted.get(at)? {
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'r' => b'\r',
                    b'a' => 7,
                    b'b' => 8,
                    b'f' => 12,
                    b'v' => 11,
                    octal @ b'0'..=b'3' => {
                        let digits = [octal, *quoted.get(at + 1)?, *quoted.get(at + 2)?];
                        at += 2;
                        digits.iter().try_fold(0u8, |n, d| {
                            d.is_ascii_digit().then(|| n.wrapping_mul(8).wrapping_add(d - b'0'))
                        })?
                    }
                    other => other,
                };
                out.push(byte);
            }
            byte => out.push(byte),
        }
        at += 1;
    }
}

/// The text of an alternates file, with paths quoted like git's.
fn alternates_file(dirs: &[PathBuf]) -> Vec<u8> {
    let mut out = Vec::new();
    for dir in dirs {
        let bytes = dir.as_os_str().as_encoded_bytes();
        if bytes.iter().any(|b| *b < 32 || matches!(b, b'"' | b'\\' | 127)) || bytes.first() == Some(&b'#') {
            out.push(b'"');
            for b in bytes {
                match b {
                    b'"' | b'\\' => out.extend([b'\\', *b]),
                    b if *b < 32 || *b == 127 => out.extend(format!("\\{b:03o}").bytes()),
                    b => out.push(*b),
                }
            }
            out.push(b'"');
        } else {
            out.extend(bytes);
        }
        out.push(b'\n');
    }
    out
}

impl Repo {
    /// Ids of the quarantined objects that the repository did not have, sorted; `None` without a quarantine.
    pub(crate) fn quarantined(&self, local: &ThreadRepo<'_>) -> Result<Option<&[Oid]>> {
        let Some(quarantine) = self.quarantine() else { return Ok(None) };
        let list = self.quarantined.get_or_init(|| quarantine.new_objects(local.gix.object_hash()));
        list.as_deref().map(Some).map_err(Clone::clone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_lists_are_split_and_unquoted() {
        let list = br#"/a/b:"/with\tab\303\251:colon":/c"#;
        let paths: Vec<_> = split_paths(list);
        assert_eq!(paths.len(), 3);
        assert_eq!(paths[1].as_os_str().as_encoded_bytes(), b"/with\tab\xc3\xa9:colon");
        assert_eq!(split_paths(br#""unterminated"#).len(), 1);
    }

    #[test]
    fn paths_with_newlines_and_quotes_survive_the_alternates_file() {
        let odd = PathBuf::from("/a\n\"b\\c");
        let text = alternates_file(std::slice::from_ref(&odd));
        assert_eq!(text.iter().filter(|b| **b == b'\n').count(), 1);
        assert_eq!(split_paths(text.trim_ascii_end()), [odd]);
    }
}
