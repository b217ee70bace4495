//! Who pushes, as the installed kind of server says it: one variable per kind, never a guess among several, because a
//! pusher may be able to set the others.

use std::ffi::OsString;

use bstr::BString;

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
}
