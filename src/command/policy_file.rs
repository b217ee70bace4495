//! Where a policy file is read from: the disk or a commit. Owns its name and that a link, a device or a file without end
//! is never read; what the file says is `policy`'s.

use std::path::Path;

use crate::error::{Error, Result};
use crate::git::{Repo, ThreadRepo};
use crate::options::{POLICY_LIMIT, PolicyFile};
use crate::plain_file::Untrusted;
use crate::subject::Oid;

/// The name of the policy file at a repository's root.
pub const POLICY_FILE: &str = "portcullis.yaml";

/// The policy of a commit; `None` where it has none.
pub fn at_commit(local: &ThreadRepo<'_>, commit: Oid) -> Result<Option<PolicyFile>> {
    let file = local.plain_file_at(commit, POLICY_FILE.into(), POLICY_LIMIT)?;
    Ok(PolicyFile::found(POLICY_FILE, file))
}

/// The same, shown as `NAME:portcullis.yaml`.
pub fn at_revision(local: &ThreadRepo<'_>, commit: Oid, name: &str) -> Result<Option<PolicyFile>> {
    let shown = format!("{name}:{POLICY_FILE}");
    Ok(at_commit(local, commit)?.map(|file| PolicyFile { path: shown.into(), ..file }))
}

/// A policy on disk; `None` where it is absent. `shown`: as the user knows it.
pub fn on_disk(path: &Path, shown: &Path, untrusted: &Untrusted) -> Result<Option<PolicyFile>> {
    let file = untrusted.read(path, POLICY_LIMIT);
    let file = file.map_err(|e| Error::usage(format!("cannot read the policy {}: {e}", shown.display())))?;
    Ok(PolicyFile::found(shown.to_string_lossy().into_owned(), file))
}

/// Where links and devices are not to be followed: in the repository, else where the user stands.
pub fn untrusted(repo: Option<&Repo>, directory: &Path) -> Untrusted {
    match repo {
        Some(repo) => {
            Untrusted::new(repo.workdir().map(Path::to_owned).into_iter().chain([repo.git_dir(), repo.common_dir()]))
        }
        None => Untrusted::new([directory]),
    }
}

/// Writes a file for the user, whole or not at all.
pub fn write(untrusted: &Untrusted, file: &Path, bytes: &[u8]) -> Result<()> {
    let written = untrusted.write(file, |out| out.write_all(bytes));
    written.map_err(|e| Error::usage(format!("cannot write {}: {e}", file.display())))
}
