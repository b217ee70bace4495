//! The formats that users name after `--format`: the one list of them.

use std::str::FromStr;

use crate::error::Error;
use crate::text::nearest;

use super::Format;
use super::{checkstyle, github, gitlab, gitlab_secrets, html, human, json, jsonl, junit, rdjson, sarif};

/// All formats, in the order in which help and documentation show them. The pusher's profile and the step summary are not
/// formats: the gates that need them call them.
pub static FORMATS: &[Format] = &[
    human::FORMAT,
    json::FORMAT,
    jsonl::FORMAT,
    sarif::FORMAT,
    github::FORMAT,
    gitlab::FORMAT,
    gitlab_secrets::FORMAT,
    junit::FORMAT,
    checkstyle::FORMAT,
    rdjson::FORMAT,
    html::FORMAT,
];

impl Format {
    /// The names of all formats: `human, json, …`.
    pub fn names() -> String {
        FORMATS.iter().map(|f| f.name).collect::<Vec<_>>().join(", ")
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        FORMATS.iter().find(|f| f.name == word).copied().ok_or_else(|| {
            let error = Error::usage(format!("there is no format `{word}`"));
            match nearest(word, FORMATS.iter().map(|f| f.name)) {
                Some(name) => error.hint(format!("did you mean `{name}`?")),
                None => error.hint(format!("formats: {}", Self::names())),
            }
        })
    }
}
