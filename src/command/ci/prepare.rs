//! Everything that must be settled before `ci` can judge: the checkout made whole, the commits to compare, the policy
//! that is trusted, the title. Owns the order of it.

use bstr::{BStr, ByteSlice as _};

use super::change::{Change, Since};
use super::fetch::Checkout;
use super::resolve::{self, Place, Resolved};
use crate::cli::Ci;
use crate::command::Outside;
use crate::command::check::range_push;
use crate::command::policy_file;
use crate::error::{Error, Result};
use crate::finding::Findings;
use crate::git::{self, Push, Repo};
use crate::options::PolicyFile;
use crate::policy::{Batch, Policy, trust};
use crate::rules::conventional_commits::prefix;
use crate::rules::secrets::redactor;
use crate::subject::Oid;

/// What is to be judged, and by what.
pub struct Ready {
    pub repo: Repo,
    /// `None`: nothing moves, the whole tree is judged.
    pub push: Option<Push>,
    /// `None`: the one that the user named.
    pub policy: Option<Policy>,
    /// What the change does to the policy.
    pub findings: Option<Batch>,
    pub notes: Vec<String>,
    pub title: Option<String>,
}

pub fn prepare(args: &Ci, change: Option<Change>, outside: &Outside) -> Result<Ready> {
    let asked = args
        .range
        .clone()
        .or_else(|| args.base.as_ref().map(|base| format!("{base}..{}", args.head.as_deref().unwrap_or("HEAD"))));
    if change.is_none() && asked.is_none() {
        return Err(Error::usage("no CI platform that portcullis knows runs this, so it cannot find base and head")
            .hint("say what to judge: portcullis ci --range A..B, or --base REV"));
    }
    let mut repo = open(outside)?;
    let checkout = Checkout::of(&repo);
    let branches_at = format!("refs/remotes/{}/", checkout.as_ref().map_or("origin", |c| c.remote.as_str()));
    let mut change = change;
    if let Some(checkout) = &checkout {
        repo = made_whole(repo, change.as_ref(), asked.as_deref(), checkout, outside)?;
        if let Some(change) = change.as_mut().filter(|c| c.since != Since::Standing) {
            repo = with_default_branch(repo, change, &branches_at, checkout, outside)?;
        }
    }
    let resolved = {
        let local = repo.thread_local();
        let place = Place { local: &local, branches_at: branches_at.clone() };
        match (&asked, &change) {
            (Some(range), change) => resolve::compared(range_push(&local, range)?, change.as_ref(), &place)?,
            (None, Some(change)) => resolve::resolve(change, &place)?,
            (None, None) => unreachable!("refused above"),
        }
    };
    let mut tips = tips(&resolved);
    bring_content(checkout.as_ref(), &resolved, &tips);
    let mut notes = resolved.notes;
    let own = args.judge.policy.is_some() || args.judge.policy_from.is_some();
    let policy = if own {
        None
    } else {
        let (policy, remark) = trust::or_built_in(policy_at(&repo, resolved.trusted)?);
        notes.extend(remark);
        Some(policy)
    };
    if let (Some(checkout), Some(policy)) = (&checkout, &policy) {
        let missing = missing_environments(&repo, policy, &branches_at)?;
        if !missing.is_empty() && checkout.branches(&missing) {
            repo = open(outside)?;
        }
        tips.extend(environment_tips(&repo, policy, &branches_at)?);
        checkout.content(&[], &[], &tips);
    }
    let title = title(args.judge.title.as_deref(), change.as_ref())?;
    let findings = match (&policy, &change, &resolved.push) {
        (Some(policy), Some(change), Some(push)) => {
            let local = repo.thread_local();
            let default = Place { local: &local, branches_at }.default_branch(change)?.map(|d| d.0);
            policy_changed(&repo, policy, change, push, default.as_deref())?
        }
        _ => None,
    };
    Ok(Ready { repo, push: resolved.push, policy, findings, notes, title })
}

/// The title to be judged: the given one, or for a bare `--title` the platform's. A run for no pull request has none.
/// The mark of a draft is no part of the header that will come of it.
fn title(asked: Option<&str>, change: Option<&Change>) -> Result<Option<String>> {
    let title = match asked {
        None => return Ok(None),
        Some("") if !change.is_some_and(|c| matches!(c.since, Since::Target(_))) => return Ok(None),
        Some("") => change.and_then(|c| c.pull.title.clone()).ok_or_else(|| {
            Error::undecided("the platform does not tell the pull request's title")
                .hint("give it: portcullis ci --title TEXT")
        })?,
        Some(given) => given.to_owned(),
    };
    let mut rest = title.as_str();
    while let Some(after) = prefix::strip_draft_mark(rest) {
        rest = after;
    }
    Ok(Some(rest.to_owned()))
}

/// Finds the default branch of a checkout that has one branch only, and brings it: its policy judges, and what it has
/// is not new.
fn with_default_branch(
    repo: Repo,
    change: &mut Change,
    branches_at: &str,
    checkout: &Checkout,
    outside: &Outside,
) -> Result<Repo> {
    {
        let local = repo.thread_local();
        let place = Place { local: &local, branches_at: branches_at.to_owned() };
        if place.default_branch(change)?.is_some_and(|(_, tip)| tip.is_some()) {
            return Ok(repo);
        }
    }
    let Some(name) = change.default_branch.clone().or_else(|| checkout.default_branch()) else { return Ok(repo) };
    change.default_branch = Some(name.clone());
    if checkout.branches(std::slice::from_ref(&name)) { open(outside) } else { Ok(repo) }
}

fn open(outside: &Outside) -> Result<Repo> {
    git::discover(&outside.directory)?.ok_or_else(|| Error::no_repository(&outside.directory))
}

/// Brings history, branches, tags and commits that the verdict needs. Whether it succeeded shows later: what is still
/// missing then cannot be decided.
fn made_whole(
    repo: Repo,
    change: Option<&Change>,
    asked: Option<&str>,
    checkout: &Checkout,
    outside: &Outside,
) -> Result<Repo> {
    let branches = change.map(resolve::branches_needed).unwrap_or_default();
    let mut brought = false;
    // Where nothing moves, the default branch's policy is all that is needed.
    let needs_history = change.is_none_or(|c| c.since != Since::Standing) || asked.is_some();
    if needs_history && !repo.thread_local().shallow_boundary()?.is_empty() {
        brought |= checkout.unshallow(&branches);
    }
    let repo = if brought { open(outside)? } else { repo };
    let local = repo.thread_local();
    let there = |name: &String| {
        let full = format!("refs/remotes/{}/{name}", checkout.remote);
        local.find_ref(BStr::new(&full)).is_ok_and(|found| found.is_some())
    };
    let lacking: Vec<String> = branches.into_iter().filter(|b| !there(b)).collect();
    // One at a time: a branch that is gone must not keep the others away.
    let mut more = lacking.iter().filter(|b| checkout.branches(std::slice::from_ref(*b))).count() > 0;
    let words = asked.into_iter().flat_map(|range| range.split("..")).filter_map(|w| Oid::from_hex(w.as_bytes()));
    for id in
        change.map(resolve::objects_needed).unwrap_or_default().into_iter().chain(words).filter(|id| !local.has(*id))
    {
        more |= checkout.object(id);
    }
    if change.and_then(|c| c.target.as_deref()).is_some_and(|t| t.starts_with("refs/tags/")) {
        more |= checkout.tags();
    }
    if more { open(outside) } else { Ok(repo) }
}

/// The commits whose trees are looked at.
fn tips(resolved: &Resolved) -> Vec<Oid> {
    let moved = resolved.push.iter().flat_map(|p| &p.updates).flat_map(|u| [u.old, u.new]);
    moved.flatten().chain(resolved.trusted).collect()
}

fn bring_content(checkout: Option<&Checkout>, resolved: &Resolved, tips: &[Oid]) {
    let (Some(checkout), Some(push)) = (checkout, &resolved.push) else { return };
    let new: Vec<Oid> = push.updates.iter().filter_map(|u| u.new).collect();
    let mut old: Vec<Oid> = push.updates.iter().filter_map(|u| u.old).collect();
    if let git::Excluded::Commits(known) = &push.known {
        old.extend(known);
    }
    checkout.content(&new, &old, tips);
}

fn policy_at(repo: &Repo, commit: Option<Oid>) -> Result<Vec<PolicyFile>> {
    let Some(commit) = commit else { return Ok(Vec::new()) };
    policy_file::at_revision(&repo.thread_local(), commit, &commit.short())
}

/// Short names of the branches of environments, globs left out.
fn environments(policy: &Policy) -> impl Iterator<Item = &String> {
    let all = policy.vocabulary().environments.iter().flat_map(|e| &e.branches);
    all.filter(|b| !b.contains(['*', '?', '[', '{']))
}

/// Branches of environments that are known here under no name.
fn missing_environments(repo: &Repo, policy: &Policy, branches_at: &str) -> Result<Vec<String>> {
    let local = repo.thread_local();
    let mut missing = Vec::new();
    for branch in environments(policy) {
        if local.find_ref(BStr::new(&format!("{branches_at}{branch}")))?.is_none() {
            missing.push(branch.clone());
        }
    }
    Ok(missing)
}

fn environment_tips(repo: &Repo, policy: &Policy, branches_at: &str) -> Result<Vec<Oid>> {
    let local = repo.thread_local();
    let tips = environments(policy).map(|b| local.find_ref(BStr::new(&format!("{branches_at}{b}"))));
    tips.filter_map(Result::transpose).collect()
}

/// What the change does to the policy, where it lands on the default branch.
fn policy_changed(
    repo: &Repo,
    policy: &Policy,
    change: &Change,
    push: &Push,
    default: Option<&str>,
) -> Result<Option<Batch>> {
    let local = repo.thread_local();
    let Some(update) = push.updates.iter().find(|u| default.is_some_and(|d| u.name == d.as_bytes().as_bstr())) else {
        return Ok(None);
    };
    let read = |commit: Option<Oid>| commit.map_or(Ok(Vec::new()), |c| policy_file::at_commit(&local, c));
    let (old, new) = (read(update.old)?, read(update.new)?);
    let actor = change.actor.clone().map(Into::into);
    let mut findings = Findings::new(redactor(), 0);
    let change = trust::PolicyChange {
        old: &old,
        new: &new,
        account: actor.as_ref(),
        approvers: &policy.vocabulary().approvers,
        anyone: false,
    };
    change.judge(&mut findings);
    let findings = findings.into_vec();
    Ok((!findings.is_empty()).then(|| Batch { refs: update.name.clone().into(), findings }))
}
