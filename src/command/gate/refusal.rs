//! Why there is no verdict: the policy cannot be followed, or something could not be read or decided.

use super::reports::policy_mistakes;
use crate::error::Error;
use crate::options::Mistake;
use crate::report::Report;

/// What ends a judgement before its report.
#[derive(Debug)]
pub enum Refusal {
    /// What is wrong with the policy; told like findings, with exit code 2.
    Policy(Vec<Mistake>),
    Error(Error),
}

/// The exit code where the policy cannot be followed.
pub const WRONG_POLICY: u8 = 2;

pub type Judging<T> = std::result::Result<T, Refusal>;

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<Vec<Mistake>> for Refusal {
    fn from(mistakes: Vec<Mistake>) -> Self {
        Self::Policy(mistakes)
    }
}

impl Refusal {
    /// A wrong policy as a report, for callers that tell it among other findings.
    pub fn into_report(self) -> Result<Report, Error> {
        match self {
            Self::Policy(mistakes) => Ok(policy_mistakes(&mistakes)),
            Self::Error(error) => Err(error),
        }
    }

    /// An error for callers whose own policy this is, so that a mistake in it is no user's.
    pub fn into_error(self, describe: impl FnOnce(&str) -> Error) -> Error {
        match self {
            Self::Policy(mistakes) => describe(mistakes.first().map_or("", |m| m.wrong.message.as_str())),
            Self::Error(error) => error,
        }
    }
}
