//! What is not a plan, for a terminal: drift, verification, the way back, a rollback.

use std::fmt::Write as _;

use super::human::{human, short_ref};
use crate::promote::advice::count;
use crate::promote::backport::{Backport, Merge};
use crate::promote::rollback::Rollback;
use crate::promote::status::{Status, Why};
use crate::promote::verify::{Claim, Verdict};
use crate::shell::quote;

/// So many commits of one kind are listed; the rest is a count.
const FEW: usize = 20;

pub fn status(status: &Status) -> String {
    let mut out = String::new();
    let (from, onto) = (short_ref(&status.from.name), short_ref(&status.onto.name));
    // Writing to a String does not fail.
    let age =
        status.oldest_days.map_or_else(String::new, |d| format!(", the oldest is {} old", count(d as usize, "day")));
    let _ = writeln!(out, "{} on {from} and not on {onto}{age}", count(status.unpromoted, "commit"));
    if status.probably > 0 {
        let _ = writeln!(out, "{} probably promoted under another id", count(status.probably, "commit"));
    }
    for back in status.taken_back.iter().take(FEW) {
        let (id, by) = (&back.commit[..10], &back.by[..10]);
        let _ = writeln!(out, "↺ {id} {}: {onto} had it and took it back by {by}", back.subject);
    }
    if status.taken_back.len() > FEW {
        let _ = writeln!(out, "↺ {} more were taken back", status.taken_back.len() - FEW);
    }
    for fix in &status.hotfixes {
        let _ = writeln!(
            out,
            "◆ {} {}: on {onto} only, for {}",
            &fix.commit[..10],
            fix.subject,
            count(fix.age_days as usize, "day")
        );
    }
    for drift in &status.drift {
        let kind = if drift.kind.is_empty() { String::new() } else { format!(" ({})", drift.kind) };
        let what = match drift.why {
            Why::Hotfix => format!("{} of {onto}'s own, {} unpromoted", count(drift.hotfixes, "fix"), drift.unpromoted),
            Why::Unpromoted => format!("{} unpromoted", count(drift.unpromoted, "commit")),
            Why::Configuration => "no commit waits: configuration".to_owned(),
        };
        let age = drift.oldest_days.map_or_else(String::new, |d| format!(", {}", count(d as usize, "day")));
        let _ = writeln!(out, "  {}{kind}: {}, {what}{age}", drift.path, count(drift.files, "file"));
    }
    for deploy in &status.deploys {
        let _ = writeln!(
            out,
            "⇡ {}: {} for {} of {}; portcullis promote plan --from {} {}",
            deploy.branch,
            count(deploy.commits, "commit"),
            deploy.item,
            deploy.workspace,
            quote(&deploy.branch),
            quote(format!("{from}..{}", deploy.branch))
        );
    }
    out
}

pub fn verify(claims: &[Claim]) -> String {
    let mut out = String::new();
    for claim in claims {
        let told = match claim.verdict {
            Verdict::Same => "same patch as",
            Verdict::Differs => "differs from",
            Verdict::Missing => "names a commit that is not here:",
            Verdict::Elsewhere => "same patch as, but not from the development branch:",
        };
        let original: String = claim.original.chars().take(10).collect();
        let _ = writeln!(out, "{} {}: {told} {original}", &claim.commit[..10], claim.subject);
        for d in &claim.differences {
            let lines = if d.lines.is_empty() { String::new() } else { format!(":{}", d.lines) };
            let _ = writeln!(out, "    {}{lines} only in the {}", d.path, d.only_in);
        }
    }
    let bad = claims.iter().filter(|c| c.verdict != Verdict::Same).count();
    let _ = writeln!(out, "{} looked at, {bad} not as claimed", count(claims.len(), "pick"));
    out
}

pub fn backport(backport: &Backport, color: bool, verbose: bool) -> String {
    let mut out = human(&backport.plan, color, verbose);
    let (from, onto) = (short_ref(&backport.plan.from.name), short_ref(&backport.plan.onto.name));
    let told = match &backport.merge {
        Merge::Clean => format!("merging {from} into {onto} instead would be clean"),
        Merge::Conflict { paths } => {
            format!("merging {from} into {onto} instead would conflict in {}", paths.join(", "))
        }
        Merge::Unknown => {
            format!("{from} and {onto} have more than one merge base: only git can tell how a merge would go")
        }
    };
    let _ = writeln!(out, "{told}");
    out
}

pub fn rollback(rollback: &Rollback) -> String {
    let mut out = String::new();
    let (onto, tag) = (short_ref(&rollback.onto.name), short_ref(&rollback.tag.name));
    for revert in &rollback.reverts {
        let merge = if revert.merge { " (merge)" } else { "" };
        let what = match (revert.cancels, revert.conflicts.is_empty()) {
            (true, _) => "undone already",
            (false, true) => "revert",
            (false, false) => "CONFLICT",
        };
        let paths =
            if revert.conflicts.is_empty() { String::new() } else { format!(": {}", revert.conflicts.join(", ")) };
        let _ = writeln!(out, "  {what} {}{merge} {}{paths}", revert.commit.0.short(), revert.subject);
    }
    let n = rollback.reverts.iter().filter(|r| !r.cancels).count();
    if rollback.proved {
        let verb = if n == 1 { "brings" } else { "bring" };
        let tree = rollback.tree.0.short();
        let _ = writeln!(out, "{} {verb} {onto} to {tag}: proved, tree {tree}", count(n, "revert"));
    } else {
        let _ = writeln!(out, "{onto} would not be {tag}; still different: {}", rollback.differs.join(", "));
    }
    out
}

/// As `git revert` lines; the last line proves the result.
pub fn rollback_script(rollback: &Rollback) -> String {
    let mut out = String::from("#!/bin/sh\nset -eu\n");
    let onto = rollback.onto.oid.0;
    let _ = writeln!(out, "git switch --create {} {onto}", quote(branch(rollback)));
    for revert in rollback.reverts.iter().filter(|r| !r.cancels) {
        let mainline = if revert.merge { " --mainline 1" } else { "" };
        let _ = writeln!(out, "git revert --no-edit{mainline} {}", revert.commit.0);
    }
    let _ = writeln!(out, "git diff --exit-code {} HEAD", quote(&rollback.tag.name));
    out
}

/// `rollback/<tag>-<short id of what is rolled back>`.
pub fn branch(rollback: &Rollback) -> String {
    format!("rollback/{}-{}", short_ref(&rollback.tag.name), rollback.onto.oid.0.short())
}
