//! One pass over bytes that finds every occurrence of every keyword, in either case.
//! Owns the search only; what a keyword means is the scanner's affair.

use std::borrow::Cow;

use crate::rules::secrets::scan::trigrams::{self, Anchor, FILTER, NONE, SLOTS};

/// The keywords and the tables over them: static for the built-in ones, made at run time when a policy adds its own.
pub struct Prefilter {
    pub(in crate::rules::secrets) filter: Cow<'static, [u8]>,
    pub(in crate::rules::secrets) slots: Cow<'static, [u16]>,
    pub(in crate::rules::secrets) anchors: Cow<'static, [Anchor]>,
    pub(in crate::rules::secrets) keywords: Cow<'static, [Cow<'static, str>]>,
}

impl Prefilter {
    /// Keywords in lower case, of at least three bytes; their order is their number.
    pub fn new(keywords: Vec<Cow<'static, str>>) -> Self {
        let bytes: Vec<&[u8]> = keywords.iter().map(|k| k.as_bytes()).collect();
        let tables = trigrams::tables(&bytes);
        Self {
            filter: tables.filter.into(),
            slots: tables.slots.into(),
            anchors: tables.anchors.into(),
            keywords: keywords.into(),
        }
    }

    pub fn keywords(&self) -> &[Cow<'static, str>] {
        &self.keywords
    }

    /// Calls `hit(keyword, start)` for every occurrence, overlapping ones too. Starts come roughly in order: one is never
    /// followed by another that lies more than the longest keyword before it.
    #[inline]
    pub fn search(&self, bytes: &[u8], mut hit: impl FnMut(usize, usize)) {
        let filter: &[u8; FILTER] = self.filter.as_ref().try_into().expect("tables() makes it this long");
        let any = |window: u32| filter[trigrams::window(window) >> 3];
        let likely = |window: u32| any(window) >> (trigrams::window(window) & 7) & 1 != 0;
        let mut at = 0;
        // Ten bytes hold four windows, two bytes apart; an array of known length needs no bounds checks.
        for ten in bytes.windows(10).step_by(8) {
            let ten: &[u8; 10] = ten.try_into().expect("windows of ten");
            let [a, b, c, d, e, f, g, h, i, j] = *ten;
            let first = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
            let windows = [first as u32, (first >> 16) as u32, (first >> 32) as u32, u32::from_le_bytes([g, h, i, j])];
            if any(windows[0]) | any(windows[1]) | any(windows[2]) | any(windows[3]) != 0 {
                for (number, window) in windows.into_iter().enumerate() {
                    if likely(window) {
                        self.confirm(bytes, at + 2 * number, &mut hit);
                    }
                }
            }
            at += 8;
        }
        while at + 3 <= bytes.len() {
            let rest = &bytes[at..bytes.len().min(at + 4)];
            let mut window = [0; 4];
            window[..rest.len()].copy_from_slice(rest);
            if likely(u32::from_le_bytes(window)) {
                self.confirm(bytes, at, &mut hit);
            }
            at += 2;
        }
    }

    /// Compares the keywords whose anchor is one of the two trigrams of a window.
    #[inline(never)]
    fn confirm(&self, bytes: &[u8], at: usize, hit: &mut impl FnMut(usize, usize)) {
        for (gram, at) in bytes[at..bytes.len().min(at + 4)].windows(3).map(trigrams::gram).zip(at..) {
            let mut slot = trigrams::slot(gram);
            while self.slots[slot] != NONE {
                let first = self.slots[slot] as usize;
                if self.anchors[first].gram == gram {
                    for anchor in self.anchors[first..].iter().take_while(|a| a.gram == gram) {
                        let Some(start) = at.checked_sub(anchor.offset as usize) else { continue };
                        let eight = bytes.get(start..start + 8).and_then(|eight| eight.try_into().ok());
                        if eight.is_some_and(|eight| !anchor.may_start(u64::from_le_bytes(eight))) {
                            continue;
                        }
                        let keyword = self.keywords[anchor.keyword as usize].as_bytes();
                        if bytes.get(start..start + keyword.len()).is_some_and(|b| b.eq_ignore_ascii_case(keyword)) {
                            hit(anchor.keyword as usize, start);
                        }
                    }
                    break;
                }
                slot = (slot + 1) % SLOTS;
            }
        }
    }
}
