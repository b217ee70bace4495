//! The index file read forward, entry by entry, and not kept. Owns the layout of git's index, versions 2 to 4
//! (gitformat-index), as far as "what is staged" asks. What needs all entries at once goes to the library's reader;
//! so does a split index, whose entries stand in two files.
//!
//! Why its own: at 20,000 files the library's reader takes half of a staged check, most of it page faults for entries
//! of which all but one are then skipped by the cache-tree.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read, Seek};
use std::path::Path;

use bstr::BString;
use gix::index::entry::Mode;
use gix::index::extension::{Tree as CacheTree, tree};

use crate::error::{Error, Result};
use crate::git::{oid, unreadable};
use crate::subject::Oid;

/// Bytes read at once.
const CHUNK: usize = 64 * 1024;
const HEADER: u64 = 12;
/// Two times, device, inode, mode, user, group and size: the numbers in front of an entry's id.
const NUMBERS: usize = 40;
const EXTENDED: u16 = 0x4000;
const STAGE: u16 = 0x3000;
const NAME_LENGTH: u16 = 0x0fff;
const INTENT_TO_ADD: u16 = 0x2000;

/// One entry, in a buffer that the next one reuses.
pub(super) struct Entry {
    pub path: BString,
    pub id: Oid,
    pub mode: Mode,
    /// In the next commit: neither one side of a conflict nor an intent to add.
    pub counts: bool,
}

impl Default for Entry {
    fn default() -> Self {
        let id = Oid::from_bytes(&[0; 20]).expect("an id has twenty bytes");
        Self { path: BString::default(), id, mode: Mode::empty(), counts: false }
    }
}

/// Entries in the order of the index.
pub(super) trait Entries {
    /// Puts the next entry into `into`; false after the last one, which leaves `into` alone.
    fn next(&mut self, into: &mut Entry) -> Result<bool>;
}

/// What the file says before its entries are read.
pub(super) struct Layout {
    file: File,
    version: u32,
    count: u32,
    hash: gix::hash::Kind,
    pub cache_tree: Option<CacheTree>,
}

impl Layout {
    /// Reads header and extensions. `None`: not a layout this reader knows; the library's may, or has the better error.
    pub fn open(path: &Path, hash: gix::hash::Kind) -> Result<Option<Self>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(broken(e)),
        };
        let mut header = [0; HEADER as usize];
        if (&file).read_exact(&mut header).is_err() {
            return Ok(None);
        }
        let version = be32(&header[4..]);
        if &header[..4] != b"DIRC" || !(2..=4).contains(&version) {
            return Ok(None);
        }
        let mut layout = Self { file, version, count: be32(&header[8..]), hash, cache_tree: None };
        Ok(layout.read_extensions().map_err(broken)?.then_some(layout))
    }

    /// A reader at the first entry.
    pub fn entries(&self) -> Result<Forward<'_>> {
        (&self.file).seek(std::io::SeekFrom::Start(HEADER)).map_err(broken)?;
        Ok(self.forward())
    }

    fn forward(&self) -> Forward<'_> {
        Forward {
            input: BufReader::with_capacity(CHUNK, &self.file),
            version: self.version,
            left: self.count,
            id_length: self.hash.len_in_bytes(),
            path: Vec::new(),
        }
    }

    /// Extensions stand behind the entries, and most indexes do not say where: one pass over the entries finds them.
    fn read_extensions(&mut self) -> std::io::Result<bool> {
        let end = self.file.metadata()?.len().saturating_sub(self.hash.len_in_bytes() as u64);
        let mut entries = self.forward();
        while entries.step()?.is_some() {}
        let mut input = entries.input;
        let mut cache_tree = None;
        while input.stream_position()? + 8 <= end {
            let mut header = [0; 8];
            input.read_exact(&mut header)?;
            let length = be32(&header[4..]);
            match &header[..4] {
                b"TREE" => {
                    let mut data = Vec::new();
                    (&mut input).take(length.into()).read_to_end(&mut data)?;
                    // One that cannot be read only costs the short cut.
                    cache_tree = tree::decode(&data, self.hash, None);
                }
                b"sdir" => input.seek_relative(length.into())?,
                // A small letter: not to be ignored by who does not know it.
                [b'a'..=b'z', ..] => return Ok(false),
                _ => input.seek_relative(length.into())?,
            }
        }
        self.cache_tree = cache_tree;
        Ok(true)
    }
}

/// Reads entries of one file in turn.
pub(super) struct Forward<'f> {
    input: BufReader<&'f File>,
    version: u32,
    left: u32,
    id_length: usize,
    /// The path of the entry read last; version 4 builds the next one on it.
    path: Vec<u8>,
}

/// What stands in front of a path.
struct Fixed {
    mode: u32,
    id: Oid,
    counts: bool,
}

impl Forward<'_> {
    /// Reads one entry, its path into `self.path`.
    fn step(&mut self) -> std::io::Result<Option<Fixed>> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        // Room for the longest id and both flag words.
        let mut buffer = [0; NUMBERS + 32 + 4];
        let short = NUMBERS + self.id_length + 2;
        self.input.read_exact(&mut buffer[..short])?;
        let flags = be16(&buffer[short - 2..]);
        let mut length = short;
        let mut counts = flags & STAGE == 0;
        if flags & EXTENDED != 0 {
            self.input.read_exact(&mut buffer[short..short + 2])?;
            counts &= be16(&buffer[short..]) & INTENT_TO_ADD == 0;
            length += 2;
        }
        if self.version == 4 {
            let strip = self.varint()?;
            let keep = self.path.len().checked_sub(strip).ok_or(ErrorKind::InvalidData)?;
            self.path.truncate(keep);
            self.until_nul()?;
        } else {
            self.path.clear();
            let name = usize::from(flags & NAME_LENGTH);
            let mut nul = 0;
            if name < usize::from(NAME_LENGTH) {
                self.path.resize(name, 0);
                self.input.read_exact(&mut self.path)?;
            } else {
                self.until_nul()?;
                nul = 1;
            }
            // One to eight NULs, so that the next entry begins at a multiple of eight.
            let padding = 8 - (length + self.path.len()) % 8 - nul;
            self.input.read_exact(&mut [0; 8][..padding])?;
        }
        let id = Oid::from_bytes(&buffer[NUMBERS..NUMBERS + self.id_length]).ok_or(ErrorKind::InvalidData)?;
        Ok(Some(Fixed { mode: be32(&buffer[24..]), id, counts }))
    }

    fn until_nul(&mut self) -> std::io::Result<()> {
        self.input.read_until(0, &mut self.path)?;
        if self.path.pop() == Some(0) { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) }
    }

    /// The number that pack files use for offsets: seven bits a byte, each continuation adds one.
    fn varint(&mut self) -> std::io::Result<usize> {
        let mut value = 0_usize;
        loop {
            let mut byte = [0];
            self.input.read_exact(&mut byte)?;
            value = value.checked_shl(7).filter(|v| v >> 7 == value).ok_or(ErrorKind::InvalidData)?;
            value |= usize::from(byte[0] & 0x7f);
            if byte[0] & 0x80 == 0 {
                return Ok(value);
            }
            value += 1;
        }
    }
}

impl Entries for Forward<'_> {
    fn next(&mut self, into: &mut Entry) -> Result<bool> {
        let Some(fixed) = self.step().map_err(broken)? else { return Ok(false) };
        into.path.clear();
        into.path.extend_from_slice(&self.path);
        into.id = fixed.id;
        into.mode = Mode::from_bits_truncate(fixed.mode);
        into.counts = fixed.counts;
        Ok(true)
    }
}

/// The library's index, for layouts that are not read forward.
pub(super) struct Whole<'i> {
    pub index: &'i super::Index,
    pub at: usize,
}

impl Entries for Whole<'_> {
    fn next(&mut self, into: &mut Entry) -> Result<bool> {
        let Some(entry) = self.index.entries().get(self.at) else { return Ok(false) };
        self.at += 1;
        into.path.clear();
        into.path.extend_from_slice(entry.path(self.index));
        into.id = oid(&entry.id);
        into.mode = entry.mode;
        into.counts = super::counts(entry);
        Ok(true)
    }
}

fn broken(e: std::io::Error) -> Error {
    unreadable("cannot read the index")(e)
}

fn be16(bytes: &[u8]) -> u16 {
    u16::from_be_bytes([bytes[0], bytes[1]])
}

fn be32(bytes: &[u8]) -> u32 {
    u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}
