//! Protected branches: who may push, and what the history may look like.
//! Owns the checks on a single branch; commits that come from development are `leak`'s.

use bstr::BStr;

use super::graph::{NEW, Region};
use super::leak::subject_of;
use super::remedies;
use crate::error::{Error, Result};
use crate::finding::{Findings, Severity, Violation};
use crate::options::Protected;
use crate::options::scope::Branches;
use crate::subject::{Oid, Pusher, RefUpdate};

/// A protected branch: its compiled pattern and its rules.
pub struct BranchGuard {
    pub branch: Branches,
    pub rule: Protected,
}

/// Maximum number of commits listed in a finding.
const MAX_LISTED: usize = 5;

/// Checks who deletes or pushes. Needs no graph.
pub fn check_account(
    guard: &BranchGuard,
    direct_push: Option<Severity>,
    update: &RefUpdate<'_>,
    branch: &BStr,
    out: &mut Findings<'_>,
) -> Result<()> {
    let (line, name) = (update.line(), remedies::quote(branch));
    if let (None, Some(old), Some(severity)) = (update.new, update.old, guard.rule.delete) {
        out.push(
            Violation::on_ref("branch-topology/non-ff", severity, update, &line, line.name.clone())
                .message(format!("the protected branch {branch} would be deleted"))
                .note("environments are built from a protected branch, and other checks compare with it")
                .help(format!(
                    "if you deleted your local branch too, restore it:\n    git branch {name} {}",
                    old.short()
                )),
        );
        return Ok(());
    }
    let allows = |account: &[u8]| guard.rule.direct_push.iter().any(|a| a == "*" || account == a.as_bytes());
    // A pull request is not a direct push.
    let counts = direct_push == Some(Severity::Error);
    if counts && update.pusher == Pusher::Unknown && update.head_ref.is_none() && !allows(b"*") {
        return Err(Error::undecided(format!(
            "the server does not say who pushes to {branch}, which only some accounts may"
        ))
        .hint("install the hook with the server's own --server KIND; over HTTP the web server sets REMOTE_USER"));
    }
    if let (Some(pusher), None) = (update.pusher.name(), &update.head_ref)
        && !allows(pusher)
    {
        let allowed = match guard.rule.direct_push.as_slice() {
            [] => "no account may push directly".to_owned(),
            names => format!("only {} may push directly", names.join(", ")),
        };
        out.push(
            Violation::on_ref("branch-topology/direct-push", Severity::Error, update, &line, line.name.clone())
                .message(format!("{pusher} may not push to {branch} directly"))
                .note(format!("{allowed}: other changes come through a pull request, so that a second person reviews them"))
                .help(format!(
                    "push a branch and open a pull request to {branch}:\n    git push origin {name}:refs/heads/topic/NAME\n\
                     then reset your {branch}:\n    git switch {name}\n    git reset --keep {}",
                    update.old.map_or_else(|| "@{upstream}".into(), |o| o.short())
                )),
        );
    }
    Ok(())
}

/// Checks the history that the branch would get. The region is painted between its old and new tips.
pub fn check_guarded_history(
    guard: &BranchGuard,
    update: &RefUpdate<'_>,
    branch: &BStr,
    (old, new): (Oid, Oid),
    region: &mut Region<'_>,
    out: &mut Findings<'_>,
) -> Result<()> {
    let line = update.line();
    if let Some(severity) = guard.rule.non_ff
        && !region.find(old).is_some_and(|at| region.has_paint(at, NEW))
    {
        out.push(
            Violation::on_ref("branch-topology/non-ff", severity, update, &line, line.new.clone())
                .message(format!("{branch} would lose commits: {} is not an ancestor of {}", old.short(), new.short()))
                .note(remedies::rewritten(branch, old, new))
                .note("others may have fetched the lost commits and built on them")
                .help(remedies::instead_of_rewriting(branch, old, new)),
        );
    }
    if let Some(severity) = guard.rule.linear {
        let merges: Vec<Oid> =
            region.members().filter(|c| region.parents(*c).len() > 1).map(|c| region.oid(c)).collect();
        if let Some((listed, count)) = list_commits(update, merges)? {
            out.push(
                Violation::on_ref("branch-topology/linear", severity, update, &line, line.new.clone())
                    .message(format!(
                        "{branch} has a linear history and would gain {}",
                        remedies::count(count, "merge")
                    ))
                    .note(listed)
                    .help(format!(
                        "git rebase {0}   # drops the merges\nto bring a topic up to date:\n    git rebase origin/{1}",
                        old.short(),
                        remedies::quote(branch)
                    )),
            );
        }
    }
    if let Some(severity) = guard.rule.signed {
        let mut unsigned = Vec::new();
        for at in region.members() {
            if !update.graph.node(region.oid(at))?.signed {
                unsigned.push(region.oid(at));
            }
        }
        if let Some((listed, count)) = list_commits(update, unsigned)? {
            out.push(
                Violation::on_ref("branch-topology/signed", severity, update, &line, line.new.clone())
                    .message(format!(
                        "{branch} requires signed commits and would gain {} without a signature",
                        remedies::count(count, "commit")
                    ))
                    .note(listed)
                    .note("only the presence of a signature is checked; `git verify-commit` verifies it")
                    .help(format!("git rebase --exec 'git commit --amend --no-edit -S' {}", old.short())),
            );
        }
    }
    Ok(())
}

/// The first few commits with their subjects, and the number of all; `None` if there are none.
fn list_commits(update: &RefUpdate<'_>, mut commits: Vec<Oid>) -> Result<Option<(String, usize)>> {
    commits.sort_unstable();
    let mut lines = Vec::new();
    for oid in commits.iter().take(MAX_LISTED) {
        lines.push(remedies::describe_commit(*oid, subject_of(&update.graph.node(*oid)?.message)));
    }
    if commits.len() > MAX_LISTED {
        lines.push(format!("and {} more", commits.len() - MAX_LISTED));
    }
    Ok((!commits.is_empty()).then(|| (lines.join("\n"), commits.len())))
}
