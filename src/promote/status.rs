//! How far the two branches have drifted, by what is deployed: not promoted yet, fixed on production only, or different
//! in configuration by design.

use std::collections::BTreeMap;

use bstr::BString;
use serde::{Deserialize, Serialize};

use super::evidence::{self, Promoted};
use super::history::{Change, History, Tip};
use super::items::item_of;
use super::simulate::Simulation;
use crate::error::Result;
use crate::text;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    pub version: u32,
    pub from: Tip,
    pub onto: Tip,
    /// Commits of the development branch that are not on production.
    pub unpromoted: usize,
    /// Those that probably are, under another id.
    pub probably: usize,
    /// Those that production merged and took back: no merge brings them again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[serde(default)]
    pub taken_back: Vec<TakenBack>,
    /// Commits of production that development has under no name.
    pub hotfixes: Vec<Commit>,
    /// Days since the oldest commit that waits was written.
    pub oldest_days: Option<i64>,
    pub drift: Vec<Drift>,
    /// Windmill's deploy branches that wait.
    pub deploys: Vec<Deploy>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    pub commit: String,
    pub subject: String,
    pub age_days: i64,
}

/// A commit that waits again, and the revert on production that took it back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenBack {
    pub commit: String,
    pub subject: String,
    pub by: String,
}

/// One deployed thing whose files differ between the branches' tips.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    pub path: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    pub why: Why,
    /// Files that differ.
    pub files: usize,
    pub unpromoted: usize,
    pub hotfixes: usize,
    pub oldest_days: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// Production has a change that development lacks.
    Hotfix,
    /// Development is ahead.
    Unpromoted,
    /// No commit that waits explains it: it differs by design, or by merges.
    Configuration,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deploy {
    pub branch: String,
    pub workspace: String,
    pub item: String,
    /// Commits that the development branch does not have.
    pub commits: usize,
}

const DAY: i64 = 86_400;

/// `now`: seconds since 1970.
pub fn status(history: &History<'_>, now: i64) -> Result<Status> {
    let simulation = Simulation::new(history);
    let promoted = evidence::gather(history, &simulation)?;
    let hot = hotfixes(history, &promoted)?;
    let age = |c: &Change| (now - c.time()).max(0) / DAY;
    let mut drift: BTreeMap<(String, String), Drift> = BTreeMap::new();
    let tip = history.picker.repo().commit(history.from.oid.0)?.node.tree;
    let mut differs: Vec<BString> = Vec::new();
    for edit in history.picker.edits(Some(history.tree), tip)?.iter() {
        let (path, kind) = item_of(edit.path.as_ref());
        let entry = drift.entry((path.clone(), kind.clone())).or_insert(Drift {
            path,
            kind,
            why: Why::Configuration,
            files: 0,
            unpromoted: 0,
            hotfixes: 0,
            oldest_days: None,
        });
        entry.files += 1;
        differs.push(edit.path.clone());
    }
    let open = history.dev.iter().zip(&promoted).filter(|(c, p)| !c.is_merge() && p.is_none()).map(|(c, _)| (c, false));
    for (change, hotfix) in open.chain(hot.iter().map(|c| (*c, true))) {
        let mut seen = Vec::new();
        for edit in history.picker.edits(change.base, change.tree())?.iter() {
            let item = item_of(edit.path.as_ref());
            if seen.contains(&item) || differs.binary_search(&edit.path).is_err() {
                continue;
            }
            if let Some(entry) = drift.get_mut(&item) {
                let n = if hotfix { &mut entry.hotfixes } else { &mut entry.unpromoted };
                *n += 1;
                entry.why = entry.why.min(if hotfix { Why::Hotfix } else { Why::Unpromoted });
                entry.oldest_days = entry.oldest_days.max(Some(age(change)));
            }
            seen.push(item);
        }
    }
    let waiting = || history.dev.iter().zip(&promoted).filter(|(c, p)| !c.is_merge() && p.is_none()).map(|(c, _)| c);
    Ok(Status {
        version: 1,
        from: history.from.clone(),
        onto: history.onto.clone(),
        unpromoted: waiting().count(),
        probably: promoted.iter().filter(|p| p.is_some_and(|p| !p.is_settled())).count(),
        taken_back: waiting()
            .filter_map(|c| {
                let (commit, by) = (c.id.to_string(), c.taken_back?.0.to_string());
                Some(TakenBack { commit, subject: c.subject.clone(), by })
            })
            .collect(),
        oldest_days: waiting().map(age).max(),
        hotfixes: hot
            .iter()
            .map(|c| Commit { commit: c.id.to_string(), subject: c.subject.clone(), age_days: age(c) })
            .collect(),
        drift: drift.into_values().collect(),
        deploys: deploys(history)?,
    })
}

/// Commits of production that are no picks and whose change development does not hold.
pub fn hotfixes<'h>(history: &'h History<'_>, promoted: &[Option<Promoted>]) -> Result<Vec<&'h Change>> {
    let picks: Vec<_> = promoted.iter().flatten().filter_map(|p| p.commit).map(|c| c.0).collect();
    let reverts: Vec<_> = history.dev.iter().filter_map(|c| c.taken_back).map(|c| c.0).collect();
    let tip = history.picker.repo().commit(history.from.oid.0)?.node.tree;
    let mut out = Vec::new();
    for at in evidence::standing(history) {
        let change = &history.main[at];
        // The revert of a pick is no fix of production's own, and a pick names what it picked.
        let named = change.trailers.originals().any(|hex| history.abbreviated(hex).is_some());
        if change.is_merge()
            || named
            || [&picks, &reverts].iter().any(|list| list.contains(&change.id))
            || !change.trailers.reverts.is_empty()
        {
            continue;
        }
        let held = history.picker.pick(change.base, change.tree(), tip)?;
        if held != crate::git::Picked::Clean(tip) {
            out.push(change);
        }
    }
    Ok(out)
}

fn deploys(history: &History<'_>) -> Result<Vec<Deploy>> {
    let local = history.picker.repo();
    let mut out = Vec::new();
    for prefix in ["refs/heads/wm_deploy/", "refs/remotes/origin/wm_deploy/"] {
        for r in local.refs(prefix)? {
            let Some(rest) = r.name.strip_prefix(prefix.as_bytes()) else { continue };
            let Some((workspace, item)) = deploy_branch(&text::sanitise(rest)) else { continue };
            let commits = crate::git::new_commits(local, &[r.target], &[history.from.oid.0])?.len();
            if commits > 0 {
                let branch = text::sanitise(
                    r.name
                        .strip_prefix(b"refs/heads/")
                        .or_else(|| r.name.strip_prefix(b"refs/remotes/"))
                        .unwrap_or(&r.name),
                );
                out.push(Deploy { branch, workspace, item, commits });
            }
        }
    }
    Ok(out)
}

/// `(workspace, item)` of what follows `wm_deploy/`: `staging/script/f__etl__load`, or grouped, `staging/f__etl`.
pub fn deploy_branch(rest: &str) -> Option<(String, String)> {
    let (workspace, tail) = rest.split_once('/')?;
    let path = tail.rsplit_once('/').map_or(tail, |(_, path)| path);
    (!workspace.is_empty() && !path.is_empty()).then(|| (workspace.to_owned(), path.replace("__", "/")))
}
