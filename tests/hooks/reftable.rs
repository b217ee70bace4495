//! Refs kept as a reftable, the coming default of git: every gate works as with files.

use portcullis::git::discover;

use super::gate::{install, portcullis, run, secret, try_git};
use crate::support::{Sandbox, TestRepo};

/// A repository with a reftable; `None` where this git knows none.
fn with_reftable(bare: bool, format: &str) -> Option<TestRepo> {
    let sandbox = Sandbox::new();
    let mut init = sandbox.command("git", sandbox.path());
    init.args(["init", "-q", "--template=", "--ref-format=reftable", &format!("--object-format={format}"), "repo"]);
    if bare {
        init.arg("--bare");
    }
    if init.output().expect("git runs").status.success() {
        return Some(sandbox.at("repo"));
    }
    eprintln!("skipped: this git knows no reftable");
    None
}

#[test]
fn the_laptop_s_hooks_work() {
    for format in ["sha1", "sha256"] {
        let Some(repo) = with_reftable(false, format) else { return };
        install(&repo, &[]);
        try_git(&repo, &["commit", "-q", "--allow-empty", "-m", "feat: a"]).passes();
        try_git(&repo, &["commit", "--allow-empty", "-m", "did things"]).is_refused(&["conventional-commits/"]);
        repo.write("b", secret());
        repo.git(["add", "b"]);
        try_git(&repo, &["commit", "-m", "feat: b"]).is_refused(&["b:1:10"]);
        repo.git(["rm", "-q", "-f", "b"]);
        // Many refs, blocks and tables; a linked work tree has a HEAD of its own.
        let id = repo.rev("HEAD");
        for first in (0..300).step_by(50) {
            let line = |n| format!("create refs/heads/topic/of-a-long-name-{n:04} {id}\n");
            let file = repo.write("lines", (first..first + 50).map(line).collect::<String>());
            let mut update = repo.command("git");
            update.args(["update-ref", "--stdin"]).stdin(std::fs::File::open(file).unwrap());
            assert!(update.status().unwrap().success());
        }
        std::fs::remove_file(repo.path().join("lines")).unwrap();
        repo.git(["branch", "-D", "-q", "topic/of-a-long-name-0007"]);
        repo.git(["symbolic-ref", "refs/heads/alias", "refs/heads/main"]);
        repo.git(["tag", "-a", "-m", "v", "v1.0.0"]);
        let open = discover(repo.path()).unwrap().unwrap();
        let listed: Vec<String> =
            open.thread_local().refs("refs/").unwrap().iter().map(|r| format!("{} {}", r.target, r.name)).collect();
        assert_eq!(listed.join("\n"), repo.git(["for-each-ref", "--format=%(objectname) %(refname)"]));
        repo.git(["pack-refs", "--all"]);
        let open = discover(repo.path()).unwrap().unwrap();
        assert_eq!(open.thread_local().refs("refs/").unwrap().len(), listed.len());
        let linked = repo.linked_worktree("side");
        try_git(&linked, &["commit", "-q", "--allow-empty", "-m", "feat: side"]).passes();
        let output = portcullis(&linked, &["check", "--range", "main..side"]);
        assert!(output.status.success(), "{output:?}");
        assert!(portcullis(&linked, &["check", "--range", "v1.0.0..HEAD~0"]).status.success());
        assert!(portcullis(&linked, &["check", "--history"]).status.success());
    }
}

#[test]
fn the_server_s_hooks_and_pushes_work() {
    for hook in ["pre-receive", "update"] {
        let Some(server) = with_reftable(true, "sha1") else { return };
        install(&server, &["--server", "bare", hook]);
        let sandbox = server.sandbox();
        let repo = sandbox.init("clone", crate::support::Hash::Sha1);
        repo.git(["remote", "add", "origin", server.path().to_str().unwrap()]);
        repo.write("portcullis.yaml", "version: 1\nextends: [trunk]\n");
        repo.commit("feat: a");
        try_git(&repo, &["push", "-q", "origin", "main"]);
        assert_eq!(server.rev("main"), repo.rev("main"));
        repo.write("b", secret());
        repo.commit("feat: b");
        try_git(&repo, &["push", "origin", "main:refs/heads/topic"]).is_refused(&["b:1:10"]);
        repo.git(["reset", "-q", "--hard", "HEAD~1"]);
        repo.git(["commit", "-q", "--allow-empty", "-m", "feat: c"]);
        try_git(&repo, &["push", "-q", "origin", "main:refs/heads/topic"]).passes();
        repo.git(["tag", "-a", "-m", "v", "1.2"]);
        try_git(&repo, &["push", "origin", "1.2"]).is_refused(&["semver-tags/"]);
    }
}

#[test]
fn a_damaged_table_is_said_to_be_one() {
    let Some(repo) = with_reftable(false, "sha1") else { return };
    repo.git(["commit", "-q", "--allow-empty", "-m", "feat: a"]);
    let dir = repo.path().join(".git/reftable");
    let list = std::fs::read_to_string(dir.join("tables.list")).unwrap();
    for (content, word) in [(&b"REFT\x01"[..], "damaged"), (b"", "damaged")] {
        let file = dir.join(list.lines().next().unwrap());
        let mut permissions = std::fs::metadata(&file).unwrap().permissions();
        #[allow(clippy::permissions_set_readonly_false)]
        permissions.set_readonly(false);
        std::fs::set_permissions(&file, permissions).unwrap();
        std::fs::write(&file, content).unwrap();
        let said = run(repo.command(super::gate::BINARY).args(["check", "--range", "HEAD..HEAD"]));
        assert!(!said.ok && said.text.contains(word), "{}", said.text);
    }
}
