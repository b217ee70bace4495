//! `portcullis-sync`: on a webhook it pulls a Windmill workspace, checks the changes with the gate's engine, commits and
//! pushes. Owns everything around the gate: HTTP, the queue, child processes, remotes, answers.
//!
//!     serve ─ connections ─ server ─ queue ─┐
//!                                           ├─ worker ══ process boundary ══ job ─ repository, wmill, seal, gate
//!     once ─────────────────────────────────┘
//!
//! Every job is its own process: a panic, leak or kill in one does not affect another, and its tokens are in no other job's
//! memory. It gets the request through a pipe that stays open. When the pipe closes, the service is gone and the job abandons
//! its work.

pub mod answer;
mod child;
mod connections;
mod gate;
mod job;
mod log;
mod message;
mod metrics;
pub mod options;
mod orphans;
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
use std::io::{Read as _, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

use crate::service::answer::Answer;
use crate::service::options::{Cli, Command, Environment, Once};
use crate::service::request::Request;
use crate::service::worker::Worker;

/// Exit code for an invalid command line or environment.
const USAGE: u8 = 2;
/// Exit code for a failed run.
const FAILED: u8 = 3;

/// Runs the command line. `once` gives the gate's exit codes: 0 synced, 1 refused by policy, 2 a mistake in the
/// request, 3 a failure.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(e) => {
            // Help and version are no errors. A closed pipe is ignored.
            let _ = e.print();
            return ExitCode::from(if e.use_stderr() { USAGE } else { 0 });
        }
    };
    worker::disable_core_dumps();
    log::start();
    orphans::adopt_orphans();
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        tracing::error!("cannot start the runtime");
        return ExitCode::from(FAILED);
    };
    let code = match cli.command {
        Command::Job => runtime.block_on(job::main()),
        Command::Once(once) => with_environment(|environment| run_once(&runtime, once, environment)),
        Command::Serve(serve) => with_environment(|environment| runtime.block_on(server::serve(serve, environment))),
    };
    // Do not wait for the thread that reads standard input.
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

/// Runs one request from standard input and writes its answer to standard output.
fn run_once(runtime: &Runtime, once: Once, environment: Environment) -> u8 {
    let mut body = Vec::new();
    if let Err(e) = std::io::stdin().take(request::LIMIT as u64 + 1).read_to_end(&mut body) {
        tracing::error!("cannot read standard input: {e}");
        return FAILED;
    }
    let answer = match Request::parse(&body) {
        Ok(request) => runtime.block_on(async {
            match Worker::start(once.settings, environment.windmill) {
                Ok(worker) => worker.run(request, shutdown_signal()).await,
                Err(wrong) => Answer::failed(wrong),
            }
        }),
        Err(wrong) => Answer::invalid(wrong),
    };
    let mut text = answer.body();
    text.push('\n');
    // If standard output is closed, the exit code still shows the result.
    let _ = std::io::stdout().write_all(text.as_bytes());
    answer.exit_code()
}

/// Resolves on SIGTERM or SIGINT.
async fn shutdown_signal() {
    if let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    } else {
        // Without handlers, the signal ends the process and its jobs.
        std::future::pending().await
    }
}
