//! The commits that a tag may name: those on its branches after the push, or a hotfix cut from a release.
//! Owns `on-branch` and `moving`.

use std::collections::HashSet;

use bstr::{BStr, BString, ByteSlice as _};

use super::series::{RefAfterPush, RefsAfterPush};
use super::{CreatedTag, MovingTag, MovingTagTarget, SemverTags};
use crate::error::{Error, Result};
use crate::finding::{Findings, Severity, Violation};
use crate::rules::branch_topology::BranchPatterns;
use crate::rules::branch_topology::graph::{OLD, Region};
use crate::rules::branch_topology::remedies::quote;
use crate::rules::release_tags::format;
use crate::subject::{ObjectKind, Oid, RefUpdate};

impl SemverTags {
    pub(super) fn check_branch(&self, tag: &CreatedTag<'_>, out: &mut Findings<'_>) -> Result<()> {
        if self.settings.branches.is_empty() {
            return Ok(());
        }
        let tips = tips(tag.update, &self.settings.branches)?;
        if on_any(tag.update, tag.commit, &tips)? || self.is_hotfix_of_release(tag, &tips)? {
            return Ok(());
        }
        let line = tag.update.line();
        let names: Vec<String> = tips.iter().map(|(name, _)| name.to_string()).collect();
        let word = quote(tag.name);
        let branch = quote(tips.first().map_or(b"main".as_bstr(), |(name, _)| name.as_bstr()));
        out.push(
            Violation::on_ref("semver-tags/on-branch", Severity::Error, tag.update, &line, line.new.clone())
                .message(format!("{} names {}, which is not on {}", tag.name, tag.commit.short(), list_names(&names)))
                .note(format!("{branch}  o---o---o\n{:1$}     \\---X   {2}: on no release branch", "", branch.chars().count(), tag.name))
                .note("the next release would not contain it; a hotfix is cut from a release tag")
                .help(format!(
                    "merge the commit into {branch} first and push both together:\n    git push --atomic origin {branch} {word}\n\
                     or tag a commit of {branch}:\n    git tag -a -f {word} {branch} -m {word}\n    git push origin {word}"
                )),
        );
        Ok(())
    }

    /// Whether the commit is a hotfix: it has the branches' commits only through a release, and its version raises only that
    /// release's patch number.
    fn is_hotfix_of_release(&self, tag: &CreatedTag<'_>, tips: &[(BString, Oid)]) -> Result<bool> {
        let tips: Vec<Oid> = tips.iter().map(|t| t.1).collect();
        let region = Region::between(tag.update.graph, &tips, tag.commit)?;
        let (mut released, mut mended) = (HashSet::new(), HashSet::new());
        for r in tag.update.graph.refs("refs/tags/")? {
            let name = r.name.strip_prefix(b"refs/tags/").unwrap_or(&r.name).as_bstr();
            if let Ok((format, release)) = format::parse_tag(&self.formats, name)
                && !release.version.is_prerelease()
                && let Some(commit) = tag.update.graph.peel(r.target)?
            {
                released.insert(commit);
                let same_line = release.version.core[..2] == tag.release.version.core[..2];
                if format == tag.format && release.component == tag.release.component && same_line {
                    mended.insert(commit);
                }
            }
        }
        if mended.is_empty() {
            return Ok(false);
        }
        let members: HashSet<_> = region.members().collect();
        let below: HashSet<_> =
            members.iter().flat_map(|m| region.parents(*m)).filter(|p| region.has_paint(**p, OLD)).collect();
        let is_release = |at| released.contains(&region.oid(at));
        let inside = members.iter().copied().chain(below.iter().map(|b| **b));
        let held: Vec<Oid> = inside.filter(|c| is_release(*c)).map(|c| region.oid(c)).collect();
        for at in &below {
            let mut through_release = is_release(**at);
            for release in &held {
                through_release = through_release || tag.update.graph.is_ancestor(region.oid(**at), *release)?;
            }
            if !through_release {
                return Ok(false);
            }
        }
        Ok(held.iter().any(|c| mended.contains(c)))
    }

    /// Checks a moving tag that is created or moved.
    pub(super) fn check_moving(
        &self,
        update: &RefUpdate<'_>,
        name: &BStr,
        moving: &MovingTag,
        new: Oid,
        out: &mut Findings<'_>,
    ) -> Result<()> {
        let (line, word) = (update.line(), quote(name));
        let mut report = |message: String, note: &str, help: String| {
            out.push(
                Violation::on_ref("semver-tags/moving", Severity::Error, update, &line, line.new.clone())
                    .message(message)
                    .note(note)
                    .help(help),
            );
        };
        let Some(commit) = update.graph.peel(new)? else {
            report(
                format!("the moving tag {name} would name a tree or file"),
                "deployments that follow the tag expect a commit",
                format!("git tag -f {word} COMMIT\ngit push --force origin {word}"),
            );
            return Ok(());
        };
        if !moving.branches.is_empty() {
            let tips = tips(update, &moving.branches)?;
            if !on_any(update, commit, &tips)? {
                let names: Vec<String> = tips.iter().map(|(name, _)| name.to_string()).collect();
                report(
                    format!(
                        "the moving tag {name} would leave its branch: {} is not on {}",
                        commit.short(),
                        list_names(&names)
                    ),
                    "deployments follow the tag wherever it points",
                    format!("git tag -f {word} {}\ngit push --force origin {word}", quote(tips[0].0.as_bstr())),
                );
                return Ok(());
            }
        }
        let before = update.old.map(|old| update.graph.peel(old)).transpose()?.flatten();
        if let Some(before) = before
            && !update.graph.is_ancestor(before, commit)?
            && !declares_rollback(update, new)?
        {
            report(
                format!("the moving tag {name} would go back from {} to {}", before.short(), commit.short()),
                "this looks like an accident; a rollback is declared in the tag's message",
                format!(
                    "to roll back, declare it:\n    git tag -a -f {word} {} -m 'Rollback: WHY'\n    git push --force origin {word}",
                    commit.short()
                ),
            );
        }
        if self.settings.moving_to == MovingTagTarget::Released && !self.is_released(update, commit)? {
            report(
                format!("the moving tag {name} would name {}, which has no release tag", commit.short()),
                "the policy allows only releases for this tag",
                format!(
                    "tag the release first, then:\n    git tag -f {word} 'RELEASE^{{}}'\n    git push --force origin {word}"
                ),
            );
        }
        Ok(())
    }

    fn is_released(&self, update: &RefUpdate<'_>, commit: Oid) -> Result<bool> {
        for RefAfterPush { name, target, .. } in RefsAfterPush::of(update)?.refs(update, "refs/tags/")?.iter() {
            let read = format::parse_tag(&self.formats, name.as_bstr());
            let is_release = read.is_ok_and(|(_, r)| !r.version.is_prerelease());
            if is_release && update.graph.peel(*target)? == Some(commit) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Whether the tag is annotated and its message has a line `Rollback: reason`.
fn declares_rollback(update: &RefUpdate<'_>, new: Oid) -> Result<bool> {
    if update.graph.kind(new)? != ObjectKind::Tag {
        return Ok(false);
    }
    let message = update.graph.tag(new)?.message;
    Ok(message.lines().any(|l| l.strip_prefix(b"Rollback:").is_some_and(|why| !why.trim().is_empty())))
}

fn on_any(update: &RefUpdate<'_>, commit: Oid, tips: &[(BString, Oid)]) -> Result<bool> {
    let mut tips: Vec<Oid> = tips.iter().map(|(_, tip)| *tip).collect();
    tips.sort_unstable();
    tips.dedup();
    RefsAfterPush::of(update)?.any_contains(update.graph, tips, commit)
}

/// The first few branches, for messages.
fn list_names(names: &[String]) -> String {
    const MAX_LISTED: usize = 3;
    let more = if names.len() > MAX_LISTED { format!(" or {} more", names.len() - MAX_LISTED) } else { String::new() };
    format!("{}{more}", names[..names.len().min(MAX_LISTED)].join(" or "))
}

/// Short names and tips of the branches after the push.
fn tips(update: &RefUpdate<'_>, branches: &BranchPatterns) -> Result<Vec<(BString, Oid)>> {
    let all = RefsAfterPush::of(update)?.refs(update, "refs/heads/")?;
    let held = all.iter().filter(|branch| branches.contains(branch.name.as_bstr()));
    let tips: Vec<(BString, Oid)> = held.map(|branch| (branch.name.clone(), branch.target)).collect();
    if tips.is_empty() {
        return Err(Error::undecided("none of the branches that release tags may be on is in this repository")
            .hint("git fetch origin '+refs/heads/*:refs/remotes/origin/*'"));
    }
    Ok(tips)
}
