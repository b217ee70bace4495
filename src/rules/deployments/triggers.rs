//! Tag patterns of triggers against the formats that `semver-tags` accepts: names that would deploy and never should be.

use regex::Regex;

use crate::rules::release_tags::format::TagFormat;

/// Names that are no release under any usual format, each in its own way.
const PROBES: &[&str] = &[
    "latest",
    "test",
    "v",
    "vnext",
    "v1",
    "v1.2",
    "v1.2.3.4",
    "1",
    "1.2",
    "1.2.3",
    "v1.2.3",
    "release",
    "release-1",
    "prod",
    "vfoo-1.2.3",
    "foo",
    "foo/v1.2.3",
    "v1.2.3_x",
];

fn admitted(formats: &[TagFormat], matches: impl Fn(&str) -> bool) -> Option<&'static str> {
    if formats.is_empty() {
        return None;
    }
    let good = |name: &str| formats.iter().any(|f| f.parse_name(name.into()).is_ok());
    PROBES.iter().copied().find(|name| matches(name) && !good(name))
}

/// The names that no format accepts, of the usual ones and some more. None where there are no formats.
pub fn refused_tags<'n>(formats: &[TagFormat], more: &'n [String]) -> Vec<&'n str> {
    let names = PROBES.iter().copied().chain(more.iter().map(String::as_str));
    names.filter(|name| !formats.is_empty() && !formats.iter().any(|f| f.parse_name((*name).into()).is_ok())).collect()
}

/// A name that a regular expression, `/^v.*/` as GitLab writes it, lets through and no format accepts.
pub fn regex_admits(pattern: &str, formats: &[TagFormat]) -> Option<&'static str> {
    let inner = pattern.trim().strip_prefix('/')?;
    let regex = Regex::new(&inner[..inner.rfind('/')?]).ok()?;
    admitted(formats, |name| regex.is_match(name))
}
