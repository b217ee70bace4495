//! `portcullis ci`: finds base and head by itself, brings what the checkout lacks, judges with the policy of the base,
//! and tells it the way the platform shows best. What each platform says is in its own file.

pub mod change;
mod fetch;
pub mod platform;
pub mod platforms;
mod prepare;
pub mod resolve;

use std::path::Path;
use std::time::Instant;

use self::platform::Platform;
use super::Outside;
use super::gate::reports::undecided;
use super::gate::{Gate, Judged, Refusal, Target};
use super::policy_file;
use crate::cli::{Ci, JudgeArgs, OutputArgs};
use crate::error::{Error, Kind, Result};
use crate::git::Source;
use crate::report::summary;

pub fn run(args: &Ci, outside: &Outside) -> Result<u8> {
    let started = Instant::now();
    let variable = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
    let read = |path: &str| {
        std::fs::read(path).map_err(|e| Error::undecided(format!("the event file {path} cannot be read: {e}")))
    };
    let change = platforms::detect(&variable, &read);
    let platform = change.as_ref().ok().and_then(Option::as_ref).map(|c| c.platform);
    let output = outputs(args.output.clone(), platform);
    let summary = variable("GITHUB_STEP_SUMMARY");
    let tell = |gate: &Gate<'_>, judged: &Judged, code: u8| {
        gate.write_report(judged, started)?;
        summary.as_ref().map_or(Ok(()), |file| summarise(gate, judged, started, Path::new(file), outside))?;
        Ok(code)
    };
    let told = change.and_then(|change| prepare::prepare(args, change, outside)).and_then(|ready| {
        let judge = JudgeArgs { title: ready.title, ..args.judge.clone() };
        let mut gate =
            Gate::new(Some(&ready.repo), outside, judge, output.clone()).with_findings(ready.findings, ready.notes);
        if let Some(policy) = ready.policy {
            gate = gate.by_policy(policy);
        }
        // Here nobody waits for the answer. A policy that cannot be followed is told by the judgement.
        match gate.policy().cloned() {
            Ok(policy) => gate = gate.by_policy(policy.with_ci_codes()),
            Err(Refusal::Policy(_)) => {}
            Err(Refusal::Error(error)) => return Err(error),
        }
        let source = ready.push.map_or(Source::WorkTree { paths: Vec::new() }, Source::Push);
        let (judged, code) = gate.judge_and_report(&Target::Change(&ready.repo, &source))?;
        tell(&gate, &judged, code)
    });
    match told {
        // A check that could not decide says so where people look, in every format that was asked for.
        Err(error) if error.kind == Kind::Undecided => {
            let judged = Judged::from(undecided(error));
            let code = judged.report.exit_code();
            tell(&Gate::new(None, outside, args.judge.clone(), output), &judged, code)
        }
        told => told,
    }
}

/// The format that the platform's log shows best, unless something else was asked for.
fn outputs(mut output: OutputArgs, platform: Option<&Platform>) -> OutputArgs {
    let bare = output.format.iter().any(|f| !f.contains('='));
    let best = platform.and_then(|p| p.log_format);
    if let Some(format) = best.filter(|_| !bare && output.output.is_none()) {
        output.format.push(format.into());
    }
    output
}

/// Adds to the step's summary, which other tools write to as well.
fn summarise(gate: &Gate<'_>, judged: &Judged, started: Instant, file: &Path, outside: &Outside) -> Result<()> {
    let mut text = Vec::new();
    let written = summary::render(&judged.report, &gate.context(started), &mut text)
        .and_then(|()| policy_file::untrusted(gate.repo(), &outside.directory).append(file, &text));
    written.map_err(|e| Error::usage(format!("cannot write the step summary {}: {e}", file.display())))
}
