//! What stands behind an encoding: base64 and gzip.

use bstr::{BStr, ByteSlice as _};

pub use crate::values::base64::decode as base64;

/// Unpacks gzip, up to a bound: every part of it, for tools read parts one after another. What is cut off or broken gives
/// as much as came before, and is not whole.
pub fn gunzip(mut bytes: &[u8], most: usize) -> Option<Unpacked> {
    // 15 bits of window, and 16 for the header of gzip.
    const GZIP: u8 = 15 + 16;
    let mut out = Vec::new();
    let mut chunk = vec![0; 64 << 10];
    let mut is_whole = true;
    while bytes.starts_with(&[0x1f, 0x8b]) && out.len() < most {
        let mut inflate = zlib_rs::Inflate::new(true, GZIP);
        loop {
            let (read, written) = (inflate.total_in(), inflate.total_out());
            let rest = bytes.get(usize::try_from(read).ok()?..)?;
            let status = inflate.decompress(rest, &mut chunk, zlib_rs::InflateFlush::NoFlush);
            out.extend_from_slice(&chunk[..usize::try_from(inflate.total_out() - written).ok()?]);
            let stuck = inflate.total_in() == read && inflate.total_out() == written;
            is_whole = matches!(status, Ok(zlib_rs::Status::StreamEnd));
            if stuck || out.len() >= most || !matches!(status, Ok(zlib_rs::Status::Ok | zlib_rs::Status::BufError)) {
                break;
            }
        }
        let read = usize::try_from(inflate.total_in()).ok()?;
        bytes = bytes.get(read.max(1)..)?;
    }
    out.truncate(most);
    (is_whole || !out.is_empty()).then_some(Unpacked { bytes: out, is_whole })
}

/// What was packed, and whether its end was reached.
pub struct Unpacked {
    pub bytes: Vec<u8>,
    pub is_whole: bool,
}

/// A path for something that was decoded, by what it looks like: the kind of a file decides how it is read.
pub fn path_of(content: &[u8]) -> &'static BStr {
    BStr::new(match content.trim_start().first() {
        Some(b'{' | b'[') if serde_json::from_slice::<serde::de::IgnoredAny>(content).is_ok() => "decoded.json",
        Some(b'<') => "decoded.xml",
        _ if content.find_byteset(b":=").is_some_and(|at| content[at] == b'=') => "decoded.properties",
        _ => "decoded.yaml",
    })
}
