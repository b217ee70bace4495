//! Files larger than what is held at once: read to their end wherever they stand, and what cannot be judged is said.

use std::io::Write as _;

use super::{found, json, token};
use crate::support::TestRepo;

/// Just too large to be held.
const LARGE: usize = (64 << 20) + (64 << 10);

/// Empty lines with a token in the last one, and where it is.
fn leak() -> (Vec<u8>, String) {
    let mut text = vec![b'\n'; LARGE];
    writeln!(text, "key: {}", token()).expect("memory");
    (text, format!("secrets/github-pat large.txt:{}:6", LARGE + 1))
}

#[test]
fn a_secret_at_the_end_of_a_large_file_is_found_wherever_it_stands() {
    let (text, place) = leak();
    let repo = TestRepo::init();
    repo.write("large.txt", &text);
    let (_, report) = json(&repo, &["check"]);
    assert_eq!(found(&report), [&*place]);
    assert_eq!(report["stats"]["bytes_read"], text.len());
    assert_eq!(report["findings"][0]["excerpt"]["first_line"], LARGE + 1);
    assert_eq!(report["findings"][0]["span"]["byte_start"], LARGE + 5);
    // Loose; the object has lost its end then.
    repo.git(["add", "large.txt"]);
    let (_, report) = json(&repo, &["check", "--staged"]);
    assert_eq!(found(&report), [&*place]);
    let id = repo.git(["rev-parse", ":large.txt"]);
    let object = repo.path().join(".git/objects").join(&id[..2]).join(&id[2..]);
    let bytes = std::fs::read(&object).expect("a loose object");
    std::fs::remove_file(&object).expect("it goes");
    std::fs::write(&object, &bytes[..bytes.len() / 2]).expect("is written");
    let (code, report) = json(&repo, &["check", "--staged"]);
    assert_eq!((code, report["verdict"].as_str()), (3, Some("undecided")));
    std::fs::remove_file(&object).expect("it goes");
    // In a pack, as git stores what it calls big.
    repo.git(["-c", "core.bigFileThreshold=1m", "add", "--renormalize", "large.txt"]);
    repo.git(["-c", "core.bigFileThreshold=1m", "hash-object", "-w", "large.txt"]);
    assert!(!object.exists() && repo.git(["count-objects", "-v"]).contains("in-pack: 1"));
    let (_, report) = json(&repo, &["check", "--staged"]);
    assert_eq!(found(&report), [&*place]);
}

#[test]
fn a_rule_that_needs_all_of_a_large_file_says_that_it_cannot() {
    let repo = TestRepo::init();
    let file = std::fs::File::create(repo.path().join("server.pem")).expect("a file");
    file.set_len(LARGE as u64).expect("holes");
    let (code, report) = json(&repo, &["check"]);
    assert_eq!(code, 3);
    assert_eq!(report["errors"][0]["origin"]["path"], "server.pem");
    assert!(report["errors"][0]["message"].as_str().is_some_and(|m| m.contains("too large")), "{report}");
    // Nobody needs it: nothing is said, and nothing of it is held.
    std::fs::rename(repo.path().join("server.pem"), repo.path().join("disk.img")).expect("is renamed");
    assert_eq!(json(&repo, &["check"]).0, 0);
}
