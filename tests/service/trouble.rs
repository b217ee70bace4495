//! What goes wrong beside credentials: others push, tools hang and break, remotes go away.
//! The tool is a script here, for the real one does not fail on demand.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::support::Hash;

use super::{World, files, has_no_folders, is_empty, lives, post, push, rules, until};

/// A script that pushes a commit of somebody else to `main` of the repository first, so often.
fn intruder(world: &World, repository: &Path, times: usize) -> String {
    let place = world.sandbox.path().join("intruder");
    format!(
        "n=$(cat {p}-count 2>/dev/null || echo 0)\n\
         if [ $n -lt {times} ]; then\n\
           echo $((n + 1)) >{p}-count\n\
           [ -d {p} ] || git clone -q {r} {p}\n\
           (cd {p} && git pull -q 2>/dev/null || true; cd {p} && git checkout -q -B main && echo $n >other-$n && git add -A &&\n\
            git -c user.name=B -c user.email=b@example.org commit -qm 'docs: other' && git push -q origin main)\n\
         fi\n\
         mkdir -p f/a && echo 'export const n = 1;' >f/a/x.ts\n",
        p = place.display(),
        r = repository.display(),
    )
}

#[test]
fn a_branch_that_moves_during_a_sync_is_synced_again() {
    let world = World::new();
    // Empty at first: a branch without history would be made, were it not for the other's push.
    let repository = world.remote.repository("a.git");
    let wmill = world.fake_wmill(&intruder(&world, repository.path(), 2));
    let (code, answer) = world.once(&wmill, &world.body("a.git"));
    assert_eq!(code, 0, "{answer}");
    assert_eq!(answer["commit"], repository.rev("main"));
    let told = repository.git(["log", "--format=%s", "main"]);
    assert_eq!(
        told.lines().collect::<Vec<_>>(),
        ["chore(windmill): sync workspace admins", "docs: other", "docs: other"]
    );
    let there = files(&repository, "main");
    assert!(["other-0", "other-1", "f/a/x.ts"].iter().all(|f| there.contains(&(*f).to_owned())), "{there:?}");
}

#[test]
fn a_branch_that_keeps_moving_fails_the_sync() {
    let world = World::new();
    let repository = world.remote.repository("a.git");
    push(&world.sandbox, &repository, "main", &[("README.md", "# a\n")]);
    let wmill = world.fake_wmill(&intruder(&world, repository.path(), 99));
    let (code, answer) = world.once(&wmill, &world.body("a.git"));
    assert_eq!(
        (code, answer["message"].as_str()),
        (3, Some("Git push failed: the branch moved during each of 3 attempts"))
    );
    assert_eq!(repository.git(["log", "--format=%s", "main"]).matches("docs: other").count(), 3);
    assert!(!files(&repository, "main").contains(&"f/a/x.ts".to_owned()));
}

#[test]
fn the_policy_is_that_of_the_remote_branch() {
    let world = World::new();
    let repository = world.remote.repository("a.git");
    let lax =
        "version: 1\\nrules: { windmill: { severity: off }, secrets: { severity: off }, files: { severity: off } }\\n";
    let wmill = world.fake_wmill(&format!("printf '{lax}' >portcullis.yaml\nprintf '%064d\\n' 7 >encryption_key.yaml"));
    let (code, answer) = world.once(&wmill, &world.body("a.git"));
    assert_eq!(code, 1, "what a sync brings cannot excuse it: {answer}");
    assert!(rules(&answer).contains(&"windmill/key-file"), "{answer}");
    assert!(is_empty(&repository));

    // There already, it counts; its rules for messages too.
    let strict =
        "version: 1\nrules: { windmill/key-file: { severity: off }, conventional-commits: { types: [feat] } }\n";
    push(&world.sandbox, &repository, "main", &[("portcullis.yaml", strict)]);
    let wmill = world.fake_wmill("printf '%064d\\n' 7 >encryption_key.yaml");
    let mut body = world.body("a.git");
    let (code, answer) = world.once(&wmill, &body);
    assert_eq!((code, rules(&answer)), (1, vec!["conventional-commits/type-unknown"]), "{answer}");
    body["message"] = json!("feat: bring the workspace");
    let (code, answer) = world.once(&wmill, &body);
    assert_eq!(code, 0, "{answer}");
}

#[test]
fn existing_settings_that_export_the_key_refuse_the_sync() {
    let world = World::new();
    let repository = world.remote.repository("a.git");
    let wmill = world.fake_wmill("mkdir -p f/a && echo 'export const n = 1;' >f/a/x.ts");
    for (settings, expected) in [
        ("includeKey: true\nskipSecrets: true\n", "windmill/include-key"),
        ("includeKey: false\nplainSecrets: true\nskipSecrets: true\n", "windmill/plain-secrets"),
    ] {
        let before = push(&world.sandbox, &repository, "main", &[("wmill.yaml", settings)]);
        let (code, answer) = world.once(&wmill, &world.body("a.git"));
        assert_eq!((code, rules(&answer)), (1, vec![expected]), "{answer}");
        assert_eq!(repository.rev("main"), before);
    }
    let excepted = "version: 1\nexceptions:\n  - { rule: windmill/plain-secrets, reason: a workspace for teaching }\n";
    push(&world.sandbox, &repository, "main", &[("portcullis.yaml", excepted)]);
    let (code, answer) = world.once(&wmill, &world.body("a.git"));
    assert_eq!(code, 0, "{answer}");
}

#[test]
fn a_hanging_wmill_is_killed_with_all_its_children() {
    let world = World::new();
    let repository = world.remote.repository("a.git");
    let mark = world.sandbox.path().join("child");
    let wmill = world.fake_wmill(&format!("sleep 1000 & echo $! >{}\nwait", mark.display()));
    let service = world.serve(&wmill, &["--wmill-timeout", "2"]);
    let (status, answer) = service.post(&world.body("a.git"));
    assert_eq!((status, answer["message"].as_str()), (500, Some("Windmill sync failed: wmill timed out after 2 s")));
    until(|| !lives(&mark), || "the tool's child lives on".to_owned());
    assert!(is_empty(&repository));
}

#[test]
fn a_failure_of_wmill_is_explained_by_its_exit_code() {
    let world = World::new();
    world.remote.repository("a.git");
    let fails = |script: &str| {
        let (code, answer) = world.once(&world.fake_wmill(script), &world.body("a.git"));
        assert_eq!(code, 3, "{answer}");
        answer["message"].as_str().expect("a message").to_owned()
    };
    let told = fails("echo 'error: Unknown option \"--yes\".' >&2; exit 2");
    assert!(
        told.starts_with("Windmill sync failed: wmill did not understand its command line (error: Unknown option"),
        "{told}"
    );
    assert_eq!(fails("echo broken >&2; exit 7"), "Windmill sync failed: wmill ended with 7: broken");
    assert_eq!(fails("kill -KILL $$"), "Windmill sync failed: wmill was killed");
    let (_, answer) = world.once(Path::new("no-such-wmill"), &world.body("a.git"));
    assert_eq!(answer["message"], "Windmill sync failed: wmill was not found: install windmill-cli");
}

#[test]
fn a_remote_that_disappears_or_refuses_is_reported() {
    let world = World::new();
    let repository = world.remote.repository("a.git");
    let refusing = world.remote.repository("b.git");
    fs::create_dir_all(refusing.path().join("hooks")).expect("a folder");
    crate::support::write_program(
        &refusing.path().join("hooks/pre-receive"),
        b"#!/bin/sh\necho 'main is closed on fridays' >&2\nexit 1\n",
        0o755,
    );
    let write = "mkdir -p f/a && echo 'export const n = 1;' >f/a/x.ts";
    let wmill = world.fake_wmill(write);
    let (_, answer) = world.once(&wmill, &world.body("b.git"));
    let told = "Git push failed: rejected by the remote (pre-receive hook declined): main is closed on fridays";
    assert_eq!(answer["message"], told);
    let gone = world.fake_wmill(&format!("{write}\nrm -rf {}", repository.path().display()));
    let (_, answer) = world.once(&gone, &world.body("a.git"));
    assert_eq!(answer["message"], "Git push failed: repository not found");
    assert!(has_no_folders(&world.work()), "what a job had is gone");
}

#[test]
fn remotes_of_all_sorts_are_synced() {
    let world = World::new();
    let wmill = world.fake_wmill("mkdir -p f/a && echo 'export const n = 1;' >f/a/x.ts");
    let mut body = world.body("moved");
    let moved = world.remote.repository("moved.git");
    let (code, answer) = world.once(&wmill, &body);
    assert_eq!((code, &answer["commit"]), (0, &json!(moved.rev("main"))), "some servers want the suffix: {answer}");
    // By name: git is told the address, and asks nobody.
    body["git_remote_url"] = json!(world.remote.url("moved.git").replace("127.0.0.1", "localhost"));
    let (_, answer) = world.once(&wmill, &body);
    assert_eq!(answer["message"], "Sync completed - no changes to commit");
    body["git_remote_url"] = json!(world.remote.url("away.git"));
    let (_, answer) = world.once(&wmill, &body);
    assert_eq!(answer["message"], "Git pull failed: repository not found");
    body["git_remote_url"] = json!(world.remote.url("away"));
    let (_, answer) = world.once(&wmill, &body);
    assert_eq!(answer["message"], "Git pull failed: the remote redirects: use its final address");

    let long = world.remote.repository_with("long.git", Hash::Sha256);
    push(&world.sandbox, &long, "main", &[("README.md", "# long ids\n")]);
    let (code, answer) = world.once(&wmill, &world.body("long.git"));
    assert_eq!((code, answer["commit"].as_str().map(str::len)), (0, Some(64)), "{answer}");

    let bare = world.sandbox.init_bare("bare.git", Hash::Sha1);
    body["git_remote_url"] = json!(format!("file://{}", bare.path().display()));
    let (code, answer) = world.once(&wmill, &body);
    assert_eq!((code, &answer["success"]), (2, &json!(false)), "files are not allowed: {answer}");
    let (code, answer) = world.once_with(&wmill, &["--allow-scheme", "file"], &body);
    assert_eq!((code, &answer["commit"]), (0, &json!(bare.rev("main"))), "{answer}");
}

#[test]
fn a_link_in_the_repository_does_not_let_wmill_write_outside() {
    let world = World::new();
    let repository = world.remote.repository("a.git");
    let outside = world.sandbox.path().join("outside");
    fs::create_dir(&outside).expect("a folder");
    let clone = world.sandbox.init("linked", Hash::Sha1);
    clone.write("README.md", "# links\n");
    std::os::unix::fs::symlink(&outside, clone.path().join("f")).expect("a link");
    clone.commit("docs: links");
    clone.git(["push", "-q", repository.path().to_str().expect("a plain path"), "main"]);
    let wmill = world.fake_wmill("mkdir -p f/a; echo 'export const n = 1;' >f/a/x.ts");
    let (code, answer) = world.once(&wmill, &world.body("a.git"));
    assert_eq!(code, 3, "{answer}");
    let mut body = world.body("a.git");
    body["path"] = json!("f/below");
    let (code, answer) = world.once(&wmill, &body);
    assert_eq!((code, answer["message"].as_str()), (2, Some("Invalid field: path is not a folder of the repository")));
    assert_eq!(fs::read_dir(outside).expect("a folder").count(), 0);
}

#[test]
fn a_crashing_job_does_not_affect_others() {
    let world = World::new();
    world.remote.repository("a.git");
    world.remote.repository("b.git");
    let go = world.sandbox.path().join("go");
    let wmill = world.fake_wmill(&format!(
        "if [ \"$5\" = breaks ]; then kill -ABRT $job; sleep 1000; fi\n\
         while ! [ -e {} ]; do sleep 0.05; done\nmkdir -p f/a && echo 'export const n = 1;' >f/a/x.ts",
        go.display()
    ));
    let service = world.serve(&wmill, &[]);
    let address = service.address;
    let calm = world.body("a.git");
    let other = std::thread::spawn(move || post(address, &calm));
    service.logged("sync");
    let mut body = world.body("b.git");
    body["workspace"] = json!("breaks");
    let (status, answer) = service.post(&body);
    assert_eq!((status, answer["message"].as_str()), (500, Some("The job ended without an answer")));
    fs::write(go, "").expect("a mark");
    let (status, answer) = other.join().expect("no panic");
    assert_eq!(status, 200, "{answer}");
    assert_eq!(service.get("/health").0, 200);
}
