//! Properties of the parser over messages made by a seeded generator, and a comparison with another parser.

use portcullis::rules::conventional_commits::characters;
use portcullis::rules::conventional_commits::cleanup::{CommentChar, Mode, cleanup};
use portcullis::rules::conventional_commits::convention::Convention;
use portcullis::rules::conventional_commits::header::is_scope_char;
use portcullis::rules::conventional_commits::parse::{Parts, REMOVED, header_line, parse};
use portcullis::rules::conventional_commits::validate;

/// xorshift64*: the same messages in every run.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % n
    }

    pub fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    fn words(&mut self, most: usize) -> String {
        let words = ["x", "add", "the API", "\u{e9}t\u{e9}", "#12", "a:b", "(c)", "fix!", "\u{2713}", "v1.2"];
        let picked: Vec<_> = (0..=self.below(most)).map(|_| self.pick(&words)).collect();
        picked.join(" ")
    }

    /// A message as the grammar has it.
    fn parts(&mut self) -> Parts {
        let paragraph = |r: &mut Self| {
            let lines: Vec<_> = (0..=r.below(3)).map(|_| format!("some prose {}", r.words(6))).collect();
            lines.join("\n")
        };
        let footer = |r: &mut Self| {
            let token = r.pick(&["Refs", "Reviewed-by", "Signed-off-by", "BREAKING CHANGE", "BREAKING-CHANGE", "X-1"]);
            let separator = if token.starts_with("BREAKING") { ": " } else { r.pick(&[": ", " #"]) };
            let continued = if r.below(4) == 0 { format!("\n {}", r.words(3)) } else { String::new() };
            (token.to_owned(), separator.to_owned(), format!("1{}{continued}", r.words(3)))
        };
        Parts {
            kind: self.pick(&["feat", "fix", "custom-type", "a_b", "r2", "\u{e9}t\u{e9}"]).to_owned(),
            scope: (self.below(2) == 0).then(|| self.pick(&["api", "a b", "x/y,z", "@n/*", "v1.2_3-4"]).to_owned()),
            bang: self.below(3) == 0,
            description: self.words(8),
            body: (self.below(2) == 0).then(|| {
                let all: Vec<_> = (0..=self.below(3)).map(|_| paragraph(self)).collect();
                all.join("\n\n")
            }),
            footers: if self.below(2) == 0 { (0..=self.below(3)).map(|_| footer(self)).collect() } else { Vec::new() },
        }
    }

    /// Anything: pieces of messages, broken at will.
    fn noise(&mut self) -> Vec<u8> {
        let pieces: [&[u8]; 34] = [
            b"feat",
            b"fix",
            b"(",
            b")",
            b"[",
            b"]",
            b"!",
            b":",
            b": ",
            b" ",
            b"\n",
            b"\r\n",
            b"\n\n",
            b"\t",
            b"\0",
            b"\xff",
            b"\xe2\x80\xae",
            b"\xef\xbb\xbf",
            b"BREAKING CHANGE",
            b"BREAKING CHANGE: ",
            b"Refs: #1",
            b"Signed-off-by: A",
            b"\n ",
            b"#",
            b"\x0c",
            b"/",
            b".",
            b"\xef\xbc\x9a",
            b"(cherry picked from commit 1)",
            b"Revert \"x\"",
            b"fixup! ",
            b"\xe2\x9c\xa8",
            b":bug:",
            b"word",
        ];
        let count = self.below(24);
        let start: &[u8] = if self.below(2) == 0 { b"fix: x\n\n" } else { b"" };
        start.iter().copied().chain((0..count).flat_map(|_| self.pick(&pieces).to_vec())).collect()
    }
}

/// What must hold of any message whatever.
fn invariants(text: &[u8]) {
    let line = header_line(text);
    assert!(line.start <= line.end && line.end <= text.len());
    let convention =
        Convention { types: vec!["feat".into(), "fix".into()], header_max: Some(20), ..Convention::default() };
    let mut mistakes = validate::validate(text, &convention);
    mistakes.extend(characters::check(text, false));
    validate::add_suggestions(text, &convention, &mut mistakes);
    for mistake in &mistakes {
        assert!(mistake.range.start <= mistake.range.end && mistake.range.end <= text.len(), "{mistake:?} in {text:?}");
        assert!(!mistake.message.is_empty() && !mistake.message.contains('\n'), "{mistake:?}");
    }
    let Some(message) = parse(text) else {
        assert!(text.iter().all(|b| b.is_ascii_whitespace()) || text.starts_with(b"\xef\xbb\xbf"), "{text:?}");
        return;
    };
    let header = &message.header;
    let mut ranges = vec![header.line.clone(), header.kind.clone(), header.description.clone()];
    ranges.extend(header.scope.clone());
    ranges.extend(header.bang.map(|b| b..b + 1));
    ranges.extend(message.body.iter().cloned());
    ranges.extend(message.footers.iter().flat_map(|f| [f.token.clone(), f.value.clone()]));
    ranges.extend(message.errors.iter().map(|s| s.range.clone()));
    for range in ranges {
        assert!(range.start <= range.end && range.end <= text.len(), "{range:?} outside {text:?}");
    }
    assert!(header.description.end <= header.line.end.max(header.description.start));
    // What is right is right again when it is printed.
    let loose = message.footers.iter().any(|f| f.value.is_empty());
    if message.errors.is_empty() && !loose && !text.contains(&REMOVED) && std::str::from_utf8(text).is_ok() {
        let parts = message.parts();
        let printed = parts.to_string();
        assert_eq!(parse(printed.as_bytes()).map(|m| m.parts()), Some(parts), "{text:?} printed as {printed:?}");
    }
}

#[test]
fn printed_messages_parse_to_the_same_parts() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..5_000 {
        let parts = random.parts();
        let printed = parts.to_string();
        let message = parse(printed.as_bytes()).expect("there is a header");
        assert_eq!(message.errors, [], "{printed:?}");
        assert_eq!(message.parts(), parts, "{printed:?}");
        invariants(printed.as_bytes());
    }
}

#[test]
fn nothing_panics_and_every_offset_lies_in_the_message() {
    let mut random = Random(7);
    for _ in 0..50_000 {
        invariants(&random.noise());
    }
}

/// Messages of the grammar, damaged: bytes put in, taken out, doubled and moved. With the fuzz target's properties, for
/// those who have no fuzzer at hand.
#[test]
fn damaged_messages_do_not_panic() {
    let mut random = Random(0x5eed);
    let mut right = 0;
    for _ in 0..100_000 {
        let mut text = random.parts().to_string().into_bytes();
        for _ in 0..random.below(5) {
            let (a, b) = (random.below(text.len() + 1), random.below(text.len() + 1));
            let range = a.min(b)..a.max(b).min(a.min(b) + 8);
            match random.below(5) {
                0 => text.insert(a, random.below(256) as u8),
                1 => drop(text.drain(range)),
                2 => drop(text.splice(a..a, random.noise())),
                3 => {
                    let piece = text[range].to_vec();
                    drop(text.splice(b..b, piece));
                }
                _ => text.truncate(a.max(1)),
            }
        }
        invariants(&text);
        assert_eq!(cleanup(&text, Mode::Strip, &CommentChar::Auto, true).len(), text.len(), "{text:?}");
        right += usize::from(parse(&text).is_some_and(|m| m.errors.is_empty()));
    }
    assert!(right > 10_000, "only {right} messages were right: the rest says little");
}

/// Messages that we and `git-conventional` read differently, each for a reason of the specification.
fn known_difference(message: &str) -> bool {
    let header = message.lines().next().unwrap_or_default();
    let (prefix, rest) = header.split_once(':').unwrap_or((header, ""));
    let word = prefix.split(['(', '!']).next().unwrap_or_default();
    // It takes `feat:x` and any word before the colon or bracket, and any scope.
    let space = !rest.starts_with(' ') || rest.starts_with("  ");
    let kind = word.is_empty() || !word.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
    let scope = prefix.split_once('(').is_some_and(|(_, s)| {
        let inner = s.trim_end_matches('!').trim_end_matches(')');
        inner.trim().is_empty() || !inner.chars().all(is_scope_char) || inner.trim() != inner
    });
    space || kind || scope || rest.trim().is_empty() || rest.chars().nth(1).is_some_and(char::is_whitespace)
}

#[test]
fn another_parser_gives_the_same_result() {
    let mut random = Random(42);
    for _ in 0..5_000 {
        let parts = random.parts();
        let printed = parts.to_string();
        let theirs = git_conventional::Commit::parse(&printed).unwrap_or_else(|e| panic!("{printed:?}: {e}"));
        assert_eq!(theirs.type_().as_str(), parts.kind, "{printed:?}");
        assert_eq!(theirs.scope().map(|s| s.as_str()), parts.scope.as_deref(), "{printed:?}");
        assert_eq!(theirs.description(), parts.description, "{printed:?}");
        assert_eq!(theirs.breaking(), parse(printed.as_bytes()).is_some_and(|m| m.is_breaking()), "{printed:?}");
    }
    let pieces = ["feat", "fix", "(", "(api)", ")", "!", ":", ": ", " ", "x", "/", "add it", "[", "::"];
    let mut judged = 0;
    for _ in 0..50_000 {
        let header: String = (0..=random.below(6)).map(|_| random.pick(&pieces)).collect();
        let ours = parse(header.as_bytes()).is_some_and(|m| m.errors.is_empty());
        let theirs = git_conventional::Commit::parse(&header).is_ok();
        assert!(ours == theirs || (theirs && known_difference(&header)), "{header:?}: ours {ours}, theirs {theirs}");
        judged += usize::from(ours);
    }
    assert!(judged > 500, "only {judged} headers were right: the comparison says nothing");
}
