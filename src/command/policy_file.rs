//! Where a policy is read from: the disk or a commit, with the baseline that stands beside it. Owns their names and that a
//! link, a device or a file without end is never read; what the files say is `policy`'s.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::git::{Repo, ThreadRepo};
use crate::options::{BASELINE_LIMIT, POLICY_LIMIT, PolicyFile};
use crate::plain_file::{Limit, Untrusted};
use crate::subject::Oid;

/// The name of the policy file at a repository's root.
pub const POLICY_FILE: &str = "portcullis.yaml";
/// The name of its baseline.
pub const BASELINE_FILE: &str = "portcullis.baseline.yaml";

/// The policy of a commit and its baseline, as far as it has them.
pub fn at_commit(local: &ThreadRepo<'_>, commit: Oid) -> Result<Vec<PolicyFile>> {
    let read = |name: &str, limit| -> Result<Option<PolicyFile>> {
        Ok(PolicyFile::found(name, local.plain_file_at(commit, name.into(), limit)?))
    };
    let policy = read(POLICY_FILE, POLICY_LIMIT)?;
    let baseline = read(BASELINE_FILE, BASELINE_LIMIT)?.map(PolicyFile::as_baseline);
    Ok(policy.into_iter().chain(baseline).collect())
}

/// The same, shown as `NAME:portcullis.yaml`.
pub fn at_revision(local: &ThreadRepo<'_>, commit: Oid, name: &str) -> Result<Vec<PolicyFile>> {
    let mut files = at_commit(local, commit)?;
    for file in &mut files {
        file.path = format!("{name}:{}", file.path).into();
    }
    Ok(files)
}

/// A policy on disk and its baseline, as far as they are there. `shown`: as the user knows the policy.
pub fn with_baseline(path: &Path, shown: &Path, untrusted: &Untrusted) -> Result<Vec<PolicyFile>> {
    let policy = on_disk(path, shown, untrusted)?;
    let baseline = baseline_on_disk(&baseline_of(path), &baseline_of(shown), untrusted)?;
    Ok(policy.into_iter().chain(baseline).collect())
}

/// A policy on disk; `None` where it is absent. `shown`: as the user knows it.
pub fn on_disk(path: &Path, shown: &Path, untrusted: &Untrusted) -> Result<Option<PolicyFile>> {
    read(path, shown, untrusted, POLICY_LIMIT)
}

/// The same for a baseline.
pub fn baseline_on_disk(path: &Path, shown: &Path, untrusted: &Untrusted) -> Result<Option<PolicyFile>> {
    Ok(read(path, shown, untrusted, BASELINE_LIMIT)?.map(PolicyFile::as_baseline))
}

fn read(path: &Path, shown: &Path, untrusted: &Untrusted, limit: Limit) -> Result<Option<PolicyFile>> {
    let file = untrusted.read(path, limit);
    let file = file.map_err(|e| Error::usage(format!("cannot read the policy {}: {e}", shown.display())))?;
    Ok(PolicyFile::found(shown.to_string_lossy().into_owned(), file))
}

/// Where the baseline of a policy is: `a.yaml` has `a.baseline.yaml` beside it.
pub fn baseline_of(policy: &Path) -> PathBuf {
    let extension = policy.extension().unwrap_or("yaml".as_ref());
    let mut name = policy.file_stem().unwrap_or_default().to_owned();
    name.push(".baseline.");
    name.push(extension);
    policy.with_file_name(name)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_baseline_stands_beside_its_policy() {
        assert_eq!(baseline_of(Path::new(POLICY_FILE)), Path::new(BASELINE_FILE));
        for (policy, wanted) in [
            ("/etc/gate/policy.yml", "/etc/gate/policy.baseline.yml"),
            ("../strict", "../strict.baseline.yaml"),
            ("a.b/c.d.yaml", "a.b/c.d.baseline.yaml"),
        ] {
            assert_eq!(baseline_of(Path::new(policy)), Path::new(wanted));
        }
    }
}
