//! Who pushes, and whether a pull request lands, as the installed kind of server says it: its own variables, never a
//! guess among those of others, because a pusher may be able to set them.

use std::ffi::OsString;

use bstr::{BString, ByteSlice};

use crate::hooks::Server;

impl Server {
    /// The account that pushes; `None` where the server does not say.
    pub fn pusher(self, variable: impl Fn(&str) -> Option<OsString>) -> Option<BString> {
        let name = match self {
            Self::Gitlab => "GL_USERNAME",
            Self::Gitea | Self::Forgejo => "GITEA_PUSHER_NAME",
            Self::Ghes => "GITHUB_USER_LOGIN",
            Self::Gitolite => "GL_USER",
            Self::Bitbucket => "BB_USER_NAME",
            // Over HTTP the web server names the account, over ssh the system does.
            Self::Bare if variable("GATEWAY_INTERFACE").is_some() => "REMOTE_USER",
            Self::Bare => "USER",
        };
        let value = variable(name)?;
        (!value.is_empty()).then(|| BString::from(value.into_encoded_bytes()))
    }

    /// The head ref of the pull request that lands with this push: empty where the server says only that there is one,
    /// `None` where nobody pressed a button. Plain git and gitolite have no pull requests.
    pub fn pull_request(self, variable: impl Fn(&str) -> Option<OsString>) -> Option<BString> {
        let text = |name| variable(name).map(|v| BString::from(v.into_encoded_bytes())).filter(|v| !v.is_empty());
        match self {
            Self::Bare | Self::Gitolite => None,
            // Set for pull requests only, as `OWNER:BRANCH`.
            Self::Ghes => {
                let head = text("GITHUB_PULL_REQUEST_HEAD")?;
                Some(head.find_byte(b':').map_or(head.clone(), |at| head[at + 1..].into()))
            }
            // An id of 0 is none; updating a pull request's own branch lands nothing.
            Self::Gitea | Self::Forgejo => {
                let lands = text("GITEA_PUSH_TRIGGER").is_none_or(|t| t != "pr-update-with-base");
                text("GITEA_PR_ID").filter(|id| id != "0" && lands).map(|_| BString::default())
            }
            Self::Bitbucket => {
                let from = text("BB_FROM_REF").unwrap_or_default();
                let head = from.strip_prefix(b"refs/heads/").unwrap_or(&from).into();
                text("BB_HOOK_TRIGGER_ID").filter(|t| t == "pull-request-merge").map(|_| head)
            }
            // The button, and whatever else is done on the web pages: GitLab's own protection of branches tells those apart.
            Self::Gitlab => text("GL_PROTOCOL").filter(|p| p == "web").map(|_| BString::default()),
        }
    }
}
