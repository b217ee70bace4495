//! `portcullis hook install`, `uninstall`, `status`, `doctor`: arguments, environment, and what is printed.
//! Owns no decision about hooks: those are in [`crate::hooks`].

mod install;
pub mod run;

use std::io::Write;
use std::path::PathBuf;

use super::Outside;
use crate::cli::hook::{HookCommand, UninstallArgs};
use crate::error::{Error, Result};
use crate::git;
use crate::hooks::config::{self, Target};
use crate::hooks::directory::{Directory, Scope};
use crate::hooks::host::Host;
use crate::hooks::install::{self as place, Force, Removal};
use crate::hooks::server::Delivery;
use crate::hooks::slot::Slot;
use crate::hooks::status::status;
use crate::hooks::{Hook, doctor};
use crate::report::UntilClosed;
use crate::text;

/// Something is left for the user to do.
const INCOMPLETE: u8 = 1;

/// Does it where the user stands, with the environment of this process. Answers with the exit code.
pub fn run(command: &HookCommand, outside: &Outside) -> Result<u8> {
    if let HookCommand::Run(args) = command {
        return run::run(args, outside);
    }
    let binary = std::env::current_exe().map_err(|e| Error::usage(format!("cannot find this binary: {e}")))?;
    let host = Host::new(outside.directory.clone(), binary, std::env::vars_os().collect());
    run_on(command, &host, &mut UntilClosed::new(std::io::stdout().lock()))
}

/// As [`run`], on a machine that is given.
pub fn run_on(command: &HookCommand, host: &Host, out: &mut dyn Write) -> Result<u8> {
    match command {
        HookCommand::Run(_) => Err(Error::usage("`hook run` judges: it is not an installation step")),
        HookCommand::Install(args) => install::run(args, host, out),
        HookCommand::Uninstall(args) => uninstall(args, host, out),
        HookCommand::Status(args) => {
            let (directory, all) = status(host, &hooks(&args.names)?)?;
            let mut text = match directory.scope {
                Scope::Default => String::new(),
                scope => format!(
                    "core.hooksPath ({scope}, {}): {}\n",
                    directory.origin,
                    text::sanitise(directory.path.to_string_lossy().as_bytes())
                ),
            };
            all.iter().for_each(|one| text.push_str(&format!("{one}\n")));
            print(out, &text)?;
            Ok(0)
        }
        HookCommand::Doctor(args) => {
            let found = doctor::examine(host, &hooks(&args.names)?)?;
            let mut code = 0;
            for one in found {
                let text = match &one.problem {
                    None => format!("{:<22} {}: ok\n", one.hook.name(), one.trial),
                    Some((problem, help)) => {
                        code = INCOMPLETE;
                        format!("{:<22} {}: {problem}\n{:22} help: {help}\n", one.hook.name(), one.trial, "")
                    }
                };
                print(out, &text)?;
            }
            if let Some(remark) = absent_default_branch(host)? {
                code = INCOMPLETE;
                print(out, &format!("{remark}\n"))?;
            }
            Ok(code)
        }
    }
}

/// On a server: that HEAD names a branch which is not there, so that another one's policy counts.
fn absent_default_branch(host: &Host) -> Result<Option<String>> {
    let Some(repo) = git::discover(&host.directory)?.filter(|repo| repo.workdir().is_none()) else { return Ok(None) };
    // A HEAD that cannot be read is told by every push.
    let remark = repo.thread_local().default_branch().ok().and_then(|branch| branch.remark(&[]));
    Ok(remark.map(|remark| text::sanitise(remark.as_bytes())))
}

fn uninstall(args: &UninstallArgs, host: &Host, out: &mut dyn Write) -> Result<u8> {
    let names = hooks(&args.hooks.names)?;
    let all = if names.is_empty() { Hook::ALL.to_vec() } else { names.clone() };
    let mut found = Vec::new();
    let (slots, directory) = if let Some(kind) = args.place.server {
        let Delivery::Disk(slots) = kind.delivery else {
            return Err(Error::usage(format!("the hooks of a {kind} server are removed in its administration"))
                .hint("for gitlab: `gitaly hooks set` with an archive that holds the other hooks only"));
        };
        let names = if names.is_empty() { kind.hooks.to_vec() } else { kind.choose(&names)? };
        slots(&names, host)?
    } else if args.place.global {
        for hook in all {
            found.push((hook, config::uninstall(host, Target::Global, hook)?, format!("hook.portcullis-{hook}")));
        }
        (Vec::new(), None)
    } else if args.place.template {
        let directory = template(host)?;
        (all.iter().map(|hook| Slot::new(*hook, directory.join(hook.name()))).collect(), None)
    } else {
        let directory = Directory::find(host)?;
        for hook in &all {
            let removal = config::uninstall(host, Target::Local, *hook)?;
            if removal != Removal::Absent {
                found.push((*hook, removal, format!("hook.portcullis-{hook}")));
            }
        }
        let slots = if directory.is_foreign() {
            Vec::new()
        } else {
            all.iter().map(|hook| Slot::in_directory(*hook, &directory)).collect()
        };
        (slots, Some(directory))
    };
    if let Some(directory) = directory.as_ref().filter(|d| !d.is_foreign()) {
        directory.may_be_written(args.force)?;
    }
    for slot in &slots {
        let shown = match &directory {
            Some(directory) => directory.shown(&slot.path),
            None => text::sanitise(slot.path.to_string_lossy().as_bytes()),
        };
        found.push((slot.hook, place::uninstall(slot, force(args.force))?, shown));
    }
    let mut anything = false;
    for (hook, removal, shown) in found {
        let what = match removal {
            Removal::Absent => continue,
            Removal::NotOurs => format!("left alone: {shown} is not ours"),
            Removal::Removed => format!("removed, {shown}"),
            Removal::Restored => format!("removed, {shown} is again what it was"),
            Removal::Cut => format!("removed from {shown}"),
        };
        anything = true;
        print(out, &format!("{hook}: {what}\n"))?;
    }
    if !anything {
        print(out, "nothing of ours is there\n")?;
    }
    Ok(0)
}

/// Names of hooks, without repetition, in git's order of events.
fn hooks(names: &[String]) -> Result<Vec<Hook>> {
    let mut hooks = names.iter().map(|name| Hook::from_name(name)).collect::<Result<Vec<_>>>()?;
    hooks.sort_unstable();
    hooks.dedup();
    Ok(hooks)
}

/// The hooks directory of the template for new repositories.
fn template(host: &Host) -> Result<PathBuf> {
    match host.git(&host.directory, &["config", "--path", "--get", "init.templateDir"])? {
        Some(path) if !path.is_empty() => {
            use bstr::ByteSlice as _;
            let path = path.to_path().map_err(|_| Error::usage("init.templateDir is not a path"))?;
            if !path.is_absolute() {
                return Err(Error::usage(format!(
                    "init.templateDir is relative, so it is no one place: {}",
                    path.display()
                )));
            }
            Ok(path.join("hooks"))
        }
        _ => Err(Error::usage("init.templateDir is not set: new repositories have git's own template")
            .hint("`git config --global init.templateDir ~/.git-template`, then again")),
    }
}

fn force(forced: bool) -> Force {
    if forced { Force::Yes } else { Force::No }
}

fn print(out: &mut dyn Write, text: &str) -> Result<()> {
    out.write_all(text.as_bytes()).map_err(broken)
}

fn broken(error: std::io::Error) -> Error {
    Error::undecided(format!("cannot write the answer: {error}"))
}
