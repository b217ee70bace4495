//! portcullis: a git-native policy checker. Source -> Subjects -> Checks -> Findings -> Report, one direction.
//! `docs/architecture.md` is the map.

pub mod cli;
pub mod command;
pub mod document;
pub mod engine;
pub mod error;
pub mod finding;
pub mod git;
pub mod hooks;
pub mod init;
pub mod manifests;
pub mod options;
pub mod pipelines;
pub mod plain_file;
pub mod policy;
pub mod promote;
pub mod report;
pub mod rules;
#[cfg(feature = "service")]
pub mod service;
pub mod shell;
pub mod stats;
pub mod subject;
pub mod text;
pub mod values;
pub mod yaml;
