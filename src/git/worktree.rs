//! Files on disk: everything tracked, and everything untracked that git does not ignore. Links are not followed,
//! submodules and nested repositories not entered, devices and pipes not opened.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use bstr::{BStr, BString};
use gix::index::entry::Stage;
use ignore::{WalkBuilder, WalkState};

use super::large::LARGE;
use super::{ThreadRepo, index};
use crate::error::{Error, Result};
use crate::subject::Entry;

/// A file on disk.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Disk {
    /// Relative to the root, `/` between parts.
    pub path: BString,
    pub file: PathBuf,
    pub symlink: bool,
}

/// The files of a walk, sorted by path, and the errors.
#[derive(Default)]
pub(crate) struct Listing {
    pub files: Vec<Disk>,
    pub errors: Vec<Error>,
    /// Submodules and nested repositories that were skipped.
    pub submodules: u64,
}

impl Listing {
    /// The files as entries of a snapshot; an error if some could not be listed.
    pub fn entries(&self) -> Result<Vec<Entry>> {
        if let Some(error) = self.errors.first() {
            return Err(error.clone());
        }
        let entry = |f: &Disk| Entry { path: f.path.clone(), blob: None, symlink: f.symlink };
        Ok(self.files.iter().map(entry).collect())
    }
}

/// Walks a work tree. `under`: absolute paths; empty means all of it.
pub(crate) fn tracked_and_new(
    local: &ThreadRepo<'_>,
    root: &Path,
    under: &[PathBuf],
    threads: usize,
) -> Result<Listing> {
    let mut listing = walk(root, under, true, threads);
    let index = index::open(local)?;
    // Both lists are sorted, so one pass over both finds the tracked files that the walk left out.
    let mut found = listing.files.iter().map(|f| &f.path).peekable();
    let mut last: &[u8] = b"";
    let mut ignored = Vec::new();
    for e in index.entries() {
        if e.mode.is_submodule() {
            listing.submodules += 1;
        }
        let path = e.path(&index);
        // The rest is tracked though ignored: git keeps committing it.
        if !matches!(e.stage(), Stage::Unconflicted | Stage::Ours) || e.mode.is_submodule() || path == last {
            continue;
        }
        last = path;
        while found.next_if(|found| *found < path).is_some() {}
        if found.next_if(|found| *found == path).is_some() {
            continue;
        }
        let file = join(root, path)?;
        if !under.is_empty() && !under.iter().any(|u| file.starts_with(u)) {
            continue;
        }
        // Deleted on disk, or outside a sparse checkout: not part of the work tree.
        let Ok(meta) = file.symlink_metadata() else { continue };
        if meta.is_file() || meta.is_symlink() {
            ignored.push(Disk { path: path.to_owned(), file, symlink: meta.is_symlink() });
        }
    }
    if !ignored.is_empty() {
        listing.files.append(&mut ignored);
        listing.files.sort_unstable();
        listing.files.dedup_by(|a, b| a.path == b.path);
    }
    Ok(listing)
}

/// Walks directories outside any repository, without ignore rules.
pub(crate) fn plain(root: &Path, under: &[PathBuf], threads: usize) -> Listing {
    walk(root, under, false, threads)
}

fn walk(root: &Path, under: &[PathBuf], as_git: bool, threads: usize) -> Listing {
    let (first, rest) = match under.split_first() {
        Some((first, rest)) => (first.as_path(), rest),
        None => (root, &[][..]),
    };
    let mut builder = WalkBuilder::new(first);
    for path in rest {
        builder.add(path);
    }
    builder.standard_filters(false).hidden(false).follow_links(false).threads(threads);
    if as_git {
        builder.git_ignore(true).git_exclude(true).git_global(true).parents(true).require_git(true);
    }
    let top = root.to_owned();
    builder.filter_entry(move |e| {
        // `.git` itself, and any directory with a repository of its own below the root.
        e.file_name() != ".git" && (e.depth() == 0 || e.path() == top || !is_dir(e) || !e.path().join(".git").exists())
    });
    let found = Mutex::new(Listing::default());
    builder.build_parallel().run(|| {
        let mut batch = Batch { into: &found, listing: Listing::default() };
        Box::new(move |entry| {
            match entry {
                Ok(entry) => {
                    let Some(kind) = entry.file_type() else { return WalkState::Continue };
                    if kind.is_file() || kind.is_symlink() {
                        batch.add(root, entry.into_path(), kind.is_symlink());
                    }
                }
                Err(e) => batch.listing.errors.push(
                    Error::undecided(format!("cannot list a directory: {e}"))
                        .hint("make it readable, or name the paths to check"),
                ),
            }
            WalkState::Continue
        })
    });
    let mut listing = found.into_inner().unwrap_or_else(|e| e.into_inner());
    listing.files.sort_unstable();
    listing.files.dedup_by(|a, b| a.path == b.path);
    listing.errors.sort_by(|a, b| a.message.cmp(&b.message));
    listing
}

fn is_dir(e: &ignore::DirEntry) -> bool {
    e.file_type().is_some_and(|t| t.is_dir())
}

/// One thread's files, added to the listing when the thread ends: no lock per file.
struct Batch<'a> {
    into: &'a Mutex<Listing>,
    listing: Listing,
}

impl Batch<'_> {
    fn add(&mut self, root: &Path, file: PathBuf, symlink: bool) {
        let relative = file.strip_prefix(root).unwrap_or(&file);
        match gix::path::into_bstr(relative) {
            Ok(path) => {
                let path = gix::path::to_unix_separators_on_windows(path).into_owned();
                self.listing.files.push(Disk { path, file, symlink });
            }
            Err(e) => self.listing.errors.push(Error::undecided(format!("cannot read {}: {e}", file.display()))),
        }
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        let mut into = self.into.lock().unwrap_or_else(|e| e.into_inner());
        into.files.append(&mut self.listing.files);
        into.errors.append(&mut self.listing.errors);
    }
}

/// The file on disk for a path of git's below `root`.
pub(crate) fn join(root: &Path, path: &BStr) -> Result<PathBuf> {
    Ok(root.join(gix::path::from_bstr(path).map_err(super::unreadable("a path that this system cannot name"))?))
}

/// Reads a file of the work tree as git would store it, but for filters: a link's content is its target. `spare`: a
/// buffer to reuse. `None`: the file is larger than [`LARGE`].
pub fn read(file: &Path, symlink: bool, mut spare: Vec<u8>) -> Result<Option<Vec<u8>>> {
    if symlink {
        let target = std::fs::read_link(file).map_err(cannot(file))?;
        let target = gix::path::into_bstr(target).map_err(super::unreadable("a link's target"))?;
        return Ok(Some(target.into_owned().into()));
    }
    let read = |spare: &mut Vec<u8>| {
        let mut file = File::open(file)?;
        let length = file.metadata()?.len();
        if length > LARGE {
            return Ok(false);
        }
        // One read for the content and one for the end: `read_to_end` would ask for length and position again.
        spare.resize(length as usize + 1, 0);
        let mut filled = 0;
        while filled < spare.len() {
            match file.read(&mut spare[filled..]) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        if filled == spare.len() {
            // The file grew, or its file system gives no lengths.
            file.take(LARGE).read_to_end(spare)?;
        } else {
            spare.truncate(filled);
        }
        Ok(spare.len() as u64 <= LARGE)
    };
    let fits = read(&mut spare).map_err(cannot(file))?;
    Ok(fits.then_some(spare))
}

/// A reader from the first byte of a file.
pub fn open(file: &Path) -> Result<File> {
    File::open(file).map_err(cannot(file))
}

fn cannot(file: &Path) -> impl Fn(std::io::Error) -> Error {
    move |e| {
        Error::undecided(format!("cannot read {}: {e}", file.display()))
            .hint("make it readable, or exclude it in the policy")
    }
}
