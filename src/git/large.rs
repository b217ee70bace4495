//! Streams objects that are too large for memory. Owns finding an object's bytes, loose or stored whole in a pack; a delta
//! is resolved in memory after all (git makes no deltas of files above `core.bigFileThreshold`).

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek as _, SeekFrom};
use std::path::Path;

use zlib_rs::{Inflate, InflateFlush, Status};

use super::{ThreadRepo, gix_id, unreadable};
use crate::error::Result;
use crate::subject::Oid;

/// Content of more bytes than this is streamed.
pub const LARGE: u64 = 64 << 20;

/// A reader that inflates a zlib stream.
struct Inflating<R> {
    input: R,
    inflate: Inflate,
    ended: bool,
}

impl<R: BufRead> Inflating<R> {
    fn new(input: R) -> Self {
        const WINDOW: u8 = 15;
        Self { input, inflate: Inflate::new(true, WINDOW), ended: false }
    }
}

impl<R: BufRead> Read for Inflating<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        while !self.ended {
            let (used, made) = (self.inflate.total_in(), self.inflate.total_out());
            let ahead = self.input.fill_buf()?;
            let flush = if ahead.is_empty() { InflateFlush::Finish } else { InflateFlush::NoFlush };
            let status = self.inflate.decompress(ahead, into, flush);
            let used = (self.inflate.total_in() - used) as usize;
            let made = (self.inflate.total_out() - made) as usize;
            self.input.consume(used);
            match status {
                Ok(Status::StreamEnd) => self.ended = true,
                Ok(Status::Ok | Status::BufError) if used + made > 0 => {}
                _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "its compressed data is damaged")),
            }
            if made > 0 {
                return Ok(made);
            }
        }
        Ok(0)
    }
}

/// A reader of exactly as many bytes as the header says; fewer are an error.
struct Exactly<R> {
    input: R,
    left: u64,
}

impl<R: Read> Read for Exactly<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(into.len());
        let read = self.input.read(&mut into[..most])?;
        self.left -= read as u64;
        if read == 0 && most > 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ends before its length"));
        }
        Ok(read)
    }
}

impl<'r> ThreadRepo<'r> {
    /// The same as [`ThreadRepo::blob`]; `None` if the blob is larger than [`LARGE`].
    pub fn blob_unless_large(&self, id: Oid) -> Result<Option<Vec<u8>>> {
        // If the object is missing, reading it gives the error.
        let header = self.gix.try_find_header(gix_id(id)).ok().flatten();
        if header.is_some_and(|h| h.size() > LARGE) {
            return Ok(None);
        }
        self.blob(id).map(Some)
    }

    /// A reader from the first byte of a blob.
    pub fn large_blob(&self, id: Oid) -> Result<Box<dyn Read + 'r>> {
        let cannot = || format!("object {id} cannot be read");
        let size = self.gix.find_header(gix_id(id)).map_err(unreadable(cannot()))?.size();
        let store = self.gix.objects.store_ref();
        let alternates = store.alternate_db_paths().map_err(unreadable("the alternates cannot be read"))?;
        for objects in std::iter::once(store.path().to_owned()).chain(alternates) {
            if let Some(input) = loose(&objects, id).map_err(unreadable(cannot()))? {
                return Ok(Box::new(Exactly { input, left: size }));
            }
        }
        if let Some((pack, offset)) = self.repo.stored_whole(id)? {
            let input = || -> io::Result<_> {
                let mut file = File::open(&pack)?;
                file.seek(SeekFrom::Start(offset))?;
                Ok(Inflating::new(BufReader::with_capacity(CHUNK, file)))
            };
            return Ok(Box::new(Exactly { input: input().map_err(unreadable(cannot()))?, left: size }));
        }
        Ok(Box::new(Cursor::new(self.object(id)?.1)))
    }
}

const CHUNK: usize = 64 << 10;

/// A reader of a loose object's content; `None` if the object is not loose here.
fn loose(objects: &Path, id: Oid) -> io::Result<Option<impl Read + use<>>> {
    let name = id.to_string();
    let file = match File::open(objects.join(&name[..2]).join(&name[2..])) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
    };
    let mut input = Inflating::new(BufReader::with_capacity(CHUNK, file));
    // `blob 1073741824` and a NUL.
    let mut byte = [1];
    for _ in 0..32 {
        input.read_exact(&mut byte)?;
        if byte == [0] {
            return Ok(Some(input));
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "it has no header"))
}
