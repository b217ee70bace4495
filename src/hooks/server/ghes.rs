//! GitHub Enterprise Server: one script from a repository, run in an environment that the administrator uploads.

use bstr::ByteSlice as _;

use super::super::Hook;
use super::kind::{Delivery, Kind, all_arguments, one_script, text};

/// Where the binary is in that environment.
const BINARY: &str = "/usr/local/bin/portcullis";

pub static KIND: Kind = Kind {
    name: "ghes",
    about: "GitHub Enterprise Server",
    hooks: &[Hook::PreReceive],
    delivery: Delivery::Upload { file: "portcullis-pre-receive.sh", mode: 0o755, content: one_script },
    binary: Some(BINARY),
    // All hooks of a push share five seconds there.
    time_budget: Some("4"),
    arguments: all_arguments,
    next_steps: |_, file| {
        format!(
            "commit {file}, executable, to a repository that the instance may read, and choose it under\n\
             Admin > Hooks > Pre-receive hooks; its environment is an uploaded tarball of a 64-bit Linux root with\n\
             {BINARY} in it (statically linked, so that nothing else is needed)\n\
             all hooks of a push share 5 seconds there, and the repository's alternates are relative paths\n"
        )
    },
    line_prefix: "",
    pusher: |variables| text(variables, "GITHUB_USER_LOGIN"),
    // Set for pull requests only, as `OWNER:BRANCH`.
    pull_request: |variables| {
        let head = text(variables, "GITHUB_PULL_REQUEST_HEAD")?;
        Some(head.find_byte(b':').map_or(head.clone(), |at| head[at + 1..].into()))
    },
};
