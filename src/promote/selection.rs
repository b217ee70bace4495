//! Which commits the user selects: ids and ranges name them, filters narrow them; without any, all that are not on
//! production yet. Judges nothing.

use std::collections::BTreeSet;

use bstr::ByteSlice as _;

use super::history::{Change, History};
use super::requests;
use crate::error::{Error, Result};

/// What was asked for. Filters of different kinds must all hold; of one kind, any.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Commits and ranges, as git writes them.
    pub revisions: Vec<String>,
    /// Globs as in `.gitignore`, or directories.
    pub paths: Vec<String>,
    /// Names of directories or files (without extension) on the way to what is changed.
    pub apps: Vec<String>,
    pub scopes: Vec<String>,
    pub kinds: Vec<String>,
    /// Parts of author names or addresses, in any case.
    pub authors: Vec<String>,
    /// Author time at or after, seconds since 1970.
    pub since: Option<i64>,
    /// Committed at or before, seconds since 1970: let it ripen.
    pub until: Option<i64>,
    /// Tickets or pull requests (`#12`, `ABC-3`).
    pub tickets: Vec<String>,
    /// Everything that would be selected without these commits and ranges, and not them.
    pub all_but: Vec<String>,
}

/// Positions in [`History::dev`], ascending, merges never among them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Selected {
    pub chosen: BTreeSet<usize>,
    /// Those that the user named one by one.
    pub named: BTreeSet<usize>,
    /// Tickets and pull requests of which nothing was found.
    pub not_found: Vec<String>,
}

impl Selection {
    /// Nothing was asked for: everything.
    pub fn is_everything(&self) -> bool {
        self.revisions.is_empty() && !self.narrows() && self.all_but.is_empty()
    }

    fn narrows(&self) -> bool {
        !(self.paths.is_empty()
            && self.apps.is_empty()
            && self.scopes.is_empty()
            && self.kinds.is_empty()
            && self.authors.is_empty()
            && self.tickets.is_empty()
            && self.since.is_none()
            && self.until.is_none())
    }

    /// Errors: a revision that is none, a range or commit outside the candidates, a bad glob.
    pub fn of(&self, history: &History<'_>) -> Result<Selected> {
        let named = revisions(history, &self.revisions)?;
        let without = revisions(history, &self.all_but)?;
        let globs = globs(&self.paths)?;
        let mut of_tickets = BTreeSet::new();
        let mut not_found = Vec::new();
        if !self.tickets.is_empty() {
            let numbers = requests::by_number(history);
            for ticket in &self.tickets {
                let found = requests::find(history, &numbers, ticket);
                if found.is_empty() {
                    not_found.push(ticket.clone());
                }
                of_tickets.extend(found);
            }
        }
        let mut chosen = BTreeSet::new();
        for (at, change) in history.dev.iter().enumerate().filter(|(_, c)| !c.is_merge()) {
            if !self.revisions.is_empty() && !named.contains(&at) || without.contains(&at) {
                continue;
            }
            if !self.tickets.is_empty() && !of_tickets.contains(&at) {
                continue;
            }
            if self.fits(history, change, &globs)? {
                chosen.insert(at);
            }
        }
        let named = if self.narrows() { BTreeSet::new() } else { named };
        Ok(Selected { named: named.intersection(&chosen).copied().collect(), chosen, not_found })
    }

    fn fits(&self, history: &History<'_>, change: &Change, globs: &Option<globset::GlobSet>) -> Result<bool> {
        let trailers = &change.trailers;
        let any = |list: &[String], hit: &dyn Fn(&String) -> bool| list.is_empty() || list.iter().any(hit);
        let person = &change.raw.node.author;
        let who = format!("{} <{}>", person.name.to_str_lossy(), person.email.to_str_lossy()).to_lowercase();
        let by_words = any(&self.scopes, &|s| {
            trailers.scope.as_ref().is_some_and(|own| own.split([',', '/', ' ']).any(|o| o == s) || own == s)
        }) && any(&self.kinds, &|k| trailers.kind.as_ref() == Some(k))
            && any(&self.authors, &|a| who.contains(&a.to_lowercase()))
            && self.since.is_none_or(|s| change.time() >= s)
            && self.until.is_none_or(|u| change.raw.node.committer.time <= u);
        if !by_words || (self.apps.is_empty() && globs.is_none()) {
            return Ok(by_words);
        }
        let edits = history.picker.edits(change.base, change.tree())?;
        Ok(edits.iter().any(|e| {
            let path = e.path.to_str_lossy();
            globs.as_ref().is_none_or(|g| g.is_match(path.as_ref())) && any(&self.apps, &|app| is_of_app(&path, app))
        }))
    }
}

/// A directory on the way has the name, or the file has it before its extensions.
pub fn is_of_app(path: &str, app: &str) -> bool {
    path.split('/').any(|part| part == app || part.strip_prefix(app).is_some_and(|rest| rest.starts_with('.')))
}

fn globs(list: &[String]) -> Result<Option<globset::GlobSet>> {
    if list.is_empty() {
        return Ok(None);
    }
    let mut set = globset::GlobSetBuilder::new();
    for pattern in list {
        let pattern = pattern.trim_end_matches('/');
        for form in [pattern.to_owned(), format!("{pattern}/**")] {
            let glob = globset::GlobBuilder::new(&form).literal_separator(true).build();
            set.add(glob.map_err(|e| Error::usage(format!("`{pattern}` is not a path pattern: {}", e.kind())))?);
        }
    }
    set.build().map(Some).map_err(|e| Error::usage(format!("the path patterns cannot be used together: {e}")))
}

fn revisions(history: &History<'_>, list: &[String]) -> Result<BTreeSet<usize>> {
    let local = history.picker.repo();
    let mut out = BTreeSet::new();
    for word in list {
        if let Some((a, b)) = word.split_once("..") {
            let end = |name: &str, tip: &str| local.commit_named(if name.is_empty() { tip } else { name });
            let hidden = end(a, &history.onto.oid.0.to_string())?;
            let tip = end(b.trim_start_matches('.'), &history.from.oid.0.to_string())?;
            let steps = crate::git::new_commits(local, &[tip], &[hidden])?;
            out.extend(steps.iter().filter_map(|s| history.position(s.id)));
            continue;
        }
        let id = local.commit_named(word).map_err(|e| Error { kind: crate::error::Kind::Usage, ..e })?;
        let Some(at) = history.position(id) else {
            let from = &history.from.name;
            return Err(Error::usage(format!(
                "{word} is not a candidate: it is not on {from} or already on {}",
                history.onto.name
            ))
            .hint(format!("git log --oneline {}..{}", history.onto.name, from)));
        };
        if history.dev[at].is_merge() {
            return Err(Error::usage(format!("{word} is a merge: pick the commits that it brought"))
                .hint(format!("name {word}^1..{word}^2 instead")));
        }
        out.insert(at);
    }
    Ok(out)
}
