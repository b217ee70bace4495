//! Headers count where git reads them, and nowhere else.

use super::{Gate, World};

const WHO: &str = "Test <test@example.org> 1767225600 +0000";

/// A commit with lines behind its committer.
fn commit(world: &World, tree: &str, parent: &str, lines: &str) -> String {
    let text = format!("tree {tree}\nparent {parent}\nauthor {WHO}\ncommitter {WHO}\n{lines}\n\nfix: rewrite\n");
    world.object("commit", text.as_bytes())
}

#[test]
fn a_parent_below_the_committer_is_no_parent() {
    let world = World::new();
    let old = world.repo.rev("main");
    let tree = world.repo.rev("main^{tree}");
    let released = world.entry("100644", "fix", &world.blob("1\n"), "main", "fix: released");
    for (server, bare) in [("received", world.received()), ("updated", world.updated())] {
        world.repo.git(["push", "-q", "--no-verify", server, &format!("{released}:refs/heads/main")]);
        let push = |id: &str| {
            let spec = format!("+{id}:refs/heads/main");
            crate::hooks::gate::Said::from(world.repo.try_git(["push", "-q", "--no-verify", server, &spec]))
        };
        push(&world.commit(&tree, &[&old], "fix: rewrite")).is_refused(&["branch-topology/non-ff"]);
        for lines in [
            format!("parent {released}"),
            format!("encoding UTF-8\nparent {released}"),
            format!("x-tool a\n more\nparent {released}"),
            format!("parent {released}\nparent {old}"),
        ] {
            push(&commit(&world, &tree, &old, &lines)).is_refused(&["branch-topology/non-ff"]);
        }
        // Between author and committer it is none either, and what git cannot read is not accepted.
        let between =
            format!("tree {tree}\nparent {old}\nauthor {WHO}\nparent {released}\ncommitter {WHO}\n\nfix: x\n");
        assert!(!push(&world.object("commit", between.as_bytes())).ok);
        let next = world.repo.rev(&format!("{released}^{{tree}}"));
        assert!(push(&commit(&world, &next, &released, "x-tool made by hand")).ok);
        assert_eq!(bare.git(["log", "-1", "--format=%P", "main"]), released);
    }
}

#[test]
fn history_follows_the_parents_that_git_follows() {
    let world = World::new();
    let keys = world.blob(super::key_pair("parent"));
    let leak = world.entry("100644", "cfg.ini", &keys, "main", "feat: keys");
    let tree = world.repo.rev("main^{tree}");
    // A line that git ignores does not bring what it names, and does not hide it either.
    let lures = commit(&world, &tree, &world.repo.rev("main"), &format!("parent {leak}"));
    world.passes_at(&[Gate::PrePush, Gate::Range, Gate::Ci], &lures);
    let hides = commit(
        &world,
        &world.repo.rev(&format!("{leak}^{{tree}}")),
        &world.repo.rev("main"),
        &format!("parent {leak}"),
    );
    world.refused_at(&Gate::OF_COMMITS, &hides, "secrets/aws");
}
