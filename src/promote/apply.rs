//! Applies a plan: writes its picks as commits on a new branch, without a work tree. Refuses a plan whose branches have
//! moved, and never moves an existing branch. All commits are computed before the first object is written, and the branch is
//! created last: an interrupted run changed nothing, and a second run reuses its objects.

use bstr::ByteSlice as _;

use super::history::{Hex, tip};
use super::message::with_origin;
use super::plan::{Plan, State};
use super::worktree;
use crate::error::{Error, Result};
use crate::finding::Severity;
use crate::git::{Committer, Picked, Picker, ThreadRepo, Write};
use crate::subject::Oid;

/// How.
pub struct Apply<'a> {
    /// Short name; `promote/<date>-<short>` without one.
    pub branch: Option<&'a str>,
    /// Take what is clean and leave what conflicts.
    pub partial: bool,
    /// Seconds since 1970.
    pub now: i64,
    /// `2026-01-31`.
    pub today: String,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Short name.
    pub branch: String,
    pub tip: Oid,
    /// New commits, oldest first, each beside its original.
    pub picks: Vec<(Oid, Oid)>,
    /// An earlier run of the same plan had made the branch.
    pub already: bool,
}

pub fn apply(local: &ThreadRepo<'_>, plan: &Plan, how: &Apply<'_>) -> Result<Applied> {
    refuse_stale(local, plan)?;
    refuse_unready(plan, how.partial)?;
    if plan.picks().next().is_none() {
        return Err(Error::usage("the plan has nothing to pick"));
    }
    if let Some(done) = earlier(local, plan, how.branch)? {
        return Ok(done);
    }
    let branch = name(plan, how);
    let full = format!("refs/heads/{branch}");
    if local.find_ref(full.as_str().into())?.is_some() {
        return Err(Error::usage(format!("the branch {branch} exists, and holds something else"))
            .hint("give the new one another name: --branch NAME"));
    }
    let picker = Picker::new(local);
    let write = Write::new(&picker);
    let picks = commits(&picker, &write, plan, &Committer::of(local, how.now)?)?;
    for (_, new) in &picks {
        write.keep(*new)?;
    }
    let tip = picks.last().map_or(plan.onto.oid.0, |(_, new)| *new);
    worktree::create_branch(local, &write, &full, tip, "portcullis promote apply")?;
    Ok(Applied { branch, tip, picks, already: false })
}

/// The commits of a plan, in memory: `(original, new)`.
///
/// Errors: a pick comes to another tree than the plan says.
pub fn commits(picker: &Picker<'_>, write: &Write<'_, '_>, plan: &Plan, by: &Committer) -> Result<Vec<(Oid, Oid)>> {
    let mut parent = plan.onto.oid.0;
    let mut tree = picker.repo().commit(parent)?.node.tree;
    let mut out = Vec::new();
    for step in plan.steps.iter().filter(|s| matches!(s.state, State::Clean | State::Refused)) {
        let original = picker.repo().commit(step.commit.0)?;
        let base = match original.node.parents.first() {
            Some(parent) => Some(picker.repo().commit(*parent)?.node.tree),
            None => None,
        };
        let picked = picker.pick(base, original.node.tree, tree)?;
        if picked != Picked::Clean(step.tree.0) {
            let what = format!("the plan does not hold: {} comes to something else", step.commit.0.short());
            return Err(Error::undecided(what).hint("plan again, with this version of portcullis"));
        }
        let message = with_origin(&original.node.message, step.commit.0);
        parent = write.commit(&original, step.tree.0, parent, message.as_bstr(), by)?;
        tree = step.tree.0;
        out.push((step.commit.0, parent));
    }
    Ok(out)
}

/// Errors: a branch is not where it was when the plan was made.
pub fn refuse_stale(local: &ThreadRepo<'_>, plan: &Plan) -> Result<()> {
    for planned in [&plan.from, &plan.onto] {
        let now = tip(local, &planned.name)?.oid;
        if now != planned.oid {
            let (was, is) = (planned.oid.0.short(), now.0.short());
            return Err(Error::usage(format!("the plan is stale: {} was {was} and is {is}", planned.name))
                .hint("portcullis promote plan: it costs a second"));
        }
    }
    Ok(())
}

pub fn refuse_unready(plan: &Plan, partial: bool) -> Result<()> {
    if let Some(step) = plan.in_state(State::Refused).next() {
        let rules: Vec<&str> = step.findings.iter().map(|f| f.rule.as_str()).collect();
        let what = format!("{} is refused by {}", step.commit.0.short(), rules.join(", "));
        return Err(Error::usage(what).hint(format!("plan again without it: --all-but {}", step.commit.0.short())));
    }
    if let Some(found) = plan.result.findings.iter().find(|f| f.severity == Severity::Error) {
        return Err(Error::usage(format!("the result is refused by {}: {}", found.rule, found.message)));
    }
    if let Some(step) = plan.in_state(State::Conflict).next().filter(|_| !partial) {
        let what = format!("{} does not apply", step.commit.0.short());
        return Err(Error::usage(what).hint("--partial takes what is clean and leaves the rest"));
    }
    Ok(())
}

pub fn name(plan: &Plan, how: &Apply<'_>) -> String {
    how.branch.map_or_else(|| format!("promote/{}-{}", how.today, plan.short()), ToOwned::to_owned)
}

/// The branch that an earlier run of this plan made.
pub fn earlier(local: &ThreadRepo<'_>, plan: &Plan, branch: Option<&str>) -> Result<Option<Applied>> {
    let end = format!("-{}", plan.short());
    for r in local.refs("refs/heads/")? {
        let Some(short) = r.name.strip_prefix(b"refs/heads/").and_then(|n| n.to_str().ok()) else { continue };
        let ours = match branch {
            Some(name) => short == name,
            None => short.starts_with("promote/") && short.ends_with(&end),
        };
        if ours && let Some(picks) = holds(local, plan, r.target)? {
            return Ok(Some(Applied { branch: short.to_owned(), tip: r.target, picks, already: true }));
        }
    }
    Ok(None)
}

/// The picks of a plan, if they and nothing else stand between production and `tip`.
fn holds(local: &ThreadRepo<'_>, plan: &Plan, tip: Oid) -> Result<Option<Vec<(Oid, Oid)>>> {
    let mut at = tip;
    let mut out = Vec::new();
    let steps: Vec<_> = plan.picks().collect();
    for step in steps.iter().rev() {
        let commit = local.commit(at)?;
        let named = commit.message.contains_str(format!("(cherry picked from commit {})", step.commit.0));
        let [parent] = commit.node.parents[..] else { return Ok(None) };
        if Hex(commit.node.tree) != step.tree || !named {
            return Ok(None);
        }
        out.push((step.commit.0, at));
        at = parent;
    }
    out.reverse();
    Ok((at == plan.onto.oid.0).then_some(out))
}
