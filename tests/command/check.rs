//! `portcullis check`: every source, exit codes, and what never comes out.

use std::io::Read as _;
use std::process::Stdio;

use super::{found, json, portcullis, token};
use crate::support::{Hash, TestRepo};

const RULE: &str = "secrets/github-pat";

fn line() -> String {
    format!("# deploy\ntoken: {}\n", token())
}

#[test]
fn a_clean_tree_passes_and_a_secret_fails() {
    let repo = TestRepo::init();
    repo.write("README.md", "hello\n");
    let (code, report) = json(&repo, &["check"]);
    assert_eq!((code, report["verdict"].as_str()), (0, Some("pass")));
    repo.write("ops/deploy.yaml", line());
    let (code, report) = json(&repo, &["check"]);
    assert_eq!(code, 1);
    assert_eq!(found(&report), [format!("{RULE} ops/deploy.yaml:2:8")]);
    assert_eq!(report["summary"]["errors"], 1);
}

#[test]
fn the_secret_is_in_no_output() {
    let repo = TestRepo::init();
    repo.write("a.yaml", line());
    repo.write(&format!("named-{}.txt", token()), line());
    repo.commit(&format!("feat: use {}", token()));
    let formats = "human json jsonl sarif github gitlab gitlab-secrets junit checkstyle rdjson";
    for format in formats.split(' ') {
        for source in [&["check"][..], &["check", "--history"]] {
            let output = portcullis(&repo, &[source, &["--format", format, "-v"]].concat());
            assert_eq!(output.status.code(), Some(1), "{format}");
            for stream in [output.stdout, output.stderr] {
                assert!(!String::from_utf8_lossy(&stream).contains(&token()[8..30]), "{format} shows the secret");
            }
        }
    }
}

#[test]
fn what_is_staged_is_judged_and_not_the_work_tree() {
    let repo = TestRepo::init();
    repo.write("a.yaml", line());
    // An unborn branch has an index too.
    repo.git(["add", "-A"]);
    assert_eq!(json(&repo, &["check", "--staged"]).0, 1);
    repo.write("a.yaml", "clean: true\n");
    assert_eq!(json(&repo, &["check", "--staged"]).0, 1, "the copy on disk is not what is committed");
    repo.write(".gitattributes", "*.yaml binary\n");
    repo.git(["add", ".gitattributes"]);
    assert_eq!(json(&repo, &["check", "--staged"]).0, 1, "an attribute does not make it binary");
    repo.git(["add", "a.yaml"]);
    assert_eq!(json(&repo, &["check", "--staged"]).0, 0);
    repo.commit("feat: a");
    let linked = repo.linked_worktree("side");
    linked.write("b.yaml", line());
    linked.git(["add", "-A"]);
    assert_eq!(json(&linked, &["check", "--staged"]).0, 1);
}

#[test]
fn another_index_is_read_when_git_names_one() {
    let repo = TestRepo::init();
    repo.write("a", "1\n");
    repo.commit("feat: a");
    repo.write("a.yaml", line());
    let other = repo.path().join(".git/next-index");
    for arguments in [&["read-tree", "HEAD"][..], &["add", "a.yaml"]] {
        let done = repo.command("git").env("GIT_INDEX_FILE", &other).args(arguments).status().unwrap();
        assert!(done.success());
    }
    assert_eq!(json(&repo, &["check", "--staged"]).0, 0, "the usual index has nothing staged");
    let mut check = repo.command(env!("CARGO_BIN_EXE_portcullis"));
    let output = check.env("GIT_INDEX_FILE", &other).args(["check", "--staged"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_range_finds_what_came_and_went() {
    for hash in [Hash::Sha1, Hash::Sha256] {
        let repo = TestRepo::init_with(hash);
        repo.write("a", "1\n");
        let first = repo.commit("feat: a");
        repo.write("leak.yaml", line());
        let leak = repo.commit("feat: leak");
        std::fs::remove_file(repo.path().join("leak.yaml")).unwrap();
        repo.commit("fix: take it away");
        let (code, report) = json(&repo, &["check", "--range", &format!("{first}..HEAD")]);
        assert_eq!(code, 1);
        assert_eq!(found(&report), [format!("{RULE} leak.yaml:2:8")]);
        assert_eq!(report["findings"][0]["origin"]["commit"], leak.as_str());
        assert_eq!(json(&repo, &["check"]).0, 0, "the work tree is clean");
    }
}

#[test]
fn messages_tags_merges_and_renames_are_seen() {
    let repo = TestRepo::init();
    repo.write("a", "1\n");
    let first = repo.commit("feat: a");
    repo.git(["commit", "-q", "--allow-empty", "-m", &format!("feat: b\n\nwith {}", token())]);
    assert_eq!(json(&repo, &["check", "--range", &format!("{first}..")]).0, 1, "in a message");

    let repo = TestRepo::init();
    repo.write("a", "1\n");
    repo.commit("feat: a");
    repo.git(["tag", "-a", "v1.0.0", "-m", &token()]);
    let (code, report) = json(&repo, &["check", "--history"]);
    assert_eq!((code, report["findings"][0]["origin"]["kind"].as_str()), (1, Some("tag")));

    let repo = TestRepo::init();
    repo.write("old.yaml", line());
    let first = repo.commit("feat: a");
    repo.git(["mv", "old.yaml", "new.yaml"]);
    repo.commit("refactor: rename");
    let (code, report) = json(&repo, &["check", "--range", &format!("{first}..HEAD")]);
    assert_eq!((code, found(&report)), (1, vec![format!("{RULE} new.yaml:2:8")]), "a new pair of an old blob");

    let repo = TestRepo::init();
    let first = repo.commit("feat: base");
    repo.git(["checkout", "-qb", "topic"]);
    repo.commit("feat: topic");
    repo.git(["checkout", "-q", "main"]);
    repo.commit("feat: main");
    repo.git(["merge", "-q", "--no-ff", "--no-commit", "topic"]);
    repo.write("only-in-merge.yaml", line());
    repo.commit("feat: merge");
    assert_eq!(json(&repo, &["check", "--range", &format!("{first}..HEAD")]).0, 1, "in a merge's own tree");
}

#[test]
fn one_secret_at_many_places_is_one_finding() {
    let repo = TestRepo::init();
    repo.write("a.yaml", line());
    repo.write("b/other.yaml", format!("key: 1\n{}", line()));
    let (_, report) = json(&repo, &["check"]);
    assert_eq!(report["findings"].as_array().unwrap().len(), 1);
    assert_eq!(report["findings"][0]["also"][0]["path"], "b/other.yaml");
}

#[test]
fn the_report_is_the_same_for_any_number_of_threads() {
    let repo = TestRepo::init();
    for n in 0..200 {
        let text = if n % 7 == 0 { line() } else { format!("value: {n}\n") };
        repo.write(&format!("d{}/f{n}.yaml", n % 13), text);
    }
    let first = repo.commit("feat: many");
    for n in 0..90 {
        repo.write(&format!("more/{n}.yaml"), format!("password: \"Tr0ub4dor-{n}-xk\"\n"));
        repo.git(["add", "-A"]);
        repo.git(["commit", "-q", "-m", "not conventional"]);
    }
    let range = format!("{first}..HEAD");
    for source in [&["check"][..], &["check", "--range", &range], &["check", "--history"]] {
        let run = |jobs| portcullis(&repo, &[source, &["--format", "json", "--jobs", jobs]].concat()).stdout;
        let one = run("1");
        assert!(one.len() > 1000);
        for jobs in ["2", "5"] {
            assert!(one == run(jobs), "{source:?} differs with {jobs} threads");
        }
    }
}

#[test]
fn work_is_counted_and_nothing_unwanted_is_read() {
    let repo = TestRepo::init();
    for n in 0..50 {
        repo.write(&format!("f{n}"), format!("{n}\n"));
    }
    repo.commit("feat: many");
    repo.write("f1", "changed\n");
    repo.git(["add", "-A"]);
    let (_, report) = json(&repo, &["check", "--staged"]);
    assert_eq!(report["stats"]["blobs_read"], 1, "one file is staged");
    repo.write("message", "feat: x\n");
    let (code, report) = json(&repo, &["check", "--message", "message"]);
    assert_eq!((code, report["stats"]["blobs_read"].as_u64()), (0, Some(0)));
    assert_eq!(report["stats"]["patterns_compiled"], 0);
    repo.write("portcullis.yaml", "version: 1\nrules: { secrets: { exclude: ['*'] }, files: { severity: off } }\n");
    let (_, report) = json(&repo, &["check"]);
    assert_eq!(report["stats"]["blobs_read"], 0, "no check wants any path");
}

#[test]
fn a_file_that_several_families_judge_is_read_once() {
    let repo = TestRepo::init();
    let policy = "version: 1\nenvironments: { staging: { branch: dev }, production: { branch: main } }\nrules:\n  divergence:\n    \
        sources: [{ id: apps, format: k8s-config, path: '{environment}/*.yaml' }]\nassertions:\n  \
        - { id: kind, files: '**/*.yaml', path: kind, present: true, message: say what it is }\n";
    repo.write("portcullis.yaml", policy);
    for environment in ["staging", "production"] {
        let text = "kind: ConfigMap\nmetadata: { name: a }\ndata: { A: b }\n---\nkind: Application\napiVersion: argoproj.io/v1\n";
        repo.write(&format!("{environment}/a.yaml"), text);
    }
    repo.git(["add", "-A"]);
    let only = ["--only", "divergence", "--only", "deployments", "--only", "assertions"];
    let mut arguments = vec!["check"];
    arguments.extend(only);
    let (_, report) = json(&repo, &arguments);
    assert_eq!(report["stats"]["blobs_read"], 3, "two files and the policy: {report}");
}

#[test]
fn a_change_whose_state_before_cannot_be_read_is_not_passed() {
    let repo = TestRepo::init();
    let policy = "version: 1\nenvironments: { staging: { branch: dev }, production: { branch: main } }\nrules:\n  divergence:\n    \
        sources: [{ id: api, format: dotenv, files: { staging: s.env, production: p.env } }]\n";
    repo.write("portcullis.yaml", policy);
    repo.write("s.env", "A=one\nB=two\n");
    repo.write("p.env", "A=one\nB=two\n");
    let head = repo.commit("feat: environments");
    repo.write("p.env", "A=one\n");
    repo.git(["add", "-A"]);
    let check = || json(&repo, &["check", "--staged", "--only", "divergence"]).0;
    assert_eq!(check(), 1, "production loses a key");
    repo.git(["tag", "-a", "-m", "one", "v1"]);
    repo.git(["symbolic-ref", "HEAD", "refs/tags/v1"]);
    assert_eq!(check(), 1, "the same where HEAD is at a tag");
    repo.git(["symbolic-ref", "HEAD", "refs/heads/main"]);
    std::fs::remove_file(repo.path().join(".git/objects").join(&head[..2]).join(&head[2..])).unwrap();
    assert_eq!(check(), 3, "whether it had the key nobody knows");
}

#[test]
fn a_message_is_judged_as_git_will_keep_it() {
    let repo = TestRepo::init();
    repo.write("m", "feat: add x\n\n# Please enter the commit message\n# long comments are git's\n");
    assert_eq!(json(&repo, &["check", "--message", "m"]).0, 0);
    repo.write("m", "Added x\n");
    let (code, report) = json(&repo, &["check", "--message", "m"]);
    assert_eq!((code, found(&report)), (1, vec!["conventional-commits/type-missing message:1:1".to_owned()]));
    assert_eq!(report["findings"][0]["origin"]["kind"], "message");
}

#[test]
fn outside_a_repository_files_are_checked_and_it_is_said() {
    let repo = TestRepo::init();
    let plain = repo.sandbox().path().join("plain");
    std::fs::create_dir(&plain).unwrap();
    std::fs::write(plain.join("x.yaml"), line()).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = repo.sandbox().command(env!("CARGO_BIN_EXE_portcullis"), &plain);
        command.args(arguments).output().unwrap()
    };
    let output = run(&["check", "."]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("not a git repository"));
    assert_eq!(run(&["check", "--staged"]).status.code(), Some(3));
    assert_eq!(run(&["check", "nothing-here"]).status.code(), Some(2));
}

#[test]
fn a_reader_who_leaves_is_no_failure() {
    let repo = TestRepo::init();
    for n in 0..400 {
        repo.write(&format!("f{n}"), format!("password = \"Tr0ub4dor-{n}-xkcd\"\n"));
    }
    let mut check = repo.command(env!("CARGO_BIN_EXE_portcullis"));
    let mut child = check.args(["check"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut byte = [0];
    child.stdout.take().unwrap().read_exact(&mut byte).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn what_cannot_be_read_is_never_a_pass() {
    let repo = TestRepo::init();
    repo.write("a", "1\n");
    let first = repo.commit("feat: a");
    repo.write("b", "2\n");
    repo.commit("feat: b");
    let blob = repo.rev("HEAD:b");
    std::fs::remove_file(repo.path().join(".git/objects").join(&blob[..2]).join(&blob[2..])).unwrap();
    let (code, report) = json(&repo, &["check", "--range", &format!("{first}..HEAD")]);
    assert_eq!((code, report["verdict"].as_str()), (3, Some("undecided")));
    assert!(report["errors"][0]["message"].as_str().unwrap().contains(&blob));
    assert_eq!(portcullis(&repo, &["check", "--range", "nowhere..HEAD"]).status.code(), Some(3));
    assert_eq!(portcullis(&repo, &["check", "--range", "HEAD"]).status.code(), Some(2));
}

#[test]
fn bad_input_is_normal() {
    let repo = TestRepo::init();
    repo.write("nul.bin", b"\0\x01\xff\xfe".repeat(5000));
    repo.write("latin1.txt", b"gr\xfc\xdfe\r\npassword: geheim\r\n");
    repo.write("long.js", [b"x=1;".repeat(1 << 18), line().into_bytes()].concat());
    repo.write("bom.yaml", ["\u{feff}".as_bytes(), line().as_bytes()].concat());
    repo.write("empty", "");
    std::os::unix::fs::symlink("nowhere", repo.path().join("dangling")).unwrap();
    let (code, report) = json(&repo, &["check"]);
    assert_eq!(code, 1);
    assert!(found(&report).iter().any(|f| f.starts_with(RULE)), "{:?}", found(&report));
    let output = portcullis(&repo, &["check"]);
    assert!(output.stdout.split(|b| *b == b'\n').all(|l| l.len() < 1000), "long lines are windowed");
}

#[test]
fn a_fresh_ssh_key_is_found_under_any_name() {
    let repo = TestRepo::init();
    let made = repo.command("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", "deploy_key"]).status();
    if !made.is_ok_and(|s| s.success()) {
        // No ssh-keygen here: the detector's own examples stand for it.
        return;
    }
    let (code, report) = json(&repo, &["check"]);
    assert_eq!((code, found(&report)), (1, vec!["secrets/private-key deploy_key:1:1".to_owned()]));
}
