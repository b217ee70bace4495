//! The integration suite, one binary: its modules mirror `src/`.

mod ci;
mod command;
mod docs;
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
mod report;
mod rules;
mod support;
mod text;
mod yaml;
