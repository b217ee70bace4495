//! Tag patterns of triggers against the formats that `semver-tags` accepts: names that would deploy and never should be.

use globset::GlobBuilder;
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

/// A name that a glob of GitHub's lets through and no format accepts.
pub fn glob_admits(pattern: &str, formats: &[TagFormat]) -> Option<&'static str> {
    let glob = GlobBuilder::new(&with_repeats(pattern)?).literal_separator(true).build().ok()?.compile_matcher();
    admitted(formats, |name| glob.is_match(name))
}

/// GitHub's `+` and `?` repeat what stands before; a glob library has neither. `[0-9]+` is tried as one and two digits.
fn with_repeats(pattern: &str) -> Option<String> {
    let plain = pattern.replace("]+", "]");
    (!pattern.starts_with('!') && !plain.contains(['+', '?'])).then_some(plain)
}

/// The same for a regular expression, `/^v.*/` as GitLab writes it.
pub fn regex_admits(pattern: &str, formats: &[TagFormat]) -> Option<&'static str> {
    let inner = pattern.trim().strip_prefix('/')?;
    let regex = Regex::new(&inner[..inner.rfind('/')?]).ok()?;
    admitted(formats, |name| regex.is_match(name))
}
