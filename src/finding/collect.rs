//! Collects findings: masks and cuts what is shown of each, works out its place and its fingerprint, while the text is in memory.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;

use bstr::{BString, ByteSlice as _};
use sha2::{Digest as _, Sha256};

use super::mask::{self, Mask, Secret};
use super::{Finding, Former, Redact, Surroundings, Violation};
use crate::text::{self, Before, Excerpt};

/// Collects what checks say of one subject (or of one blob at all its paths).
pub struct Findings<'r> {
    redactor: &'r dyn Redact,
    /// Differs from run to run, so that `Finding::same` is no oracle.
    key: u64,
    list: Vec<Finding>,
    /// How often an identity has been seen: equal lines get ordinals.
    seen: HashMap<[u8; 32], u32>,
    /// What the findings hide so far; each finding carries only what is new.
    hidden: HashSet<Secret>,
    /// Texts that were made safe already: help and names are the same for many findings.
    safe: HashMap<String, String>,
    /// The last name of a file or ref, and the same with its secrets masked.
    name: (BString, BString),
    /// What stands before the text of the next violations, where that is a part of a file.
    before: Before,
}

impl<'r> Findings<'r> {
    pub fn new(redactor: &'r dyn Redact, key: u64) -> Self {
        Self {
            redactor,
            key,
            list: Vec::new(),
            seen: HashMap::new(),
            hidden: HashSet::new(),
            safe: HashMap::new(),
            name: Default::default(),
            before: Before::default(),
        }
    }

    /// The texts of what follows are parts of a whole, with so much before them.
    pub fn in_part(&mut self, before: Before) {
        self.before = before;
    }

    /// What stands before the part of a text that is looked at.
    pub fn before(&self) -> Before {
        self.before
    }

    /// Masks and cuts the excerpt, works out place and fingerprint, and keeps the finding.
    pub fn push(&mut self, v: Violation<'_>) {
        let mut around = Surroundings::new(v.text);
        self.push_in(v, &mut around);
    }

    /// The same for one of many findings in a text: `around` is that of the violation's text.
    pub fn push_in(&mut self, mut v: Violation<'_>, around: &mut Surroundings<'_>) {
        let secrets = self.newly_hidden(&v);
        let names = v.origin.name_mut().into_iter().chain(v.also.iter_mut().map(|place| &mut place.path));
        names.for_each(|name| self.mask_name(name));
        let span = around.span(v.range.clone());
        let near = around.near(&span);
        let mut hide = v.hide;
        hide.extend(around.secrets_in_line(&near, self.redactor));
        hide.extend(copies(v.text, near.clone(), &hide));
        let identity = v.identity.unwrap_or_else(|| {
            let mut id = v.origin.path().map_or_else(Vec::new, |p| p.to_vec());
            id.push(0);
            match &v.key {
                Some(key) => id.extend_from_slice(key.as_bytes()),
                None => id.extend(blanked(v.text, near, &hide)),
            }
            id
        });
        // The excerpt hides more than the fingerprint needs: what is a secret only by the lines around it.
        hide.extend(around.secrets_around(span.byte_start, self.redactor));
        let mut excerpt = Excerpt::cut_line(v.text, around.line(span.byte_start), &span, &hide);
        if excerpt.first_line == 1 {
            excerpt.first_column += self.before.column;
        }
        excerpt.first_line += self.before.lines;
        let mut hash = Sha256::new();
        hash.update(v.rule.as_bytes());
        hash.update([0]);
        hash.update(&identity);
        let digest: [u8; 32] = hash.clone().finalize().into();
        let ordinal = self.seen.entry(digest).or_insert(0);
        hash.update(ordinal.to_le_bytes());
        *ordinal += 1;
        let fingerprint = hash.finalize().iter().take(16).map(|b| format!("{b:02x}")).collect();
        let same = v.secret.map(|s| {
            let mut h = Sha256::new();
            h.update(self.key.to_le_bytes());
            h.update(s);
            u64::from_le_bytes(h.finalize()[..8].try_into().expect("eight of 32 bytes"))
        });
        let mut allows = around.allows(span.byte_start);
        allows.iter_mut().for_each(|a| a.reason = self.safe(&a.reason));
        let notes = v.notes.iter().map(|n| self.safe(n)).collect();
        let message = self.safe(&v.message);
        let help = v.help.map(|h| self.safe(&h));
        let suggestion = v.suggestion.map(|s| self.safe(&s));
        let key = v.key.map(|k| self.safe(&k));
        self.list.push(Finding {
            rule: v.rule,
            severity: v.severity,
            confidence: v.confidence,
            message,
            help,
            suggestion,
            notes,
            origin: v.origin,
            span: self.before.place(span),
            excerpt,
            also: v.also,
            fingerprint,
            suppressed: None,
            key,
            same,
            stood: false,
            former: Former::default(),
            allows,
            secrets,
            merged: Vec::new(),
        });
    }

    /// The values that a violation hides and no one before it did.
    fn newly_hidden(&mut self, v: &Violation<'_>) -> Vec<Secret> {
        let text = |range: &Range<usize>| v.text.get(range.clone()).unwrap_or_default();
        let certain = v.secret.into_iter().flat_map(|secret| Secret::of(secret, true));
        let hidden = v.hide.iter().flat_map(|range| Secret::of(text(range), false));
        let mut new = Vec::new();
        for secret in certain.chain(hidden) {
            if !self.hidden.contains(&secret) {
                self.hidden.insert(secret.clone());
                new.push(secret);
            }
        }
        new
    }

    /// Whether a secret stands in these words, so that nothing should be made of them.
    pub fn holds_secret(&self, words: &[u8]) -> bool {
        !self.redactor.secrets(words).is_empty()
    }

    fn safe(&mut self, words: &str) -> String {
        /// More different texts than these are not remembered.
        const MOST: usize = 256;
        if let Some(safe) = self.safe.get(words) {
            return safe.clone();
        }
        let safe = safe_words(self.redactor, words);
        if self.safe.len() < MOST {
            self.safe.insert(words.to_owned(), safe.clone());
        }
        safe
    }

    /// Masks the name of a file or ref. Most findings of a text have the same.
    fn mask_name(&mut self, name: &mut BString) {
        if self.name.0 != *name {
            self.name = (name.clone(), mask::replaced(name, self.redactor.secrets(name)).into());
        }
        name.clone_from(&self.name.1);
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub fn len(&self) -> usize {
        self.list.len()
    }

    pub fn into_vec(self) -> Vec<Finding> {
        self.list
    }
}

/// Our own words around foreign ones, made safe: secrets masked, nothing in it that moves a cursor.
pub fn safe_words(redactor: &dyn Redact, words: &str) -> String {
    text::sanitise_lines(&Mask::new(redactor).words(words))
}

/// Where what is hidden stands again in `near`.
fn copies(text: &[u8], near: Range<usize>, hide: &[Range<usize>]) -> Vec<Range<usize>> {
    let around = |h: &&Range<usize>| h.start < near.end && near.start < h.end && h.len() >= 6 && h.len() <= 4096;
    let hidden: BTreeSet<&[u8]> = hide.iter().filter(around).filter_map(|h| text.get(h.clone())).collect();
    let mut found = Vec::new();
    for hidden in hidden {
        found.extend(text[near.clone()].find_iter(hidden).map(|at| near.start + at..near.start + at + hidden.len()));
    }
    found
}

/// The bytes of `range` with every hidden part replaced by one NUL.
fn blanked(text: &[u8], range: Range<usize>, hide: &[Range<usize>]) -> Vec<u8> {
    let mut hide: Vec<&Range<usize>> = hide.iter().filter(|h| h.start < range.end && range.start < h.end).collect();
    hide.sort_unstable_by_key(|h| h.start);
    let mut out = Vec::with_capacity(range.len());
    let mut at = range.start;
    for hidden in hide {
        if hidden.end <= at {
            continue;
        }
        if hidden.start > at {
            out.extend_from_slice(&text[at..hidden.start]);
        }
        if out.last() != Some(&0) {
            out.push(0);
        }
        at = hidden.end;
    }
    out.extend_from_slice(&text[at.min(range.end)..range.end]);
    out.trim().to_vec()
}
