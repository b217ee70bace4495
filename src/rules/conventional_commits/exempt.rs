//! Who need not keep to the convention. Owns the exemptions by object (merges, reverts, the first commit, `fixup!`), by
//! rule of the policy, and the built-in one for Windmill. An exemption holds only when all of its conditions hold.

use bstr::{BStr, BString, ByteSlice};
use regex::bytes::Regex;

use crate::error::Result;
use crate::policy::scope::{Branches, Paths};
use crate::rules::windmill_paths::is_windmill_path;
use crate::subject::{Carrier, Commit, Person};

/// An exemption that a policy writes. What is `None` is no condition.
#[derive(Clone, Debug, Default)]
pub struct Exemption {
    /// Over `Name <address>`.
    pub author: Option<Regex>,
    pub committer: Option<Regex>,
    pub message: Option<Regex>,
    /// Every ref that the commit is new to must match.
    pub branch: Option<Branches>,
    /// Every changed path must match.
    pub paths: Option<Paths>,
}

impl Exemption {
    /// Cheap conditions first: paths are read only when all others hold.
    fn holds(&self, commit: &Commit<'_>) -> Result<bool> {
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

/// Commits that Windmill makes: the subject is one of its own, the branch one that it writes to, and every changed path
/// one of its files. A subject alone would let anybody through.
#[derive(Clone, Debug)]
pub struct Windmill {
    /// The integration branch, and Windmill's own.
    pub branches: Branches,
}

/// Branches that only Windmill makes.
pub const WINDMILL_BRANCHES: [&str; 3] = ["wm_deploy/**", "wm-fork/**", "wm-ephemeral/**"];

impl Windmill {
    fn holds(&self, commit: &Commit<'_>, header: &[u8]) -> Result<bool> {
        let subject = without_number(header);
        let by_branch = if is_windmill_subject(subject) {
            only_on(commit, &self.branches)?
        } else {
            // The title of a pull request, which a squash takes over, made by the platform out of the branch's name.
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

/// Whether the commit is new to such branches and to nothing else, or was on one and lands elsewhere now.
fn only_on(commit: &Commit<'_>, branches: &Branches) -> Result<bool> {
    if commit.new_to.is_empty() {
        return Ok(false);
    }
    Ok(commit.new_to.iter().all(|r| branches.is_match(r)) || (commit.came_by)(&|branch| branches.is_match(branch))?)
}

/// A header without the number of a pull request that platforms put behind it.
fn without_number(header: &[u8]) -> &[u8] {
    let number = || {
        let (rest, number) = header.strip_suffix(b")")?.rsplit_once_str(" (")?;
        let number = number.strip_prefix(b"pull request ").unwrap_or(number);
        let digits = number.strip_prefix(b"#").or_else(|| number.strip_prefix(b"!"))?;
        is_number(digits).then_some(rest)
    };
    number().unwrap_or(header)
}

/// Whether a title is the one that GitHub, GitLab or Bitbucket give to a pull request of a branch with several commits.
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
    pub windmill: Option<Windmill>,
    /// `Initial commit` may stand on a commit without parents.
    pub initial: bool,
}

impl Exemptions {
    /// Asked only of messages that are found wanting. `header` is the first line, trimmed. `Err` when paths cannot be read.
    pub fn hold(&self, commit: &Commit<'_>, header: &[u8]) -> Result<bool> {
        if (self.initial && header == b"Initial commit" && commit.parents.is_empty())
            || is_revert(header, &commit.message)
            || is_subtree_squash(header, &commit.message)
        {
            return Ok(true);
        }
        if let Some(windmill) = &self.windmill
            && windmill.holds(commit, header)?
        {
            return Ok(true);
        }
        for exemption in &self.rules {
            if exemption.holds(commit)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// A revert as git, GitHub, GitLab, Bitbucket, Azure DevOps and Gerrit write it: `Revert "..."`, `Reapply "..."`,
/// `Revert^2 "..."`, with the number of a pull request behind it or cut off by the platform; and what
/// `git revert --reference` leaves for its author to fill in is judged like any other header.
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
        // GitHub cuts a long title off and goes on in the body.
        return title.len() > 1 && (title.ends_with("…".as_bytes()) || title.ends_with(b"..."));
    };
    let number = title[end + 1..].trim();
    number.is_empty()
        || number.strip_prefix(b"(").and_then(|n| n.strip_suffix(b")")).is_some_and(|n| {
            let n = n.strip_prefix(b"pull request ").or_else(|| n.strip_prefix(b"merge request ")).unwrap_or(n);
            n.first().is_some_and(|b| b"#!".contains(b)) && is_number(&n[1..])
        })
}

/// `git subtree add|merge|pull --squash`: a commit that git itself writes, with where it came from at its end.
fn is_subtree_squash(header: &[u8], message: &BString) -> bool {
    let rest = header.strip_prefix(b"Squashed '").and_then(|rest| rest.split_once_str("' "));
    let written =
        rest.is_some_and(|(_, what)| what.starts_with(b"changes from ") || what.starts_with(b"content from "));
    let says = |name: &str| message.lines().any(|line| line.starts_with(name.as_bytes()));
    written && says("git-subtree-dir: ") && says("git-subtree-split: ")
}

fn is_number(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

/// What becomes of a message that `git rebase --autosquash` is to fold away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Autosquash {
    /// Fine where it is.
    Allowed,
    /// It has come to a protected branch.
    Left,
    /// No space follows the word, so git does not fold it.
    NotRead,
}

/// Words that `git commit --fixup` and `--squash` put before a header.
pub const AUTOSQUASH: [&str; 3] = ["fixup!", "squash!", "amend!"];

/// `fixup!`, `squash!` and `amend!`: the length of the word, and whether it may stand. `None` for other messages.
pub fn autosquash(commit: &Commit<'_>, header: &BStr, protected: &Branches) -> Option<(usize, Autosquash)> {
    let word = AUTOSQUASH.into_iter().find(|w| header.starts_with(w.as_bytes()))?;
    if !header[word.len()..].starts_with(b" ") {
        return Some((word.len(), Autosquash::NotRead));
    }
    // A pending message is local: what is pushed is judged again.
    let left = commit.carrier != Carrier::Pending && commit.new_to.iter().any(|r| protected.is_match(r));
    Some((word.len(), if left { Autosquash::Left } else { Autosquash::Allowed }))
}
