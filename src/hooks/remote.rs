//! What a remote has, asked for while a push to it waits: only where no remote-tracking branch says so, as in a bare clone
//! with work trees beside it. Owns the one call of git for that.

use std::path::Path;
use std::process::{Command, Stdio};

use bstr::{BStr, ByteSlice as _};

use crate::subject::Oid;

/// Ids that the remote's refs name, as `git ls-remote` lists them; `None` where it does not answer.
pub fn ids(directory: &Path, address: &BStr) -> Option<Vec<Oid>> {
    let address = address.to_os_str().ok()?;
    let mut git = Command::new("git");
    git.args(["ls-remote", "--quiet", "--"]).arg(address).current_dir(directory);
    // The push itself has asked for a password already; asking again would be a nuisance.
    git.env("GIT_TERMINAL_PROMPT", "0").stdin(Stdio::null()).stderr(Stdio::null());
    let output = git.output().ok()?;
    let ids = output.stdout.lines().filter_map(|line| Oid::from_hex(line.split(|b| *b == b'\t').next()?));
    output.status.success().then(|| ids.collect())
}
