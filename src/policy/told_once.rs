//! One finding for one key: a file whose whole content is a key is a finding of `files`, and the key in it one of `secrets`.
//! Owns which of the two is told, after exceptions and allows have counted for each.

use crate::finding::{Finding, Origin, RuleId, Suppression};

/// Codes of files that are nothing but the secret that a detector finds in them.
const FILES_OF_ONE_SECRET: [&str; 4] = ["files/private-key", "files/ssh-key", "files/keyring", "files/vault-token"];

/// Suppresses what another finding tells already about the same line of the same file. The secret's stands, because
/// exceptions excuse the secret that stood there; the file's stands where it is worse.
pub fn tell_once(list: &mut [Finding]) {
    let is_file = |finding: &Finding| FILES_OF_ONE_SECRET.contains(&finding.rule.as_ref());
    if !list.iter().any(is_file) {
        return;
    }
    let mut redundant: Vec<Option<RuleId>> = vec![None; list.len()];
    for (at, file) in list.iter().enumerate().filter(|(_, finding)| is_file(finding)) {
        let is_secret_here = |other: &Finding| {
            other.rule.starts_with("secrets/")
                && other.span.line == file.span.line
                && same_file(&other.origin, &file.origin)
        };
        for (other, secret) in list.iter().enumerate().filter(|(_, other)| is_secret_here(other)) {
            if secret.severity >= file.severity {
                // Who skips `secrets` still wants to hear about files.
                if secret.suppressed.as_ref().is_none_or(|by| by.by != "skip") {
                    redundant[at] = Some(secret.rule.clone());
                }
            } else if file.suppressed.is_none() || secret.suppressed.is_some() {
                redundant[other] = Some(file.rule.clone());
            }
        }
    }
    for (finding, rule) in list.iter_mut().zip(redundant) {
        if let (None, Some(rule)) = (&finding.suppressed, rule) {
            finding.suppressed =
                Some(Suppression { by: "duplicate", reason: format!("{rule} is told for the same line") });
        }
    }
}

fn same_file(one: &Origin, other: &Origin) -> bool {
    matches!(one, Origin::File { .. }) && one == other
}
