//! SemVer 2.0.0: parsing that reports the offending byte, precedence, the next version.
//! Owns bare versions; prefixes and suffixes in tag names are `format`'s.

use std::cmp::Ordering;
use std::fmt;

use bstr::ByteSlice as _;

/// A version. Numbers are kept as digits, so that their size is not limited.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version {
    /// Major, minor, patch: digits without leading zeros.
    pub core: [String; 3],
    /// Dot-separated identifiers after `-`.
    pub prerelease: Vec<String>,
    /// Dot-separated identifiers after `+`; they do not count for precedence.
    pub build: Vec<String>,
}

/// Why a text is not a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionError {
    /// Offset of the offending byte; the text's length if something is missing at its end.
    pub at: usize,
    /// Lower case, no full stop.
    pub what: String,
}

/// The names of the three numbers.
const PARTS: [&str; 3] = ["major", "minor", "patch"];

impl Version {
    pub fn parse(text: &[u8]) -> Result<Self, VersionError> {
        let flaw = |at, what: String| Err(VersionError { at, what });
        let mut core = [const { String::new() }; 3];
        let mut at = 0;
        for (i, part) in PARTS.iter().enumerate() {
            if i > 0 {
                match text.get(at) {
                    Some(b'.') => at += 1,
                    None => return flaw(at, format!("the {part} number is missing")),
                    Some(_) => {
                        return flaw(at, format!("expected `.` and the {part} number, found {}", show(text, at)));
                    }
                }
            }
            let digits = text[at..].iter().take_while(|b| b.is_ascii_digit()).count();
            if digits == 0 && at == text.len() {
                return flaw(at, format!("the {part} number is missing"));
            }
            if digits == 0 {
                return flaw(at, format!("expected the {part} number, found {}", show(text, at)));
            }
            if digits > 1 && text[at] == b'0' {
                return flaw(at, format!("the {part} number has a leading zero"));
            }
            core[i] = ascii(&text[at..at + digits]);
            at += digits;
        }
        let mut version = Self { core, prerelease: Vec::new(), build: Vec::new() };
        if text.get(at) == Some(&b'-') {
            (version.prerelease, at) = identifiers(text, at + 1, "prerelease")?;
        }
        if text.get(at) == Some(&b'+') {
            (version.build, at) = identifiers(text, at + 1, "build")?;
        }
        match text.get(at) {
            None => Ok(version),
            Some(b'.') => flaw(at, "a version has three numbers; only `-` or `+` may follow".into()),
            Some(_) => flaw(at, format!("unexpected {} after the version", show(text, at))),
        }
    }

    pub fn is_prerelease(&self) -> bool {
        !self.prerelease.is_empty()
    }

    /// Compares by SemVer precedence, which ignores build metadata.
    pub fn precedence(&self, other: &Self) -> Ordering {
        let numbers = self.core.iter().zip(&other.core).map(|(a, b)| compare_digits(a, b)).find(|o| o.is_ne());
        numbers.unwrap_or_else(|| match (self.is_prerelease(), other.is_prerelease()) {
            (false, false) => Ordering::Equal,
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (true, true) => {
                let pairs = self.prerelease.iter().zip(&other.prerelease);
                let first = pairs.map(|(a, b)| compare_identifiers(a, b)).find(|o| o.is_ne());
                first.unwrap_or_else(|| self.prerelease.len().cmp(&other.prerelease.len()))
            }
        })
    }

    /// The next release, with the given part (0 major, 1 minor, 2 patch) raised.
    pub fn next(&self, part: usize) -> Self {
        let mut core = self.core.clone();
        core[part] = increment(&core[part]);
        core[part + 1..].iter_mut().for_each(|n| *n = "0".into());
        Self { core, prerelease: Vec::new(), build: Vec::new() }
    }

    /// The version after this one of the same kind as `wanted`: a release for a release, the next prerelease for a
    /// prerelease.
    pub fn after(&self, wanted: &Self) -> Self {
        match (self.is_prerelease(), wanted.is_prerelease()) {
            (false, false) => self.next(2),
            // The release that the prerelease announces.
            (true, false) => Self { prerelease: Vec::new(), build: Vec::new(), ..self.clone() },
            (true, true) if kind(&self.prerelease) == kind(&wanted.prerelease) => self.next_prerelease(),
            (_, true) => {
                let mut prerelease = kind(&wanted.prerelease);
                prerelease.push("1".into());
                Self { prerelease, ..self.next(2) }
            }
        }
    }

    /// `rc.10` becomes `rc.11`, and `rc9` becomes `rc9.1`, because `rc10` would be smaller.
    fn next_prerelease(&self) -> Self {
        let mut next = Self { build: Vec::new(), ..self.clone() };
        match next.prerelease.last_mut().filter(|last| is_number(last)) {
            Some(last) => *last = increment(last),
            None => next.prerelease.push("1".into()),
        }
        next
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.core.join("."))?;
        if !self.prerelease.is_empty() {
            write!(f, "-{}", self.prerelease.join("."))?;
        }
        if !self.build.is_empty() {
            write!(f, "+{}", self.build.join("."))?;
        }
        Ok(())
    }
}

/// Parses identifiers from `at` to the end or a `+`. Returns them and where they end.
fn identifiers(text: &[u8], mut at: usize, part: &str) -> Result<(Vec<String>, usize), VersionError> {
    let mut out = Vec::new();
    loop {
        let len = text[at..].iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'-').count();
        let word = &text[at..at + len];
        if word.is_empty() {
            let what = match text.get(at) {
                None | Some(b'.' | b'+') => format!("an identifier of the {part} part is empty"),
                Some(_) => format!("{} is not allowed in the {part} part", show(text, at)),
            };
            return Err(VersionError { at, what });
        }
        if part == "prerelease" && len > 1 && word[0] == b'0' && word.iter().all(u8::is_ascii_digit) {
            return Err(VersionError { at, what: "a number of the prerelease part has a leading zero".into() });
        }
        out.push(ascii(word));
        at += len;
        match text.get(at) {
            Some(b'.') => at += 1,
            None => return Ok((out, at)),
            Some(b'+') if part == "prerelease" => return Ok((out, at)),
            Some(_) => {
                return Err(VersionError { at, what: format!("{} is not allowed in the {part} part", show(text, at)) });
            }
        }
    }
}

fn ascii(bytes: &[u8]) -> String {
    bytes.iter().map(|b| char::from(*b)).collect()
}

/// The character at an offset, for messages.
pub(in crate::rules) fn show(text: &[u8], at: usize) -> String {
    match text[at..].chars().next() {
        None => "the end".into(),
        Some(' ') => "a space".into(),
        Some(char::REPLACEMENT_CHARACTER) => "a byte that is not UTF-8".into(),
        Some(c) if c.is_ascii_graphic() => format!("`{c}`"),
        Some(c) if c.is_control() || crate::text::is_unsafe(c) => {
            format!("an invisible character (U+{:04X})", c as u32)
        }
        Some(c) => format!("`{c}` (U+{:04X})", c as u32),
    }
}

/// Compares numbers of any length without leading zeros.
fn compare_digits(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

fn compare_identifiers(a: &str, b: &str) -> Ordering {
    match (is_number(a), is_number(b)) {
        (true, true) => compare_digits(a, b),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => a.cmp(b),
    }
}

fn is_number(identifier: &str) -> bool {
    identifier.bytes().all(|b| b.is_ascii_digit())
}

/// A prerelease without its trailing numbers: `rc` for `rc.10` and `rc9`.
fn kind(prerelease: &[String]) -> Vec<String> {
    let words = prerelease.iter().rposition(|i| !is_number(i)).map_or(0, |last| last + 1);
    let mut words = prerelease[..words].to_vec();
    if let Some(last) = words.last_mut() {
        last.truncate(last.trim_end_matches(|c: char| c.is_ascii_digit()).len());
    }
    words
}

fn increment(digits: &str) -> String {
    let nines = digits.bytes().rev().take_while(|b| *b == b'9').count();
    let (head, zeros) = (&digits[..digits.len() - nines], "0".repeat(nines));
    match head.bytes().next_back() {
        Some(last) => format!("{}{}{zeros}", &head[..head.len() - 1], char::from(last + 1)),
        None => format!("1{zeros}"),
    }
}

/// Digits without leading zeros.
pub(in crate::rules) fn trimmed(digits: &str) -> String {
    let t = digits.trim_start_matches('0');
    if t.is_empty() { "0".into() } else { t.into() }
}
