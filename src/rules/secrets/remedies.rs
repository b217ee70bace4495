//! What to do about a secret that was found: revoke it, take it out, keep it elsewhere.

use super::detectors::Detector;
use crate::finding::Origin;
use crate::rules::branch_topology::remedies::quote;

/// What to do, in the words of the place: nobody should have to work out which command it is.
pub fn remedy(detector: &Detector, origin: &Origin) -> String {
    let revoke = match detector.revoke.as_ref() {
        "" => "revoke or change it where it was issued",
        revoke => revoke,
    };
    let out = match origin {
        Origin::File { path, commit: None, blob: None } => {
            let path = quote(path.as_ref());
            format!("edit {path}; where it was committed, `git log --oneline -- {path}` shows the commits to mend")
        }
        Origin::File { path, commit: None, .. } => {
            let path = quote(path.as_ref());
            format!(
                "`git restore --staged {path}` (before the first commit: `git rm --cached {path}`), then take it out of the file"
            )
        }
        Origin::File { path, commit: Some(commit), .. } => {
            let (path, commit) = (quote(path.as_ref()), commit.short());
            format!(
                "mend {path} and `git commit --amend` if {commit} is your last commit, \
                 else `git rebase -i {commit}^` and edit {commit}; if it was pushed already, `git filter-repo --replace-text FILE` \
                 with the secret in a FILE elsewhere, or `git filter-repo --path {path} --invert-paths` if {path} should go altogether"
            )
        }
        Origin::Message { commit: None } => "write the message without it".to_owned(),
        Origin::Message { commit: Some(commit) } => {
            let commit = commit.short();
            format!(
                "`git commit --amend` if {commit} is your last commit, else `git rebase -i {commit}^` and reword {commit}"
            )
        }
        Origin::Tag { name, .. } => {
            let name = quote(name.as_ref());
            format!("`git tag -f -a {name} {name}^{{}}` with another message")
        }
        Origin::Ref { .. } | Origin::Policy { .. } => "take it out there".to_owned(),
    };
    format!(
        "revoke it first if anybody has seen it: {revoke}\nthen take it out: {out}\n\
         and keep it where secrets belong: a Windmill variable, a SOPS file, Vault, or an external secret"
    )
}
