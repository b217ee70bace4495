//! `portcullis-sync`: on a webhook it pulls a Windmill workspace, judges what would be committed with the engine of the
//! gates, commits and pushes. Owns everything beside the gate: HTTP, the queue, child processes, remotes, answers.
//!
//!     serve ─ connections ─ server ─ queue ─┐
//!                                           ├─ worker ══ process boundary ══ job ─ repository, wmill, seal, gate
//!     once ─────────────────────────────────┘
//!
//! Every job is a process of its own: a panic, a leak or a kill in one cannot touch another, and its tokens are in no
//! other job's memory. It gets the request through a pipe that stays open: when the pipe closes, nobody waits for
//! the answer any more, and the job abandons itself.

pub mod answer;
mod child;
mod connections;
mod family;
mod gate;
mod job;
mod log;
mod message;
mod metrics;
pub mod options;
mod queue;
pub mod remote;
mod repository;
pub mod request;
pub mod scrub;
mod seal;
mod server;
mod wmill;
mod worker;

use std::ffi::OsString;
use std::io::{Read, Write};
use std::process::ExitCode;

use clap::Parser;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

use crate::service::answer::Answer;
use crate::service::options::{Cli, Command, Environment, Once};
use crate::service::request::Request;
use crate::service::worker::Worker;

/// Exit code of a command line or an environment that cannot be followed.
const USAGE: u8 = 2;
/// Exit code of a run that came to no end.
const FAILED: u8 = 3;

/// Runs the command line. `once` gives the gate's exit codes: 0 synced, 1 refused by policy, 2 a mistake in the
/// request, 3 a failure.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(e) => {
            // Help and version are asked for; everything else is a usage mistake. A closed pipe is neither.
            let _ = e.print();
            return ExitCode::from(if e.use_stderr() { USAGE } else { 0 });
        }
    };
    worker::leave_no_core();
    log::start();
    family::adopt_orphans();
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        tracing::error!("the runtime cannot be started");
        return ExitCode::from(FAILED);
    };
    let code = match cli.command {
        Command::Job => runtime.block_on(job::main()),
        Command::Once(once) => with_environment(|environment| run_once(&runtime, once, environment)),
        Command::Serve(serve) => with_environment(|environment| runtime.block_on(server::serve(serve, environment))),
    };
    // A thread that waits for standard input must not keep the process.
    runtime.shutdown_background();
    ExitCode::from(code)
}

fn with_environment(run: impl FnOnce(Environment) -> u8) -> u8 {
    match Environment::read() {
        Ok(environment) => run(environment),
        Err(wrong) => {
            tracing::error!("{wrong}");
            USAGE
        }
    }
}

/// One request from standard input, its answer on standard output.
fn run_once(runtime: &Runtime, once: Once, environment: Environment) -> u8 {
    let mut body = Vec::new();
    if let Err(e) = std::io::stdin().take(request::LIMIT as u64 + 1).read_to_end(&mut body) {
        tracing::error!("standard input cannot be read: {e}");
        return FAILED;
    }
    let answer = match Request::read(&body) {
        Ok(request) => runtime.block_on(async {
            match Worker::start(once.settings, environment.windmill) {
                Ok(worker) => worker.run(request, told_to_stop()).await,
                Err(wrong) => Answer::failed(wrong),
            }
        }),
        Err(wrong) => Answer::invalid(wrong),
    };
    let mut text = answer.body();
    text.push('\n');
    // Nobody is left to tell if standard output is closed; the exit code still says it.
    let _ = std::io::stdout().write_all(text.as_bytes());
    answer.exit_code()
}

/// Ready when the process is told to end.
async fn told_to_stop() {
    if let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    } else {
        // Then it ends as processes do, and its jobs with it.
        std::future::pending().await
    }
}
