//! The gates on the laptop. They read the index that git names and never the work tree, and change nothing.

use std::ffi::OsString;
use std::path::Path;

use bstr::{BString, ByteSlice};

use super::super::Outside;
use super::super::judge::{Gate, Matter};
use super::{message_source, updates};
use crate::error::{Error, Result};
use crate::git::{self, Known, Push, Repo, Source, Update};
use crate::subject::{Kinds, Oid};

/// What `PORTCULLIS_SKIP` is for: the rules named there are not judged here, and are at the push.
const SKIP: &str = "PORTCULLIS_SKIP";

fn open(outside: &Outside) -> Result<Repo> {
    git::discover(&outside.directory)?
        .ok_or_else(|| Error::undecided(format!("{} is in no git repository", outside.directory.display())))
}

fn gate<'a>(repo: &'a Repo, outside: &'a Outside) -> Gate<'a> {
    let skip = std::env::var(SKIP).unwrap_or_default();
    let skip = skip.split(',').map(str::trim).filter(|s| !s.is_empty()).map(ToOwned::to_owned).collect();
    Gate::local(repo, outside).skipping(skip)
}

pub fn pre_commit(outside: &Outside) -> Result<u8> {
    let repo = open(outside)?;
    let source = Source::Index { parents: git::merge_heads(&repo)? };
    gate(&repo, outside).run(&Matter::Change(&source))
}

pub fn commit_msg(arguments: &[OsString], outside: &Outside) -> Result<u8> {
    let file = arguments.first().ok_or_else(|| Error::usage("the commit-msg hook gets the message's file"))?;
    let repo = open(outside)?;
    let path = outside.directory.join(Path::new(file));
    let raw = std::fs::read(&path)
        .map_err(|e| Error::undecided(format!("cannot read the message in {}: {e}", path.display())))?;
    let source = message_source(&repo, &raw)?;
    gate(&repo, outside).run(&Matter::Change(&source))
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
    let message = std::fs::read(repo.git_dir().join("MERGE_MSG"))
        .unwrap_or_else(|_| format!("Merge branch '{}'\n", names.join("', '")).into_bytes());
    gate(&repo, outside).run(&Matter::Change(&Source::Merge { heads, message: message.into() }))
}

/// Lines are `local-ref local-id remote-ref remote-id`; none at all when there is nothing to send.
pub fn pre_push(remote: Option<BString>, lines: &[u8], outside: &Outside) -> Result<u8> {
    if lines.trim().is_empty() {
        return Ok(0);
    }
    let repo = open(outside)?;
    let mut moves = Vec::new();
    for line in lines.lines().filter(|l| !l.trim().is_empty()) {
        let mut parts = line.fields();
        let (Some(_), Some(new), Some(name), Some(old)) = (parts.next(), parts.next(), parts.next(), parts.next())
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
        known: Known::RefsUnder(prefix.clone()),
        branches_at: (prefix != "refs/remotes/").then_some(prefix),
        ..Push::default()
    };
    gate(&repo, outside).run(&Matter::Change(&Source::Push(push)))
}

/// Opt-in: stops a fast-forward of a protected branch, which no other hook sees. Only the state `prepared` can refuse.
pub fn reference_transaction(state: Option<BString>, lines: &[u8], outside: &Outside) -> Result<u8> {
    if state.as_deref().map(|s| s.as_slice()) != Some(b"prepared") || !lines.contains_str("refs/heads/") {
        return Ok(0);
    }
    let repo = open(outside)?;
    let local = repo.local();
    let gate = gate(&repo, outside);
    let protected = gate.protected()?;
    let mut judged = Vec::new();
    for update in updates(lines)? {
        let Some(short) = update.name.strip_prefix(b"refs/heads/".as_slice()) else { continue };
        if !protected.iter().any(|p| git::branch_matches(p, short)) {
            continue;
        }
        // Git may say "whatever it was" for the old id.
        let old = local.find_ref(update.name.as_ref())?;
        let (Some(old), Some(new)) = (old, update.new) else { continue };
        // What already stands on the server was judged there: a pull brings nothing to refuse.
        if old == new || local.stands_on_a_remote(short, new)? {
            continue;
        }
        judged.push(Update { name: update.name, old: Some(old), new: Some(new) });
    }
    if judged.is_empty() {
        return Ok(0);
    }
    let push = Push { updates: judged, known: Known::Old, ..Push::default() };
    gate.kinds(Kinds::REF).run(&Matter::Change(&Source::Push(push)))
}
