//! From what a platform says to refs that move: which commits are compared, and whose policy judges.
//! Reads the checkout only; what it lacks is `fetch`'s.

use bstr::ByteSlice as _;

use super::change::{Change, Since};
use crate::error::{Error, Result};
use crate::git::{Excluded, Push, ThreadRepo};
use crate::subject::{Oid, Update};

/// What is to be judged.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// `None`: nothing moves, so the whole tree is judged.
    pub push: Option<Push>,
    /// Whose policy judges; `None`: nothing stood before, so the built-in defaults do.
    pub trusted: Option<Oid>,
    pub notes: Vec<String>,
}

/// The checkout as it is now.
pub struct Place<'a> {
    pub local: &'a ThreadRepo<'a>,
    /// `refs/remotes/origin/`.
    pub branches_at: String,
}

/// Short names of the branches that a verdict on the change needs.
pub fn branches_needed(change: &Change) -> Vec<String> {
    let target = change.target.as_deref().and_then(|t| t.strip_prefix("refs/heads/"));
    let mut names: Vec<String> = target.into_iter().map(str::to_owned).chain(change.default_branch.clone()).collect();
    names.dedup();
    names
}

/// Ids that the platform names; what is not here is asked for by its id.
pub fn objects_needed(change: &Change) -> Vec<Oid> {
    let since = match change.since {
        Since::Target(tip) => tip,
        Since::Before(old) => Some(old),
        _ => None,
    };
    since.into_iter().chain(change.head).chain(change.pull.head).collect()
}

/// What the user asked to be compared, instead of what the platform tells: `A..B`, or `--base A` and maybe `--head B`.
pub fn compared(range: Push, change: Option<&Change>, context: &Place<'_>) -> Result<Resolved> {
    let local = context.local;
    let (Some(base), Some(new)) = range.updates.first().map_or((None, None), |u| (u.old, u.new)) else {
        return Err(Error::usage("there are no two commits to compare"));
    };
    let name = change.and_then(|c| c.target.clone()).map(Into::into);
    let name = name.or_else(|| range.updates.first().map(|u| u.name.clone())).unwrap_or_default();
    // A base that has moved on since they parted is no state that this change started from.
    let update = Update { name, old: Some(local.merge_base(base, new)?), new: Some(new) };
    let push = Push {
        updates: vec![update],
        known: Excluded::Commits(vec![base]),
        head_ref: change.and_then(|c| c.pull.head_ref.clone()).map(Into::into),
        branches_at: Some(context.branches_at.clone()),
        ..Push::default()
    };
    Ok(Resolved { push: Some(push), trusted: Some(base), notes: Vec::new() })
}

pub fn resolve(change: &Change, context: &Place<'_>) -> Result<Resolved> {
    let local = context.local;
    match change.since {
        Since::Standing => {
            let what = format!("{} runs for no change: the whole tree was judged", change.platform.name);
            let mut notes = vec![what];
            // Whoever may start a run may have written the branch that it runs on.
            let name = change.target.clone().map_or_else(|| local.branch_called("HEAD"), |name| Ok(name.into()))?;
            let trusted = match context.default_branch(change)? {
                Some((default, _)) if name == default => local.head()?,
                Some((_, Some(tip))) => Some(tip),
                _ => {
                    notes.push("the default branch is not here: judged by the built-in defaults".into());
                    None
                }
            };
            Ok(Resolved { push: None, trusted, notes })
        }
        Since::Target(told) => pull_request(change, told, context),
        Since::Before(_) | Since::New | Since::Untold => moved(change, context),
    }
}

/// A pull request: as it will land on its target.
fn pull_request(change: &Change, told: Option<Oid>, context: &Place<'_>) -> Result<Resolved> {
    let local = context.local;
    let target = change.target.clone().ok_or_else(|| untold("the target branch of the pull request"))?;
    // The result of the merge, where the platform made it: its first parent is what it was merged into.
    let merged = change.head.filter(|h| local.has(*h) && change.pull.head != Some(*h));
    let parents = merged.map(|m| local.commit(m)).transpose()?.map_or_else(Vec::new, |c| c.node.parents);
    let is_result = parents.len() == 2 && change.pull.head.is_none_or(|head| parents[1] == head);
    let stands = context.branch(&target)?.or(told.filter(|t| local.has(*t)));
    let (old, new, tip) = match (merged, parents.first()) {
        (Some(merge), Some(&into)) if is_result && (change.pull.head.is_some() || stands == Some(into)) => {
            (into, merge, into)
        }
        _ => {
            let new = change.pull.head.or(change.head).map_or_else(|| here(local), Ok)?;
            let tip = stands.ok_or_else(|| lacks(change, &format!("the target branch {target}")))?;
            (local.merge_base(tip, new).map_err(|e| e.hint(change.platform.full_checkout))?, new, tip)
        }
    };
    let update = Update { name: target.into(), old: Some(old), new: Some(new) };
    let push = Push {
        updates: vec![update],
        known: Excluded::Commits(vec![tip]),
        head_ref: change.pull.head_ref.clone().map(Into::into),
        branches_at: Some(context.branches_at.clone()),
        ..Push::default()
    };
    Ok(Resolved { push: Some(push), trusted: Some(tip), notes: Vec::new() })
}

/// A ref that has moved already.
fn moved(change: &Change, context: &Place<'_>) -> Result<Resolved> {
    let local = context.local;
    let name = match &change.target {
        Some(name) => name.clone(),
        None => local.branch_called("HEAD")?.to_str_lossy().into_owned(),
    };
    let default = context.default_branch(change)?;
    let is_default = default.as_ref().is_some_and(|(full, _)| *full == name);
    let tip = default.as_ref().and_then(|(_, tip)| *tip).filter(|_| !is_default);
    let mut notes = Vec::new();
    let new = match (name.strip_prefix("refs/tags/"), change.head) {
        (Some(_), _) => local.find_ref(name.as_bytes().as_bstr())?.or(change.head).map_or_else(|| here(local), Ok)?,
        (None, Some(head)) if local.has(head) => head,
        (None, Some(head)) => return Err(lacks(change, &format!("the commit {head}"))),
        (None, None) => here(local)?,
    };
    let old = match change.since {
        Since::Before(old) if local.has(old) => Some(old),
        Since::Before(old) if is_default || name.starts_with("refs/tags/") => {
            return Err(lacks(change, &format!("the commit {old}, which {name} named before,")));
        }
        Since::Untold if is_default => {
            let what = format!("{} does not tell what {name} named before", change.platform.name);
            return Err(
                Error::undecided(what).hint("say it: portcullis ci --base HEAD~1   # or whatever was judged last")
            );
        }
        // A tag that is new has no state before; a branch began where it left the default branch.
        _ if name.starts_with("refs/tags/") => None,
        since => {
            let base = tip.and_then(|tip| local.merge_base(tip, new).ok());
            if let (Since::Before(_), Some(base)) = (since, base) {
                let what = "what stood before was forced away: judged from where the branch left the default one";
                notes.push(format!("{what}, {}", base.short()));
            }
            base
        }
    };
    if tip.is_none() && !is_default {
        let what = "the default branch is not here, so neither its policy nor what it has is known";
        return Err(
            Error::undecided(what).hint("fetch it first: git fetch origin '+refs/heads/*:refs/remotes/origin/*'")
        );
    }
    if change.since == Since::Untold && change.target.is_none() && old == Some(new) {
        let what = format!("{} does not tell which branch it runs for, and what is new on it", change.platform.name);
        return Err(Error::undecided(what).hint("say it: portcullis ci --base REV"));
    }
    let update = Update { name: name.into(), old, new: Some(new) };
    let push = Push {
        updates: vec![update],
        known: Excluded::Commits(tip.into_iter().collect()),
        branches_at: Some(context.branches_at.clone()),
        ..Push::default()
    };
    Ok(Resolved { push: Some(push), trusted: if is_default { old } else { tip }, notes })
}

impl Place<'_> {
    /// A branch of the server, as it is known here; the branch of that name here stands in.
    fn branch(&self, full_name: &str) -> Result<Option<Oid>> {
        let short = full_name.strip_prefix("refs/heads/").unwrap_or(full_name);
        let there = self.local.find_ref(format!("{}{short}", self.branches_at).as_bytes().as_bstr())?;
        there.map_or_else(|| self.local.find_ref(full_name.as_bytes().as_bstr()), |t| Ok(Some(t)))
    }

    /// Full name of the default branch, and its tip: as told, as the remote's HEAD says, or the usual names.
    pub fn default_branch(&self, change: &Change) -> Result<Option<(String, Option<Oid>)>> {
        if let Some(short) = &change.default_branch {
            let full = format!("refs/heads/{short}");
            let tip = self.branch(&full)?;
            return Ok(Some((full, tip)));
        }
        let head = format!("{}HEAD", self.branches_at);
        if let Some(target) = self.local.symbolic_target(&head)?
            && let Some(short) = target.strip_prefix(self.branches_at.as_bytes())
        {
            let full = format!("refs/heads/{}", short.to_str_lossy());
            let tip = self.branch(&full)?;
            return Ok(Some((full, tip)));
        }
        for short in ["main", "master"] {
            let full = format!("refs/heads/{short}");
            if let Some(tip) = self.branch(&full)? {
                return Ok(Some((full, Some(tip))));
            }
        }
        Ok(None)
    }
}

fn here(local: &ThreadRepo<'_>) -> Result<Oid> {
    local.head()?.ok_or_else(|| Error::undecided("nothing is checked out here"))
}

fn untold(what: &str) -> Error {
    Error::undecided(format!("the platform does not tell {what}")).hint("say it: portcullis ci --base REV --head REV")
}

fn lacks(change: &Change, what: &str) -> Error {
    Error::undecided(format!("{what} is not here and cannot be fetched"))
        .hint(format!("{}, or say what to compare with: portcullis ci --base REV", change.platform.full_checkout))
}
