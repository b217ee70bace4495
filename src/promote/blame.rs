//! Finds the commit of production that a pick conflicts with, and which commits of a plan need each other, with the lines
//! that show it.

use std::ops::Range;

use bstr::{BStr, BString};

use super::history::{Change, History};
use super::simulate::Simulation;
use crate::error::Result;
use crate::git::{Clash, ClashKind, Region, is_binary, regions};

/// A dependency shown by leaving it out: then `needs` does not apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Because {
    pub needs: usize,
    pub needed: usize,
    pub path: BString,
    /// In the file as `needs` found it in development; empty where the whole file is meant.
    pub lines: String,
}

/// Why each of `added` is there: what fails first without it.
pub fn reasons(simulation: &Simulation<'_, '_>, order: &[usize], added: &[usize]) -> Result<Vec<Because>> {
    let mut out = Vec::new();
    for needed in added {
        let without: Vec<usize> = order.iter().copied().filter(|at| at != needed).collect();
        let run = simulation.run(&without)?;
        let Some((needs, _)) = run.stopped else { continue };
        for clash in run.clashes() {
            out.push(Because { needs, needed: *needed, path: clash.path.clone(), lines: base_lines(clash) });
        }
    }
    out.sort_by(|a, b| (a.needs, a.needed, &a.path).cmp(&(b.needs, b.needed, &b.path)));
    Ok(out)
}

/// The commit of production that last touched what clashes; `None` where none of its own did (a merge, or history before
/// the branches parted).
pub fn blocker<'h>(history: &'h History<'_>, clash: &Clash) -> Result<Option<&'h Change>> {
    let path: &BStr = clash.path.as_ref();
    let mut ranges: Vec<Range<u32>> = clash.overlaps.iter().map(|o| o.ours.clone()).collect();
    // The picks before it may have changed the file: the search begins where production stands.
    let mut now = history.picker.leaf(history.tree, path)?;
    if let (Some(tip), Some(ours)) = (now, clash.ours)
        && tip.id != ours.id
    {
        let (before, after) = (history.picker.blob(tip.id)?, history.picker.blob(ours.id)?);
        if !is_binary(&before) && !is_binary(&after) {
            move_back(&mut ranges, &regions(&before, &after));
        }
    }
    for change in history.main.iter().rev().filter(|c| !c.is_merge()) {
        let edits = history.picker.edits(change.base, change.tree())?;
        let Ok(at) = edits.binary_search_by(|e| BStr::cmp(e.path.as_ref(), path)) else { continue };
        let edit = &edits[at];
        if clash.kind != ClashKind::Content {
            return Ok(Some(change));
        }
        let (Some(old), Some(new)) = (edit.old, edit.new) else { return Ok(Some(change)) };
        if Some(new.id) != now.map(|l| l.id) {
            // Beside the line of versions that is followed (a side branch): it may be the one, it cannot be told.
            continue;
        }
        let (before, after) = (history.picker.blob(old.id)?, history.picker.blob(new.id)?);
        if is_binary(&before) || is_binary(&after) {
            return Ok(Some(change));
        }
        let changed = regions(&before, &after);
        let touches = |r: &Range<u32>| changed.iter().any(|c| c.after.start <= r.end && r.start <= c.after.end);
        if ranges.iter().any(touches) {
            return Ok(Some(change));
        }
        move_back(&mut ranges, &changed);
        now = Some(old);
    }
    Ok(None)
}

/// Ranges of lines after some changes become those before; one that begins or ends within a change takes all of it.
fn move_back(ranges: &mut [Range<u32>], changed: &[Region]) {
    let back = |line: u32, within: fn(&Region) -> u32| {
        let passed = changed.iter().rev().find(|c| c.after.start < line || c.after.end <= line);
        match passed {
            Some(c) if c.after.end <= line => c.before.end + (line - c.after.end),
            Some(c) => within(c),
            None => line,
        }
    };
    for range in ranges {
        let start = back(range.start, |c| c.before.start);
        *range = start..back(range.end, |c| c.before.end).max(start);
    }
}

/// Lines of the clash in the file that the picked commit started from, as people count them.
pub fn base_lines(clash: &Clash) -> String {
    span(clash.overlaps.iter().map(|o| &o.base))
}

/// `12-18`, 1-based, over all ranges; one number for one line or a place between lines; empty without ranges.
pub fn span<'a>(ranges: impl Iterator<Item = &'a Range<u32>> + Clone) -> String {
    let (Some(start), Some(end)) = (ranges.clone().map(|r| r.start).min(), ranges.map(|r| r.end).max()) else {
        return String::new();
    };
    if end > start + 1 { format!("{}-{end}", start + 1) } else { (start + 1).to_string() }
}
