//! pre-receive: every kind of update that a push can ask for.

use super::super::gate::{another_secret, install, run, secret, served, serving, try_git};
use crate::support::{Hash, Sandbox, TestRepo};

const DEV_MAIN: &str = "version: 1\nextends: [dev-main]\n";

#[test]
fn a_clean_push_passes_without_a_word() {
    let (repo, server) = served(&[]);
    try_git(&repo, &["push", "-q", "origin", "main"]).passes();
    repo.write("b", "b\n");
    repo.commit("feat: b");
    try_git(&repo, &["push", "-q", "origin", "main"]).passes();
    assert_eq!(server.rev("main"), repo.rev("main"));
    let left = std::fs::read_dir(server.path().join("objects")).unwrap();
    assert!(left.flatten().all(|e| !e.file_name().to_string_lossy().starts_with('.')));
}

#[test]
fn a_refused_push_leaves_nothing_and_says_how_to_repair_it() {
    let (repo, server) = serving(&[]);
    repo.write("b", secret());
    let commit = repo.commit("feat: b");
    let said = try_git(&repo, &["push", "origin", "main"]).is_refused(&[
        "remote: portcullis: fail: 1 error",
        "rule secrets/gitlab-pat",
        "b:1:10",
        "pre-receive hook declined",
    ]);
    let ours: Vec<_> = said.text.lines().filter_map(|l| l.strip_prefix("remote: ")).map(str::trim_end).collect();
    assert!(ours.iter().all(|l| l.chars().count() <= 72 && !l.contains('\u{1b}')), "{ours:#?}");
    let last = ours.iter().rfind(|l| !l.is_empty()).unwrap();
    assert!(last.contains("then push") || last.contains("--amend"), "{ours:#?}");
    assert_ne!(server.rev("main"), commit);
    assert!(!server.try_git(["cat-file", "-e", &commit]).status.success());
}

#[test]
fn few_objects_and_many_are_the_same() {
    for files in [3, 150] {
        let (repo, _) = serving(&[]);
        for n in 0..files {
            repo.write(&format!("d{}/f{n}", n % 7), format!("file {n}\n"));
        }
        repo.commit("feat: files");
        try_git(&repo, &["push", "-q", "origin", "main"]).passes();
        for n in 0..files {
            repo.write(&format!("d{}/f{n}", n % 7), if n == 1 { secret() } else { format!("again {n}\n") });
        }
        repo.commit("feat: files again");
        try_git(&repo, &["push", "origin", "main"]).is_refused(&["d1/f1:1:10", "fail: 1 error"]);
    }
}

#[test]
fn a_branch_on_known_commits_brings_an_empty_quarantine() {
    let (repo, server) = serving(&[]);
    try_git(&repo, &["push", "-q", "origin", "main:refs/heads/topic"]).passes();
    assert_eq!(server.rev("topic"), repo.rev("main"));
    try_git(&repo, &["push", "-q", "origin", ":topic"]).passes();
    // Deleting what is not there: zero to zero.
    try_git(&repo, &["push", "-q", "origin", ":topic"]);
    try_git(&repo, &["push", "origin", "main:refs/heads/x", ":refs/heads/gone"]);
    assert_eq!(server.rev("x"), repo.rev("main"));
}

#[test]
fn messages_count_on_every_branch_they_are_new_to() {
    let (repo, _) = serving(&[]);
    repo.git(["commit", "-q", "--allow-empty", "-m", "did things"]);
    try_git(&repo, &["push", "origin", "main:refs/heads/topic"]).is_refused(&["conventional-commits/"]);
    repo.git(["commit", "-q", "--amend", "--allow-empty", "-m", "feat: things"]);
    try_git(&repo, &["push", "-q", "origin", "main:refs/heads/topic"]).passes();
}

#[test]
fn protected_branches_keep_their_history() {
    let (repo, server) = served(&[]);
    repo.write("portcullis.yaml", DEV_MAIN);
    repo.commit("feat: policy");
    repo.git(["push", "-q", "origin", "main"]);
    server.git(["config", "receive.denyDeleteCurrent", "ignore"]);
    let before = server.rev("main");
    repo.git(["commit", "-q", "--amend", "--allow-empty", "-m", "feat: another policy"]);
    try_git(&repo, &["push", "--force", "origin", "main"]).is_refused(&["branch-topology/non-ff"]);
    try_git(&repo, &["push", "origin", ":main"]).is_refused(&["branch-topology/non-ff"]);
    assert_eq!(server.rev("main"), before);
    // Elsewhere history is everybody's own.
    repo.git(["push", "-q", "origin", "main:refs/heads/topic"]);
    repo.git(["commit", "-q", "--amend", "--allow-empty", "-m", "feat: yet another policy"]);
    try_git(&repo, &["push", "-q", "--force", "origin", "main:refs/heads/topic"]).passes();
}

#[test]
fn development_does_not_go_to_production() {
    let (repo, server) = served(&[]);
    // Everybody may push: what is refused is refused for where it comes from.
    repo.write("portcullis.yaml", format!("{DEV_MAIN}protected: [{{ branch: main, direct-push: ['*'] }}]\n"));
    repo.commit("feat: policy");
    repo.git(["push", "-q", "origin", "main", "main:dev"]);
    repo.git(["checkout", "-q", "-b", "dev"]);
    repo.write("b", "b\n");
    repo.commit("feat: b");
    try_git(&repo, &["push", "-q", "origin", "dev"]).passes();
    try_git(&repo, &["push", "origin", "dev:main"]).is_refused(&["branch-topology/dev-leak"]);
    // Both in one push: development has the commit before production does.
    repo.write("c", "c\n");
    repo.commit("feat: c");
    try_git(&repo, &["push", "origin", "dev", "dev:main"]).is_refused(&["branch-topology/dev-leak"]);
    repo.git(["tag", "-a", "-m", "v0.1.0", "v0.1.0", "dev~1"]);
    try_git(&repo, &["push", "-q", "origin", "v0.1.0"]).passes();
    try_git(&repo, &["push", "-q", "origin", "v0.1.0^{commit}:main"]).passes();
    assert_eq!(server.rev("main"), repo.rev("dev~1"));
}

#[test]
fn all_refs_of_a_push_are_judged_and_refused_together() {
    let (repo, server) = serving(&[]);
    for (name, content) in [("one", "one\n".to_owned()), ("two", secret()), ("three", "three\n".to_owned())] {
        repo.git(["checkout", "-q", "-b", name, "main"]);
        repo.write(name, content);
        repo.commit(&format!("feat: {name}"));
    }
    repo.git(["tag", "-a", "-m", "v", "1.2", "one"]);
    for atomic in ["--atomic", "--no-atomic"] {
        try_git(&repo, &["push", atomic, "origin", "one", "two", "three", "1.2"]).is_refused(&[
            "two:1:10",
            "semver-tags/",
            "fail: ",
        ]);
        assert_eq!(server.git(["for-each-ref", "--format=%(refname)"]), "refs/heads/main");
    }
    repo.git(["tag", "-d", "1.2"]);
    try_git(&repo, &["push", "-q", "--atomic", "origin", "one", "three"]).passes();
}

#[test]
fn tags_trees_and_blobs_may_be_targets() {
    let (repo, server) = serving(&[]);
    repo.git(["tag", "v1.0.0"]);
    repo.git(["tag", "-a", "-m", "release", "v1.0.1"]);
    try_git(&repo, &["push", "-q", "origin", "v1.0.1"]).passes();
    repo.write("sub/clean", "clean\n");
    repo.git(["add", "-A"]);
    let tree = repo.git(["write-tree"]);
    let push = |id: &str, name: &str| try_git(&repo, &["push", "-q", "origin", &format!("{id}:refs/x/{name}")]);
    push(&tree, "tree").passes();
    push(&repo.rev(&format!("{tree}:sub/clean")), "blob").passes();
    assert_eq!(server.rev("refs/x/tree"), tree);
    repo.write("sub/dirty", secret());
    repo.git(["add", "-A"]);
    let dirty = repo.git(["write-tree"]);
    push(&dirty, "tree2").is_refused(&["sub/dirty:1:10"]);
    push(&repo.rev(&format!("{dirty}:sub/dirty")), "blob2").is_refused(&["secrets/gitlab-pat"]);
    repo.git(["tag", "-a", "-m", "a tree", "tree-tag", &dirty]);
    push("tree-tag", "tag").is_refused(&["sub/dirty:1:10"]);
}

#[test]
fn replacements_are_refused_and_may_be_taken_back() {
    let (repo, server) = serving(&[]);
    repo.write("b", "b\n");
    repo.commit("feat: b");
    let clean = repo.rev("HEAD:b");
    repo.git(["update-ref", &format!("refs/replace/{clean}"), &repo.rev("HEAD:a")]);
    try_git(&repo, &["push", "origin", "refs/replace/*:refs/replace/*"]).is_refused(&["policy/replace-ref"]);
    server.write("x", "x\n");
    let other = server.git(["hash-object", "-w", "x"]);
    server.git(["update-ref", &format!("refs/replace/{other}"), &server.rev("main:a")]);
    try_git(&repo, &["push", "-q", "origin", &format!(":refs/replace/{other}")]).passes();
}

#[test]
fn a_replacement_on_the_server_hides_nothing() {
    let (repo, server) = serving(&[]);
    repo.write("b", secret());
    repo.commit("feat: b");
    // Whatever stands in for the dirty blob there, the gate looks at the blob.
    server.git(["update-ref", &format!("refs/replace/{}", repo.rev("HEAD:b")), &server.rev("main:a")]);
    try_git(&repo, &["push", "origin", "main"]).is_refused(&["b:1:10"]);
}

#[test]
fn content_elsewhere_is_said_to_be_unseen() {
    let (repo, _) = serving(&[]);
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 12345\n", "4d".repeat(32));
    repo.write("big.bin", pointer);
    repo.git(["add", "-A"]);
    repo.git(["update-index", "--add", "--cacheinfo", &format!("160000,{},sub", repo.rev("HEAD"))]);
    repo.git(["commit", "-q", "-m", "feat: elsewhere"]);
    try_git(&repo, &["push", "-q", "origin", "main"])
        .passes_saying(&["1 submodule: content not seen", "1 LFS pointer: content not"]);
}

#[test]
fn sha256_is_no_other_world() {
    let repo = TestRepo::init_with(Hash::Sha256);
    let server = repo.bare_remote("origin");
    install(&server, &["--server", "bare"]);
    repo.write("b", "b\n");
    repo.commit("feat: b");
    try_git(&repo, &["push", "-q", "origin", "main"]).passes();
    repo.write("c", secret());
    repo.commit("feat: c");
    try_git(&repo, &["push", "origin", "main"]).is_refused(&["c:1:10"]);
}

#[test]
fn hostile_names_do_no_harm() {
    let (repo, _) = serving(&[]);
    repo.write("\u{1b}[31mred\nline", secret());
    repo.commit("feat: b");
    let name = "refs/heads/$(touch-pwned)\u{202e}x";
    let said = try_git(&repo, &["push", "origin", &format!("main:{name}")]).is_refused(&["secrets/gitlab-pat"]);
    assert!(!said.text.contains('\u{1b}'), "{}", said.text);
}

#[test]
fn many_findings_are_cut_and_counted() {
    let (repo, _) = serving(&[]);
    for n in 0..70 {
        repo.write(&format!("f{n}"), another_secret(&format!("x7Kq2mPz9LrT4vWs8N{n:02}")));
    }
    repo.commit("feat: many");
    let said = try_git(&repo, &["push", "origin", "main"]).is_refused(&["fail: 70 errors", "more"]);
    let bytes: usize =
        said.text.lines().filter_map(|l| l.strip_prefix("remote: ")).map(|l| l.trim_end().len() + 1).sum();
    assert!(bytes <= 8 << 10, "{bytes}");
}

#[test]
fn gitlab_shows_lines_with_its_prefix() {
    let (repo, server) = served(&[]);
    let hook =
        format!("#!/bin/sh\nexec {} hook run pre-receive --server gitlab -- \"$@\"\n", super::super::gate::BINARY);
    server.write_mode("hooks/pre-receive", hook, 0o755);
    repo.write("b", secret());
    repo.commit("feat: b");
    let said = try_git(&repo, &["push", "origin", "main"]).is_refused(&["GL-HOOK-ERR: portcullis: fail"]);
    let ours =
        said.text.lines().filter_map(|l| l.strip_prefix("remote: ")).map(str::trim_end).filter(|l| !l.is_empty());
    for line in ours {
        assert!(line.starts_with("GL-HOOK-ERR:") && line.chars().count() <= 72, "{line}");
    }
}

#[test]
fn git_need_not_be_in_the_path_of_the_server() {
    let (repo, server) = served(&[]);
    let hook = std::fs::read_to_string(server.path().join("hooks/pre-receive")).unwrap();
    server.write_mode("hooks/pre-receive", hook.replacen('\n', "\nPATH=/nowhere; export PATH\n", 1), 0o755);
    try_git(&repo, &["push", "-q", "origin", "main"]).passes();
    repo.write("b", secret());
    repo.commit("feat: b");
    try_git(&repo, &["push", "origin", "main"]).is_refused(&["b:1:10"]);
}

#[test]
fn refs_in_tables_are_refs_too() {
    let sandbox = Sandbox::new();
    let made = sandbox
        .command("git", sandbox.path())
        .args(["init", "-q", "--bare", "--ref-format=reftable", "table.git"])
        .status();
    if !made.is_ok_and(|s| s.success()) {
        return;
    }
    let (repo, server) = (sandbox.init("repo", Hash::Sha1), sandbox.at("table.git"));
    install(&server, &["--server", "bare"]);
    repo.write("a", secret());
    repo.commit("feat: a");
    // Judged or said to be undecidable: never passed.
    let said = run(repo.command("git").args(["push", server.path().to_str().unwrap(), "main"]));
    assert!(!said.ok, "{}", said.text);
}
