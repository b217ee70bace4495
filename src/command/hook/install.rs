//! `portcullis hook install`: which hooks, where to, and what is said about it.

use std::io::Write;
use std::path::Path;

use super::{INCOMPLETE, absent_default_branch, broken, force, hooks, print, template};
use crate::cli::hook::InstallArgs;
use crate::command::policy_file;
use crate::error::{Error, Result};
use crate::git;
use crate::hooks::Hook;
use crate::hooks::config::{self, Target};
use crate::hooks::directory::{Directory, Reach, Scope};
use crate::hooks::host::Host;
use crate::hooks::install::{self, Action, Change, Entry, Force, Plan};
use crate::hooks::server::{Delivery, Server, Settings};
use crate::hooks::shim::{Arguments, Missing, Shim};
use crate::hooks::slot::{self, Slot};
use crate::text;

pub(super) fn run(args: &InstallArgs, host: &Host, out: &mut dyn Write) -> Result<u8> {
    let names = hooks(&args.hooks.names)?;
    if let Some(kind) = args.place.server {
        return install_on_server(kind, &names, args, host, out);
    }
    let names = if names.is_empty() { Hook::CLIENT.to_vec() } else { names };
    let missing = if args.optional { Missing::Pass } else { Missing::Refuse };
    let shims = names.iter().map(|hook| Shim {
        hook: *hook,
        binary: Some(&host.binary),
        missing,
        arguments: Arguments::All,
        options: &[],
    });
    if args.place.global {
        return configure(Target::Global, &names, missing, args, host, out);
    }
    if args.print {
        let texts =
            shims.map(|shim| Ok((shim.hook.name().to_owned(), shim.text(None)?))).collect::<Result<Vec<_>>>()?;
        return print_files(&texts, out);
    }
    if args.place.template {
        let directory = template(host)?;
        let slots = names.iter().map(|hook| Slot::new(*hook, directory.join(hook.name())));
        return apply(slots, shims, None, args, out);
    }
    let directory = Directory::find(host)?;
    if directory.is_foreign() {
        let elsewhere = format!(
            "core.hooksPath is set in the {} configuration ({}) to {}, which is not this repository's alone",
            directory.scope,
            directory.origin,
            directory.path.display()
        );
        return match config::supported(host) {
            Ok(()) => {
                print(out, &format!("{elsewhere}: the hooks go into the local configuration\n"))?;
                configure(Target::Local, &names, missing, args, host, out)
            }
            Err(old) => Err(Error::usage(elsewhere).hint(format!(
                "{}; put the output of `portcullis hook install --print NAME` there yourself, or give this repository \
                 its own directory: `git config --local core.hooksPath {}`",
                old.message,
                directory.common.join("hooks").display()
            ))),
        };
    }
    directory.may_be_written(force(args.force) == Force::Yes)?;
    let code =
        apply(names.iter().map(|hook| Slot::in_directory(*hook, &directory)), shims, Some(&directory), args, out)?;
    if directory.reach == Reach::Clones && !directory.path.ends_with("_") {
        let text = format!("{} is part of the work tree: commit it\n", directory.shown(&directory.path));
        print(out, &text)?;
    }
    Ok(code)
}

/// Decides about all places, then writes.
fn apply<'s>(
    slots: impl Iterator<Item = Slot>,
    shims: impl Iterator<Item = Shim<'s>>,
    directory: Option<&Directory>,
    args: &InstallArgs,
    out: &mut dyn Write,
) -> Result<u8> {
    let entry = if args.link { Entry::Link } else { Entry::Shim };
    let plans = slots
        .zip(shims)
        .map(|(slot, shim)| install::plan(slot, directory, &shim, entry, force(args.force)))
        .collect::<Result<Vec<_>>>()?;
    let mut code = 0;
    for plan in plans {
        plan.apply()?;
        let (text, complete) = describe(&plan, directory);
        print(out, &text)?;
        code = if complete { code } else { INCOMPLETE };
    }
    Ok(code)
}

/// What a plan did, and whether portcullis runs now.
fn describe(Plan { slot, action }: &Plan, directory: Option<&Directory>) -> (String, bool) {
    let shown = match directory {
        Some(directory) => directory.shown(&slot.path),
        None => text::sanitise(slot.path.to_string_lossy().as_bytes()),
    };
    let hook = slot.hook;
    let done = |what: &str| (format!("{hook}: {what}\n"), true);
    match action {
        Action::Nothing => done(&format!("is there already, {shown}")),
        Action::Mode => done(&format!("is executable again, {shown}")),
        Action::Link { target } => done(&format!("{shown} is a link to {}", target.display())),
        Action::Write { change: Change::New, .. } => done(&format!("installed, {shown}")),
        Action::Write { change: Change::Chained, .. } => {
            let by_name = if reads_own_name(&slot.kept()) {
                "; it seems to ask for its own name, which is another one now: see that it still works"
            } else {
                ""
            };
            done(&format!("installed, {shown}; the hook that was there runs first, {}{by_name}", slot.kept_name()))
        }
        Action::Write { change: Change::Updated(version), .. } => done(&format!("updated from {version}, {shown}")),
        Action::Write { change: Change::Block, .. } => done(&format!("installed, lines at the top of {shown}")),
        Action::Advise { manager, native: None } => done(&format!("called by {manager} already")),
        Action::Advise { manager, native: Some((file, lines)) } => {
            let lines: String = lines.lines().map(|line| format!("    {line}\n")).collect();
            (format!("{hook}: {manager} runs this hook, so nothing was written; add to {file}:\n{lines}"), false)
        }
    }
}

/// Whether a script asks under which name it was started: it is kept under another one.
fn reads_own_name(hook: &Path) -> bool {
    use bstr::ByteSlice as _;
    std::fs::read(hook).is_ok_and(|text| {
        text.starts_with(b"#!")
            && [
                "basename \"$0\"",
                "basename $0",
                "basename -- \"$0\"",
                "${0##*/}",
                "basename($0)",
                "basename(__FILE__)",
            ]
            .iter()
            .any(|asks| text.contains_str(asks))
    })
}

/// Hooks in the configuration.
fn configure(
    target: Target,
    names: &[Hook],
    missing: Missing,
    args: &InstallArgs,
    host: &Host,
    out: &mut dyn Write,
) -> Result<u8> {
    if args.link {
        return Err(Error::usage("a hook in the configuration is a command, not a link").hint("leave `--link` away"));
    }
    if args.print {
        let flag = if target == Target::Global { "--global" } else { "--local" };
        for hook in names {
            for (key, value) in config::settings(host, *hook, missing)? {
                let value = text::sanitise(&value).replace('\'', r"'\''");
                print(out, &format!("git config {flag} {key} '{value}'\n"))?;
            }
        }
        return Ok(0);
    }
    config::supported(host).map_err(|e| {
        e.hint("`portcullis hook install --template` covers new repositories, `portcullis hook install` this one")
    })?;
    for hook in names {
        let what = if config::install(host, target, *hook, missing)? { "installed" } else { "is there already" };
        print(out, &format!("{hook}: {what}, hook.portcullis-{hook} in the {} configuration\n", Scope::from(target)))?;
    }
    Ok(0)
}

fn install_on_server(kind: Server, names: &[Hook], args: &InstallArgs, host: &Host, out: &mut dyn Write) -> Result<u8> {
    let names = kind.choose(names)?;
    let settings =
        Settings { policy: args.policy.clone(), time_budget: args.time_budget, audit_log: args.audit_log.clone() };
    let options = settings.options(kind)?;
    let shims: Vec<_> = names.iter().map(|hook| kind.shim(*hook, &host.binary, &options)).collect();
    if args.print {
        let texts = shims.iter().map(|s| Ok((s.hook.name().to_owned(), s.text(None)?))).collect::<Result<Vec<_>>>()?;
        return print_files(&texts, out);
    }
    let slots = match kind.delivery {
        Delivery::Disk(slots) => slots,
        Delivery::Upload { file: usual, mode, content } => {
            let bytes = content(&shims)?;
            let file = args.output.clone().unwrap_or_else(|| usual.into());
            if file == Path::new("-") {
                return out.write_all(&bytes).map(|()| 0).map_err(broken);
            }
            let path = host.directory.join(&file);
            let repo = git::discover(&host.directory)?;
            let path = policy_file::untrusted(repo.as_ref(), &host.directory).may_be_written(&path);
            let path = path.map_err(|e| Error::usage(format!("cannot write {}: {e}", file.display())))?;
            // Scripts are executable, because they are committed or uploaded as such.
            slot::write(&path, &bytes, mode)?;
            let shown = file.display().to_string();
            print(out, &format!("wrote {shown}\n{}", (kind.next_steps)(&names, &shown)))?;
            return Ok(0);
        }
    };
    if args.output.is_some() {
        return Err(
            Error::usage(format!("a {kind} server takes its hooks from the disk")).hint("leave `--output` away")
        );
    }
    let (slots, directory) = slots(&names, host)?;
    if let Some(directory) = &directory {
        directory.may_be_written(args.force)?;
    }
    let code = apply(slots.into_iter(), shims.into_iter(), directory.as_ref(), args, out)?;
    print(out, &(kind.next_steps)(&names, ""))?;
    if let Some(remark) = absent_default_branch(host)? {
        print(out, &format!("{remark}\n"))?;
    }
    Ok(code)
}

fn print_files(files: &[(String, Vec<u8>)], out: &mut dyn Write) -> Result<u8> {
    for (name, content) in files {
        if files.len() > 1 {
            print(out, &format!("==> {name} <==\n"))?;
        }
        out.write_all(content).map_err(broken)?;
    }
    Ok(0)
}
