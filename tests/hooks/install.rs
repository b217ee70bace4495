//! Installing in a repository, and taking away again.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use portcullis::hooks::Hook;
use portcullis::hooks::shim::marker;

use super::{calls, hook, host, refused, snapshot, try_hook, try_hook_on, verdict};
use crate::support::{Hash, Sandbox, TestRepo};

fn mode(path: &std::path::Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[test]
fn git_runs_the_four_client_hooks() {
    for format in [Hash::Sha1, Hash::Sha256] {
        let repo = TestRepo::init_with(format);
        hook(&repo, &["install"]);
        repo.write("a", "a\n");
        let first = repo.commit("feat: a");
        assert_eq!(calls(&repo), ["pre-commit ", "commit-msg .git/COMMIT_EDITMSG"]);
        repo.git(["switch", "-q", "-c", "topic"]);
        repo.write("b", "b\n");
        repo.commit("feat: b");
        repo.git(["switch", "-q", "main"]);
        calls(&repo);
        repo.git(["merge", "-q", "--no-ff", "topic"]);
        assert_eq!(calls(&repo), ["pre-merge-commit ", "commit-msg .git/MERGE_MSG"]);
        let remote = repo.bare_remote("origin");
        repo.git(["push", "-q", "origin", "main"]);
        assert_eq!(calls(&repo), [format!("pre-push origin {}", remote.path().display())]);
        let stdin = fs::read_to_string(repo.sandbox().path().join("bin/stdin")).unwrap();
        let zeros = "0".repeat(first.len());
        assert_eq!(stdin, format!("refs/heads/main {} refs/heads/main {zeros}\n", repo.rev("main")));
    }
}

#[test]
fn the_verdict_is_the_hooks() {
    let repo = TestRepo::init();
    hook(&repo, &["install"]);
    verdict(&repo, 1);
    repo.write("a", "a\n");
    repo.git(["add", "a"]);
    assert!(!repo.try_git(["commit", "-q", "-m", "feat: a"]).status.success());
    verdict(&repo, 0);
    repo.git(["commit", "-q", "-m", "feat: a"]);
}

#[test]
fn twice_is_once_to_the_byte() {
    let repo = TestRepo::init();
    repo.write_mode(".git/hooks/pre-push", "#!/bin/sh\nexit 0\n", 0o750);
    hook(&repo, &["install"]);
    let first = snapshot(&repo.path().join(".git"));
    let said = hook(&repo, &["install"]);
    assert_eq!(snapshot(&repo.path().join(".git")), first);
    assert_eq!(said.lines().filter(|l| l.contains("is there already")).count(), 4, "{said}");
}

#[test]
fn nothing_is_left_after_uninstall() {
    let repo = TestRepo::init();
    fs::create_dir_all(repo.path().join(".git/hooks")).unwrap();
    let tools = repo.write_mode("tools/push.sh", "#!/bin/sh\n", 0o755);
    repo.write_mode(".git/hooks/pre-commit", "#!/bin/sh\necho mine\n", 0o700);
    repo.write_mode(".git/hooks/commit-msg", b"\x7fELF\0\xff", 0o644);
    symlink("../../tools/push.sh", repo.path().join(".git/hooks/pre-push")).unwrap();
    symlink("nowhere", repo.path().join(".git/hooks/pre-merge-commit")).unwrap();
    repo.write(".git/hooks/update.sample", "x");
    let before = snapshot(&repo.path().join(".git"));
    hook(&repo, &["install"]);
    assert_ne!(snapshot(&repo.path().join(".git")), before);
    assert_eq!(fs::read(tools).unwrap(), b"#!/bin/sh\n");
    hook(&repo, &["uninstall"]);
    assert_eq!(snapshot(&repo.path().join(".git")), before);
    assert_eq!(hook(&repo, &["uninstall"]).matches("left alone").count(), 4);
}

#[test]
fn the_hook_that_was_there_runs_first_and_counts() {
    let repo = TestRepo::init();
    repo.write("a", "a\n");
    repo.commit("feat: a");
    repo.bare_remote("origin");
    let seen = repo.path().join("../seen");
    let script = format!("#!/bin/sh\n{{ echo \"$1\"; cat; }} >'{}'\ntest ! -e '{0}.no'\n", seen.display());
    repo.write_mode(".git/hooks/pre-push", script, 0o755);
    hook(&repo, &["install"]);
    repo.git(["push", "-q", "origin", "main"]);
    let given = format!("refs/heads/main {} refs/heads/main {}\n", repo.rev("main"), "0".repeat(40));
    assert_eq!(fs::read_to_string(&seen).unwrap(), format!("origin\n{given}"));
    assert_eq!(fs::read_to_string(repo.sandbox().path().join("bin/stdin")).unwrap(), given);
    assert!(calls(&repo).last().unwrap().ends_with("after .git/hooks/pre-push.portcullis-before"));
    fs::write(seen.with_extension("no"), "").unwrap();
    assert!(!repo.try_git(["push", "-q", "origin", "main:other"]).status.success());
}

#[test]
fn a_hook_that_git_skipped_is_still_skipped() {
    let repo = TestRepo::init();
    repo.write_mode(".git/hooks/pre-commit", "#!/bin/sh\nexit 1\n", 0o644);
    hook(&repo, &["install", "pre-commit"]);
    repo.write("a", "a\n");
    repo.commit("feat: a");
    assert_eq!(mode(&repo.path().join(".git/hooks/pre-commit.portcullis-before")), 0o644);
}

#[test]
fn a_lost_mode_bit_is_repaired() {
    let repo = TestRepo::init();
    hook(&repo, &["install", "pre-commit"]);
    let path = repo.path().join(".git/hooks/pre-commit");
    let text = fs::read(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(hook(&repo, &["install", "pre-commit"]).contains("executable again"));
    assert_eq!((mode(&path), fs::read(&path).unwrap()), (0o755, text));
}

#[test]
fn an_old_shim_is_updated_and_an_edited_one_is_not() {
    let repo = TestRepo::init();
    hook(&repo, &["install", "pre-commit"]);
    let path = repo.path().join(".git/hooks/pre-commit");
    let current = fs::read(&path).unwrap();
    // An intact shim with another path in it: what another version or another place of the binary leaves behind.
    let other = {
        let mut host = host(&repo);
        host.binary = "/opt/old/portcullis".into();
        try_hook_on(&host, &["install", "pre-commit"]).unwrap();
        fs::read(&path).unwrap()
    };
    assert_ne!(other, current);
    assert!(marker(&other).unwrap().intact);
    assert!(hook(&repo, &["install", "pre-commit"]).contains("updated from"));
    assert_eq!(fs::read(&path).unwrap(), current);

    let edited = [current.as_slice(), b"# mine\n"].concat();
    fs::write(&path, &edited).unwrap();
    assert!(!marker(&edited).unwrap().intact);
    for verb in ["install", "uninstall"] {
        assert!(refused(&repo, &[verb, "pre-commit"]).0.contains("changed by hand"));
        assert_eq!(fs::read(&path).unwrap(), edited);
    }
    hook(&repo, &["install", "--force", "pre-commit"]);
    assert_eq!(fs::read(&path).unwrap(), current);
}

#[test]
fn a_kept_hook_without_a_shim_is_taken_up_again() {
    let repo = TestRepo::init();
    let path = repo.write_mode(".git/hooks/pre-commit", "#!/bin/sh\n", 0o711);
    let before = snapshot(&repo.path().join(".git/hooks"));
    hook(&repo, &["install", "pre-commit"]);
    let installed = snapshot(&repo.path().join(".git/hooks"));
    fs::remove_file(&path).unwrap();
    hook(&repo, &["install", "pre-commit"]);
    assert_eq!(snapshot(&repo.path().join(".git/hooks")), installed);
    fs::remove_file(&path).unwrap();
    hook(&repo, &["uninstall", "pre-commit"]);
    assert_eq!(snapshot(&repo.path().join(".git/hooks")), before);
}

#[test]
fn somebody_elses_hook_in_our_place_is_never_lost() {
    let repo = TestRepo::init();
    repo.write_mode(".git/hooks/pre-commit", "#!/bin/sh\n# first\n", 0o755);
    hook(&repo, &["install", "pre-commit"]);
    repo.write_mode(".git/hooks/pre-commit", "#!/bin/sh\n# second\n", 0o755);
    let both = snapshot(&repo.path().join(".git/hooks"));
    assert!(refused(&repo, &["install", "pre-commit"]).0.contains("pre-commit.portcullis-before"));
    assert!(hook(&repo, &["uninstall", "pre-commit"]).contains("left alone"));
    assert_eq!(snapshot(&repo.path().join(".git/hooks")), both);
}

#[test]
fn one_refusal_and_nothing_is_written() {
    let repo = TestRepo::init();
    fs::create_dir_all(repo.path().join(".git/hooks/pre-push")).unwrap();
    let before = snapshot(&repo.path().join(".git/hooks"));
    assert!(refused(&repo, &["install"]).0.contains("pre-push is not a file"));
    assert_eq!(snapshot(&repo.path().join(".git/hooks")), before);
}

#[test]
fn unknown_hooks_get_the_nearest_name() {
    let repo = TestRepo::init();
    for verb in ["install", "uninstall", "status", "doctor"] {
        let (message, hint) = refused(&repo, &[verb, "pre-comit"]);
        assert!(message.contains("`pre-comit`") && hint.contains("`pre-commit`"), "{message}; {hint}");
    }
    assert!(refused(&repo, &["install", "zzzzzzzzzzzz"]).1.contains("reference-transaction"));
    assert!(!repo.path().join(".git/hooks").exists());
}

#[test]
fn every_name_is_found_again() {
    for one in Hook::ALL {
        assert_eq!(Hook::from_name(one.name()).unwrap(), one);
    }
}

#[test]
fn a_missing_binary_refuses_and_says_how_to_install() {
    let repo = TestRepo::init();
    hook(&repo, &["install"]);
    fs::remove_file(repo.sandbox().path().join("bin/portcullis")).unwrap();
    repo.write("a", "a\n");
    repo.git(["add", "a"]);
    let output = repo.try_git(["commit", "-q", "-m", "feat: a"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("install.sh"), "{said}");
    let output = repo.command(repo.path().join(".git/hooks/pre-commit")).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn optional_warns_and_still_runs_the_kept_hook() {
    let repo = TestRepo::init();
    repo.write_mode(".git/hooks/commit-msg", "#!/bin/sh\necho \"kept $1\" >&2\ntest ! -e \"$1.no\"\n", 0o755);
    hook(&repo, &["install", "--optional"]);
    fs::remove_file(repo.sandbox().path().join("bin/portcullis")).unwrap();
    repo.write("a", "a\n");
    repo.git(["add", "a"]);
    let output = repo.try_git(["commit", "-m", "feat: a"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("pre-commit hook checks nothing") && said.contains("kept .git/COMMIT_EDITMSG"), "{said}");
    repo.write(".git/COMMIT_EDITMSG.no", "");
    assert!(!repo.try_git(["commit", "--allow-empty", "-m", "feat: b"]).status.success());
}

#[test]
fn the_binary_is_found_where_it_usually_is() {
    let repo = TestRepo::init();
    let shim = repo.path().join(".git/hooks/pre-commit");
    hook(&repo, &["install", "pre-commit"]);
    let bin = repo.sandbox().path().join("bin/portcullis");
    for (place, path) in [
        (repo.sandbox().home().join(".cargo/bin"), "/nowhere".to_owned()),
        (repo.sandbox().home().join(".local/bin"), String::new()),
        (
            repo.sandbox().path().join("with space"),
            format!("/nowhere::{}", repo.sandbox().path().join("with space").display()),
        ),
    ] {
        fs::create_dir_all(&place).unwrap();
        let there = place.join("portcullis");
        super::executable(&there, "#!/bin/sh\necho \"$0 $*\"\n");
        let hidden = bin.with_extension("hidden");
        fs::rename(&bin, &hidden).unwrap();
        let output = repo.command(&shim).env("PATH", path).arg("a b").output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(said, format!("{} hook run pre-commit -- a b\n", there.display()));
        fs::rename(&hidden, &bin).unwrap();
        fs::remove_file(there).unwrap();
    }
}

#[test]
fn a_portcullis_in_the_work_tree_is_never_run() {
    let repo = TestRepo::init();
    hook(&repo, &["install", "pre-commit"]);
    fs::remove_file(repo.sandbox().path().join("bin/portcullis")).unwrap();
    repo.write_mode("portcullis", "#!/bin/sh\nexit 0\n", 0o755);
    repo.write_mode("bin/portcullis", "#!/bin/sh\nexit 0\n", 0o755);
    for path in [":.:bin:", ".", ""] {
        let output = repo.command(repo.path().join(".git/hooks/pre-commit")).env("PATH", path).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{path:?}");
    }
}

#[test]
fn odd_paths_survive_the_shell() {
    let sandbox = Sandbox::new();
    let name = "it's \"a\" $(dir) `x` @HOOK@ \\ é";
    let repo = sandbox.init(name, Hash::Sha1);
    let mut host = host(&repo);
    host.binary = sandbox.path().join(name).join("bin dir");
    fs::create_dir_all(&host.binary).unwrap();
    host.binary = host.binary.join("portcullis");
    super::executable(&host.binary, "#!/bin/sh\necho \"$*\"\n");
    repo.write_mode(".git/hooks/commit-msg", "#!/bin/sh\n", 0o755);
    try_hook_on(&host, &["install", "commit-msg"]).unwrap();
    crate::support::settle(&sandbox);
    let output = repo.command(".git/hooks/commit-msg").env("PATH", "").arg("a  b").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(said, "hook run commit-msg --chain .git/hooks/commit-msg.portcullis-before -- a  b\n");
}

#[test]
fn a_link_is_the_binary_under_the_hooks_name() {
    let repo = TestRepo::init();
    let binary = super::judge(repo.sandbox());
    super::executable(&binary, "#!/bin/sh\necho \"$0 $1\" >>\"$(dirname \"$(readlink -f \"$0\")\")/log\"\n");
    hook(&repo, &["install", "--link"]);
    let linked = snapshot(&repo.path().join(".git/hooks"));
    assert_eq!(fs::read_link(repo.path().join(".git/hooks/pre-push")).unwrap(), binary);
    hook(&repo, &["install", "--link"]);
    assert_eq!(snapshot(&repo.path().join(".git/hooks")), linked);
    repo.write("a", "a\n");
    repo.commit("feat: a");
    assert_eq!(calls(&repo), [".git/hooks/pre-commit ", ".git/hooks/commit-msg .git/COMMIT_EDITMSG"]);
    hook(&repo, &["install"]);
    assert!(fs::read_link(repo.path().join(".git/hooks/pre-push")).is_err());
    hook(&repo, &["install", "--link"]);
    hook(&repo, &["uninstall"]);
    assert!(snapshot(&repo.path().join(".git/hooks")).is_empty());
    repo.write_mode(".git/hooks/pre-push", "#!/bin/sh\n", 0o755);
    assert!(refused(&repo, &["install", "--link"]).0.contains("a link cannot run it first"));
}

#[test]
fn print_shows_the_file_and_writes_none() {
    let repo = TestRepo::init();
    let printed = hook(&repo, &["install", "--print", "pre-commit"]);
    assert!(!repo.path().join(".git/hooks").exists());
    hook(&repo, &["install", "pre-commit"]);
    assert_eq!(fs::read_to_string(repo.path().join(".git/hooks/pre-commit")).unwrap(), printed);
    let several = hook(&repo, &["install", "--print"]);
    assert_eq!(several.matches("==> ").count(), 4);
}

#[test]
fn a_template_serves_new_repositories() {
    let repo = TestRepo::init();
    assert!(refused(&repo, &["install", "--template"]).1.contains("init.templateDir"));
    repo.git(["config", "--global", "init.templateDir", "~/template"]);
    hook(&repo, &["install", "--template"]);
    repo.git(["init", "-q", "../fresh"]);
    let fresh = repo.sandbox().at("fresh");
    fresh.write("a", "a\n");
    fresh.commit("feat: a");
    assert_eq!(calls(&fresh), ["pre-commit ", "commit-msg .git/COMMIT_EDITMSG"]);
    hook(&repo, &["uninstall", "--template"]);
    assert!(snapshot(&repo.sandbox().home().join("template/hooks")).is_empty());
}

#[test]
fn a_hook_that_asks_for_its_name_is_pointed_out() {
    let repo = TestRepo::init();
    repo.write_mode(".git/hooks/pre-commit", "#!/bin/sh\ncase $(basename \"$0\") in *) ;; esac\n", 0o755);
    assert!(hook(&repo, &["install"]).contains("it seems to ask for its own name"));
}

#[test]
fn no_repository_is_a_usage_error() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path().join("plain")).unwrap();
    let plain = sandbox.at("plain");
    for verb in ["install", "uninstall", "status", "doctor"] {
        let (message, _) = refused(&plain, &[verb]);
        assert!(message.contains("not a git repository"), "{verb}: {message}");
    }
    assert!(try_hook(&plain, &["install", "--print", "update"]).is_ok());
}
