//! Finds commits of the development branch that are on production already under another id, by evidence of several grades,
//! and takes reverts into account. A trailer whose patch agrees is certain, and so are equal patches; an empty pick means that
//! nothing is left to do; subject and author time make it probable. A subject alone is no evidence.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bstr::{BString, ByteSlice as _};

use super::history::{Change, Hex, History};
use super::requests;
use super::simulate::Simulation;
use super::verify;
use crate::error::Result;
use crate::git::Picked;
use crate::subject::Oid;

/// How sure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// Somebody should look.
    Probable,
    /// The same change is there, though nobody wrote where it came from; or nothing is left to do.
    Likely,
    /// A trailer names it, and the patches agree.
    Certain,
}

/// Which kind of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    Trailer,
    PatchId,
    EmptyPick,
    SubjectAndTime,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Promoted {
    pub grade: Grade,
    pub by: By,
    /// The commit of production that brought it; none for an empty pick.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub commit: Option<Hex>,
}

impl Promoted {
    /// Sure enough to leave the commit out of a plan. An empty pick is not: what it does may be needed again once
    /// something else is picked.
    pub fn is_settled(self) -> bool {
        self.grade > Grade::Probable && self.by != By::EmptyPick
    }
}

/// The best evidence for each commit of [`History::dev`], by position; `None`: not promoted as far as can be seen.
pub fn gather(history: &History<'_>, simulation: &Simulation<'_, '_>) -> Result<Vec<Option<Promoted>>> {
    let standing = standing(history);
    let main: Vec<&Change> = standing.iter().map(|at| &history.main[*at]).filter(|c| !c.is_merge()).collect();
    let mut named: HashMap<usize, &Change> = HashMap::new();
    let mut signed: HashMap<(BString, BString, i64), &Change> = HashMap::new();
    let mut headers: HashMap<_, Vec<&Change>> = HashMap::new();
    let requests = requests::by_number(history);
    let mut change_ids: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, change) in history.dev.iter().enumerate() {
        change_ids.entry(change.trailers.change_id.as_deref().unwrap_or_default()).or_default().push(at);
    }
    for change in &main {
        let trailers = &change.trailers;
        for at in trailers.originals().filter_map(|hex| history.abbreviated(hex)) {
            named.entry(at).or_insert(change);
            if history.dev[at].is_merge() {
                for of_topic in requests::topic(history, at) {
                    named.entry(of_topic).or_insert(change);
                }
            }
        }
        for at in trailers.copied_from.requests.iter().filter_map(|number| requests.get(number)).flatten() {
            named.entry(*at).or_insert(change);
        }
        if let Some([at]) = trailers.change_id.as_deref().and_then(|id| change_ids.get(id)).map(Vec::as_slice) {
            named.entry(*at).or_insert(change);
        }
        signed.entry(signature(change)).or_insert(change);
        if let Some(id) = history.picker.header_id(change.base, change.tree())? {
            headers.entry(id).or_default().push(change);
        }
    }
    // The other direction: what production picked is known there by its original's name.
    let originals: HashMap<String, &Change> = main.iter().map(|c| (c.id.to_string(), *c)).collect();
    let original_of = |change: &Change| -> Option<&Change> {
        change.trailers.originals().find_map(|hex| {
            originals.get(hex).copied().or_else(|| {
                (hex.len() < 40).then(|| main.iter().copied().find(|c| c.id.to_string().starts_with(hex)))?
            })
        })
    };
    let mut patches = HashMap::new();
    let mut patch = |c: &Change| -> Result<_> {
        Ok(match patches.get(&c.id) {
            Some(id) => *id,
            None => {
                let id = history.picker.patch_id(c.base, c.tree())?;
                patches.insert(c.id, id);
                id
            }
        })
    };
    let mut out = Vec::with_capacity(history.dev.len());
    for (at, change) in history.dev.iter().enumerate() {
        if change.is_merge() {
            out.push(None);
            continue;
        }
        let found =
            |grade, by, commit: Option<&Change>| Some(Promoted { grade, by, commit: commit.map(|c| Hex(c.id)) });
        let header = history.picker.header_id(change.base, change.tree())?;
        let claim = named.get(&at).copied().or_else(|| original_of(change));
        let mut twin = None;
        for other in header.and_then(|h| headers.get(&h)).into_iter().flatten() {
            if let Some(mine) = patch(change)?
                && patch(other)? == Some(mine)
            {
                // The one that names it is the better witness.
                if twin.is_none() || claim.is_some_and(|n| n.id == other.id) {
                    twin = Some(*other);
                }
            }
        }
        let same_sign = signed.get(&signature(change)).copied();
        out.push(match (claim, twin) {
            (Some(claim), twin) if twin.is_some_and(|t| t.id == claim.id) || agrees(history, change, claim)? => {
                found(Grade::Certain, By::Trailer, Some(claim))
            }
            (_, Some(twin)) => found(Grade::Likely, By::PatchId, Some(twin)),
            _ if is_empty(simulation, history, at)? => found(Grade::Likely, By::EmptyPick, claim.or(same_sign)),
            (Some(claim), None) => found(Grade::Probable, By::Trailer, Some(claim)),
            (None, None) => match same_sign {
                Some(c) => found(Grade::Probable, By::SubjectAndTime, Some(c)),
                None => None,
            },
        });
    }
    Ok(out)
}

/// The same lines go and come, whatever stands around them.
fn agrees(history: &History<'_>, one: &Change, other: &Change) -> Result<bool> {
    Ok(verify::differences(&history.picker, (one.base, one.tree()), (other.base, other.tree()))?.is_empty())
}

fn is_empty(simulation: &Simulation<'_, '_>, history: &History<'_>, at: usize) -> Result<bool> {
    let change = &history.dev[at];
    for edit in history.picker.edits(change.base, change.tree())?.iter() {
        // Production stands where the commit started: it would do something there, and no tree has to be made to see it.
        if history.picker.leaf(history.tree, edit.path.as_ref())? == edit.old {
            return Ok(false);
        }
    }
    Ok(matches!(*simulation.pick(history.tree, at)?, Picked::Clean(tree) if tree == history.tree))
}

fn signature(change: &Change) -> (BString, BString, i64) {
    let subject = change.raw.message.lines().next().unwrap_or_default();
    // Platforms add the pull request's number when they squash.
    let subject = match subject.trim().rsplit_once_str(" (#") {
        Some((head, tail)) if tail.ends_with(b")") => head,
        _ => subject.trim(),
    };
    (subject.into(), change.raw.node.author.email.clone(), change.time())
}

/// Positions in [`History::main`] of commits that no later commit takes back.
pub fn standing(history: &History<'_>) -> Vec<usize> {
    let gone = taken_back(history);
    (0..gone.len()).filter(|at| gone[*at].is_none()).collect()
}

/// For each of [`History::main`] the position of the later commit that took it back; newest decides first, so that the
/// revert of a revert restores.
pub fn taken_back(history: &History<'_>) -> Vec<Option<usize>> {
    let main = &history.main;
    let by_id: HashMap<Oid, usize> = main.iter().enumerate().map(|(at, c)| (c.id, at)).collect();
    let mut gone = vec![None; main.len()];
    let mut gone_original: HashMap<usize, usize> = HashMap::new();
    for at in (0..main.len()).rev() {
        let change = &main[at];
        if gone[at].is_some() {
            continue;
        }
        let original = change.trailers.originals().find_map(|hex| history.abbreviated(hex));
        gone[at] = original.and_then(|original| gone_original.get(&original)).copied();
        if gone[at].is_some() {
            continue;
        }
        let is_pick = original.is_some();
        let mut named = false;
        for hex in &change.trailers.reverts {
            let hit = match Oid::from_hex(hex.as_bytes()) {
                Some(id) => by_id.get(&id).copied(),
                None => main[..at].iter().rposition(|c| c.id.to_string().starts_with(hex)),
            };
            if let Some(hit) = hit {
                take_back(main, &mut gone, hit, at);
                named = true;
            } else if let Some(original) = history.abbreviated(hex)
                && !is_pick
            {
                // Taken back on production under the name that it has in development.
                gone_original.insert(original, at);
                named = true;
            }
        }
        if !named
            && !is_pick
            && let Some(subject) = &change.trailers.reverts_subject
            && let Some(hit) = (0..at).rev().find(|i| gone[*i].is_none() && first_line(&main[*i]) == subject.as_str())
        {
            take_back(main, &mut gone, hit, at);
            named = true;
        }
        if !named
            && !is_pick
            && let Some(number) = &change.trailers.reverts_request
            && let Some(hit) = (0..at).rev().find(|i| {
                gone[*i].is_none() && requests::numbers(&main[*i].raw.message.to_str_lossy()).contains(number)
            })
        {
            take_back(main, &mut gone, hit, at);
        }
    }
    gone
}

/// The revert of a merge takes back all that the merge brought.
fn take_back(main: &[Change], gone: &mut [Option<usize>], hit: usize, by: usize) {
    gone[hit] = Some(by);
    if main[hit].is_merge() {
        let kept = main[by].trailers.mainline.as_ref();
        let parents = &main[hit].raw.node.parents;
        let mainline = kept.and_then(|hex| parents.iter().position(|p| p.to_string().starts_with(hex))).unwrap_or(0);
        for brought in requests::brought(main, hit, mainline) {
            gone[brought].get_or_insert(by);
        }
    }
}

/// Commits of `chosen` that production had and took back, each with the pick and what undid it.
pub fn pulled<'h>(history: &'h History<'_>, chosen: &BTreeSet<usize>) -> Vec<(usize, &'h Change, &'h Change)> {
    let signed: HashMap<_, usize> = chosen.iter().map(|at| (signature(&history.dev[*at]), *at)).collect();
    let mut out = BTreeMap::new();
    for (at, by) in taken_back(history).into_iter().enumerate() {
        let (pick, Some(by)) = (&history.main[at], by) else { continue };
        let named = pick.trailers.originals().find_map(|hex| history.abbreviated(hex));
        if let Some(original) = named.or_else(|| signed.get(&signature(pick)).copied())
            && chosen.contains(&original)
        {
            out.insert(original, (original, pick, &history.main[by]));
        }
    }
    out.into_values().collect()
}

fn first_line(change: &Change) -> std::borrow::Cow<'_, str> {
    change.raw.message.lines().next().unwrap_or_default().trim().to_str_lossy()
}
