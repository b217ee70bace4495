//! The clean cache: stat digests of the work tree's files that passed, in one file below the git directory. Owns that
//! file; `git::stat_digest` owns what a digest stands for. The key says that two runs judge alike, so that one may rely
//! on the other.
//!
//! Layout: a first line, the key, the digests in order, and a SHA-256 of all that. Any other content counts as an empty
//! cache, and a cache that cannot be written is left out: the run is as it would be without one.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::git::StatDigest;

const MAGIC: &[u8] = b"portcullis seen 1\n";
const KEY: usize = 32;
const SUM: usize = 32;
const DIGEST: usize = size_of::<StatDigest>();
/// The most digests that are kept. A larger file is not one of ours.
const MAX_DIGESTS: usize = 1 << 22;

/// Files that passed a run with the same key.
pub struct CleanCache {
    file: PathBuf,
    key: [u8; KEY],
    /// Sorted.
    digests: Vec<StatDigest>,
}

impl CleanCache {
    /// Reads the cache in `directory`. `key`: a digest of everything but the files that a verdict depends on.
    pub fn open(directory: &Path, key: [u8; KEY]) -> Self {
        let file = directory.join("seen");
        let digests = read(&file, &key).unwrap_or_default();
        Self { file, key, digests }
    }

    pub fn contains(&self, digest: &StatDigest) -> bool {
        self.digests.binary_search(digest).is_ok()
    }

    /// Replaces the cache by these files. The file is renamed into place, so that readers see the old cache or the new.
    pub fn keep(&self, mut digests: Vec<StatDigest>) {
        digests.sort_unstable();
        digests.dedup();
        if digests == self.digests || digests.len() > MAX_DIGESTS {
            return;
        }
        let mut bytes = Vec::with_capacity(MAGIC.len() + KEY + digests.len() * DIGEST + SUM);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&self.key);
        bytes.extend(digests.iter().flatten());
        let sum = Sha256::digest(&bytes);
        bytes.extend_from_slice(&sum);
        // If the directory cannot be written, the next run is slower.
        let _ = replace(&self.file, &bytes);
    }
}

fn read(file: &Path, key: &[u8; KEY]) -> Option<Vec<StatDigest>> {
    let most = MAGIC.len() + KEY + MAX_DIGESTS * DIGEST + SUM;
    let meta = fs::symlink_metadata(file).ok()?;
    if !meta.is_file() || meta.len() > most as u64 {
        return None;
    }
    let bytes = fs::read(file).ok()?;
    let (body, sum) = bytes.split_last_chunk::<SUM>()?;
    let digests = body.strip_prefix(MAGIC)?.strip_prefix(key)?;
    let (digests, []) = digests.as_chunks::<DIGEST>() else { return None };
    let is_intact = Sha256::digest(body)[..] == sum[..] && digests.is_sorted();
    is_intact.then(|| digests.to_vec())
}

fn replace(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    fs::create_dir_all(file.parent().unwrap_or(Path::new(".")))?;
    // A file of this process alone. One that a killed process left is overwritten by the next with its id.
    let new = file.with_extension(std::process::id().to_string());
    let written = fs::File::create(&new).and_then(|mut f| f.write_all(bytes)).and_then(|()| fs::rename(&new, file));
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written
}
