//! `--write-exceptions` and `init`: an exception for everything that stands today. Owns what is accepted and in which file:
//! a handful stands in the policy, more in the baseline beside it. Pure: bytes in, bytes out.

mod baseline;
mod in_policy;

use bstr::ByteSlice as _;
use jiff::ToSpan as _;
use jiff::civil::Date;

use super::setting::family_of;
use crate::error::{Error, Result};
use crate::finding::{Finding, Origin, Severity};
use crate::report::Report;

/// So many exceptions a policy can have and still be read at a glance.
const IN_POLICY: usize = 10;

/// The files as they are, if they are there.
pub struct Before<'a> {
    pub policy: Option<&'a [u8]>,
    pub baseline: Option<&'a [u8]>,
    /// As the report knows the baseline.
    pub baseline_name: &'a str,
}

/// The files as they are to be; `None`: as it was.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    pub policy: Option<Vec<u8>>,
    pub baseline: Option<Vec<u8>>,
    pub added: usize,
    /// Exceptions of the baseline that nothing needs any more, or that have expired.
    pub removed: usize,
}

/// An exception per standing error and warning (and per finding that was merged into one), each with `reason: baseline`
/// and a year to go. In the policy while it has few and there is no baseline; else in the baseline, which loses what the
/// report calls unused or expired.
pub fn accept(report: &Report, before: &Before<'_>, today: Date) -> Result<Accepted> {
    let entries = entries(report, today)?;
    let added = entries.len();
    if before.baseline.is_none() && in_policy::count(before.policy.unwrap_or_default()) + added <= IN_POLICY {
        let policy = in_policy::with(&entries, before.policy)?;
        return Ok(Accepted { policy: (added > 0).then_some(policy), added, ..Accepted::default() });
    }
    let told = |f: &&Finding| {
        let gone = matches!(&*f.rule, "exceptions/unused" | "exceptions/expired");
        gone && matches!(&f.origin, Origin::Policy { path } if *path == before.baseline_name)
    };
    let obsolete: Vec<usize> = report.findings.iter().filter(told).map(|f| f.span.byte_start).collect();
    let (bytes, removed) = baseline::with(&entries, &obsolete, before.baseline)?;
    Ok(Accepted { baseline: (added + removed > 0).then_some(bytes), added, removed, policy: None })
}

fn unwritable(why: &str) -> Error {
    Error::usage(format!("cannot write exceptions: {why}")).hint("mend the file first: `portcullis check` shows where")
}

/// What is sorted by: rule, path, fingerprint.
type Key = (String, String, String);

struct Entry {
    key: Key,
    text: String,
}

/// The exception that excuses a finding, and no other.
pub fn exception_for(finding: &Finding, reason: &str) -> String {
    let path = finding.origin.path().and_then(|p| p.to_str().ok()).map(glob).unwrap_or_default();
    format!("{{ {}, reason: {} }}", finding_fields(finding, &path, &finding.fingerprint), quoted(reason))
}

fn finding_fields(finding: &Finding, path: &str, fingerprint: &str) -> String {
    let place = if path.is_empty() { String::new() } else { format!("path: {}, ", quoted(path)) };
    format!("rule: {}, {place}fingerprint: \"{fingerprint}\"", rule(&finding.rule))
}

/// Flow maps on one line each.
fn entries(report: &Report, today: Date) -> Result<Vec<Entry>> {
    let until =
        today.checked_add(365.days()).map_err(|e| Error::usage(format!("cannot tell the day in a year: {e}")))?;
    let stands = |f: &&Finding| {
        f.suppressed.is_none() && f.severity > Severity::Note && !matches!(family_of(&f.rule), "exceptions" | "policy")
    };
    let mut list: Vec<Entry> = Vec::new();
    for finding in report.findings.iter().filter(stands) {
        let own = (finding.origin.path().cloned(), finding.fingerprint.clone());
        for (path, fingerprint) in std::iter::once(&own).chain(&finding.merged) {
            let path = path.as_ref().and_then(|p| p.to_str().ok()).map(glob).unwrap_or_default();
            let fields = finding_fields(finding, &path, fingerprint);
            let text = format!("{{ {fields}, reason: \"baseline\", until: {until} }}");
            list.push(Entry { key: (finding.rule.to_string(), path, fingerprint.clone()), text });
        }
    }
    list.sort_by(|a, b| a.key.cmp(&b.key));
    list.dedup_by(|a, b| a.key == b.key);
    Ok(list)
}

fn rule(id: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_');
    if id.chars().all(plain) { id.to_owned() } else { quoted(id) }
}

/// A glob that means this path and no other.
fn glob(path: &str) -> String {
    let mut glob = if path.contains('/') { String::new() } else { "/".to_owned() };
    for c in path.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | '\\') || (glob.is_empty() && c == '!') {
            glob.push('\\');
        }
        glob.push(c);
    }
    glob
}

/// In double quotes, on one line, with ASCII control characters escaped.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() || crate::text::is_unsafe(c) => match u32::from(c) {
                n @ 0..=0xff => out.push_str(&format!("\\x{n:02x}")),
                n @ 0x100..=0xffff => out.push_str(&format!("\\u{n:04x}")),
                n => out.push_str(&format!("\\U{n:08x}")),
            },
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
