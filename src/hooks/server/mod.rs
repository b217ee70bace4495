//! The kinds of git servers: the one list of them, and what the installer and the hooks ask of each. A new kind is a
//! file and a line of the list.

mod bare;
mod bitbucket;
mod ghes;
mod gitea;
mod gitlab;
mod gitolite;
mod kind;
mod settings;

use std::fmt;
use std::ops::Deref;

use clap::ValueEnum;
use clap::builder::PossibleValue;

use super::Hook;
use crate::error::{Error, Result};

pub use kind::{Delivery, Kind};
pub use settings::Settings;

static SERVERS: &[Server] = &[
    Server(&bare::KIND),
    Server(&gitlab::KIND),
    Server(&gitea::GITEA),
    Server(&gitea::FORGEJO),
    Server(&ghes::KIND),
    Server(&gitolite::KIND),
    Server(&bitbucket::KIND),
];

/// One of the known kinds, as `--server` names it.
#[derive(Clone, Copy)]
pub struct Server(&'static Kind);

impl Server {
    /// Plain git.
    pub const BARE: Self = Self(&bare::KIND);

    /// `names`, checked; `pre-receive` if there are none: it sees the whole push before anything changes.
    pub fn choose(self, names: &[Hook]) -> Result<Vec<Hook>> {
        if let Some(wrong) = names.iter().find(|hook| !self.hooks.contains(hook)) {
            let can: Vec<_> = self.hooks.iter().map(|h| h.name()).collect();
            return Err(Error::usage(format!("`{wrong}` is not a hook of a {self} server"))
                .hint(format!("it has: {}", can.join(", "))));
        }
        Ok(if names.is_empty() { vec![Hook::PreReceive] } else { names.to_vec() })
    }
}

impl Deref for Server {
    type Target = Kind;

    fn deref(&self) -> &Kind {
        self.0
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({})", self.name)
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl ValueEnum for Server {
    fn value_variants<'a>() -> &'a [Self] {
        SERVERS
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let value = PossibleValue::new(self.name);
        Some(if self.about.is_empty() { value } else { value.help(self.about) })
    }
}
