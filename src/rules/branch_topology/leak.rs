//! The verdict: does an update bring development into production, and if so may it?
//! Owns the definition of a leak; sets come from `graph`, what users read from `remedies`.
//!
//! The frontier is what production gains of development at its tops. Every top needs a sanction: a release tag on exactly
//! it, or being an evident hotfix, that is a side of the graph without a commit of the development branch's own trunk.

use std::collections::HashMap;

use bstr::{BStr, BString, ByteSlice};

use super::graph::{At, Region};
use super::releases::Releases;
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
pub struct Development {
    /// Short name: `dev`.
    pub name: BString,
    pub tip: Oid,
    /// Where its ref stood before, as far as the gate knows: these commits are on its own line whatever a later merge
    /// says with the order of its parents.
    pub earlier: Vec<Oid>,
}

/// Who says that an update is a hotfix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Witness<'q> {
    /// The pull request's head ref.
    PullRequest(&'q BStr),
    /// A branch of the server: whoever pushes is known, and a message alone proves nothing.
    Branch,
    /// Nobody can be asked: the subject of a merge.
    Message,
}

/// What a verdict needs to know beside the graph.
pub struct Question<'q> {
    pub graph: &'q dyn Graph,
    pub development: &'q [Development],
    pub releases: &'q Releases<'q>,
    pub witness: Witness<'q>,
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
pub struct Verdict {
    pub sanctioned: Vec<(Oid, Sanction)>,
    pub leaks: Vec<Leak>,
}

/// Judges a region painted between the production branch's old and new tips. Paints the development branches into it.
pub fn judge(region: &mut Region<'_>, q: &Question<'_>) -> Result<Verdict> {
    let tips: Vec<Oid> = q.development.iter().map(|d| d.tip).collect();
    region.paint_dev(&tips)?;
    let mut verdict = Verdict::default();
    // What the frontier may hold too much before the region is settled only asks for more sanctions.
    if sort_out_tags(&region.frontier(), region, q, &mut verdict)?.is_empty() {
        return Ok(verdict);
    }
    region.finish_dev(usize::MAX)?;
    region.settle()?;
    verdict = Verdict::default();
    let tops = sort_out_tags(&region.frontier(), region, q, &mut verdict)?;
    if tops.is_empty() {
        return Ok(verdict);
    }
    let mut on_trunk = vec![false; region.len()];
    for at in trunk(region, q)? {
        on_trunk[at] = true;
    }
    let released = exactly_released(region, q)?;
    let mut evident = None;
    for top in tops {
        if let Some(tag) = released.get(&top) {
            verdict.sanctioned.push((region.oid(top), Sanction::TagMerge(tag.clone())));
            continue;
        }
        let side = region.side(top, tagged(region, q)?);
        let commit = region.oid(top);
        let brought = side.len();
        if side.iter().any(|c| on_trunk[*c]) {
            verdict.leaks.push(Leak { breach: Breach::DevLeak, commit, brought });
            continue;
        }
        let hotfix = match (q.witness, evident) {
            (Witness::Branch, _) => is_on_hotfix_branch(region, top, q)?,
            (_, Some(known)) => known,
            (_, None) => *evident.insert(is_named_hotfix(region, q)?),
        };
        match (hotfix, q.shared_topics) {
            (true, _) => verdict.sanctioned.push((commit, Sanction::HotfixShared)),
            (_, Stance::Allow) => verdict.sanctioned.push((commit, Sanction::SharedTopic)),
            (_, Stance::Deny) => verdict.leaks.push(Leak { breach: Breach::SharedTopic, commit, brought }),
        }
    }
    Ok(verdict)
}

/// The development branches' own line, newest first. The region's development side must have been walked.
pub fn trunk(region: &Region<'_>, q: &Question<'_>) -> Result<Vec<At>> {
    let earlier = q.development.iter().flat_map(|d| d.earlier.iter().copied());
    region.trunk(earlier, |merge, first_parent_is_old| {
        let message = q.graph.node(merge)?.message;
        let subject = subject_of(&message);
        let merged_dev = q.development.iter().any(|d| merged(subject, d.name.as_bstr()));
        // A hotfix that production has already, merged while development had nothing of its own, is no trunk.
        Ok(merged_dev || (first_parent_is_old && !names_hotfix(subject)))
    })
}

/// Records the tops that carry a release tag; gives the others.
fn sort_out_tags(tops: &[At], region: &Region<'_>, q: &Question<'_>, verdict: &mut Verdict) -> Result<Vec<At>> {
    let mut rest = Vec::new();
    for top in tops {
        match tag_on(region.oid(*top), q)? {
            Some(tag) => verdict.sanctioned.push((region.oid(*top), Sanction::TagMerge(tag.clone()))),
            None => rest.push(*top),
        }
    }
    Ok(rest)
}

fn tag_on<'q>(commit: Oid, q: &Question<'q>) -> Result<Option<&'q BString>> {
    if q.tag_merges == Stance::Deny { Ok(None) } else { q.releases.on(commit) }
}

/// Whether a commit carries a release tag: what it brings was sanctioned with it.
fn tagged<'r>(region: &'r Region<'_>, q: &'r Question<'_>) -> Result<impl Fn(At) -> bool + 'r> {
    // Asked once here, so that the closure cannot fail.
    if let Some(any) = region.members().next() {
        tag_on(region.oid(any), q)?;
    }
    Ok(|at| matches!(tag_on(region.oid(at), q), Ok(Some(_))))
}

/// What comes with the release tags whose commits are merged exactly, by the tag: a release branch was cut from
/// development, its tag says that all of it was validated.
fn exactly_released(region: &Region<'_>, q: &Question<'_>) -> Result<HashMap<At, BString>> {
    let merges = region.members().filter(|c| region.parents(*c).len() > 1);
    let merged = merges.flat_map(|c| region.parents(c).iter().copied());
    let mut tips: Vec<At> = merged.chain(region.tip()).filter(|c| region.gained(*c)).collect();
    tips.sort_unstable_by_key(|c| (std::cmp::Reverse(region.time(*c)), *c));
    tips.dedup();
    let mut released = HashMap::new();
    for tip in tips {
        if !released.contains_key(&tip)
            && let Some(tag) = tag_on(region.oid(tip), q)?
        {
            released.extend(region.side(tip, |_| false).into_iter().map(|at| (at, tag.clone())));
        }
    }
    Ok(released)
}

/// The pull request's head ref says `hotfix/`; where there is none, the subject of a merge that production gains.
fn is_named_hotfix(region: &Region<'_>, q: &Question<'_>) -> Result<bool> {
    if let Witness::PullRequest(head) = q.witness {
        return Ok(names_hotfix(head));
    }
    for at in region.members().filter(|c| region.parents(*c).len() > 1) {
        if names_hotfix(subject_of(&q.graph.node(region.oid(at))?.message)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A branch named as a hotfix has the commit, and is no more than what comes in.
fn is_on_hotfix_branch(region: &Region<'_>, top: At, q: &Question<'_>) -> Result<bool> {
    let tips = (q.hotfixes)()?;
    let gained = tips.iter().filter_map(|tip| region.find(*tip)).filter(|at| region.gained(*at));
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
