//! The machine as the installer sees it: a directory, an environment, our own binary. Owns every call of `git`.
//! Nothing here reads the process's own environment: the command passes it in.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use bstr::ByteSlice as _;

use crate::error::{Error, Result};
use crate::text;

/// Where and as whom things are installed.
#[derive(Clone)]
pub struct Host {
    /// The directory that the user means: git looks for the repository from here.
    pub directory: PathBuf,
    /// The path of portcullis that goes into shims.
    pub binary: PathBuf,
    /// The whole environment of the commands that are run.
    pub variables: Vec<(OsString, OsString)>,
}

impl Host {
    /// `executable` is what is running now. Where an entry of the search path leads to the same file, that entry is
    /// the better name for it: it survives an upgrade that the resolved path does not.
    pub fn new(directory: PathBuf, executable: PathBuf, variables: Vec<(OsString, OsString)>) -> Self {
        let mut host = Self { directory, binary: executable, variables };
        let real = host.binary.canonicalize().ok();
        let named = host
            .search_path()
            .map(|dir| dir.join(host.binary.file_name().unwrap_or(OsStr::new("portcullis"))))
            .find(|path| real.is_some() && path.canonicalize().ok() == real);
        if let Some(path) = named {
            host.binary = path;
        }
        host
    }

    pub fn variable(&self, name: &str) -> Option<&OsStr> {
        self.variables.iter().rev().find(|(n, _)| n == name).map(|(_, value)| value.as_os_str())
    }

    /// The absolute directories of the search path: a relative one would let a repository bring its own `portcullis`.
    pub fn search_path(&self) -> impl Iterator<Item = PathBuf> {
        std::env::split_paths(self.variable("PATH").unwrap_or_default()).filter(|dir| dir.is_absolute())
    }

    pub fn command(&self, program: impl AsRef<OsStr>, directory: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(directory).env_clear().stdin(Stdio::null());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Git's standard output without the last line end; `None` when it ended with 1, its "there is none".
    pub fn git<A: AsRef<OsStr>>(&self, directory: &Path, args: &[A]) -> Result<Option<Vec<u8>>> {
        let output = self.output(directory, args)?;
        match output.status.code() {
            Some(0) => {
                let text = output.stdout;
                Ok(Some(text.strip_suffix(b"\n").map(<[u8]>::to_vec).unwrap_or(text)))
            }
            Some(1) => Ok(None),
            _ => Err(Error::usage(complaint(args, &output))),
        }
    }

    /// As [`Self::git`], for questions that always have an answer.
    pub fn ask<A: AsRef<OsStr>>(&self, directory: &Path, args: &[A]) -> Result<Vec<u8>> {
        let output = self.output(directory, args)?;
        if !output.status.success() {
            return Err(Error::usage(complaint(args, &output)));
        }
        Ok(output.stdout.strip_suffix(b"\n").map(<[u8]>::to_vec).unwrap_or(output.stdout))
    }

    fn output<A: AsRef<OsStr>>(&self, directory: &Path, args: &[A]) -> Result<Output> {
        self.command("git", directory).args(args).output().map_err(|e| {
            if directory.is_dir() && e.kind() == io::ErrorKind::NotFound {
                Error::usage("cannot run git: it is not in PATH").hint("hooks are installed with git's help")
            } else {
                Error::usage(format!("cannot run git in {}: {e}", directory.display()))
            }
        })
    }

    /// Major and minor version of git.
    pub fn git_version(&self) -> Result<(u32, u32)> {
        let text = self.ask(&self.directory, &["version"])?;
        let unknown = || Error::undecided(format!("cannot read the version in `{}`", text::sanitise(&text)));
        let word = text.strip_prefix(b"git version ").ok_or_else(unknown)?;
        let mut numbers = word.split(|b| !b.is_ascii_digit()).map(|n| n.to_str().unwrap_or("").parse().ok());
        match (numbers.next().flatten(), numbers.next().flatten()) {
            (Some(major), Some(minor)) => Ok((major, minor)),
            _ => Err(unknown()),
        }
    }
}

fn complaint<A: AsRef<OsStr>>(args: &[A], output: &Output) -> String {
    let verb = args.first().map(|a| a.as_ref().to_string_lossy().into_owned()).unwrap_or_default();
    let said = output.stderr.trim().lines().next_back().unwrap_or(b"no reason given");
    format!("git {verb}: {}", text::sanitise(said.strip_prefix(b"fatal: ").unwrap_or(said)))
}

/// A path from git's output, byte for byte.
pub(super) fn path_from(bytes: &[u8]) -> Result<PathBuf> {
    bytes
        .to_path()
        .map(Path::to_path_buf)
        .map_err(|_| Error::usage(format!("not a path here: {}", text::sanitise(bytes))))
}
