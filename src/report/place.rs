//! Where a finding points, in words: the names that every format gives to files, messages, refs, tags and policies.

use crate::finding::{Finding, Location, Origin};

use super::show;

/// The name of the text that an origin stands for, without a position: `ops/deploy.sh`, `message of 0f3c9a1b2c`.
pub fn title(origin: &Origin) -> String {
    match origin {
        Origin::File { path, .. } | Origin::Policy { path } => show::name(path),
        Origin::Message { commit: Some(commit) } => format!("message of {}", commit.short()),
        Origin::Message { commit: None } => "commit message".to_owned(),
        Origin::Ref { name, .. } => format!("update of {}", show::name(name)),
        Origin::Tag { name, .. } => format!("tag {}", show::name(name)),
    }
}

/// Where to look: `ops/deploy.sh:3:9 (commit 0f3c9a1b2c)`.
pub fn locus(finding: &Finding) -> String {
    let (title, span) = (title(&finding.origin), finding.span);
    let at = format!("{title}:{}:{}", line(finding), span.column.max(1));
    match &finding.origin {
        Origin::File { commit: Some(commit), .. } => format!("{at} (commit {})", commit.short()),
        _ => at,
    }
}

/// `old/deploy.sh:3 (commit 0f3c9a1b2c)`.
pub fn other(place: &Location) -> String {
    let line = if place.line == 0 { String::new() } else { format!(":{}", place.line) };
    let commit = place.commit.map_or_else(String::new, |c| format!(" (commit {})", c.short()));
    format!("{}{line}{commit}", show::name(&place.path))
}

/// The line that every format tells. At least 1.
pub fn line(finding: &Finding) -> usize {
    finding.span.line.max(1)
}

/// A file for formats that know nothing else, with whether the finding's own position counts in it: findings without
/// a file are pinned to the first line of the policy.
pub fn file<'f>(origin: &'f Origin, policy_path: &'f str) -> (&'f [u8], bool) {
    match origin.path() {
        Some(path) => (path, true),
        None => (policy_path.as_bytes(), false),
    }
}

/// The message, with its place in front where `file` had to pin it somewhere else.
pub fn message(finding: &Finding) -> String {
    let message = show::line(&finding.message);
    if finding.origin.path().is_some() { message } else { format!("{}: {message}", locus(finding)) }
}
