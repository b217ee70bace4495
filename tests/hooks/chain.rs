//! The hook that was there before runs as if git had started it.

use std::ffi::OsString;
use std::fs;

use portcullis::error::Kind;
use portcullis::hooks::chain::run_existing;

use crate::support::TestRepo;

fn args(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

#[test]
fn arguments_stdin_and_exit_code_go_through() {
    let repo = TestRepo::init();
    let out = repo.path().join("out");
    let hook =
        repo.write_mode("hook", format!("#!/bin/sh\n{{ echo \"$#:$2\"; cat; }} >'{}'\nexit 7\n", out.display()), 0o755);
    let code = run_existing(&hook, &args(&["origin", "a b\n'c'"]), Some(b"one two\n\0\xff")).unwrap();
    assert_eq!(code, 7);
    assert_eq!(fs::read(&out).unwrap(), b"2:a b\n'c'\none two\n\0\xff");
}

#[test]
fn a_hook_need_not_read_what_it_is_given() {
    let repo = TestRepo::init();
    let hook = repo.write_mode("hook", "#!/bin/sh\nexec <&-\nexit 0\n", 0o755);
    let much = vec![b'x'; 4 << 20];
    assert_eq!(run_existing(&hook, &[], Some(&much)).unwrap(), 0);
}

#[test]
fn more_than_a_pipe_holds_arrives_whole() {
    let repo = TestRepo::init();
    let count = repo.path().join("count");
    let hook = repo.write_mode("hook", format!("#!/bin/sh\nwc -c >'{}'\n", count.display()), 0o755);
    assert_eq!(run_existing(&hook, &[], Some(&vec![b'x'; 1 << 20])).unwrap(), 0);
    assert_eq!(fs::read_to_string(count).unwrap().trim(), (1 << 20).to_string());
}

#[test]
fn a_script_without_an_interpreter_line_runs_as_git_runs_it() {
    let repo = TestRepo::init();
    let hook = repo.write_mode("hook", "test \"$1\" = x && exit 5\n", 0o755);
    assert_eq!(run_existing(&hook, &args(&["x"]), None).unwrap(), 5);
}

#[test]
fn what_git_would_skip_is_skipped() {
    let repo = TestRepo::init();
    let plain = repo.write_mode("plain", "#!/bin/sh\nexit 1\n", 0o644);
    assert_eq!(run_existing(&plain, &[], None).unwrap(), 0);
    let dangling = repo.path().join("dangling");
    std::os::unix::fs::symlink("nowhere", &dangling).unwrap();
    assert_eq!(run_existing(&dangling, &[], None).unwrap(), 0);
}

#[test]
fn a_kept_hook_that_is_gone_is_no_verdict() {
    let repo = TestRepo::init();
    let error = run_existing(&repo.path().join("gone"), &[], None).unwrap_err();
    assert_eq!(error.kind, Kind::Undecided);
    assert!(error.hint.unwrap().contains("portcullis hook install"));
}

#[test]
fn an_end_by_a_signal_is_a_failure_as_in_a_shell() {
    let repo = TestRepo::init();
    let hook = repo.write_mode("hook", "#!/bin/sh\nkill -TERM $$\n", 0o755);
    assert_eq!(run_existing(&hook, &[], None).unwrap(), 128 + 15);
}

#[test]
fn the_hook_is_told_that_it_is_our_child() {
    let repo = TestRepo::init();
    let hook = repo.write_mode("hook", "#!/bin/sh\ntest \"$PORTCULLIS_CHAIN\" = \"$PPID\"\n", 0o755);
    assert_eq!(run_existing(&hook, &[], None).unwrap(), 0);
}
