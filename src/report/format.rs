//! The names of formats, as users write them after `--format`, and which renderer each one means.

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use clap::ValueEnum;

use crate::error::Error;
use crate::text::nearest;

use super::{Context, Report};
use super::{checkstyle, github, gitlab, gitlab_secrets, human, json, jsonl, junit, rdjson, sarif};

/// See the module. The pusher's profile and the step summary are no formats: the gates that need them ask for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, ValueEnum)]
pub enum Format {
    #[default]
    Human,
    Json,
    Jsonl,
    Sarif,
    Github,
    Gitlab,
    GitlabSecrets,
    Junit,
    Checkstyle,
    Rdjson,
}

impl Format {
    /// Whether it shows rules that found nothing.
    pub fn lists_rules(self) -> bool {
        matches!(self, Self::Sarif | Self::Junit)
    }

    pub fn render(self, report: &Report, ctx: &Context<'_>, out: &mut dyn Write) -> io::Result<()> {
        let render = match self {
            Self::Human => human::render,
            Self::Json => json::render,
            Self::Jsonl => jsonl::render,
            Self::Sarif => sarif::render,
            Self::Github => github::render,
            Self::Gitlab => gitlab::render,
            Self::GitlabSecrets => gitlab_secrets::render,
            Self::Junit => junit::render,
            Self::Checkstyle => checkstyle::render,
            Self::Rdjson => rdjson::render,
        };
        render(report, ctx, out)
    }

    fn names() -> Vec<String> {
        Self::value_variants().iter().map(Self::to_string).collect()
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.to_possible_value().as_ref().map_or("", |v| v.get_name()))
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        <Self as ValueEnum>::from_str(word, false).map_err(|_| {
            let names = Self::names();
            let error = Error::usage(format!("there is no format `{word}`"));
            match nearest(word, names.iter().map(String::as_str)) {
                Some(name) => error.hint(format!("did you mean `{name}`?")),
                None => error.hint(format!("formats: {}", names.join(", "))),
            }
        })
    }
}
