//! References between commits, as their messages name them: `Depends-on:`, `Fixes:`, `This reverts commit`. Adds the commits
//! that a selection needs, leaves out what was reverted again, and records why.

use std::collections::{BTreeMap, BTreeSet};

use super::evidence::Promoted;
use super::history::History;
use super::selection::Selected;

/// A selection after its commits' references are resolved.
#[derive(Debug, Default)]
pub struct Series {
    pub chosen: BTreeSet<usize>,
    /// Added because a chosen commit says that it needs them: who needs whom.
    pub required: BTreeMap<usize, usize>,
    /// Left out, and why.
    pub skipped: BTreeMap<usize, String>,
    pub warnings: Vec<String>,
}

pub fn resolve(history: &History<'_>, promoted: &[Option<Promoted>], selected: &Selected) -> Series {
    let mut out = Series { chosen: selected.chosen.clone(), ..Series::default() };
    let settled = |at: usize| promoted[at].is_some_and(Promoted::is_settled);
    let pairs = reverts(history);
    out.cancel(history, &pairs, &settled, selected);
    out.require(history, &settled);
    out.fixes(history, &settled, selected);
    out.bugs(history, promoted, &settled, &pairs);
    out
}

/// `(original, revert)` among the development branch's own commits; a revert that was reverted does not count.
fn reverts(history: &History<'_>) -> Vec<(usize, usize)> {
    let mut out: Vec<(usize, usize)> = Vec::new();
    let mut undone = BTreeSet::new();
    for (at, change) in history.dev.iter().enumerate().rev() {
        let Some(hit) = change.trailers.reverts.iter().find_map(|hex| history.abbreviated(hex)) else { continue };
        if undone.contains(&at) || hit >= at {
            continue;
        }
        undone.insert(hit);
        out.push((hit, at));
    }
    out.reverse();
    out
}

impl Series {
    fn cancel(
        &mut self,
        history: &History<'_>,
        pairs: &[(usize, usize)],
        settled: &dyn Fn(usize) -> bool,
        selected: &Selected,
    ) {
        for (original, revert) in pairs {
            let both = self.chosen.contains(original) && self.chosen.contains(revert);
            let named = selected.named.contains(original) || selected.named.contains(revert);
            if !both || named || settled(*original) || settled(*revert) {
                continue;
            }
            for (one, other) in [(original, revert), (revert, original)] {
                self.chosen.remove(one);
                self.skipped.insert(*one, format!("cancels out with {}", history.dev[*other].id.short()));
            }
        }
    }

    fn require(&mut self, history: &History<'_>, settled: &dyn Fn(usize) -> bool) {
        let mut queue: Vec<usize> = self.chosen.iter().copied().collect();
        while let Some(at) = queue.pop() {
            for hex in &history.dev[at].trailers.depends_on {
                let Some(needed) = history.abbreviated(hex) else { continue };
                if needed != at && !settled(needed) && !history.dev[needed].is_merge() && self.chosen.insert(needed) {
                    self.skipped.remove(&needed);
                    self.required.insert(needed, at);
                    queue.push(needed);
                }
            }
        }
    }

    /// A fix for something that production does not have and will not get.
    fn fixes(&mut self, history: &History<'_>, settled: &dyn Fn(usize) -> bool, selected: &Selected) {
        let chosen: Vec<usize> = self.chosen.iter().copied().collect();
        for at in chosen {
            let targets: Vec<usize> =
                history.dev[at].trailers.fixes.iter().filter_map(|hex| history.abbreviated(hex)).collect();
            let Some(first) = targets.first() else { continue };
            let pointless = targets.iter().all(|t| !settled(*t) && !self.chosen.contains(t));
            if pointless && !selected.named.contains(&at) && !self.required.contains_key(&at) {
                self.chosen.remove(&at);
                let what = history.dev[*first].id.short();
                self.skipped.insert(at, format!("mends {what}, which is not promoted"));
            }
        }
    }

    fn bugs(
        &mut self,
        history: &History<'_>,
        promoted: &[Option<Promoted>],
        settled: &dyn Fn(usize) -> bool,
        pairs: &[(usize, usize)],
    ) {
        let told = |at: usize| format!("{} ({})", history.dev[at].id.short(), history.dev[at].subject);
        for (at, change) in history.dev.iter().enumerate() {
            if promoted[at].is_some() || self.chosen.contains(&at) || self.skipped.contains_key(&at) {
                continue;
            }
            for target in change.trailers.fixes.iter().filter_map(|hex| history.abbreviated(hex)) {
                if settled(target) || self.chosen.contains(&target) {
                    self.warnings.push(format!(
                        "you would ship a known bug: {} mends {} and is not selected",
                        told(at),
                        told(target)
                    ));
                }
            }
        }
        for (original, revert) in pairs {
            let going = self.chosen.contains(original) || settled(*original);
            if going && !settled(*revert) && !self.chosen.contains(revert) {
                self.warnings.push(format!(
                    "{} was taken back later by {}, which is not selected",
                    told(*original),
                    told(*revert)
                ));
            }
        }
    }
}
