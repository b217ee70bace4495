//! Masks secrets by value, wherever they stand again. Owns [`Secret`], a value that no output may show, and [`Mask`],
//! the one function through which every text goes before a renderer gets it. What is a secret, a [`Redact`] decides.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use std::ops::{Bound, Range};

use bstr::{BString, ByteSlice as _};

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
/// is often the same in lower case. Many values may begin alike, so none of this looks at them one by one.
#[derive(Default)]
struct Values {
    all: BTreeSet<Box<[u8]>>,
    /// The same from their ends.
    reversed: BTreeSet<Box<[u8]>>,
    /// The lengths of the values that begin so.
    begins: HashMap<[u8; SHORTEST], BTreeSet<usize>>,
    ends: HashSet<[u8; SHORTEST]>,
    /// Those too long to be shown whole.
    long: Vec<Box<[u8]>>,
}

/// An excerpt that is cut at both ends shows more than this.
const LONG: usize = 128;

impl Values {
    fn add(&mut self, value: &[u8]) {
        // Texts are made fit to show before they come here.
        let value = text::sanitise(value).to_ascii_lowercase().into_bytes().into_boxed_slice();
        let (Some(begin), Some(end)) = (value.first_chunk(), value.last_chunk()) else { return };
        self.begins.entry(*begin).or_default().insert(value.len());
        self.ends.insert(*end);
        self.reversed.insert(value.iter().rev().copied().collect());
        if value.len() > LONG && !self.all.contains(&value) {
            self.long.push(value.clone());
        }
        self.all.insert(value);
    }

    /// Adds the ranges of `text` in which a value stands, or the part of one that a cut left.
    fn find(&self, text: &[u8], cut: Cut, out: &mut Vec<Range<usize>>) {
        if self.all.is_empty() {
            return;
        }
        let text = text.to_ascii_lowercase();
        let mark = "…".len();
        let (from, to) = (if cut.before { mark } else { 0 }, text.len() - if cut.after { mark } else { 0 });
        let Some(shown) = text.get(from..to) else { return };
        for (at, chunk) in shown.windows(SHORTEST).enumerate() {
            let Ok(chunk) = <[u8; SHORTEST]>::try_from(chunk) else { continue };
            let rest = &shown[at..];
            if let Some(lengths) = self.begins.get(&chunk) {
                let whole = lengths.range(..=rest.len()).filter(|length| self.all.contains(&rest[..**length]));
                let whole = whole.map(|length| at..at + length).filter(|range| stands_alone(shown, range.clone()));
                out.extend(whole.map(|range| from + range.start..from + range.end));
                if cut.after && begins_one(&self.all, rest) {
                    out.push(from + at..to);
                }
            }
            let until = at + SHORTEST;
            if cut.before && self.ends.contains(&chunk) {
                let head: Vec<u8> = shown[..until].iter().rev().copied().collect();
                if begins_one(&self.reversed, &head) {
                    out.push(from..from + until);
                }
            }
        }
        // All that is shown may be out of the middle of a very long value.
        if cut.before && cut.after && shown.len() >= SHORTEST && self.long.iter().any(|v| v.contains_str(shown)) {
            out.push(from..to);
        }
    }
}

/// Whether one of the values begins so.
fn begins_one(values: &BTreeSet<Box<[u8]>>, part: &[u8]) -> bool {
    let from = (Bound::Included(part), Bound::Unbounded);
    values.range::<[u8], _>(from).next().is_some_and(|value| value.starts_with(part))
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
