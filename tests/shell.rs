//! Quoted words, read back by a real shell.

use std::process::Command;

use portcullis::shell::{pathspec, quote, quote_bytes};

const HOSTILE: &[&[u8]] = &[
    b"",
    b"plain.env",
    b"two words",
    b"x';touch ran;'.env",
    b"$(touch ran)",
    b"`touch ran`",
    b"a\"b",
    b"a\\b",
    b"!history",
    b"~root",
    b"*",
    b"#comment",
    b"a&b|c>d<e",
    b"-rf",
    b"--force",
    b"tab\there",
    b"line\nend",
    b"1\x011",
    b"\xff\xfe9",
    "turned\u{202e}around".as_bytes(),
    "hidden\u{200b}space".as_bytes(),
    "na\u{ef}ve".as_bytes(),
];

fn words_of(command: &str, shell: &str) -> Vec<u8> {
    let out = Command::new(shell).arg("-c").arg(format!("printf '%s\\0' {command}")).output().unwrap();
    assert!(out.status.success(), "{command}");
    out.stdout
}

#[test]
fn a_quoted_word_is_one_word_and_the_same_one() {
    for word in HOSTILE {
        let read = words_of(&quote(word), "bash");
        assert_eq!(read, [*word, b"\0"].concat(), "{}", quote(word));
        assert!(quote(word).chars().all(|c| !portcullis::text::is_unsafe(c)), "{word:?}");
    }
}

#[test]
fn scripts_hold_the_bytes_themselves() {
    for word in HOSTILE.iter().filter(|w| std::str::from_utf8(w).is_ok()) {
        let quoted = String::from_utf8(quote_bytes(word)).unwrap();
        assert_eq!(words_of(&quoted, "sh"), [*word, b"\0"].concat(), "{quoted}");
    }
}

#[test]
fn a_pathspec_names_one_file_and_is_no_option() {
    for (path, wanted) in [
        ("plain.env", "plain.env"),
        ("-rf", "./-rf"),
        ("a*", "':(literal)a*'"),
        (":/top", "':(literal):/top'"),
        ("it's", r"'it'\''s'"),
    ] {
        assert_eq!(pathspec(path), wanted);
    }
}
