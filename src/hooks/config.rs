//! Hooks that stand in git's configuration (`hook.<name>.command`), which git runs from 2.54 on, beside those of any
//! directory. Owns their names and texts; writes only to the configuration it is told to.

use bstr::ByteSlice as _;

use super::directory::Scope;
use super::host::Host;
use super::shim::{self, Missing};
use super::{Hook, install::Removal};
use crate::error::{Error, Result};
use crate::shell::quote_bytes;

/// The first git that runs configured hooks.
pub const SINCE: (u32, u32) = (2, 54);

/// The configuration a hook is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Local,
    Global,
}

impl Target {
    fn flag(self) -> &'static str {
        match self {
            Self::Local => "--local",
            Self::Global => "--global",
        }
    }
}

impl From<Target> for Scope {
    fn from(target: Target) -> Self {
        match target {
            Target::Local => Self::Local,
            Target::Global => Self::Global,
        }
    }
}

/// Whether this git runs configured hooks; an error that says which would, otherwise.
pub fn supported(host: &Host) -> Result<()> {
    let (major, minor) = host.git_version()?;
    if (major, minor) >= SINCE {
        return Ok(());
    }
    Err(Error::usage(format!(
        "hooks in the configuration need git {}.{}; this is git {major}.{minor}, which would pass over them",
        SINCE.0, SINCE.1
    )))
}

/// The section that holds a hook of ours.
fn section(hook: Hook) -> String {
    format!("hook.portcullis-{hook}")
}

/// The two settings that make a hook, as `key`, `value`.
pub fn settings(host: &Host, hook: Hook, missing: Missing) -> Result<[(String, Vec<u8>); 2]> {
    let binary = quote_bytes(shim::bytes(&host.binary)?);
    let run = [binary.as_slice(), b" hook run ", hook.name().as_bytes(), b" --"].concat();
    let command = match missing {
        // The shell that git starts says that it is missing, and ends with 127.
        Missing::Refuse => run,
        Missing::Pass => [b"test ! -x ", binary.as_slice(), b" || ", run.as_slice()].concat(),
    };
    let section = section(hook);
    Ok([(format!("{section}.event"), hook.name().into()), (format!("{section}.command"), command)])
}

/// Writes a hook; `false` when it stands there already, to the letter.
pub fn install(host: &Host, target: Target, hook: Hook, missing: Missing) -> Result<bool> {
    let mut changed = false;
    for (key, value) in settings(host, hook, missing)? {
        if read(host, target, &key)?.as_deref() != Some(value.as_slice()) {
            let value = shim::as_argument(&value)?;
            host.ask(&host.directory, &["config".as_ref(), target.flag().as_ref(), key.as_ref(), value])?;
            changed = true;
        }
    }
    Ok(changed)
}

pub fn uninstall(host: &Host, target: Target, hook: Hook) -> Result<Removal> {
    if command(host, target, hook)?.is_none() {
        return Ok(Removal::Absent);
    }
    host.ask(&host.directory, &["config", target.flag(), "--remove-section", &section(hook)])?;
    Ok(Removal::Removed)
}

/// The command of a hook of ours, where there is one.
pub fn command(host: &Host, target: Target, hook: Hook) -> Result<Option<Vec<u8>>> {
    read(host, target, &format!("{}.command", section(hook)))
}

/// The binary that such a command starts.
pub fn binary(command: &[u8]) -> Option<std::path::PathBuf> {
    let start = command.strip_prefix(b"test ! -x ").unwrap_or(command);
    let word = shim::unquote(start)?;
    word.to_path().ok().map(Into::into)
}

fn read(host: &Host, target: Target, key: &str) -> Result<Option<Vec<u8>>> {
    let answer = host.git(&host.directory, &["config", "-z", target.flag(), "--get", key])?;
    Ok(answer.map(|value| value.strip_suffix(b"\0").map(<[u8]>::to_vec).unwrap_or(value)))
}
