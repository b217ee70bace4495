//! Gitolite: common hooks for all repositories, and VREFs in place of `update`, which is its own.

use std::path::Path;

use super::super::Hook;
use super::super::shim::Arguments;
use super::super::slot::{Neighbour, Slot};
use super::kind::{Delivery, Kind, no_pull_request, text};
use crate::error::{Error, Result};

pub static KIND: Kind = Kind {
    name: "gitolite",
    about: "",
    hooks: &[Hook::PreReceive, Hook::Update],
    delivery: Delivery::Disk(|hooks, host| Ok((slots(hooks, &host.directory)?, None))),
    binary: None,
    time_budget: None,
    arguments: |hook| if hook == Hook::Update { Arguments::Vref } else { Arguments::All },
    next_steps,
    line_prefix: "",
    pusher: |variables| text(variables, "GL_USER"),
    pull_request: no_pull_request,
};

/// In gitolite's own directory: `~/.gitolite`, or LOCAL_CODE.
fn slots(hooks: &[Hook], directory: &Path) -> Result<Vec<Slot>> {
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

fn next_steps(hooks: &[Hook], _: &str) -> String {
    let mut text = String::new();
    if hooks.contains(&Hook::PreReceive) {
        text.push_str("run `gitolite setup --hooks-only`, which puts it into every repository\n");
    }
    if hooks.contains(&Hook::Update) {
        text.push_str("add `- VREF/portcullis = @all` to the repositories in gitolite.conf that it shall judge\n");
    }
    text
}
