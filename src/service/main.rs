//! The service's binary: reads arguments, everything else is the library's `service`.

use std::process::ExitCode;

fn main() -> ExitCode {
    portcullis::service::main(std::env::args_os())
}
