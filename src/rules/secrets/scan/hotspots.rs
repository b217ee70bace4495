//! What of a trace is worth keeping when a text has to be read once more: the few keywords and extents near which something
//! was found. From these follows all that scanning the text from end to end finds, because the others found nothing under
//! any path. Owns what has to be kept, and the scan that follows it.

use bstr::BStr;

use crate::rules::prescan::{Extent, FileKindSet, KeywordHit, TextScan};
use crate::rules::secrets::assignment;
use crate::rules::secrets::scan::incremental::{Look, MANIFEST};
use crate::rules::secrets::scan::scanner::{Hit, Scanner};
use crate::rules::secrets::scan::text_scan::Scan;

/// Keywords and extents that are kept of one text; one with more is scanned whole.
const MOST: usize = 256;

impl Scanner {
    /// What [`Scanner::scan_leads`] needs of a text of which this was seen; `None` if that is nearly everything.
    pub fn hotspots(&self, text: &[u8], seen: &TextScan) -> Option<TextScan> {
        let loud = |extent: &&Extent| extent.found != FileKindSet::NONE;
        let extents: Vec<Extent> = seen.extents.iter().filter(loud).copied().collect();
        let manifests = has_manifest(&extents);
        let look = Look::new(self, text);
        let near = assignment::NAME + 2 * self.longest();
        // Keywords in one name are read once, by the first of them: whoever may share a name with one that found something
        // stays with it. `run` is where the names that are being passed began, and `heard` whether one of them is wanted.
        let mut marks: Vec<KeywordHit> = Vec::new();
        let (mut run, mut heard, mut last) = (0, false, None::<u32>);
        for mark in &seen.keywords {
            let is_generic = look.is_generic(mark);
            if is_generic && last.is_some_and(|last| (mark.at - last) as usize > near) {
                if !heard {
                    marks.truncate(run);
                }
                (run, heard) = (marks.len(), false);
            }
            if is_generic {
                last = Some(mark.at);
            }
            let found = mark.found != FileKindSet::NONE;
            // Where one manifest begins can depend on where the one before it ends.
            let opens = manifests && look.opens_manifest(*mark);
            heard |= found || opens;
            if found || opens || is_generic {
                marks.push(*mark);
            }
            if run + extents.len() > MOST {
                return None;
            }
        }
        if !heard {
            marks.truncate(run);
        }
        // In the order in which the prefilter finds them.
        marks.sort_by_key(|m| (m.at as usize + look.anchor(m), m.word));
        (marks.len() + extents.len() <= MOST).then_some(TextScan { keywords: marks, extents })
    }

    /// The same as [`Scanner::scan`] of a text that gave these hotspots.
    pub fn scan_hotspots(&self, text: &[u8], path: Option<&BStr>, hotspots: &TextScan) -> Vec<Hit<'_>> {
        let mut scan = Scan::new(self, text, path);
        // Without all that opens one, none can be read.
        scan.reads_manifests(has_manifest(&hotspots.extents));
        for mark in &hotspots.keywords {
            scan.lead(mark.word as usize, mark.at as usize);
        }
        for extent in hotspots.extents.iter().filter(|e| e.what != MANIFEST) {
            scan.extent(extent.what, extent.first as usize, extent.last as usize);
        }
        scan.finish()
    }
}

fn has_manifest(extents: &[Extent]) -> bool {
    extents.iter().any(|e| e.what == MANIFEST)
}
