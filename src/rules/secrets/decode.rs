//! What stands behind an encoding: UTF-16 text, base64, gzip, and whether bytes are text at all.

use std::borrow::Cow;

pub use crate::values::base64::decode as base64;

/// How many bytes decide whether content is binary: as many as git looks at.
const LOOK: usize = 8000;

/// Whatever may be text, as bytes that a scanner can read.
pub enum Content<'a> {
    Text(Cow<'a, [u8]>),
    Binary,
}

/// Reads UTF-16 with a byte order mark as UTF-8; a NUL among the first 8,000 bytes otherwise means binary, as it does to git.
pub fn content(bytes: &[u8]) -> Content<'_> {
    let read: Option<fn([u8; 2]) -> u16> = match bytes {
        // A UTF-32 mark begins like a UTF-16 one; nobody keeps secrets in that.
        [0xff, 0xfe, 0, 0, ..] => None,
        [0xff, 0xfe, ..] => Some(u16::from_le_bytes),
        [0xfe, 0xff, ..] => Some(u16::from_be_bytes),
        _ => None,
    };
    if let Some(read) = read {
        let units = bytes[2..].chunks_exact(2).map(|pair| read([pair[0], pair[1]]));
        let text: String = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        return Content::Text(Cow::Owned(text.into_bytes()));
    }
    if is_binary(bytes) { Content::Binary } else { Content::Text(Cow::Borrowed(bytes)) }
}

/// Reads text piece by piece as [`content`] reads it at once: UTF-16 with a mark as UTF-8, everything else as it is.
pub struct Decoder {
    read: Option<fn([u8; 2]) -> u16>,
    /// Bytes of the mark that are still to come.
    mark: usize,
    /// The beginning of a character whose end is in the next piece.
    rest: Vec<u8>,
}

impl Decoder {
    /// `head`: how the text begins, which has to be decoded with the rest.
    pub fn of(head: &[u8]) -> Self {
        let read: Option<fn([u8; 2]) -> u16> = match head {
            [0xff, 0xfe, 0, 0, ..] => None,
            [0xff, 0xfe, ..] => Some(u16::from_le_bytes),
            [0xfe, 0xff, ..] => Some(u16::from_be_bytes),
            _ => None,
        };
        Self { read, mark: 2, rest: Vec::new() }
    }

    /// Appends what a piece says.
    pub fn decode(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        let Some(read) = self.read else { return out.extend_from_slice(piece) };
        self.rest.extend_from_slice(piece);
        let bytes = &self.rest[self.mark.min(self.rest.len())..];
        let (pairs, _) = bytes.as_chunks::<2>();
        // The first half of a character of two waits for the other.
        let waits = pairs.last().is_some_and(|pair| (0xd800..0xdc00).contains(&read(*pair)));
        let pairs = &pairs[..pairs.len() - usize::from(waits)];
        for c in char::decode_utf16(pairs.iter().map(|pair| read(*pair))) {
            let c = c.unwrap_or(char::REPLACEMENT_CHARACTER);
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
        let done = self.mark.min(self.rest.len()) + 2 * pairs.len();
        self.rest.drain(..done);
        self.mark = 0;
    }
}

/// Whether the check skips content unless `binary: true`: for engines that count what was not looked at.
pub fn is_binary(bytes: &[u8]) -> bool {
    let marked =
        bytes.starts_with(&[0xff, 0xfe]) && !bytes.starts_with(&[0xff, 0xfe, 0, 0]) || bytes.starts_with(&[0xfe, 0xff]);
    !marked && memchr::memchr(0, &bytes[..bytes.len().min(LOOK)]).is_some()
}

/// The most that is unpacked: a release of Helm has 1 MiB packed, and a bomb has no end.
const UNPACKED: usize = 8 << 20;

/// Unpacks gzip, up to a bound; what is cut off or broken gives as much as came before.
pub fn gunzip(bytes: &[u8]) -> Option<Vec<u8>> {
    // 15 bits of window, and 16 for the header of gzip.
    const GZIP: u8 = 15 + 16;
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return None;
    }
    let mut inflate = zlib_rs::Inflate::new(true, GZIP);
    let mut out = Vec::new();
    let mut chunk = vec![0; 64 << 10];
    while out.len() < UNPACKED {
        let (read, written) = (inflate.total_in(), inflate.total_out());
        let rest = bytes.get(usize::try_from(read).ok()?..)?;
        let status = inflate.decompress(rest, &mut chunk, zlib_rs::InflateFlush::NoFlush);
        out.extend_from_slice(&chunk[..usize::try_from(inflate.total_out() - written).ok()?]);
        let stuck = inflate.total_in() == read && inflate.total_out() == written;
        if stuck || !matches!(status, Ok(zlib_rs::Status::Ok | zlib_rs::Status::BufError)) {
            break;
        }
    }
    out.truncate(UNPACKED);
    (!out.is_empty()).then_some(out)
}
