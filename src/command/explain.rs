//! `portcullis explain RULE`: what a family, a rule or a detector wants, why, and what to do about its findings.
//! The words are those of `policies/*.yml`; read only here, when somebody asks.

use crate::error::{Error, Result};
use crate::finding::{Confidence, Severity};
use crate::rules::secrets::{ASSIGNMENT, DETECTORS, Detector, KUBERNETES};
use crate::rules::{About, Code, DefaultSeverity, RULES, Rule};
use crate::text::nearest;
use crate::yaml;

/// The explanation of `family`, `family/code` or `secrets/detector`.
pub fn explain(name: &str) -> Result<String> {
    let (family, code) = name.split_once('/').map_or((name, None), |(f, c)| (f, Some(c)));
    let rule = RULES.iter().find(|r| r.id == family).ok_or_else(|| unknown(name))?;
    let about = about(rule)?;
    let Some(code) = code else { return Ok(explain_family(rule, &about)) };
    let detector = (rule.id == "secrets").then(|| detector(code)).flatten();
    match (about.codes.iter().find(|c| c.code == code), detector) {
        (found, Some(detector)) => Ok(explain_detector(detector, found)),
        (Some(found), None) => Ok(explain_code(rule, &about, found)),
        // Data decides the code: what is said of all of them holds.
        (None, None) => match about.codes.iter().find(|c| c.code.starts_with('<') && rule.id != "secrets") {
            Some(any) => Ok(explain_code(rule, &about, &Code { code: code.to_owned(), ..any.clone() })),
            None => Err(unknown(name)),
        },
    }
}

/// What a family says of itself.
pub fn about(rule: &Rule) -> Result<About> {
    rule.about().map_err(|e| Error::undecided(format!("the explanation of {} cannot be read: {}", rule.id, e.message)))
}

/// The word that the policy has for a severity.
pub fn severity(severity: DefaultSeverity) -> &'static str {
    severity.0.map_or("off", Severity::name)
}

fn explain_family(rule: &Rule, about: &About) -> String {
    let mut text = format!("{}: {}\n\n{}\n", rule.id, about.summary, about.why.trim());
    let width = about.codes.iter().map(|c| c.code.len()).max().unwrap_or(0);
    if !about.codes.is_empty() {
        text.push_str("\nrules\n");
    }
    for code in &about.codes {
        text.push_str(&format!("  {:width$}  {:7}  {}\n", code.code, severity(code.severity), code.summary));
    }
    let options = yaml::first_document(rule.policy).trim();
    if options != "{}" && !options.is_empty() {
        text.push_str(&format!("\noptions, with their defaults (`rules: {}:` in portcullis.yaml)\n", rule.id));
        options.lines().for_each(|line| text.push_str(&format!("  {line}\n")));
    }
    let example = about.codes.iter().find(|c| !c.code.starts_with('<'));
    if let Some(code) = example {
        text.push_str(&format!("\nmore: portcullis explain {}/{}\n", rule.id, code.code));
    }
    text
}

fn explain_code(rule: &Rule, about: &About, code: &Code) -> String {
    let in_ci = code.ci.map_or_else(String::new, |ci| format!(", in CI {}", severity(ci)));
    let mut text = format!("{}/{} ({}{in_ci}): {}\n", rule.id, code.code, severity(code.severity), code.summary);
    for paragraph in [&code.explain, &about.why].into_iter().filter(|p| !p.trim().is_empty()) {
        text.push_str(&format!("\n{}\n", paragraph.trim()));
    }
    if !code.help.is_empty() {
        text.push_str(&format!("\nwhat to do\n  {}\n", code.help.trim().replace('\n', "\n  ")));
    }
    text + &switch(rule.id, &code.code)
}

/// The detector of this id, the generic ones included.
pub fn detector(id: &str) -> Option<&'static Detector> {
    [&ASSIGNMENT, &KUBERNETES].into_iter().chain(DETECTORS.iter()).find(|d| d.id == id)
}

fn explain_detector(detector: &Detector, code: Option<&Code>) -> String {
    let sure = match detector.confidence {
        Confidence::High => "high",
        Confidence::Medium => "medium",
        Confidence::Low => "low",
    };
    let level = severity(DefaultSeverity(Some(detector.severity)));
    let mut text = format!("secrets/{} ({level}): {}\n", detector.id, detector.name);
    text.push_str(&format!("\nissued by   {}\nconfidence  {sure}\n", detector.provider));
    if !detector.docs.is_empty() {
        text.push_str(&format!("documented  {}\n", detector.docs));
    }
    if let Some(explain) = code.map(|c| c.explain.trim()).filter(|e| !e.is_empty()) {
        text.push_str(&format!("\n{explain}\n"));
    }
    let revoke = if detector.revoke.is_empty() { "revoke or change it where it was issued" } else { &detector.revoke };
    text.push_str(&format!(
        "\nwhat to do\n  1. {revoke}\n  2. take it out of the commits that are not pushed yet: `git rebase -i`, or `git reset --soft HEAD~1`\n  \
         3. keep it where secrets belong, and write a reference instead\n"
    ));
    text + &switch("secrets", &detector.id)
}

fn switch(family: &str, code: &str) -> String {
    format!(
        "\nin portcullis.yaml\n  rules:\n    {family}/{code}: {{ severity: error }}   # error, warning, note or off\n"
    )
}

fn unknown(name: &str) -> Error {
    let mut names: Vec<String> = RULES.iter().map(|r| r.id.to_owned()).collect();
    for rule in RULES {
        let codes = rule.about().map(|a| a.codes).unwrap_or_default();
        names.extend(codes.into_iter().map(|c| format!("{}/{}", rule.id, c.code)));
    }
    names.extend(DETECTORS.iter().map(|d| format!("secrets/{}", d.id)));
    let error = Error::usage(format!("there is no rule `{name}`"));
    match nearest(name, names.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("`portcullis rules list` names them all"),
    }
}
