//! A policy file as it was found, readable or not.

use bstr::BString;

use crate::plain_file::{Limit, PlainFile};

/// A policy as it was found: a file of the work tree or of a commit, an embedded preset, the defaults of a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyFile {
    /// As it is shown: `portcullis.yaml`, or `preset dev-main`.
    pub path: BString,
    pub bytes: Vec<u8>,
    /// Why it was not read, where it is there and is no file that can be: `a symbolic link`.
    pub refused: Option<&'static str>,
    /// Holds exceptions for single findings and nothing else.
    pub is_baseline: bool,
}

/// How long a policy may be.
pub const POLICY_LIMIT: Limit = Limit { bytes: 1 << 20, exceeded: "longer than 1 MiB" };
/// How long a baseline may be: some 100,000 findings.
pub const BASELINE_LIMIT: Limit = Limit { bytes: 16 << 20, exceeded: "longer than 16 MiB" };

impl PolicyFile {
    pub fn new(path: impl Into<BString>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { path: path.into(), bytes: bytes.into(), refused: None, is_baseline: false }
    }

    /// The same file, as a baseline.
    pub fn as_baseline(self) -> Self {
        Self { is_baseline: true, ..self }
    }

    /// What was found under a path, if anything was.
    pub fn found(path: impl Into<BString>, file: PlainFile) -> Option<Self> {
        match file {
            PlainFile::Absent => None,
            PlainFile::Bytes(bytes) => Some(Self::new(path, bytes)),
            PlainFile::Refused(what) => Some(Self { refused: Some(what), ..Self::new(path, Vec::new()) }),
        }
    }
}
