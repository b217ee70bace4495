//! Paths of a repository as manifests write them: relative to a file or directory, with `.` and `..`.

use bstr::{BStr, BString, ByteSlice as _};

/// `path` as seen from `directory` (empty: the root); `None` where it leaves the repository or is absolute.
pub fn join(directory: &BStr, path: &str) -> Option<BString> {
    if path.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&[u8]> = directory.split(|b| *b == b'/').filter(|p| !p.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part.as_bytes()),
        }
    }
    Some(bstr::join(b"/", parts).into())
}

/// The directory of a file; empty for one at the root.
pub fn directory(path: &BStr) -> &BStr {
    path.rfind_byte(b'/').map_or(b"".as_bstr(), |at| path[..at].as_bstr())
}

/// The last part.
pub fn name(path: &BStr) -> &BStr {
    path.rfind_byte(b'/').map_or(path, |at| path[at + 1..].as_bstr())
}

/// Whether a path names something outside of the repository: a URL, or `host/owner/name`.
pub fn is_remote(path: &str) -> bool {
    let host = path.split('/').next().unwrap_or_default();
    path.contains("://")
        || path.contains("?ref=")
        || path.starts_with("git@")
        || matches!(host, "github.com" | "gitlab.com" | "bitbucket.org")
        || path.contains("git::")
}
