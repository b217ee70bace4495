//! `check --cache`: what it spares, and everything that must make it look again.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::{found, json, portcullis, token};
use crate::support::{Hash, TestRepo};

const CLEAN: &str = "replicas: 1\nimage: web\n";

fn leak() -> String {
    format!("token: {}\n", token())
}

/// Until the files there are so old that a change cannot bear the same time.
fn rest() {
    sleep(Duration::from_millis(3100));
}

/// A file that was changed last long ago, as far as its own time tells.
fn write_old(repo: &TestRepo, path: &str, content: impl AsRef<[u8]>) {
    let file = repo.write(path, content);
    let file = std::fs::File::options().write(true).open(file).expect("it was written");
    file.set_modified(SystemTime::now() - Duration::from_secs(86_400)).expect("times can be set");
}

/// Two clean files and one with a secret, committed and at rest.
fn repository(hash: Hash) -> TestRepo {
    let repo = TestRepo::init_with(hash);
    write_old(&repo, "apps/web.yaml", CLEAN);
    write_old(&repo, "apps/api.yaml", CLEAN);
    write_old(&repo, "ops/deploy.yaml", leak());
    repo.commit("feat: apps");
    rest();
    repo
}

fn check(repo: &TestRepo, more: &[&str]) -> Value {
    let (code, report) = json(repo, &[&["check", "--cache"], more].concat());
    assert!(code < 2, "{report}");
    report
}

/// Files read, and files passed over.
fn work(report: &Value) -> (u64, u64) {
    let stat = |name: &str| report["stats"][name].as_u64().expect("a count");
    (stat("blobs_read"), stat("blobs_seen"))
}

/// The report without what it cost.
fn said(mut report: Value) -> Value {
    report["stats"].take();
    report
}

fn file(repo: &TestRepo) -> std::path::PathBuf {
    repo.path().join(".git/portcullis/seen")
}

fn entries(directory: &Path) -> Vec<String> {
    let list = std::fs::read_dir(directory).expect("a directory");
    list.map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn a_second_run_reads_what_was_not_clean_and_says_the_same() {
    for hash in [Hash::Sha1, Hash::Sha256] {
        let repo = repository(hash);
        let plain = json(&repo, &["check"]).1;
        assert_eq!(work(&plain), (3, 0));
        assert!(!repo.path().join(".git/portcullis").exists(), "nobody asked for it");
        let first = check(&repo, &[]);
        assert_eq!(work(&first), (3, 0));
        let second = check(&repo, &[]);
        assert_eq!(work(&second), (1, 2));
        assert_eq!(work(&json(&repo, &["check"]).1), (3, 0), "it is not relied on unless asked");
        assert_eq!(said(plain), said(first));
        assert_eq!(said(second.clone()), said(check(&repo, &[])));
        assert_eq!(found(&second), ["secrets/github-pat ops/deploy.yaml:1:8"]);
        let human = portcullis(&repo, &["check", "--cache", "--stats"]).stdout;
        assert!(String::from_utf8_lossy(&human).contains("cache: 2 files found clean before"));
        assert_eq!(entries(&repo.path().join(".git/portcullis")), ["seen"]);
    }
}

#[test]
fn a_part_of_the_work_tree_relies_on_it_and_leaves_it() {
    let repo = repository(Hash::Sha1);
    check(&repo, &[]);
    assert_eq!(work(&check(&repo, &["apps/web.yaml"])), (0, 1));
    assert_eq!(work(&check(&repo, &[])), (1, 2));
}

#[test]
fn an_edit_that_hides_behind_size_and_time_is_seen() {
    let repo = repository(Hash::Sha1);
    // As long as the leak, so that only the time of change tells.
    let leak = leak();
    write_old(&repo, "apps/web.yaml", format!("{:width$}\n", "word: 1", width = leak.len() - 1));
    repo.git(["add", "-A"]);
    rest();
    check(&repo, &[]);
    assert_eq!(work(&check(&repo, &[])), (1, 2));
    let file = repo.path().join("apps/web.yaml");
    let time = file.metadata().and_then(|m| m.modified()).expect("a time");
    repo.write("apps/web.yaml", &leak);
    std::fs::File::options().write(true).open(&file).and_then(|f| f.set_modified(time)).expect("times can be set");
    let report = check(&repo, &[]);
    assert_eq!(work(&report), (2, 1));
    assert_eq!(report["findings"][0]["also"].as_array().map(Vec::len), Some(1), "both places are told");
}

#[test]
fn what_is_new_or_moved_or_no_longer_tracked_is_read() {
    let repo = repository(Hash::Sha1);
    check(&repo, &[]);
    repo.git(["mv", "apps/web.yaml", "apps/.env"]);
    repo.git(["rm", "-q", "--cached", "apps/api.yaml"]);
    assert_eq!(work(&check(&repo, &[])), (3, 0));
    // What was not seen in the last run is forgotten.
    repo.git(["mv", "apps/.env", "apps/web.yaml"]);
    assert_eq!(work(&check(&repo, &[])), (3, 0));
}

#[test]
fn what_is_too_young_to_tell_a_change_by_its_time_is_not_relied_on() {
    let repo = TestRepo::init();
    repo.write("young.yaml", CLEAN);
    repo.commit("feat: young");
    check(&repo, &[]);
    assert_eq!(work(&check(&repo, &[])), (1, 0), "changed a moment ago");
    // git itself does not trust an entry that is not older than its index.
    let later = SystemTime::now() + Duration::from_secs(3600);
    let file = repo.write("racy.yaml", CLEAN);
    std::fs::File::options().write(true).open(file).and_then(|f| f.set_modified(later)).expect("times can be set");
    repo.commit("feat: racy");
    rest();
    check(&repo, &[]);
    assert_eq!(work(&check(&repo, &[])), (1, 1));
}

#[test]
fn another_policy_or_other_options_look_again() {
    let repo = repository(Hash::Sha1);
    check(&repo, &[]);
    assert_eq!(work(&check(&repo, &[])), (1, 2));
    for options in [&["--only", "secrets"][..], &["--only", "files"], &["--binary"], &["--strict"], &[]] {
        let report = check(&repo, options);
        assert_eq!(report["stats"]["blobs_seen"], 0, "{options:?}");
    }
    let detector = "version: 1\ndetectors: [{ id: replica, name: a replica, keywords: [replicas], pattern: '(?P<secret>replicas: 1)', \
                    confidence: high, matches: ['replicas: 1', 'a replicas: 1'], near-misses: ['replicas: 2', 'replica: 1'] }]\n";
    write_old(&repo, "portcullis.yaml", detector);
    repo.git(["add", "-A"]);
    let report = check(&repo, &[]);
    assert_eq!(report["stats"]["blobs_seen"], 0);
    assert!(found(&report).iter().any(|f| f.starts_with("secrets/replica")), "{report}");
}

#[test]
fn another_program_looks_again() {
    let repo = repository(Hash::Sha1);
    check(&repo, &[]);
    let other = repo.sandbox().path().join("other");
    std::fs::copy(env!("CARGO_BIN_EXE_portcullis"), &other).expect("is copied");
    let run = || {
        let output = repo.command(&other).args(["check", "--cache", "--format", "json"]).output().expect("it runs");
        work(&serde_json::from_slice(&output.stdout).expect("a report"))
    };
    assert_eq!(run(), (3, 0));
    assert_eq!(run(), (1, 2));
}

#[test]
fn whatever_stands_in_its_place_decides_nothing() {
    let repo = repository(Hash::Sha1);
    let fresh = said(check(&repo, &[]));
    let good = std::fs::read(file(&repo)).expect("it is written");
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    let longer = [&good[..], b"\n"].concat();
    let wrongs =
        [Vec::new(), b"rubbish\n".to_vec(), good[..good.len() / 2].to_vec(), good[..good.len() - 1].to_vec(), longer];
    for bytes in wrongs.into_iter().chain((0..good.len()).step_by(13).map(flipped)) {
        std::fs::write(file(&repo), &bytes).expect("is written");
        let report = check(&repo, &[]);
        assert_eq!(work(&report), (3, 0), "{} bytes", bytes.len());
        assert_eq!(said(report), fresh);
        assert_eq!(std::fs::read(file(&repo)).expect("it is mended"), good);
    }
    // A directory in place of the file, a file in place of the directory: nothing can be kept, and nothing is lost.
    std::fs::remove_file(file(&repo)).expect("it stands");
    std::fs::create_dir(file(&repo)).expect("a directory");
    assert_eq!(said(check(&repo, &[])), fresh);
    assert_eq!(entries(&repo.path().join(".git/portcullis")), ["seen"]);
    std::fs::remove_dir_all(repo.path().join(".git/portcullis")).expect("goes");
    repo.write(".git/portcullis", "");
    let report = check(&repo, &[]);
    assert_eq!((work(&report), said(report)), ((3, 0), fresh));
}

#[test]
#[cfg(unix)]
fn a_git_directory_that_cannot_be_written_is_as_good() {
    use std::os::unix::fs::PermissionsExt as _;
    let repo = repository(Hash::Sha1);
    let mode = |bits| std::fs::set_permissions(repo.path().join(".git"), std::fs::Permissions::from_mode(bits));
    mode(0o555).expect("permissions");
    let report = check(&repo, &[]);
    mode(0o755).expect("permissions");
    assert_eq!(work(&report), (3, 0));
}

#[test]
fn runs_at_the_same_time_leave_one_whole_file() {
    let repo = repository(Hash::Sha1);
    for round in 0..3 {
        // Each of two policies replaces what the other one wrote.
        let one = |n: u32| {
            let only: &[&str] = if n.is_multiple_of(2) { &["--only", "secrets"] } else { &[] };
            let mut command = repo.command(env!("CARGO_BIN_EXE_portcullis"));
            command.args(["check", "--cache", "--format", "json"]).args(only).stdout(std::process::Stdio::piped());
            command.spawn().expect("it runs")
        };
        let running: Vec<_> = (0..6).map(one).collect();
        for child in running {
            let output = child.wait_with_output().expect("it ends");
            let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
            assert_eq!(found(&report), ["secrets/github-pat ops/deploy.yaml:1:8"], "round {round}");
        }
        assert_eq!(entries(&repo.path().join(".git/portcullis")), ["seen"]);
    }
    check(&repo, &[]);
    assert_eq!(work(&check(&repo, &[])), (1, 2));
}

#[test]
fn rules_on_state_and_remarks_are_as_without() {
    let repo = TestRepo::init();
    write_old(&repo, "wmill.yaml", "defaultTs: bun\nincludes: 3\n");
    write_old(&repo, "assets/logo.png", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n");
    write_old(&repo, "README.md", "hello\n");
    // Each is fine alone, and the pair is not: a check that remembers has to see both.
    write_old(&repo, "encryption_key.yaml", format!("{}\n", &"Zq7Xk2Vw9Rt4Yp1Lm8Nb3Cd6Fg5Hj0".repeat(3)[..64]));
    write_old(&repo, "f/a/x.variable.yaml", "value: 1Lq4pA0Z8n3mX7tYb2kVwA==\nis_secret: true\n");
    repo.commit("feat: a workspace");
    rest();
    let plain = json(&repo, &["check"]).1;
    assert!(found(&plain).iter().any(|f| f.starts_with("windmill/")), "{plain}");
    assert!(found(&plain).iter().any(|f| f.starts_with("windmill/key-and-secrets")), "{plain}");
    assert!(plain["notes"].to_string().contains("1 LFS pointer"), "{plain}");
    let first = check(&repo, &[]);
    let second = check(&repo, &[]);
    assert!(work(&second).1 > 0 && work(&second).0 < work(&first).0, "{second}");
    assert_eq!(said(first), said(plain.clone()));
    assert_eq!(said(second), said(plain));
}

#[test]
fn each_work_tree_remembers_its_own() {
    let repo = repository(Hash::Sha1);
    check(&repo, &[]);
    let side = repo.linked_worktree("side");
    rest();
    // Its last file is as young as the index that vouches for it: git would look at that again too.
    side.git(["read-tree", "-m", "HEAD"]);
    assert_eq!(work(&check(&side, &[])), (3, 0));
    assert_eq!(work(&check(&side, &[])), (1, 2));
    assert_eq!(work(&check(&repo, &[])), (1, 2));
    assert!(repo.path().join(".git/worktrees/side/portcullis/seen").exists());
}

#[test]
fn it_is_for_work_trees() {
    let repo = TestRepo::init();
    for source in [&["--staged"][..], &["--history"], &["--range", "HEAD"], &["--ref", "HEAD"], &["--push"]] {
        let output = portcullis(&repo, &[&["check", "--cache"], source].concat());
        assert_eq!(output.status.code(), Some(2), "{source:?}");
    }
    let outside = repo.sandbox().command(env!("CARGO_BIN_EXE_portcullis"), repo.sandbox().home());
    let output = { outside }.args(["check", "--cache", "."]).output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("not a git repository"));
}
