//! Bitbucket Data Center: one script, uploaded by its REST API.

use super::super::Hook;
use super::kind::{Delivery, Kind, all_arguments, one_script, text};

pub static KIND: Kind = Kind {
    name: "bitbucket",
    about: "Bitbucket Data Center",
    hooks: &[Hook::PreReceive],
    delivery: Delivery::Upload { file: "portcullis-pre-receive.sh", mode: 0o755, content: one_script },
    binary: None,
    time_budget: None,
    arguments: all_arguments,
    next_steps: |_, file| {
        format!(
            "put `feature.hook.scripts=true` into bitbucket.properties (off since 8.18), restart, and upload:\n  \
             curl -u ADMIN -H 'X-Atlassian-Token: no-check' -F 'content=@{file}' -F name=portcullis -F type=PRE \\\n    \
             https://BITBUCKET/rest/api/latest/hook-scripts\n\
             then enable it for the projects or repositories that it shall judge\n"
        )
    },
    line_prefix: "",
    pusher: |variables| text(variables, "BB_USER_NAME"),
    pull_request: |variables| {
        let from = text(variables, "BB_FROM_REF").unwrap_or_default();
        let head = from.strip_prefix(b"refs/heads/").unwrap_or(&from).into();
        text(variables, "BB_HOOK_TRIGGER_ID").filter(|t| t == "pull-request-merge").map(|_| head)
    },
};
