//! Release notes from commit messages: breaking changes first, then by type and scope. A pick and its original count once,
//! and reverted commits are left out.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;

use super::trailers::Trailers;
use crate::error::{Error, Result};
use crate::git::{Picker, ThreadRepo, new_commits};
use crate::subject::Oid;
use crate::text;

/// One line of the notes.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Note {
    pub commit: String,
    pub kind: Option<String>,
    pub scope: Option<String>,
    pub title: String,
    pub breaking: Option<String>,
    pub tickets: Vec<String>,
}

/// Headings in their order; a type that is not among them comes last, under its own name.
const HEADINGS: [(&str, &str); 8] = [
    ("feat", "Features"),
    ("fix", "Fixes"),
    ("security", "Security"),
    ("perf", "Performance"),
    ("revert", "Reverts"),
    ("refactor", "Refactoring"),
    ("docs", "Documentation"),
    ("infra", "Infrastructure"),
];

/// What `a..b` brings, oldest first.
pub fn collect(local: &ThreadRepo<'_>, range: &str) -> Result<Vec<Note>> {
    let Some((a, b)) = range.split_once("..") else {
        return Err(Error::usage(format!("`{range}` is not a range")).hint("portcullis promote notes v1.0.0..main"));
    };
    let end = |name: &str| local.commit_named(if name.is_empty() { "HEAD" } else { name });
    let (a, b) = (end(a)?, end(b)?);
    let picker = Picker::new(local);
    let mut commits = Vec::new();
    for step in new_commits(local, &[b], &[a])?.iter().filter(|s| s.parents.len() < 2) {
        let raw = local.commit(step.id)?;
        let trailers = Trailers::read(raw.message.as_ref());
        commits.push((step.id, raw, trailers));
    }
    let gone = taken_back(&commits.iter().map(|(id, _, trailers)| (*id, trailers)).collect::<Vec<_>>());
    // An original in the range speaks for its picks; else the first pick does.
    let ids: HashSet<String> = commits.iter().map(|(id, _, _)| id.to_string()).collect();
    let mut named = HashSet::new();
    let mut patches = HashSet::new();
    let mut out = Vec::new();
    for (id, raw, trailers) in &commits {
        let original = trailers.originals().next().cloned();
        if gone.contains(id)
            || original
                .as_ref()
                .is_some_and(|o| ids.iter().any(|id| id.starts_with(o.as_str())) || !named.insert(o.clone()))
        {
            continue;
        }
        let base = match raw.node.parents.first() {
            Some(parent) => Some(local.commit(*parent)?.node.tree),
            None => None,
        };
        if let Some(patch) = picker.patch_id(base, raw.node.tree)?
            && !patches.insert((patch, trailers.title.clone()))
        {
            continue;
        }
        out.push(Note {
            commit: id.to_string(),
            kind: trailers.kind.clone(),
            scope: trailers.scope.clone(),
            title: text::sanitise(trailers.title.as_bytes()),
            breaking: trailers.breaking.as_ref().map(|b| text::sanitise(b.as_bytes())),
            tickets: trailers.tickets.iter().map(|t| text::sanitise(t.as_bytes())).collect(),
        });
    }
    Ok(out)
}

/// Commits whose revert is in the range as well, and those reverts; newest first, so that a revert of a revert restores.
fn taken_back(commits: &[(Oid, &Trailers)]) -> HashSet<Oid> {
    let at: HashMap<String, usize> = commits.iter().enumerate().map(|(n, (id, _))| (id.to_string(), n)).collect();
    let mut gone = HashSet::new();
    for (id, trailers) in commits.iter().rev() {
        if gone.contains(id) {
            continue;
        }
        for hex in &trailers.reverts {
            let hit =
                at.get(hex).copied().or_else(|| commits.iter().position(|(id, _)| id.to_string().starts_with(hex)));
            if let Some(hit) = hit {
                gone.extend([commits[hit].0, *id]);
            }
        }
    }
    gone
}

/// Markdown.
pub fn markdown(notes: &[Note]) -> String {
    let mut out = String::new();
    let breaking: Vec<&Note> = notes.iter().filter(|n| n.breaking.is_some()).collect();
    // Writing to a String does not fail.
    if !breaking.is_empty() {
        let _ = writeln!(out, "## Breaking changes\n");
        for note in &breaking {
            let what = note.breaking.as_deref().unwrap_or(&note.title);
            let _ = writeln!(out, "- {}{} ({})", scope(note), escape(what), &note.commit[..10]);
        }
        let _ = writeln!(out);
    }
    let mut by_heading: BTreeMap<(usize, String), Vec<&Note>> = BTreeMap::new();
    for note in notes {
        let kind = note.kind.as_deref().unwrap_or("");
        let known = HEADINGS.iter().position(|(k, _)| *k == kind);
        let heading = match known {
            Some(at) => HEADINGS[at].1.to_owned(),
            None if kind.is_empty() => "Other changes".to_owned(),
            None => kind.to_owned(),
        };
        let last = HEADINGS.len() + usize::from(kind.is_empty());
        by_heading.entry((known.unwrap_or(last), heading)).or_default().push(note);
    }
    for ((_, heading), mut list) in by_heading {
        list.sort_by(|a, b| a.scope.cmp(&b.scope));
        let _ = writeln!(out, "## {}\n", escape(&heading));
        for note in list {
            let unsaid = note.tickets.iter().filter(|t| !note.title.contains(t.as_str()));
            let tickets: String = unsaid.map(|t| format!(", {t}")).collect();
            let _ =
                writeln!(out, "- {}{} ({}{})", scope(note), escape(&note.title), &note.commit[..10], escape(&tickets));
        }
        let _ = writeln!(out);
    }
    out
}

fn scope(note: &Note) -> String {
    note.scope.as_ref().map_or_else(String::new, |s| format!("**{}**: ", escape(&text::sanitise(s.as_bytes()))))
}

/// Foreign text in Markdown: nothing in it is markup.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' => out.extend(['\\', c]),
            // A mention would call somebody.
            '@' => out.push_str("@\u{2060}"),
            '\n' | '\r' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
