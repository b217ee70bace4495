//! What the scanner would look at in a text, wherever that stands: every keyword, and whether something was found near it
//! under any path. From the trace of one text follows that of another made out of it, at the price of what is new.
//!
//! What is found near a keyword depends on a bounded part of the text, its reach. Where all of that was copied, so is the
//! answer. Two things depend on more: patterns whose windows are joined (an extent from the first keyword to the last), and
//! manifests of Kubernetes, which are all read again when one of them changes or comes.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::rules::prescan::{Extent, FileKindSet, KeywordHit, TextScan, Work};
use crate::rules::secrets::assignment;
use crate::rules::secrets::detectors::table::{self, DETECTORS};
use crate::rules::secrets::file_kind::FileKind;
use crate::rules::secrets::kubernetes;
use crate::rules::secrets::scan::scanner::{BEFORE, Scanner};
use crate::rules::secrets::scan::text_scan::Scan;
use crate::subject::{CopiedRun, DeltaResult};

/// An assignment, if the text stands in a file of this kind.
pub const CODE: FileKindSet = FileKindSet(1);
pub const CONFIG: FileKindSet = FileKindSet(2);
pub const PROSE: FileKindSet = FileKindSet(4);
pub const DECLARATION: FileKindSet = FileKindSet(16);
/// Something of a form of its own.
pub const FORM: FileKindSet = FileKindSet(8);

/// The kinds of files in which assignments are read, and the interest that one of them raises.
const KINDS: [(FileKind, FileKindSet); 4] = [
    (FileKind::Code, CODE),
    (FileKind::Config, CONFIG),
    (FileKind::Prose, PROSE),
    (FileKind::Declaration, DECLARATION),
];
/// The extent of a manifest; others are numbers of detectors.
pub(super) const MANIFEST: u16 = u16::MAX;
/// What checks look at beyond a match: the host after a URL's credentials.
const BEHIND: usize = 16;
/// A mark's reach is counted in these.
const STEP: usize = 8;
/// A mark that has not been judged yet.
const OPEN: u8 = 0;

/// What a keyword asks for.
#[derive(Debug, Default)]
pub struct Ask {
    length: usize,
    /// Where in the keyword the prefilter finds it.
    anchor: usize,
    /// How far back an answer looks at most.
    before: usize,
    /// Detectors that know where their keyword stands, and others.
    anchored: Vec<u16>,
    searched: Vec<u16>,
    generic: bool,
}

/// How much was looked at, counted by all threads.
#[derive(Debug, Default)]
pub struct Counter {
    bytes: AtomicU64,
    whole: AtomicU64,
}

impl Scanner {
    fn asks(&self) -> &[Ask] {
        self.asks.get_or_init(|| {
            let keywords = self.prefilter().keywords();
            keywords.iter().enumerate().map(|(word, keyword)| self.ask(word, keyword.len())).collect()
        })
    }

    fn ask(&self, word: usize, length: usize) -> Ask {
        let (own, built_in) = match self.wanted.get(word) {
            Some((own, built_in)) => (own.as_slice(), *built_in),
            None => (&[][..], Some(word)),
        };
        let (theirs, generic) = built_in.map_or((&[][..], false), table::wanted_by);
        let (searched, anchored): (Vec<u16>, Vec<u16>) =
            own.iter().chain(theirs).copied().partition(|n| self.detector(*n).offsets.is_empty());
        let offsets = anchored.iter().flat_map(|n| self.detector(*n).offsets).copied().max().unwrap_or(0);
        let before = (offsets + 1).max(if generic { assignment::BEFORE + 1 } else { 0 });
        let anchor = self.prefilter().anchors.iter().find(|a| a.keyword as usize == word);
        let anchor = anchor.map_or(0, |a| a.offset as usize);
        Ask { length, anchor, before, anchored, searched, generic }
    }

    pub fn work(&self) -> Work {
        Work { bytes: self.work.bytes.load(Ordering::Relaxed), whole: self.work.whole.load(Ordering::Relaxed) }
    }

    /// Everything in a text, from the beginning.
    pub fn prescan(&self, text: &[u8]) -> TextScan {
        self.work.bytes.fetch_add(text.len() as u64, Ordering::Relaxed);
        self.work.whole.fetch_add(1, Ordering::Relaxed);
        let mut look = Look::new(self, text);
        self.prefilter().search(text, |word, at| look.note(word, at));
        look.seen.keywords.sort();
        for number in 0..look.seen.keywords.len() {
            let mark = look.judge(number);
            look.wake(mark, |_| false);
        }
        look.manifests();
        look.finish()
    }

    /// The same of a text that was made out of one that was seen; nothing that [`Scanner::prescan`] finds is missing.
    pub fn prescan_delta(&self, base: &TextScan, made: &DeltaResult<'_>) -> TextScan {
        let mut look = Look::new(self, made.bytes);
        let mut same = look.inherit(base, made);
        let scanned = look.search_seams(made.copied);
        self.work.bytes.fetch_add(scanned, Ordering::Relaxed);
        look.seen.keywords.sort();
        let inherited = std::mem::take(&mut look.seen.extents);
        let (mut next, mut active): (usize, Vec<Extent>) = (0, Vec::new());
        for number in 0..look.seen.keywords.len() {
            let mut mark = look.seen.keywords[number];
            if mark.reach == OPEN {
                same &= !look.opens_manifest(mark);
                mark = look.judge(number);
            }
            if look.asks[mark.word as usize].searched.is_empty() {
                continue;
            }
            while inherited.get(next).is_some_and(|e| e.first <= mark.at) {
                active.push(inherited[next]);
                next += 1;
            }
            active.retain(|e| e.last >= mark.at);
            look.wake(mark, |number| active.iter().any(|e| e.what == number));
        }
        look.seen.extents.extend(inherited);
        if !same {
            look.manifests();
        }
        look.finish()
    }

    /// The same kinds of files as [`super::path`] tells apart.
    pub fn interest(kind: FileKind) -> FileKindSet {
        // Other kinds only leave out some of what these find.
        let kind = match kind {
            FileKind::Script | FileKind::Minified => FileKind::Code,
            FileKind::Translation => FileKind::Config,
            kind => kind,
        };
        KINDS.iter().find(|(k, _)| *k == kind).map_or(FileKindSet::NONE, |(_, interest)| *interest)
    }
}

/// One text being looked at.
pub(super) struct Look<'s, 't> {
    scanner: &'s Scanner,
    asks: &'s [Ask],
    text: &'t [u8],
    scan: Scan<'s, 't>,
    seen: TextScan,
    /// Extents that may grow.
    open: Vec<Extent>,
}

impl<'s, 't> Look<'s, 't> {
    pub(super) fn new(scanner: &'s Scanner, text: &'t [u8]) -> Self {
        let scan = Scan::everywhere(scanner, text);
        Self { scanner, asks: scanner.asks(), text, scan, seen: TextScan::default(), open: Vec::new() }
    }

    fn note(&mut self, word: usize, at: usize) {
        self.seen.keywords.push(KeywordHit { at: at as u32, word: word as u16, found: FileKindSet::NONE, reach: OPEN });
    }

    fn range(&self, mark: KeywordHit) -> std::ops::Range<usize> {
        mark.at as usize..mark.at as usize + self.asks[mark.word as usize].length
    }

    /// Whether a keyword asks for assignments.
    pub(super) fn is_generic(&self, mark: &KeywordHit) -> bool {
        self.asks[mark.word as usize].generic
    }

    /// Where in a keyword the prefilter finds it.
    pub(super) fn anchor(&self, mark: &KeywordHit) -> usize {
        self.asks[mark.word as usize].anchor
    }

    /// Looks around one keyword.
    fn judge(&mut self, number: usize) -> KeywordHit {
        let mark = self.seen.keywords[number];
        let (word, ask) = (self.range(mark), &self.asks[mark.word as usize]);
        let mut end = word.end + 1;
        let mut found = FileKindSet::NONE;
        for number in &ask.anchored {
            let detector = self.scanner.detector(*number);
            for offset in detector.offsets {
                let Some(start) = word.start.checked_sub(*offset) else { continue };
                let far = start + detector.window as usize;
                if let Some(seen) = detector.begins_not(&self.text[start..self.text.len().min(far)]) {
                    end = end.max(start + seen);
                    continue;
                }
                end = end.max(far + BEHIND);
                self.scan.anchored(detector, start);
                found = found.union(self.taken());
            }
        }
        if ask.generic {
            let mut reader = assignment::Reader::new(self.text, KINDS[0].0);
            let assigned = reader.finds(word.clone(), KINDS.map(|(kind, _)| kind));
            let raised = KINDS.iter().zip(assigned).filter(|(_, assigned)| *assigned);
            found = raised.fold(found, |found, ((_, interest), _)| found.union(*interest));
            end = end.max(reader.reach.get());
        }
        let steps = (end - word.start).div_ceil(STEP);
        // Too far to remember: whoever stands here has to be read as long as nothing near changes.
        let reach = u8::try_from(steps).unwrap_or(u8::MAX);
        if steps > u8::MAX as usize {
            found = found.union(FORM);
        }
        let judged = KeywordHit { found, reach, ..mark };
        self.seen.keywords[number] = judged;
        judged
    }

    /// Whether the scan has come upon something since it was last asked.
    fn taken(&mut self) -> FileKindSet {
        let found = !self.scan.hits.is_empty() || self.scan.beyond > 0;
        self.scan.hits.clear();
        self.scan.beyond = 0;
        if found { FORM } else { FileKindSet::NONE }
    }

    /// Opens and joins windows as the scanner does, for detectors that are not `settled` here.
    fn wake(&mut self, mark: KeywordHit, settled: impl Fn(u16) -> bool) {
        for &what in &self.asks[mark.word as usize].searched {
            if settled(what) {
                continue;
            }
            let window = self.scanner.detector(what).window as usize;
            let new = Extent { first: mark.at, last: mark.at, what, found: FileKindSet::NONE };
            match self.open.iter_mut().find(|e| e.what == what) {
                Some(open) if (mark.at as usize).saturating_sub(BEFORE) <= open.last as usize + window => {
                    open.last = mark.at;
                }
                Some(open) => {
                    let closed = std::mem::replace(open, new);
                    self.close(closed);
                }
                None => self.open.push(new),
            }
        }
    }

    fn close(&mut self, extent: Extent) {
        let window = self.scanner.detector(extent.what).window as usize;
        let start = (extent.first as usize).saturating_sub(BEFORE);
        self.scan.search(extent.what, start..self.text.len().min(extent.last as usize + window));
        let found = self.taken();
        self.seen.extents.push(Extent { found, ..extent });
    }

    pub(super) fn opens_manifest(&self, mark: KeywordHit) -> bool {
        self.asks[mark.word as usize].generic && kubernetes::is_kind(self.text, &self.range(mark))
    }

    /// Reads all manifests: where one begins can depend on where the one before it ends.
    fn manifests(&mut self) {
        self.seen.extents.retain(|e| e.what != MANIFEST);
        let mut reader = kubernetes::Reader::new();
        for mark in &self.seen.keywords {
            if !self.opens_manifest(*mark) {
                continue;
            }
            let Some((range, hits)) = reader.manifest(self.text, self.range(*mark), self.scanner) else { continue };
            let found = if hits.is_empty() { FileKindSet::NONE } else { FORM };
            let (first, last) = (range.start as u32, range.end as u32);
            self.seen.extents.push(Extent { first, last, what: MANIFEST, found });
        }
    }

    fn finish(mut self) -> TextScan {
        for extent in std::mem::take(&mut self.open) {
            self.close(extent);
        }
        self.seen.extents.sort_by_key(|e| (e.first, e.what));
        self.seen
    }

    /// Takes over what was copied together with all that it depends on, and opens what was copied without. `false` if a
    /// manifest is not what it was.
    fn inherit(&mut self, base: &TextScan, made: &DeltaResult<'_>) -> bool {
        let manifests = |seen: &TextScan| seen.extents.iter().filter(|e| e.what == MANIFEST).count();
        for kept in made.copied {
            let end = kept.from + kept.len;
            let moved = |at: u32| (at as usize - kept.from + kept.at) as u32;
            let first = base.keywords.partition_point(|m| (m.at as usize) < kept.from);
            for mark in &base.keywords[first..] {
                let (at, ask) = (mark.at as usize, &self.asks[mark.word as usize]);
                if at >= end {
                    break;
                }
                if at + ask.length > end {
                    continue;
                }
                let whole = covers(kept, made, at as isize - ask.before as isize, at + mark.reach as usize * STEP);
                let reach = if whole { mark.reach } else { OPEN };
                let found = if whole { mark.found } else { FileKindSet::NONE };
                self.seen.keywords.push(KeywordHit { at: moved(mark.at), found, reach, ..*mark });
            }
            let first = base.extents.partition_point(|e| (e.first as usize) < kept.from);
            for extent in &base.extents[first..] {
                if extent.first as usize >= end {
                    break;
                }
                let (start, stop) = self.depends(extent, made.base_len);
                if covers(kept, made, start, stop) {
                    let (first, last) = (moved(extent.first), moved(extent.last));
                    self.seen.extents.push(Extent { first, last, ..*extent });
                }
            }
        }
        manifests(&self.seen) == manifests(base) && in_order(&self.seen.extents)
    }

    /// The part of the base on which an extent depends: what is in it, and that nothing more is near.
    fn depends(&self, extent: &Extent, base: usize) -> (isize, usize) {
        let (first, last) = (extent.first as usize, extent.last as usize);
        if extent.what == MANIFEST {
            // What reaches to an end of the text depends on its being one.
            return (if first == 0 { -1 } else { first as isize }, if last >= base { last + 1 } else { last });
        }
        let window = self.scanner.detector(extent.what).window as usize;
        let start = first as isize - (BEFORE + window + self.scanner.longest() + 1) as isize;
        (start, last + window + BEFORE + self.scanner.longest() + BEHIND)
    }

    /// Looks for keywords that are not in what was copied. Gives the bytes that had to be looked at.
    fn search_seams(&mut self, kept: &[CopiedRun]) -> u64 {
        let near = self.scanner.longest() - 1;
        let mut scanned = 0;
        let mut search = |from: usize, to: usize, marks: &mut Vec<KeywordHit>| {
            scanned += (to - from) as u64;
            self.scanner.prefilter().search(&self.text[from..to], |word, at| {
                let (start, end) = (from + at, from + at + self.asks[word].length);
                let piece = kept[..kept.partition_point(|k| k.at <= start)].last();
                if piece.is_none_or(|k| end > k.at + k.len) {
                    let (at, word) = (start as u32, word as u16);
                    marks.push(KeywordHit { at, word, found: FileKindSet::NONE, reach: OPEN });
                }
            });
        };
        let marks = &mut self.seen.keywords;
        let mut window: Option<(usize, usize)> = None;
        let mut done = 0;
        let ends = kept.iter().map(|k| (k.at, k.at + k.len)).chain([(self.text.len(), self.text.len())]);
        for (start, end) in ends {
            // A seam at an end of the text joins nothing.
            if !(start == done && (done == 0 || done == self.text.len())) {
                let (from, to) = (done.saturating_sub(near), self.text.len().min(start + near));
                match &mut window {
                    Some((_, open)) if from <= *open => *open = to,
                    _ => {
                        if let Some((from, to)) = window.replace((from, to)) {
                            search(from, to, marks);
                        }
                    }
                }
            }
            done = end;
        }
        if let Some((from, to)) = window {
            search(from, to, marks);
        }
        scanned
    }
}

/// Whether a run that was copied holds all of a part of the base; a part that reaches beyond an end of the base needs
/// that end to be one still.
fn covers(kept: &CopiedRun, made: &DeltaResult<'_>, start: isize, end: usize) -> bool {
    let begins = kept.from == 0 && kept.at == 0;
    let ends = kept.from + kept.len == made.base_len && kept.at + kept.len == made.bytes.len();
    (begins || start >= kept.from as isize) && (ends || end <= kept.from + kept.len)
}

/// Whether manifests follow each other as they did, without overlaps that were none.
fn in_order(extents: &[Extent]) -> bool {
    let manifests = extents.iter().filter(|e| e.what == MANIFEST);
    manifests.clone().zip(manifests.skip(1)).all(|(a, b)| a.first <= b.first)
}

/// How many detectors there are is what tells a manifest's extent from theirs.
const _: () = assert!(DETECTORS.len() < MANIFEST as usize / 2);
