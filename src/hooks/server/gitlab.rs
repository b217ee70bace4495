//! GitLab: Gitaly takes an archive of hooks for each repository.

use bstr::BString;

use super::super::Hook;
use super::super::shim::Shim;
use super::super::tar::{Entry, archive};
use super::kind::{Delivery, Kind, all_arguments, text};
use crate::error::Result;

pub static KIND: Kind = Kind {
    name: "gitlab",
    about: "",
    hooks: &[Hook::PreReceive, Hook::Update],
    delivery: Delivery::Upload { file: "custom_hooks.tar", mode: 0o644, content: custom_hooks },
    binary: None,
    time_budget: None,
    arguments: all_arguments,
    next_steps: |_, file| {
        format!(
            "on the Gitaly server, for each repository (this replaces the custom hooks it has):\n  \
             cat {file} | sudo -u git -- /opt/gitlab/embedded/bin/gitaly hooks set --storage default \\\n    \
             --repository @hashed/xx/yy/....git --config /var/opt/gitlab/gitaly/config.toml\n\
             the binary has to be on every Gitaly server\n"
        )
    },
    line_prefix: "GL-HOOK-ERR: ",
    pusher: |variables| text(variables, "GL_USERNAME"),
    // The button, and whatever else is done on the web pages: GitLab's own protection of branches tells those apart.
    pull_request: |variables| text(variables, "GL_PROTOCOL").filter(|p| p == "web").map(|_| BString::default()),
};

fn custom_hooks(shims: &[Shim<'_>]) -> Result<Vec<u8>> {
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
