//! Files that a user names or that a repository holds, read and written so that a hostile repository gains nothing: no
//! symbolic link that lies in the repository is followed, no device in it is opened, nothing is read without a limit.
//! Every file that a command reads as a policy or writes as a result goes through here.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Read as _, Write};
use std::path::{Component, Path, PathBuf};

/// What stands under a path, on disk or in a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlainFile {
    Absent,
    Bytes(Vec<u8>),
    /// It is there and is not read; says what it is: `a symbolic link`.
    Refused(&'static str),
}

pub const LINK: &str = "a symbolic link";
pub const DIRECTORY: &str = "a directory";
const SPECIAL: &str = "a device or a pipe";

/// The folders in which links and devices are somebody else's: a repository's work tree and its git directories.
#[derive(Clone, Debug, Default)]
pub struct Untrusted {
    folders: Vec<PathBuf>,
}

impl Untrusted {
    /// Folders that do not exist hold nothing.
    pub fn new<P: AsRef<Path>>(folders: impl IntoIterator<Item = P>) -> Self {
        Self { folders: folders.into_iter().filter_map(|f| fs::canonicalize(f).ok()).collect() }
    }

    fn holds(&self, path: &Path) -> bool {
        self.folders.iter().any(|folder| path.starts_with(folder))
    }

    /// The path with the links followed that lie outside of the folders; `None` where one lies within.
    fn resolve(&self, path: &Path) -> io::Result<Option<PathBuf>> {
        let mut at = PathBuf::new();
        for part in std::path::absolute(path)?.components() {
            match part {
                Component::ParentDir => drop(at.pop()),
                Component::CurDir => {}
                part => {
                    let next = at.join(part);
                    if !next.is_symlink() {
                        at = next;
                    } else if self.holds(&at) {
                        return Ok(None);
                    } else {
                        at = fs::canonicalize(&next)?;
                    }
                }
            }
        }
        Ok(Some(at))
    }

    /// A file's bytes, at most `limit` of them.
    pub fn read(&self, path: &Path, limit: Limit) -> io::Result<PlainFile> {
        let path = match self.resolve(path) {
            Ok(Some(path)) => path,
            Ok(None) => return Ok(PlainFile::Refused(LINK)),
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(PlainFile::Absent),
            Err(e) => return Err(e),
        };
        match fs::metadata(&path) {
            Ok(meta) if meta.is_dir() => return Ok(PlainFile::Refused(DIRECTORY)),
            // Opening a pipe waits for a writer, and a device may never end.
            Ok(meta) if !meta.is_file() => return Ok(PlainFile::Refused(SPECIAL)),
            Ok(meta) if meta.len() > limit.bytes => return Ok(PlainFile::Refused(limit.exceeded)),
            Ok(_) => {}
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(PlainFile::Absent),
            Err(e) => return Err(e),
        }
        let mut bytes = Vec::new();
        // Files below /proc have no length and may be as long as they like.
        File::open(&path)?.take(limit.bytes + 1).read_to_end(&mut bytes)?;
        Ok(limit.of(bytes))
    }

    /// Writes a file whole or not at all: beside it first, then renamed. What lies outside of the folders and is no plain
    /// file (`/dev/fd/3`, a pipe) is written to as it is.
    pub fn write(&self, path: &Path, render: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        let path = self.may_be_written(path)?;
        let there = fs::metadata(&path).ok();
        if there.as_ref().is_some_and(|m| !m.is_file()) {
            return to_stream(render, OpenOptions::new().write(true).open(&path)?);
        }
        let name = path.file_name().ok_or(ErrorKind::IsADirectory)?.to_string_lossy();
        let beside = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
        // A run that was killed may have left one, and in a container the next one has the same process id.
        let file = match File::create_new(&beside) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {
                fs::remove_file(&beside)?;
                File::create_new(&beside)?
            }
            other => other?,
        };
        let written = (|| {
            if let Some(there) = there {
                file.set_permissions(there.permissions())?;
            }
            let mut out = BufWriter::new(file);
            render(&mut out)?;
            out.into_inner()?;
            fs::rename(&beside, &path)
        })();
        if written.is_err() {
            // The first error is the one to tell.
            let _ = fs::remove_file(&beside);
        }
        written
    }

    /// Adds to the end of a file that others write to as well.
    pub fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let path = self.may_be_written(path)?;
        OpenOptions::new().create(true).append(true).open(path)?.write_all(bytes)
    }

    /// Where a file may be written: not through a link and not to a device of the repository.
    pub fn may_be_written(&self, path: &Path) -> io::Result<PathBuf> {
        let refused = |what| {
            let text = format!("it is {what} in the repository, which could lead anywhere");
            Err(io::Error::new(ErrorKind::PermissionDenied, text))
        };
        let target = match self.resolve(path) {
            Ok(Some(target)) => target,
            Ok(None) => return refused(LINK),
            // A link outside that leads nowhere: the file is made where it points.
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(path.to_owned()),
            Err(e) => return Err(e),
        };
        match fs::symlink_metadata(&target) {
            Ok(meta) if !meta.is_file() && !meta.is_dir() && self.holds(&target) => refused(SPECIAL),
            _ => Ok(target),
        }
    }
}

/// How long a file may be.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    pub bytes: u64,
    /// What a longer one is called: `longer than 1 MiB`.
    pub exceeded: &'static str,
}

impl Limit {
    /// The bytes, if they are not too many.
    pub fn of(self, bytes: Vec<u8>) -> PlainFile {
        if bytes.len() as u64 > self.bytes { PlainFile::Refused(self.exceeded) } else { PlainFile::Bytes(bytes) }
    }
}

fn to_stream(render: impl FnOnce(&mut dyn Write) -> io::Result<()>, stream: File) -> io::Result<()> {
    let mut out = BufWriter::new(stream);
    render(&mut out)?;
    out.flush()
}
