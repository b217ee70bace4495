//! Squashes: one commit with the content that merging several development commits would have brought. It can be a commit
//! with one parent, a merge that brings no other commits, or be hidden in a merge of something else.
//! Owns the search: compares changes path by path to find the development commits that may have been squashed, and merges
//! only those in memory.

use std::collections::HashSet;

use bstr::BString;

use super::ancestry::AncestorsByDate;
use super::content::{ContentIssue, ContentScope};
use super::graph::{CommitIndex, DEV, Region};
use super::leak;
use super::merge_bases::MergeBases;
use super::merges;
use super::patches::{self, CommitChanges, PatchCache};
use super::trunk_line::{TrunkLine, lines};
use crate::error::Result;
use crate::subject::{Merged, Oid};

/// The budget of merges is divided by this for candidates whose files must be merged line by line to fit.
const LINE_MERGE_SHARE: usize = 1;
/// Seconds by which a copy may be older than its original, because clocks differ.
const CLOCKS_DIFFER: i64 = 3_600;

/// Searches the commits of `line`, a first-parent line of production's own commits, oldest first. `is_chain`: it is the
/// branch's own line, not one that a merge brings.
pub fn find_squashes(
    region: &Region<'_>,
    scope: &ContentScope<'_>,
    line: &[CommitIndex],
    is_chain: bool,
    cap: usize,
    patches: &mut PatchCache<'_>,
    issues: &mut Vec<ContentIssue>,
) -> Result<()> {
    let trunk = leak::trunk(region, scope.query)?;
    let start = line.first().and_then(|c| region.parents(*c).first()).map(|c| region.oid(*c));
    let mut lines = lines(region, &trunk, start, patches)?;
    let mut search = SquashSearch {
        region,
        scope,
        bases: MergeBases::new(region, scope, is_chain),
        line_merges_left: cap.div_ceil(LINE_MERGE_SHARE),
        patches,
    };
    let mut before: Option<CommitChanges> = None;
    for at in line {
        let commit = region.oid(*at);
        if let Some(done) = before.take() {
            lines.iter_mut().for_each(|line| line.apply_production(&done));
        }
        let Some(delta) = search.patches.delta(commit)? else { return Ok(()) };
        before = Some(delta.clone());
        if delta.is_empty() || region.is_shared(*at) {
            continue;
        }
        let issue = match region.parents(*at)[..] {
            [] => None,
            [base] => search.squash_issue(*at, base, &lines, &delta, None)?,
            [base, ref others @ ..] if merges::parents_bring_nothing(region, base, others) => {
                search.squash_issue(*at, base, &lines, &delta, None)?
            }
            [base, ..] => match merges::additions(region, *at, scope.query.graph, search.patches)? {
                None => None,
                Some(added) => {
                    let mut lines = lines.clone();
                    lines.iter_mut().for_each(|line| line.apply_production(&added.merged));
                    let whole = search.squash_issue(*at, base, &lines, &added.changes, Some(added.tree))?;
                    whole.or_else(|| hidden_content(region, *at, &lines, &added.changes))
                }
            },
        };
        issues.extend(issue);
    }
    Ok(())
}

/// Development content that a merge adds itself, if it is not a whole squash.
fn hidden_content(
    region: &Region<'_>,
    at: CommitIndex,
    lines: &[TrunkLine],
    added: &CommitChanges,
) -> Option<ContentIssue> {
    let added: HashSet<(&BString, Oid)> = added.iter().filter_map(|(path, _, new)| Some((path, (*new)?))).collect();
    let newest = lines.iter().flat_map(|line| line.commits.iter().rev());
    let mut paths: Vec<BString> = Vec::new();
    let mut of = None;
    for (commit, changes) in newest {
        let here = changes.iter().filter(|(path, _, new)| new.is_some_and(|new| added.contains(&(path, new))));
        for (path, ..) in here {
            of = of.or(Some(region.oid(*commit)));
            paths.push(path.clone());
        }
    }
    paths.sort_unstable();
    paths.dedup();
    Some(ContentIssue::HiddenInMerge { commit: region.oid(at), of: of?, paths })
}

struct SquashSearch<'s, 'g, 'p> {
    region: &'s Region<'g>,
    scope: &'s ContentScope<'s>,
    bases: MergeBases<'s>,
    /// Line-by-line merges left in the budget.
    line_merges_left: usize,
    patches: &'s mut PatchCache<'p>,
}

impl SquashSearch<'_, '_, '_> {
    /// The issue if the commit equals the merge of a development commit into `base`. `ours` is the tree to merge into if it
    /// is not that of `base`.
    fn squash_issue(
        &mut self,
        at: CommitIndex,
        base: CommitIndex,
        lines: &[TrunkLine],
        delta: &CommitChanges,
        ours: Option<Oid>,
    ) -> Result<Option<ContentIssue>> {
        let (region, commit) = (self.region, self.region.oid(at));
        let node = self.patches.node(commit)?;
        let (likely, long): (Vec<_>, Vec<_>) = lines.iter().map(|line| line.candidates(delta)).unzip();
        let likely: Vec<CommitIndex> = likely.into_iter().flatten().collect();
        let long: Vec<CommitIndex> = long.into_iter().flatten().collect();
        for (i, tip) in likely.iter().chain(&long).enumerate() {
            if i >= likely.len() {
                if self.line_merges_left == 0 {
                    self.patches.mark_spent();
                    break;
                }
                self.line_merges_left -= 1;
            }
            if !self.patches.take_merge() {
                break;
            }
            let Some(merged) = self.bases.merge(region, base, *tip, ours, self.patches)? else { break };
            if merged != Merged::Clean(node.tree)
                || !brings_several_unpromoted(region, self.scope, base, *tip, self.patches)?
            {
                continue;
            }
            let of = region.oid(*tip);
            return Ok(Some(match self.scope.query.releases.tag_on(of)? {
                Some(tag) => ContentIssue::TagSquash { commit, tag: tag.clone() },
                None => ContentIssue::Squash { commit, of },
            }));
        }
        Ok(None)
    }
}

/// Whether at least two development commits in `base..tip` were not promoted before. A trailer counts as promotion only if
/// the patch equals that of the commit it names.
fn brings_several_unpromoted(
    region: &Region<'_>,
    scope: &ContentScope<'_>,
    base: CommitIndex,
    tip: CommitIndex,
    patches: &mut PatchCache<'_>,
) -> Result<bool> {
    let below: HashSet<CommitIndex> = region.side(base, |_| false).into_iter().collect();
    let brought = region.side(tip, |_| false).into_iter();
    let mut brought: Vec<CommitIndex> =
        brought.filter(|c| region.parents(*c).len() < 2 && !below.contains(c)).collect();
    brought.sort_unstable_by_key(|c| std::cmp::Reverse((region.time(*c), region.oid(*c))));
    if brought.len() < 2 {
        return Ok(false);
    }
    // Promoted copies are in production and not older than their originals.
    let mut latest = AncestorsByDate::of(scope.query.graph, scope.new)?;
    let mut own = Vec::new();
    let mut unpromoted = 0;
    'brought: for at in brought {
        let original = region.oid(at);
        while let Some((commit, parents)) = latest.next_since(region.time(at).saturating_sub(CLOCKS_DIFFER))? {
            let here = region.find(commit);
            if parents == 1 && !here.is_some_and(|c| region.has_paint(c, DEV)) {
                // Commits of the update itself count only with a trailer.
                let claimed_only = here.is_some_and(|c| region.is_gained(c) && !below.contains(&c));
                own.push((commit, claimed_only));
            }
        }
        for (copy, claimed_only) in &own {
            if *claimed_only
                && !patches::contains_commit(&patches::named_originals(&patches.node(*copy)?.message), original)
            {
                continue;
            }
            match patches.is_same_patch(*copy, original)? {
                Some(true) => continue 'brought,
                Some(false) => {}
                None => return Ok(false),
            }
        }
        unpromoted += 1;
        if unpromoted == 2 {
            return Ok(true);
        }
    }
    Ok(false)
}
