//! Stat digests: how an unchanged file of the work tree is recognised by a later run. Owns the comparison of stat data
//! with the index; the engine owns what is done with a digest.
//!
//! A digest covers path, blob and all stat data of the file (size, times with nanoseconds, device and inode), so it
//! stands for this very file unchanged, and not for what a filter may write for the same blob another time.

use std::time::{Duration, SystemTime};

use gix::index::entry::stat::Options;
use gix::index::entry::{Flags, Mode, Stage, Stat};
use gix::index::fs::Metadata;
use sha2::{Digest as _, Sha256};

use super::worktree::Disk;
use super::{ThreadRepo, index, unreadable};
use crate::error::Result;

/// The digest of an unchanged file.
pub type StatDigest = [u8; 16];

/// Two changes within this time may get the same timestamp: two seconds is the coarsest that file systems have.
const COARSE: Duration = Duration::from_secs(2);

/// Computes digests against one reading of the index.
pub(crate) struct StatDigests {
    index: index::Index,
    options: Options,
    /// In seconds. A file that changed later than this may change again with the same timestamp.
    settled: u32,
}

impl StatDigests {
    pub fn new(local: &ThreadRepo<'_>) -> Result<Self> {
        let options = local.gix.stat_options().map_err(unreadable("cannot read how files are compared"))?;
        let settled = SystemTime::now().checked_sub(COARSE).and_then(|t| t.duration_since(SystemTime::UNIX_EPOCH).ok());
        let settled = settled.and_then(|t| u32::try_from(t.as_secs()).ok()).unwrap_or(0);
        Ok(Self { index: index::open(local)?, options, settled })
    }

    /// The digest of a file; `None` if it differs from its index entry, or could change unnoticed.
    pub fn of(&self, disk: &Disk) -> Option<StatDigest> {
        // Other systems have no ctime, so an edit can be hidden by setting the mtime back.
        if cfg!(not(unix)) {
            return None;
        }
        let entry = self.index.entry_by_path_and_stage(disk.path.as_ref(), Stage::Unconflicted)?;
        let kind = if disk.symlink { entry.mode == Mode::SYMLINK } else { entry.mode.contains(Mode::FILE) };
        if !kind || entry.flags.contains(Flags::INTENT_TO_ADD) {
            return None;
        }
        let meta = Metadata::from_path_no_follow(&disk.file).ok()?;
        let stat = Stat::from_fs(&meta).ok()?;
        // To the nanosecond: after a checkout all files have the same second as their index. Files that are too recent for
        // nanoseconds are not settled.
        let exactly = Options { use_nsec: true, check_stat: true, ..self.options };
        let same = entry.stat.matches(&stat, self.options) && !entry.stat.is_racy(self.index.timestamp(), exactly);
        let settled = stat.mtime.secs.max(stat.ctime.secs) < self.settled;
        (same && settled && meta.is_symlink() == disk.symlink)
            .then(|| digest(disk, entry.id.as_slice(), &stat, meta.len()))
    }
}

fn digest(disk: &Disk, blob: &[u8], stat: &Stat, length: u64) -> StatDigest {
    let mut sum = Sha256::new();
    for part in [disk.path.as_slice(), blob] {
        sum.update((part.len() as u64).to_le_bytes());
        sum.update(part);
    }
    sum.update([u8::from(disk.symlink)]);
    sum.update(length.to_le_bytes());
    let Stat { mtime, ctime, dev, ino, .. } = *stat;
    for number in [mtime.secs, mtime.nsecs, ctime.secs, ctime.nsecs, dev, ino] {
        sum.update(number.to_le_bytes());
    }
    let sum: [u8; 32] = sum.finalize().into();
    std::array::from_fn(|at| sum[at])
}
