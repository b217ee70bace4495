//! Issues that ancestry does not show: copies and squashes of development commits, and merges with changes of their own.
//! Owns the definitions by content. Bounded by a budget of tree merges; the ancestry verdict does not depend on it.

use std::collections::{HashMap, HashSet};

use bstr::{BString, ByteSlice as _};

use super::graph::{CommitIndex, Region};
use super::leak::LeakQuery;
use super::patches::{self, CommitChanges, PatchCache};
use super::squash;
use crate::error::Result;
use crate::subject::{Merged, Oid};

/// An issue that content shows and ancestry does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContentIssue {
    /// The commit has the content that merging `of` would have brought: several development commits in one.
    Squash { commit: Oid, of: Oid },
    /// A squash of exactly the commit of a release tag.
    TagSquash { commit: Oid, tag: BString },
    /// The merge adds content of development that none of its parents has; `of` is the newest commit that introduced it.
    HiddenInMerge { commit: Oid, of: Oid, paths: Vec<BString> },
    /// The commit copies another and does not name it.
    NoProvenance { commit: Oid, original: Oid },
    /// The copies together bring everything that development has.
    Wholesale { copies: usize, of: Oid },
    /// The merge changes paths beyond its conflicts.
    EvilMerge { commit: Oid, paths: Vec<BString> },
    /// Commits made on production that development lacks.
    NotBackported { commits: Vec<Oid> },
}

/// The kinds of issues to look for. Kinds that are not listed cost nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IssueKind {
    Squash,
    Provenance,
    Wholesale,
    EvilMerge,
    /// Commits older than so many seconds, counted from the new tip's commit time.
    Backport(i64),
}

/// The update to search, and what to search for.
pub struct ContentScope<'s> {
    pub old: Oid,
    pub new: Oid,
    pub kinds: &'s [IssueKind],
    pub query: &'s LeakQuery<'s>,
}

/// Commits of development that may be walked per allowed merge of trees: the walk is cheaper than merge-base queries.
const STEPS_PER_MERGE: usize = 500;

/// Finds the issues of the requested kinds with at most `cap` merges of trees. `leak` must have painted the region before.
/// The flag is false if the budget was not enough.
pub fn find_issues(region: &mut Region<'_>, scope: &ContentScope<'_>, cap: usize) -> Result<(Vec<ContentIssue>, bool)> {
    let query = scope.query;
    let mut patches = PatchCache::new(query.graph, cap);
    let mut chain = region.chain(scope.new);
    chain.reverse();
    let copies: Vec<CommitIndex> =
        chain.iter().copied().filter(|c| region.parents(*c).len() == 1 && !region.is_shared(*c)).collect();
    let mut issues = Vec::new();
    let wants = |kind: IssueKind| scope.kinds.contains(&kind);
    let lines = if wants(IssueKind::Squash) { topics(region, &chain) } else { Vec::new() };
    let own = !copies.is_empty() || !lines.is_empty() || chain.iter().any(|c| !region.is_shared(*c));
    if own && (wants(IssueKind::Squash) || wants(IssueKind::Provenance)) {
        if !region.walk_dev_side(cap.saturating_mul(STEPS_PER_MERGE))? {
            patches.mark_spent();
        }
        // The update's few commits first, before development's many spend the budget.
        for at in &chain {
            patches.delta(region.oid(*at))?;
        }
        if wants(IssueKind::Squash) {
            squash::find_squashes(region, scope, &chain, true, cap, &mut patches, &mut issues)?;
            for line in lines {
                squash::find_squashes(region, scope, &line, false, cap, &mut patches, &mut issues)?;
            }
        }
        if wants(IssueKind::Provenance) {
            provenance(region, &copies, &mut patches, &mut issues)?;
        }
    }
    let squashed = issues.iter().any(|s| matches!(s, ContentIssue::Squash { .. } | ContentIssue::HiddenInMerge { .. }));
    if wants(IssueKind::Wholesale) && copies.len() >= 2 && !squashed && !region.members().any(|c| region.is_shared(c)) {
        wholesale(scope, copies.len(), &mut patches, &mut issues)?;
    }
    if wants(IssueKind::EvilMerge) {
        for at in chain.iter().filter(|c| region.parents(**c).len() == 2) {
            evil_merge(region.oid(*at), scope, &mut patches, &mut issues)?;
        }
    }
    if let Some(age) = scope.kinds.iter().find_map(|l| if let IssueKind::Backport(age) = l { Some(*age) } else { None })
    {
        not_backported(scope, age, &mut patches, &mut issues)?;
    }
    Ok((issues, !patches.is_spent()))
}

/// First-parent lines that merges bring in beside the branch's own, without development's commits; each oldest first.
fn topics(region: &Region<'_>, chain: &[CommitIndex]) -> Vec<Vec<CommitIndex>> {
    let own = |at: &CommitIndex| region.is_gained(*at) && !region.is_shared(*at);
    let mut seen: HashSet<CommitIndex> = chain.iter().copied().collect();
    let others = |at: CommitIndex| region.parents(at).iter().skip(1).copied().collect::<Vec<CommitIndex>>();
    let mut tips: Vec<CommitIndex> = chain.iter().filter(|c| own(c)).flat_map(|c| others(*c)).collect();
    let mut lines = Vec::new();
    while let Some(tip) = tips.pop() {
        let mut line = Vec::new();
        let mut next = Some(tip);
        while let Some(at) = next.filter(|at| own(at) && seen.insert(*at)) {
            line.push(at);
            tips.extend(others(at));
            next = region.parents(at).first().copied();
        }
        if !line.is_empty() {
            line.reverse();
            lines.push(line);
        }
    }
    lines
}

fn provenance(
    region: &Region<'_>,
    copies: &[CommitIndex],
    patches: &mut PatchCache<'_>,
    issues: &mut Vec<ContentIssue>,
) -> Result<()> {
    // Group by paths: a copy touches the same paths as its original.
    let mut by_paths: HashMap<Vec<BString>, Vec<Oid>> = HashMap::new();
    let paths = |delta: &CommitChanges| delta.iter().map(|c| c.0.clone()).collect::<Vec<_>>();
    for at in region.development().into_iter().filter(|c| region.parents(*c).len() == 1) {
        let Some(delta) = patches.delta(region.oid(at))? else { break };
        by_paths.entry(paths(&delta)).or_default().push(region.oid(at));
    }
    for at in copies {
        let commit = region.oid(*at);
        let Some(delta) = patches.delta(commit)? else { return Ok(()) };
        if delta.is_empty() {
            continue;
        }
        let mut originals = Vec::new();
        for candidate in by_paths.get(&paths(&delta)).into_iter().flatten() {
            if patches.is_same_patch(commit, *candidate)? == Some(true) {
                originals.push(*candidate);
            }
        }
        let named = patches::named_originals(&patches.node(commit)?.message);
        // A ticket or a name cannot be checked, but it does say where the patch comes from.
        let is_attributed = originals.iter().any(|o| patches::contains_commit(&named, *o))
            || named.iter().any(|n| !patches::is_commit_id(n));
        if let Some(original) = originals.first()
            && !is_attributed
        {
            issues.push(ContentIssue::NoProvenance { commit, original: *original });
        }
    }
    Ok(())
}

fn wholesale(
    scope: &ContentScope<'_>,
    copies: usize,
    patches: &mut PatchCache<'_>,
    issues: &mut Vec<ContentIssue>,
) -> Result<()> {
    let query = scope.query;
    let (old, new) = (patches.node(scope.old)?.tree, patches.node(scope.new)?.tree);
    for tip in query.development.iter().map(|d| d.tip) {
        if new == old || !patches.take_merge() {
            break;
        }
        if query.graph.merge_commits(scope.old, tip)? == Merged::Clean(new) {
            issues.push(ContentIssue::Wholesale { copies, of: tip });
            break;
        }
    }
    Ok(())
}

fn evil_merge(
    commit: Oid,
    scope: &ContentScope<'_>,
    patches: &mut PatchCache<'_>,
    issues: &mut Vec<ContentIssue>,
) -> Result<()> {
    if !patches.take_merge() {
        return Ok(());
    }
    let node = patches.node(commit)?;
    let [ours, theirs] = node.parents[..] else { return Ok(()) };
    let (tree, conflicts) = match scope.query.graph.merge_commits(ours, theirs)? {
        Merged::Clean(tree) => (tree, Vec::new()),
        Merged::Conflict(tree, paths) => (tree, paths),
    };
    if tree == node.tree {
        return Ok(());
    }
    let Some(changes) = patches.diff(Some(tree), node.tree)? else { return Ok(()) };
    let paths: Vec<BString> = changes.into_iter().map(|c| c.0).filter(|p| !conflicts.contains(p)).collect();
    if !paths.is_empty() {
        issues.push(ContentIssue::EvilMerge { commit, paths });
    }
    Ok(())
}

fn not_backported(
    scope: &ContentScope<'_>,
    age: i64,
    patches: &mut PatchCache<'_>,
    issues: &mut Vec<ContentIssue>,
) -> Result<()> {
    let query = scope.query;
    let tips: Vec<Oid> = query.development.iter().map(|d| d.tip).collect();
    let own = Region::between(query.graph, &tips, scope.new)?;
    let now = patches.node(scope.new)?.committer.time;
    let mut old_enough = Vec::new();
    for at in own.members().filter(|c| own.parents(*c).len() == 1) {
        let node = patches.node(own.oid(at))?;
        if now.saturating_sub(node.committer.time) > age && patches::named_originals(&node.message).is_empty() {
            old_enough.push((node.committer.time, node.oid));
        }
    }
    if old_enough.is_empty() {
        return Ok(());
    }
    old_enough.sort_unstable_by(|a, b| b.cmp(a));
    let mut in_dev = HashSet::new();
    for tip in tips {
        let region = Region::between(query.graph, &[scope.new], tip)?;
        for at in region.members().filter(|c| region.parents(*c).len() == 1) {
            let Some(delta) = patches.delta(region.oid(at))? else { return Ok(()) };
            in_dev.insert(patches::resulting_blobs(&delta));
        }
    }
    let mut commits = Vec::new();
    for (_, commit) in old_enough {
        let Some(delta) = patches.delta(commit)? else { break };
        if !delta.is_empty() && !in_dev.contains(&patches::resulting_blobs(&delta)) {
            commits.push(commit);
        }
    }
    if !commits.is_empty() {
        issues.push(ContentIssue::NotBackported { commits });
    }
    Ok(())
}

/// Whether the update's old tip left the first-parent chain of the new one, so that the branch's line became a side line.
pub fn is_foxtrot(region: &Region<'_>, old: Oid, new: Oid) -> bool {
    let last = region.chain(new).last().copied();
    let below = last.and_then(|c| region.parents(c).first().copied());
    last.is_some() && below.is_none_or(|c| region.oid(c) != old)
}

/// The first few paths, for messages.
pub fn list_paths(paths: &[BString]) -> String {
    let mut out: Vec<String> = paths.iter().take(5).map(|p| p.to_str_lossy().into_owned()).collect();
    if paths.len() > 5 {
        out.push(format!("and {} more", paths.len() - 5));
    }
    out.join(", ")
}
