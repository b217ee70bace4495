//! What formats that list rules may say of them: of all codes of the families that ran, so that green ones are seen, and
//! of whatever else was found. The words are those of `policies/*.yml`.

use std::collections::HashSet;

use crate::command::explain::detector;
use crate::finding::{Finding, Severity};
use crate::report::{Report, RuleInfo};
use crate::rules::{About, Code, RULES};

/// `ran`: families. In the order of the list; codes that data decides (detectors, assertions) only where they were found.
pub fn of(report: &Report, ran: &[&str]) -> Vec<RuleInfo> {
    let mut seen: HashSet<&str> = HashSet::new();
    let found: Vec<&Finding> = report.findings.iter().filter(|f| seen.insert(&f.rule)).collect();
    let mut rules = Vec::new();
    for rule in RULES {
        let codes: Vec<(&str, &Finding)> =
            found.iter().filter_map(|f| Some((f.rule.strip_prefix(rule.id)?.strip_prefix('/')?, *f))).collect();
        if codes.is_empty() && !ran.contains(&rule.id) {
            continue;
        }
        // A test of each family shows that it can be read.
        let Ok(about) = rule.about() else { continue };
        for code in about.codes.iter().filter(|c| !c.code.starts_with('<')) {
            if ran.contains(&rule.id) || codes.iter().any(|(c, _)| *c == code.code) {
                rules.push(written(rule.id, &about, code));
            }
        }
        let by_data = codes.iter().filter(|(c, _)| about.codes.iter().all(|known| known.code != *c));
        rules.extend(by_data.map(|(code, finding)| made(rule.id, &about, code, finding)));
    }
    rules
}

fn written(family: &str, about: &About, code: &Code) -> RuleInfo {
    let why = if code.explain.trim().is_empty() { &about.why } else { &code.explain };
    RuleInfo {
        id: format!("{family}/{}", code.code).into(),
        summary: code.summary.clone().into(),
        why: why.trim().to_owned().into(),
        help: code.help.clone().into(),
        severity: code.severity.0.unwrap_or(Severity::Note),
    }
}

/// A detector or an assertion.
fn made(family: &str, about: &About, code: &str, finding: &Finding) -> RuleInfo {
    let any = about.codes.iter().find(|c| c.code.starts_with('<'));
    let secrets = family == "secrets";
    let own = finding.help.as_ref().filter(|_| !secrets);
    let help = own.cloned().or_else(|| any.map(|c| c.help.clone())).unwrap_or_default();
    let built_in = if secrets { detector(code) } else { None };
    let message = finding.message.strip_prefix("found ").filter(|_| secrets).unwrap_or(&finding.message);
    RuleInfo {
        id: finding.rule.clone(),
        // What a policy's own rule says is the same wherever it is found.
        summary: built_in.map_or_else(|| message.to_owned().into(), |d| d.name.clone()),
        // The whole paragraph would be told once for every kind of secret.
        why: about.summary.clone().into(),
        help: match built_in.map(|d| d.revoke.trim()).filter(|r| !r.is_empty()) {
            Some(revoke) => format!("{revoke}\n{help}").into(),
            None => help.into(),
        },
        severity: built_in.map_or(finding.severity, |d| d.severity),
    }
}
