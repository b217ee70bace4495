//! The files of other tools, read from the work tree and translated; what this program would refuse in a policy is told
//! instead of written.

use std::path::{Path, PathBuf};

use crate::command::{Outside, policy_file};
use crate::error::{Error, Result};
use crate::git::Repo;
use crate::init::{Translated, known_files};
use crate::options::{POLICY_LIMIT, PolicyFile};
use crate::plain_file::{Limit, PlainFile};
use crate::policy::{Policy, trust};

/// A baseline of detect-secrets lists every finding.
const LIMIT: Limit = Limit { bytes: POLICY_LIMIT.bytes * 16, exceeded: "longer than 16 MiB" };

/// `asked`: files that the user names, beside those at the root.
pub fn translate(repo: &Repo, root: &Path, asked: &[PathBuf], outside: &Outside) -> Result<Translated> {
    let untrusted = policy_file::untrusted(Some(repo), &outside.directory);
    let mut translated = Translated::default();
    let found = known_files().map(|name| (name.to_owned(), root.join(name), false));
    let named = asked.iter().map(|file| (file.to_string_lossy().into_owned(), outside.directory.join(file), true));
    for (name, path, is_asked) in found.chain(named) {
        let cannot = |why: &str| Error::usage(format!("cannot read {}: {why}", path.display()));
        match untrusted.read(&path, LIMIT) {
            Ok(PlainFile::Bytes(bytes)) => translated.read(&name, &bytes),
            Ok(PlainFile::Absent) if is_asked => return Err(cannot("it is not there")),
            Ok(PlainFile::Refused(what)) if is_asked => return Err(cannot(&format!("it is {what}"))),
            Ok(PlainFile::Refused(what)) => {
                translated.left.push((name, "the whole file".to_owned(), format!("it is {what}")));
            }
            Ok(PlainFile::Absent) => {}
            Err(error) if is_asked => return Err(cannot(&error.to_string())),
            Err(error) => translated.left.push((name, "the whole file".to_owned(), error.to_string())),
        }
    }
    keep_valid(&mut translated);
    // A file at the root may be named as well.
    translated.left.sort();
    translated.left.dedup();
    Ok(translated)
}

/// Takes out what no policy can say, with the reason.
fn keep_valid(translated: &mut Translated) {
    let from = translated.files.join(", ");
    let mut left = Vec::new();
    let mut is_valid = |what: String, text: String| {
        let policy = PolicyFile::new("portcullis.yaml", text);
        let Err(mistakes) = Policy::load(vec![policy]).and_then(trust::valid) else { return true };
        left.push((from.clone(), what, trust::first(&mistakes).1.to_owned()));
        false
    };
    for (family, keys) in &mut translated.options {
        keys.retain(|key, value| {
            is_valid(format!("{family}: {key}"), format!("rules: {{ {family}: {{ {key}: {value} }} }}\n"))
        });
    }
    translated.options.retain(|_, keys| !keys.is_empty());
    for (key, patterns) in [("exclude", &mut translated.exclude), ("allow", &mut translated.allow)] {
        patterns.retain(|pattern| {
            let quoted = serde_json::Value::from(pattern.as_str());
            is_valid(format!("{key}: {pattern}"), format!("rules: {{ secrets: {{ {key}: [{quoted}] }} }}\n"))
        });
    }
    translated.detectors.retain(|item| is_valid(format!("detector {item}"), format!("detectors:\n  - {item}\n")));
    translated.exceptions.retain(|item| is_valid(format!("exception {item}"), format!("exceptions:\n  - {item}\n")));
    translated.left.extend(left);
}
