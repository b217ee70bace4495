//! Commits that need not follow the convention: reverts, the first commit, `fixup!`, exemptions of the policy, and commits
//! that Windmill makes. An exemption applies only if all of its conditions hold.

use bstr::{BStr, BString, ByteSlice as _};
use regex::bytes::Regex;

use crate::error::Result;
use crate::options::scope::{Branches, Paths};
use crate::rules::windmill_paths::is_windmill_path;
use crate::subject::{Carrier, Commit, Person};

/// An exemption from the policy. `None` means no condition.
#[derive(Clone, Debug, Default)]
pub struct Exemption {
    /// Matched against `Name <address>`.
    pub author: Option<Regex>,
    pub committer: Option<Regex>,
    pub message: Option<Regex>,
    /// Every ref that gains the commit must match.
    pub branch: Option<Branches>,
    /// Every changed path must match.
    pub paths: Option<Paths>,
}

impl Exemption {
    /// Cheap conditions first: paths are read only if all others hold.
    fn applies(&self, commit: &Commit<'_>) -> Result<bool> {
        let person = |pattern: &Option<Regex>, person: &Person| {
            pattern.as_ref().is_none_or(|p| p.is_match(&[&person.name[..], b" <", &person.email, b">"].concat()))
        };
        let cheap = person(&self.author, &commit.author)
            && person(&self.committer, &commit.committer)
            && self.message.as_ref().is_none_or(|m| m.is_match(&commit.message));
        Ok(cheap
            && self.branch.as_ref().map_or(Ok(true), |b| only_on(commit, b))?
            && match &self.paths {
                None => true,
                Some(paths) => (commit.changed_paths)()?.iter().all(|p| paths.is_match(p.as_bstr())),
            })
    }
}

/// The exemption for commits that Windmill makes: it requires one of Windmill's subjects, a branch that Windmill writes to,
/// and only Windmill's files. Anybody can copy a subject.
#[derive(Clone, Debug)]
pub struct WindmillExemption {
    /// The integration branch, and Windmill's own.
    pub branches: Branches,
}

/// Branches that Windmill creates.
pub const WINDMILL_BRANCHES: [&str; 3] = ["wm_deploy/**", "wm-fork/**", "wm-ephemeral/**"];

impl WindmillExemption {
    fn applies(&self, commit: &Commit<'_>, header: &[u8]) -> Result<bool> {
        let subject = without_number(header);
        let by_branch = if is_windmill_subject(subject) {
            only_on(commit, &self.branches)?
        } else {
            // A squash takes the title of the pull request, which the platform derives from the branch's name.
            let squashed = commit.parents.len() == 1 && !commit.new_to.is_empty();
            squashed && (commit.came_by)(&|branch| self.branches.is_match(branch) && is_title_of(subject, branch))?
        };
        Ok(by_branch && (commit.changed_paths)()?.iter().all(|p| is_windmill_path(p.as_bstr())))
    }
}

/// `^(\[WM\]:? .+|Initialize windmill sync repo|no commit msg|(Script|Flow|App) '[^']+' deployed)$`
pub fn is_windmill_subject(header: &[u8]) -> bool {
    if let Some(rest) = header.strip_prefix(b"[WM]") {
        let rest = rest.strip_prefix(b":").unwrap_or(rest);
        return rest.len() > 1 && rest[0] == b' ';
    }
    let deployed = [&b"Script '"[..], b"Flow '", b"App '"].iter().find_map(|p| header.strip_prefix(*p));
    let name = deployed.and_then(|rest| rest.strip_suffix(b"' deployed"));
    matches!(header, b"Initialize windmill sync repo" | b"no commit msg")
        || name.is_some_and(|n| !n.is_empty() && !n.contains(&b'\''))
}

/// Whether only such branches gain the commit, or it was on one of them before.
fn only_on(commit: &Commit<'_>, branches: &Branches) -> Result<bool> {
    if commit.new_to.is_empty() {
        return Ok(false);
    }
    Ok(commit.new_to.iter().all(|r| branches.is_match(r)) || (commit.came_by)(&|branch| branches.is_match(branch))?)
}

/// A header without the pull request number that platforms append.
fn without_number(header: &[u8]) -> &[u8] {
    let number = || {
        let (rest, number) = header.strip_suffix(b")")?.rsplit_once_str(" (")?;
        let number = number.strip_prefix(b"pull request ").unwrap_or(number);
        let digits = number.strip_prefix(b"#").or_else(|| number.strip_prefix(b"!"))?;
        is_number(digits).then_some(rest)
    };
    number().unwrap_or(header)
}

/// Whether a title is the default of GitHub, GitLab or Bitbucket for a pull request from a branch with several commits.
fn is_title_of(title: &[u8], branch: &BStr) -> bool {
    let short = branch.strip_prefix(b"refs/heads/".as_slice()).unwrap_or(branch);
    let title = title.strip_prefix(b"Merged in ").unwrap_or(title);
    let plain = |text: &[u8]| text.to_ascii_lowercase().replace("-", " ").replace("_", " ");
    plain(title) == plain(short)
}

/// All exemptions of a policy.
#[derive(Clone, Debug, Default)]
pub struct Exemptions {
    pub rules: Vec<Exemption>,
    pub windmill: Option<WindmillExemption>,
    /// `Initial commit` is allowed for a commit without parents.
    pub initial: bool,
}

impl Exemptions {
    /// Whether a commit is exempt; only called for messages with mistakes. `header` is the first line, trimmed. `Err` if the
    /// changed paths cannot be read.
    pub fn apply(&self, commit: &Commit<'_>, header: &[u8]) -> Result<bool> {
        if (self.initial && header == b"Initial commit" && commit.parents.is_empty())
            || is_revert(header, &commit.message)
            || is_subtree_squash(header, &commit.message)
        {
            return Ok(true);
        }
        if let Some(windmill) = &self.windmill
            && windmill.applies(commit, header)?
        {
            return Ok(true);
        }
        for exemption in &self.rules {
            if exemption.applies(commit)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// A revert as git, GitHub, GitLab, Bitbucket, Azure DevOps and Gerrit write it: `Revert "..."`, `Reapply "..."`,
/// `Revert^2 "..."`, with an appended pull request number or cut off by the platform. The template of
/// `git revert --reference` is checked like any other header.
fn is_revert(header: &[u8], message: &BString) -> bool {
    if let Some(rest) = header.strip_prefix(b"Revert submission ") {
        return !rest.trim().is_empty() && message.contains_str("Reverted changes:");
    }
    let Some(rest) = header.strip_prefix(b"Revert").or_else(|| header.strip_prefix(b"Reapply")) else { return false };
    let rest = match rest.strip_prefix(b"^") {
        Some(power) => power.trim_start_with(|c| c.is_ascii_digit()),
        None => rest,
    };
    let Some(quote) = rest.strip_prefix(b" ").and_then(|r| r.first().copied()).filter(|b| b"\"'".contains(b)) else {
        return false;
    };
    let title = &rest[2..];
    let Some(end) = title.rfind_byte(quote).filter(|end| *end > 0) else {
        // GitHub truncates a long title and continues in the body.
        return title.len() > 1 && (title.ends_with("…".as_bytes()) || title.ends_with(b"..."));
    };
    let number = title[end + 1..].trim();
    number.is_empty()
        || number.strip_prefix(b"(").and_then(|n| n.strip_suffix(b")")).is_some_and(|n| {
            let n = n.strip_prefix(b"pull request ").or_else(|| n.strip_prefix(b"merge request ")).unwrap_or(n);
            n.first().is_some_and(|b| b"#!".contains(b)) && is_number(&n[1..])
        })
}

/// A commit that `git subtree add|merge|pull --squash` writes, with its origin in trailers.
fn is_subtree_squash(header: &[u8], message: &BString) -> bool {
    let rest = header.strip_prefix(b"Squashed '").and_then(|rest| rest.split_once_str("' "));
    let written =
        rest.is_some_and(|(_, what)| what.starts_with(b"changes from ") || what.starts_with(b"content from "));
    let has_trailer = |name: &str| message.lines().any(|line| line.starts_with(name.as_bytes()));
    written && has_trailer("git-subtree-dir: ") && has_trailer("git-subtree-split: ")
}

fn is_number(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

/// The state of a commit that `git rebase --autosquash` should fold into another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Autosquash {
    /// Allowed here.
    Allowed,
    /// It reached a protected branch.
    Left,
    /// Git does not recognise it, because no space follows the word.
    NotRead,
}

/// Prefixes that `git commit --fixup` and `--squash` write.
pub const AUTOSQUASH: [&str; 3] = ["fixup!", "squash!", "amend!"];

/// The length and state of a `fixup!`, `squash!` or `amend!` prefix; `None` for other messages.
pub fn autosquash(commit: &Commit<'_>, header: &BStr, protected: &Branches) -> Option<(usize, Autosquash)> {
    let word = AUTOSQUASH.into_iter().find(|w| header.starts_with(w.as_bytes()))?;
    if !header[word.len()..].starts_with(b" ") {
        return Some((word.len(), Autosquash::NotRead));
    }
    // A pending message is local; a push is checked again.
    let left = commit.carrier != Carrier::Pending && commit.new_to.iter().any(|r| protected.is_match(r));
    Some((word.len(), if left { Autosquash::Left } else { Autosquash::Allowed }))
}
