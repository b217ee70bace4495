//! Exceptions that name a fingerprint, and the value that they were written for. A fingerprint holds nothing of the value, so
//! git is asked which one stood there before. Owns the decision; whoever can read the versions before brings their findings.

use bstr::{BString, ByteSlice as _};

use super::Policy;
use super::exceptions::Exception;
use crate::finding::{Finding, Former};
use crate::options::PolicyFile;
use crate::subject::RefSet;

impl Policy {
    /// Whether any exception is for one value: only then is there something to ask.
    pub fn excepts_by_fingerprint(&self) -> bool {
        self.exceptions.iter().any(|e| e.fingerprint.is_some() && may_be_secret(e))
    }

    /// The exception by fingerprint that all fields say is meant.
    pub fn excepted_by_fingerprint(&self, finding: &Finding, refs: &RefSet) -> Option<usize> {
        let means = |e: &Exception| e.fingerprint.is_some() && e.holds(finding, refs);
        self.exceptions.iter().position(means)
    }

    /// The files in which single values are excused, where exceptions name a file and no glob.
    pub fn files_with_excepted_values(&self) -> Vec<BString> {
        let paths = self.exceptions.iter().filter(|e| e.fingerprint.is_some() && may_be_secret(e));
        let mut paths: Vec<BString> = paths.flat_map(Exception::literal_paths).collect();
        paths.sort();
        paths.dedup();
        paths
    }

    /// Whether another version of the policy and its baseline has an exception as often, in whichever file: one more is
    /// for another value.
    pub fn exception_stands_in(&self, number: usize, version: &[PolicyFile]) -> bool {
        let fingerprint = self.exceptions[number].fingerprint.as_deref().unwrap_or_default();
        let times = |file: &PolicyFile| file.bytes.to_ascii_lowercase().find_iter(fingerprint).count();
        let now: usize = self.files.iter().map(|file| times(file)).sum();
        version.iter().map(times).sum::<usize>() >= now
    }

    /// Whether an exception excuses a finding, now that its former value is known.
    pub(super) fn excuses(&self, number: usize, finding: &Finding, refs: &RefSet) -> bool {
        let exception = &self.exceptions[number];
        match finding.former {
            Former::Excused(excused) if excused == number => true,
            Former::Another if exception.fingerprint.is_some() => false,
            _ => exception.holds(finding, refs),
        }
    }
}

fn may_be_secret(exception: &Exception) -> bool {
    exception.rule == "secrets" || exception.rule.starts_with("secrets/")
}
