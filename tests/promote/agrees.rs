//! Every pick that we call clean has git's own tree; where we are stricter than git, it is counted.

use std::collections::BTreeMap;

use portcullis::git::{Picked, discover};
use portcullis::promote::history::History;
use portcullis::promote::simulate::Simulation;

use super::brute::{Dice, generate};
use super::story::{Story, tell_all};
use crate::support::{Hash, Sandbox, TestRepo};

/// `git merge-tree` of many picks in one process: `None` where git says conflict.
pub fn git_merges(git: &TestRepo, picks: &[(String, String, String)]) -> Vec<Option<String>> {
    picks
        .iter()
        .map(|(base, ours, theirs)| {
            let out = git.try_git(["merge-tree", "--write-tree", "--merge-base", base, ours, theirs]);
            let text = String::from_utf8_lossy(&out.stdout).lines().next().unwrap_or("").to_owned();
            match out.status.code() {
                Some(0) => Some(text),
                Some(1) => None,
                _ => panic!("git merge-tree: {}", String::from_utf8_lossy(&out.stderr)),
            }
        })
        .collect()
}

#[test]
fn clean_picks_have_gits_tree() {
    let git = Sandbox::new().init_bare("stories", Hash::Sha1);
    let stories: Vec<Story> = (2000..2150).map(generate).collect();
    tell_all(&stories, &git);
    let repo = discover(git.path()).expect("it opens").expect("it is there");
    let local = repo.thread_local();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in 0..stories.len() as u64 {
        let history = History::read(&local, &format!("dev-{seed}"), &format!("main-{seed}")).expect("a history");
        let simulation = Simulation::new(&history);
        let write = portcullis::git::Write::new(&history.picker);
        let mut dice = Dice(seed);
        // Each commit onto whatever stands there: clean ones in a row, some left out.
        let (mut tree, mut asked, mut ours) = (history.tree, Vec::new(), Vec::new());
        for at in 0..history.dev.len() {
            if dice.roll(3) == 0 {
                continue;
            }
            write.keep(tree).expect("written");
            let change = &history.dev[at];
            asked.push((change.base.expect("a base").to_string(), tree.to_string(), change.tree().to_string()));
            let picked = simulation.pick(tree, at).expect("merges");
            ours.push(match *picked {
                Picked::Clean(next) => {
                    tree = next;
                    Some(next.to_string())
                }
                Picked::Conflict(_) => None,
            });
        }
        for (at, (got, want)) in ours.iter().zip(git_merges(&git, &asked)).enumerate() {
            let what = match (got, want) {
                (Some(got), Some(want)) => {
                    assert_eq!(*got, want, "seed {seed}, pick {at}: {:?}", asked[at]);
                    "both clean"
                }
                (None, None) => "both conflict",
                (None, Some(_)) => "stricter than git",
                (Some(got), None) => panic!("seed {seed}, pick {at}: {got} is clean for us only: {:?}", asked[at]),
            };
            *counts.entry(what).or_default() += 1;
        }
    }
    let n = |what| counts.get(what).copied().unwrap_or(0);
    assert!(n("both clean") > 300 && n("both conflict") > 50, "{counts:?}");
    assert!(n("stricter than git") * 20 < n("both clean"), "{counts:?}");
}

#[test]
fn patch_ids_are_gits() {
    let git = Sandbox::new().init_bare("stories", Hash::Sha1);
    let stories: Vec<Story> = (3000..3100).map(generate).collect();
    tell_all(&stories, &git);
    let repo = discover(git.path()).expect("it opens").expect("it is there");
    let local = repo.thread_local();
    for seed in 0..stories.len() {
        let history = History::read(&local, &format!("dev-{seed}"), &format!("main-{seed}")).expect("a history");
        let script = "git rev-list --no-merges $0..$1 | git diff-tree --stdin -p --full-index | git patch-id --stable";
        let out = git
            .command("sh")
            .args(["-c", script, &format!("main-{seed}"), &format!("dev-{seed}")])
            .output()
            .expect("sh runs");
        let text = String::from_utf8(out.stdout).expect("ids");
        let theirs: BTreeMap<&str, &str> =
            text.lines().filter_map(|l| l.split_once(' ')).map(|(p, c)| (c, p)).collect();
        for change in &history.dev {
            let ours = history.picker.patch_id(change.base, change.tree()).expect("an id");
            let id = change.id.to_string();
            assert_eq!(ours.map(|p| p.0.to_string()).as_deref(), theirs.get(id.as_str()).copied(), "seed {seed}, {id}");
        }
    }
}

#[test]
fn patch_ids_of_odd_files_are_gits() {
    let git = Sandbox::new().init("odd", Hash::Sha1);
    git.write("a.txt", "one\n");
    git.write("b.bin", "x\0y");
    git.write_mode("m.sh", "echo\n", 0o644);
    git.commit("chore: start");
    git.git(["switch", "-q", "-c", "dev"]);
    let write = |files: &[(&str, &str)]| {
        files.iter().for_each(|(path, text)| drop(git.write(path, text)));
        git.commit("feat: next");
    };
    write(&[("empty", "")]);
    write(&[("e1", ""), ("e2", ""), ("z.txt", "z\n")]);
    write(&[("b.bin", "p\0q"), ("c.bin", "p\0q")]);
    write(&[("b.bin", "\0"), ("c.txt", "t\n"), ("d.txt", "t\n")]);
    git.write_mode("m.sh", "echo\n", 0o755);
    write(&[]);
    git.write_mode("m.sh", "echo\n", 0o644);
    write(&[("n with space.txt", "no end")]);
    write(&[("a.txt", "\tone\n\n\tif x {\n\t}\n\n\tif x {\n\t}\n")]);
    write(&[("a.txt", "\tone\n\n\tif x {\n\t}\n\n\tif y {\n\t}\n\n\tif x {\n\t}\n")]);
    let repo = discover(git.path()).expect("it opens").expect("it is there");
    let history = History::read(&repo.thread_local(), "dev", "main").expect("a history");
    assert_eq!(history.dev.len(), 8);
    for (at, change) in history.dev.iter().enumerate() {
        let script = "git diff-tree -p --full-index $0 | git patch-id --stable";
        let out = git.command("sh").args(["-c", script, &change.id.to_string()]).output().expect("sh runs");
        let theirs = String::from_utf8(out.stdout).expect("an id");
        let ours = history.picker.patch_id(change.base, change.tree()).expect("it is read").expect("an id");
        assert_eq!(Some(ours.0.to_string().as_str()), theirs.split(' ').next(), "{} of {}", at, history.dev.len());
    }
}
