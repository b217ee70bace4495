//! Texts made out of texts: what is said of one from the state of its base is what looking at it whole says.

use bstr::BStr;
use portcullis::rules::prescan::{FileKindSet, KeywordHit, Prescan as _, PrescanState, TextScan};
use portcullis::rules::secrets::{Hit, Scanner, Secrets, Settings, built_in};
use portcullis::subject::{CopiedRun, DeltaResult};

use super::{BASE62, Numbers, github_token};

/// A text and how it was made out of the one before.
struct Step {
    text: Vec<u8>,
    kept: Vec<CopiedRun>,
}

/// Lines that wake detectors, hold secrets, open manifests, or say nothing.
fn line(n: &mut Numbers) -> String {
    let seed = 1 + n.below(50) as u64;
    let word = n.word(BASE62, 12);
    let wide = n.below(300);
    match n.below(24) {
        0 => format!("token: {}\n", github_token(seed)),
        1 => format!("password: {word}7!\n"),
        2 => format!("  db_password = \"{word}x9\"\n"),
        3 => "kind: Secret\n".into(),
        4 => "---\n".into(),
        5 => format!("stringData:\n  password: {word}\n  user: me\n"),
        6 => format!("data:\n  key: {}\n", n.word(BASE62, 40)),
        7 => format!("{{\"kind\": \"Secret\", \"data\": {{\"password\": \"{word}{word}\"}}}}\n"),
        8 => format!("const Token = getToken({word})\n"),
        9 => format!("postgres://user:{word}@db.internal:5432/app\n"),
        10 => format!("- name: DB_PASSWORD\n{}  value: {word}$1\n", " ".repeat(n.below(40))),
        11 => format!("secret: {}\n", n.word(b"0123456789abcdef", 64)),
        12 => format!("Server=x;User=sa;{}={word}Q1;\n", ["Password", "Pwd"][n.below(2)]),
        13 => format!("machine x login me{}password {word}3\n", " ".repeat(n.below(90))),
        14 => format!("aws_secret_access_key = {}\n", n.word(BASE62, 40)),
        15 => "apiVersion: v1\n".into(),
        16 => format!("{}\n", "s".repeat(wide)),
        _ => format!("{}{} {}\n", " ".repeat(n.below(6)), n.word(b"abcdefgh_ :-", 8 + wide / 8), n.below(1000)),
    }
}

fn text(n: &mut Numbers, lines: usize) -> Vec<u8> {
    (0..lines).flat_map(|_| line(n).into_bytes()).collect()
}

/// Cuts, moves, repeats and inserts, at any byte.
fn change(n: &mut Numbers, base: &[u8]) -> Step {
    let mut step = Step { text: Vec::new(), kept: Vec::new() };
    let copy = |step: &mut Step, from: usize, to: usize| {
        if from < to {
            match step.kept.last_mut() {
                Some(last) if last.from + last.len == from && last.at + last.len == step.text.len() => {
                    last.len += to - from;
                }
                _ => step.kept.push(CopiedRun { from, at: step.text.len(), len: to - from }),
            }
            step.text.extend_from_slice(&base[from..to]);
        }
    };
    let mut at = 0;
    for _ in 0..n.below(4) {
        let next = (at + n.below(base.len() / 2 + 1)).min(base.len());
        copy(&mut step, at, next);
        at = next;
        match n.below(5) {
            0 => at = (at + n.below(40)).min(base.len()),
            1 => at = (at + n.below(600)).min(base.len()),
            2 => step.text.extend(line(n).bytes()),
            3 => {
                let whole = line(n).into_bytes();
                step.text.extend_from_slice(&whole[n.below(whole.len())..]);
            }
            _ => {
                let from = n.below(base.len() + 1);
                let to = (from + n.below(900)).min(base.len());
                copy(&mut step, from, to);
            }
        }
    }
    copy(&mut step, at, base.len());
    step
}

fn places(seen: &TextScan) -> Vec<(u32, u16)> {
    seen.keywords.iter().map(|m: &KeywordHit| (m.at, m.word)).collect()
}

/// Everything about hits that a finding is made from.
fn told(hits: &[Hit<'_>]) -> Vec<String> {
    let one = |h: &Hit<'_>| {
        let of = (&h.detector.id, &h.range, &h.secret, &h.pair);
        format!("{of:?} {:?} {:?}", h.confidence, h.severity)
    };
    hits.iter().map(one).collect()
}

const PATHS: [&str; 6] = ["a.go", "a.yaml", "a.md", "go.sum", "test/a.yaml", ".npmrc"];

/// Follows a text through its versions and compares at each step.
fn follow(scanner: fn() -> Scanner, seed: u64) -> (u64, u64) {
    let n = &mut Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let check = Secrets::new(scanner(), Settings::default());
    let other = scanner();
    let mut base = if n.below(4) == 0 {
        Vec::new()
    } else {
        let lines = 1 + n.below(60);
        text(n, lines)
    };
    let mut state = check.scan(&base);
    let (mut quiet, mut loud) = (0, 0);
    for version in 0..12 {
        let step = change(n, &base);
        let delta = DeltaResult { bytes: &step.text, base_len: base.len(), copied: &step.kept };
        let followed = check.scan_delta(&state, &delta);
        let (PrescanState::Text(followed_seen), PrescanState::Text(whole)) = (&followed, &check.scan(&step.text))
        else {
            panic!("text");
        };
        let shown = || format!("seed {seed}, version {version}: {}", String::from_utf8_lossy(&step.text));
        assert_eq!(places(followed_seen), places(whole), "{}", shown());
        let (found, exact) = (followed.kinds(), PrescanState::Text(whole.clone()).kinds());
        assert_eq!(FileKindSet(found.0 | exact.0), found, "{exact:?} is more than {found:?}: {}", shown());
        let hotspots = check.hotspots(&step.text, &followed);
        for path in PATHS {
            let path = BStr::new(path);
            let scanned = other.scan(&step.text, Some(path));
            if let Some(hotspots) = &hotspots {
                let led = other.scan_hotspots(&step.text, Some(path), hotspots);
                assert_eq!(told(&led), told(&scanned), "under {path}: {}", shown());
            }
            let hits = scanned.len();
            assert!(hits == 0 || check.needs_check(found, path), "{hits} hits under {path} and {found:?}: {}", shown());
        }
        if found == FileKindSet::NONE {
            quiet += 1
        } else {
            loud += 1
        }
        (base, state) = (step.text, followed);
    }
    (quiet, loud)
}

#[test]
fn a_text_made_out_of_another_is_judged_as_if_it_were_read_whole() {
    let (mut quiet, mut loud) = (0, 0);
    for seed in 0..60 {
        let (q, l) = follow(|| Scanner::new(Vec::new()), seed);
        (quiet, loud) = (quiet + q, loud + l);
    }
    assert!(quiet > 5 && loud > 100, "{quiet} quiet, {loud} loud");
}

#[test]
fn what_is_far_from_a_change_is_not_looked_at_again() {
    let mut base = "nothing to see on this line\n".repeat(20_000);
    base.push_str("password: none\n");
    let check = Secrets::new(Scanner::new(Vec::new()), Settings::default());
    let state = check.scan(base.as_bytes());
    let before = check.work();
    let middle = base.len() / 2;
    let text = [&base.as_bytes()[..middle], b"one word", &base.as_bytes()[middle..]].concat();
    let kept = [
        CopiedRun { from: 0, at: 0, len: middle },
        CopiedRun { from: middle, at: middle + 8, len: base.len() - middle },
    ];
    let made = check.scan_delta(&state, &DeltaResult { bytes: &text, base_len: base.len(), copied: &kept });
    assert_eq!(made.kinds(), state.kinds());
    let work = check.work();
    assert_eq!(work.whole, before.whole);
    assert!(work.bytes - before.bytes < 200, "{}", work.bytes - before.bytes);
}

#[test]
fn binary_and_utf16_content_is_told_apart_before_and_after_a_change() {
    let check = Secrets::new(Scanner::new(Vec::new()), Settings::default());
    let secret = format!("token = {}\n", github_token(1));
    let noise: Vec<u8> = [0, 1, 2, 3].repeat(20);
    assert_eq!(check.scan(&[&noise, secret.as_bytes()].concat()), PrescanState::Unread, "a token in binary content");
    assert_eq!(check.scan(&[b"\0", secret.as_bytes()].concat()), PrescanState::Unread, "text with a NUL byte");
    let binary = [&noise, &b"token = "[..]].concat();
    let state = check.scan(&binary);
    assert_eq!(state, PrescanState::Ignored);
    // The noise goes: it is a text, of which nothing is known yet.
    let kept = [CopiedRun { from: noise.len(), at: 0, len: 8 }];
    let made =
        check.scan_delta(&state, &DeltaResult { bytes: secret.as_bytes(), base_len: binary.len(), copied: &kept });
    assert!(check.needs_check(made.kinds(), "a".into()));
    assert_eq!(made, check.scan(secret.as_bytes()));
    assert_eq!(check.scan(b"\xff\xfea\0").kinds(), FileKindSet::ALL);
    let small = Settings { window: 1 << 10, ..Settings::default() };
    assert_eq!(Secrets::new(Scanner::new(Vec::new()), small).scan(&[b'a'; 2000]), PrescanState::Unread);
    assert!(built_in().prescan(b"").keywords.is_empty());
}
