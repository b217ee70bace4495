//! The scanner as a whole: windows, chunks, hostile shapes of text.

use std::time::{Duration, Instant};

use bstr::{BStr, ByteSlice as _};
use portcullis::finding::Severity;
use portcullis::rules::secrets::{Decoder, Definition, Detector, Scanner, built_in, content, readable};

use super::detectors::{definitions, path_for};
use super::{BASE62, Numbers, github_token};

fn ids(text: &[u8]) -> Vec<String> {
    built_in().scan(text, None).iter().map(|h| h.detector.id.to_string()).collect()
}

#[test]
fn chunks_see_what_the_whole_sees() {
    const WINDOW: usize = 300 << 10;
    let mut numbers = Numbers(99);
    let mut text = Vec::new();
    let mut number = 0;
    // Secrets at every distance from the seams, which lie 172 KiB apart.
    while text.len() < 2 << 20 {
        number += 1;
        text.extend_from_slice(
            format!("  - line: {} of the manifest\n", numbers.below(1000)).repeat(numbers.below(9)).as_bytes(),
        );
        text.extend_from_slice(format!("    value: {}\n", github_token(number)).as_bytes());
    }
    let key = |hits: Vec<portcullis::rules::secrets::Hit<'_>>| {
        hits.into_iter().map(|h| (h.detector.id.to_string(), h.secret, h.confidence)).collect::<Vec<_>>()
    };
    let whole = key(built_in().scan(&text, None));
    assert!(whole.len() as u64 == number, "{} of {number}", whole.len());
    assert_eq!(key(built_in().scan_windows(&text, None, WINDOW)), whole);
}

#[test]
fn a_megabyte_line_and_a_minified_file_cost_bounded_work() {
    let token = github_token(3);
    let mut line = "x".repeat(1 << 20);
    line.insert_str(777_777, &format!(" {token} "));
    let minified = "t.token=e.secret||n(\"password\",r),e.api_key=o(t),".repeat(4000) + &token;
    let start = Instant::now();
    assert_eq!(ids(line.as_bytes()), ["github-pat"]);
    assert_eq!(ids(minified.as_bytes()), ["github-pat"]);
    // Generous for a build without optimisation on a busy machine; quadratic work would take minutes.
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[test]
fn every_keyword_in_a_row_costs_bounded_work() {
    let all: String = built_in().prefilter().keywords().concat();
    let text = all.repeat(200 * 1024 / all.len());
    let start = Instant::now();
    built_in().scan(text.as_bytes(), Some(BStr::new("a.yaml")));
    let manifest = "kind: Secret\ndata:\n".repeat(20_000);
    built_in().scan(manifest.as_bytes(), Some(BStr::new("a.yaml")));
    let flow = "{\"kind\": \"Secret\", \"data\": {".repeat(10_000);
    built_in().scan(flow.as_bytes(), Some(BStr::new("a.json")));
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}

#[test]
fn a_pattern_that_its_window_cuts_off_gets_more() {
    let definition = Definition {
        id: "long".into(),
        name: "a long one".into(),
        keywords: vec!["longish".into()],
        pattern: "\\b[a-z]{3}longish=(?P<secret>[0-9A-Za-z]+);".into(),
        severity: "error".into(),
        confidence: "high".into(),
        window: 64,
        ..Definition::default()
    };
    assert!(definition.problems(false).is_empty());
    let scanner = Scanner::new(vec![Detector::from_definition(definition).expect("the pattern is good")]);
    let body = Numbers(5).word(BASE62, 40);
    let text = format!("{} abclongish={body}; and xlongish={body};", "y ".repeat(400));
    let hits = scanner.scan(text.as_bytes(), None);
    assert_eq!(
        hits.iter().map(|h| (h.detector.id.as_ref(), &text[h.secret.clone()])).collect::<Vec<_>>(),
        [("long", body.as_str())]
    );
}

fn utf_16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(bytes).collect()
}

/// What stands in bytes, and whether they are text.
fn read(bytes: &[u8]) -> (bool, Vec<u8>) {
    let content = content(bytes);
    (!content.binary, content.joined.unwrap_or(content.text.into_owned()))
}

#[test]
fn utf_16_is_read_with_and_without_a_mark_and_wherever_it_begins() {
    let token = github_token(4);
    let text = format!("pässword für die CI: {token}\r\n");
    for bytes in [u16::to_le_bytes as fn(u16) -> [u8; 2], u16::to_be_bytes] {
        let plain = format!("# set by CI\nA={}\n", github_token(5)).into_bytes();
        let (mark, wide) = (utf_16("\u{feff}", bytes), utf_16(&text, bytes));
        for (name, all, tokens) in [
            ("with a mark", [mark.as_slice(), &wide].concat(), 1),
            ("without a mark", wide.clone(), 1),
            ("appended to plain text", [plain.as_slice(), &wide].concat(), 2),
            ("in front of plain text", [mark.as_slice(), &wide, &plain].concat(), 2),
            ("a mark only", [mark.as_slice(), &plain].concat(), 1),
            ("a byte is missing at its end", wide[..wide.len() - 1].to_vec(), 1),
        ] {
            let (is_text, read) = read(&all);
            assert!(is_text, "{name}");
            assert_eq!(ids(&read), vec!["github-pat"; tokens], "{name}: {}", read.as_bstr());
        }
        let (_, read) = read(&[mark, wide].concat());
        assert_eq!(read.as_bstr(), text, "characters beyond ASCII");
    }
    let (is_text, read) = read(
        &[b"\xff\xfe\0\0".as_slice(), &text.chars().flat_map(|c| (c as u32).to_le_bytes()).collect::<Vec<_>>()]
            .concat(),
    );
    assert!(is_text && read.as_bstr() == text, "UTF-32: {}", read.as_bstr());
}

#[test]
fn a_nul_byte_alone_does_not_make_a_file_binary() {
    let token = github_token(4);
    for text in [
        format!("#!/bin/sh\nexport A={token}\n\0"),
        format!("#\0\nexport A={token}\n"),
        format!("\0{token}"),
        format!("A={}\0{}\n", &token[..20], &token[20..]),
        format!("\0GITCRYPT\0A={token}\n"),
    ] {
        let (is_text, read) = read(text.as_bytes());
        assert!(is_text && ids(&read) == ["github-pat"], "{text:?}");
    }
    let mut numbers = Numbers(5);
    for front in [&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], b"\x7fELF\x02\x01\x01\0\0", b"\0GITCRYPT\0"] {
        let noise: Vec<u8> = (0..200).map(|_| numbers.below(256) as u8).collect();
        let (is_text, _) = read(&[front, &noise].concat());
        assert!(!is_text, "{front:?}");
    }
    let late = [vec![b'a'; 8000], vec![0; 100]].concat();
    assert!(read(&late).0, "only the first 8,000 bytes decide, as in git");
    assert_eq!(read(b"").1, b"");
    let environment = format!("A={}\0B={}\0", github_token(4), github_token(5));
    assert_eq!(ids(&content(environment.as_bytes()).text), ["github-pat"; 2], "NUL bytes between values");
}

#[test]
fn text_in_pieces_is_read_as_at_once() {
    let mut numbers = Numbers(17);
    for _ in 0..400 {
        let mut bytes = Vec::new();
        for _ in 0..numbers.below(6) {
            let text: String =
                (0..numbers.below(30)).map(|_| ['a', 'Z', '\n', 'ü', '密', '𝄞', '='][numbers.below(7)]).collect();
            match numbers.below(5) {
                0 => bytes.extend(utf_16(&text, u16::to_le_bytes)),
                1 => bytes.extend(utf_16(&text, u16::to_be_bytes)),
                2 => bytes.extend(vec![0; numbers.below(4)]),
                3 => bytes.extend(utf_16("\u{feff}", u16::to_le_bytes)),
                _ => bytes.extend(text.as_bytes()),
            }
        }
        let (mut decoder, mut pieces, mut at) = (Decoder::default(), Vec::new(), 0);
        while at < bytes.len() {
            let end = bytes.len().min(at + 1 + numbers.below(20));
            decoder.decode(&bytes[at..end], false, &mut pieces);
            at = end;
        }
        decoder.decode(&[], true, &mut pieces);
        assert_eq!(pieces.as_bstr(), readable(&bytes).as_bstr(), "{:?}", bytes.as_bstr());
    }
}

#[test]
fn noise_of_any_kind_breaks_nothing() {
    let mut numbers = Numbers(11);
    let keywords = built_in().prefilter().keywords();
    for round in 0..300 {
        let mut bytes: Vec<u8> = (0..numbers.below(3000)).map(|_| numbers.below(256) as u8).collect();
        for _ in 0..numbers.below(20) {
            let at = numbers.below(bytes.len() + 1);
            let keyword = keywords[numbers.below(keywords.len())].as_bytes();
            bytes.splice(at..at, keyword.iter().copied().chain(*b": \""));
        }
        let path = ["a.yaml", "a.go", "a.md", "a.json", "a.xml"][round % 5];
        for hit in built_in().scan(&bytes, Some(BStr::new(path))) {
            assert!(hit.range.end <= bytes.len() && hit.secret.end <= bytes.len() && hit.secret.start < hit.secret.end);
        }
    }
}

#[test]
fn examples_cut_anywhere_break_nothing() {
    for definition in definitions() {
        let path = path_for(&definition);
        for example in definition.matches.iter().take(1) {
            let text = example.replace("<>", "");
            let step = (text.len() / 12).max(1);
            for end in (0..text.len()).step_by(step) {
                built_in().scan(&text.as_bytes()[..end], Some(BStr::new(&path)));
                built_in().scan(&text.as_bytes()[end..], Some(BStr::new(&path)));
            }
        }
    }
}

#[test]
fn hits_do_not_overlap_and_come_in_order() {
    let mut text = String::new();
    for definition in definitions() {
        text.push_str(&definition.matches[0].replace("<>", ""));
        text.push('\n');
    }
    let hits = built_in().scan(text.as_bytes(), None);
    assert!(hits.len() > 100);
    assert!(hits.windows(2).all(|pair| pair[0].secret.end <= pair[1].secret.start));
}

#[test]
fn a_token_with_a_wrong_checksum_is_a_note() {
    let mut token = github_token(5);
    let last = token.pop().expect("not empty");
    token.push(if last == 'a' { 'b' } else { 'a' });
    let text = format!("see {token} there");
    let hits = built_in().scan(text.as_bytes(), None);
    assert_eq!(hits.iter().map(|h| h.severity).collect::<Vec<_>>(), [Severity::Note], "made up, or mistyped");
}

#[test]
fn quiet_text_compiles_no_pattern() {
    let scanner = Scanner::new(Vec::new());
    let hits =
        scanner.scan("fn main() { println!(\"nothing to see\") }\n".repeat(1000).as_bytes(), Some(BStr::new("a.rs")));
    assert!(hits.is_empty());
}
