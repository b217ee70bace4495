//! One file per subcommand: arguments -> Source -> run -> render. Owns the edges: the environment, standard streams,
//! the clock, and how an error that ends a run is told.

mod acceptance_files;
mod backtest;
mod check;
pub mod ci;
mod environments;
mod explain;
pub mod gate;
pub mod hook;
mod init;
mod policy;
pub mod policy_file;
pub mod promote;
mod rules;
mod since;

use std::ffi::OsString;
use std::io::{IsTerminal as _, Write as _};
use std::panic::PanicHookInfo;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use crate::cli::hook::HookRun;
use crate::cli::{Cli, Command, When};
use crate::error::{Error, Kind, Result};
use crate::finding::safe_words;
use crate::report::UntilClosed;
use crate::rules::secrets::redactor;

/// What every command may ask of the outside.
pub struct Outside {
    /// Where the user stands, `-C` applied.
    pub directory: PathBuf,
    pub color: When,
    /// Standard output is a terminal and nobody asked for plain text.
    pub terminal: bool,
    pub now: jiff::Timestamp,
}

/// Runs the command line and gives the exit code of design: 0, 1, 2 or 3.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    std::panic::set_hook(Box::new(fault_of_ours));
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let linked = arguments.split_first().and_then(|(own, rest)| HookRun::from_link(own, rest.to_vec()));
    let done = match linked.or_else(|| HookRun::from_shim(&arguments)) {
        Some(args) => outside(None, When::Auto).and_then(|o| hook::run::run(&args, &o)),
        None => match Cli::try_parse_from(arguments) {
            Ok(cli) => run(cli),
            Err(e) => {
                // Help and version are asked for; everything else is a usage mistake. A closed pipe is neither.
                let _ = e.print();
                return ExitCode::from(if e.use_stderr() { 2 } else { 0 });
            }
        },
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            tell(&error);
            ExitCode::from(code_of(&error))
        }
    }
}

/// A panic decides nothing, and its message may quote what it failed on: the place is enough to find it.
#[expect(clippy::disallowed_methods, reason = "whatever thread it was, the process could not decide")]
fn fault_of_ours(info: &PanicHookInfo<'_>) {
    let place = info.location().map_or_else(String::new, |place| format!(" at {place}"));
    tell(&Error::undecided(format!("internal error{place}")).hint("please report it"));
    std::process::exit(i32::from(code_of(&Error::undecided(""))));
}

fn run(cli: Cli) -> Result<u8> {
    let outside = outside(cli.directory, cli.color)?;
    match cli.command {
        Command::Check(args) => check::run(args, &outside),
        Command::Ci(args) => ci::run(&args, &outside),
        Command::Explain { rule } => outside.say(&explain::explain(&rule)?).map(|()| 0),
        Command::Rules { command } => rules::run(command.as_ref(), &outside),
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "portcullis", &mut text);
            outside.say(&String::from_utf8_lossy(&text)).map(|()| 0)
        }
        Command::Man => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command())
                .render(&mut page)
                .map_err(|e| Error::undecided(format!("the manual page cannot be made: {e}")))?;
            outside.say(&String::from_utf8_lossy(&page)).map(|()| 0)
        }
        Command::Hook { command } => hook::run(&command, &outside),
        Command::Environments { command } => environments::run(&command, &outside),
        Command::Policy { command } => policy::run(&command, &outside),
        Command::Init(args) => init::run(&args, &outside),
        Command::Promote { command } => promote::run(&command, &outside),
    }
}

fn outside(directory: Option<PathBuf>, color: When) -> Result<Outside> {
    let here =
        std::env::current_dir().map_err(|e| Error::undecided(format!("the working directory cannot be read: {e}")))?;
    Ok(Outside {
        directory: directory.map_or(here.clone(), |d| here.join(d)),
        color,
        terminal: std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        // In UTC: the local zone would have the whole database of zones looked through, which takes longer than a hook.
        now: jiff::Timestamp::now(),
    })
}

/// What tells this program from other builds of it: where its file is, its length and its time.
fn program() -> Option<Vec<u8>> {
    let file = std::env::current_exe().ok()?;
    let meta = file.metadata().ok()?;
    let time = meta.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(format!("{} {} {}", file.display(), meta.len(), time.as_nanos()).into_bytes())
}

/// The exit code that stands for an error.
pub fn code_of(error: &Error) -> u8 {
    match error.kind {
        Kind::Usage => 2,
        Kind::Undecided => 3,
    }
}

/// An error that ended the run, on standard error.
fn tell(error: &Error) {
    let what = match error.kind {
        Kind::Usage => "error",
        Kind::Undecided => "error: could not decide",
    };
    let shown = |words: &str| safe_words(redactor(), words);
    let mut message = format!("{what}: {}\n", shown(&error.message));
    if let Some(hint) = &error.hint {
        message.push_str(&format!("  hint: {}\n", shown(hint)));
    }
    // Nobody is left to tell if standard error is closed.
    let _ = std::io::stderr().write_all(message.as_bytes());
}

impl Outside {
    /// In UTC, so that every gate agrees on what has expired.
    pub fn today(&self) -> jiff::civil::Date {
        self.now.to_zoned(jiff::tz::TimeZone::UTC).date()
    }

    /// Writes to standard output; a reader that has gone away is no failure.
    pub fn say(&self, text: &str) -> Result<()> {
        let mut out = UntilClosed::new(std::io::stdout().lock());
        out.write_all(text.as_bytes()).map_err(|e| Error::undecided(format!("cannot write to standard output: {e}")))
    }

    /// Whether standard output takes colour.
    pub fn color(&self) -> bool {
        match self.color {
            When::Always => true,
            When::Never => false,
            When::Auto => self.terminal,
        }
    }
}
