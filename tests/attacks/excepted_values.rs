//! An exception excuses the secret that it was written for: never the next one at the same place, and the same one wherever
//! it goes.

use super::{Gate, OPEN_POLICY, World};
use crate::command::{found, json, portcullis};
use crate::support::Hash;

/// Made up, and put together here so that no scanner takes this file for a leak.
fn value(number: usize) -> String {
    let tail = ["Zb4nW2k", "Lr7cV5h", "Gy3mT6d", "Ps5jB9w"][number];
    format!("{}{tail}", "Qx8v")
}

/// `main` of everybody has two passwords, and a policy that excuses both.
fn world() -> World {
    let world = World::with(Hash::Sha1, OPEN_POLICY);
    world.repo.write("app.yaml", app(&value(0), &value(1)));
    assert_eq!(portcullis(&world.repo, &["check", "--write-exceptions"]).status.code(), Some(0));
    world.repo.git(["add", "-A"]);
    world.repo.git(["commit", "-q", "--no-verify", "-m", "feat: app"]);
    world.repo.git(["push", "-q", "--no-verify", "origin", "main"]);
    let from = world.repo.path().to_str().expect("a path of ours").to_owned();
    // Fetching runs no hooks.
    for server in [world.received(), world.updated()] {
        server.git(["fetch", "-q", &from, "main:main"]);
    }
    world
}

fn app(first: &str, second: &str) -> String {
    format!("name: app\ndatabase:\n  password: {first}\ncache:\n  password: {second}\n")
}

/// A commit on main in which the files stand so (`None`: deleted).
fn commit(world: &World, files: &[(&str, Option<String>)]) -> String {
    world.repo.git(["checkout", "-q", "--detach", "main"]);
    for (path, content) in files {
        match content {
            Some(content) => drop(world.repo.write(path, content)),
            None => drop(world.repo.git(["rm", "-q", path])),
        }
    }
    world.repo.git(["add", "-A"]);
    world.repo.git(["commit", "-q", "--no-verify", "-m", "feat: change"]);
    let id = world.repo.rev("HEAD");
    world.repo.git(["checkout", "-q", "main"]);
    id
}

#[test]
fn another_value_at_an_excepted_place_is_refused_at_every_gate() {
    let world = world();
    let above = format!("more:\n  password: {}\n{}", value(2), app(&value(0), &value(1)));
    let changes = [
        ("replaced", app(&value(2), &value(1))),
        ("both replaced", app(&value(2), &value(3))),
        ("replaced in other quotes", app(&format!("\"{}\"", value(2)), &value(1))),
        ("a line of the same shape above", above),
    ];
    for (name, content) in changes {
        let id = commit(&world, &[("app.yaml", Some(content))]);
        for gate in Gate::OF_CHANGES {
            let said = world.try_at(gate, &id);
            assert!(!said.ok, "{gate:?} lets it through: {name}: {}", said.text);
        }
    }
    let id = commit(&world, &[("app.yaml", Some(app(&value(2), &value(1))))]);
    world.refused_at(&Gate::OF_CHANGES, &id, "is for another value");
}

#[test]
fn the_same_value_stays_excused_wherever_it_goes() {
    let world = world();
    let (first, second) = (value(0), value(1));
    let changes: [(&str, Vec<(&str, Option<String>)>); 6] = [
        ("indented", vec![("app.yaml", Some(app(&first, &second).replace("  password", "      password")))]),
        ("in quotes", vec![("app.yaml", Some(app(&format!("\"{first}\""), &format!("'{second}'"))))]),
        ("with a comment", vec![("app.yaml", Some(app(&format!("{first} # local only"), &second)))]),
        ("swapped", vec![("app.yaml", Some(app(&second, &first)))]),
        ("below another name", vec![("app.yaml", Some(app(&first, &second).replace("password:", "db_password:")))]),
        ("in a renamed file", vec![("app.yaml", None), ("deploy/app.yaml", Some(app(&first, &second)))]),
    ];
    for (name, files) in changes {
        let id = commit(&world, &files);
        for gate in Gate::OF_CHANGES {
            let said = world.try_at(gate, &id);
            assert!(said.ok, "{gate:?} refuses it: {name}: {}", said.text);
        }
    }
}

#[test]
fn a_value_cannot_take_a_place_by_two_commits_of_one_push() {
    let world = world();
    let without = commit(&world, &[("app.yaml", Some("name: app\n".to_owned()))]);
    world.repo.git(["checkout", "-q", "--detach", &without]);
    world.repo.write("app.yaml", app(&value(2), &value(1)));
    world.repo.git(["add", "-A"]);
    world.repo.git(["commit", "-q", "--no-verify", "-m", "feat: back"]);
    let id = world.repo.rev("HEAD");
    for server in ["received", "updated"] {
        let said = world.repo.try_git(["push", "-q", "--no-verify", server, &format!("{id}:refs/heads/main")]);
        assert!(!said.status.success(), "{server} lets it through: {said:?}");
    }
}

#[test]
fn the_work_tree_is_compared_with_head() {
    let world = world();
    assert_eq!(json(&world.repo, &["check"]).0, 0);
    world.repo.write("app.yaml", app(&value(2), &value(1)));
    let (code, report) = json(&world.repo, &["check"]);
    assert_eq!(code, 1);
    assert_eq!(found(&report)[0], "secrets/generic-assignment app.yaml:3:13");
    assert_eq!(report["summary"]["suppressed"].as_u64(), Some(1), "the value that stayed is excused: {report}");
    // An exception that comes with its value was written for it.
    world.repo.write("more.yaml", format!("password: {}\n", value(3)));
    assert_eq!(portcullis(&world.repo, &["check", "--write-exceptions"]).status.code(), Some(0));
    let (code, report) = json(&world.repo, &["check"]);
    assert_eq!(code, 0, "{:?}", found(&report));
}
