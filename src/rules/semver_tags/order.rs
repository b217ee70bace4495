//! Order of versions: a release is greater than the releases that it contains, and its bump fits its changes.
//! Owns `monotonic` and `bump`.

use std::collections::HashSet;

use bstr::ByteSlice as _;

use super::series::{RefsAfterPush, SeriesTag, TagSeries};
use super::{CreatedTag, SemverTags, retag};
use crate::error::Result;
use crate::finding::{Findings, Severity, Violation};
use crate::rules::branch_topology::ancestry;
use crate::rules::branch_topology::graph::Region;
use crate::subject::Oid;

const PARTS: [&str; 3] = ["major", "minor", "patch"];

impl SemverTags {
    pub(super) fn check_monotonic(&self, tag: &CreatedTag<'_>, out: &mut Findings<'_>) -> Result<()> {
        let after = RefsAfterPush::of(tag.update)?;
        let series = after.series(tag.update, tag.format, &tag.release.component)?;
        let line = tag.update.line();
        let free_name = |version| tag.format.name(tag.release.component.as_bstr(), &series.next_free(version));
        if let Some(other) = series.greatest_contained(&after, tag)? {
            let next = free_name(other.version.after(&tag.release.version));
            let equal = other.version.precedence(&tag.release.version).is_eq();
            let than = if equal { "no greater than" } else { "smaller than" };
            out.push(
                Violation::on_ref("semver-tags/monotonic", Severity::Error, tag.update, &line, line.name.clone())
                    .message(format!("{} is {than} {}, which its commit contains", tag.name, other.name))
                    .note(format!(
                        "o---{}---o---{}\nsorted by version, the older commit would look newer",
                        other.name, tag.name
                    ))
                    .help(retag(tag.name, &next, tag.update.new)),
            );
        } else if let Some(other) = series.equals(&tag.release.version).iter().find(|other| other.name != tag.name) {
            let next = free_name(tag.release.version.after(&tag.release.version));
            out.push(
                Violation::on_ref("semver-tags/monotonic", Severity::Warning, tag.update, &line, line.name.clone())
                    .message(format!(
                        "the version of {} exists already on another line of history: {}",
                        tag.name, other.name
                    ))
                    .note("build metadata does not count for precedence: the two versions are equal")
                    .help(retag(tag.name, &next, tag.update.new)),
            );
        }
        Ok(())
    }

    pub(super) fn check_bump(&self, tag: &CreatedTag<'_>, severity: Severity, out: &mut Findings<'_>) -> Result<()> {
        if tag.release.version.is_prerelease() {
            return Ok(());
        }
        let after = RefsAfterPush::of(tag.update)?;
        let series = after.series(tag.update, tag.format, &tag.release.component)?;
        let Some(last) = last_release(tag, &series)? else { return Ok(()) };
        let Some(base) = tag.update.graph.peel(last.target)? else { return Ok(()) };
        let region = Region::between(tag.update.graph, &[base], tag.commit)?;
        let mut needed = (2, None);
        for at in region.members() {
            let node = tag.update.graph.node(region.oid(at))?;
            if let Some(part) = required_part(&node.message).filter(|part| *part < needed.0) {
                needed = (part, Some(node.oid));
            }
        }
        // Before 1.0.0 a breaking change raises the minor number.
        let part = if last.version.core[0] == "0" { needed.0.max(1) } else { needed.0 };
        let raised = (0..3).find(|i| tag.release.version.core[*i] != last.version.core[*i]).unwrap_or(2);
        let Some(because) = needed.1.filter(|_| raised > part) else { return Ok(()) };
        let wanted = tag.format.name(tag.release.component.as_bstr(), &last.version.next(part));
        let line = tag.update.line();
        out.push(
            Violation::on_ref("semver-tags/bump", severity, tag.update, &line, line.name.clone())
                .message(format!(
                    "{} after {} raises the {} number, but {} requires the {} one",
                    tag.name,
                    last.name,
                    PARTS[raised],
                    because.short(),
                    PARTS[part]
                ))
                .note("users rely on the number to see whether an update can break them")
                .help(retag(tag.name, &wanted, tag.update.new)),
        );
        Ok(())
    }
}

/// The greatest smaller release that the commit contains.
fn last_release<'s>(tag: &CreatedTag<'_>, series: &'s TagSeries) -> Result<Option<&'s SeriesTag>> {
    let smaller = series
        .tags
        .iter()
        .rev()
        .filter(|other| !other.version.is_prerelease() && other.version.precedence(&tag.release.version).is_lt());
    let mut commits = Vec::new();
    for other in smaller {
        if let Some(commit) = tag.update.graph.peel(other.target)? {
            commits.push((other, commit));
        }
    }
    let targets: HashSet<Oid> = commits.iter().map(|(_, commit)| *commit).collect();
    if targets.is_empty() {
        return Ok(None);
    }
    let found = ancestry::reachable(tag.update.graph, tag.commit, &targets)?;
    Ok(commits.into_iter().find(|(_, commit)| found.contains(commit)).map(|(other, _)| other))
}

/// The number that a commit's message requires to raise: 0 (major) for a breaking change, 1 (minor) for a feature.
fn required_part(message: &[u8]) -> Option<usize> {
    let subject = message.lines().next().unwrap_or_default();
    let breaking = |line: &[u8]| line.starts_with(b"BREAKING CHANGE:") || line.starts_with(b"BREAKING-CHANGE:");
    let head = subject.split_once_str(": ").map_or(&b""[..], |(head, _)| head);
    let kind = head.strip_suffix(b"!").unwrap_or(head);
    let word = kind.split_str("(").next().unwrap_or_default();
    let well_formed = !word.is_empty() && word.iter().all(u8::is_ascii_alphanumeric);
    if (well_formed && head.ends_with(b"!")) || message.lines().skip(1).any(breaking) {
        return Some(0);
    }
    (well_formed && word.eq_ignore_ascii_case(b"feat")).then_some(1)
}
