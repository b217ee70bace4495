//! One text being scanned: keywords, patterns near them, checks. Owns the windows, and with them the promise that no pattern
//! runs over more text than its keywords ask for.

use std::cell::OnceCell;
use std::ops::Range;

use bstr::BStr;

use super::form::{self, Form, Place};
use super::scanner::{BEFORE, Hit, Scanner};
use crate::finding::{Confidence, Severity};
use crate::rules::secrets::assignment::{self, in_documentation};
use crate::rules::secrets::decode;
use crate::rules::secrets::detectors::table::{self, Detector};
use crate::rules::secrets::detectors::validators::{Candidate, Verdict};
use crate::rules::secrets::file_kind::{self, FileKind};
use crate::rules::secrets::kubernetes;
use crate::rules::secrets::published;
use crate::rules::secrets::scan::dedupe::{dedupe, join_pairs};
use crate::values::placeholder;
use crate::values::{self, entropy::entropy};

/// One text being scanned.
pub(super) struct Scan<'s, 't> {
    scanner: &'s Scanner,
    text: &'t [u8],
    path: Option<&'t BStr>,
    prose: bool,
    /// See [`file_kind::is_example_path`]; asked where something was found.
    example: OnceCell<bool>,
    /// It stands under every path at once: a detector that looks at some paths only looks at it.
    everywhere: bool,
    pub(super) hits: Vec<Hit<'s>>,
    /// How far a pattern that was cut off by its window had to look.
    pub(super) beyond: usize,
    /// Windows of detectors that have to be searched, joined where they touch, so that each byte is searched once at most.
    pending: Vec<(u16, Range<usize>)>,
    /// Whether detectors that are bound to paths look at this one, as far as was asked.
    scoped: Vec<(u16, bool)>,
    generic: assignment::Reader<'t>,
    manifests: kubernetes::Reader,
}

impl<'s, 't> Scan<'s, 't> {
    pub(super) fn new(scanner: &'s Scanner, text: &'t [u8], path: Option<&'t BStr>) -> Self {
        let kind = path.map_or(FileKind::Prose, file_kind::file_kind);
        // A message is prose too, but one about this very change; other prose shows how it is done, with values of its own.
        let prose = path.is_some() && kind == FileKind::Prose;
        Scan {
            scanner,
            text,
            path,
            prose,
            example: OnceCell::new(),
            everywhere: false,
            beyond: 0,
            hits: Vec::new(),
            pending: Vec::new(),
            scoped: Vec::new(),
            generic: assignment::Reader::new(text, kind),
            manifests: kubernetes::Reader::new(),
        }
    }

    /// For asking about single places of a text that may stand anywhere.
    pub(super) fn everywhere(scanner: &'s Scanner, text: &'t [u8]) -> Self {
        Self { everywhere: true, ..Self::new(scanner, text, None) }
    }

    pub(super) fn keyword(&mut self, keyword: usize, at: usize) {
        self.look(keyword, at, Self::wake);
    }

    /// Whether entries of Kubernetes manifests are hits.
    pub(super) fn reads_manifests(&mut self, reads: bool) {
        if !reads {
            self.manifests = kubernetes::Reader::of_nothing();
        }
    }

    /// A keyword whose windows are searched as extents.
    pub(super) fn lead(&mut self, keyword: usize, at: usize) {
        self.look(keyword, at, |scan, number, at| {
            scan.anchors(number, at);
        });
    }

    /// A window that was joined before.
    pub(super) fn extent(&mut self, number: u16, first: usize, last: usize) {
        let detector = self.scanner.detector(number);
        if self.applies(number, detector) {
            let end = self.text.len().min(last + detector.window as usize);
            self.search(number, first.saturating_sub(BEFORE)..end);
        }
    }

    fn look(&mut self, keyword: usize, at: usize, wake: impl Fn(&mut Self, u16, usize)) {
        let mut built_in = Some(keyword);
        if !self.scanner.wanted.is_empty() {
            let scanner = self.scanner;
            let (own, number) = &scanner.wanted[keyword];
            built_in = *number;
            own.iter().for_each(|detector| wake(self, *detector, at));
        }
        let Some(keyword) = built_in else { return };
        let (detectors, generic) = table::wanted_by(keyword);
        detectors.iter().for_each(|detector| wake(self, *detector, at));
        if generic {
            let length = self.scanner.prefilter().keywords()[keyword].len();
            if length == "secret".len() {
                let entries = self.manifests.at(self.text, at..at + length, self.scanner);
                for mut hit in entries {
                    if self.is_shown() {
                        hit.confidence = Confidence::Low;
                    }
                    self.hits.push(hit);
                }
            }
            let (path, example) = (self.path, &self.example);
            let is_example = || is_example(path, example);
            for hit in self.generic.assignments(at..at + length, &is_example) {
                let hit = self.unwrapped(hit);
                self.hits.push(hit);
            }
        }
    }

    fn is_example(&self) -> bool {
        is_example(self.path, &self.example)
    }

    /// What stands here is mostly made up.
    fn is_shown(&self) -> bool {
        self.prose || self.is_example()
    }

    /// A value that was found by its name and is base64 of something with a form of its own is that.
    fn unwrapped(&self, hit: Hit<'s>) -> Hit<'s> {
        let value = &self.text[hit.secret.clone()];
        let wrapped = value.len() >= 24 && value.iter().all(|b| values::is_base64(*b));
        let decoded = wrapped.then(|| decode::base64(value)).flatten().filter(|d| d.is_ascii());
        let inner = decoded.and_then(|d| self.scanner.scan(&d, None).into_iter().find(|h| table::rank(h.detector) < 2));
        match inner {
            Some(inner) => {
                let confidence = if self.is_example() { Confidence::Low } else { inner.confidence };
                Hit { detector: inner.detector, confidence, severity: inner.severity, ..hit }
            }
            None => hit,
        }
    }

    /// Whether a detector looks at this path at all; asked once for each.
    fn applies(&mut self, number: u16, detector: &Detector) -> bool {
        if self.everywhere || detector.paths.is_empty() {
            return true;
        }
        if let Some((_, applies)) = self.scoped.iter().find(|(n, _)| *n == number) {
            return *applies;
        }
        let applies = detector.applies_to(self.path);
        self.scoped.push((number, applies));
        applies
    }

    /// Tries a detector that knows where its keyword stands; gives one that does not.
    fn anchors(&mut self, number: u16, at: usize) -> Option<&'s Detector> {
        let detector = self.scanner.detector(number);
        if !self.applies(number, detector) {
            return None;
        }
        for offset in detector.offsets {
            if let Some(start) = at.checked_sub(*offset) {
                self.anchored(detector, start);
            }
        }
        detector.offsets.is_empty().then_some(detector)
    }

    fn wake(&mut self, number: u16, at: usize) {
        let Some(detector) = self.anchors(number, at) else { return };
        let window = at.saturating_sub(BEFORE)..self.text.len().min(at + detector.window as usize);
        match self.pending.iter_mut().find(|(n, _)| *n == number) {
            Some((_, open)) if window.start <= open.end => open.end = open.end.max(window.end),
            Some((_, open)) => {
                let closed = std::mem::replace(open, window);
                self.search(number, closed);
            }
            None => self.pending.push((number, window)),
        }
    }

    /// Runs a pattern at the one place where it can match.
    pub(super) fn anchored(&mut self, detector: &'s Detector, start: usize) {
        let end = self.text.len().min(start + detector.window as usize);
        let ahead = &self.text[start..end];
        if detector.begins_not(ahead).is_some() || !detector.may_hold(ahead) {
            return;
        }
        let Some(regex) = detector.matcher() else { return };
        let mut borrowed = [0u8; 0].as_slice();
        let mut owned = Vec::new();
        // The pattern wants the byte before; at the very start a line end stands in for it.
        if start > 0 {
            borrowed = &self.text[start - 1..end];
        } else {
            owned.push(b'\n');
            owned.extend_from_slice(&self.text[..end]);
        }
        let haystack = if start > 0 { borrowed } else { &owned };
        let Some(found) = regex.captures(haystack) else { return };
        let (Some(whole), Some(secret)) = (found.get(0), found.name("secret")) else { return };
        let place = |at: usize| (start + at).saturating_sub(1);
        self.candidate(
            detector,
            place(whole.start() + 1)..place(whole.end()),
            place(secret.start())..place(secret.end()),
        );
    }

    /// Runs a pattern over a window.
    pub(super) fn search(&mut self, number: u16, window: Range<usize>) {
        let detector = self.scanner.detector(number);
        if !detector.may_hold(&self.text[window.clone()]) {
            return;
        }
        let Some(regex) = detector.matcher() else { return };
        let mut at = window.start;
        let mut end = window.end;
        // The window starts anywhere, and looking back needs what is there: the haystack is the text up to its end.
        while let Some(found) = regex.captures_at(&self.text[..end], at) {
            let (Some(whole), Some(secret)) = (found.get(0), found.name("secret")) else { return };
            if whole.end() == end && end < self.text.len() && end < window.end + 65536 {
                // Cut off by the window, not by itself.
                at = whole.start();
                end = self.text.len().min(end + 8192);
                self.beyond = end;
                continue;
            }
            let (whole, secret) = (whole.range(), secret.range());
            at = whole.end.max(whole.start + 1);
            self.candidate(detector, whole, secret);
            if at > window.end {
                return;
            }
        }
    }

    fn candidate(&mut self, detector: &'s Detector, range: Range<usize>, secret: Range<usize>) {
        let value = &self.text[secret.clone()];
        if detector.entropy > 0.0 && entropy(value) < detector.entropy {
            return;
        }
        let mut hit = Hit {
            detector,
            confidence: detector.confidence,
            severity: detector.severity,
            range: range.clone(),
            secret: secret.clone(),
            pair: None,
        };
        let candidate = Candidate { text: self.text, range: &range, secret: value, start: secret.start };
        let mut placed = false;
        let own = || if detector.is_prefix_of(value) { Form::Prefixed } else { Form::Named };
        let mut form = if detector.broad { Form::Common } else { own() };
        for check in detector.checks.iter() {
            match check(&candidate) {
                Verdict::Keep => {}
                Verdict::Reject => return,
                Verdict::Raise => {
                    form = Form::Issued;
                    hit.confidence = Confidence::High;
                }
                Verdict::WellFormed => {
                    form = Form::WellFormed;
                    hit.confidence = Confidence::High;
                }
                Verdict::Complete => {
                    // A whole key is one in documentation too; in code it may be that of a test.
                    let code = self.path.is_some_and(|path| file_kind::file_kind(path).is_code());
                    form = if code { Form::WellFormed } else { Form::Issued };
                    hit.confidence = Confidence::High;
                }
                Verdict::Mismatch => {
                    hit.confidence = Confidence::Low;
                    hit.severity = Severity::Note;
                }
                Verdict::Placed(most) => {
                    form = if detector.broad { Form::Placed } else { own() };
                    placed = true;
                    hit.confidence = hit.confidence.min(most);
                }
                Verdict::AtMost(most) => hit.confidence = hit.confidence.min(most),
                Verdict::TestMode => {
                    hit.confidence = Confidence::Low;
                    hit.severity = hit.severity.min(Severity::Warning);
                }
            }
        }
        hit.confidence = hit.confidence.min(form::at_most(form, self.place(range.start)));
        // What the format itself proves may look like anything: the head of every OpenSSH key is a run of `A`.
        if placed || matches!(form, Form::Issued | Form::WellFormed) {
            self.hits.push(hit);
            return;
        }
        // Words are somebody's idea of a password at best.
        if form == Form::Common && values::is_identifier(value) {
            hit.confidence = Confidence::Low;
        }
        if placeholder::is_long_run(value) {
            if self.is_shown() {
                return;
            }
            hit.confidence = Confidence::Low;
        }
        if !placeholder::is_placeholder(value) {
            self.hits.push(hit);
        }
    }

    fn place(&self, at: usize) -> Place {
        match () {
            () if self.is_example() || in_documentation(self.text, at) => Place::Example,
            () if self.prose => Place::Prose,
            () => Place::Ordinary,
        }
    }

    pub(super) fn finish(mut self) -> Vec<Hit<'s>> {
        for (number, window) in std::mem::take(&mut self.pending) {
            self.search(number, window);
        }
        self.hits.retain(|hit| !published::is_published(&self.text[hit.secret.clone()]));
        let trial = !self.hits.is_empty() && self.is_example();
        join_pairs(&mut self.hits, trial);
        dedupe(self.hits)
    }
}

fn is_example(path: Option<&BStr>, known: &OnceCell<bool>) -> bool {
    *known.get_or_init(|| path.is_some_and(file_kind::is_example_path))
}
