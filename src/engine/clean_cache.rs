//! Which files of the work tree a run before found clean: one file below the git directory, for who asks for it.
//! Owns that file: what it holds, how it is read and replaced. What a mark stands for is `git::stat_digest`'s affair; that two
//! runs judge alike, so that one may rely on the other, is what the key says.
//!
//! A first line, the key, marks in order, and a digest of all that. Whatever is not exactly so counts as empty, and what
//! cannot be written is left: nobody has less than without it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::git::StatDigest;

const MAGIC: &[u8] = b"portcullis seen 1\n";
const KEY: usize = 32;
const SUM: usize = 32;
const MARK: usize = size_of::<StatDigest>();
/// More files than this are not remembered; a larger file is none of ours.
const MOST: usize = 1 << 22;

/// Files that were found clean by a run with the same key.
pub struct CleanCache {
    file: PathBuf,
    key: [u8; KEY],
    /// In order.
    marks: Vec<StatDigest>,
}

impl CleanCache {
    /// Reads what stands in `directory`. `key`: a digest of everything but the files on which a verdict hangs.
    pub fn open(directory: &Path, key: [u8; KEY]) -> Self {
        let file = directory.join("seen");
        let marks = read(&file, &key).unwrap_or_default();
        Self { file, key, marks }
    }

    pub fn holds(&self, mark: &StatDigest) -> bool {
        self.marks.binary_search(mark).is_ok()
    }

    /// Remembers these files, and no others. As a whole or not at all: who reads meanwhile sees the old or the new.
    pub fn keep(&self, mut marks: Vec<StatDigest>) {
        marks.sort_unstable();
        marks.dedup();
        if marks == self.marks || marks.len() > MOST {
            return;
        }
        let mut bytes = Vec::with_capacity(MAGIC.len() + KEY + marks.len() * MARK + SUM);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&self.key);
        bytes.extend(marks.iter().flatten());
        let sum = Sha256::digest(&bytes);
        bytes.extend_from_slice(&sum);
        // A directory that cannot be written costs the short cut only.
        let _ = replace(&self.file, &bytes);
    }
}

fn read(file: &Path, key: &[u8; KEY]) -> Option<Vec<StatDigest>> {
    let most = MAGIC.len() + KEY + MOST * MARK + SUM;
    let meta = fs::symlink_metadata(file).ok()?;
    if !meta.is_file() || meta.len() > most as u64 {
        return None;
    }
    let bytes = fs::read(file).ok()?;
    let (body, sum) = bytes.split_last_chunk::<SUM>()?;
    let marks = body.strip_prefix(MAGIC)?.strip_prefix(key)?;
    let (marks, []) = marks.as_chunks::<MARK>() else { return None };
    let whole = Sha256::digest(body)[..] == sum[..] && marks.is_sorted();
    whole.then(|| marks.to_vec())
}

fn replace(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    fs::create_dir_all(file.parent().unwrap_or(Path::new(".")))?;
    // Of this process alone; what one that was killed left behind is written over by the next of its number.
    let new = file.with_extension(std::process::id().to_string());
    let written = fs::File::create(&new).and_then(|mut f| f.write_all(bytes)).and_then(|()| fs::rename(&new, file));
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written
}
