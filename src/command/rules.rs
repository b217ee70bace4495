//! `portcullis rules`: the list of rules, and the trial of a policy's own detectors on their own examples.

use std::path::Path;

use bstr::BStr;

use super::Outside;
use super::explain::{about, severity};
use super::gate::Gate;
use super::policy_file;
use crate::cli::{JudgeArgs, OutputArgs, RulesCommand};
use crate::error::{Error, Result};
use crate::git;
use crate::policy::Policy;
use crate::rules::secrets::{Definition, Detector, Scanner, anchors_at_text};
use crate::rules::{DefaultSeverity, RULES};
use crate::yaml;

pub fn run(command: Option<&RulesCommand>, outside: &Outside) -> Result<u8> {
    match command {
        None | Some(RulesCommand::List) => outside.say(&list()?).map(|()| 0),
        Some(RulesCommand::Test { file }) => test(file, outside),
    }
}

/// A line for each rule: name, default severity, summary.
fn list() -> Result<String> {
    let mut lines: Vec<(String, &'static str, String)> = Vec::new();
    for rule in RULES {
        for code in about(rule)?.codes.into_iter().filter(|c| c.code != "<detector>") {
            lines.push((format!("{}/{}", rule.id, code.code), severity(code.severity), code.summary));
        }
        if rule.id == "secrets" {
            let one = |d: &Detector| {
                (format!("secrets/{}", d.id), severity(DefaultSeverity(Some(d.severity))), d.name.to_string())
            };
            lines.extend(crate::rules::secrets::DETECTORS.iter().map(one));
        }
    }
    let width = lines.iter().map(|l| l.0.len()).max().unwrap_or(0);
    Ok(lines.iter().map(|(name, level, summary)| format!("{name:width$}  {level:7}  {summary}\n")).collect())
}

/// The part of a policy that is tried here.
#[derive(serde::Deserialize)]
struct Own {
    #[serde(default)]
    detectors: Vec<Definition>,
}

/// Exit code 0: every example did as it should; 1: some did not; 2: the file cannot be followed.
fn test(file: &Path, outside: &Outside) -> Result<u8> {
    let cannot = |e: &dyn std::fmt::Display| Error::usage(format!("cannot read {}: {e}", file.display()));
    let repo = git::discover(&outside.directory)?;
    let untrusted = policy_file::untrusted(repo.as_ref(), &outside.directory);
    let policy = policy_file::on_disk(&outside.directory.join(file), file, &untrusted)?;
    let policy = policy.ok_or_else(|| cannot(&"it is not there"))?;
    let bytes = policy.bytes.clone();
    if let Err(mistakes) = Policy::load(vec![policy]) {
        let gate = Gate::new(repo.as_ref(), outside, JudgeArgs::default(), OutputArgs::default());
        return gate.write_refusal(mistakes.into());
    }
    let text = String::from_utf8_lossy(&bytes);
    let own: Own = yaml::from_str(&text).map_err(|e| Error::usage(format!("{}: {}", file.display(), e.message)))?;
    let (mut wrong, mut doubts) = (Vec::new(), Vec::new());
    let mut examples = 0;
    let tried = own.detectors.len();
    for definition in own.detectors {
        if anchors_at_text(&definition.pattern) {
            doubts.push(format!(
                "{}: pattern: warning: a bare `^` is the start of the whole file; write `(?m:^)` for that of a line",
                definition.id
            ));
        }
        examples += definition.matches.len() + definition.near_misses.len();
        wrong.extend(trial(definition));
    }
    let verdict = if wrong.is_empty() { "pass" } else { "fail" };
    let mut told: String = wrong.iter().chain(&doubts).map(|w| format!("{w}\n")).collect();
    told.push_str(&format!("{verdict}: {tried} detectors, {examples} examples, {} wrong\n", wrong.len()));
    outside.say(&told).map(|()| u8::from(!wrong.is_empty()))
}

/// Everything that is wrong with a detector, a line each.
fn trial(definition: Definition) -> Vec<String> {
    let id = definition.id.clone();
    let problems = definition.problems(true);
    if !problems.is_empty() {
        return problems.into_iter().map(|(field, why)| format!("{id}: {field}: {why}")).collect();
    }
    let (matches, misses) = (definition.matches.clone(), definition.near_misses.clone());
    // An example is a line of some file that the detector looks at.
    let path = definition.paths.first().map(|glob| glob.replace("**/", "").replace("**", "x").replace('*', "x"));
    let detector = match Detector::from_definition(definition) {
        Ok(detector) => detector,
        Err(why) => return vec![format!("{id}: pattern: {why}")],
    };
    let scanner = Scanner::new(vec![detector]);
    let finds = |example: &str| {
        // `<>` breaks an example up, so that no scanner takes the policy for a leak.
        let text = example.replace("<>", "");
        let path = path.as_deref().unwrap_or("example");
        scanner.scan(text.as_bytes(), Some(BStr::new(path))).iter().any(|hit| hit.detector.id == id)
    };
    let number = |list: &[String], found: bool| -> Vec<usize> {
        (1..=list.len()).filter(|n| finds(&list[n - 1]) == found).collect()
    };
    // By number: an example that does match may be somebody's real secret.
    let missed = number(&matches, false).into_iter().map(|n| format!("{id}: matches, example {n}: is not found"));
    let caught = number(&misses, true).into_iter().map(|n| format!("{id}: near-misses, example {n}: is found"));
    missed.chain(caught).collect()
}
