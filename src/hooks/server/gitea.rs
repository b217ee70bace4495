//! Gitea and Forgejo, which differ only in name: each hook of theirs runs a directory of others.

use bstr::BString;

use super::super::Hook;
use super::super::slot::{Neighbour, Slot};
use super::kind::{Delivery, Kind, all_arguments, hooks_directory, text};

pub static GITEA: Kind = named("gitea");
pub static FORGEJO: Kind = named("forgejo");

const fn named(name: &'static str) -> Kind {
    Kind {
        name,
        about: "",
        hooks: &[Hook::PreReceive, Hook::Update],
        delivery: Delivery::Disk(|hooks, host| {
            let directory = hooks_directory(host)?;
            let slot = |hook: &Hook| Slot {
                neighbour: Neighbour::Refuse,
                ..Slot::new(*hook, directory.path.join(format!("{hook}.d/portcullis")))
            };
            let slots = hooks.iter().map(slot).collect();
            Ok((slots, Some(directory)))
        }),
        binary: None,
        time_budget: None,
        arguments: all_arguments,
        next_steps: |_, _| "hooks/pre-receive is the server's own and runs everything in hooks/pre-receive.d/\n".into(),
        line_prefix: "",
        pusher: |variables| text(variables, "GITEA_PUSHER_NAME"),
        // An id of 0 is none; updating a pull request's own branch lands nothing.
        pull_request: |variables| {
            let lands = text(variables, "GITEA_PUSH_TRIGGER").is_none_or(|t| t != "pr-update-with-base");
            text(variables, "GITEA_PR_ID").filter(|id| id != "0" && lands).map(|_| BString::default())
        },
    }
}
