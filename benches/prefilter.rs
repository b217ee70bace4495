//! Ways to find several hundred keywords in one pass, in either case, over real text: our tables against what libraries
//! have. `PORTCULLIS_CORPUS=dir` names the files; without it, made-up text. What it costs to begin is measured too.
//!
//! Ours is allowed to be asked before anything else only because it wins: `docs/performance.md` has the numbers.

use std::hint::black_box;
use std::path::Path;
use std::sync::LazyLock;

use aho_corasick::packed::{MatchKind, Searcher};
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use divan::Bencher;
use divan::counter::BytesCount;
use portcullis::rules::secrets::{built_in, content};

fn main() {
    divan::main();
}

fn keywords() -> Vec<&'static [u8]> {
    built_in().prefilter().keywords().iter().map(|k| k.as_bytes()).collect()
}

static CORPUS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    fn walk(dir: &Path, out: &mut Vec<Vec<u8>>) {
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                if !path.ends_with(".git") {
                    walk(&path, out);
                }
            } else if let Ok(bytes) = std::fs::read(&path)
                && !content(&bytes).binary
            {
                out.push(bytes);
            }
        }
    }
    let mut out = Vec::new();
    match std::env::var_os("PORTCULLIS_CORPUS") {
        Some(dir) => walk(Path::new(&dir), &mut out),
        None => {
            out.push(b"  - name: image\n    value: {lorem ipsum: dolor}\n  if err != nil { return }\n".repeat(20_000))
        }
    }
    out
});

/// Every file once. `search` gives how often it stopped.
fn over_the_corpus(bencher: Bencher, mut search: impl FnMut(&[u8]) -> usize) {
    let total: usize = CORPUS.iter().map(Vec::len).sum();
    bencher.counter(BytesCount::new(total)).bench_local(|| CORPUS.iter().map(|text| search(text)).sum::<usize>());
}

#[divan::bench]
fn ours(bencher: Bencher) {
    let prefilter = built_in().prefilter();
    over_the_corpus(bencher, |text| {
        let mut hits = 0;
        prefilter.search(text, |_, _| hits += 1);
        hits
    });
}

fn automaton(kind: AhoCorasickKind) -> AhoCorasick {
    let builder = &mut AhoCorasick::builder();
    builder.ascii_case_insensitive(true).kind(Some(kind)).build(keywords()).expect("the keywords fit")
}

#[divan::bench]
fn aho_corasick_contiguous_nfa(bencher: Bencher) {
    let automaton = automaton(AhoCorasickKind::ContiguousNFA);
    over_the_corpus(bencher, |text| automaton.find_overlapping_iter(text).count());
}

#[divan::bench]
fn aho_corasick_dfa(bencher: Bencher) {
    let automaton = automaton(AhoCorasickKind::DFA);
    over_the_corpus(bencher, |text| automaton.find_overlapping_iter(text).count());
}

/// Teddy takes 64 literals at most and knows no case: sets of 64, each a pass. Lower case only, so that it finds less.
#[divan::bench]
fn teddy_in_sets(bencher: Bencher) {
    let keywords = keywords();
    let searcher = |set: &[&[u8]]| {
        let mut config = aho_corasick::packed::Config::new();
        config.match_kind(MatchKind::LeftmostFirst).builder().extend(set).build()
    };
    let Some(searchers) = keywords.chunks(64).map(searcher).collect::<Option<Vec<Searcher>>>() else { return };
    over_the_corpus(bencher, |text| searchers.iter().map(|s| s.find_iter(text).count()).sum());
}

/// A bit for each pair of folded bytes that stands in a keyword, asked at every byte.
#[divan::bench]
fn a_filter_of_pairs(bencher: Bencher) {
    let pair = |two: &[u8]| usize::from(two[0] & 31) << 5 | usize::from(two[1] & 31);
    // The last byte of each keyword's rarest pair: here simply its last one.
    let mut table = vec![false; 1 << 10];
    for keyword in keywords() {
        table[pair(&keyword[keyword.len() - 2..])] = true;
    }
    over_the_corpus(bencher, |text| text.windows(2).filter(|two| table[pair(two)]).count());
}

/// The rarest bytes of all keywords, as few as hit each: three at a time is what `memchr` takes.
#[divan::bench]
fn memchr_on_rare_bytes(bencher: Bencher) {
    let mut count = [0usize; 256];
    CORPUS.iter().flatten().for_each(|b| count[b.to_ascii_lowercase() as usize] += 1);
    let mut needed: Vec<u8> = Vec::new();
    for keyword in keywords() {
        if !keyword.iter().any(|b| needed.contains(b)) {
            needed.push(*keyword.iter().min_by_key(|b| count[**b as usize]).expect("not empty"));
        }
    }
    over_the_corpus(bencher, |text| {
        let three = |set: &[u8]| match *set {
            [a, b, c] => memchr::memchr3_iter(a, b, c, text).count(),
            [a, b] => memchr::memchr2_iter(a, b, text).count(),
            [a] => memchr::memchr_iter(a, text).count(),
            _ => 0,
        };
        needed.chunks(3).map(three).sum()
    });
}

#[divan::bench]
fn to_begin_ours(bencher: Bencher) {
    // The tables are laid out at build time; this is what a policy with keywords of its own pays.
    let keywords: Vec<_> = built_in().prefilter().keywords().to_vec();
    bencher.bench(|| portcullis::rules::secrets::Prefilter::new(black_box(keywords.clone())));
}

#[divan::bench(args = ["contiguous NFA", "DFA"])]
fn to_begin_aho_corasick(bencher: Bencher, kind: &str) {
    let kind = if kind == "DFA" { AhoCorasickKind::DFA } else { AhoCorasickKind::ContiguousNFA };
    bencher.bench(|| automaton(black_box(kind)));
}
