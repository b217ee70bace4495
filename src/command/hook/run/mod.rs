//! `portcullis hook run NAME`: what the installed hooks call. Owns which source each hook means; the laptop's gates
//! are in `client`, the server's in `server`.

mod answer;
mod audit;
mod budget;
mod client;
mod server;

use std::ffi::OsString;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use bstr::{BStr, BString, ByteSlice as _};
use clap::{Args as _, FromArgMatches as _};

use crate::cli::hook::HookRun;
use crate::command::Outside;
use crate::error::{Error, Result};
use crate::git::{self, Repo, Source};
use crate::hooks::slot::KEPT;
use crate::hooks::{Hook, Server, chain, doctor};
use crate::rules::conventional_commits::cleanup::{CommentChar, Mode, cleanup, decode, has_git_scissors};
use crate::subject::{Oid, Person, Update};

impl HookRun {
    /// What a link to the binary stands for, when git runs it under the name of a hook.
    pub fn from_link(own_path: &OsString, arguments: Vec<OsString>) -> Option<Self> {
        let path = Path::new(own_path);
        let name = path.file_name()?.to_str()?;
        let hook = Hook::ALL.into_iter().find(|h| h.name() == name)?;
        let mut kept = path.as_os_str().to_owned();
        kept.push(KEPT);
        let kept = PathBuf::from(kept);
        Some(Self {
            name: hook.name().to_owned(),
            arguments,
            server: Server::BARE,
            policy: None,
            time_budget: None,
            audit_log: None,
            bypass: Vec::new(),
            bypass_reason: None,
            chain: kept.symlink_metadata().is_ok().then_some(kept),
        })
    }

    /// What the installed shims call, `portcullis hook run ...`, read without describing every other command first: a
    /// commit waits for it. `None` for all else, and for what is not understood here: the whole command line tells.
    pub fn from_shim(arguments: &[OsString]) -> Option<Self> {
        let [_, hook, run, rest @ ..] = arguments else { return None };
        if hook != "hook" || run != "run" {
            return None;
        }
        let command = Self::augment_args(clap::Command::new("run").no_binary_name(true).disable_help_flag(true));
        Self::from_arg_matches(&command.try_get_matches_from(rest).ok()?).ok()
    }
}

pub fn run(args: &HookRun, outside: &Outside) -> Result<u8> {
    let hook = Hook::from_name(&args.name)?;
    let asked = doctor::answer(hook, &args.arguments, &mut std::io::stdout().lock());
    if asked.map_err(|e| Error::undecided(format!("cannot write to standard output: {e}")))? {
        return Ok(0);
    }
    let input = hook.reads_stdin().then(input).transpose()?;
    if let Some(before) = &args.chain {
        // What stood here first comes first, and its refusal counts.
        let code = chain::run_existing(before, &args.arguments, input.as_deref())?;
        if code != 0 {
            return Ok(code);
        }
    }
    let lines = input.as_deref().unwrap_or_default();
    let argument = |n: usize| args.arguments.get(n).map(|a| BString::from(a.as_encoded_bytes()));
    match hook {
        Hook::PreCommit => client::pre_commit(outside),
        Hook::CommitMsg => client::commit_msg(&args.arguments, outside),
        Hook::PreMergeCommit => client::pre_merge_commit(outside),
        Hook::PrePush => client::pre_push(argument(0), argument(1), lines, outside),
        Hook::PreReceive if lines.trim().is_empty() => server::judge(args, Err(no_refs()), outside),
        Hook::PreReceive => server::judge(args, updates(lines), outside),
        Hook::Update => {
            let (Some(name), Some(old), Some(new)) = (argument(0), argument(1), argument(2)) else {
                return Err(Error::usage("the update hook gets a ref and two object ids"));
            };
            let line = [old.as_slice(), b" ", &new, b" ", &name].concat();
            server::judge(args, updates(&line), outside)
        }
        Hook::ReferenceTransaction => client::reference_transaction(argument(0), lines, outside),
    }
}

/// Git always tells pre-receive which refs move: somebody else has read them, and nothing here can be judged.
fn no_refs() -> Error {
    Error::undecided("no ref came on the hook's standard input, so the push cannot be judged")
        .hint("a line before portcullis in the hook reads standard input: call portcullis first, or give it a copy")
}

/// All of standard input: a hook that leaves some of it unread may kill git's other end.
fn input() -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .read_to_end(&mut bytes)
        .map_err(|e| Error::undecided(format!("the hook's standard input cannot be read: {e}")))?;
    Ok(bytes)
}

/// Reads `old new ref` lines. Deleting what is not there moves nothing and is left out.
pub fn updates(text: &[u8]) -> Result<Vec<Update>> {
    let mut updates = Vec::new();
    for (at, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
        let mut parts = line.splitn_str(3, b" ");
        let mut next = || parts.next().unwrap_or_default();
        let (old, new, name) = (next(), next(), next());
        let (Some(old), Some(new), false) = (Oid::from_hex(old), Oid::from_hex(new), name.is_empty()) else {
            return Err(Error::usage(format!("line {} is not `old new ref`", at + 1))
                .hint("each line has two full object ids and a full ref name, as pre-receive gets them"));
        };
        let there = |id: Oid| (!id.is_null()).then_some(id);
        let update = Update { name: name.into(), old: there(old), new: there(new) };
        if update.old.is_some() || update.new.is_some() {
            updates.push(update);
        }
    }
    Ok(updates)
}

/// The source of a message that is about to become a commit: what git will keep of it, the rest blanked. `edited`: an
/// editor was open on the message, so git takes comments away.
pub fn message_source(repo: &Repo, raw: &[u8], edited: bool) -> Result<Source> {
    let parameters = std::env::var_os("GIT_CONFIG_PARAMETERS");
    let settings = repo.thread_local().message_settings(parameters.as_ref().map(|p| p.as_encoded_bytes()));
    let mode = Mode::parse(settings.cleanup.as_deref().map(BStr::new), edited).ok_or_else(|| {
        Error::usage("git does not know the value of `commit.cleanup`").hint("`git config commit.cleanup` shows it")
    })?;
    let comment = CommentChar::parse(settings.comment.as_deref().map(BStr::new));
    let decoded = settings.encoding.as_deref().and_then(|e| decode(raw, BStr::new(e)));
    let text = cleanup(
        decoded.as_deref().map_or(raw, |d| d.as_slice()),
        mode,
        &comment,
        settings.verbose || (edited && has_git_scissors(raw, &comment)),
    );
    let author = author_of_the_hook(|name| std::env::var_os(name));
    Ok(Source::Message { text, parents: git::merge_heads(repo)?, author })
}

/// The author of the commit to be, which git names to its hooks: HEAD's own when HEAD is amended.
fn author_of_the_hook(variable: impl Fn(&str) -> Option<OsString>) -> Option<Person> {
    let text = |name| variable(name).map(|v| BString::from(v.into_encoded_bytes()));
    let date = text("GIT_AUTHOR_DATE")?;
    let seconds = date.strip_prefix(b"@")?.fields().next()?.to_str().ok()?.parse().ok()?;
    Some(Person { name: text("GIT_AUTHOR_NAME")?, email: text("GIT_AUTHOR_EMAIL")?, time: seconds })
}
