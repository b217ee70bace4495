//! How fast secrets are looked for. `PORTCULLIS_CORPUS=dir` adds the files under a directory, scanned one by one.

use std::hint::black_box;
use std::path::Path;

use bstr::BString;
use divan::Bencher;
use divan::counter::BytesCount;
use portcullis::rules::secrets::{built_in, content};

fn main() {
    divan::main();
}

/// Deterministic words without any keyword: what the prefilter costs by itself.
fn quiet(len: usize) -> Vec<u8> {
    let words = [
        "lorem",
        "ipsum",
        "dolor",
        "func",
        "return",
        "  - name: ",
        "image",
        "{\n",
        "}\n",
        "metadata",
        "ports",
        "0x1f",
        "err != nil",
    ];
    let mut state = 1u32;
    let mut out = Vec::with_capacity(len + 16);
    while out.len() < len {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        out.extend_from_slice(words[(state >> 16) as usize % words.len()].as_bytes());
        out.push(b' ');
    }
    out
}

fn corpus() -> Vec<(BString, Vec<u8>)> {
    fn walk(dir: &Path, out: &mut Vec<(BString, Vec<u8>)>) {
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, out);
            } else if let Ok(bytes) = std::fs::read(&path)
                && !content(&bytes).binary
            {
                out.push((path.to_string_lossy().as_bytes().into(), bytes));
            }
        }
    }
    let mut out = Vec::new();
    if let Some(dir) = std::env::var_os("PORTCULLIS_CORPUS") {
        walk(Path::new(&dir), &mut out);
    }
    out
}

#[divan::bench]
fn a_commit_message(bencher: Bencher) {
    let message = b"feat(api): keep the order of keys\n\nThe map was sorted twice.\n\nRefs: #12\n";
    bencher.bench(|| built_in().scan(black_box(message), None).len());
}

#[divan::bench(args = [4 << 10, 1 << 20])]
fn quiet_text(bencher: Bencher, len: usize) {
    let text = quiet(len);
    bencher.counter(BytesCount::new(text.len())).bench(|| built_in().scan(black_box(&text), None).len());
}

#[divan::bench]
fn prefilter_over_a_corpus(bencher: Bencher) {
    let files = corpus();
    let total: usize = files.iter().map(|(_, b)| b.len()).sum();
    bencher.counter(BytesCount::new(total)).bench(|| {
        let mut hits = 0;
        for (_, bytes) in &files {
            built_in().prefilter().search(bytes, |_, _| hits += 1);
        }
        hits
    });
}

#[divan::bench]
fn scan_over_a_corpus(bencher: Bencher) {
    let files = corpus();
    let total: usize = files.iter().map(|(_, b)| b.len()).sum();
    bencher
        .counter(BytesCount::new(total))
        .bench(|| files.iter().map(|(path, bytes)| built_in().scan(bytes, Some(path.as_ref())).len()).sum::<usize>());
}

#[divan::bench]
fn one_minified_line(bencher: Bencher) {
    let text = "t.token=e.secret||n(\"password\",r),".repeat(3000).into_bytes();
    bencher
        .counter(BytesCount::new(text.len()))
        .bench(|| built_in().scan(black_box(&text), Some("dist/app.min.js".into())).len());
}
