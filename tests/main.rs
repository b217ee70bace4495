//! The integration suite, one binary: its modules mirror `src/`.

mod ci;
mod command;
mod docs;
mod engine;
mod explain;
mod git;
mod hooks;
mod init;
mod layers;
mod policy {
    mod baseline;
    mod compile;
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
mod support;
mod text;
mod yaml;
