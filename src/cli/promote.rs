//! The command line of `portcullis promote`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub enum PromoteCommand {
    /// Work out what can go to production, in memory: candidates, dependencies, conflicts, findings.
    Plan(PlanArgs),
    /// Make a plan's commits on a new branch.
    Apply(ApplyArgs),
    /// How far the branches have drifted.
    Status(StatusArgs),
    /// Whether picks are what they claim.
    Verify(VerifyArgs),
    /// Bring production's own commits back to development.
    Backport(BackportArgs),
    /// Back to a release by reverts, with a proof.
    Rollback(RollbackArgs),
    /// Release notes of a range.
    Notes(NotesArgs),
}

/// The two branches.
#[derive(Clone, Debug, Args)]
pub struct Branches {
    /// The development branch.
    #[arg(long, value_name = "BRANCH", default_value = "dev")]
    pub from: String,
    /// Production.
    #[arg(long, value_name = "BRANCH", default_value = "main")]
    pub onto: String,
}

/// Without any of these: everything that is not promoted.
#[derive(Clone, Debug, Default, Args)]
pub struct SelectionArgs {
    /// Commits and ranges, as git writes them.
    #[arg(value_name = "REVISION")]
    pub revisions: Vec<String>,
    /// Only commits that change these paths (globs or directories).
    #[arg(long, value_name = "GLOB", num_args = 1..)]
    pub path: Vec<String>,
    /// Only commits that change a directory or file of this name.
    #[arg(long, value_name = "NAME", num_args = 1..)]
    pub app: Vec<String>,
    /// Only commits of this scope: `feat(SCOPE): ...`.
    #[arg(long, value_name = "SCOPE", num_args = 1..)]
    pub scope: Vec<String>,
    /// Only commits of this type: `fix`, `feat`, ...
    #[arg(long = "type", value_name = "TYPE", num_args = 1..)]
    pub kind: Vec<String>,
    /// Only commits whose author's name or address contains this.
    #[arg(long, value_name = "TEXT", num_args = 1..)]
    pub author: Vec<String>,
    /// Only commits written since: a date (`2026-01-31`) or an age (`14d`, `36h`).
    #[arg(long, value_name = "DATE|AGE")]
    pub since: Option<String>,
    /// Only commits that are at least so old: `3d`, `12h`.
    #[arg(long, value_name = "AGE")]
    pub min_age: Option<String>,
    /// Only commits whose message names this ticket or pull request.
    #[arg(long, value_name = "TICKET", num_args = 1..)]
    pub pr: Vec<String>,
    /// Everything else: commits and ranges to leave out.
    #[arg(long, value_name = "REVISION", num_args = 1..)]
    pub all_but: Vec<String>,
}

#[derive(Debug, Args)]
pub struct PlanArgs {
    #[command(flatten)]
    pub selection: SelectionArgs,
    #[command(flatten)]
    pub branches: Branches,
    #[command(flatten)]
    pub told: Told,
    #[command(flatten)]
    pub checks: Checks,
}

/// Whether and how plans are judged.
#[derive(Clone, Debug, Args)]
pub struct Checks {
    /// Do not judge the result against the policy.
    #[arg(long)]
    pub no_check: bool,
    /// The policy file, instead of production's own.
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
}

/// How to tell.
#[derive(Clone, Debug, Args)]
pub struct Told {
    /// How the answer is written.
    #[arg(long, value_name = "F", default_value = "human")]
    pub format: Format,
    /// Write to FILE instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Every commit and every reason.
    #[arg(short, long)]
    pub verbose: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Human,
    Json,
    /// A POSIX script of git commands.
    Sh,
    /// The body of a pull request.
    Markdown,
    /// One page with both lanes drawn.
    Html,
}

#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// What `promote plan --format json` wrote; `-` is standard input.
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    /// The branch to make [default: promote/<date>-<short>].
    #[arg(long, value_name = "NAME")]
    pub branch: Option<String>,
    /// Take what is clean, leave what conflicts.
    #[arg(long)]
    pub partial: bool,
    /// Let git make the commits in a throw-away work tree, with its hooks and signatures.
    #[arg(long)]
    pub worktree: bool,
}

#[derive(Debug, Args)]
pub struct StatusArgs {
    #[command(flatten)]
    pub branches: Branches,
    #[command(flatten)]
    pub told: Told,
}

#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The commits to look at: `main..promote/x`.
    #[arg(value_name = "RANGE")]
    pub range: String,
    /// Originals must be on this branch.
    #[arg(long, value_name = "BRANCH")]
    pub from: Option<String>,
    #[command(flatten)]
    pub told: Told,
}

#[derive(Debug, Args)]
pub struct BackportArgs {
    #[command(flatten)]
    pub selection: SelectionArgs,
    #[command(flatten)]
    pub branches: Branches,
    #[command(flatten)]
    pub told: Told,
    #[command(flatten)]
    pub checks: Checks,
}

#[derive(Debug, Args)]
pub struct RollbackArgs {
    /// The release to go back to.
    #[arg(value_name = "TAG")]
    pub tag: String,
    /// The branch that goes back.
    #[arg(long, value_name = "BRANCH", default_value = "main")]
    pub onto: String,
    /// Commits that stay.
    #[arg(long, value_name = "REVISION", num_args = 1..)]
    pub keep: Vec<String>,
    /// Make the reverts as commits on a new branch.
    #[arg(long)]
    pub apply: bool,
    #[command(flatten)]
    pub told: Told,
}

#[derive(Debug, Args)]
pub struct NotesArgs {
    /// What the release brings: `v1.0.0..main`.
    #[arg(value_name = "RANGE")]
    pub range: String,
    #[command(flatten)]
    pub told: Told,
}
