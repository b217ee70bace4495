//! A backtest for people and for programs: by rule, with what would have let each landing through.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::landings::Landing;
use super::{Backtest, day};
use crate::cli::MatrixFormat;
use crate::error::{Error, Result};
use crate::finding::Finding;
use crate::policy::exception_for;
use crate::text::{count, sanitise};

/// Landings of one rule that are shown to people.
const SHOWN: usize = 10;

#[derive(Serialize)]
struct Told<'a> {
    version: u8,
    since: &'a str,
    branches: Vec<Branch<'a>>,
    rules: Vec<Rule<'a>>,
    undecided: Vec<Undecided<'a>>,
}

#[derive(Serialize)]
struct Branch<'a> {
    name: &'a str,
    landings: usize,
    refused: usize,
}

#[derive(Serialize)]
struct Rule<'a> {
    rule: &'a str,
    landings: usize,
    /// What in the policy would have let all of them through.
    option: String,
    findings: Vec<Line<'a>>,
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    place: Place<'a>,
    message: &'a str,
    /// What under `exceptions` would have let this one through.
    exception: String,
}

#[derive(Serialize)]
struct Place<'a> {
    branch: &'a str,
    commit: String,
    day: String,
    author: String,
}

#[derive(Serialize)]
struct Undecided<'a> {
    #[serde(flatten)]
    place: Place<'a>,
    reason: &'a str,
}

pub fn render(backtest: &Backtest, since: String, format: MatrixFormat) -> Result<String> {
    let told = told(backtest, &since);
    match format {
        MatrixFormat::Human => Ok(human(&told, backtest.counts())),
        MatrixFormat::Json => {
            let text = serde_json::to_string_pretty(&told)
                .map_err(|e| Error::undecided(format!("the backtest cannot be written as JSON: {e}")))?;
            Ok(text + "\n")
        }
    }
}

fn told<'a>(backtest: &'a Backtest, since: &'a str) -> Told<'a> {
    let mut rules: BTreeMap<&str, Vec<(&Landing, &Finding)>> = BTreeMap::new();
    for refused in &backtest.refused {
        for finding in &refused.findings {
            rules.entry(&finding.rule).or_default().push((&refused.landing, finding));
        }
    }
    let rule = |(rule, list): (&'a str, Vec<(&'a Landing, &'a Finding)>)| {
        let mut landings: Vec<_> = list.iter().map(|(landing, _)| (&landing.branch, landing.new)).collect();
        landings.dedup();
        let findings = list.into_iter().map(|(landing, finding)| Line {
            place: place(landing),
            message: &finding.message,
            exception: exception_for(finding, "..."),
        });
        let option = format!("rules: {{ {rule}: {{ severity: warning }} }}");
        Rule { rule, landings: landings.len(), option, findings: findings.collect() }
    };
    let mut rules: Vec<Rule<'_>> = rules.into_iter().map(rule).collect();
    // A stable sort: rules with as many landings stay in the order of their names.
    rules.sort_by_key(|rule| std::cmp::Reverse(rule.landings));
    let branch =
        |(name, landings, refused): &'a (String, usize, usize)| Branch { name, landings: *landings, refused: *refused };
    Told {
        version: 1,
        since,
        branches: backtest.branches.iter().map(branch).collect(),
        rules,
        undecided: backtest.undecided.iter().map(|(l, reason)| Undecided { place: place(l), reason }).collect(),
    }
}

fn place(landing: &Landing) -> Place<'_> {
    Place {
        branch: &landing.branch,
        commit: landing.new.to_string(),
        day: day(landing.time),
        author: sanitise(&landing.author),
    }
}

fn human(told: &Told<'_>, (all, refused): (usize, usize)) -> String {
    let mut out = String::new();
    for rule in &told.rules {
        let _ = writeln!(out, "{}: {}", rule.rule, count(rule.landings, "landing"));
        let _ = writeln!(out, "  all of them would pass with {}", rule.option);
        for line in rule.findings.iter().take(SHOWN) {
            let _ = writeln!(out, "  {}: {}", at(&line.place), sanitise(line.message.as_bytes()));
            let _ = writeln!(out, "    would pass with - {}", line.exception);
        }
        if rule.findings.len() > SHOWN {
            let _ = writeln!(out, "  and {} more: --format json lists them", rule.findings.len() - SHOWN);
        }
        out.push('\n');
    }
    for undecided in &told.undecided {
        let reason = sanitise(undecided.reason.as_bytes());
        let _ = writeln!(out, "could not judge {}: {reason}", at(&undecided.place));
    }
    for branch in &told.branches {
        let name = sanitise(branch.name.as_bytes());
        let _ = writeln!(out, "{name}: {} of {} refused", branch.refused, count(branch.landings, "landing"));
    }
    if told.branches.is_empty() {
        out.push_str("none of the protected branches is here\n");
    }
    out.push_str("not judged: who pushed, which history does not tell\n");
    let _ = writeln!(out, "would have refused {refused} of {} since {}", count(all, "landing"), told.since);
    out
}

fn at(place: &Place<'_>) -> String {
    let branch = sanitise(place.branch.as_bytes());
    format!("{} {branch} {:.10} {}", place.day, place.commit, place.author)
}
