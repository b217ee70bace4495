//! Where exceptions for what stands are written: the policy on disk and its baseline. What they hold is `policy`'s.

use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::policy_file;
use crate::error::Result;
use crate::plain_file::Untrusted;
use crate::policy::{Accepted, Before, accept};
use crate::report::Report;

pub struct AcceptanceFiles {
    pub policy: PathBuf,
    /// The baseline as the report knows it.
    pub baseline_name: PathBuf,
    pub untrusted: Untrusted,
}

impl AcceptanceFiles {
    /// An exception for everything that stands, beside those that are there. Writes nothing.
    pub fn accept(&self, report: &Report, today: Date) -> Result<Accepted> {
        let policy = policy_file::on_disk(&self.policy, &self.policy, &self.untrusted)?;
        let baseline = self.baseline();
        let baseline = policy_file::baseline_on_disk(&baseline, &baseline, &self.untrusted)?;
        let before = Before {
            policy: policy.as_ref().map(|file| &file.bytes[..]),
            baseline: baseline.as_ref().map(|file| &file.bytes[..]),
            baseline_name: &self.baseline_name.to_string_lossy(),
        };
        accept(report, &before, today)
    }

    /// Writes what changed, and gives the file that the exceptions are in.
    pub fn write(&self, accepted: &Accepted) -> Result<PathBuf> {
        if let Some(policy) = &accepted.policy {
            policy_file::write(&self.untrusted, &self.policy, policy)?;
        }
        if let Some(baseline) = &accepted.baseline {
            policy_file::write(&self.untrusted, &self.baseline(), baseline)?;
        }
        let in_baseline = accepted.baseline.is_some() || accepted.policy.is_none() && self.baseline().exists();
        Ok(if in_baseline { self.baseline() } else { self.policy.clone() })
    }

    fn baseline(&self) -> PathBuf {
        policy_file::baseline_of(Path::new(&self.policy))
    }
}
