//! Kind and id together are what stands under a path: what was a submodule or a link is judged when it becomes a file.

use super::{Gate, World, key_pair, workspace_key};
use crate::support::Hash;

/// Kinds of entries that are no file, by their modes.
const NO_FILE: [&str; 2] = ["160000", "120000"];

#[test]
fn a_file_is_judged_where_another_kind_of_the_same_id_stood() {
    for hash in [Hash::Sha1, Hash::Sha256] {
        let world = World::with(hash, super::OPEN_POLICY);
        for before in NO_FILE {
            // The key of a workspace is told by its path: a link to it is no finding, and the file is one.
            let key = world.blob(workspace_key(before));
            let other = world.entry(before, "encryption_key.yaml", &key, "main", "feat: no file");
            let file = world.entry("100644", "encryption_key.yaml", &key, &other, "feat: file");
            world.refused_at(&Gate::OF_CHANGES, &file, "encryption_key.yaml");
            world.refused_at(&[Gate::History], &file, "encryption_key.yaml");
            let clean = world.blob(format!("clean {before}\n"));
            let other = world.entry(before, "lib", &clean, "main", "feat: no file");
            world.passes_at(&Gate::ALL, &world.entry("100644", "lib", &clean, &other, "feat: file"));
        }
    }
}

#[test]
fn a_file_with_keys_is_read_where_a_submodule_of_the_same_id_stood() {
    let world = World::new();
    let keys = world.blob(key_pair("submodule"));
    let module = world.entry("160000", "cfg.ini", &keys, "main", "feat: module");
    let file = world.entry("100644", "cfg.ini", &keys, &module, "feat: file");
    world.refused_at(&Gate::ALL, &file, "secrets/aws");
    let program = world.entry("100755", "cfg.ini", &keys, &module, "feat: program");
    world.refused_at(&Gate::ALL, &program, "secrets/aws");
    let directory = world.entry("160000", "d/cfg.ini", &keys, "main", "feat: module");
    world.refused_at(&Gate::ALL, &world.entry("100644", "d/cfg.ini", &keys, &directory, "feat: file"), "secrets/aws");
}

#[test]
fn link_deletion_and_file_in_one_push_are_judged_each() {
    let world = World::new();
    let steps = |content: String| {
        let blob = world.blob(content);
        let link = world.entry("120000", "encryption_key.yaml", &blob, "main", "feat: link");
        let gone = world.commit("main^{tree}", &[&link], "feat: gone");
        world.entry("100644", "encryption_key.yaml", &blob, &gone, "feat: file")
    };
    world.refused_at(&Gate::ALL, &steps(workspace_key("three")), "encryption_key.yaml");
    world.passes_at(&Gate::ALL, &steps("${WORKSPACE_KEY}\n".to_owned()));
}

#[test]
fn merges_that_take_a_submodule_of_one_side_as_a_file_are_judged() {
    let world = World::new();
    let keys = world.blob(key_pair("merge"));
    let module = world.entry("160000", "cfg.ini", &keys, "main", "feat: module");
    let others: Vec<String> = (0..3)
        .map(|n| world.entry("100644", &format!("other-{n}"), &world.blob(format!("{n}\n")), "main", "feat: other"))
        .collect();
    let file = world.entry("100644", "cfg.ini", &keys, "main", "feat: file");
    let tree = world.repo.rev(&format!("{file}^{{tree}}"));
    let gates = Gate::OF_COMMITS;
    for parents in [&others[..1], &others[..]] {
        let parents: Vec<&str> = std::iter::once(&module).chain(parents).map(String::as_str).collect();
        world.refused_at(&gates, &world.commit(&tree, &parents, "feat: merge"), "secrets/aws");
        let reversed: Vec<&str> = parents.iter().rev().copied().collect();
        world.refused_at(&gates, &world.commit(&tree, &reversed, "feat: merge"), "secrets/aws");
    }
    let clean = world.repo.rev(&format!("{}^{{tree}}", others[0]));
    world.passes_at(&gates, &world.commit(&clean, &[&module, &others[0]], "feat: merge"));
}

#[test]
fn a_program_that_was_a_file_before_is_not_judged_again() {
    let world = World::new();
    // It went in when nobody looked: who makes it a program is not the one who leaked it.
    let keys = world.blob(key_pair("mode"));
    let file = world.entry("100644", "cfg.ini", &keys, "main", "feat: file");
    let program = world.entry("100755", "cfg.ini", &keys, &file, "feat: program");
    for server in ["origin", "received", "updated"] {
        world.repo.git(["update-ref", &format!("refs/remotes/{server}/old"), &file]);
    }
    world.repo.git(["update-ref", "refs/heads/main", &file]);
    world.repo.git(["reset", "-q", "--hard"]);
    world.passes_at(&[Gate::PreCommit, Gate::PrePush, Gate::Range, Gate::Ci], &program);
}

#[test]
fn a_mode_that_git_does_not_know_hides_nothing() {
    let world = World::new();
    let keys = world.blob(key_pair("modes"));
    for mode in ["150000", "0", "20000", "4160000"] {
        let odd = world.commit(&world.tree(&[(mode, "cfg.ini", &keys)]), &["main"], "feat: odd");
        let file = world.commit(&world.tree(&[("100644", "cfg.ini", &keys)]), &[&odd], "feat: file");
        for gate in Gate::OF_COMMITS {
            assert!(!world.try_at(gate, &file).ok, "{gate:?} lets a file in after mode {mode}");
        }
    }
}
