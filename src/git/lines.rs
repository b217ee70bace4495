//! Line diffs and three-way merges of text, exactly as git's merge does them (histogram diff, hunks slid down, adjacent
//! changes conflict, equal changes do not). Bytes in, bytes out; reads no object.

use std::ops::Range;

use gix::diff::blob::sources::{ByteLines, byte_lines};
use gix::diff::blob::{
    Algorithm, Diff, Hunk, IndentHeuristic, IndentLevel, Interner, NoSliderHeuristic, Token, TokenSource as _,
};

/// A changed region: 0-based half-open ranges of lines before and after; either may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    pub before: Range<u32>,
    pub after: Range<u32>,
}

/// A conflict of two changes of the same text: 0-based half-open ranges of lines in each version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    pub base: Range<u32>,
    pub ours: Range<u32>,
    pub theirs: Range<u32>,
}

/// git's own test: a NUL among the first 8000 bytes.
pub fn is_binary(bytes: &[u8]) -> bool {
    memchr::memchr(0, &bytes[..bytes.len().min(8000)]).is_some()
}

/// The changed regions between two texts, in order.
pub fn regions(before: &[u8], after: &[u8]) -> Vec<Region> {
    let mut interner = LineInterner::default();
    let (before, after) = (interner.take(before), interner.take(after));
    changes(Algorithm::Histogram, &before, &after, interner.count())
        .into_iter()
        .map(|h| Region { before: h.before, after: h.after })
        .collect()
}

/// Lines of one or more texts as tokens, equal lines as equal tokens.
#[derive(Default)]
struct LineInterner<'t>(Interner<&'t [u8]>);

impl<'t> LineInterner<'t> {
    fn take(&mut self, text: &'t [u8]) -> Vec<Token> {
        let lines: ByteLines<'t> = byte_lines(text);
        lines.tokenize().map(|line| self.0.intern(line)).collect()
    }

    fn count(&self) -> u32 {
        self.0.num_tokens()
    }
}

fn changes(algorithm: Algorithm, before: &[Token], after: &[Token], count: u32) -> Vec<Hunk> {
    let mut diff = Diff::default();
    diff.compute_with(algorithm, before, after, count);
    diff.postprocess_with(before, after, NoSliderHeuristic);
    diff.hunks().collect()
}

/// The lines of `git diff -U3`, each with its sign: Myers, hunks placed by indentation.
pub(super) fn unified<'t>(before: &'t [u8], after: &'t [u8]) -> Vec<(u8, &'t [u8])> {
    let mut interner = LineInterner::default();
    let (a, b) = (interner.take(before), interner.take(after));
    let line = |t: &Token| interner.0[*t];
    let mut diff = Diff::default();
    diff.compute_with(Algorithm::Myers, &a, &b, interner.count());
    diff.postprocess_with(&a, &b, IndentHeuristic::new(|t| IndentLevel::for_ascii_line(line(&t).iter().copied(), 8)));
    let hunks: Vec<Hunk> = diff.hunks().collect();
    let mut out = Vec::new();
    let mut shown = 0;
    for (at, hunk) in hunks.iter().enumerate() {
        let from = hunk.before.start.saturating_sub(3).max(shown);
        out.extend(a[from as usize..hunk.before.start as usize].iter().map(|t| (b' ', line(t))));
        out.extend(a[hunk.before.start as usize..hunk.before.end as usize].iter().map(|t| (b'-', line(t))));
        out.extend(b[hunk.after.start as usize..hunk.after.end as usize].iter().map(|t| (b'+', line(t))));
        let next = hunks.get(at + 1).map_or(a.len() as u32, |n| n.before.start);
        shown = (hunk.before.end + 3).min(next);
        out.extend(a[hunk.before.end as usize..shown as usize].iter().map(|t| (b' ', line(t))));
    }
    out
}

/// Merges two changes of `base`: the merged text, or every conflict.
pub fn merge(base: &[u8], ours: &[u8], theirs: &[u8]) -> Result<Vec<u8>, Vec<Overlap>> {
    merge_or(base, ours, theirs, &mut |_, _, _| None)
}

/// The same as [`merge`], but `resolve` is called with the lines of base, ours and theirs of each conflict, and may
/// return the merged lines.
pub fn merge_or(
    base: &[u8],
    ours: &[u8],
    theirs: &[u8],
    resolve: &mut dyn FnMut(&[u8], &[u8], &[u8]) -> Option<Vec<u8>>,
) -> Result<Vec<u8>, Vec<Overlap>> {
    let mut interner = LineInterner::default();
    let (o, a, b) = (interner.take(base), interner.take(ours), interner.take(theirs));
    let n = interner.count();
    let pieces = pieces(&changes(Algorithm::Histogram, &o, &a, n), &changes(Algorithm::Histogram, &o, &b, n));
    let mut overlaps = Vec::new();
    let mut out = Vec::with_capacity(ours.len().max(theirs.len()));
    let mut copied = 0;
    for piece in pieces {
        let Piece { base: r, ours: mine, theirs: other, side } = piece;
        let (mine_lines, other_lines) = (slice(&a, &mine), slice(&b, &other));
        append(&mut out, slice(&o, &(copied..r.start)), &interner);
        copied = r.end;
        let taken = match side {
            Side::Ours => mine_lines,
            Side::Theirs => other_lines,
            // Both sides made the same change.
            Side::Both if mine_lines == other_lines => mine_lines,
            Side::Both => {
                let text = |lines: &[Token]| lines.iter().flat_map(|t| interner.0[*t]).copied().collect::<Vec<u8>>();
                match resolve(&text(slice(&o, &r)), &text(mine_lines), &text(other_lines)) {
                    Some(resolved) => out.extend(resolved),
                    None => overlaps.push(Overlap { base: r, ours: mine, theirs: other }),
                }
                continue;
            }
        };
        append(&mut out, taken, &interner);
    }
    if !overlaps.is_empty() {
        return Err(overlaps);
    }
    append(&mut out, slice(&o, &(copied..o.len() as u32)), &interner);
    Ok(out)
}

fn slice<'t>(tokens: &'t [Token], range: &Range<u32>) -> &'t [Token] {
    &tokens[range.start as usize..range.end as usize]
}

fn append(out: &mut Vec<u8>, tokens: &[Token], interner: &LineInterner<'_>) {
    for token in tokens {
        // The last line of a text without a final newline is no longer the last.
        if out.last().is_some_and(|last| *last != b'\n') {
            out.push(b'\n');
        }
        out.extend_from_slice(interner.0[*token]);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Ours,
    Theirs,
    Both,
}

struct Piece {
    base: Range<u32>,
    ours: Range<u32>,
    theirs: Range<u32>,
    side: Side,
}

/// Aligns two lists of changes of the same base. Changes that overlap or are adjacent become one piece.
fn pieces(ours: &[Hunk], theirs: &[Hunk]) -> Vec<Piece> {
    let mut out: Vec<Piece> = Vec::new();
    let (mut x, mut y) = (ours.iter().peekable(), theirs.iter().peekable());
    // The difference between line numbers of each side and of the base, after the hunks so far.
    let (mut shift_x, mut shift_y) = (0i64, 0i64);
    let moved = |r: &Range<u32>, by: i64| (i64::from(r.start) + by) as u32..(i64::from(r.end) + by) as u32;
    let grow = |h: &Hunk| h.after.len() as i64 - h.before.len() as i64;
    loop {
        let piece = match (x.peek(), y.peek()) {
            (None, None) => return out,
            (Some(m), None) => Side::Ours.of(m, shift_y, moved),
            (None, Some(t)) => Side::Theirs.of(t, shift_x, moved),
            (Some(m), Some(t)) if m.before.end < t.before.start => Side::Ours.of(m, shift_y, moved),
            (Some(m), Some(t)) if t.before.end < m.before.start => Side::Theirs.of(t, shift_x, moved),
            (Some(m), Some(t)) => {
                let start = m.before.start.min(t.before.start);
                let end = m.before.end.max(t.before.end);
                // The start is too small if the same side has an earlier hunk in the piece; `join` then keeps that start.
                let widen =
                    |h: &Hunk| h.after.start.saturating_sub(h.before.start - start)..h.after.end + (end - h.before.end);
                Piece { base: start..end, ours: widen(m), theirs: widen(t), side: Side::Both }
            }
        };
        let passes = |side: Side, h: Option<&&Hunk>, other: Option<&&Hunk>| match (h, other) {
            (Some(h), Some(o)) if piece.side == Side::Both => h.before.end <= o.before.end,
            _ => piece.side == side || piece.side == Side::Both,
        };
        let (pass_x, pass_y) = (passes(Side::Ours, x.peek(), y.peek()), passes(Side::Theirs, y.peek(), x.peek()));
        if pass_x && let Some(h) = x.next() {
            shift_x += grow(h);
        }
        if pass_y && let Some(h) = y.next() {
            shift_y += grow(h);
        }
        join(&mut out, piece);
    }
}

impl Side {
    /// A piece that only one side changes; `shift` gives its lines in the other side.
    fn of(self, hunk: &Hunk, shift: i64, moved: impl Fn(&Range<u32>, i64) -> Range<u32>) -> Piece {
        let (base, own, other) = (hunk.before.clone(), hunk.after.clone(), moved(&hunk.before, shift));
        match self {
            Self::Theirs => Piece { base, ours: other, theirs: own, side: self },
            _ => Piece { base, ours: own, theirs: other, side: self },
        }
    }
}

/// Adds a piece, and joins it to its predecessor if they are adjacent on either side.
fn join(out: &mut Vec<Piece>, piece: Piece) {
    match out.last_mut() {
        Some(last) if piece.ours.start <= last.ours.end || piece.theirs.start <= last.theirs.end => {
            if last.side != piece.side {
                last.side = Side::Both;
            }
            // The new piece's ends account for every hunk before them.
            (last.base.end, last.ours.end, last.theirs.end) = (piece.base.end, piece.ours.end, piece.theirs.end);
        }
        _ => out.push(piece),
    }
}
