//! The gates on the laptop. They read the index that git names and never the work tree, and change nothing.

use std::ffi::OsString;
use std::path::Path;

use bstr::{BString, ByteSlice as _};

use super::{message_source, updates};
use crate::command::Outside;
use crate::command::gate::pipeline::protected;
use crate::command::gate::{Gate, Refusal, Target};
use crate::error::{Error, Result};
use crate::git::{self, Excluded, Push, Repo, Source};
use crate::hooks::remote;
use crate::subject::{Kinds, Oid, Update};

/// What `PORTCULLIS_SKIP` is for: the rules named there are not judged here, and are at the push.
const SKIP: &str = "PORTCULLIS_SKIP";

fn open(outside: &Outside) -> Result<Repo> {
    git::discover(&outside.directory)?.ok_or_else(|| Error::no_repository(&outside.directory))
}

fn gate<'a>(repo: &'a Repo, outside: &'a Outside) -> Gate<'a> {
    let skip = std::env::var(SKIP).unwrap_or_default();
    let skip = skip.split(',').map(str::trim).filter(|s| !s.is_empty()).map(ToOwned::to_owned).collect();
    Gate::for_hook(repo, outside).skipping_rules(skip)
}

pub fn pre_commit(outside: &Outside) -> Result<u8> {
    let repo = open(outside)?;
    let heads = git::merge_heads(&repo)?;
    if !heads.is_empty() {
        // A merge with conflicts, or one that was refused and is committed after all: nobody asks pre-merge-commit.
        return merge(&repo, heads, &[], outside);
    }
    gate(&repo, outside).run(&Target::Change(&repo, &Source::Index { parents: heads }))
}

pub fn commit_msg(arguments: &[OsString], outside: &Outside) -> Result<u8> {
    let file = arguments.first().ok_or_else(|| Error::usage("the commit-msg hook gets the message's file"))?;
    let repo = open(outside)?;
    let path = outside.directory.join(Path::new(file));
    let raw = std::fs::read(&path)
        .map_err(|e| Error::undecided(format!("cannot read the message in {}: {e}", path.display())))?;
    // Git sets `GIT_EDITOR=:` for its hooks when no editor was open on the message.
    let edited = std::env::var_os("GIT_EDITOR").is_none_or(|e| e != ":");
    let source = message_source(&repo, &raw, edited)?;
    gate(&repo, outside).run(&Target::Change(&repo, &source))
}

/// Git runs this before it writes `MERGE_HEAD`; what is merged is in variables called after it: `GITHEAD_<id>=name`.
pub fn pre_merge_commit(outside: &Outside) -> Result<u8> {
    let repo = open(outside)?;
    let mut heads = git::merge_heads(&repo)?;
    let mut names = Vec::new();
    for (variable, name) in std::env::vars_os() {
        let Some(id) = variable.as_encoded_bytes().strip_prefix(b"GITHEAD_").and_then(Oid::from_hex) else { continue };
        if !heads.contains(&id) {
            heads.push(id);
        }
        names.push(String::from_utf8_lossy(name.as_encoded_bytes()).into_owned());
    }
    // The order of the environment is nobody's promise.
    heads.sort_unstable();
    names.sort_unstable();
    merge(&repo, heads, &names, outside)
}

/// A merge about to be made; `names` are what the heads are called, where git has not written a message yet.
fn merge(repo: &Repo, heads: Vec<Oid>, names: &[String], outside: &Outside) -> Result<u8> {
    let message = std::fs::read(repo.git_dir().join("MERGE_MSG"))
        .unwrap_or_else(|_| format!("Merge branch '{}'\n", names.join("', '")).into_bytes());
    let code = gate(repo, outside).run(&Target::Change(repo, &Source::Merge { heads, message: message.into() }))?;
    if code != 0 {
        outside.say("the merge was not made; `git merge --abort` takes it back\n")?;
    }
    Ok(code)
}

/// Lines are `local-ref local-id remote-ref remote-id`; none at all when there is nothing to send.
pub fn pre_push(remote: Option<BString>, address: Option<BString>, lines: &[u8], outside: &Outside) -> Result<u8> {
    if lines.trim().is_empty() {
        return Ok(0);
    }
    let repo = open(outside)?;
    let mut moves = Vec::new();
    for line in lines.lines().filter(|l| !l.trim().is_empty()) {
        // From the right: what stands first is what the user wrote, `main@{one day ago}`.
        let mut parts = line.rsplitn_str(4, b" ");
        let (Some(old), Some(name), Some(new), Some(_)) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Error::usage("a line of the pre-push hook's input is not `local-ref id remote-ref id`"));
        };
        moves.push([old, b" ", new, b" ", name].concat());
    }
    let updates = updates(&moves.join(&b"\n"[..]))?;
    let remote = remote.filter(|r| !r.contains(&b'/') && !r.contains(&b':')).map(|r| r.to_str_lossy().into_owned());
    let prefix = remote.map_or_else(|| "refs/remotes/".to_owned(), |r| format!("refs/remotes/{r}/"));
    let push = Push {
        updates,
        known: Excluded::Tracking(on_the_remote(&repo, address, outside)?),
        branches_at: (prefix != "refs/remotes/").then_some(prefix),
        ..Push::default()
    };
    gate(&repo, outside).run(&Target::Change(&repo, &Source::Push(push)))
}

/// What a remote has and no remote-tracking branch tells: what was fetched without one last (a pull of upstream by its
/// address), and, where there are no such branches at all, what the remote answers. `None`: nothing is told.
fn on_the_remote(repo: &Repo, address: Option<BString>, outside: &Outside) -> Result<Option<Vec<Oid>>> {
    let local = repo.thread_local();
    if let Some(address) = address.filter(|_| !local.has_refs("refs/remotes/").unwrap_or(true)) {
        if let Some(ids) = remote::ids(&outside.directory, address.as_bstr()) {
            return Ok(Some(ids));
        }
        let usual = ["refs/heads/main", "refs/heads/master"].into_iter().map(|name| local.find_ref(name.into()));
        let found = usual.filter_map(Result::transpose).next().transpose()?;
        return Ok(found.map(|tip| vec![tip]));
    }
    let fetched = std::fs::read(repo.git_dir().join("FETCH_HEAD")).unwrap_or_default();
    let ids: Vec<Oid> = fetched.lines().filter_map(|l| Oid::from_hex(l.split(|b| *b == b'\t').next()?)).collect();
    Ok((!ids.is_empty()).then_some(ids))
}

/// Opt-in: stops a fast-forward of a protected branch, which no other hook sees. Only the state `prepared` can refuse.
pub fn reference_transaction(state: Option<BString>, lines: &[u8], outside: &Outside) -> Result<u8> {
    if state.as_deref().map(|s| s.as_slice()) != Some(b"prepared") || !lines.contains_str("refs/heads/") {
        return Ok(0);
    }
    let repo = open(outside)?;
    let local = repo.thread_local();
    let mut moves = Vec::new();
    // A symbolic ref has `ref:NAME` for an id: HEAD goes to another branch, and no branch moves.
    let branches = lines.lines().filter(|l| l.contains_str(" refs/heads/") && !l.contains_str("ref:"));
    for update in updates(&branches.collect::<Vec<_>>().join(&b"\n"[..]))? {
        let Some(short) = update.name.strip_prefix(b"refs/heads/".as_slice()) else { continue };
        // Git may say "whatever it was" for the old id.
        let old = local.find_ref(update.name.as_ref())?;
        let (Some(old), Some(new)) = (old, update.new) else { continue };
        // What already stands on the server was judged there: a pull brings nothing to refuse.
        if old != new && !local.is_on_remote_branch(short, new)? {
            moves.push(Update { name: update.name, old: Some(old), new: Some(new) });
        }
    }
    if moves.is_empty() {
        return Ok(0);
    }
    let gate = gate(&repo, outside).only_kinds(Kinds::REF);
    // A policy that cannot be followed says of no branch that it is free: then all moves are judged, and told so.
    match gate.policy() {
        Ok(policy) => {
            let protected = protected(policy);
            moves.retain(|u| protected.iter().any(|p| git::branch_matches(p, &u.name[b"refs/heads/".len()..])));
        }
        Err(Refusal::Policy(_)) => {}
        Err(Refusal::Error(error)) => return Err(error),
    }
    if moves.is_empty() {
        return Ok(0);
    }
    let push = Push { updates: moves, known: Excluded::Old, ..Push::default() };
    let code = gate.run(&Target::Change(&repo, &Source::Push(push)))?;
    if code != 0 {
        // A merge has written the index and the files already when it asks for the branch.
        outside.say(
            "the branch did not move; files that a merge has changed already go back with `git reset --merge`\n",
        )?;
    }
    Ok(code)
}
