//! The scanner: detectors and their keywords, ready for any number of texts. How one text is scanned is `text_scan`'s affair.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;

use bstr::BStr;

use super::text_scan::Scan;
use crate::finding::{Confidence, Redact, Severity};
use crate::rules::secrets::detectors::table::{self, DETECTORS, Detector};
use crate::rules::secrets::scan::dedupe::dedupe;
use crate::rules::secrets::scan::incremental::{Ask, Counter};
use crate::rules::secrets::scan::prefilter::Prefilter;

/// A secret, as found.
#[derive(Clone)]
pub struct Hit<'d> {
    pub detector: &'d Detector,
    /// What matched, in bytes of the text.
    pub range: Range<usize>,
    /// The part to hide.
    pub secret: Range<usize>,
    pub confidence: Confidence,
    pub severity: Severity,
    /// The other half of the credential, which is part of this finding.
    pub pair: Option<Range<usize>>,
}

/// Finds secrets. Building the one without detectors of the user's own costs nothing.
pub struct Scanner {
    prefilter: Prefilter,
    own: Vec<Detector>,
    /// Which own detectors and built-in keyword number each keyword of the prefilter means; empty without own detectors.
    pub(super) wanted: Vec<(Vec<u16>, Option<usize>)>,
    /// What each keyword asks for, laid out when history is read.
    pub(super) asks: OnceLock<Vec<Ask>>,
    longest: OnceLock<usize>,
    /// How much text traces have cost.
    pub(super) work: Counter,
}

/// How far before a keyword a pattern may begin.
pub(super) const BEFORE: usize = 256;
/// How much two windows of a large text share: more than any secret and what is looked at around it.
pub(super) const OVERLAP: usize = 128 << 10;

/// The scanner of the built-in detectors.
pub fn built_in() -> &'static Scanner {
    static SCANNER: std::sync::LazyLock<Scanner> = std::sync::LazyLock::new(|| Scanner::new(Vec::new()));
    &SCANNER
}

impl Scanner {
    /// The built-in detectors and the user's own.
    pub fn new(own: Vec<Detector>) -> Self {
        let mut prefilter = table::prefilter();
        let mut wanted = Vec::new();
        if !own.is_empty() {
            let mut keywords: Vec<Cow<'static, str>> = prefilter.keywords().to_vec();
            wanted = (0..keywords.len()).map(|k| (Vec::new(), Some(k))).collect();
            for (number, detector) in own.iter().enumerate() {
                for keyword in detector.keywords.iter() {
                    let at = keywords.iter().position(|k| k == keyword).unwrap_or_else(|| {
                        keywords.push(keyword.clone());
                        wanted.push((Vec::new(), None));
                        keywords.len() - 1
                    });
                    wanted[at].0.push((DETECTORS.len() + number) as u16);
                }
            }
            prefilter = Prefilter::new(keywords);
        }
        Self { prefilter, own, wanted, asks: OnceLock::new(), longest: OnceLock::new(), work: Counter::default() }
    }

    pub fn has_own_detectors(&self) -> bool {
        !self.own.is_empty()
    }

    pub fn prefilter(&self) -> &Prefilter {
        &self.prefilter
    }

    /// The length of the longest keyword.
    pub(super) fn longest(&self) -> usize {
        *self.longest.get_or_init(|| self.prefilter.keywords.iter().map(|k| k.len()).max().unwrap_or(0).max(3))
    }

    pub(super) fn detector(&self, number: u16) -> &Detector {
        let number = number as usize;
        DETECTORS.get(number).unwrap_or_else(|| &self.own[number - DETECTORS.len()])
    }

    /// All secrets of a text, in order, without overlaps. `path` decides which detectors apply and how generic
    /// assignments are read; `None` for messages.
    pub fn scan(&self, text: &[u8], path: Option<&BStr>) -> Vec<Hit<'_>> {
        self.raw(text, path).finish()
    }

    /// The same in windows of at most `window` bytes, which overlap, so that nothing falls between two.
    pub fn scan_windows(&self, text: &[u8], path: Option<&BStr>, window: usize) -> Vec<Hit<'_>> {
        let window = window.max(2 * OVERLAP);
        let mut hits = Vec::new();
        let mut start = 0;
        loop {
            let end = text.len().min(start + window);
            let shift = |r: Range<usize>| r.start + start..r.end + start;
            hits.extend(self.scan(&text[start..end], path).into_iter().map(|hit| Hit {
                range: shift(hit.range),
                secret: shift(hit.secret),
                pair: hit.pair.map(shift),
                ..hit
            }));
            if end == text.len() {
                return dedupe(hits);
            }
            start = end - OVERLAP;
        }
    }

    fn raw<'s, 't>(&'s self, text: &'t [u8], path: Option<&'t BStr>) -> Scan<'s, 't> {
        let mut scan = Scan::new(self, text, path);
        self.prefilter.search(text, |keyword, at| scan.keyword(keyword, at));
        scan
    }
}

impl Redact for Scanner {
    fn secrets(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        self.scan(bytes, None).into_iter().flat_map(|hit| hit.pair.into_iter().chain([hit.secret])).collect()
    }
}
