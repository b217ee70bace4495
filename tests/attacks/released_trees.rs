//! What a tag releases is judged as what stands on a branch is: also a commit that only lay between two good ones.

use super::World;
use crate::support::Hash;

const POLICY: &str = "version: 1\nextends: [staged-release]\nprotected: []\nassertions:\n\
    \x20 - { id: replicas, files: [prod.yaml], path: replicas, equals: 2 }\n";

/// Pushes a tag to the server that has pre-receive.
fn push(world: &World, tag: &str) -> (bool, String) {
    let output = world.repo.try_git(["push", "-q", "--no-verify", "received", tag]);
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_release_tag_on_a_tree_that_breaks_a_rule_is_refused() {
    let world = World::with(Hash::Sha1, POLICY);
    let replicas = |n: u32, parent: &str, subject: &str| {
        world.entry("100644", "prod.yaml", &world.blob(format!("replicas: {n}\n")), parent, subject)
    };
    let bad = replicas(1, "main", "feat: a");
    let good = replicas(2, &bad, "fix: a");
    world.repo.git(["push", "-q", "--no-verify", "received", &format!("{good}:refs/heads/main")]);
    for (tag, commit) in [("v1.0.0", &bad), ("v1.0.1", &good)] {
        world.repo.git(["tag", "-a", tag, "-m", tag, commit]);
    }
    let (passes, text) = push(&world, "v1.0.0");
    assert!(!passes && text.contains("assertions/"), "{text}");
    let (passes, text) = push(&world, "v1.0.1");
    assert!(passes, "{text}");
    // A debt that the branch has is none of the release's, and what was released before may be released again.
    let later = replicas(3, &good, "feat: b");
    world.received().git(["fetch", "-q", world.repo.path().to_str().unwrap(), &later]);
    world.received().git(["update-ref", "refs/heads/main", &later]);
    for (tag, commit) in [("v1.0.2", &later), ("v1.0.3", &good)] {
        world.repo.git(["tag", "-a", tag, "-m", tag, commit]);
        let (passes, text) = push(&world, tag);
        assert!(passes || !text.contains("assertions/"), "{tag}: {text}");
    }
}
