//! One file in a hooks directory: what stands there, and how it is replaced.
//! Owns reading, recognising and atomic writing; decides nothing.

use std::fs::{self, Metadata, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::managers::{self, Manager};
use super::shim::{self, Marker};
use super::{Hook, directory::Directory};
use crate::error::{Error, Result};

/// What the name of a hook that was there before gets appended.
pub const KEPT: &str = ".portcullis-before";

/// Whether a hook that is already there can run first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Neighbour {
    /// It is renamed, and the shim hands it on.
    Chain,
    /// The server runs every file of the directory by itself: a second name would run twice.
    Refuse,
}

/// The place of one hook.
#[derive(Clone, Debug)]
pub struct Slot {
    pub hook: Hook,
    pub path: PathBuf,
    pub neighbour: Neighbour,
}

/// What stands at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    Nothing,
    /// A shim of ours.
    Shim(Marker),
    /// A symbolic link to our binary.
    Link(PathBuf),
    /// Somebody's script with our block in it.
    Block(Marker),
    /// A hook manager's.
    Managed(&'static Manager),
    Other,
}

impl Standing {
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::Shim(_) | Self::Link(_) | Self::Block(_))
    }
}

/// What stands at a place, in full.
pub struct Occupant {
    pub standing: Standing,
    /// Empty where there is nothing to read.
    pub content: Vec<u8>,
    /// Whether git runs it.
    pub executable: bool,
    /// Where the place is a symbolic link: to what.
    pub link: Option<PathBuf>,
}

impl Slot {
    pub fn new(hook: Hook, path: PathBuf) -> Self {
        Self { hook, path, neighbour: Neighbour::Chain }
    }

    pub fn in_directory(hook: Hook, directory: &Directory) -> Self {
        Self::new(hook, directory.path.join(hook.name()))
    }

    fn file_name(&self) -> &str {
        self.path.file_name().and_then(|n| n.to_str()).unwrap_or(self.hook.name())
    }

    /// The name under which the hook that was here is kept, beside it: what it does relative to its own directory
    /// still works there.
    pub fn kept_name(&self) -> String {
        format!("{}{KEPT}", self.file_name())
    }

    /// The kept hook, whether it is there or not.
    pub fn kept(&self) -> PathBuf {
        self.path.with_file_name(self.kept_name())
    }

    pub fn has_kept(&self) -> bool {
        self.kept().symlink_metadata().is_ok()
    }

    /// Looks at the place. A directory there, and one that cannot be read, are errors.
    pub fn look(&self) -> Result<Occupant> {
        let nothing = Occupant { standing: Standing::Nothing, content: Vec::new(), executable: false, link: None };
        let itself = match self.path.symlink_metadata() {
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(nothing),
            other => other.map_err(|e| failed("read", &self.path, &e))?,
        };
        let link = if itself.is_symlink() { self.path.read_link().ok() } else { None };
        if let Some(target) = &link
            && target.file_stem().is_some_and(|name| name == "portcullis")
        {
            let executable = self.path.metadata().is_ok_and(|m| m.is_file() && is_executable(&m));
            return Ok(Occupant { standing: Standing::Link(target.clone()), executable, link, ..nothing });
        }
        let target = match self.path.metadata() {
            // A link to nowhere: git finds no hook, but somebody put it there.
            Err(_) if link.is_some() => return Ok(Occupant { standing: Standing::Other, link, ..nothing }),
            other => other.map_err(|e| failed("read", &self.path, &e))?,
        };
        if !target.is_file() {
            return Err(Error::usage(format!("{} is not a file", self.path.display())));
        }
        let executable = is_executable(&target);
        let content = match fs::read(&self.path) {
            // Readable or not, it stands there and is kept; unreadable, it cannot be ours.
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => Vec::new(),
            other => other.map_err(|e| failed("read", &self.path, &e))?,
        };
        let standing = if let Some(marker) = shim::marker(&content) {
            Standing::Shim(marker)
        } else if let Some((_, marker)) = shim::find_block(&content) {
            Standing::Block(marker)
        } else if let Some(manager) = managers::of_content(&content) {
            Standing::Managed(manager)
        } else {
            Standing::Other
        };
        Ok(Occupant { standing, content, executable, link })
    }
}

/// Replaces `path` in one step by a file of that content, which everybody may run.
pub fn write(path: &Path, content: &[u8], mode: u32) -> Result<()> {
    replace(path, |new| {
        let mut file = OpenOptions::new().write(true).create_new(true).open(new)?;
        file.write_all(content)?;
        file.sync_all()?;
        drop(file);
        set_mode(new, mode)
    })
}

/// Replaces `path` in one step by a symbolic link.
pub(super) fn link(path: &Path, target: &Path) -> Result<()> {
    #[cfg(unix)]
    return replace(path, |new| std::os::unix::fs::symlink(target, new));
    #[cfg(not(unix))]
    Err(Error::usage(format!("cannot link {} to {} on this system", path.display(), target.display()))
        .hint("leave `--link` away"))
}

fn replace(path: &Path, make: impl Fn(&Path) -> io::Result<()>) -> Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).map_err(|e| failed("create", directory, &e))?;
    }
    // A leading dot: servers that run every file of a directory leave it alone.
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let new = path.with_file_name(format!(".{name}.portcullis-new"));
    // What a killed run left behind.
    let _ = fs::remove_file(&new);
    make(&new).and_then(|()| fs::rename(&new, path)).map_err(|e| {
        let _ = fs::remove_file(&new);
        failed("write", path, &e)
    })
}

pub(super) fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(|e| failed("move", from, &e))
}

pub(super) fn remove(path: &Path) -> Result<()> {
    fs::remove_file(path).map_err(|e| failed("remove", path, &e))
}

pub(super) fn failed(what: &str, path: &Path, error: &io::Error) -> Error {
    Error::usage(format!("cannot {what} {}: {error}", path.display()))
}

/// The mode of what we write.
pub(super) const MODE: u32 = 0o755;

#[cfg(unix)]
pub(super) fn is_executable(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
pub(super) fn is_executable(_: &Metadata) -> bool {
    true
}

/// The permission bits of a file; [`MODE`] where there are none.
pub(super) fn mode(path: &Path) -> u32 {
    #[cfg(unix)]
    if let Ok(metadata) = path.metadata() {
        use std::os::unix::fs::PermissionsExt as _;
        return metadata.permissions().mode() & 0o7777;
    }
    let _ = path;
    MODE
}

pub(super) fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, Permissions::from_mode(mode))
    }
    #[cfg(not(unix))]
    {
        let _ = (path, mode, Permissions::set_readonly);
        Ok(())
    }
}
