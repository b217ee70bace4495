//! What a kind of git server is: where its hooks are, how they get there, and what it says about a push.

use std::ffi::OsString;
use std::path::Path;

use bstr::BString;

use super::super::directory::{Directory, Reach};
use super::super::shim::{Arguments, Shim};
use super::super::slot::Slot;
use super::super::{Hook, Host};
use crate::error::{Error, Result};

/// Looks up a variable of the hook's environment.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// A kind of git server, defined in a file of its own.
pub struct Kind {
    /// As written after `--server`; unique.
    pub name: &'static str,
    /// What help says if the name does not: empty if it does.
    pub about: &'static str,
    /// The hooks that this server runs for others.
    pub hooks: &'static [Hook],
    pub delivery: Delivery,
    /// Where the binary is on the server, if not where the installing machine has it.
    pub binary: Option<&'static str>,
    /// Seconds that a push may take, if the server sets them.
    pub time_budget: Option<&'static str>,
    /// Which of its arguments a hook passes on.
    pub arguments: fn(Hook) -> Arguments,
    /// What is left to do once the file (the second argument) or the hooks are there.
    pub next_steps: fn(&[Hook], &str) -> String,
    /// Before each line of a message that its web pages are to show.
    pub line_prefix: &'static str,
    /// The account that pushes; `None` if the server does not say. Only the server's own variables count, because a
    /// pusher may be able to set those of others.
    pub pusher: fn(Variables<'_>) -> Option<BString>,
    /// The head ref of the pull request that lands with this push: empty if the server says only that there is one,
    /// `None` if nobody pressed a button.
    pub pull_request: fn(Variables<'_>) -> Option<BString>,
}

/// How hooks get to a server.
pub enum Delivery {
    /// Into its directories on this disk: the files, and git's hooks directory if they are in it.
    Disk(fn(&[Hook], &Host) -> Result<(Vec<Slot>, Option<Directory>)>),
    /// As a file for its administration.
    Upload { file: &'static str, mode: u32, content: fn(&[Shim<'_>]) -> Result<Vec<u8>> },
}

/// For servers whose hooks get all of git's arguments.
pub fn all_arguments(_: Hook) -> Arguments {
    Arguments::All
}

/// For servers without pull requests.
pub fn no_pull_request(_: Variables<'_>) -> Option<BString> {
    None
}

/// The variable's value; `None` if it is not set or empty.
pub fn text(variables: Variables<'_>, name: &str) -> Option<BString> {
    variables(name).map(|v| BString::from(v.into_encoded_bytes())).filter(|v| !v.is_empty())
}

/// The repository's hooks directory.
pub fn hooks_directory(host: &Host) -> Result<Directory> {
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
        // A server's repository with a work tree: it runs only its own hooks.
        directory.reach = Reach::Repository;
    }
    Ok(directory)
}

/// The one script that such a server takes.
pub fn one_script(shims: &[Shim<'_>]) -> Result<Vec<u8>> {
    match shims {
        [shim] => shim.text(None),
        _ => Err(Error::usage("this server takes one hook at a time")),
    }
}

impl Kind {
    /// A hook's text for this server. Servers never let a push pass because the binary is missing.
    pub fn shim<'a>(&self, hook: Hook, binary: &'a Path, options: &'a [OsString]) -> Shim<'a> {
        let binary = self.binary.map_or(binary, Path::new);
        let missing = super::super::shim::Missing::Refuse;
        Shim { hook, binary: Some(binary), missing, arguments: (self.arguments)(hook), options }
    }
}
