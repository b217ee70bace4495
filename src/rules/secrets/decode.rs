//! What stands behind an encoding: base64 and gzip.

pub use crate::values::base64::decode as base64;

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
