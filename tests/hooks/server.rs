//! The hooks of git servers, with a real push where the server is plain git.

mod limits;
mod new_refs;
mod policy;
mod quarantine;
mod receive;
mod secrets;
mod update;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::{calls, hook, judge, refused, snapshot, verdict};
use crate::support::{Hash, Sandbox, TestRepo};

fn pushed(repo: &TestRepo) -> bool {
    repo.try_git(["push", "-q", "origin", "main"]).status.success()
}

fn repository_with_remote() -> (TestRepo, TestRepo) {
    let repo = TestRepo::init();
    repo.write("a", "a\n");
    repo.commit("feat: a");
    let remote = repo.bare_remote("origin");
    (repo, remote)
}

#[test]
fn a_bare_repository_is_guarded() {
    let (repo, remote) = repository_with_remote();
    let said = hook(
        &remote,
        &["install", "--server", "bare", "--policy", "/etc/portcullis.yaml", "--audit-log", "/var/log/it's"],
    );
    assert_eq!(said, "pre-receive: installed, hooks/pre-receive\n");
    let text = fs::read_to_string(remote.path().join("hooks/pre-receive")).unwrap();
    let options =
        r"hook run pre-receive --server bare --policy /etc/portcullis.yaml --audit-log '/var/log/it'\''s' -- ";
    assert!(text.contains(options), "{text}");
    verdict(&repo, 1);
    assert!(!pushed(&repo));
    verdict(&repo, 0);
    assert!(pushed(&repo));
    assert_eq!(calls(&repo), ["pre-receive ", "pre-receive "]);
    let given = fs::read_to_string(repo.sandbox().path().join("bin/stdin")).unwrap();
    assert_eq!(given, format!("{} {} refs/heads/main\n", "0".repeat(40), repo.rev("main")));
    let installed = snapshot(&remote.path().join("hooks"));
    hook(&remote, &["install", "--server", "bare", "--policy", "/etc/portcullis.yaml", "--audit-log", "/var/log/it's"]);
    assert_eq!(snapshot(&remote.path().join("hooks")), installed);
    assert!(hook(&remote, &["uninstall", "--server", "bare"]).contains("removed"));
    assert!(snapshot(&remote.path().join("hooks")).is_empty());
}

#[test]
fn an_existing_server_hook_gets_its_copy() {
    let (repo, remote) = repository_with_remote();
    remote.write_mode("hooks/pre-receive", "#!/bin/sh\ncat >seen\n", 0o755);
    hook(&remote, &["install", "--server", "bare", "update", "pre-receive"]);
    assert!(pushed(&repo));
    assert!(fs::read_to_string(remote.path().join("seen")).unwrap().ends_with(" refs/heads/main\n"));
    let log = calls(&repo);
    assert_eq!(log[1], "pre-receive after hooks/pre-receive.portcullis-before");
    assert!(log[2].starts_with("update refs/heads/main 0000"), "{log:?}");
}

#[test]
fn gitea_runs_the_file_in_its_directory() {
    for kind in ["gitea", "forgejo"] {
        let (repo, remote) = repository_with_remote();
        // The server's own hook: everything in the directory, each with a copy of standard input.
        let own = "#!/bin/sh\ndata=$(cat)\nfor hook in hooks/pre-receive.d/*; do\n  echo \"$data\" | \"$hook\" || exit\ndone\n";
        remote.write_mode("hooks/pre-receive", own, 0o755);
        remote.write_mode("hooks/pre-receive.d/gitea", "#!/bin/sh\nexit 0\n", 0o755);
        let before = snapshot(remote.path());
        hook(&remote, &["install", "--server", kind]);
        assert_eq!(fs::read_to_string(remote.path().join("hooks/pre-receive")).unwrap(), own);
        verdict(&repo, 1);
        assert!(!pushed(&repo));
        assert_eq!(calls(&repo), ["pre-receive "]);
        hook(&remote, &["uninstall", "--server", kind]);
        assert_eq!(snapshot(&remote.path().join("hooks/pre-receive.d")).len(), 1);
        let after = snapshot(remote.path());
        assert_eq!(after["hooks/pre-receive"], before["hooks/pre-receive"]);
        remote.write_mode("hooks/pre-receive.d/portcullis", "#!/bin/sh\n", 0o755);
        assert!(refused(&remote, &["install", "--server", kind]).0.contains("not ours"));
    }
}

#[test]
fn gitlab_takes_an_archive() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path().join("plain")).unwrap();
    let plain = sandbox.at("plain");
    let said = hook(&plain, &["install", "--server", "gitlab", "pre-receive", "update"]);
    assert!(said.contains("gitaly hooks set") && said.contains("custom_hooks.tar"), "{said}");
    let bytes = fs::read(plain.path().join("custom_hooks.tar")).unwrap();
    assert_eq!(bytes.len() % 10240, 0);
    let output = plain.command("tar").args(["-tvf", "custom_hooks.tar"]).output().unwrap();
    assert!(output.stderr.is_empty(), "{output:?}");
    let listing = String::from_utf8(output.stdout).unwrap();
    let names: Vec<_> = listing.lines().map(|l| (&l[..10], l.rsplit(' ').next().unwrap())).collect();
    assert_eq!(
        names,
        [
            ("drwxr-xr-x", "custom_hooks/"),
            ("drwxr-xr-x", "custom_hooks/pre-receive.d/"),
            ("-rwxr-xr-x", "custom_hooks/pre-receive.d/portcullis"),
            ("drwxr-xr-x", "custom_hooks/update.d/"),
            ("-rwxr-xr-x", "custom_hooks/update.d/portcullis"),
        ]
    );
    assert!(plain.command("tar").args(["-xf", "custom_hooks.tar"]).status().unwrap().success());
    let shim = plain.path().join("custom_hooks/pre-receive.d/portcullis");
    assert_eq!(fs::read_to_string(&shim).unwrap(), hook(&plain, &["install", "--print", "--server", "gitlab"]));
    assert!(plain.command(&shim).status().unwrap().success());
    assert_eq!(calls(&plain), ["pre-receive "]);
    hook(&plain, &["install", "--server", "gitlab", "update", "pre-receive"]);
    assert_eq!(fs::read(plain.path().join("custom_hooks.tar")).unwrap(), bytes);
    assert!(refused(&plain, &["uninstall", "--server", "gitlab"]).1.contains("gitaly hooks set"));
}

#[test]
fn scripts_to_upload_are_complete_and_say_what_is_left() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path().join("plain")).unwrap();
    let plain = sandbox.at("plain");
    for (kind, says, has) in [
        ("ghes", "/usr/local/bin/portcullis", "portcullis=/usr/local/bin/portcullis\n"),
        ("bitbucket", "feature.hook.scripts=true", "hook run pre-receive --server bitbucket -- \"$@\""),
    ] {
        let said = hook(&plain, &["install", "--server", kind, "--output", "upload.sh"]);
        assert!(said.contains(says) && said.contains("upload.sh"), "{said}");
        let path = plain.path().join("upload.sh");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(has), "{text}");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o755);
        assert_eq!(hook(&plain, &["install", "--server", kind, "--output", "-"]), text);
        assert!(refused(&plain, &["install", "--server", kind, "update"]).0.contains("not a hook of a"));
    }
    // The judge of this test is elsewhere, but a server's hook never passes for want of it.
    hook(&plain, &["install", "--server", "ghes", "--output", "upload.sh"]);
    let output = plain.command("./upload.sh").env("PATH", "/nowhere").output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(hook(&plain, &["install", "--print", "--server", "ghes"]).contains("--time-budget 4 -- "));
    assert!(
        hook(&plain, &["install", "--print", "--server", "ghes", "--time-budget", "2"]).contains("--time-budget 2 -- ")
    );
}

#[test]
fn gitolite_has_a_common_hook_and_a_vref() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.path().join("gitolite/hooks/common")).unwrap();
    let gitolite = sandbox.at("gitolite");
    gitolite.write_mode("hooks/common/pre-receive", "#!/bin/sh\nexit 0\n", 0o755);
    let said = hook(&gitolite, &["install", "--server", "gitolite", "pre-receive", "update"]);
    assert!(said.contains("gitolite setup --hooks-only") && said.contains("VREF/portcullis = @all"), "{said}");
    assert!(gitolite.path().join("hooks/common/pre-receive.portcullis-before").is_file());
    // Seven arguments and an output that gitolite reads: the judge gets three, and says it elsewhere.
    judge(&sandbox);
    super::executable(&sandbox.path().join("bin/portcullis"), "#!/bin/sh\necho \"$*\"\n");
    let output =
        gitolite.command("VREF/portcullis").args(["refs/heads/main", "1", "2", "3", "4", "W", "VREF/x"]).output();
    let output = output.unwrap();
    assert!(output.stdout.is_empty());
    let expected = "hook run update --server gitolite -- refs/heads/main 1 2\n";
    assert_eq!(String::from_utf8(output.stderr).unwrap(), expected);
    hook(&gitolite, &["uninstall", "--server", "gitolite"]);
    assert_eq!(snapshot(gitolite.path()).into_iter().filter(|(_, (mode, _))| mode & 0o170000 != 0o040000).count(), 1);
    let repo = TestRepo::init();
    assert!(refused(&repo, &["install", "--server", "gitolite"]).1.contains("-C ~/.gitolite"));
}

#[test]
fn what_the_hook_reads_must_not_depend_on_where_it_starts() {
    let bare = Sandbox::new().init_bare("bare.git", Hash::Sha1);
    for option in ["--policy", "--audit-log"] {
        assert!(refused(&bare, &["install", "--server", "bare", option, "x"]).0.contains("absolute"));
    }
    assert!(refused(&bare, &["install", "--server", "bare", "pre-commit"]).1.contains("reference-transaction"));
    assert!(refused(&bare, &["install", "--server", "bare", "--output", "x"]).0.contains("from the disk"));
    assert!(!bare.path().join("hooks").exists());
}
