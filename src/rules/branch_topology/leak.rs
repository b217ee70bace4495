//! The verdict: does an update bring development into production, and if so may it?
//! Owns the definition of a leak; sets come from `graph`, what users read from `remedies`.
//!
//! The frontier is what production gains of development at its tops. Every top needs a sanction: a release tag on exactly
//! it, or being an evident hotfix, that is a side of the graph without a commit of the development branch's own trunk.

use std::collections::HashMap;

use bstr::{BStr, BString, ByteSlice};

use super::graph::{CommitIndex, Region};
use super::releases::ReleaseTags;
use crate::error::Result;
use crate::subject::{Graph, Oid};

/// What a policy says to something that can be good practice or not.
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
    /// Where its ref stood before, as far as the gate knows: these commits are on its own line whatever a later merge
    /// says with the order of its parents.
    pub earlier: Vec<Oid>,
}

/// Who says that an update is a hotfix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HotfixEvidence<'q> {
    /// The pull request's head ref.
    PullRequest(&'q BStr),
    /// A branch of the server: whoever pushes is known, and a message alone proves nothing.
    Branch,
    /// Nobody can be asked: the subject of a merge.
    Message,
}

/// What a verdict needs to know beside the graph.
pub struct LeakQuery<'q> {
    pub graph: &'q dyn Graph,
    pub development: &'q [DevelopmentBranch],
    pub releases: &'q ReleaseTags<'q>,
    pub witness: HotfixEvidence<'q>,
    /// Tips of the branches that are named as hotfixes, before the push and after it.
    pub hotfixes: &'q dyn Fn() -> Result<Vec<Oid>>,
    pub tag_merges: Stance,
    pub shared_topics: Stance,
}

/// Why a top of the frontier may come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sanction {
    /// It is the commit of this release tag.
    TagMerge(BString),
    /// It is a hotfix that development had first.
    HotfixShared,
    /// It is a topic that development had first, and the policy allows those.
    SharedTopic,
}

/// How a top of the frontier breaks the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breach {
    /// It brings commits of the development branch's own trunk.
    DevLeak,
    /// It brings a topic around the development branch, without evidence that it is a hotfix.
    SharedTopic,
}

/// A top of the frontier without a sanction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leak {
    pub breach: Breach,
    pub commit: Oid,
    /// Commits of development that come with it, itself included.
    pub brought: usize,
}

/// What became of every top of the frontier.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeakVerdict {
    pub sanctioned: Vec<(Oid, Sanction)>,
    pub leaks: Vec<Leak>,
}

/// Judges a region painted between the production branch's old and new tips. Paints the development branches into it.
pub fn find_leaks(region: &mut Region<'_>, query: &LeakQuery<'_>) -> Result<LeakVerdict> {
    let tips: Vec<Oid> = query.development.iter().map(|d| d.tip).collect();
    region.paint_development(&tips)?;
    let mut verdict = LeakVerdict::default();
    // What the frontier may hold too much before the region is settled only asks for more sanctions.
    if split_off_tagged(&region.frontier(), region, query, &mut verdict)?.is_empty() {
        return Ok(verdict);
    }
    region.walk_dev_side(usize::MAX)?;
    region.resolve_old_side()?;
    verdict = LeakVerdict::default();
    let tops = split_off_tagged(&region.frontier(), region, query, &mut verdict)?;
    if tops.is_empty() {
        return Ok(verdict);
    }
    let mut on_trunk = vec![false; region.len()];
    for at in trunk(region, query)? {
        on_trunk[at] = true;
    }
    let released = exactly_released(region, query)?;
    let mut evident = None;
    for top in tops {
        if let Some(tag) = released.get(&top) {
            verdict.sanctioned.push((region.oid(top), Sanction::TagMerge(tag.clone())));
            continue;
        }
        let side = region.side(top, tagged(region, query)?);
        let commit = region.oid(top);
        let brought = side.len();
        if side.iter().any(|c| on_trunk[*c]) {
            verdict.leaks.push(Leak { breach: Breach::DevLeak, commit, brought });
            continue;
        }
        let hotfix = match (query.witness, evident) {
            (HotfixEvidence::Branch, _) => is_on_hotfix_branch(region, top, query)?,
            (_, Some(known)) => known,
            (_, None) => *evident.insert(is_named_hotfix(region, query)?),
        };
        match (hotfix, query.shared_topics) {
            (true, _) => verdict.sanctioned.push((commit, Sanction::HotfixShared)),
            (_, Stance::Allow) => verdict.sanctioned.push((commit, Sanction::SharedTopic)),
            (_, Stance::Deny) => verdict.leaks.push(Leak { breach: Breach::SharedTopic, commit, brought }),
        }
    }
    Ok(verdict)
}

/// The development branches' own line, newest first. The region's development side must have been walked.
pub fn trunk(region: &Region<'_>, query: &LeakQuery<'_>) -> Result<Vec<CommitIndex>> {
    let earlier = query.development.iter().flat_map(|d| d.earlier.iter().copied());
    region.trunk(earlier, |merge, first_parent_is_old| {
        let message = query.graph.node(merge)?.message;
        let subject = subject_of(&message);
        let merged_dev = query.development.iter().any(|d| merged(subject, d.name.as_bstr()));
        // A hotfix that production has already, merged while development had nothing of its own, is no trunk.
        Ok(merged_dev || (first_parent_is_old && !names_hotfix(subject)))
    })
}

/// Records the tops that carry a release tag; gives the others.
fn split_off_tagged(
    tops: &[CommitIndex],
    region: &Region<'_>,
    query: &LeakQuery<'_>,
    verdict: &mut LeakVerdict,
) -> Result<Vec<CommitIndex>> {
    let mut rest = Vec::new();
    for top in tops {
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

/// Whether a commit carries a release tag: what it brings was sanctioned with it.
fn tagged<'r>(region: &'r Region<'_>, query: &'r LeakQuery<'_>) -> Result<impl Fn(CommitIndex) -> bool + 'r> {
    // Asked once here, so that the closure cannot fail.
    if let Some(any) = region.members().next() {
        tag_on(region.oid(any), query)?;
    }
    Ok(|at| matches!(tag_on(region.oid(at), query), Ok(Some(_))))
}

/// What comes with the release tags whose commits are merged exactly, by the tag: a release branch was cut from
/// development, its tag says that all of it was validated.
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

/// The pull request's head ref says `hotfix/`; where there is none, the subject of a merge that production gains.
fn is_named_hotfix(region: &Region<'_>, query: &LeakQuery<'_>) -> Result<bool> {
    if let HotfixEvidence::PullRequest(head) = query.witness {
        return Ok(names_hotfix(head));
    }
    for at in region.members().filter(|c| region.parents(*c).len() > 1) {
        if names_hotfix(subject_of(&query.graph.node(region.oid(at))?.message)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A branch named as a hotfix has the commit, and is no more than what comes in.
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

/// Whether a merge's subject says that it merged this branch or the remote's copy of it: git writes
/// `Merge branch 'dev' of host:repo`, `Merge remote-tracking branch 'origin/dev' into x`, `Merge branches 'a' and 'dev'`.
fn merged(subject: &[u8], branch: &BStr) -> bool {
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
