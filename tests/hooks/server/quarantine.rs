//! Objects that wait: alternates of every shape, thin packs, objects that nothing points at.

use std::io::Write as _;
use std::process::Stdio;

use super::super::gate::{BINARY, Said, corrupt, install, run, secret, served, serving, try_git};
use crate::support::{Hash, TestRepo};

/// Speaks to receive-pack as a client of our own making would: a pack with whatever objects, for one new ref.
fn push_objects(repo: &TestRepo, server: &TestRepo, target: &str, name: &str, objects: &[&str]) -> Said {
    let mut pack = repo.command("git");
    pack.args(["pack-objects", "-q", "--stdout"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut pack = pack.spawn().unwrap();
    pack.stdin.take().unwrap().write_all(objects.join("\n").as_bytes()).unwrap();
    let pack = pack.wait_with_output().unwrap().stdout;
    let line = format!("{} {target} {name}\0 report-status\n", "0".repeat(target.len()));
    let request = [format!("{:04x}{line}0000", line.len() + 4).as_bytes(), &pack].concat();
    let mut receive = repo.command("git");
    receive.arg("receive-pack").arg(server.path());
    let mut receive = receive.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    receive.stdin.take().unwrap().write_all(&request).unwrap();
    let mut said = Said::from(receive.wait_with_output().unwrap());
    said.ok = said.text.contains(&format!("ok {name}"));
    said
}

#[test]
fn what_nothing_points_at_is_judged_too() {
    for limit in ["1", "100"] {
        let (repo, server) = serving(&[]);
        server.git(["config", "receive.unpackLimit", limit]);
        repo.write("b", "b\n");
        let clean = repo.commit("feat: b");
        let objects = [clean.clone(), repo.rev("HEAD^{tree}"), repo.rev("HEAD:b")];
        let mut objects: Vec<&str> = objects.iter().map(String::as_str).collect();
        push_objects(&repo, &server, &clean, "refs/heads/one", &objects).passes();
        repo.write("orphan", secret());
        let orphan = repo.git(["hash-object", "-w", "orphan"]);
        objects.push(&orphan);
        repo.git(["commit", "-q", "--allow-empty", "-m", "feat: c"]);
        let next = repo.rev("HEAD");
        objects.push(&next);
        push_objects(&repo, &server, &next, "refs/heads/two", &objects)
            .is_refused(&["secrets/gitlab-pat", &orphan[..30]]);
        // A commit and a tag that no ref leads to.
        repo.git(["checkout", "-q", "--detach"]);
        repo.git(["commit", "-q", "--allow-empty", "-m", &format!("feat: d\n\n{}", secret())]);
        let stray = repo.rev("HEAD");
        push_objects(&repo, &server, &next, "refs/heads/two", &[&next, &stray]).is_refused(&["secrets/gitlab-pat"]);
        repo.git(["tag", "-a", "-m", &secret(), "stray", &next]);
        let tag = repo.rev("stray");
        push_objects(&repo, &server, &next, "refs/heads/two", &[&next, &tag]).is_refused(&["secrets/gitlab-pat"]);
        push_objects(&repo, &server, &next, "refs/heads/two", &[&next]).passes();
    }
}

#[test]
fn alternates_are_followed_where_they_say() {
    let (repo, server) = served(&[]);
    // A fork of a pool of a base, each named relative to itself.
    let sandbox = repo.sandbox();
    let base = sandbox.init_bare("deep/er/base.git", Hash::Sha1);
    let pool = sandbox.init_bare("pool.git", Hash::Sha1);
    pool.write("objects/info/alternates", "../../deep/er/base.git/objects\n");
    server.write("objects/info/alternates", "# a pool\n../../pool.git/objects\n");
    repo.git(["push", "-q", base.path().to_str().unwrap(), "main"]);
    server.git(["update-ref", "refs/heads/main", &repo.rev("main")]);
    assert!(!super::super::gate::loose(&server, &repo.rev("main")).exists());
    repo.write("b", "b\n");
    repo.commit("feat: b");
    try_git(&repo, &["push", "-q", "origin", "main"]).passes();
    repo.write("a", secret());
    repo.commit("feat: a again");
    try_git(&repo, &["push", "origin", "main"]).is_refused(&["a:1:10", "fail: 1 error"]);
}

#[test]
fn the_bases_of_a_thin_pack_are_no_news() {
    let (repo, server) = serving(&[]);
    server.git(["config", "receive.unpackLimit", "1"]);
    server.git(["config", "core.deltaBaseCacheLimit", "1m"]);
    let lines: String =
        (0..400).map(|n| format!("line {n} of a file that compresses badly {}\n", n * n * 7919)).collect();
    std::fs::rename(server.path().join("hooks"), server.path().join("off")).unwrap();
    repo.write("big", format!("{lines}{}", secret()));
    repo.commit("feat: big");
    repo.git(["push", "-q", "origin", "main"]);
    std::fs::rename(server.path().join("off"), server.path().join("hooks")).unwrap();
    repo.write("big", format!("{lines}clean\n"));
    repo.commit("fix: big");
    let trace = repo.sandbox().path().join("trace");
    run(repo.command("git").args(["push", "-q", "--thin", "origin", "main"]).env("GIT_TRACE", &trace)).passes();
    assert!(std::fs::read_to_string(trace).unwrap().contains("--fix-thin"));
    repo.write("big", format!("{lines}{}", secret()));
    repo.commit("fix: big again");
    try_git(&repo, &["push", "--thin", "origin", "main"]).is_refused(&["big:401:10"]);
}

#[test]
fn a_server_whose_name_needs_quotes() {
    let repo = TestRepo::init();
    let server = repo.sandbox().init_bare("a:b \"c\".git", Hash::Sha1);
    install(&server, &["--server", "bare"]);
    let address = format!("file://{}", server.path().display()).replace('"', "%22").replace(' ', "%20");
    repo.write("a", "a\n");
    repo.commit("feat: a");
    try_git(&repo, &["push", "-q", &address, "main"]).passes();
    repo.write("b", secret());
    repo.commit("feat: b");
    try_git(&repo, &["push", &address, "main"]).is_refused(&["b:1:10"]);
}

#[test]
fn a_damaged_object_refuses() {
    let (repo, server) = serving(&[]);
    repo.write("sub/b", "b\n");
    repo.commit("feat: b");
    repo.git(["push", "-q", "origin", "main"]);
    let before = server.rev("main");
    repo.write("sub/c", "c\n");
    repo.commit("feat: c");
    corrupt(&server, &repo.rev("main~1:sub"));
    let said = try_git(&repo, &["push", "origin", "main"]);
    assert!(!said.ok, "{}", said.text);
    assert_eq!(server.git(["for-each-ref", "--format=%(objectname)"]), before);
    let zero = "0".repeat(40);
    let line = format!("echo {zero} {before} refs/heads/x | {BINARY} hook run pre-receive");
    let output = server.command("sh").args(["-c", &line]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "a new branch where main stands brings nothing to read: {output:?}");
    let line = format!("echo {zero} {} refs/heads/x | {BINARY} hook run pre-receive", "4d".repeat(20));
    let output = server.command("sh").args(["-c", &line]).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
}

#[test]
fn a_host_without_a_quarantine_judges_what_no_ref_reaches() {
    let (repo, server) = serving(&[]);
    std::fs::remove_file(server.path().join("hooks/pre-receive")).unwrap();
    repo.write("b", secret());
    let next = repo.commit("feat: b");
    repo.git(["push", "-q", "origin", "main:refs/heads/waiting"]);
    server.git(["update-ref", "-d", "refs/heads/waiting"]);
    let line = format!("echo {} {next} refs/heads/main | {BINARY} hook run pre-receive", repo.rev("main~1"));
    run(server.command("sh").args(["-c", &line])).is_refused(&["b:1:10"]);
}
