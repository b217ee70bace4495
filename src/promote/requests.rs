//! Groups commits of the development branch by pull request: by merge commits, squash titles and trailers of every platform.
//! Reads messages and the graph; asks no server.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::history::{Change, History};
use super::origin::request_of;

/// Numbers of pull requests to positions in [`History::dev`], merges included.
pub fn by_number(history: &History<'_>) -> HashMap<String, BTreeSet<usize>> {
    let mut out: HashMap<String, BTreeSet<usize>> = HashMap::new();
    for (at, change) in history.dev.iter().enumerate() {
        let message = String::from_utf8_lossy(&change.raw.message);
        for number in numbers(&message) {
            let entry = out.entry(number).or_default();
            entry.insert(at);
            if change.is_merge() {
                entry.extend(topic(history, at));
            }
        }
    }
    out
}

/// The numbers under which a commit was merged: those of a merge, of a squash title, of a trailer.
pub fn numbers(message: &str) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    let subject = message.lines().next().unwrap_or_default().trim();
    let word_after = |prefix: &str| subject.strip_prefix(prefix).and_then(|rest| rest.split([' ', ':']).next());
    out.extend(word_after("Merge pull request ").and_then(request_of));
    out.extend(word_after("Merged PR ").and_then(|n| request_of(&format!("#{n}"))));
    if let Some((_, last)) = subject.strip_suffix(')').and_then(|s| s.rsplit_once('(')) {
        let number = last.strip_prefix("pull request ").unwrap_or(last);
        out.extend(request_of(number).filter(|_| number.starts_with(['#', '!'])));
    }
    for line in message.lines().skip(1).map(str::trim) {
        let lower = line.to_ascii_lowercase();
        if let Some(rest) = lower.strip_prefix("see merge request ") {
            out.extend(request_of(rest.trim_end_matches('.')));
        }
        let Some((name, value)) = lower.split_once(':') else { continue };
        if matches!(name, "pr" | "pr-url" | "pull-request" | "pull request" | "merge-request" | "mr" | "reviewed-on") {
            out.extend(value.split([' ', ',']).filter_map(request_of));
        }
    }
    out
}

/// What a merge of the development branch brought: reached from it, and not from its first parent.
pub fn topic(history: &History<'_>, merge: usize) -> BTreeSet<usize> {
    brought(&history.dev, merge, 0)
}

/// The commits of a list, parents before children, that a merge in it adds to its parent number `mainline`.
pub fn brought(list: &[Change], merge: usize, mainline: usize) -> BTreeSet<usize> {
    let ids: BTreeMap<_, usize> = list[..merge].iter().enumerate().map(|(at, c)| (c.id, at)).collect();
    let parents = &list[merge].raw.node.parents;
    let reached = |tips: Vec<usize>| {
        let mut seen: BTreeSet<usize> = tips.iter().copied().collect();
        let mut queue = tips;
        while let Some(at) = queue.pop() {
            let above = list[at].raw.node.parents.iter().filter_map(|p| ids.get(p).copied());
            queue.extend(above.filter(|p| seen.insert(*p)).collect::<Vec<_>>());
        }
        seen
    };
    let (main, others): (Vec<_>, Vec<_>) = parents.iter().enumerate().partition(|(n, _)| *n == mainline);
    let tips = |list: Vec<(usize, &crate::subject::Oid)>| {
        list.into_iter().filter_map(|(_, p)| ids.get(p).copied()).collect::<Vec<_>>()
    };
    let had = reached(tips(main));
    reached(tips(others)).difference(&had).copied().collect()
}

/// Positions of the commits that a ticket or pull request names, merges never among them. A pull request is its merge's
/// topic, its squash, or what its trailers say; where there is none of that number, and for a ticket's key, whatever
/// mentions it, and the topics of merges that do.
pub fn find(history: &History<'_>, numbers: &HashMap<String, BTreeSet<usize>>, ticket: &str) -> BTreeSet<usize> {
    let number = ticket.trim_start_matches(['#', '!']);
    let unit = numbers.get(number).filter(|_| number.bytes().all(|b| b.is_ascii_digit()));
    let found: BTreeSet<usize> = match unit {
        Some(unit) => unit.clone(),
        None => {
            let mut out = BTreeSet::new();
            for (at, change) in history.dev.iter().enumerate() {
                if mentions(&String::from_utf8_lossy(&change.raw.message), ticket, number) {
                    out.insert(at);
                    if change.is_merge() {
                        out.extend(topic(history, at));
                    }
                }
            }
            out
        }
    };
    found.into_iter().filter(|at| !history.dev[*at].is_merge()).collect()
}

/// As a word of its own: `ABC-7` is in `feature/ABC-7-login` and not in `ABC-70`; a number needs its `#` or `!`.
fn mentions(message: &str, ticket: &str, number: &str) -> bool {
    let plain = number.bytes().all(|b| b.is_ascii_digit());
    let needle = if plain { number } else { ticket };
    let (message, needle) = (message.to_ascii_lowercase(), needle.to_ascii_lowercase());
    message.match_indices(&needle).any(|(at, _)| {
        let before = message[..at].chars().next_back();
        let after = message[at + needle.len()..].chars().next();
        let starts = if plain { matches!(before, Some('#' | '!')) } else { !before.is_some_and(char::is_alphanumeric) };
        starts && !after.is_some_and(char::is_alphanumeric)
    })
}
