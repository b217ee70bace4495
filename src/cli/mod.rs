//! The command line: a contract that scripts are written against. Owns names and help; does nothing.

pub mod backtest;
pub mod hook;
pub mod promote;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use self::hook::HookCommand;
use self::promote::PromoteCommand;
use crate::report::Format;

/// Keeps secrets, broken conventions and leaking branches out of git: at commit, at push, on the server, in CI.
#[derive(Debug, Parser)]
#[command(name = "portcullis", version, max_term_width = 100, propagate_version = true)]
pub struct Cli {
    /// Run as if started in DIR.
    #[arg(short = 'C', value_name = "DIR", global = true)]
    pub directory: Option<PathBuf>,

    /// When to use colour.
    #[arg(long, value_name = "WHEN", global = true, default_value = "auto")]
    pub color: When,

    #[command(subcommand)]
    pub command: Command,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum When {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Judge files, the index, commits or pushes against the policy.
    Check(Check),
    /// Judge what this CI run is about: base and head are found by itself.
    Ci(Ci),
    /// Say why a rule is there, what it wants and what to do about its findings.
    Explain {
        /// A family (`secrets`), a rule (`semver-tags/name`) or a detector (`secrets/github-pat`).
        rule: String,
    },
    /// List the rules, or try the detectors of a policy on their own examples.
    Rules {
        #[command(subcommand)]
        command: Option<RulesCommand>,
    },
    /// Print the completions of a shell.
    Completions { shell: clap_complete::Shell },
    /// Print the manual page.
    Man,
    /// Put the gates into a repository or onto a server, and run them.
    Hook {
        #[command(subcommand)]
        command: HookCommand,
    },
    /// Plan and make promotions from the development branch to production.
    Promote {
        #[command(subcommand)]
        command: PromoteCommand,
    },
    /// Compare the environments that the policy names.
    Environments {
        #[command(subcommand)]
        command: EnvironmentsCommand,
    },
    /// Say what a change of the policy does, or what it would have refused.
    Policy {
        #[command(subcommand)]
        command: PolicyCommand,
    },
    /// Write a portcullis.yaml that passes today, from what is in the repository.
    Init(Init),
}

#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// List what policy B tightens and relaxes against A; exit code 1 if it relaxes anything.
    Diff {
        /// A policy file, or a revision whose portcullis.yaml is meant.
        a: String,
        b: String,
    },
    /// Say what the policy would have refused: replays past landings; exit code 1 if anything.
    ///
    /// Each commit on a protected branch's line of first parents is judged as a push to a server, told by rule with
    /// what would have let it through. Other branches stand at their last commit before it, or where the message of a
    /// merge says. Who pushed is not known.
    Backtest(backtest::Backtest),
}

#[derive(Debug, Subcommand)]
pub enum EnvironmentsCommand {
    /// Every key of the divergence sources in two environments: kinds and verdicts, never values.
    Diff {
        /// An environment of the policy, by its name or an alias.
        a: String,
        b: String,
        /// The policy file, instead of portcullis.yaml at the root.
        #[arg(long, value_name = "FILE")]
        policy: Option<PathBuf>,
        /// Read portcullis.yaml from a commit instead of the work tree.
        #[arg(long, value_name = "REV", conflicts_with = "policy")]
        policy_from: Option<String>,
        #[arg(long, value_name = "F", default_value = "human")]
        format: MatrixFormat,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MatrixFormat {
    Human,
    Json,
}

#[derive(Debug, Args)]
pub struct Init {
    /// How changes reach production here: trunk, dev-main, windmill or staged-release [default: by what is found].
    #[arg(long, value_name = "P")]
    pub preset: Option<String>,
    /// Take over this file of another tool, too: an exported ruleset of GitHub, push rules of GitLab, a printed commitlint
    /// configuration. Those at the root are found without it.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub from: Vec<PathBuf>,
    /// Write to standard output instead of portcullis.yaml.
    #[arg(long)]
    pub dry_run: bool,
    /// Print what each conclusion rests on, and write nothing.
    #[arg(long, conflicts_with = "dry_run")]
    pub explain: bool,
}

/// Exactly one source; without any, the work tree.
#[derive(Debug, Default, Args)]
#[group(id = "source", multiple = false)]
#[command(next_help_heading = "What to check")]
pub struct SourceArgs {
    /// Files and directories to check instead of the whole work tree.
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The index against HEAD: what `git commit` would record.
    #[arg(long)]
    pub staged: bool,
    /// What B introduces over A, in any of its commits, and B's tree.
    #[arg(long, value_name = "A..B")]
    pub range: Option<String>,
    /// What REF introduces over the remotes' refs, and its tree.
    #[arg(long = "ref", value_name = "REF")]
    pub reference: Option<String>,
    /// Every object reachable from any ref.
    #[arg(long)]
    pub history: bool,
    /// One commit message, as the commit-msg hook gets it.
    #[arg(long, value_name = "FILE")]
    pub message: Option<PathBuf>,
    /// `old new ref` lines from FILE, or from standard input, as pre-receive gets them.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    pub push: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Check {
    #[command(flatten)]
    pub source: SourceArgs,
    /// With --history: objects that no ref reaches, too.
    #[arg(long, requires = "history", help_heading = "What to check")]
    pub all: bool,
    #[command(flatten)]
    pub judge: JudgeArgs,
    #[command(flatten)]
    pub output: OutputArgs,
    /// Accept what stands today: adds an exception for each finding to the policy or its baseline.
    #[arg(long, help_heading = "How to judge")]
    pub write_exceptions: bool,
    /// Skip unchanged files that passed under the same policy. Work tree only.
    #[arg(long, help_heading = "How to judge", conflicts_with_all = ["staged", "range", "reference", "history", "message", "push"])]
    pub cache: bool,
}

#[derive(Debug, Args)]
pub struct Ci {
    /// What B has and A lacks, instead of what the platform tells.
    #[arg(long, value_name = "A..B", conflicts_with_all = ["base", "head"])]
    pub range: Option<String>,
    /// Compare with this commit instead of what the platform tells.
    #[arg(long, value_name = "REV")]
    pub base: Option<String>,
    /// Judge this commit instead of what the platform tells [default with --base: HEAD].
    #[arg(long, value_name = "REV", requires = "base")]
    pub head: Option<String>,
    #[command(flatten)]
    pub judge: JudgeArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Subcommand)]
pub enum RulesCommand {
    /// Every rule with its default severity (the default).
    List,
    /// Run the examples of the detectors in FILE, a policy, through the real scanner.
    Test { file: PathBuf },
}

/// How to judge.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "How to judge")]
pub struct JudgeArgs {
    /// The policy file, instead of portcullis.yaml at the root.
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Read portcullis.yaml from a commit instead of the work tree.
    #[arg(long, value_name = "REV", conflicts_with = "policy")]
    pub policy_from: Option<String>,
    /// Only these rules (families or family/code).
    #[arg(long, value_name = "RULE", num_args = 1.., value_delimiter = ',')]
    pub only: Vec<String>,
    /// Let warnings fail, too.
    #[arg(long, value_name = "WHAT", value_parser = ["warnings"])]
    pub deny: Option<String>,
    /// Judge as strictly as the rules can: what is a warning because it may wait becomes an error.
    #[arg(long)]
    pub strict: bool,
    /// Look for private keys inside binary files.
    #[arg(long)]
    pub binary: bool,
    /// Threads to use [default: one per core].
    #[arg(short, long, value_name = "N")]
    pub jobs: Option<usize>,
    /// Title of the pull request that will become the squashed commit's header: judged in place of the messages of
    /// its commits. Without TEXT (`ci` only): as the platform tells it.
    #[arg(long, value_name = "TEXT", num_args = 0..=1, default_missing_value = "")]
    pub title: Option<String>,
    /// Head ref of the pull request that lands with the range.
    #[arg(long, value_name = "NAME")]
    pub head_ref: Option<String>,
    /// Read every blob whole where it stands, instead of packs by their delta trees: slower, with the same result.
    #[arg(long, hide = true)]
    pub one_by_one: bool,
}

/// How to report.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    #[arg(long, value_name = "F[=FILE]", help = format!("{}; `F=FILE` writes to a file", Format::names()))]
    pub format: Vec<String>,
    /// Write to FILE instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Show how much work was done.
    #[arg(long)]
    pub stats: bool,
    /// Only the verdict.
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Suppressed findings, too.
    #[arg(short, long)]
    pub verbose: bool,
}
