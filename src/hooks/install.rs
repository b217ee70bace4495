//! Putting a hook in its place, and taking it away again without a trace. Owns the decisions: what is kept, what is
//! replaced, what is left alone. Everything is decided before anything is written.

use std::path::{Path, PathBuf};

use super::directory::{Directory, Reach};
use super::managers::{self, Manager};
use super::shim::{self, Shim};
use super::slot::{self, MODE, Neighbour, Occupant, Slot, Standing};
use crate::error::{Error, Result};

/// How a hook becomes portcullis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Entry {
    #[default]
    Shim,
    /// A symbolic link to the binary, which knows its task by the link's name.
    Link,
}

/// How far an installation may go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Force {
    #[default]
    No,
    /// Over edited shims, through symbolic links, in front of managers.
    Yes,
}

/// What to do at one place, decided.
#[derive(Debug)]
pub struct Plan {
    pub slot: Slot,
    pub action: Action,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// It is as it should be.
    Nothing,
    /// Only the permission bits.
    Mode,
    Write {
        /// Where: the place itself, or what it links to when that is forced.
        path: PathBuf,
        text: Vec<u8>,
        mode: u32,
        change: Change,
    },
    Link {
        target: PathBuf,
    },
    /// The manager's own configuration is where it belongs; `None` when it is there already.
    Advise {
        manager: &'static Manager,
        native: Option<(String, String)>,
    },
}

/// What is there afterwards that was not there before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    New,
    /// The hook that was there is kept and runs first.
    Chained,
    /// From which version.
    Updated(String),
    /// Lines in the script that was there.
    Block,
}

/// Decides about one place. `directory` is `None` where the place is not git's own hooks directory.
pub fn plan(slot: Slot, directory: Option<&Directory>, shim: &Shim<'_>, entry: Entry, force: Force) -> Result<Plan> {
    let action = decide(&slot, directory, shim, entry, force)?;
    Ok(Plan { slot, action })
}

fn decide(slot: &Slot, directory: Option<&Directory>, shim: &Shim<'_>, entry: Entry, force: Force) -> Result<Action> {
    let occupant = slot.look()?;
    let clones = directory.filter(|d| d.reach == Reach::Clones);
    let manager = match &occupant.standing {
        Standing::Managed(manager) => Some(*manager),
        Standing::Shim(_) | Standing::Block(_) | Standing::Link(_) => None,
        _ => directory.and_then(|d| managers::of_directory(&d.path)),
    };
    if let (Some(manager), Some(directory)) = (manager, directory)
        && (force == Force::No || manager.rewrites_directory)
        && let Some(native) = manager.native(slot.hook)
    {
        let native = (!manager.calls_us(&directory.base, slot.hook)).then_some(native);
        return Ok(Action::Advise { manager, native });
    }
    if entry == Entry::Link {
        return link(slot, &occupant, clones.is_some(), shim);
    }
    let portable;
    let shim = if clones.is_some() {
        portable = Shim { binary: None, ..shim.clone() };
        &portable
    } else {
        shim
    };
    let path = &slot.path;
    let kept = slot.has_kept().then(|| slot.kept_name());
    let write = |text: Vec<u8>, change| Action::Write { path: path.clone(), text, mode: MODE, change };
    match &occupant.standing {
        Standing::Nothing if kept.is_some() => Ok(write(shim.text(kept.as_deref())?, Change::Chained)),
        Standing::Nothing => Ok(write(shim.text(None)?, Change::New)),
        Standing::Link(_) => Ok(write(shim.text(kept.as_deref())?, Change::New)),
        Standing::Shim(marker) => {
            let text = shim.text(kept.as_deref())?;
            if text == occupant.content {
                return Ok(if slot::mode(path) & 0o111 == 0o111 { Action::Nothing } else { Action::Mode });
            }
            if !marker.intact && force == Force::No {
                return Err(edited(path));
            }
            let path = through(&occupant, path, force)?;
            Ok(Action::Write { path, text, mode: MODE, change: Change::Updated(marker.version.clone()) })
        }
        Standing::Block(marker) => {
            let (range, _) = shim::find_block(&occupant.content).expect("it was found when it was looked at");
            let mut text = occupant.content.clone();
            text.splice(range, shim.block()?);
            if text == occupant.content {
                return Ok(if occupant.executable { Action::Nothing } else { Action::Mode });
            }
            if !marker.intact && force == Force::No {
                return Err(edited(path));
            }
            let mode = slot::mode(path) | 0o111;
            let path = through(&occupant, path, force)?;
            Ok(Action::Write { path, text, mode, change: Change::Updated(marker.version.clone()) })
        }
        Standing::Managed(_) | Standing::Other => {
            if slot.neighbour == Neighbour::Refuse {
                return Err(Error::usage(format!("{} is there already, and not ours", path.display()))
                    .hint("move it to another name: the server runs every file of that directory"));
            }
            if kept.is_some() {
                return Err(Error::usage(format!(
                    "{} is not ours, and {} is kept from an earlier time",
                    path.display(),
                    slot.kept_name()
                ))
                .hint("one of the two has to go: remove or rename it, then install again"));
            }
            if let Some(directory) = clones
                && force == Force::No
            {
                return block(slot, &occupant, shim, directory);
            }
            Ok(write(shim.text(Some(&slot.kept_name()))?, Change::Chained))
        }
    }
}

/// A script that every clone has: it gets our lines, and keeps its name in the history.
fn block(slot: &Slot, occupant: &Occupant, shim: &Shim<'_>, directory: &Directory) -> Result<Action> {
    let shown = directory.shown(&slot.path);
    let at = shim::place_for_block(&occupant.content);
    let by_hand = format!(
        "add `portcullis hook run {} -- \"$@\"` to it, or let `--force` keep it as {} and run it first",
        slot.hook,
        slot.kept_name()
    );
    match at {
        _ if occupant.link.is_some() => {
            Err(Error::usage(format!("{shown} is a symbolic link, which is not written through")).hint(by_hand))
        }
        _ if !occupant.executable => Err(Error::usage(format!("{shown} is not executable, so that git skips it"))
            .hint(format!("`chmod +x {shown}`, or remove it"))),
        None => Err(Error::usage(format!("{shown} is tracked and not a shell script")).hint(by_hand)),
        Some(at) => {
            let mut text = occupant.content.clone();
            text.splice(at..at, shim.block()?);
            let mode = slot::mode(&slot.path) | 0o111;
            Ok(Action::Write { path: slot.path.clone(), text, mode, change: Change::Block })
        }
    }
}

fn link(slot: &Slot, occupant: &Occupant, in_clones: bool, shim: &Shim<'_>) -> Result<Action> {
    let path = slot.path.display();
    let target = shim.binary.ok_or_else(|| Error::usage("there is no binary to link to"))?;
    if in_clones {
        return Err(Error::usage(format!("{path} is tracked: a link to this machine's binary is no use to a clone"))
            .hint("leave `--link` away"));
    }
    if !shim.options.is_empty() {
        return Err(Error::usage("a link has no room for options").hint("leave `--link` away"));
    }
    match &occupant.standing {
        _ if slot.has_kept() => {
            Err(Error::usage(format!("{} is kept, and a link cannot run it", slot.kept_name()))
                .hint("leave `--link` away"))
        }
        Standing::Link(there) if there == target => Ok(Action::Nothing),
        Standing::Managed(_) | Standing::Other | Standing::Block(_) => {
            Err(Error::usage(format!("{path} is there already, and a link cannot run it first"))
                .hint("leave `--link` away"))
        }
        Standing::Shim(marker) if !marker.intact => Err(edited(&slot.path)),
        _ => Ok(Action::Link { target: target.to_path_buf() }),
    }
}

/// Where to write what is there already: never through a link, unless that is forced.
fn through(occupant: &Occupant, path: &Path, force: Force) -> Result<PathBuf> {
    match &occupant.link {
        None => Ok(path.to_path_buf()),
        Some(_) if force == Force::Yes => path.canonicalize().map_err(|e| slot::failed("resolve", path, &e)),
        Some(target) => Err(Error::usage(format!("{} is a symbolic link to {}", path.display(), target.display()))
            .hint("`--force` writes through it")),
    }
}

fn edited(path: &Path) -> Error {
    Error::usage(format!("{} was changed by hand since portcullis wrote it", path.display()))
        .hint("`--force` throws the changes away")
}

impl Plan {
    /// Does it.
    pub fn apply(&self) -> Result<()> {
        let Slot { path, .. } = &self.slot;
        match &self.action {
            Action::Nothing | Action::Advise { .. } => Ok(()),
            Action::Mode => {
                let mode = slot::mode(path) | 0o111;
                slot::set_mode(path, mode).map_err(|e| slot::failed("make executable", path, &e))
            }
            Action::Link { target } => slot::link(path, target),
            Action::Write { path: target, text, mode, change } => {
                if *change == Change::Chained && path.symlink_metadata().is_ok() {
                    slot::rename(path, &self.slot.kept())?;
                }
                slot::write(target, text, *mode).inspect_err(|_| {
                    // Without our shim the kept hook would not run: give it its name back.
                    if *change == Change::Chained && path.symlink_metadata().is_err() {
                        let _ = slot::rename(&self.slot.kept(), path);
                    }
                })
            }
        }
    }
}

/// What taking away did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removal {
    /// There was nothing of ours.
    Absent,
    /// Somebody else's is left alone.
    NotOurs,
    Removed,
    /// The hook that was there before is there again.
    Restored,
    /// Our lines are out of somebody's script.
    Cut,
}

/// Takes away what is ours at one place, and nothing else.
pub fn uninstall(slot: &Slot, force: Force) -> Result<Removal> {
    let occupant = slot.look()?;
    let give_back = || {
        if slot.has_kept() {
            slot::rename(&slot.kept(), &slot.path).map(|()| Removal::Restored)
        } else {
            slot::remove(&slot.path).map(|()| Removal::Removed)
        }
    };
    match &occupant.standing {
        Standing::Nothing if slot.has_kept() => give_back(),
        Standing::Nothing => Ok(Removal::Absent),
        Standing::Managed(_) | Standing::Other => Ok(Removal::NotOurs),
        Standing::Link(_) => give_back(),
        Standing::Shim(marker) | Standing::Block(marker) if !marker.intact && force == Force::No => {
            Err(edited(&slot.path))
        }
        Standing::Shim(_) => give_back(),
        Standing::Block(_) => {
            let (range, _) = shim::find_block(&occupant.content).expect("it was found when it was looked at");
            let mut text = occupant.content.clone();
            text.drain(range);
            let path = through(&occupant, &slot.path, force)?;
            slot::write(&path, &text, slot::mode(&slot.path))?;
            Ok(Removal::Cut)
        }
    }
}
