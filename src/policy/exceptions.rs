//! Exceptions of the policy file: read with their places, matched field by field, and judged themselves.
//! Knows no clock: "today" is told.

use std::ops::Range;

use jiff::civil::Date;

use super::setting::{covers, family_of, unknown_rule};
use crate::finding::{Finding, Origin, Severity, Violation};
use crate::options::mistakes::Mistakes;
use crate::options::read::{FromNode, Wrong, each_glob};
use crate::options::scope::{Paths, RefNames};
use crate::options::{Located, PolicyFile};
use crate::rules::Rule;
use crate::subject::{Kinds, Oid, RefSet};
use crate::yaml::Node;
use bstr::{BString, ByteSlice as _};

/// What a policy excuses. All fields that were given must hold.
#[derive(Clone, Debug)]
pub(super) struct Exception {
    pub source: usize,
    /// The whole item.
    pub span: Range<usize>,
    /// Family or code.
    pub rule: String,
    /// Empty when none was given.
    pub reason: String,
    pub until: Option<(Date, Range<usize>)>,
    path: Option<Paths>,
    /// Lower-case digits, at least [`FINGERPRINT`] of them.
    pub fingerprint: Option<String>,
    pub commit: Option<Oid>,
    pub refs: Option<RefNames>,
    /// A key path of a structured file; `*` stands for anything.
    key: Option<String>,
}

/// Digits of a fingerprint that are enough.
const FINGERPRINT: usize = 8;
const KEYS: [&str; 8] = ["rule", "reason", "until", "path", "fingerprint", "commit", "ref", "key"];

struct PathGlobs(Paths);

impl FromNode for PathGlobs {
    fn from_node(node: &Node) -> Result<Self, Vec<Wrong>> {
        each_glob(node, &mut |patterns| Paths::new(&patterns).map(Self))
    }
}

struct RefGlobs(RefNames);

impl FromNode for RefGlobs {
    fn from_node(node: &Node) -> Result<Self, Vec<Wrong>> {
        each_glob(node, &mut |patterns| RefNames::new(&patterns).map(Self))
    }
}

/// Hexadecimal digits, at least `N`.
struct Digits<const N: usize>(String);

impl<const N: usize> FromNode for Digits<N> {
    fn from_node(node: &Node) -> Result<Self, Vec<Wrong>> {
        let digits = String::from_node(node)?;
        if digits.len() >= N && digits.len() <= 64 && is_hex(&digits) {
            return Ok(Self(digits.to_ascii_lowercase()));
        }
        Err(vec![Wrong::value(node.span.clone(), format!("at least {N} hexadecimal digits are needed here"))])
    }
}

/// A whole id: commits whose ids begin alike are made in a minute.
impl FromNode for Oid {
    fn from_node(node: &Node) -> Result<Self, Vec<Wrong>> {
        let digits = String::from_node(node)?;
        Self::from_hex(digits.to_ascii_lowercase().as_bytes()).ok_or_else(|| {
            let wrong = Wrong::value(node.span.clone(), "the whole id of a commit is needed here");
            vec![wrong.help(format!("git rev-parse {}", if is_hex(&digits) { &digits } else { "COMMIT" }))]
        })
    }
}

fn is_hex(digits: &str) -> bool {
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit())
}

impl FromNode for Date {
    fn from_node(node: &Node) -> Result<Self, Vec<Wrong>> {
        let text = String::from_node(node)?;
        text.parse().map_err(|_| vec![Wrong::value(node.span.clone(), "a date like 2027-01-31 is needed here")])
    }
}

/// Which exceptions a file may hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Any,
    /// Those of single findings: a baseline is long and read by nobody, so that a wide one would be hidden in it.
    Fingerprints,
}

/// The exceptions of one layer. A missing reason is no mistake here but a finding later, so that the rest is judged.
pub(super) fn read(root: Located<'_>, rules: &[&'static Rule], wanted: Wanted, mistakes: &Mistakes) -> Vec<Exception> {
    let Some(list) = root.get("exceptions").filter(|l| !l.node.is_null() && mistakes.list(*l)) else {
        return Vec::new();
    };
    let items = list.items().filter(|item| mistakes.map(*item, &KEYS));
    let read = items.filter_map(|item| {
        let is_wide = wanted == Wanted::Fingerprints && item.get("fingerprint").is_none();
        if is_wide {
            let wrong = Wrong::value(item.node.span.clone(), "an exception of a baseline names a `fingerprint`");
            mistakes.record(item.source, [wrong.help("write wider ones into the policy itself")]);
        }
        one(item, rules, mistakes)
    });
    read.collect()
}

fn one(item: Located<'_>, rules: &[&'static Rule], mistakes: &Mistakes) -> Option<Exception> {
    let Some(rule) = item.get("rule") else {
        mistakes.record(item.source, [Wrong::value(item.node.span.clone(), "`rule` is missing")]);
        return None;
    };
    mistakes.record(item.source, unknown_rule(rules, rule.node));
    let reason = item.get("reason").filter(|r| !r.node.is_null()).and_then(|r| mistakes.read::<String>(r));
    let until = item.get("until").and_then(|at| Some((mistakes.read(at)?, at.node.span.clone())));
    Some(Exception {
        source: item.source,
        span: item.node.span.clone(),
        rule: mistakes.read(rule)?,
        reason: reason.unwrap_or_default().trim().to_owned(),
        until,
        path: mistakes.field(item, "path").map(|PathGlobs(p)| p),
        fingerprint: mistakes.field(item, "fingerprint").map(|Digits::<FINGERPRINT>(d)| d),
        commit: mistakes.field(item, "commit"),
        refs: mistakes.field(item, "ref").map(|RefGlobs(r)| r),
        key: mistakes.field(item, "key"),
    })
}

impl Exception {
    /// Whether all given fields hold. `refs`: those that the finding's subject goes to. An exception for some refs holds
    /// where all of them are meant: what goes to another one as well is judged there.
    pub fn holds(&self, finding: &Finding, refs: &RefSet) -> bool {
        let (commit, own) = match &finding.origin {
            Origin::File { commit, .. } | Origin::Message { commit } => (*commit, None),
            Origin::Ref { name, new, .. } => (*new, Some(name)),
            Origin::Tag { name, oid } => (Some(*oid), Some(name)),
            Origin::Policy { .. } => (None, None),
        };
        covers(&self.rule, &finding.rule)
            && self.fingerprint.as_ref().is_none_or(|f| finding.fingerprint.starts_with(f.as_str()))
            && self.path.as_ref().is_none_or(|p| finding.origin.path().is_some_and(|f| p.is_match(f.as_bstr())))
            && self.commit.as_ref().is_none_or(|c| commit == Some(*c))
            && self.refs.as_ref().is_none_or(|meant| {
                let mut all = refs.iter().chain(own.filter(|_| refs.is_empty()).map(|name| name.as_bstr())).peekable();
                all.peek().is_some() && all.all(|name| meant.is_match(name))
            })
            && self.key.as_ref().is_none_or(|k| finding.key.as_ref().is_some_and(|f| wildcard(k, f)))
    }

    /// The files that it names, as far as it names files and no globs.
    pub fn literal_paths(&self) -> Vec<BString> {
        self.path.iter().flat_map(Paths::literal).collect()
    }

    /// Why it does not count, told at its place.
    pub fn fault<'f>(&self, file: &'f PolicyFile, today: Date, max_days: u64) -> Option<Violation<'f>> {
        if self.reason.is_empty() {
            let violation = self.violation(file, "exceptions/no-reason", Severity::Error, &self.span);
            return Some(
                violation
                    .message(format!("this exception from `{}` gives no reason, so it does not count", self.rule))
                    .help("add `reason: \"...\"`"),
            );
        }
        let (until, span) = self.until.as_ref()?;
        if *until < today {
            let violation = self.violation(file, "exceptions/expired", Severity::Error, span);
            return Some(
                violation
                    .message(format!("this exception from `{}` expired on {until}", self.rule))
                    .help("mend what it excused and remove it, or give it a new date and say why"),
            );
        }
        let days = until.since(today).map_or(i32::MAX, |span| span.get_days());
        if u64::try_from(days).is_ok_and(|d| d > max_days) {
            let violation = self.violation(file, "exceptions/too-long", Severity::Error, span);
            return Some(
                violation
                    .message(format!("an exception may last {max_days} days, and this one has {days} to go"))
                    .help("choose an earlier date, or set `rules: { exceptions: { max-days: ... } }`"),
            );
        }
        None
    }

    /// That nothing needed it.
    pub fn unused<'f>(&self, file: &'f PolicyFile) -> Violation<'f> {
        self.violation(file, "exceptions/unused", Severity::Warning, &self.span)
            .message(format!("nothing needs this exception from `{}` any more", self.rule))
            .help("remove it")
    }

    /// Whether a check of a whole tree would have met what it excuses.
    pub fn shows_in_tree(&self, rules: &[&'static Rule]) -> bool {
        let looks = rules.iter().find(|r| r.id == family_of(&self.rule)).map_or(Kinds::NONE, |r| r.looks_at);
        self.commit.is_none() && self.refs.is_none() && looks.intersects(Kinds::FILE.union(Kinds::TREE))
    }

    fn violation<'f>(
        &self,
        file: &'f PolicyFile,
        rule: &'static str,
        severity: Severity,
        span: &Range<usize>,
    ) -> Violation<'f> {
        let origin = Origin::Policy { path: file.path.clone() };
        Violation::new(rule, severity, origin, &file.bytes, span.clone())
    }
}

/// Whether `*` in the pattern can stand for parts of the text so that they are equal.
fn wildcard(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}
