//! The command line of `portcullis policy backtest`.

use std::path::PathBuf;

use clap::Args;

use super::MatrixFormat;

#[derive(Debug, Args)]
pub struct Backtest {
    /// Replay landings since a date (`2026-01-31`) or an age (`90d`, `26w`).
    #[arg(long, value_name = "DATE|AGE", default_value = "90d")]
    pub since: String,
    /// Only these branches, instead of all protected ones.
    #[arg(long, value_name = "BRANCH", num_args = 1..)]
    pub branch: Vec<String>,
    /// The policy file, instead of portcullis.yaml at the root.
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Read portcullis.yaml from a commit instead of the work tree.
    #[arg(long, value_name = "REV", conflicts_with = "policy")]
    pub policy_from: Option<String>,
    /// Only these rules (families or family/code).
    #[arg(long, value_name = "RULE", num_args = 1.., value_delimiter = ',')]
    pub only: Vec<String>,
    #[arg(long, value_name = "F", default_value = "human")]
    pub format: MatrixFormat,
}
