//! The landings of branches, and how the refs stood when each of them came. Owns what history can tell of that: the line of
//! first parents with the times of its commits, and the branch that a merge names.

use std::collections::BTreeMap;

use bstr::{BStr, BString, ByteSlice as _};

use crate::error::Result;
use crate::git::branch_matches;
use crate::subject::{Graph, Oid, Ref};

/// One update of a branch, as its line of first parents tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Landing {
    /// Short name.
    pub branch: String,
    pub old: Oid,
    pub new: Oid,
    /// Of the new commit, in seconds since 1970.
    pub time: i64,
    pub author: BString,
}

/// How far back to look.
#[derive(Clone, Copy, Debug)]
pub enum Reach {
    /// Seconds since 1970.
    Since(i64),
    /// The last so many of each branch.
    Last(usize),
}

/// The lines of first parents of the branches that matter, newest commit first.
pub struct Lines {
    of: BTreeMap<String, Vec<(Oid, i64)>>,
    /// Release tags and others, with the time of the commit that each names.
    tags: Vec<(Ref, i64)>,
}

impl Lines {
    /// `wanted`: names and globs of branches.
    pub fn read(graph: &dyn Graph, wanted: &[String], reach: Reach) -> Result<Self> {
        let mut lines = Self { of: BTreeMap::new(), tags: Vec::new() };
        for branch in graph.refs("refs/heads/")? {
            let Some(name) = branch.name.strip_prefix(b"refs/heads/").and_then(|n| n.to_str().ok()) else { continue };
            if wanted.iter().any(|w| branch_matches(w, name.as_bytes())) {
                lines.of.insert(name.to_owned(), line(graph, branch.target, reach)?);
            }
        }
        for tag in graph.refs("refs/tags/")? {
            // A tag of something else, or of what is not here, says nothing of releases.
            if let Ok(Some(commit)) = graph.peel(tag.target)
                && let Ok(time) = graph.time(commit)
            {
                lines.tags.push((tag, time));
            }
        }
        Ok(lines)
    }

    pub fn branches(&self) -> impl Iterator<Item = &str> {
        self.of.keys().map(String::as_str)
    }

    /// The landings on a branch, oldest first.
    pub fn landings(&self, graph: &dyn Graph, branch: &str, reach: Reach) -> Result<Vec<Landing>> {
        let line = self.of.get(branch).map_or(&[][..], Vec::as_slice);
        let most = if let Reach::Last(most) = reach { most } else { usize::MAX };
        let mut landings = Vec::new();
        for pair in line.windows(2).take(most) {
            let [(new, time), (old, _)] = *pair else { continue };
            if matches!(reach, Reach::Since(since) if time < since) {
                break;
            }
            let author = graph.node(new)?.author.name;
            landings.push(Landing { branch: branch.to_owned(), old, new, time, author });
        }
        landings.reverse();
        Ok(landings)
    }

    /// Branches and tags as they stood before a landing. A merge that names a branch brought its tip.
    pub fn before(&self, graph: &dyn Graph, landing: &Landing) -> Result<Vec<Ref>> {
        let node = graph.node(landing.new)?;
        let merged = merged_branch(node.message.as_ref()).zip(node.parents.get(1).copied());
        let mut refs = Vec::new();
        for (name, line) in &self.of {
            let tip = if *name == landing.branch {
                Some(landing.old)
            } else if let Some((_, tip)) = merged.filter(|(merged, _)| *merged == name.as_bytes()) {
                Some(tip)
            } else {
                line.iter().find(|(_, time)| *time < landing.time).map(|(commit, _)| *commit)
            };
            let ref_at = |target| Ref { name: format!("refs/heads/{name}").into(), target };
            refs.extend(tip.map(ref_at));
        }
        refs.extend(self.tags.iter().filter(|(_, time)| *time < landing.time).map(|(tag, _)| tag.clone()));
        Ok(refs)
    }
}

/// Commits with their times, and one more than was asked for: the state before the oldest landing.
fn line(graph: &dyn Graph, tip: Oid, reach: Reach) -> Result<Vec<(Oid, i64)>> {
    let mut line = Vec::new();
    let mut next = graph.peel(tip)?;
    while let Some(commit) = next {
        let time = graph.time(commit)?;
        line.push((commit, time));
        let is_far = match reach {
            Reach::Since(since) => time < since,
            Reach::Last(most) => line.len() > most,
        };
        next = if is_far || graph.is_shallow(commit)? { None } else { graph.parents(commit)?.first().copied() };
    }
    Ok(line)
}

/// The branch that a merge commit says it merges: `Merge branch 'dev'`, `Merge pull request #7 from owner/dev`.
fn merged_branch(message: &BStr) -> Option<&[u8]> {
    let header = message.lines().next()?;
    let rest = header.strip_prefix(b"Merge ")?;
    if rest.starts_with(b"pull request ") {
        let (_, from) = rest.split_once_str(" from ")?;
        return Some(from.split_once_str("/").map_or(from, |(_, branch)| branch));
    }
    let (_, quoted) = rest.split_once_str("branch '")?;
    let (name, _) = quoted.split_once_str("'")?;
    Some(name.strip_prefix(b"origin/").unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_merge_names_its_branch_in_the_words_of_git_and_of_servers() {
        for (header, branch) in [
            ("Merge branch 'dev'", Some("dev")),
            ("Merge branch 'dev' into main\n\nbody", Some("dev")),
            ("Merge branch 'release/1' into 'main'", Some("release/1")),
            ("Merge remote-tracking branch 'origin/dev' into main", Some("dev")),
            ("Merge pull request #12 from owner/feature/x", Some("feature/x")),
            ("Merge tag 'v1.0.0'", None),
            ("feat: Merge branch 'dev'", None),
            ("", None),
        ] {
            assert_eq!(merged_branch(header.into()), branch.map(str::as_bytes), "{header}");
        }
    }
}
