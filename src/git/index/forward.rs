//! Streams the entries of the index file. Owns the layout of git's index, versions 2 to 4 (gitformat-index), as far as
//! staged files need it. gix reads a split index, whose entries are in two files.
//!
//! Why not gix alone: at 20,000 files its reader takes half the time of a staged check, most of it page faults for entries
//! that the cache-tree then skips.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::Path;

use bstr::{BString, ByteSlice as _};
use gix::index::entry::Mode;
use gix::index::extension::{Tree as CacheTree, tree};

use crate::error::{Error, Result};
use crate::git::{oid, unreadable};
use crate::subject::Oid;

/// Bytes read at once.
const CHUNK: usize = 64 * 1024;
const HEADER: u64 = 12;
/// Length of the stat data before an entry's id: two times, device, inode, mode, user, group and size.
const STAT: usize = 40;
/// Offset of the mode in the stat data.
const MODE: usize = 24;
const EXTENDED: u16 = 0x4000;
const STAGE: u16 = 0x3000;
const NAME_LENGTH: u16 = 0x0fff;
const INTENT_TO_ADD: u16 = 0x2000;

/// One entry, in a buffer that the next one reuses.
pub(super) struct Entry {
    pub path: BString,
    pub id: Oid,
    pub mode: Mode,
    /// Will be in the next commit: neither one side of a conflict nor an intent to add.
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
    /// Reads the next entry into `into`; false after the last one, without a change to `into`.
    fn next(&mut self, into: &mut Entry) -> Result<bool>;
}

/// The header and extensions of the file.
pub(super) struct Layout {
    file: File,
    version: u32,
    count: u32,
    hash: gix::hash::Kind,
    pub cache_tree: Option<CacheTree>,
}

impl Layout {
    /// Reads header and extensions. `None`: an unknown layout, which gix may read, or has a better error for.
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
        (&self.file).seek(SeekFrom::Start(HEADER)).map_err(broken)?;
        Ok(self.forward())
    }

    fn forward(&self) -> Forward<'_> {
        let input = Window { file: &self.file, buffer: vec![0; CHUNK], start: 0, end: 0 };
        let id_length = self.hash.len_in_bytes();
        Forward { input, version: self.version, left: self.count, id_length, path: Vec::new() }
    }

    /// Extensions follow the entries, and most indexes do not record where: one pass over the entries finds them.
    fn read_extensions(&mut self) -> std::io::Result<bool> {
        let end = self.file.metadata()?.len().saturating_sub(self.hash.len_in_bytes() as u64);
        let mut entries = self.forward();
        while entries.skip()? {}
        let mut at = entries.input.position()?;
        let mut file = &self.file;
        let mut cache_tree = None;
        while at + 8 <= end {
            file.seek(SeekFrom::Start(at))?;
            let mut header = [0; 8];
            file.read_exact(&mut header)?;
            let length = be32(&header[4..]);
            match &header[..4] {
                b"TREE" => {
                    let mut data = Vec::new();
                    file.take(length.into()).read_to_end(&mut data)?;
                    // Without a valid cache-tree the comparison is slower, not wrong.
                    cache_tree = tree::decode(&data, self.hash, None);
                }
                b"sdir" => {}
                // Lower case: a required extension that this reader does not know.
                [b'a'..=b'z', ..] => return Ok(false),
                _ => {}
            }
            at += 8 + u64::from(length);
        }
        self.cache_tree = cache_tree;
        Ok(true)
    }
}

/// A buffer that moves forward through a file.
struct Window<'f> {
    file: &'f File,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Window<'_> {
    /// The next bytes, at least `length` of them.
    fn ahead(&mut self, length: usize) -> std::io::Result<&[u8]> {
        if self.end - self.start < length {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            if self.buffer.len() < length {
                self.buffer.resize(length, 0);
            }
            while self.end < length {
                match self.file.read(&mut self.buffer[self.end..]) {
                    Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                    Ok(more) => self.end += more,
                    Err(e) if e.kind() == ErrorKind::Interrupted => {}
                    Err(e) => return Err(e),
                }
            }
        }
        Ok(&self.buffer[self.start..self.end])
    }

    /// The distance to the next NUL, searched from `from` on.
    fn until_nul(&mut self, from: usize) -> std::io::Result<usize> {
        let mut searched = from;
        loop {
            let ahead = self.ahead(searched + 1)?;
            match ahead[searched..].find_byte(0) {
                Some(n) => return Ok(searched + n),
                None => searched = ahead.len(),
            }
        }
    }

    /// The file offset of the window's start.
    fn position(&mut self) -> std::io::Result<u64> {
        Ok(self.file.stream_position()? - (self.end - self.start) as u64)
    }
}

/// Reads the entries of one file in order.
pub(super) struct Forward<'f> {
    input: Window<'f>,
    version: u32,
    left: u32,
    id_length: usize,
    /// The path of the last entry: version 4 stores the next one as a difference from it.
    path: Vec<u8>,
}

/// The parts of an entry, in bytes from its start.
struct Spans {
    flags: usize,
    name: Range<usize>,
    /// Bytes to remove from the last path before `name` is appended.
    strip: usize,
    end: usize,
}

impl Forward<'_> {
    /// Measures the next entry.
    fn spans(&mut self) -> std::io::Result<Spans> {
        let flags = STAT + self.id_length;
        // With the second flag word and the first bytes of a name: the checksum at the file's end is longer than that.
        let ahead = self.input.ahead(flags + 8)?;
        let word = be16(&ahead[flags..]);
        let name = flags + if word & EXTENDED == 0 { 2 } else { 4 };
        if self.version == 4 {
            let (strip, length) = varint(&ahead[name..])?;
            let name = name + length;
            let end = self.input.until_nul(name)?;
            return Ok(Spans { flags, name: name..end, strip, end: end + 1 });
        }
        let end = match word & NAME_LENGTH {
            NAME_LENGTH => self.input.until_nul(name)?,
            length => name + usize::from(length),
        };
        // One to eight NULs, so that the next entry begins at a multiple of eight.
        Ok(Spans { flags, name: name..end, strip: 0, end: (end + 8) & !7 })
    }

    /// Skips one entry; false after the last.
    fn skip(&mut self) -> std::io::Result<bool> {
        if self.left == 0 {
            return Ok(false);
        }
        self.left -= 1;
        let spans = self.spans()?;
        self.input.ahead(spans.end)?;
        self.input.start += spans.end;
        Ok(true)
    }

    fn read(&mut self, into: &mut Entry) -> std::io::Result<bool> {
        if self.left == 0 {
            return Ok(false);
        }
        self.left -= 1;
        let spans = self.spans()?;
        let entry = self.input.ahead(spans.end)?;
        let keep = if self.version == 4 { self.path.len().checked_sub(spans.strip) } else { Some(0) };
        self.path.truncate(keep.ok_or(ErrorKind::InvalidData)?);
        self.path.extend_from_slice(&entry[spans.name.clone()]);
        let flags = be16(&entry[spans.flags..]);
        let later = flags & EXTENDED != 0 && be16(&entry[spans.flags + 2..]) & INTENT_TO_ADD != 0;
        into.id = Oid::from_bytes(&entry[STAT..spans.flags]).ok_or(ErrorKind::InvalidData)?;
        into.mode = Mode::from_bits_truncate(be32(&entry[MODE..]));
        into.counts = flags & STAGE == 0 && !later;
        into.path.clear();
        into.path.extend_from_slice(&self.path);
        self.input.start += spans.end;
        Ok(true)
    }
}

/// A varint as in pack offsets, and its length: seven bits a byte, each continuation adds one.
fn varint(bytes: &[u8]) -> std::io::Result<(usize, usize)> {
    let mut value = 0_usize;
    for (n, byte) in bytes.iter().take(5).enumerate() {
        value = value << 7 | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Ok((value, n + 1));
        }
        value += 1;
    }
    Err(ErrorKind::InvalidData.into())
}

impl Entries for Forward<'_> {
    fn next(&mut self, into: &mut Entry) -> Result<bool> {
        self.read(into).map_err(broken)
    }
}

/// The entries of gix's index, for layouts that this reader does not know.
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
