//! Archives: what stands in them, one level deep. Owns how they are told apart and how much of one is read at most, so
//! that a small file cannot cost much time or memory; whatever is not read is said to be unread.

use std::io::{Cursor, Read};

use bstr::{BStr, ByteSlice as _};

use super::decode;

/// The most that is unpacked of one archive.
const BYTES: usize = 64 << 20;
/// So many times its own size may an archive unpack to, beyond the first [`FREE`] bytes.
const RATIO: usize = 100;
const FREE: usize = 8 << 20;
/// The most files that are read of one archive.
const FILES: usize = 4096;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Zip,
    Gzip,
    Tar,
    /// A kind that is not unpacked, by name.
    Other(&'static str),
}

/// Which kind of archive some content is, if it is one. A zip archive may begin with anything: its directory is its end.
pub fn kind(bytes: &[u8]) -> Option<Kind> {
    const STARTS: &[(&[u8], Kind)] = &[
        (b"PK\x03\x04", Kind::Zip),
        (b"\x1f\x8b", Kind::Gzip),
        (b"7z\xbc\xaf\x27\x1c", Kind::Other("7z")),
        (b"Rar!\x1a\x07", Kind::Other("RAR")),
        (b"\xfd7zXZ\0", Kind::Other("xz")),
        (b"\x28\xb5\x2f\xfd", Kind::Other("zstd")),
        (b"BZh", Kind::Other("bzip2")),
    ];
    if bytes.get(257..262) == Some(b"ustar") {
        return Some(Kind::Tar);
    }
    let kind = STARTS.iter().find(|(start, _)| bytes.starts_with(start)).map(|(_, kind)| *kind);
    let named = |kind: &Kind| *kind != Kind::Other("bzip2") || bytes.get(4..10) == Some(b"1AY&SY");
    kind.filter(named).or_else(|| ends_as_zip(bytes).then_some(Kind::Zip))
}

fn ends_as_zip(bytes: &[u8]) -> bool {
    // The record at the end has 22 bytes and a comment.
    const RECORD: usize = 22;
    let last = &bytes[bytes.len().saturating_sub(RECORD + usize::from(u16::MAX))..];
    last.len() >= RECORD && last.last() == Some(&0) && last.contains_str(b"PK\x05\x06\0\0\0\0")
}

/// Why an archive, or a part of it, is not read: completes "this archive is not searched: ...".
pub type Unread = String;

/// Hands every file of an archive to `visit`, with its name.
pub fn read(kind: Kind, bytes: &[u8], name: &BStr, visit: &mut dyn FnMut(&BStr, &[u8])) -> Result<(), Unread> {
    let most = BYTES.min(bytes.len().saturating_mul(RATIO).saturating_add(FREE));
    let mut reading = Reading { visit, files: 0, left: most, inner: None };
    match kind {
        Kind::Zip => reading.zip(bytes)?,
        Kind::Tar => reading.tar(bytes)?,
        Kind::Gzip => {
            let decode::Unpacked { bytes: unpacked, is_whole } = decode::gunzip(bytes, most).ok_or("it is damaged")?;
            if unpacked.len() >= most {
                return Err(format!("it unpacks to more than {most} bytes"));
            }
            if self::kind(&unpacked) == Some(Kind::Tar) {
                reading.tar(&unpacked)?;
            } else {
                let stem = name.strip_suffix(b".gz").unwrap_or(name);
                reading.file(stem.rsplit(|b| *b == b'/').next().unwrap_or(stem).into(), &mut unpacked.as_slice())?;
            }
            if !is_whole {
                return Err("it is damaged, or its end is missing".into());
            }
        }
        Kind::Other(name) => return Err(format!("it is packed with {name}")),
    }
    match reading.inner {
        Some(inner) => Err(format!("`{}` in it is an archive itself", crate::text::sanitise(&inner))),
        None => Ok(()),
    }
}

struct Reading<'v> {
    visit: &'v mut dyn FnMut(&BStr, &[u8]),
    files: usize,
    /// How many more bytes may be unpacked.
    left: usize,
    /// An archive in the archive, which is not opened.
    inner: Option<Vec<u8>>,
}

impl Reading<'_> {
    fn zip(&mut self, bytes: &[u8]) -> Result<(), Unread> {
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|_| "it is damaged")?;
        for at in 0..archive.len() {
            let method = archive.by_index_raw(at).map_err(|_| "it is damaged")?.compression();
            if !matches!(method, zip::CompressionMethod::Stored | zip::CompressionMethod::Deflated) {
                return Err("a file in it is packed in an unusual way".into());
            }
            let mut entry = archive.by_index(at).map_err(|error| match error {
                zip::result::ZipError::UnsupportedArchive(_) => "a file in it is encrypted",
                _ => "it is damaged",
            })?;
            if entry.is_file() {
                let name = entry.name_raw().to_vec();
                self.file(name.as_bstr(), &mut entry)?;
            }
        }
        Ok(())
    }

    fn tar(&mut self, bytes: &[u8]) -> Result<(), Unread> {
        let mut archive = tar::Archive::new(bytes);
        for entry in archive.entries().map_err(|_| "it is damaged")? {
            let mut entry = entry.map_err(|_| "it is damaged")?;
            if entry.header().entry_type().is_file() {
                let name = entry.path_bytes().into_owned();
                self.file(name.as_bstr(), &mut entry)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, name: &BStr, input: &mut dyn Read) -> Result<(), Unread> {
        self.files += 1;
        if self.files > FILES {
            return Err(format!("it holds more than {FILES} files"));
        }
        let mut content = Vec::new();
        let read = input.take(self.left as u64 + 1).read_to_end(&mut content).map_err(|_| "it is damaged")?;
        self.left = self.left.checked_sub(read).ok_or("it unpacks to too much")?;
        if kind(&content).is_some() {
            self.inner.get_or_insert_with(|| name.to_vec());
        }
        (self.visit)(name, &content);
        Ok(())
    }
}
