//! Every set of commits tried, on a thousand generated histories: the closure is a smallest one, and there is none
//! exactly when there is none.

use std::collections::BTreeMap;

use portcullis::git::discover;
use portcullis::promote::closure::{Bound, find};
use portcullis::promote::history::History;
use portcullis::promote::simulate::Simulation;

use super::story::{Commit, Story, Text, tell_all};
use crate::support::{Hash, Sandbox};

/// A small generator of numbers: the same ones on every machine.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides) as usize
    }
}

/// A history of up to ten commits on `dev` that insert, change, remove, add, delete and move.
pub fn generate(seed: u64) -> Story {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let file = |n: usize| (1..=n).map(|i| format!("line {i}\n")).collect::<String>();
    let base: BTreeMap<String, String> = [("f", 10), ("g", 7), ("d/h", 8)].map(|(p, n)| (p.to_owned(), file(n))).into();
    let mut story = Story { base: base.clone(), ..Story::default() };
    let mut tree = base.clone();
    for n in 0..2 + dice.roll(9) {
        let commit = commit(&mut dice, &mut tree, &format!("d{n}"));
        story.dev.push(commit);
    }
    let mut tree = base;
    for n in 0..dice.roll(4) {
        let commit = commit(&mut dice, &mut tree, &format!("m{n}"));
        story.main.push(commit);
    }
    // Some of it is on production already.
    if dice.roll(3) == 0 {
        let twin = story.dev[0].clone();
        story.main.insert(0, Commit { id: "twin".into(), ..twin });
    }
    story
}

fn commit(dice: &mut Dice, tree: &mut BTreeMap<String, String>, id: &str) -> Commit {
    let mut files = BTreeMap::new();
    for _ in 0..1 + dice.roll(2) {
        let paths: Vec<String> = tree.keys().cloned().collect();
        let Some(path) = paths.get(dice.roll(paths.len().max(1) as u64)).cloned() else { continue };
        match dice.roll(12) {
            0 => {
                let new = format!("n{}", dice.roll(3));
                tree.insert(new.clone(), "line 1\nline 2\nline 3\nline 4\n".to_owned());
                files.insert(new.clone(), Text::Plain(tree[&new].clone()));
            }
            1 => {
                tree.remove(&path);
                files.insert(path, Text::Gone(()));
            }
            2 => {
                let new = format!("d/moved{}", dice.roll(2));
                if let Some(text) = tree.remove(&path) {
                    files.insert(path, Text::Gone(()));
                    files.insert(new.clone(), Text::Plain(text.clone()));
                    tree.insert(new, text);
                }
            }
            what => {
                let mut lines: Vec<String> = tree[&path].lines().map(ToOwned::to_owned).collect();
                let at = dice.roll(lines.len().max(1) as u64);
                match what {
                    3 | 4 => lines.insert(at.min(lines.len()), format!("new {}", dice.roll(5))),
                    5 if lines.len() > 2 => drop(lines.remove(at)),
                    _ if lines.is_empty() => lines.push("line".to_owned()),
                    _ => lines[at] = format!("changed {}", dice.roll(4)),
                }
                let text: String = lines.iter().map(|l| format!("{l}\n")).collect();
                tree.insert(path.clone(), text.clone());
                files.insert(path, Text::Plain(text));
            }
        }
    }
    Commit { id: id.to_owned(), files, message: None }
}

#[test]
fn the_closure_is_a_smallest_one() {
    let git = Sandbox::new().init_bare("stories", Hash::Sha1);
    // More of them when somebody asks.
    let stories = std::env::var("PORTCULLIS_STORIES").ok().and_then(|n| n.parse().ok()).unwrap_or(1000);
    let stories: Vec<Story> = (0..stories).map(generate).collect();
    tell_all(&stories, &git);
    let repo = discover(git.path()).expect("it opens").expect("it is there");
    let local = repo.thread_local();
    let (mut with_help, mut hopeless) = (0, 0);
    for seed in 0..stories.len() as u64 {
        let history = History::read(&local, &format!("dev-{seed}"), &format!("main-{seed}")).expect("a history");
        let simulation = Simulation::new(&history);
        let mut dice = Dice(seed + 7);
        let n = history.dev.len();
        let mut chosen = vec![n - 1];
        if dice.roll(3) == 0 {
            chosen.insert(0, dice.roll(n as u64));
            chosen.dedup();
        }
        let pool: Vec<usize> = (0..n).collect();
        let got = find(&history, &simulation, &chosen, &pool, Bound { sets: usize::MAX, picks: u64::MAX })
            .expect("an answer");
        let mut best: Option<Vec<usize>> = None;
        for bits in 0u32..1 << n {
            let set: Vec<usize> = (0..n).filter(|i| bits >> i & 1 == 1).collect();
            if chosen.iter().any(|c| !set.contains(c)) || simulation.run(&set).expect("merges").stopped.is_some() {
                continue;
            }
            if best.as_ref().is_none_or(|b| (set.len(), &set) < (b.len(), b)) {
                best = Some(set);
            }
        }
        match &best {
            Some(best) => {
                assert_eq!((&got.order, got.proved), (best, true), "seed {seed}, chosen {chosen:?}");
                with_help += usize::from(best.len() > chosen.len());
            }
            None => {
                assert!(!got.failed.is_empty() && got.proved, "seed {seed}: nothing fits, yet {got:?}");
                hopeless += 1;
            }
        }
    }
    // The histories must be interesting, or this proves nothing.
    assert!(with_help > 100 && hopeless > 30, "{with_help} with help, {hopeless} hopeless");
}
