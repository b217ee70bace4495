//! Which text stands in bytes: UTF-16 with or without a mark, text with NUL bytes in it, and what is binary.
//! Owns the decision that no mark and no NUL byte hides the text around it.

use std::borrow::Cow;

/// How many bytes decide whether content is binary: as many as git looks at.
const LOOK: usize = 8000;
/// So many characters of ASCII in a row, each with a NUL byte beside it, are UTF-16.
const UNITS: usize = 4;
/// So many units in a row that are two characters of ASCII each are no UTF-16.
const NARROW: usize = 8;

/// The text of some content, as bytes that a scanner can read.
pub struct Content<'a> {
    /// UTF-16 as UTF-8, and a line end in the place of every NUL byte.
    pub text: Cow<'a, [u8]>,
    /// The same with nothing in the place of NUL bytes, as a shell reads it; `None` where there are none.
    pub joined: Option<Vec<u8>>,
    /// The strings of a program, an image or the like, with noise around them.
    pub binary: bool,
}

pub fn content(bytes: &[u8]) -> Content<'_> {
    if is_plain(bytes) {
        return Content { text: Cow::Borrowed(bytes), joined: None, binary: false };
    }
    let binary = is_binary(bytes);
    let mut decoder = Decoder::default();
    let text = decoder.all(bytes);
    let joins = !binary && decoder.dropped > 0;
    let joined = joins.then(|| Decoder { between: None, ..Decoder::default() }.all(bytes));
    Content { text: Cow::Owned(text), joined, binary }
}

/// The text of content, binary or not.
pub fn readable(bytes: &[u8]) -> Cow<'_, [u8]> {
    if is_plain(bytes) { Cow::Borrowed(bytes) } else { Cow::Owned(Decoder::default().all(bytes)) }
}

/// Text as it stands: nothing has to be decoded.
pub fn is_plain(bytes: &[u8]) -> bool {
    mark(bytes).is_none() && memchr::memchr(0, bytes).is_none()
}

/// Whether content with a NUL byte near its start is something else than text: control characters are all over it.
/// One NUL byte alone says nothing, since a shell, for one, ignores it.
pub fn is_binary(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(LOOK)];
    if memchr::memchr(0, head).is_none() {
        return false;
    }
    let mut decoder = Decoder::default();
    let text = decoder.all(head);
    let control = |b: &&u8| b.is_ascii_control() && !b"\t\n\r\x08\x0c\x1b".contains(b);
    let noise = decoder.dropped + text.iter().filter(control).count();
    noise > 4 && noise * 20 > text.len()
}

/// Images, fonts, sound and film, by their first bytes and by the noise after them: compressed data that nobody reads as text.
pub fn is_media(bytes: &[u8]) -> bool {
    const STARTS: &[&[u8]] = &[
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"GIF8",
        b"RIFF",
        b"\0\0\x01\0",
        b"wOFF",
        b"wOF2",
        b"\0\x01\0\0\0",
        b"OTTO",
        b"ID3",
        b"OggS",
        b"\x1aE\xdf\xa3",
    ];
    let film = bytes.get(4..8) == Some(b"ftyp");
    (film || STARTS.iter().any(|start| bytes.starts_with(start))) && is_binary(bytes)
}

type Read = fn([u8; 2]) -> u16;

fn mark(bytes: &[u8]) -> Option<Read> {
    match bytes {
        [0xff, 0xfe, ..] => Some(u16::from_le_bytes),
        [0xfe, 0xff, ..] => Some(u16::from_be_bytes),
        _ => None,
    }
}

/// Decodes text piece by piece. Runs of UTF-16 become UTF-8 wherever they begin and end, for programs append one to the
/// other; NUL bytes outside of them become line ends, and everything else stays as it is.
pub struct Decoder {
    /// What stands in the place of a NUL byte.
    between: Option<u8>,
    started: bool,
    /// Inside a run of UTF-16: how its units are read.
    wide: Option<Read>,
    /// What cannot be decided before more is known.
    rest: Vec<u8>,
    /// NUL bytes that belong to no UTF-16.
    dropped: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { between: Some(b'\n'), started: false, wide: None, rest: Vec::new(), dropped: 0 }
    }
}

impl Decoder {
    fn all(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        self.decode(bytes, true, &mut out);
        out
    }

    /// Appends the text of a piece, except for a few bytes at its end unless it is the last one.
    pub fn decode(&mut self, piece: &[u8], last: bool, out: &mut Vec<u8>) {
        let mut bytes = std::mem::take(&mut self.rest);
        bytes.extend_from_slice(piece);
        let mut at = 0;
        if !self.started && (last || bytes.len() > 1) {
            self.started = true;
            self.wide = mark(&bytes);
            at = if self.wide.is_some() { 2 } else { 0 };
        }
        while self.started && at < bytes.len() {
            let open = &bytes[at..];
            let done = match self.wide {
                Some(read) => self.wide_run(read, open, last, out),
                None => self.narrow_run(open, last, out),
            };
            match done {
                Some(done) => at += done,
                None => break,
            }
        }
        bytes.drain(..at);
        self.rest = bytes;
    }

    /// Reads UTF-16 up to where it ends; says how many bytes that took, or `None` where more has to be known.
    fn wide_run(&mut self, read: Read, bytes: &[u8], last: bool, out: &mut Vec<u8>) -> Option<usize> {
        let (pairs, odd) = bytes.as_chunks::<2>();
        let mut run = 0;
        let end = pairs.iter().position(|pair| {
            run = if pair.iter().all(|b| is_text(*b)) { run + 1 } else { 0 };
            run == NARROW
        });
        let units = match end {
            Some(end) => end + 1 - NARROW,
            None if last => pairs.len(),
            // The first half of a character of two waits for the other.
            None => {
                let units = pairs.len() - run;
                units - usize::from(units > 0 && (0xd800..0xdc00).contains(&read(pairs[units - 1])))
            }
        };
        for c in char::decode_utf16(pairs[..units].iter().map(|pair| read(*pair))) {
            let c = c.unwrap_or(char::REPLACEMENT_CHARACTER);
            if c != '\0' {
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        if end.is_some() || last {
            self.wide = None;
        }
        let done = 2 * units;
        if last && end.is_none() {
            out.extend(odd.iter().filter(|b| **b != 0));
            return Some(bytes.len());
        }
        (done > 0 || end.is_some()).then_some(done)
    }

    /// Reads single bytes up to the next UTF-16.
    fn narrow_run(&mut self, bytes: &[u8], last: bool, out: &mut Vec<u8>) -> Option<usize> {
        let Some(nul) = memchr::memchr(0, bytes) else {
            // The last byte may be the first of a unit.
            let done = bytes.len() - usize::from(!last);
            out.extend_from_slice(&bytes[..done]);
            return (done > 0).then_some(done);
        };
        let from = nul.saturating_sub(1);
        if !last && bytes.len() < nul + 2 * UNITS {
            out.extend_from_slice(&bytes[..from]);
            return (from > 0).then_some(from);
        }
        let little = nul > 0 && is_wide(&bytes[nul - 1..], 0);
        let big = !little && is_wide(&bytes[nul..], 1);
        if little || big {
            self.wide = Some(if little { u16::from_le_bytes } else { u16::from_be_bytes });
            let done = if little { from } else { nul };
            out.extend_from_slice(&bytes[..done]);
            return Some(done);
        }
        out.extend_from_slice(&bytes[..nul]);
        out.extend(self.between);
        self.dropped += 1;
        Some(nul + 1)
    }
}

/// Whether UTF-16 begins here, with `text` the place of the low byte in a unit.
fn is_wide(bytes: &[u8], text: usize) -> bool {
    let (pairs, _) = bytes.as_chunks::<2>();
    pairs.len() >= UNITS && pairs[..UNITS].iter().all(|pair| is_text(pair[text]) && pair[1 - text] == 0)
}

fn is_text(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r')
}
