//! Objects that git and a reader could take for two things are refused where commits come in, under fsck's own names.

use super::{Gate, World};
use crate::support::Hash;

const WHO: &str = "Test <test@example.org> 1767225600 +0000";

#[test]
fn a_tree_with_two_entries_of_one_name_is_refused() {
    let world = World::new();
    let old = world.repo.rev("main:portcullis.yaml");
    let lax = world.blob("version: 1\nmode: report\n");
    let start = world.repo.rev("main:start");
    for (mode, name, fault) in [
        ("100644", "portcullis.yaml", "duplicateEntries"),
        ("120000", "portcullis.yaml", "duplicateEntries"),
        ("100644", "Portcullis.yaml", "caseCollision"),
        ("100644", "PORTCULLIS.YAML", "caseCollision"),
        ("100644", "portcullis.yaml.", "aliasCollision"),
        ("100644", "portcullis.yaml::$DATA", "aliasCollision"),
        ("100644", "portcullis\u{200d}.yaml", "aliasCollision"),
    ] {
        let mut entries = vec![("100644", "portcullis.yaml", &old), ("100644", "start", &start)];
        entries.push((mode, name, &lax));
        entries.sort_by_key(|e| e.1);
        let entries: Vec<(&str, &str, &str)> = entries.into_iter().map(|(m, n, id)| (m, n, id.as_str())).collect();
        let attack = world.commit(&world.tree(&entries), &["main"], "feat: x");
        world.refused_at(&Gate::OF_COMMITS, &attack, fault);
    }
    world.passes_at(&Gate::OF_COMMITS, &world.entry("100644", "Portcullis.yml", &lax, "main", "feat: x"));
}

#[test]
fn names_that_some_system_takes_for_git_s_own_are_refused() {
    let world = World::new();
    let blob = world.blob("x\n");
    for name in [".GIT", "git~1", ".g\u{200c}it", ".git.", ".git ", ".git:x"] {
        let attack = world.commit(&world.tree(&[("100644", name, &blob)]), &["main"], "feat: x");
        world.refused_at(&Gate::OF_COMMITS, &attack, "hasDotgit");
        let below = world.tree(&[("40000", "d", &world.tree(&[("100644", name, &blob)]))]);
        world.refused_at(&Gate::OF_COMMITS, &world.commit(&below, &["main"], "feat: x"), "hasDotgit");
    }
    let unsorted = world.tree(&[("100644", "b", &blob), ("100644", "a", &blob)]);
    world.refused_at(&Gate::OF_COMMITS, &world.commit(&unsorted, &["main"], "feat: x"), "treeNotSorted");
    for honest in [".gitx", "git~2", ".github", "digit"] {
        world.passes_at(&Gate::OF_COMMITS, &world.entry("100644", honest, &blob, "main", "feat: x"));
    }
}

#[test]
fn malformed_commits_are_refused_by_their_faults() {
    for hash in [Hash::Sha1, Hash::Sha256] {
        let world = World::with(hash, super::OPEN_POLICY);
        let (tree, parent) = (world.repo.rev("main^{tree}"), world.repo.rev("main"));
        let commit = |text: &str| world.object("commit", format!("tree {tree}\nparent {parent}\n{text}").as_bytes());
        for (text, fault) in [
            (format!("author {WHO}\nauthor {WHO}\ncommitter {WHO}\n\nfeat: x\n"), "multipleAuthors"),
            (format!("author A <a@b.c>1 +0000\ncommitter {WHO}\n\nfeat: x\n"), "missingSpaceBeforeDate"),
            (format!("author {WHO}\ncommitter A <a@b.c> 1 0000\n\nfeat: x\n"), "badTimezone"),
            (format!("author {WHO}\nparent {parent}\ncommitter {WHO}\n\nfeat: x\n"), "missingCommitter"),
            (format!("author {WHO}\ncommitter {WHO}\n\nfeat: x\0\n"), "nulInCommit"),
        ] {
            let attack = commit(&text);
            world.refused_at(&[Gate::PreReceive], &attack, fault);
            // Where no quarantine lists the new objects, the walk may come upon it first: then nothing is decided.
            for gate in &Gate::OF_COMMITS[1..] {
                assert!(!world.try_at(*gate, &attack).ok, "{gate:?} lets {fault} through");
            }
        }
        let signed =
            format!("author {WHO}\ncommitter {WHO}\nmergetag object {parent}\n type commit\n tag v1\n\nfeat: x\n");
        world.passes_at(&Gate::OF_COMMITS[1..], &commit(&signed));
        // Git itself cannot follow this one; whoever gets it in anyway is refused by name.
        let bad =
            world.object("commit", format!("tree {tree}\nparent 1\nauthor {WHO}\ncommitter {WHO}\n\nx\n").as_bytes());
        for gate in Gate::OF_COMMITS {
            assert!(!world.try_at(gate, &bad).ok, "{gate:?}");
        }
    }
}

#[test]
fn a_code_that_the_policy_turns_off_is_not_told() {
    let policy = format!("{}rules: {{ git-objects/caseCollision: {{ severity: off }} }}\n", super::OPEN_POLICY);
    let world = World::with(Hash::Sha1, &policy);
    let blob = world.blob("x\n");
    let first = world.entry("100644", "README", &blob, "main", "feat: x");
    world.passes_at(&Gate::OF_COMMITS, &world.entry("100644", "readme", &blob, &first, "feat: y"));
    let unsorted = world.tree(&[("100644", "b", &blob), ("100644", "a", &blob)]);
    world.refused_at(&Gate::OF_COMMITS, &world.commit(&unsorted, &["main"], "feat: x"), "treeNotSorted");
}

#[test]
fn what_is_malformed_in_commits_of_others_refuses_nobody() {
    let world = World::new();
    let blob = world.blob("x\n");
    let policy = world.repo.rev("main:portcullis.yaml");
    let below = world.tree(&[("100644", "A", &blob), ("100644", "a", &blob)]);
    let root = world.tree(&[("040000", "d", &below), ("100644", "portcullis.yaml", &policy)]);
    let old = world.commit(&root, &["main"], "feat: old");
    world.refused_at(&Gate::OF_COMMITS, &old, "zeroPaddedFilemode");
    // It got in before anybody looked.
    for server in [world.received(), world.updated(), &world.repo.sandbox().at("origin.git")] {
        let objects = world.repo.path().join(".git/objects");
        std::fs::write(server.path().join("objects/info/alternates"), format!("{}\n", objects.display())).unwrap();
        server.git(["update-ref", "refs/heads/main", &old]);
    }
    world.repo.git(["update-ref", "refs/heads/main", &old]);
    world.repo.git(["fetch", "-q", "--all"]);
    world.repo.git(["reset", "-q", "--hard"]);
    world.passes_at(&Gate::OF_COMMITS, &world.entry("100644", "d/b", &blob, "main", "feat: x"));
    world.passes_at(&Gate::OF_COMMITS, &world.entry("100644", "e", &blob, "main", "feat: y"));
}
