//! Many at once: who runs, who waits, who is sent away.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use super::{World, only_lock, post, until};

#[test]
fn fifty_at_once_take_turns_on_each_branch() {
    const REPOSITORIES: usize = 5;
    const EACH: usize = 10;
    let world = World::new();
    let repositories: Vec<_> = (0..REPOSITORIES).map(|n| world.remote.repository(&format!("r{n}.git"))).collect();
    // The workspace is called as the repository: two jobs of one would meet in the folder.
    let wmill = world.fake_wmill(&format!(
        "mkdir {0}/busy-$5 || exit 9\nmkdir -p f/a\necho \"export const n = $$;\" >f/a/$$.ts\nsleep 0.1\nrmdir {0}/busy-$5",
        world.sandbox.path().display()
    ));
    let service = world.serve(&wmill, &["--jobs", "3", "--patience", "1000"]);
    let address = service.address;
    let callers: Vec<_> = (0..REPOSITORIES * EACH)
        .map(|n| {
            let name = format!("r{}", n % REPOSITORIES);
            let mut body = world.body(&format!("{name}.git"));
            body["workspace"] = json!(name);
            std::thread::spawn(move || (n % REPOSITORIES, post(address, &body)))
        })
        .collect();
    let mut commits = vec![BTreeSet::new(); REPOSITORIES];
    for caller in callers {
        let (at, (status, answer)) = caller.join().expect("no panic");
        assert_eq!(status, 200, "{answer}");
        commits[at].insert(answer["commit"].as_str().expect("a commit").to_owned());
    }
    for (repository, told) in repositories.iter().zip(commits) {
        let history: BTreeSet<String> = repository.git(["rev-list", "main"]).lines().map(ToOwned::to_owned).collect();
        assert_eq!(history, told, "every answer names a commit, and every commit was answered");
        assert_eq!(history.len(), EACH);
        assert_eq!(repository.git(["rev-list", "--min-parents=2", "main"]).trim(), "");
    }
    assert!(only_lock(&world), "what the jobs had is gone");
    let (_, metrics) = service.get("/metrics");
    assert!(metrics.contains("portcullis_sync_total{outcome=\"pushed\"} 50\n"), "{metrics}");
}

#[test]
fn requests_that_wait_too_long_or_behind_too_many_are_refused() {
    let world = World::new();
    world.remote.repository("a.git");
    world.remote.repository("b.git");
    let go = world.sandbox.path().join("go");
    let wait = format!(
        "while ! [ -e {} ]; do sleep 0.05; done\nmkdir -p f/a && echo 'export const n = 1;' >f/a/x.ts",
        go.display()
    );
    let wmill = world.fake_wmill(&wait);
    let service = world.serve(&wmill, &["--queue", "1", "--patience", "3"]);
    let address = service.address;
    let body = world.body("a.git");
    let ask = |body: Value| std::thread::spawn(move || post(address, &body));
    let first = ask(body.clone());
    service.logged("sync");
    let second = ask(body.clone());
    let waiting = || service.get("/metrics").1.contains("portcullis_sync_requests 2\n");
    until(waiting, || "the second does not wait".to_owned());
    assert_eq!(service.post(&body).0, 429, "one may wait");
    let (status, answer) = second.join().expect("no panic");
    assert_eq!((status, &answer["success"]), (409, &json!(false)), "not for ever");
    // Meanwhile another repository is nobody's business; and the same one is free again afterwards.
    let other = ask(world.body("b.git"));
    fs::write(go, "").expect("a mark");
    assert_eq!(first.join().expect("no panic").0, 200);
    assert_eq!(other.join().expect("no panic").0, 200);
    assert_eq!(
        service.post(&body),
        (200, json!({ "success": true, "message": "Sync completed - no changes to commit" }))
    );
}
