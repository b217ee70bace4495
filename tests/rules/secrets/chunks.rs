//! A file that is read in parts has the findings of one that is read at once.

use std::io::Read;

use bstr::BStr;
use portcullis::finding::{Finding, Findings};
use portcullis::rules::Check as _;
use portcullis::rules::secrets::{Scanner, Secrets, Settings, redactor};
use portcullis::subject::{Content, File};

use super::{Numbers, github_token};

/// The least that a part has.
const PART: usize = 512 << 10;

/// Gives a little at a time, never an even number of bytes.
struct Drops<'t>(&'t [u8]);

impl Read for Drops<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let most = into.len().min(7_777);
        self.0.read(&mut into[..most])
    }
}

fn findings(settings: &Settings, path: &str, content: &Content<'_>) -> Vec<Finding> {
    let check = Secrets::new(Scanner::new(Vec::new()), settings.clone());
    let file = File { path: BStr::new(path), commit: None, blob: None, symlink: false, content };
    let mut out = Findings::new(redactor(), 1);
    check.check(&file, &mut out).expect("readable");
    out.into_vec()
}

fn at_once(settings: &Settings, path: &str, text: &[u8]) -> Vec<Finding> {
    let load = || Ok(text.to_vec());
    findings(&Settings { window: 1 << 30, ..settings.clone() }, path, &Content::new(&load))
}

fn in_parts(settings: &Settings, path: &str, text: &[u8]) -> Vec<Finding> {
    let (load, open) =
        (|| Ok(None), |read: &mut dyn FnMut(&mut dyn Read) -> portcullis::error::Result<()>| read(&mut Drops(text)));
    findings(&Settings { window: PART, ..settings.clone() }, path, &Content::or_in_parts(&load, &open))
}

/// What anybody sees of a finding.
fn told(list: &[Finding]) -> Vec<String> {
    let one = |f: &Finding| {
        format!("{} {:?} {:?} {:?} {:?} {} {:?}", f.rule, f.span, f.excerpt, f.also, f.notes, f.fingerprint, f.same)
    };
    let mut list: Vec<_> = list.iter().map(one).collect();
    list.sort();
    list
}

/// Three parts of text with tokens all over, most of all where parts meet; some lines are longer than a part's overlap.
fn text(numbers: &mut Numbers) -> String {
    let mut text = String::new();
    while text.len() < 3 * PART {
        let near = (1..4).any(|part| (part * PART).abs_diff(text.len()) < 300 << 10);
        match numbers.below(if near { 40 } else { 400 }) {
            0 => text.push_str(&format!("token: {}\n", github_token(numbers.below(1 << 30) as u64 + 1))),
            1 => text.push_str(&format!(
                "aws_access_key_id = AKIA{}\n",
                numbers.word(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16)
            )),
            2 if numbers.below(20) == 0 => text.push_str(&"x, ".repeat(90_000)),
            _ => text.push_str(&format!("{} é 𝄞 = {}\n", numbers.word(b"abcdef", 20), numbers.below(1000))),
        }
    }
    text
}

#[test]
fn parts_find_what_is_found_at_once() {
    for seed in 1..4 {
        let mut numbers = Numbers(seed);
        let text = text(&mut numbers);
        let settings = Settings::default();
        let whole = at_once(&settings, "ops/big.conf", text.as_bytes());
        assert!(whole.len() > 50, "{}", whole.len());
        assert_eq!(told(&in_parts(&settings, "ops/big.conf", text.as_bytes())), told(&whole), "seed {seed}");
        for (mark, bytes) in [([0xff, 0xfe], u16::to_le_bytes as fn(u16) -> [u8; 2]), ([0xfe, 0xff], u16::to_be_bytes)]
        {
            let wide: Vec<u8> = mark.into_iter().chain(text.encode_utf16().flat_map(bytes)).collect();
            let list = told(&in_parts(&settings, "ops/big.conf", &wide));
            assert_eq!(list, told(&at_once(&settings, "ops/big.conf", &wide)), "seed {seed}, UTF-16 {mark:?}");
            assert!(list.len() > 50);
        }
    }
}

#[test]
fn the_head_says_whether_a_file_is_binary() {
    let key = format!("-----BEGIN {}-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n", "OPENSSH PRIVATE KEY");
    let mut bytes = [0, 1].repeat(PART);
    bytes.extend_from_slice(format!("token: {}\n{key}", github_token(7)).as_bytes());
    bytes.resize(3 * PART, b'\n');
    for binary in [false, true] {
        let settings = Settings { binary, ..Settings::default() };
        assert_eq!(told(&in_parts(&settings, "disk.img", &bytes)), told(&at_once(&settings, "disk.img", &bytes)));
    }
    // Text at its head is text to its end.
    bytes[..8000].fill(b'\n');
    let list = in_parts(&Settings::default(), "disk.img", &bytes);
    assert_eq!(told(&list), told(&at_once(&Settings::default(), "disk.img", &bytes)));
    assert!(list.iter().any(|f| f.rule == "secrets/github-pat"));
}

#[test]
fn what_fits_into_one_part_and_what_ends_with_one() {
    for length in [0, 10, PART - 1, PART, PART + 1, PART + (64 << 10), 2 * PART] {
        let mut text = vec![b'\n'; length];
        text.extend_from_slice(format!("token: {}", github_token(9)).as_bytes());
        let list = told(&in_parts(&Settings::default(), "a.conf", &text));
        assert_eq!((list.len(), &list), (1, &told(&at_once(&Settings::default(), "a.conf", &text))), "{length}");
    }
}
