//! How well promotions are seen and simulated in a real repository, with git as the judge. Prints counts, not times:
//!
//!     PROMOTE_REPO=clone PROMOTE_FROM=main PROMOTE_ONTO='release-1 release-2' cargo bench --bench picks
//!
//! The repository gets objects: give it a clone (`git clone --bare --shared`).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use portcullis::git::{Picked, ThreadRepo, Write, discover};
use portcullis::promote::evidence::{Grade, gather};
use portcullis::promote::history::{Change, History};
use portcullis::promote::simulate::Simulation;
use portcullis::subject::Oid;

type Counts = BTreeMap<String, usize>;

fn main() {
    let variable = |name: &str| std::env::var(name).ok();
    let (Some(repo), Some(onto)) = (variable("PROMOTE_REPO"), variable("PROMOTE_ONTO")) else {
        return say("picks: PROMOTE_REPO=clone PROMOTE_FROM=main PROMOTE_ONTO='release-1 release-2'");
    };
    let from = variable("PROMOTE_FROM").unwrap_or_else(|| "main".to_owned());
    let found = discover(repo.as_ref()).expect("it opens").expect("it is there");
    let local = found.thread_local();
    let (mut counts, mut ids) = (Counts::new(), HashSet::new());
    for onto in onto.split_whitespace() {
        let before = counts.get("pairs").copied().unwrap_or(0);
        evidence(&local, (&from, onto), &mut counts);
        let history = History::read(&local, &from, onto).expect("a history");
        picks(&history, Path::new(&repo), &mut counts);
        patches(&history, Path::new(&repo), &mut ids, &mut counts);
        say(&format!("{onto}: {} pairs", counts.get("pairs").copied().unwrap_or(0) - before));
    }
    counts.iter().for_each(|(what, n)| say(&format!("{n:>8} {what}")));
}

fn say(line: &str) {
    writeln!(std::io::stdout(), "{line}").expect("standard output");
}

fn add(counts: &mut Counts, what: impl Into<String>) {
    *counts.entry(what.into()).or_default() += 1;
}

/// What is found of the pairs that trailers name, with the trailers and without.
fn evidence(local: &ThreadRepo<'_>, (from, onto): (&str, &str), counts: &mut Counts) {
    let mut history = History::read(local, from, onto).expect("a history");
    let mut truth: BTreeMap<usize, Vec<Oid>> = BTreeMap::new();
    for change in history.main.iter().filter(|c| !c.is_merge()) {
        for at in change.trailers.picked_from.iter().filter_map(|hex| history.abbreviated(hex)) {
            if !history.dev[at].is_merge() {
                truth.entry(at).or_default().push(change.id);
            }
        }
    }
    // The other direction: what production had first.
    let own: HashMap<String, Oid> = history.main.iter().map(|c| (c.id.to_string(), c.id)).collect();
    for (at, change) in history.dev.iter().enumerate().filter(|(_, c)| !c.is_merge()) {
        if let Some(first) = change.trailers.picked_from.iter().find_map(|hex| own.get(hex)) {
            truth.entry(at).or_default().push(*first);
        }
    }
    let Ok(found) = gather(&history, &Simulation::new(&history)) else {
        return add(counts, "branches that lack objects");
    };
    for at in truth.keys() {
        add(counts, "pairs");
        match found[*at] {
            Some(p) => add(counts, format!("pairs found, {:?} by {:?}", p.grade, p.by)),
            None => {
                add(counts, "pairs not found");
                say(&format!("  not found: {} as {}", history.dev[*at].id, truth[at][0]));
            }
        }
    }
    for (at, promoted) in found.iter().enumerate().filter(|(_, p)| p.is_some_and(|p| p.grade == Grade::Certain)) {
        add(counts, "certain");
        if !truth.contains_key(&at) {
            add(counts, "certain and no pair");
            say(&format!("  certain, no pair: {} {promoted:?}", history.dev[at].id));
        }
        // What is promoted and would do something again was changed since, or is not promoted.
        let change = &history.dev[at];
        if let Ok(Picked::Clean(tree)) = history.picker.pick(change.base, change.tree(), history.tree)
            && tree != history.tree
        {
            add(counts, "certain and not empty");
            let by = promoted.and_then(|p| p.commit).map(|c| c.0);
            say(&format!("  certain, not empty: {} as {by:?}", change.id));
        }
    }
    for side in [&mut history.main, &mut history.dev] {
        side.iter_mut().for_each(|c| c.trailers.picked_from.clear());
    }
    let blind = gather(&history, &Simulation::new(&history)).expect("evidence");
    for (at, picks) in &truth {
        match blind[*at] {
            Some(p) => {
                let right = p.commit.is_none_or(|c| picks.contains(&c.0));
                add(counts, format!("without trailers: {:?}{}", p.by, if right { "" } else { " of another commit" }));
            }
            None => {
                add(counts, "without trailers: nothing");
                say(&format!("  blind: {} as {}", history.dev[*at].id, picks[0]));
            }
        }
    }
}

/// Each pair's original onto the parent of its pick, and every candidate in a row, against `git merge-tree`.
fn picks(history: &History<'_>, repo: &Path, counts: &mut Counts) {
    let write = Write::new(&history.picker);
    let mut asked: Vec<Asked> = Vec::new();
    let mut ask = |kind: &'static str, change: &Change, onto: Oid| -> Option<Oid> {
        let (base, picked) = (change.base?, history.picker.pick(change.base, change.tree(), onto));
        let clean = match picked {
            Ok(Picked::Clean(tree)) => Some(tree),
            Ok(Picked::Conflict(_)) => None,
            // The clone is not whole.
            Err(_) => return None,
        };
        write.keep(onto).expect("written");
        asked.push(Asked { kind, base, onto, theirs: change.tree(), ours: clean });
        clean
    };
    for pick in history.main.iter().filter(|c| !c.is_merge()) {
        for at in pick.trailers.picked_from.iter().filter_map(|hex| history.abbreviated(hex)) {
            if let (false, Some(onto)) = (history.dev[at].is_merge(), pick.base) {
                ask("pairs", &history.dev[at], onto);
            }
        }
    }
    let mut tree = history.tree;
    for change in history.dev.iter().filter(|c| !c.is_merge()).take(1500) {
        tree = ask("in a row", change, tree).unwrap_or(tree);
    }
    let theirs = merge_tree(repo, &asked);
    for (Asked { kind, base, onto, theirs: other, ours }, theirs) in asked.iter().zip(theirs) {
        let what = match (ours, theirs) {
            (Some(a), Some(b)) if *a == b => "both clean, same tree",
            (Some(_), Some(_)) => "BOTH CLEAN, OTHER TREE",
            (Some(_), None) => "CLEAN FOR US ONLY",
            (None, Some(_)) => {
                let Ok(Picked::Conflict(clashes)) = history.picker.pick(Some(*base), *other, *onto) else { continue };
                clashes.iter().for_each(|c| add(counts, format!("picks, {kind}: clean for git only, {:?}", c.kind)));
                "clean for git only"
            }
            (None, None) => "both conflict",
        };
        if what.starts_with(char::is_uppercase) || what == "clean for git only" {
            say(&format!("  {what}: --merge-base={base} {onto} {other}: {ours:?}"));
        }
        add(counts, format!("picks, {kind}: {what}"));
    }
}

/// A pick, and the tree that we make of it.
struct Asked {
    kind: &'static str,
    base: Oid,
    onto: Oid,
    theirs: Oid,
    ours: Option<Oid>,
}

/// One process for all: `None` where git says conflict.
fn merge_tree(repo: &Path, asked: &[Asked]) -> Vec<Option<Oid>> {
    let input: String = asked.iter().map(|a| format!("{} -- {} {}\n", a.base, a.onto, a.theirs)).collect();
    let out = feed(repo, &["merge-tree", "--write-tree", "--stdin", "--name-only", "--no-messages"], input);
    let mut words = out.split(|b| *b == 0);
    let mut answers = Vec::new();
    while let (Some(clean), Some(tree)) = (words.next().filter(|w| !w.is_empty()), words.next()) {
        while words.next().is_some_and(|w| !w.is_empty()) {}
        answers.push(Oid::from_hex(tree).filter(|_| clean == b"1"));
    }
    assert_eq!(answers.len(), asked.len(), "git answers each");
    answers
}

/// Our patch-ids against `git patch-id --stable`.
fn patches(history: &History<'_>, repo: &Path, seen: &mut HashSet<Oid>, counts: &mut Counts) {
    let list: Vec<&Change> = history
        .dev
        .iter()
        .chain(&history.main)
        .filter(|c| !c.is_merge() && c.base.is_some() && seen.insert(c.id))
        .collect();
    let input: String = list.iter().map(|c| format!("{}\n", c.id)).collect();
    let text = feed(repo, &["diff-tree", "--stdin", "-p", "--full-index", "--no-renames"], input);
    let ids = String::from_utf8(feed(repo, &["patch-id", "--stable"], text)).expect("ids");
    let theirs: HashMap<&str, &str> = ids.lines().filter_map(|l| l.split_once(' ')).map(|(p, c)| (c, p)).collect();
    for change in list {
        let id = change.id.to_string();
        let Ok(ours) = history.picker.patch_id(change.base, change.tree()) else {
            add(counts, "patch-ids: lacks objects");
            continue;
        };
        let same = ours.map(|p| p.0.to_string()).as_deref() == theirs.get(id.as_str()).copied();
        if !same {
            say(&format!("  patch-id differs: {id}"));
        }
        add(counts, if same { "patch-ids: the same" } else { "PATCH-IDS: DIFFERENT" });
    }
}

fn feed(repo: &Path, arguments: &[&str], input: impl Into<Vec<u8>>) -> Vec<u8> {
    let input: Vec<u8> = input.into();
    let mut command = Command::new("git");
    command.arg("-C").arg(repo).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("git runs");
    let mut pipe = child.stdin.take().expect("a pipe");
    let writer = std::thread::spawn(move || pipe.write_all(&input));
    let out = child.wait_with_output().expect("git ends");
    writer.join().expect("it ends").expect("git reads");
    out.stdout
}
