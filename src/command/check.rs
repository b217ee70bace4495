//! `portcullis check`: from arguments to a source. Judging and reporting are `gate`'s.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use bstr::BString;

use super::Outside;
use super::gate::{Gate, Target};
use super::hook::run::{message_source, updates};
use crate::cli::{Check, SourceArgs};
use crate::error::{Error, Result};
use crate::git::{self, Excluded, Push, Repo, Source, ThreadRepo};
use crate::subject::Update;
use crate::text::count;

pub fn run(args: Check, outside: &Outside) -> Result<u8> {
    if args.judge.title.as_deref() == Some("") {
        return Err(Error::usage("--title needs the text here: only in CI can a platform tell it"));
    }
    let repo = git::discover(&outside.directory)?;
    let gate = Gate::new(repo.as_ref(), outside, args.judge.clone(), args.output.clone()).with_cache(args.cache);
    let Some(repo) = &repo else {
        if args.cache {
            return Err(Error::usage("--cache needs git's index, and this is not a git repository"));
        }
        if asks_git(&args.source) {
            return Err(Error::no_repository(&outside.directory)
                .hint("`portcullis check PATH` checks files outside a repository"));
        }
        let paths = existing(&args.source.paths, &outside.directory)?;
        return gate.run(&Target::Files { directory: &outside.directory, paths: &paths });
    };
    let source = source(repo, &args, outside)?;
    if args.write_exceptions {
        return write_exceptions(&gate, &Target::Change(repo, &source), outside);
    }
    gate.run(&Target::Change(repo, &source))
}

/// Writes an exception for everything that stands.
fn write_exceptions(gate: &Gate<'_>, target: &Target<'_>, outside: &Outside) -> Result<u8> {
    let judged = match gate.judge(target) {
        Ok(judged) => judged,
        Err(refusal) => return gate.write_refusal(refusal),
    };
    // Files that cannot be read as a policy were told by the judgement above.
    let files = gate.acceptance_files();
    let accepted = files.accept(&judged.report, outside.today())?;
    let removed = match accepted.removed {
        0 => String::new(),
        n => format!(", {} removed", count(n as u64, "exception")),
    };
    let added = count(accepted.added as u64, "finding");
    let file = files.write(&accepted)?;
    outside.say(&format!("{added} excepted{removed} in {}; review them, then commit the file\n", file.display()))?;
    Ok(if judged.report.errors.is_empty() { 0 } else { judged.report.exit_code().max(3) })
}

fn asks_git(s: &SourceArgs) -> bool {
    s.staged || s.history || s.range.is_some() || s.reference.is_some() || s.push.is_some()
}

/// The paths, absolute; a usage mistake where there is nothing.
fn existing(paths: &[PathBuf], directory: &Path) -> Result<Vec<PathBuf>> {
    let one = |asked: &PathBuf| {
        let path = directory.join(asked);
        match path.symlink_metadata() {
            // `.` and `..` would not be prefixes of what a walk finds.
            Ok(meta) if meta.is_symlink() => Ok(path),
            Ok(_) => path.canonicalize().map_err(|e| Error::usage(format!("cannot check {}: {e}", asked.display()))),
            Err(e) => Err(Error::usage(format!("cannot check {}: {e}", asked.display()))),
        }
    };
    paths.iter().map(one).collect()
}

fn source(repo: &Repo, args: &Check, outside: &Outside) -> Result<Source> {
    let local = repo.thread_local();
    let s = &args.source;
    if s.staged {
        return Ok(Source::Index { parents: git::merge_heads(repo)? });
    }
    if s.history {
        return Ok(Source::History { all: args.all });
    }
    let head_ref = args.judge.head_ref.clone().map(BString::from);
    if let Some(range) = &s.range {
        return Ok(Source::Push(Push { head_ref, ..range_push(&local, range)? }));
    }
    if let Some(name) = &s.reference {
        return Ok(Source::Push(Push { head_ref, ..ref_push(&local, name)? }));
    }
    if let Some(file) = &s.push {
        let text = read_input(file, &outside.directory)?;
        return Ok(Source::Push(Push { head_ref, ..push_lines(&local, &text)? }));
    }
    if let Some(file) = &s.message {
        let text = read_input(file, &outside.directory)?;
        return message_source(repo, &text, is_editors_file(file));
    }
    Ok(Source::WorkTree { paths: existing(&s.paths, &outside.directory)? })
}

/// Whether a message stands in the file that git opens an editor on: comments in it are git's, and go. Any other file is
/// a message as it will be, as with `git commit -F`.
fn is_editors_file(file: &Path) -> bool {
    let name = file.file_name().map(|n| n.as_encoded_bytes());
    let opened = std::env::var_os("GIT_EDITOR").is_none_or(|e| e != ":");
    opened && matches!(name, Some(b"COMMIT_EDITMSG" | b"MERGE_MSG" | b"SQUASH_MSG"))
}

fn read_input(file: &Path, directory: &Path) -> Result<Vec<u8>> {
    let cannot = |e| Error::usage(format!("cannot read {}: {e}", file.display()));
    if file == Path::new("-") {
        let mut text = Vec::new();
        std::io::stdin().read_to_end(&mut text).map_err(cannot)?;
        return Ok(text);
    }
    std::fs::read(directory.join(file)).map_err(cannot)
}

/// `A..B` (what B has and A lacks) or `A...B` (since they parted); an empty side is HEAD.
pub(super) fn range_push(local: &ThreadRepo<'_>, range: &str) -> Result<Push> {
    let or_head = |s: &str| if s.is_empty() { "HEAD".to_owned() } else { s.to_owned() };
    let (a, b, parted) = match (range.split_once("..."), range.split_once("..")) {
        (Some((a, b)), _) => (or_head(a), or_head(b), true),
        (None, Some((a, b))) => (or_head(a), or_head(b), false),
        (None, None) => {
            return Err(
                Error::usage(format!("`{range}` is not a range")).hint("write it as A..B: what B has and A lacks")
            );
        }
    };
    let (mut old, new) = (local.commit_named(&a)?, local.commit_named(&b)?);
    if parted {
        old = local.merge_base(old, new)?;
    }
    let update = Update { name: local.branch_called(&b)?, old: Some(old), new: Some(new) };
    Ok(Push { updates: vec![update], known: Excluded::Old, ..Push::default() })
}

/// A ref against what the remotes have.
fn ref_push(local: &ThreadRepo<'_>, name: &str) -> Result<Push> {
    let new = local.object_named(name)?;
    let update = Update { name: local.branch_called(name)?, old: None, new: Some(new) };
    Ok(Push { updates: vec![update], known: Excluded::Tracking(None), asked: true, ..Push::default() })
}

/// `old new ref` lines, as pre-receive gets them.
fn push_lines(local: &ThreadRepo<'_>, text: &[u8]) -> Result<Push> {
    let updates = updates(text)?;
    // Asked before the refs move, every ref hides what it reaches; asked afterwards, only the old ids can.
    let mut moved = false;
    for u in &updates {
        moved |= u.new.is_some() && local.find_ref(u.name.as_ref())? == u.new;
    }
    let known = if moved { Excluded::Old } else { Excluded::Refs };
    Ok(Push { updates, known, ..Push::default() })
}
