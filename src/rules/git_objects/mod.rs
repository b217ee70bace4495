//! `git-objects`: commits, tags and trees that a change brings pass `git fsck`, and no tree has two names for one file.
//! Owns how a fault becomes a finding. The faults are in one file per kind of object, after git's `fsck.c`; the codes are
//! fsck's names.

mod names;
mod text;
mod tree;

use std::collections::HashSet;
use std::ops::Range;

use bstr::{BString, ByteSlice as _};

use super::{Check, Checks, Rule};
use crate::error::Result;
use crate::finding::{Findings, Origin, Severity, Violation};
use crate::options::Options;
use crate::subject::{Kinds, Object, ObjectKind};

pub static RULE: Rule = Rule {
    id: "git-objects",
    looks_at: Kinds::OBJECT,
    policy: include_str!("../../../policies/git-objects.yml"),
    compile,
};

fn compile(_: &Options<'_>) -> Checks {
    Checks { objects: vec![Box::new(GitObjects)], ..Checks::default() }
}

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// fsck's name, or our own for faults that git does not look for.
    pub code: &'static str,
    pub severity: Severity,
    pub message: &'static str,
}

impl Fault {
    const fn error(code: &'static str, message: &'static str) -> Self {
        Self { code, severity: Severity::Error, message }
    }

    /// A fault that `receive.fsckObjects` reports but accepts.
    const fn warning(code: &'static str, message: &'static str) -> Self {
        Self { code, severity: Severity::Warning, message }
    }
}

struct GitObjects;

impl<'a> Check<Object<'a>> for GitObjects {
    fn check(&self, object: &Object<'a>, out: &mut Findings<'_>) -> Result<()> {
        match object.kind {
            ObjectKind::Commit => report_text(object, text::commit(object.bytes, object.hash_length()), out),
            ObjectKind::Tag => report_text(object, text::tag(object.bytes, object.hash_length()), out),
            ObjectKind::Tree => check_tree(object, out),
            ObjectKind::Blob => {}
        }
        Ok(())
    }
}

/// Reports faults of a commit or tag at the line where git stops reading.
fn report_text(object: &Object<'_>, faults: Vec<(Fault, usize)>, out: &mut Findings<'_>) {
    for (fault, at) in faults {
        let origin = match object.kind {
            ObjectKind::Tag => Origin::Tag { name: tag_name(object.bytes), oid: object.id },
            _ => Origin::Message { commit: Some(object.id) },
        };
        let at = at.min(object.bytes.len());
        let end = object.bytes[at..].find_byte(b'\n').map_or(object.bytes.len(), |n| at + n);
        push(fault, object, origin, object.bytes, at..end, &[], out);
    }
}

fn tag_name(bytes: &[u8]) -> BString {
    let line = bytes.lines().take(8).find_map(|line| line.strip_prefix(b"tag "));
    line.map_or_else(|| "a tag".into(), Into::into)
}

/// Reports faults of a tree at the entry, written like the start of a `git ls-tree` line.
fn check_tree(object: &Object<'_>, out: &mut Findings<'_>) {
    let found = tree::faults(object.bytes, object.hash_length());
    if found.is_empty() {
        return;
    }
    // A fault that the tree had before is not this change's.
    let before = object.before.iter().flat_map(|before| tree::faults(before, object.hash_length()));
    let known: HashSet<(&str, &[u8])> = before.map(|old| (old.fault.code, old.name)).collect();
    for found in found.into_iter().filter(|f| !known.contains(&(f.fault.code, f.name))) {
        let mut path = object.path.to_owned();
        if !path.is_empty() && !found.name.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(found.name);
        let origin = Origin::File { path, commit: None, blob: Some(object.id) };
        let line = [found.mode, b" ", found.name].concat();
        push(found.fault, object, origin, &line, 0..line.len(), found.name, out);
    }
}

fn push(
    fault: Fault,
    object: &Object<'_>,
    origin: Origin,
    text: &[u8],
    range: Range<usize>,
    name: &[u8],
    out: &mut Findings<'_>,
) {
    let kind = match object.kind {
        ObjectKind::Commit => "commit",
        ObjectKind::Tag => "tag",
        _ => "tree",
    };
    let help = match object.kind {
        ObjectKind::Tree if matches!(fault.code, "caseCollision" | "unicodeCollision" | "aliasCollision") => {
            "rename one of the two: `git mv`, then commit again"
        }
        ObjectKind::Tag => "recreate the tag: `git tag -a -f NAME COMMIT -m NAME`",
        _ => "recreate the commit with git itself: `git commit --amend`, or `git rebase` for older ones",
    };
    let id = object.id.to_string();
    out.push(
        Violation::new(format!("git-objects/{}", fault.code), fault.severity, origin, text, range)
            .identity([fault.code.as_bytes(), id.as_bytes(), name])
            .message(format!("{} ({} in {kind} {})", fault.message, fault.code, object.id.short()))
            .help(help),
    );
}
