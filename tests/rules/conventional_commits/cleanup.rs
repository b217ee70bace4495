//! Git's clean-up of the message file.

use portcullis::rules::conventional_commits::cleanup::{CommentChar, Mode, REMOVED, cleanup, decode};
use portcullis::rules::conventional_commits::parse::parse;

fn cleaned(message: &str, mode: Mode, comment: &str, verbose: bool) -> String {
    let out = cleanup(message.as_bytes(), mode, &CommentChar::parse(Some(comment.into())), verbose);
    assert_eq!(out.len(), message.len(), "offsets stay");
    assert_eq!(out.iter().filter(|b| **b == b'\n').count(), message.matches('\n').count(), "lines stay");
    out.to_string().replace(char::from(REMOVED), "~")
}

const SCISSORS: &str = "------------------------ >8 ------------------------\n";

#[test]
fn comments_are_removed_as_git_does() {
    assert_eq!(cleaned("a\n# b\n #c\nd # e\n", Mode::Strip, "#", false), "a\n~~~\n #c\nd # e\n");
    assert_eq!(cleaned("a\n# b\n", Mode::Whitespace, "#", false), "a\n# b\n");
    assert_eq!(cleaned("a\n# b\n", Mode::Verbatim, "#", false), "a\n# b\n");
    assert_eq!(cleaned("a\n# b\n; c\n", Mode::Strip, ";", false), "a\n# b\n~~~\n");
    assert_eq!(cleaned("a\n/ b\n// c\n", Mode::Strip, "//", false), "a\n/ b\n~~~~\n");
    assert_eq!(cleaned("a\r\n# b\r\n", Mode::Strip, "#", false), "a\r\n~~~~\n");
    assert_eq!(cleaned("", Mode::Strip, "#", true), "");
}

#[test]
fn everything_after_the_scissors_is_removed() {
    let text = format!("a\n# b\n# {SCISSORS}diff\n\n+x");
    let gone = "~".repeat(SCISSORS.len() + 1);
    assert_eq!(cleaned(&text, Mode::Scissors, "#", false), format!("a\n# b\n{gone}\n~~~~\n\n~~"));
    assert_eq!(cleaned(&text, Mode::Strip, "#", true), format!("a\n~~~\n{gone}\n~~~~\n\n~~"));
    assert!(cleaned(&text, Mode::Strip, "#", false).ends_with("\ndiff\n\n+x"), "without -v git keeps it, and so do we");
    assert_eq!(cleaned(&format!("x # {SCISSORS}y"), Mode::Scissors, "#", false), format!("x # {SCISSORS}y"));
}

#[test]
fn the_automatic_comment_character_is_derived_from_gits_comments() {
    assert_eq!(
        cleaned("a\n#12\n\n; Please enter\n;\n;\tnew\n", Mode::Strip, "auto", false),
        "a\n#12\n\n~~~~~~~~~~~~~~\n~\n~~~~~\n"
    );
    assert_eq!(cleaned("a\n# Please enter\n", Mode::Strip, "AUTO", false), "a\n~~~~~~~~~~~~~~\n");
    assert_eq!(cleaned("a\n#12\n", Mode::Strip, "auto", false), "a\n#12\n");
    let text = format!("a\n; {SCISSORS}+x\n");
    assert_eq!(cleaned(&text, Mode::Scissors, "auto", false), format!("a\n{}\n~~\n", "~".repeat(SCISSORS.len() + 1)));
}

#[test]
fn a_comment_between_header_and_body_is_not_a_blank_line() {
    let text = cleanup(b"feat: x\n# c\nbody", Mode::Strip, &CommentChar::default(), false);
    let message = parse(&text).expect("a header");
    assert_eq!(message.errors.len(), 1, "git will keep `feat: x` and `body` in adjacent lines");
    assert_eq!(message.errors[0].range, 12..16);
    let text = cleanup(b"feat: x\n\nRefs: #1\n# c\nReviewed-by: A\n", Mode::Strip, &CommentChar::default(), false);
    assert_eq!(parse(&text).expect("a header").footers.len(), 2);
    assert_eq!(parse(&text).expect("a header").parts().footers[0].2, "#1");
}

#[test]
fn clean_up_modes_are_read_as_git_reads_them() {
    let read = |value: Option<&str>, edited| Mode::parse(value.map(Into::into), edited);
    assert_eq!(read(None, true), Some(Mode::Strip));
    assert_eq!(read(Some("default"), false), Some(Mode::Whitespace));
    assert_eq!(read(Some("scissors"), true), Some(Mode::Scissors));
    assert_eq!(read(Some("scissors"), false), Some(Mode::Whitespace));
    assert_eq!(read(Some("verbatim"), true), Some(Mode::Verbatim));
    assert_eq!(read(Some("stripp"), true), None);
    assert_eq!(CommentChar::parse(Some("".into())), CommentChar::default());
}

#[test]
fn encodings_become_utf8() {
    assert_eq!(decode(b"fix: \xe9t\xe9", "ISO-8859-1".into()), Some("fix: \u{e9}t\u{e9}".into()));
    assert_eq!(decode(b"fix: \x93\xfa", "Shift_JIS".into()), Some("fix: \u{65e5}".into()));
    assert_eq!(decode(b"x", "no-such-thing".into()), None);
}

/// What git says of a text on its standard input.
fn git(arguments: &[&str], input: &str) -> String {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let mut git = Command::new("git")
        .args(arguments)
        .envs([("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_DIR", "/nonexistent")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("git is installed");
    git.stdin.take().expect("it is piped").write_all(input.as_bytes()).expect("git reads");
    let out = git.wait_with_output().expect("git ends");
    assert!(out.status.success(), "git {arguments:?}");
    String::from_utf8(out.stdout).expect("what went in was UTF-8")
}

/// Texts of a few lines, every line one of `lines`.
fn texts(lines: &[&str], count: usize) -> impl Iterator<Item = String> {
    let mut random = super::properties::Random::new(count as u64);
    (0..count).map(move |_| (0..=random.below(9)).map(|_| format!("{}\n", random.pick(lines))).collect())
}

#[test]
fn git_strips_the_same_comments() {
    for text in texts(&["# c", "#", " # no", "a", "a # b", "", "  ", "\t", "b  ", "#\r", "a\r"], 150) {
        let theirs = git(&["stripspace", "--strip-comments"], &text);
        let ours = cleaned(&text, Mode::Strip, "#", false);
        let kept = |text: &str| -> Vec<String> {
            let lines = text.lines().map(|l| l.trim_end().to_owned());
            lines.filter(|l| !l.is_empty() && !l.starts_with('~')).collect()
        };
        assert_eq!(kept(&ours), kept(&theirs), "{text:?}");
    }
}

#[test]
fn git_reads_the_same_trailers() {
    let lines = ["Refs: #1", "Signed-off-by: A <a@b>", " more", "prose here", "", "", "(cherry picked from commit 1)"];
    let mut found = 0;
    for text in texts(&lines, 300) {
        let text = format!("fix: x\n\n{text}");
        let theirs = git(&["interpret-trailers", "--parse", "--no-divider"], &text);
        let parts = parse(text.as_bytes()).expect("a header").parts();
        let ours: Vec<_> = parts.footers.iter().filter(|(_, separator, _)| separator == ": ").collect();
        let ours: String = ours.iter().map(|(t, _, v)| format!("{t}: {}\n", v.replace("\n ", " "))).collect();
        assert_eq!(ours, theirs, "{text:?}");
        found += usize::from(!ours.is_empty());
    }
    assert!(found > 20, "only {found} texts have trailers: the comparison says nothing");
}
