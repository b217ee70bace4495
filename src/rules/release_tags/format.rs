//! Formats of release tags: `v{semver}`, `dev-v{semver}`, `{component}/v{semver}`.
//! Owns parsing and matching them; versions are `version`'s.

use bstr::{BStr, BString, ByteSlice as _};

use super::version::{Version, VersionError, show};

/// A parsed format: the text before the component, between component and version, and after the version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagFormat {
    text: String,
    pub(in crate::rules) prefix: String,
    /// The text between component and version; `None` for formats without a component.
    pub(in crate::rules) infix: Option<String>,
    suffix: String,
}

/// A tag name parsed under a format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedTag {
    /// Empty for formats without a component.
    pub component: BString,
    pub version: Version,
}

impl TagFormat {
    /// Parses a format: `{semver}` once, optionally `{component}` before it, no other braces.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some((head, suffix)) = text.split_once("{semver}") else {
            return Err(match text.contains("{calver") {
                true => format!(
                    "the tag format `{text}` uses calendar versions, which have no standard order; \
                     write dates without leading zeros as `{{semver}}`: 2024.5.0"
                ),
                false => format!("the tag format `{text}` lacks `{{semver}}`"),
            });
        };
        let (prefix, infix) = match head.split_once("{component}") {
            Some((prefix, infix)) => (prefix, Some(infix)),
            None => (head, None),
        };
        if let Some(part) = [prefix, infix.unwrap_or(""), suffix].into_iter().find(|p| p.contains(['{', '}'])) {
            return Err(format!(
                "the tag format `{text}` may hold `{{semver}}` and one `{{component}}` before it, not `{part}`"
            ));
        }
        if infix == Some("") {
            return Err(format!("the tag format `{text}` needs something between `{{component}}` and `{{semver}}`"));
        }
        // A suffix that could be part of a version would make names ambiguous.
        if suffix.starts_with(|c: char| c.is_ascii_alphanumeric() || ".+-".contains(c)) {
            return Err(format!("the tag format `{text}` cannot have `{suffix}` after `{{semver}}`"));
        }
        Ok(Self { text: text.into(), prefix: prefix.into(), infix: infix.map(Into::into), suffix: suffix.into() })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Both have a component, or neither does.
    pub fn has_same_parts(&self, other: &Self) -> bool {
        self.infix.is_some() == other.infix.is_some()
    }

    /// Parses a short tag name. The error's offset is one in `name`.
    pub fn parse_name(&self, name: &BStr) -> Result<ParsedTag, VersionError> {
        let mut at = expect(name, 0, &self.prefix)?;
        let mut component = BString::default();
        if let Some(infix) = &self.infix {
            // Search from the end, so that a component may contain the infix.
            let len = name[at..].rfind(infix).ok_or_else(|| VersionError {
                at: name.len(),
                what: format!("`{infix}` and a version are missing after the component"),
            })?;
            if len == 0 {
                return Err(VersionError { at, what: "the component is empty".into() });
            }
            component = name[at..at + len].into();
            at += len + infix.len();
        }
        let end = name.len().saturating_sub(self.suffix.len()).max(at);
        if name[end..] != *self.suffix.as_bytes() {
            return Err(VersionError { at: end, what: format!("`{}` is missing at the end", self.suffix) });
        }
        let version = Version::parse(&name[at..end]).map_err(|f| VersionError { at: f.at + at, ..f })?;
        Ok(ParsedTag { component, version })
    }

    /// The name of a release.
    pub fn name(&self, component: &BStr, version: &Version) -> String {
        let component = if self.infix.is_some() { component.to_str_lossy() } else { "".into() };
        format!("{}{component}{}{version}{}", self.prefix, self.infix.as_deref().unwrap_or(""), self.suffix)
    }
}

/// Expects `literal` at `at`: its end in `name`, or an error at the first byte that differs.
fn expect(name: &BStr, at: usize, literal: &str) -> Result<usize, VersionError> {
    let same = literal.bytes().zip(name[at..].iter().copied()).take_while(|(a, b)| a == b).count();
    if same == literal.len() {
        return Ok(at + same);
    }
    let found = if at + same == name.len() { "the end".into() } else { show(name, at + same) };
    Err(VersionError { at: at + same, what: format!("expected `{}`, found {found}", &literal[same..]) })
}

/// Parses a short tag name under the first format that fits. The error is that of the format that fits the longest part.
pub fn parse_tag<'f>(
    formats: &'f [TagFormat],
    name: &BStr,
) -> Result<(&'f TagFormat, ParsedTag), Option<(&'f TagFormat, VersionError)>> {
    let mut best: Option<(&TagFormat, VersionError)> = None;
    for format in formats {
        match format.parse_name(name) {
            Ok(release) => return Ok((format, release)),
            Err(flaw) if best.as_ref().is_none_or(|(_, b)| b.at < flaw.at) => best = Some((format, flaw)),
            Err(_) => {}
        }
    }
    Err(best)
}
