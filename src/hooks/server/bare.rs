//! Plain git over ssh or `git http-backend`.

use super::super::Hook;
use super::super::slot::Slot;
use super::kind::{Delivery, Kind, all_arguments, hooks_directory, no_pull_request, text};

pub static KIND: Kind = Kind {
    name: "bare",
    about: "Plain git over ssh or http-backend",
    hooks: &[Hook::PreReceive, Hook::Update, Hook::ReferenceTransaction],
    delivery: Delivery::Disk(|hooks, host| {
        let directory = hooks_directory(host)?;
        let slots = hooks.iter().map(|hook| Slot::in_directory(*hook, &directory)).collect();
        Ok((slots, Some(directory)))
    }),
    binary: None,
    time_budget: None,
    arguments: all_arguments,
    next_steps: |_, _| String::new(),
    line_prefix: "",
    pusher: |variables| {
        // Over HTTP the web server names the account, over ssh the system does.
        let is_http = variables("GATEWAY_INTERFACE").is_some();
        text(variables, if is_http { "REMOTE_USER" } else { "USER" })
    },
    pull_request: no_pull_request,
};
