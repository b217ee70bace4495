//! One kind of secret: what it looks like, how sure its shape makes us, and what to do about it.
//! Owns the built-in table, made by `build.rs` from `policies/secrets/*.yml`, and the compiled patterns.

use std::borrow::Cow;
use std::sync::OnceLock;

use bstr::{BStr, ByteSlice as _};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use regex::bytes::{Regex, RegexBuilder};

use crate::finding::{Confidence, Severity};
use crate::rules::secrets::detectors::definition::Definition;
use crate::rules::secrets::detectors::validators::{self, Check};
use crate::rules::secrets::scan::prefilter::Prefilter;
use crate::rules::secrets::scan::trigrams::{self, Anchor};

type Text = Cow<'static, str>;

/// See [`Definition`] for what the fields mean.
pub struct Detector {
    pub id: Text,
    pub name: Text,
    pub provider: Text,
    pub keywords: Cow<'static, [Text]>,
    pub pattern: Text,
    /// Where the keyword stands in every match; empty where that is not known.
    pub offsets: &'static [usize],
    /// What every match begins with.
    pub front: &'static [Step],
    /// The number of a set of bytes, and how many of them every match has in a row.
    pub run: (u16, u32),
    pub entropy: f32,
    pub checks: Cow<'static, [Check]>,
    pub paths: Cow<'static, [Text]>,
    pub severity: Severity,
    pub confidence: Confidence,
    pub revoke: Text,
    pub docs: Text,
    pub window: u32,
    pub pair: Option<Text>,
    pub broad: bool,
    pub matcher: OnceLock<Option<Regex>>,
    pub scope: OnceLock<GlobSet>,
}

/// So many bytes of one set, no fewer and no more: where they end, the next step begins.
pub struct Step {
    /// The number of the set.
    set: u16,
    least: u32,
    most: u32,
}

include!(concat!(env!("OUT_DIR"), "/detectors.rs"));

/// An assignment found by its syntax only.
pub static ASSIGNMENT: Detector = structural(
    "generic-assignment",
    "a secret in an assignment",
    "change it wherever it is accepted: whoever can read the repository knows it",
);

/// An entry of a Kubernetes `Secret`.
pub static KUBERNETES: Detector = structural(
    "kubernetes-secret",
    "a Kubernetes Secret with its value in the clear (base64 hides nothing)",
    "change the value wherever it is accepted, then keep it as a SealedSecret, an ExternalSecret or a SOPS file",
);

const fn structural(id: &'static str, name: &'static str, revoke: &'static str) -> Detector {
    Detector {
        id: Cow::Borrowed(id),
        name: Cow::Borrowed(name),
        provider: Cow::Borrowed("generic"),
        keywords: Cow::Borrowed(&[]),
        pattern: Cow::Borrowed(""),
        offsets: &[],
        front: &[],
        run: (0, 0),
        entropy: 0.0,
        checks: Cow::Borrowed(&[]),
        paths: Cow::Borrowed(&[]),
        severity: Severity::Error,
        confidence: Confidence::Medium,
        revoke: Cow::Borrowed(revoke),
        docs: Cow::Borrowed(""),
        window: 0,
        pair: None,
        broad: true,
        matcher: OnceLock::new(),
        scope: OnceLock::new(),
    }
}

/// Who is heard first about one place: a provider's own form, a common form, a manifest's structure, a mere assignment.
pub fn rank(detector: &Detector) -> u8 {
    match detector.id.as_ref() {
        "generic-assignment" => 3,
        "kubernetes-secret" => 2,
        _ => u8::from(detector.broad),
    }
}

/// The built-in prefilter. Its keyword numbers are those of [`wanted_by`].
pub fn prefilter() -> Prefilter {
    Prefilter {
        filter: Cow::Borrowed(&FILTER),
        slots: Cow::Borrowed(&SLOTS),
        anchors: Cow::Borrowed(&ANCHORS),
        keywords: Cow::Borrowed(&KEYWORDS),
    }
}

/// Numbers of the built-in detectors that a keyword wakes, and whether it wakes the generic one.
pub fn wanted_by(keyword: usize) -> (&'static [u16], bool) {
    (WANTED_BY[keyword], GENERIC[keyword])
}

impl Detector {
    /// Whether a value begins with one of the keywords: the provider's own prefix.
    pub fn is_prefix_of(&self, value: &[u8]) -> bool {
        let begins = |keyword: &Text| {
            let front = value.get(..keyword.len()).unwrap_or_default();
            // `eyJ` and `base64:` are nobody's own.
            let is_prefix = keyword.len() > 3 && !keyword.ends_with(':') || keyword.ends_with(['_', '-']);
            is_prefix && front.eq_ignore_ascii_case(keyword.as_bytes())
        };
        self.keywords.iter().any(begins)
    }

    /// Makes a detector of a definition that has no problems; the error is the pattern's.
    pub fn from_definition(definition: Definition) -> Result<Self, String> {
        let owned = |list: Vec<String>| list.into_iter().map(Cow::Owned).collect::<Vec<Text>>().into();
        let checks: Vec<Check> = definition.checks.iter().filter_map(|c| validators::by_name(c)).collect();
        let severity = Severity::from_name(&definition.severity).unwrap_or(Severity::Error);
        let confidence = match definition.confidence.as_str() {
            "low" => Confidence::Low,
            "medium" => Confidence::Medium,
            _ => Confidence::High,
        };
        let detector = Self {
            id: definition.id.into(),
            name: definition.name.into(),
            provider: definition.provider.into(),
            keywords: owned(definition.keywords),
            pattern: definition.pattern.into(),
            offsets: &[],
            front: &[],
            run: (0, 0),
            entropy: definition.entropy,
            checks: checks.into(),
            paths: owned(definition.paths),
            severity,
            confidence,
            revoke: definition.revoke.into(),
            docs: definition.docs.into(),
            window: definition.window,
            pair: definition.pair.map(Cow::Owned),
            broad: definition.broad,
            matcher: OnceLock::new(),
            scope: OnceLock::new(),
        };
        let regex = detector.compile().map_err(|e| e.to_string())?;
        let _ = detector.matcher.set(Some(regex));
        Ok(detector)
    }

    /// The compiled pattern; the first call compiles (about 0.25 ms). Built-in patterns are known to be good: each has
    /// examples that a test runs.
    pub fn matcher(&self) -> Option<&Regex> {
        self.matcher.get_or_init(|| self.compile().ok()).as_ref()
    }

    /// Whether the detector looks at a path at all; one that is bound to paths does not look at messages.
    pub fn applies_to(&self, path: Option<&BStr>) -> bool {
        self.paths.is_empty()
            || path.is_some_and(|p| self.scope.get_or_init(|| globs(&self.paths)).is_match(&*p.to_str_lossy()))
    }

    /// Whether no match can begin here, as its front tells: then how many bytes had to be looked at for that.
    pub fn begins_not(&self, text: &[u8]) -> Option<usize> {
        let mut at = 0_usize;
        for step in self.front {
            let most = text.len().min(at.saturating_add(step.most as usize));
            let run = text[at..most].iter().take_while(|b| holds(step.set, **b)).count();
            at += run;
            if run < step.least as usize {
                return Some(at + 1);
            }
        }
        None
    }

    /// Whether a text has the run of bytes that a match needs. This and [`Detector::begins_not`] spare compiling and running
    /// a pattern for every mention of its keyword.
    pub fn may_hold(&self, text: &[u8]) -> bool {
        let (set, length) = (self.run.0, self.run.1 as usize);
        // A run is looked at from its end: where that is wrong, none of what is before has to be seen.
        let (mut start, mut known) = (0, 0);
        while start + length <= text.len() {
            let end = start + length;
            let Some(gap) = (start.max(known)..end).rev().find(|at| !holds(set, text[*at])) else { return true };
            (start, known) = (gap + 1, end);
        }
        false
    }

    /// The pattern has been needed.
    pub fn is_compiled(&self) -> bool {
        self.matcher.get().is_some()
    }

    fn compile(&self) -> Result<Regex, regex::Error> {
        // Where the place is known, the haystack starts one byte before it, so that a leading `\b` sees that byte.
        let pattern = match self.offsets {
            [] => self.pattern.clone(),
            _ => format!("\\A(?s-u:.)(?:{})", self.pattern).into(),
        };
        RegexBuilder::new(&pattern).unicode(false).build()
    }
}

fn holds(set: u16, byte: u8) -> bool {
    SETS[set as usize][byte as usize >> 6] >> (byte & 63) & 1 == 1
}

fn globs(patterns: &[Text]) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for glob in patterns.iter().filter_map(|p| GlobBuilder::new(p).literal_separator(true).build().ok()) {
        set.add(glob);
    }
    set.build().unwrap_or_default()
}
