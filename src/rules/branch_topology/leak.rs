//! Whether an update brings development commits into production without permission.
//! Owns the definition of a leak. Sets of commits come from `graph`, texts for users from `remedies`.
//!
//! The frontier is the newest development commits that production gains. Each needs a sanction: a release tag on exactly this
//! commit, or evidence that it is a hotfix, whose side of the graph has no commit of development's own trunk.

use std::collections::HashMap;

use bstr::{BStr, BString, ByteSlice as _};

use super::graph::{CommitIndex, Region};
use super::releases::ReleaseTags;
use crate::error::Result;
use crate::subject::{Graph, Oid};

/// Whether the policy allows a practice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stance {
    Allow,
    Deny,
}

/// A development branch before the push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DevelopmentBranch {
    /// Short name: `dev`.
    pub name: BString,
    pub tip: Oid,
    /// Earlier tips of the ref, as far as the gate knows. They belong to the branch's own line, whatever the parent order of
    /// a later merge.
    pub earlier: Vec<Oid>,
}

/// What proves that an update is a hotfix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HotfixEvidence<'q> {
    /// The pull request's head ref.
    PullRequest(&'q BStr),
    /// A branch on the server. The server knows who pushes, so a commit message alone proves nothing.
    Branch,
    /// The subject of a merge, where there is nothing better.
    Message,
}

/// The inputs of [`find_leaks`] besides the region.
pub struct LeakQuery<'q> {
    pub graph: &'q dyn Graph,
    pub development: &'q [DevelopmentBranch],
    pub releases: &'q ReleaseTags<'q>,
    pub evidence: HotfixEvidence<'q>,
    /// Tips of the branches with hotfix names, before and after the push.
    pub hotfixes: &'q dyn Fn() -> Result<Vec<Oid>>,
    pub tag_merges: Stance,
    pub shared_topics: Stance,
}

/// Why a commit of the frontier is allowed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sanction {
    /// This release tag names the commit.
    TagMerge(BString),
    /// A hotfix that development has too.
    HotfixShared,
    /// A topic that development has too, which the policy allows.
    SharedTopic,
}

/// How a commit of the frontier breaks the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breach {
    /// It brings commits of the development branch's own trunk.
    DevLeak,
    /// It brings a topic that bypasses development, without evidence that it is a hotfix.
    SharedTopic,
}

/// A commit of the frontier without a sanction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leak {
    pub breach: Breach,
    pub commit: Oid,
    /// Number of development commits that come with it, itself included.
    pub brought: usize,
}

/// The result for every commit of the frontier.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeakVerdict {
    pub sanctioned: Vec<(Oid, Sanction)>,
    pub leaks: Vec<Leak>,
}

/// Finds leaks in a region painted between the production branch's old and new tips. Paints the development branches.
pub fn find_leaks(region: &mut Region<'_>, query: &LeakQuery<'_>) -> Result<LeakVerdict> {
    let tips: Vec<Oid> = query.development.iter().map(|d| d.tip).collect();
    region.paint_development(&tips)?;
    let mut verdict = LeakVerdict::default();
    // Before the old side is resolved, the frontier can only be too large: then more sanctions are needed, not fewer.
    if split_off_tagged(&region.frontier(), region, query, &mut verdict)?.is_empty() {
        return Ok(verdict);
    }
    region.walk_dev_side(usize::MAX)?;
    region.resolve_old_side()?;
    verdict = LeakVerdict::default();
    let untagged = split_off_tagged(&region.frontier(), region, query, &mut verdict)?;
    if untagged.is_empty() {
        return Ok(verdict);
    }
    let mut on_trunk = vec![false; region.len()];
    for at in trunk(region, query)? {
        on_trunk[at] = true;
    }
    let released = exactly_released(region, query)?;
    let mut known_hotfix = None;
    for top in untagged {
        if let Some(tag) = released.get(&top) {
            verdict.sanctioned.push((region.oid(top), Sanction::TagMerge(tag.clone())));
            continue;
        }
        let side = region.side(top, has_release_tag(region, query)?);
        let commit = region.oid(top);
        let brought = side.len();
        if side.iter().any(|c| on_trunk[*c]) {
            verdict.leaks.push(Leak { breach: Breach::DevLeak, commit, brought });
            continue;
        }
        let hotfix = match (query.evidence, known_hotfix) {
            (HotfixEvidence::Branch, _) => is_on_hotfix_branch(region, top, query)?,
            (_, Some(known)) => known,
            (_, None) => *known_hotfix.insert(is_named_hotfix(region, query)?),
        };
        match (hotfix, query.shared_topics) {
            (true, _) => verdict.sanctioned.push((commit, Sanction::HotfixShared)),
            (_, Stance::Allow) => verdict.sanctioned.push((commit, Sanction::SharedTopic)),
            (_, Stance::Deny) => verdict.leaks.push(Leak { breach: Breach::SharedTopic, commit, brought }),
        }
    }
    Ok(verdict)
}

/// Development's own line, newest first. The region's development side must be walked already.
pub fn trunk(region: &Region<'_>, query: &LeakQuery<'_>) -> Result<Vec<CommitIndex>> {
    let earlier = query.development.iter().flat_map(|d| d.earlier.iter().copied());
    region.trunk(earlier, |merge, first_parent_is_old| {
        let message = query.graph.node(merge)?.message;
        let subject = subject_of(&message);
        let merged_dev = query.development.iter().any(|d| says_merged(subject, d.name.as_bstr()));
        // A hotfix from production, merged while development had no commits of its own, is not part of the trunk.
        Ok(merged_dev || (first_parent_is_old && !names_hotfix(subject)))
    })
}

/// Records the commits with a release tag; returns the others.
fn split_off_tagged(
    untagged: &[CommitIndex],
    region: &Region<'_>,
    query: &LeakQuery<'_>,
    verdict: &mut LeakVerdict,
) -> Result<Vec<CommitIndex>> {
    let mut rest = Vec::new();
    for top in untagged {
        match tag_on(region.oid(*top), query)? {
            Some(tag) => verdict.sanctioned.push((region.oid(*top), Sanction::TagMerge(tag.clone()))),
            None => rest.push(*top),
        }
    }
    Ok(rest)
}

fn tag_on<'q>(commit: Oid, query: &LeakQuery<'q>) -> Result<Option<&'q BString>> {
    if query.tag_merges == Stance::Deny { Ok(None) } else { query.releases.tag_on(commit) }
}

/// Returns a test for commits with a release tag: the tag sanctions their ancestors too.
fn has_release_tag<'r>(region: &'r Region<'_>, query: &'r LeakQuery<'_>) -> Result<impl Fn(CommitIndex) -> bool + 'r> {
    // Load the tags here, so that the closure cannot fail.
    if let Some(any) = region.members().next() {
        tag_on(region.oid(any), query)?;
    }
    Ok(|at| matches!(tag_on(region.oid(at), query), Ok(Some(_))))
}

/// Commits that come with a release tag whose commit is a merged tip, with that tag. The release branch was cut from
/// development, and the tag says that all of it was validated.
fn exactly_released(region: &Region<'_>, query: &LeakQuery<'_>) -> Result<HashMap<CommitIndex, BString>> {
    let merges = region.members().filter(|c| region.parents(*c).len() > 1);
    let merged = merges.flat_map(|c| region.parents(c).iter().copied());
    let mut tips: Vec<CommitIndex> = merged.chain(region.tip()).filter(|c| region.is_gained(*c)).collect();
    tips.sort_unstable_by_key(|c| (std::cmp::Reverse(region.time(*c)), *c));
    tips.dedup();
    let mut released = HashMap::new();
    for tip in tips {
        if !released.contains_key(&tip)
            && let Some(tag) = tag_on(region.oid(tip), query)?
        {
            released.extend(region.side(tip, |_| false).into_iter().map(|at| (at, tag.clone())));
        }
    }
    Ok(released)
}

/// Whether the pull request's head ref names a hotfix or, without a pull request, the subject of a gained merge does.
fn is_named_hotfix(region: &Region<'_>, query: &LeakQuery<'_>) -> Result<bool> {
    if let HotfixEvidence::PullRequest(head) = query.evidence {
        return Ok(names_hotfix(head));
    }
    for at in region.members().filter(|c| region.parents(*c).len() > 1) {
        if names_hotfix(subject_of(&query.graph.node(region.oid(at))?.message)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a branch with a hotfix name has the commit, and the update contains that whole branch.
fn is_on_hotfix_branch(region: &Region<'_>, top: CommitIndex, query: &LeakQuery<'_>) -> Result<bool> {
    let tips = (query.hotfixes)()?;
    let gained = tips.iter().filter_map(|tip| region.find(*tip)).filter(|at| region.is_gained(*at));
    Ok(gained.into_iter().any(|tip| region.side(tip, |_| false).contains(&top)))
}

pub fn subject_of(message: &[u8]) -> &[u8] {
    message.lines().next().unwrap_or_default()
}

/// `(^|[/'" ])hotfix/`
pub fn names_hotfix(text: &[u8]) -> bool {
    text.find_iter("hotfix/").any(|at| at == 0 || b"/'\" ".contains(&text[at - 1]))
}

/// Whether a merge's subject names this branch or its remote-tracking branch as merged. Git writes
/// `Merge branch 'dev' of host:repo`, `Merge remote-tracking branch 'origin/dev' into x`, `Merge branches 'a' and 'dev'`.
fn says_merged(subject: &[u8], branch: &BStr) -> bool {
    let Some(rest) = subject.strip_prefix(b"Merge ") else { return false };
    let rest = rest.strip_prefix(b"remote-tracking ").unwrap_or(rest);
    let Some(rest) = rest.strip_prefix(b"branch") else { return false };
    // GitLab quotes the target too: `Merge branch 'topic' into 'dev'` merged the topic.
    let sources = rest.split_str(" into ").next().unwrap_or(rest);
    sources
        .split_str("'")
        .skip(1)
        .step_by(2)
        .any(|name| name == branch || name.strip_prefix(b"origin/") == Some(branch))
}
