//! What to do about a secret that was found: revoke it, take it out, keep it elsewhere.

use super::detectors::Detector;
use crate::finding::Origin;
use crate::shell;
use crate::subject::Oid;

/// What to do, in three lines: revoke it, take it out of what is pending, keep it elsewhere.
pub fn remedy(detector: &Detector, origin: &Origin) -> String {
    let out = match origin {
        Origin::File { path, commit: None, blob: None } => {
            let path = shell::pathspec(path);
            format!("take it out of {path}; `git log --oneline -- {path}` lists the commits that have it")
        }
        Origin::File { path, commit: None, .. } => {
            let path = shell::pathspec(path);
            format!("take it out: `git restore --staged {path}` (before the first commit: `git rm --cached {path}`)")
        }
        Origin::File { path, commit: Some(commit), .. } => {
            format!("take it out of {}: {}", shell::quote(path), rewrite(*commit, "edit"))
        }
        Origin::Message { commit: None } => "write the message without it".to_owned(),
        Origin::Message { commit: Some(commit) } => {
            format!("write the message without it: {}", rewrite(*commit, "reword"))
        }
        Origin::Tag { name, .. } => {
            let name = shell::quote(name);
            format!("write another message: `git tag -f -a {name} {name}^{{}}`")
        }
        Origin::Ref { .. } | Origin::Policy { .. } => "take it out there".to_owned(),
    };
    format!("{}\n{out}\n{ELSEWHERE}", revoke(detector))
}

const ELSEWHERE: &str = "keep it in a Windmill variable, a SOPS file, Vault or an external secret";

/// How to change a commit; `how` is the command in git's list of commits.
fn rewrite(commit: Oid, how: &str) -> String {
    format!("`git rebase -i {}^`, {how} (last commit: `git commit --amend`)", commit.short())
}

/// What to do about a secret in the name of a file.
pub fn of_path(detector: &Detector, commit: Option<Oid>) -> String {
    let again = match commit {
        None => String::new(),
        Some(commit) => format!("\nthen take the name out of the history: {}", rewrite(commit, "edit")),
    };
    format!("{}\nrename the file: git mv OLD NEW{again}", revoke(detector))
}

/// What to do about a secret in the name of a ref.
pub fn of_ref(detector: &Detector) -> String {
    format!("{}\npush it under another name: git push origin HEAD:refs/heads/NEW", revoke(detector))
}

/// The first thing to do, in a line of at most 80 characters; `explain` has the rest of a longer one.
fn revoke(detector: &Detector) -> &str {
    const LENGTH: usize = 80;
    let whole = match detector.revoke.as_ref() {
        "" => "revoke it or change it where it was issued",
        revoke => revoke,
    };
    if whole.len() <= LENGTH {
        return whole;
    }
    let clause = [", ", "; ", " ("].iter().filter_map(|end| whole.get(..LENGTH)?.rfind(end)).max();
    clause.map_or(whole, |end| &whole[..end])
}
