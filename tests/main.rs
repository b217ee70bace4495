//! The integration suite, one binary: its modules mirror `src/`.

// Tests talk to their runner and fail by panics; `is_refused` reads well at the end of a chain.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_macros,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::wrong_self_convention,
    clippy::single_range_in_vec_init
)]

mod attacks;
mod ci;
mod command;
mod docs;
mod engine;
mod explain;
mod finding;
mod git;
mod hooks;
mod init;
mod init_from;
mod layers;
mod manifests;
mod policy {
    mod baseline;
    mod compile;
    mod effect;
    mod exceptions;
    mod inline;
    mod load;
    mod options;
    mod scope;
    mod settle;
    mod toy;
}
mod document;
mod promote;
mod report;
mod rules;
#[cfg(feature = "service")]
mod service;
mod shell;
mod subject;
mod support;
mod text;
mod workflows;
mod yaml;
