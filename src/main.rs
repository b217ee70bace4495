//! The binary: reads arguments, runs one command, turns its answer into an exit code. Everything else is the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    portcullis::command::main(std::env::args_os())
}
