//! What stands where git looks for hooks, one line a hook. Owns the reading of it; repairs nothing.

use std::fmt;
use std::path::{Path, PathBuf};

use super::config::{self, Target};
use super::directory::{Directory, Reach, Scope};
use super::managers::{self, Manager};
use super::slot::{Slot, Standing};
use super::{Hook, Host, shim};
use crate::error::Result;

/// Where git finds a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Absolute.
    File(PathBuf),
    /// `hook.<name>` in the configuration.
    Setting,
}

/// What is at one place where git would find the hook.
#[derive(Clone, Debug)]
pub struct Status {
    pub hook: Hook,
    pub place: Place,
    /// The place as users name it: a path from the top of the work tree, or a key.
    pub shown: String,
    pub scope: Scope,
    pub standing: Standing,
    /// Whether git would run it.
    pub executable: bool,
    /// What it becomes, where it is ours and the binary is found.
    pub binary: Option<PathBuf>,
    /// The hook that runs first.
    pub kept: Option<PathBuf>,
    /// The manager that calls us from its own configuration.
    pub through: Option<&'static Manager>,
}

impl Status {
    /// Whether git runs portcullis here, as far as can be seen without running it.
    pub fn works(&self) -> bool {
        self.through.is_some() || (self.standing.is_ours() && self.executable && self.binary.is_some())
    }
}

/// The state of the hooks `names`; without names, of those that belong here and of any other that is ours.
pub fn status(host: &Host, names: &[Hook]) -> Result<(Directory, Vec<Status>)> {
    let directory = Directory::find(host)?;
    let bare = directory.base == directory.common;
    let mut all = Vec::new();
    for hook in Hook::ALL {
        let belongs = match names {
            [] if bare => hook == Hook::PreReceive,
            [] => Hook::CLIENT.contains(&hook),
            names => names.contains(&hook),
        };
        let mut here = places(host, &directory, hook)?;
        // One line for what is not there, not one for each place where it is not.
        let found = here.iter().any(|s| s.standing != Standing::Nothing);
        here.retain(|s| s.standing != Standing::Nothing || !found);
        here.truncate(if found { here.len() } else { 1 });
        if names.is_empty() && !belongs {
            here.retain(|s| s.standing.is_ours());
        } else if !belongs {
            here.clear();
        }
        all.extend(here);
    }
    Ok((directory, all))
}

fn places(host: &Host, directory: &Directory, hook: Hook) -> Result<Vec<Status>> {
    let beside = directory.path.join(format!("{hook}.d/portcullis"));
    let mut all = vec![of_slot(host, directory, &Slot::in_directory(hook, directory))?];
    if matches!(hook, Hook::PreReceive | Hook::Update) {
        all.push(of_slot(host, directory, &Slot::new(hook, beside))?);
    }
    for target in [Target::Local, Target::Global] {
        let Some(command) = config::command(host, target, hook)? else { continue };
        let named = config::binary(&command);
        all.push(Status {
            hook,
            place: Place::Setting,
            shown: format!("hook.portcullis-{hook}"),
            scope: target.into(),
            standing: Standing::Shim(shim::Marker { version: shim::VERSION.into(), intact: true }),
            executable: config::supported(host).is_ok(),
            binary: named.filter(|path| is_runnable(path)),
            kept: None,
            through: None,
        });
    }
    Ok(all)
}

fn of_slot(host: &Host, directory: &Directory, slot: &Slot) -> Result<Status> {
    let occupant = slot.look()?;
    let manager = match &occupant.standing {
        Standing::Managed(manager) => Some(*manager),
        standing if standing.is_ours() => None,
        _ => managers::of_directory(&directory.path),
    };
    let binary = match &occupant.standing {
        Standing::Link(target) => slot.path.parent().map(|dir| dir.join(target)).filter(|path| is_runnable(path)),
        standing if standing.is_ours() => {
            let first = shim::binary_in(&occupant.content).filter(|path| is_runnable(path));
            first.or_else(|| usual_places(host).map(|dir| dir.join("portcullis")).find(|path| is_runnable(path)))
        }
        _ => None,
    };
    Ok(Status {
        hook: slot.hook,
        place: Place::File(slot.path.clone()),
        shown: directory.shown(&slot.path),
        scope: directory.scope,
        executable: occupant.executable,
        binary,
        kept: slot.has_kept().then(|| slot.kept()),
        through: manager.filter(|m| directory.reach != Reach::Elsewhere && m.calls_us(&directory.base, slot.hook)),
        standing: occupant.standing,
    })
}

/// Where a shim looks, in its order.
fn usual_places(host: &Host) -> impl Iterator<Item = PathBuf> {
    let home = PathBuf::from(host.variable("HOME").unwrap_or_default());
    host.search_path().chain([
        home.join(".cargo/bin"),
        home.join(".local/bin"),
        "/usr/local/bin".into(),
        "/opt/homebrew/bin".into(),
    ])
}

fn is_runnable(path: &Path) -> bool {
    path.metadata().is_ok_and(|m| m.is_file() && super::slot::is_executable(&m))
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.standing {
            _ if self.through.is_some() => "ours".into(),
            Standing::Nothing => "missing".into(),
            Standing::Shim(marker) | Standing::Block(marker) if !marker.intact => {
                format!("ours {}, edited", marker.version)
            }
            _ if self.place == Place::Setting => "ours, in the configuration".into(),
            Standing::Shim(marker) => format!("ours {}", marker.version),
            Standing::Block(marker) => format!("ours {}, a block", marker.version),
            Standing::Link(_) => "ours, a link".into(),
            Standing::Managed(manager) => format!("other ({manager})"),
            Standing::Other => "other".into(),
        };
        write!(f, "{:<22} {state}", self.hook.name())?;
        if let Some(manager) = self.through {
            write!(f, ", through {manager}")?;
        }
        if self.standing != Standing::Nothing {
            f.write_str(if self.executable { ", executable" } else { ", not executable: git skips it" })?;
        }
        match &self.binary {
            Some(path) => write!(f, ", binary {}", crate::text::sanitise(path.to_string_lossy().as_bytes()))?,
            None if self.standing.is_ours() => f.write_str(", no binary found")?,
            None => {}
        }
        if let Some(name) = self.kept.as_ref().and_then(|p| p.file_name()) {
            let how = if self.standing.is_ours() { "first" } else { "kept but not run" };
            write!(f, ", {how} {}", crate::text::sanitise(name.to_string_lossy().as_bytes()))?;
        }
        write!(f, "; {} ({})", self.shown, self.scope)
    }
}
