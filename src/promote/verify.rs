//! Checks commits that claim to be picks: compares each patch with the original's, and lists every hunk that only one of
//! them has.

use std::borrow::Cow;

use bstr::{BString, ByteSlice as _};

use super::trailers::Trailers;
use crate::error::{Error, Result};
use crate::git::{Leaf, Picker, ThreadRepo, is_binary, new_commits, regions};
use crate::subject::Oid;
use crate::text;

/// One commit that claims to be a pick.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Claim {
    pub commit: String,
    pub subject: String,
    /// As the message has it.
    pub original: String,
    pub verdict: Verdict,
    pub differences: Vec<Difference>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The same patch.
    Same,
    Differs,
    /// There is no such commit here.
    Missing,
    /// The original exists and is not on the branch that picks must come from.
    Elsewhere,
}

/// A hunk that only one of the two has.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Difference {
    pub path: String,
    /// In the version after the commit that has it.
    pub lines: String,
    /// `pick` or `original`.
    pub only_in: Cow<'static, str>,
}

/// Looks at every commit of `a..b` that names an original. `from`: the branch that originals must be on.
pub fn verify(local: &ThreadRepo<'_>, range: &str, from: Option<Oid>) -> Result<Vec<Claim>> {
    let Some((a, b)) = range.split_once("..") else {
        return Err(Error::usage(format!("`{range}` is not a range")).hint("portcullis promote verify main..promote/x"));
    };
    let end = |name: &str| local.commit_named(if name.is_empty() { "HEAD" } else { name });
    let (a, b) = (end(a)?, end(b)?);
    let picker = Picker::new(local);
    let reachable = match from {
        // Originals that production has in common are on both.
        Some(tip) => {
            Some(new_commits(local, &[tip], &[a])?.iter().map(|s| s.id).collect::<std::collections::HashSet<_>>())
        }
        None => None,
    };
    let mut out = Vec::new();
    for step in new_commits(local, &[b], &[a])? {
        let raw = local.commit(step.id)?;
        let trailers = Trailers::read(raw.message.as_ref());
        // Picks of picks name several: the last line is the nearest.
        // Other words may name a commit of another repository: they count where the commit is here.
        let here = |id: &&String| local.commit_named(id).is_ok();
        let copied = || trailers.copied_from.commits.iter().rev().find(here);
        let Some(name) = trailers.picked_from.last().or_else(copied) else { continue };
        let subject = text::sanitise(raw.message.lines().next().unwrap_or_default());
        let claim = |verdict, differences| Claim {
            commit: step.id.to_string(),
            subject: subject.clone(),
            original: name.clone(),
            verdict,
            differences,
        };
        let Ok(original) = local.commit_named(name) else {
            out.push(claim(Verdict::Missing, Vec::new()));
            continue;
        };
        let (mine, other) = (sides(local, step.id)?, sides(local, original)?);
        let differences = differences(&picker, mine, other)?;
        let elsewhere = reachable.as_ref().is_some_and(|set| !set.contains(&original));
        out.push(match (differences.is_empty(), elsewhere) {
            (false, _) => claim(Verdict::Differs, differences),
            (true, true) => claim(Verdict::Elsewhere, differences),
            (true, false) => claim(Verdict::Same, differences),
        });
    }
    Ok(out)
}

/// The trees before and after a commit.
pub type Sides = (Option<Oid>, Oid);

fn sides(local: &ThreadRepo<'_>, commit: Oid) -> Result<Sides> {
    let node = local.commit(commit)?.node;
    let base = match node.parents.first() {
        Some(parent) => Some(local.commit(*parent)?.node.tree),
        None => None,
    };
    Ok((base, node.tree))
}

/// A hunk without its place: what goes and what comes.
type Hunk = (BString, Vec<u8>, Vec<u8>);

/// Hunks that only one of two commits has; what stands around a hunk does not count.
pub fn differences(picker: &Picker<'_>, pick: Sides, original: Sides) -> Result<Vec<Difference>> {
    let (mine, mut other) = (hunks(picker, pick)?, hunks(picker, original)?);
    let mut out = Vec::new();
    for (hunk, lines) in mine {
        match other.iter().position(|(o, _)| *o == hunk) {
            Some(at) => drop(other.remove(at)),
            None => out.push(Difference { path: text::sanitise(&hunk.0), lines, only_in: "pick".into() }),
        }
    }
    out.extend(other.into_iter().map(|(hunk, lines)| Difference {
        path: text::sanitise(&hunk.0),
        lines,
        only_in: "original".into(),
    }));
    out.sort_by(|a, b| (&a.path, &a.only_in, &a.lines).cmp(&(&b.path, &b.only_in, &b.lines)));
    Ok(out)
}

fn hunks(picker: &Picker<'_>, (base, tree): Sides) -> Result<Vec<(Hunk, String)>> {
    let mut out = Vec::new();
    for edit in picker.edits(base, tree)?.iter() {
        let read = |leaf: Option<Leaf>| match leaf {
            Some(leaf) if !leaf.is_submodule() => picker.blob(leaf.id),
            Some(leaf) => Ok(std::rc::Rc::new(leaf.id.to_string().into_bytes())),
            None => Ok(Default::default()),
        };
        let (before, after) = (read(edit.old)?, read(edit.new)?);
        let modes = format!("{:?}{:?}", edit.old.map(|l| l.mode), edit.new.map(|l| l.mode)).into_bytes();
        if edit.old.map(|l| l.mode) != edit.new.map(|l| l.mode) {
            out.push(((edit.path.clone(), modes, Vec::new()), String::new()));
        }
        if is_binary(&before) || is_binary(&after) {
            out.push(((edit.path.clone(), before.to_vec(), after.to_vec()), String::new()));
            continue;
        }
        let (a, b): (Vec<&[u8]>, Vec<&[u8]>) =
            (before.lines_with_terminator().collect(), after.lines_with_terminator().collect());
        for region in regions(&before, &after) {
            let cut = |lines: &[&[u8]], r: &std::ops::Range<u32>| lines[r.start as usize..r.end as usize].concat();
            let lines = super::blame::span(std::iter::once(&region.after));
            out.push(((edit.path.clone(), cut(&a, &region.before), cut(&b, &region.after)), lines));
        }
    }
    Ok(out)
}
