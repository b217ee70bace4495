//! The hooks directory that git really uses, who configured it, and who else it belongs to.
//! Owns the decision whether it may be written to; writes nothing.

use std::fmt;
use std::path::{Path, PathBuf};

use super::host::{Host, path_from};
use crate::error::{Error, Result};
use crate::text;

/// Which configuration names the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// None: git's own place.
    Default,
    Worktree,
    Local,
    Global,
    System,
    /// The command line or the environment: gone with the process.
    Command,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "default",
            Self::Worktree => "worktree",
            Self::Local => "local",
            Self::Global => "global",
            Self::System => "system",
            Self::Command => "command",
        })
    }
}

/// Whose hooks they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// In the git directory: this repository's, and all its work trees'.
    Repository,
    /// In the work tree: every clone's, once committed. No path of this machine belongs in there.
    Clones,
    /// Outside: any repository's.
    Elsewhere,
}

/// Where hooks go.
#[derive(Clone, Debug)]
pub struct Directory {
    /// Absolute; may not exist yet.
    pub path: PathBuf,
    pub scope: Scope,
    /// Where `core.hooksPath` is written, as git says it (`file:.git/config`); empty for the default.
    pub origin: String,
    pub reach: Reach,
    /// The top of the work tree; the git directory of a bare repository.
    pub base: PathBuf,
    /// The git directory that all work trees share.
    pub common: PathBuf,
}

impl Directory {
    /// Asks git. No repository, an empty `core.hooksPath` and one that is no directory are usage errors.
    pub fn find(host: &Host) -> Result<Self> {
        let here = &host.directory;
        let absolute = |what: &str| host.ask(here, &["rev-parse", "--path-format=absolute", what]);
        let common = path_from(&absolute("--git-common-dir")?)?;
        let bare = host.ask(here, &["rev-parse", "--is-bare-repository"])? == b"true";
        let base = if bare {
            path_from(&absolute("--git-dir")?)?
        } else {
            let top = absolute("--show-toplevel");
            path_from(&top.map_err(|e| e.hint("run it in the work tree, or name one with -C"))?)?
        };
        let (scope, origin) = configured(host, &base)?;
        // From the top: git resolves a relative path there, and hooks start there. Not made absolute by git, which
        // would resolve symbolic links on the way: they are to be seen.
        let path = base.join(path_from(&host.ask(&base, &["rev-parse", "--git-path", "hooks"])?)?);
        if path.exists() && !path.is_dir() {
            return Err(Error::usage(format!("the hooks directory {} is not a directory", path.display()))
                .hint("`git config --show-origin core.hooksPath` says who switched hooks off this way"));
        }
        let real = resolve(&path);
        let reach = if real.starts_with(resolve(&common)) {
            Reach::Repository
        } else if real.starts_with(resolve(&base)) || main_worktree(&common).is_some_and(|m| real.starts_with(m)) {
            Reach::Clones
        } else {
            Reach::Elsewhere
        };
        Ok(Self { path, scope, origin, reach, base, common })
    }

    /// Whether everybody's hooks would change, so that they are never written to: set for all repositories of the
    /// user or the machine, or only for this process.
    pub fn is_foreign(&self) -> bool {
        matches!(self.scope, Scope::Global | Scope::System | Scope::Command)
    }

    /// Refuses a directory that is not this repository's alone, unless it is forced.
    pub fn may_be_written(&self, force: bool) -> Result<()> {
        if let Ok(target) = self.path.read_link()
            && !force
        {
            let message = format!("{} is a symbolic link to {}", self.path.display(), target.display());
            return Err(Error::usage(message).hint("`--force` writes through it"));
        }
        if self.reach == Reach::Elsewhere && !force {
            let message = format!("the hooks directory {} lies outside this repository", self.path.display());
            return Err(Error::usage(message).hint(
                "other repositories may use it too: `--force` writes there, `--print NAME` shows what to put there",
            ));
        }
        Ok(())
    }

    /// The path as users see it: relative to the top where it is below.
    pub fn shown(&self, path: &Path) -> String {
        text::sanitise(path.strip_prefix(&self.base).unwrap_or(path).to_string_lossy().as_bytes())
    }
}

/// Scope and origin of `core.hooksPath`.
fn configured(host: &Host, base: &Path) -> Result<(Scope, String)> {
    let args = ["config", "-z", "--show-scope", "--show-origin", "--get", "core.hooksPath"];
    let Some(answer) = host.git(base, &args)? else {
        return Ok((Scope::Default, String::new()));
    };
    let mut fields = answer.split(|b| *b == 0);
    let mut next = || fields.next().unwrap_or_default();
    let (scope, origin, value) = (next(), text::sanitise(next()), next());
    let scope = match scope {
        b"worktree" => Scope::Worktree,
        b"local" => Scope::Local,
        b"global" => Scope::Global,
        b"system" => Scope::System,
        _ => Scope::Command,
    };
    if value.is_empty() {
        let flag = match scope {
            Scope::Command => return Err(Error::usage(format!("core.hooksPath is empty ({origin})"))),
            scope => format!("--{scope}"),
        };
        return Err(Error::usage(format!("core.hooksPath is set to nothing in the {scope} configuration ({origin})"))
            .hint(format!("`git config {flag} --unset core.hooksPath` gives git its own directory back")));
    }
    Ok((scope, origin))
}

/// The main work tree, where there is one: a linked one may use its tracked hooks.
fn main_worktree(common: &Path) -> Option<PathBuf> {
    if common.file_name()? == ".git" { common.parent().map(resolve) } else { None }
}

/// Without symbolic links, as far as the path exists.
fn resolve(path: &Path) -> PathBuf {
    for ancestor in path.ancestors() {
        if let Ok(real) = ancestor.canonicalize() {
            let rest = path.strip_prefix(ancestor).expect("an ancestor is a prefix");
            return if rest.as_os_str().is_empty() { real } else { real.join(rest) };
        }
    }
    path.to_path_buf()
}
