//! What becomes of hits that have to do with each other: halves of one credential, and several names for one secret.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;

use crate::finding::Confidence;
use crate::rules::secrets::detectors::table;
use crate::rules::secrets::scan::scanner::Hit;

/// How far apart the halves of a credential may be.
const NEAR: usize = 1024;

/// Makes one hit of two halves that are near each other.
pub fn join_pairs(hits: &mut Vec<Hit<'_>>, trial: bool) {
    hits.sort_by_key(|hit| hit.secret.start);
    let mut taken = vec![false; hits.len()];
    for at in 0..hits.len() {
        let Some(other) = hits[at].detector.pair.as_deref() else { continue };
        let here = hits[at].secret.start;
        let first = hits.partition_point(|h| h.secret.start + NEAR < here);
        let near = (first..hits.len())
            .take_while(|o| hits[*o].secret.start <= here + NEAR)
            .filter(|o| hits[*o].detector.id == other)
            .min_by_key(|o| hits[*o].secret.start.abs_diff(here));
        if let Some(near) = near {
            hits[at].pair = Some(hits[near].secret.clone());
            if !trial {
                hits[at].confidence = Confidence::High;
            }
            taken[near] = true;
        }
    }
    let mut taken = taken.into_iter();
    hits.retain(|_| !taken.next().unwrap_or(false));
}

/// One secret, one hit: of hits whose secrets overlap the best ranked stays, and it keeps worse ranks out of all that
/// it matched.
pub fn dedupe(mut hits: Vec<Hit<'_>>) -> Vec<Hit<'_>> {
    hits.sort_by_key(|h| {
        (table::rank(h.detector), Reverse((h.confidence, h.secret.len())), h.secret.start, h.detector.id.as_ref())
    });
    let mut kept: BTreeMap<usize, Hit<'_>> = BTreeMap::new();
    let mut claimed = Disjoint::default();
    // What better ranks matched, beyond the secrets themselves.
    let mut matched = Disjoint::default();
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut rank = 0;
    for hit in hits {
        if table::rank(hit.detector) > rank {
            rank = table::rank(hit.detector);
            ranges.drain(..).for_each(|range| matched.add(range));
        }
        if claimed.meets(&hit.secret) || matched.meets(&hit.secret) {
            continue;
        }
        claimed.add(hit.secret.clone());
        ranges.push(hit.range.clone());
        kept.insert(hit.secret.start, hit);
    }
    kept.into_values().collect()
}

/// Ranges that are joined where they meet.
#[derive(Default)]
struct Disjoint(BTreeMap<usize, usize>);

impl Disjoint {
    fn meets(&self, range: &Range<usize>) -> bool {
        self.0.range(..range.end.max(range.start + 1)).next_back().is_some_and(|(_, end)| *end > range.start)
    }

    fn add(&mut self, mut range: Range<usize>) {
        while let Some((start, end)) = self.0.range(..range.end).next_back().filter(|(_, end)| **end > range.start) {
            let (start, end) = (*start, *end);
            range = range.start.min(start)..range.end.max(end);
            self.0.remove(&start);
        }
        self.0.insert(range.start, range.end);
    }
}
