//! What each kind of git server wants: which file, where, with what around it. Owns the table of servers; how a file
//! is put in its place is the installer's.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::directory::{Directory, Reach};
use super::shim::{Arguments, Missing, Shim};
use super::slot::{self, Neighbour, Slot};
use super::tar::{Entry, archive};
use super::{Hook, Host};
use crate::error::{Error, Result};

/// A kind of git server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Server {
    /// Plain git over ssh or http-backend.
    Bare,
    Gitlab,
    Gitea,
    Forgejo,
    /// GitHub Enterprise Server.
    Ghes,
    Gitolite,
    /// Bitbucket Data Center.
    Bitbucket,
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where the binary stands in a pre-receive environment of GitHub Enterprise Server.
const GHES_BINARY: &str = "/usr/local/bin/portcullis";
/// All hooks of a push share five seconds there.
const GHES_BUDGET: &str = "4";

impl Server {
    pub const ALL: [Self; 7] =
        [Self::Bare, Self::Gitlab, Self::Gitea, Self::Forgejo, Self::Ghes, Self::Gitolite, Self::Bitbucket];

    pub fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Gitlab => "gitlab",
            Self::Gitea => "gitea",
            Self::Forgejo => "forgejo",
            Self::Ghes => "ghes",
            Self::Gitolite => "gitolite",
            Self::Bitbucket => "bitbucket",
        }
    }

    /// The hooks that this server runs for others.
    pub fn hooks(self) -> &'static [Hook] {
        match self {
            Self::Bare => &[Hook::PreReceive, Hook::Update, Hook::ReferenceTransaction],
            Self::Gitlab | Self::Gitea | Self::Forgejo | Self::Gitolite => &[Hook::PreReceive, Hook::Update],
            Self::Ghes | Self::Bitbucket => &[Hook::PreReceive],
        }
    }

    /// `names`, checked; `pre-receive` when there are none: it sees the whole push before anything changes.
    pub fn choose(self, names: &[Hook]) -> Result<Vec<Hook>> {
        if let Some(wrong) = names.iter().find(|hook| !self.hooks().contains(hook)) {
            let can: Vec<_> = self.hooks().iter().map(|h| h.name()).collect();
            return Err(Error::usage(format!("`{wrong}` is not a hook of a {self} server"))
                .hint(format!("it has: {}", can.join(", "))));
        }
        Ok(if names.is_empty() { vec![Hook::PreReceive] } else { names.to_vec() })
    }

    /// The file that is handed to the server's administration, where it does not take hooks from the disk.
    pub fn upload(self) -> Option<&'static str> {
        match self {
            Self::Gitlab => Some("custom_hooks.tar"),
            Self::Ghes => Some("portcullis-pre-receive.sh"),
            Self::Bitbucket => Some("portcullis-pre-receive.sh"),
            Self::Bare | Self::Gitea | Self::Forgejo | Self::Gitolite => None,
        }
    }
}

/// Options of `hook run` that the administrator fixes in the hook.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Absolute: the hook starts in the repository.
    pub policy: Option<PathBuf>,
    pub time_budget: Option<u32>,
    pub audit_log: Option<PathBuf>,
}

impl Settings {
    /// As arguments of `hook run`.
    pub fn options(&self, server: Server) -> Result<Vec<OsString>> {
        let mut options: Vec<OsString> = vec!["--server".into(), server.name().into()];
        let budget = match (self.time_budget, server) {
            (Some(seconds), _) => Some(seconds.to_string()),
            (None, Server::Ghes) => Some(GHES_BUDGET.into()),
            (None, _) => None,
        };
        if let Some(seconds) = budget {
            options.extend(["--time-budget".into(), seconds.into()]);
        }
        for (name, path) in [("--policy", &self.policy), ("--audit-log", &self.audit_log)] {
            let Some(path) = path else { continue };
            if !path.is_absolute() {
                return Err(Error::usage(format!("{name} needs an absolute path: the hook starts in the repository")));
            }
            options.extend([name.into(), path.clone().into_os_string()]);
        }
        Ok(options)
    }
}

/// A shim for a server. Servers never pass for want of a binary.
pub fn shim<'a>(server: Server, hook: Hook, binary: &'a Path, options: &'a [OsString]) -> Shim<'a> {
    let binary = if server == Server::Ghes { Path::new(GHES_BINARY) } else { binary };
    let arguments = match (server, hook) {
        (Server::Gitolite, Hook::Update) => Arguments::Vref,
        _ => Arguments::All,
    };
    Shim { hook, binary: Some(binary), missing: Missing::Refuse, arguments, options }
}

/// The places of the hooks on this disk, and git's hooks directory where they are in it.
pub fn slots(server: Server, hooks: &[Hook], host: &Host) -> Result<(Vec<Slot>, Option<Directory>)> {
    if server == Server::Gitolite {
        return gitolite(hooks, &host.directory).map(|slots| (slots, None));
    }
    let mut directory = Directory::find(host)?;
    if directory.is_foreign() {
        // Such a setting is the administrator's way to give all repositories of a server the same hooks.
        return Err(Error::usage(format!(
            "core.hooksPath is set in the {} configuration ({}) to {}",
            directory.scope,
            directory.origin,
            directory.path.display()
        ))
        .hint("`--print pre-receive` shows what to put there"));
    }
    if directory.reach == Reach::Clones {
        // A server's repository with a work tree: what it runs is still only its own.
        directory.reach = Reach::Repository;
    }
    let slots = hooks.iter().map(|hook| match server {
        Server::Gitea | Server::Forgejo => Slot {
            neighbour: Neighbour::Refuse,
            ..Slot::new(*hook, directory.path.join(format!("{hook}.d/portcullis")))
        },
        _ => Slot::in_directory(*hook, &directory),
    });
    Ok((slots.collect(), Some(directory)))
}

/// In gitolite's own directory (`~/.gitolite`, or LOCAL_CODE): common hooks, and VREFs for `update`, which is its own.
fn gitolite(hooks: &[Hook], directory: &Path) -> Result<Vec<Slot>> {
    if !directory.join("hooks").is_dir() && !directory.join("VREF").is_dir() {
        return Err(Error::usage(format!("{} has neither hooks/ nor VREF/ of gitolite in it", directory.display()))
            .hint("`portcullis -C ~/.gitolite hook install --server gitolite`, or the LOCAL_CODE directory with -C"));
    }
    Ok(hooks
        .iter()
        .map(|hook| match hook {
            Hook::Update => {
                Slot { neighbour: Neighbour::Refuse, ..Slot::new(*hook, directory.join("VREF/portcullis")) }
            }
            _ => Slot::new(*hook, directory.join("hooks/common").join(hook.name())),
        })
        .collect())
}

/// The bytes of the file to hand over.
pub fn upload(server: Server, shims: &[Shim<'_>]) -> Result<Vec<u8>> {
    match (server, shims) {
        (Server::Gitlab, _) => {
            let files: Vec<(String, String, Vec<u8>)> = shims
                .iter()
                .map(|shim| {
                    let directory = format!("custom_hooks/{}.d/", shim.hook);
                    Ok((format!("{directory}portcullis"), directory, shim.text(None)?))
                })
                .collect::<Result<_>>()?;
            let mut entries = vec![Entry::Directory("custom_hooks/")];
            for (path, directory, text) in &files {
                entries.extend([Entry::Directory(directory), Entry::Executable(path, text)]);
            }
            Ok(archive(&entries))
        }
        (_, [shim]) => shim.text(None),
        _ => Err(Error::usage(format!("a {server} server takes one hook at a time"))),
    }
}

/// Writes that file: scripts executable, since they are committed or uploaded as such.
pub fn write_upload(server: Server, file: &Path, bytes: &[u8]) -> Result<()> {
    slot::write(file, bytes, if server == Server::Gitlab { 0o644 } else { slot::MODE })
}

/// What is left to do, once the file or the hooks are there. `file` is the written one.
pub fn next_steps(server: Server, hooks: &[Hook], file: &str) -> String {
    match server {
        Server::Bare => String::new(),
        Server::Gitlab => format!(
            "on the Gitaly server, for each repository (this replaces the custom hooks it has):\n  \
             cat {file} | sudo -u git -- /opt/gitlab/embedded/bin/gitaly hooks set --storage default \\\n    \
             --repository @hashed/xx/yy/....git --config /var/opt/gitlab/gitaly/config.toml\n\
             the binary has to be on every Gitaly server\n"
        ),
        Server::Gitea | Server::Forgejo => {
            "hooks/pre-receive is the server's own and runs everything in hooks/pre-receive.d/\n".into()
        }
        Server::Ghes => format!(
            "commit {file}, executable, to a repository that the instance may read, and choose it under\n\
             Admin > Hooks > Pre-receive hooks; its environment is an uploaded tarball of a 64-bit Linux root with\n\
             {GHES_BINARY} in it (statically linked, so that nothing else is needed)\n\
             all hooks of a push share 5 seconds there, and the repository's alternates are relative paths\n"
        ),
        Server::Gitolite => {
            let mut text = String::new();
            if hooks.contains(&Hook::PreReceive) {
                text.push_str("run `gitolite setup --hooks-only`, which puts it into every repository\n");
            }
            if hooks.contains(&Hook::Update) {
                text.push_str(
                    "add `- VREF/portcullis = @all` to the repositories in gitolite.conf that it shall judge\n",
                );
            }
            text
        }
        Server::Bitbucket => format!(
            "put `feature.hook.scripts=true` into bitbucket.properties (off since 8.18), restart, and upload:\n  \
             curl -u ADMIN -H 'X-Atlassian-Token: no-check' -F 'content=@{file}' -F name=portcullis -F type=PRE \\\n    \
             https://BITBUCKET/rest/api/latest/hook-scripts\n\
             then enable it for the projects or repositories that it shall judge\n"
        ),
    }
}
