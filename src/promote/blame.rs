//! Which commit of production stands in the way of a pick, and which commits of a plan need which others: each named
//! with the lines that show it.

use std::ops::Range;

use bstr::{BStr, BString};

use super::history::{Change, History};
use super::simulate::Simulation;
use crate::error::Result;
use crate::git::{Clash, ClashKind, is_binary, regions};

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
    let mut now = clash.ours;
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
        for range in &mut ranges {
            let shift: i64 = changed
                .iter()
                .filter(|c| c.after.end <= range.start)
                .map(|c| c.before.len() as i64 - c.after.len() as i64)
                .sum();
            let moved = |n: u32| (i64::from(n) + shift).max(0) as u32;
            *range = moved(range.start)..moved(range.end);
        }
        now = Some(old);
    }
    Ok(None)
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
