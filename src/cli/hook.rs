//! The command line of `portcullis hook`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::hooks::Server;

#[derive(Debug, Subcommand)]
pub enum HookCommand {
    /// Put the hooks in place; what is there already is kept and runs first
    Install(InstallArgs),
    /// Take the hooks away again, and give back what was there before
    Uninstall(UninstallArgs),
    /// Say what stands where git looks for hooks
    Status(NameArgs),
    /// Run the installed hooks with an empty PATH and in a linked work tree
    Doctor(NameArgs),
    /// Judge as the hook NAME does: what the installed hooks call
    Run(HookRun),
}

#[derive(Debug, Default, Args)]
pub struct NameArgs {
    /// Hooks by git's names; without any, those that belong here
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
}

/// Which hooks are meant, and whose.
#[derive(Debug, Default, Args)]
#[group(id = "place", multiple = false)]
pub struct PlaceArgs {
    /// The hooks of a git server of this kind
    #[arg(long, value_name = "KIND")]
    pub server: Option<Server>,
    /// The hooks that `git init` and `git clone` put into new repositories (init.templateDir)
    #[arg(long)]
    pub template: bool,
    /// Hooks in your own configuration, for all repositories (git 2.54 or later)
    #[arg(long)]
    pub global: bool,
}

#[derive(Debug, Default, Args)]
pub struct InstallArgs {
    #[command(flatten)]
    pub hooks: NameArgs,
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Print what would be written, and write nothing
    #[arg(long)]
    pub print: bool,
    /// Let git go on with a warning where there is no binary
    #[arg(long, conflicts_with_all = ["server", "link"])]
    pub optional: bool,
    /// Make the hook a symbolic link to the binary instead of a script
    #[arg(long, conflicts_with = "server")]
    pub link: bool,
    /// Replace what was changed by hand, write through symbolic links and outside the repository
    #[arg(long)]
    pub force: bool,
    /// The file for the administration of a gitlab, ghes or bitbucket server; `-` is standard output
    #[arg(long, value_name = "FILE", requires = "server")]
    pub output: Option<PathBuf>,
    /// The policy that the server's hook judges by
    #[arg(long, value_name = "FILE", requires = "server")]
    pub policy: Option<PathBuf>,
    /// Seconds that the server's hook may take
    #[arg(long, value_name = "SECONDS", requires = "server", value_parser = clap::value_parser!(u32).range(1..))]
    pub time_budget: Option<u32>,
    /// Where the server's hook writes a line for each push
    #[arg(long, value_name = "FILE", requires = "server")]
    pub audit_log: Option<PathBuf>,
}

#[derive(Debug, Default, Args)]
pub struct UninstallArgs {
    #[command(flatten)]
    pub hooks: NameArgs,
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Remove what was changed by hand too
    #[arg(long)]
    pub force: bool,
}

#[derive(Clone, Debug, Args)]
pub struct HookRun {
    /// Name of the hook.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// What git gave the hook.
    #[arg(value_name = "ARGS", last = true)]
    pub arguments: Vec<OsString>,
    /// Kind of server: decides which variable names the pusher, and how lines must look.
    #[arg(long, value_name = "KIND", default_value = "bare")]
    pub server: Server,
    /// The administrator's policy: it wins over the repository's.
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Seconds after which a push that is not decided is refused [default: the policy's, 60].
    #[arg(long, value_name = "S")]
    pub time_budget: Option<u64>,
    /// Append a JSON line per push to FILE.
    #[arg(long, value_name = "FILE")]
    pub audit_log: Option<PathBuf>,
    /// Accounts whose pushes are let through, judged and logged.
    #[arg(long, value_name = "ACCOUNT", requires = "bypass_reason")]
    pub bypass: Vec<String>,
    /// Why they are; goes into the log.
    #[arg(long, value_name = "TEXT", requires = "bypass")]
    pub bypass_reason: Option<String>,
    /// A hook that stood here before and runs first, with the same arguments and input.
    #[arg(long, value_name = "FILE")]
    pub chain: Option<PathBuf>,
}
