//! Masks secrets by value, wherever they stand again. Owns [`Secret`], a value that no output may show, and [`Mask`],
//! the one function through which every text goes before a renderer gets it. What is a secret, a [`Redact`] decides.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use bstr::{BString, ByteSlice};

use super::{Finding, Redact};
use crate::text::{self, Excerpt};

/// What stands for a secret. Its length says something about the secret: a mask has a fixed width.
pub const MASKED: &str = "********";
/// Shorter values stand in too many texts by chance.
const SHORTEST: usize = 6;
/// A value of fewer bytes counts only as a whole word.
const ALONE: usize = 12;
/// Lines of a secret of several lines count one by one, if they are so long.
const LINE: usize = 16;

/// A value that no output may show. Never printed: not even by `{:?}`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Secret {
    value: Box<[u8]>,
    /// A rule took it for a secret; otherwise one only did not want it shown.
    certain: bool,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASKED)
    }
}

impl Secret {
    /// The values that a hidden part of a text gives: itself, or its longer lines.
    pub(super) fn of(bytes: &[u8], certain: bool) -> impl Iterator<Item = Self> {
        let one_line = !bytes.contains(&b'\n');
        bytes.lines().map(|line| line.trim()).filter_map(move |line| {
            let counts = if one_line { line.len() >= SHORTEST } else { line.len() >= LINE };
            // The line that opens a key says what it is, and is the same in every key.
            (counts && !line.starts_with(b"-----")).then(|| Self { value: line.into(), certain })
        })
    }

    /// A plain word, which other texts have for reasons of their own.
    fn is_word(&self) -> bool {
        self.value.len() < ALONE && self.value.iter().all(u8::is_ascii_alphabetic)
    }
}

/// Masks texts: whatever a detector finds in them, and every value that a finding of this run hides.
pub struct Mask<'r> {
    redactor: &'r dyn Redact,
    /// In every text.
    everywhere: Values,
    /// By file: in its own lines only. What a rule hides may be a plain word that others have reasons to say.
    in_file: HashMap<BString, Values>,
}

impl<'r> Mask<'r> {
    /// For texts beside a run: only what a detector finds.
    pub fn new(redactor: &'r dyn Redact) -> Self {
        Self { redactor, everywhere: Values::default(), in_file: HashMap::new() }
    }

    pub fn of<'f>(redactor: &'r dyn Redact, findings: impl IntoIterator<Item = &'f Finding>) -> Self {
        let mut mask = Self::new(redactor);
        for finding in findings {
            for secret in &finding.secrets {
                if secret.certain && !secret.is_word() {
                    mask.everywhere.add(&secret.value);
                } else if let Some(path) = finding.origin.path() {
                    mask.in_file.entry(path.clone()).or_default().add(&secret.value);
                }
            }
        }
        mask
    }

    /// Masks what stands at these places of a text, from now on and everywhere.
    pub fn learn(&mut self, text: &[u8], secrets: Vec<Range<usize>>) {
        let secrets = secrets.into_iter().flat_map(|range| Secret::of(&text[range], true));
        secrets.filter(|secret| !secret.is_word()).for_each(|secret| self.everywhere.add(&secret.value));
    }

    /// A name of a file or a ref, a subject, a person: any text of others.
    pub fn bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let mut hide = self.redactor.secrets(bytes);
        self.everywhere.find(bytes, Cut::NONE, &mut hide);
        replaced(bytes, hide)
    }

    /// Our own words around those of others.
    pub fn words(&self, words: &str) -> String {
        // Between two masks stands what stood there, so that nothing but a mask can be at fault.
        self.bytes(words.as_bytes()).to_str_lossy().into_owned()
    }

    /// Masks what a finding shows. A detector has been over it already, while it was whole: what is left are values.
    pub fn finding(&self, finding: &mut Finding) {
        let Finding { message, help, suggestion, notes, key, origin, excerpt, also, suppressed, .. } = finding;
        let words = [Some(message), help.as_mut(), suggestion.as_mut(), key.as_mut()].into_iter().flatten();
        words.chain(notes).for_each(|words| self.values_in(words));
        if let Some(suppression) = suppressed {
            suppression.reason = self.words(&suppression.reason);
        }
        self.excerpt(origin.path(), excerpt);
        let names = origin.name_mut().into_iter().chain(also.iter_mut().map(|place| &mut place.path));
        names.for_each(|name| *name = self.bytes(name).into());
    }

    fn values_in(&self, words: &mut String) {
        let mut hide = Vec::new();
        self.everywhere.find(words.as_bytes(), Cut::NONE, &mut hide);
        if !hide.is_empty() {
            *words = replaced(words.as_bytes(), hide).to_str_lossy().into_owned();
        }
    }

    /// A line of a file; what the caret marks stays marked.
    fn excerpt(&self, path: Option<&BString>, excerpt: &mut Excerpt) {
        let shown = excerpt.text.as_bytes();
        let cut = Cut { before: excerpt.text.starts_with('…'), after: excerpt.text.ends_with('…') };
        let mut hide = Vec::new();
        self.everywhere.find(shown, cut, &mut hide);
        if let Some(own) = path.and_then(|path| self.in_file.get(path)) {
            own.find(shown, cut, &mut hide);
        }
        if !hide.is_empty() {
            let hide = joined(hide, shown.len());
            excerpt.mask(&hide, MASKED);
        }
    }
}

/// At which ends a text was cut, so that a part of a value may stand there.
#[derive(Clone, Copy)]
struct Cut {
    before: bool,
    after: bool,
}

impl Cut {
    const NONE: Self = Self { before: false, after: false };
}

/// Values, found by how they begin and how they end. Case is no difference: what is proposed in place of a wrong name
/// is often the same in lower case.
#[derive(Default)]
struct Values {
    list: Vec<Box<[u8]>>,
    begins: HashMap<[u8; SHORTEST], Vec<u32>>,
    ends: HashMap<[u8; SHORTEST], Vec<u32>>,
}

impl Values {
    fn add(&mut self, value: &[u8]) {
        // Texts are made fit to show before they come here.
        let value = text::sanitise(value).to_ascii_lowercase().into_bytes();
        let (Some(begin), Some(end)) = (value.first_chunk(), value.last_chunk()) else { return };
        let number = self.list.len() as u32;
        let alike = self.begins.entry(*begin).or_default();
        if alike.iter().any(|n| *self.list[*n as usize] == *value) {
            return;
        }
        alike.push(number);
        self.ends.entry(*end).or_default().push(number);
        self.list.push(value.into());
    }

    /// Adds the ranges of `text` in which a value stands, or the part of one that a cut left.
    fn find(&self, text: &[u8], cut: Cut, out: &mut Vec<Range<usize>>) {
        if self.list.is_empty() {
            return;
        }
        let text = text.to_ascii_lowercase();
        let mark = "…".len();
        let (from, to) = (if cut.before { mark } else { 0 }, text.len() - if cut.after { mark } else { 0 });
        let Some(shown) = text.get(from..to) else { return };
        for (at, chunk) in shown.windows(SHORTEST).enumerate() {
            let Ok(chunk) = <[u8; SHORTEST]>::try_from(chunk) else { continue };
            let rest = &shown[at..];
            for value in self.begins.get(&chunk).into_iter().flatten().map(|n| &self.list[*n as usize]) {
                if rest.starts_with(value) && stands_alone(shown, at..at + value.len()) {
                    out.push(from + at..from + at + value.len());
                } else if cut.after && value.starts_with(rest) {
                    out.push(from + at..to);
                }
            }
            let until = at + SHORTEST;
            for value in self.ends.get(&chunk).into_iter().flatten().map(|n| &self.list[*n as usize]) {
                if cut.before && value.ends_with(&shown[..until]) {
                    out.push(from..from + until);
                }
            }
        }
        // All that is shown may be out of the middle of a very long value.
        if cut.before && cut.after && shown.len() >= SHORTEST && self.list.iter().any(|v| v.contains_str(shown)) {
            out.push(from..to);
        }
    }
}

/// A short value counts only as a whole word.
fn stands_alone(text: &[u8], range: Range<usize>) -> bool {
    let outside = |b: Option<&u8>| b.is_none_or(|b| !b.is_ascii_alphanumeric());
    range.len() >= ALONE || outside(text[..range.start].last()) && outside(text.get(range.end))
}

/// Ranges in order, without overlaps, within the text.
fn joined(mut hide: Vec<Range<usize>>, length: usize) -> Vec<Range<usize>> {
    hide.sort_unstable_by_key(|r| (r.start, r.end));
    let mut joined: Vec<Range<usize>> = Vec::with_capacity(hide.len());
    for range in hide {
        let range = range.start..range.end.min(length);
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ if range.is_empty() => {}
            _ => joined.push(range),
        }
    }
    joined
}

/// The bytes with a mask in place of each range.
pub(super) fn replaced(bytes: &[u8], hide: Vec<Range<usize>>) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut from = 0;
    for range in joined(hide, bytes.len()) {
        out.extend_from_slice(&bytes[from..range.start]);
        out.extend_from_slice(MASKED.as_bytes());
        from = range.end;
    }
    out.extend_from_slice(&bytes[from..]);
    out
}
