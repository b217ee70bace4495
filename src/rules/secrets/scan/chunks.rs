//! A file that is too large to be held, as text in chunks that overlap: nothing falls between two, and each place belongs to one.
//! Owns the memory it takes; what is found in a chunk is the scanner's affair.

use std::io::Read;
use std::ops::Range;

use crate::error::{Error, Result};
use crate::rules::secrets::archive;
use crate::rules::secrets::encoding::{Decoder, is_binary, is_media};
use crate::rules::secrets::scan::scanner::OVERLAP;
use crate::text::Before;

/// No chunk is longer, whatever the policy says of windows.
const LONGEST: usize = 64 << 20;
const READ: usize = 64 << 10;

pub struct Chunks<'r> {
    input: &'r mut dyn Read,
    decoder: Decoder,
    binary: bool,
    archive: bool,
    media: bool,
    text: Vec<u8>,
    /// How much text a chunk has, about.
    size: usize,
    before: Before,
    state: State,
}

#[derive(PartialEq)]
enum State {
    First,
    Later,
    Ended,
}

pub struct Chunk<'p> {
    pub text: &'p [u8],
    pub before: Before,
    /// What begins here is told of in this chunk.
    pub own: Range<usize>,
}

impl<'r> Chunks<'r> {
    /// Reads the head.
    pub fn new(input: &'r mut dyn Read, window: usize) -> Result<Self> {
        let mut head = Vec::with_capacity(READ);
        (&mut *input).take(READ as u64).read_to_end(&mut head).map_err(cannot)?;
        let (mut decoder, binary) = (Decoder::default(), is_binary(&head));
        let archive = archive::kind(&head).is_some();
        let media = is_media(&head);
        let size = window.clamp(4 * OVERLAP, LONGEST);
        let mut text = Vec::with_capacity(size + 2 * READ);
        decoder.decode(&head, false, &mut text);
        Ok(Self { input, decoder, binary, archive, media, text, size, before: Before::default(), state: State::First })
    }

    pub fn is_binary(&self) -> bool {
        self.binary
    }

    pub fn is_media(&self) -> bool {
        self.media
    }

    pub fn is_archive(&self) -> bool {
        self.archive
    }

    /// The next chunk; `None` after the last.
    pub fn next(&mut self) -> Result<Option<Chunk<'_>>> {
        let mut own = 0;
        match self.state {
            State::Ended => return Ok(None),
            State::First => self.state = State::Later,
            State::Later => {
                let done = self.text.len() - OVERLAP;
                self.before.pass(&self.text[..done]);
                self.text.drain(..done);
                own = OVERLAP / 2;
            }
        }
        let mut piece = [0; READ];
        while self.text.len() < self.size {
            match self.input.read(&mut piece) {
                Ok(0) => {
                    self.decoder.decode(&[], true, &mut self.text);
                    self.state = State::Ended;
                    break;
                }
                Ok(read) => self.decoder.decode(&piece[..read], false, &mut self.text),
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(cannot(e)),
            }
        }
        let end = if self.state == State::Ended { usize::MAX } else { self.text.len() - OVERLAP / 2 };
        Ok(Some(Chunk { text: &self.text, before: self.before, own: own..end }))
    }
}

fn cannot(e: std::io::Error) -> Error {
    Error::undecided(format!("a large file cannot be read to its end: {e}"))
}
