//! Requirements that users write themselves, on values of structured files: `assertions:` of the policy. Owns their
//! reading and judging; paths are `document`'s.

use bstr::{BStr, ByteSlice};
use regex::bytes::Regex;

use super::structured::{self, Structured};
use super::{Check, Checks, Rule};
use crate::document::{Format, Path};
use crate::error::Result;
use crate::finding::{Findings, Severity, Violation};
use crate::policy::scope::{Globs, is_match};
use crate::policy::{Environment, Level, Located, Options};
use crate::subject::{Kinds, Tree};
use crate::yaml::Node;

pub static RULE: Rule = Rule {
    id: "assertions",
    looks_at: Kinds::TREE,
    policy: include_str!("../../policies/assertions.yml"),
    compile: |options| {
        let list: Vec<Assertion> =
            options.shared("assertions").into_iter().filter_map(|at| assertion(options, at)).collect();
        if list.is_empty() {
            return Checks::default();
        }
        let environments = options.vocabulary().environments.clone();
        Checks { trees: vec![Box::new(Assertions { list, environments })], ..Checks::default() }
    },
};

/// What must hold of a value.
enum Wanted {
    /// One of these texts.
    OneOf(Vec<String>),
    Matches(Regex),
    Present,
    Absent,
}

/// One entry of `assertions`.
struct Assertion {
    id: String,
    files: Globs,
    format: Option<Format>,
    /// Documents for which it holds: each path leads to a value of this text.
    conditions: Vec<(Path, String)>,
    path: Path,
    /// As it was written.
    key: String,
    wanted: Wanted,
    environment: Option<usize>,
    severity: Severity,
    message: Option<String>,
    help: Option<String>,
}

struct Assertions {
    list: Vec<Assertion>,
    environments: Vec<Environment>,
}

const KEYS: [&str; 14] = [
    "id",
    "files",
    "format",
    "where",
    "path",
    "equals",
    "matches",
    "one-of",
    "absent",
    "present",
    "environment",
    "severity",
    "message",
    "help",
];
const WANTED: [&str; 5] = ["equals", "matches", "one-of", "absent", "present"];

fn assertion(options: &Options<'_>, at: Located<'_>) -> Option<Assertion> {
    options.known_keys(at, &KEYS);
    let id: Option<String> = options.required(at, "id");
    let files: Option<Globs> = options.required(at, "files");
    let key: Option<String> = options.required(at, "path");
    let format = options.field::<String>(at, "format").map(|name| (Format::named(&name), name));
    if let (Some((None, name)), Some(node)) = (&format, at.get("format")) {
        let message = format!("`{name}` is no format: one of {} is needed here", Format::NAMES.join(", "));
        options.mistake(at.source, node.node.span.clone(), message);
    }
    if let (Some(id), Some(node)) = (&id, at.get("id"))
        && !id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    {
        options.mistake(at.source, node.node.span.clone(), "an id has letters, digits, dashes and dots");
    }
    let parse = |text: &str, node: &Node| match Path::parse(text) {
        Ok(path) => Some(path),
        Err(why) => {
            options.mistake(at.source, node.span.clone(), why);
            None
        }
    };
    let path = key.as_deref().zip(at.get("path")).and_then(|(text, node)| parse(text, node.node));
    let conditions = at.get("where").map_or_else(Vec::new, |map| {
        map.entries().filter_map(|(k, v)| Some((parse(k.node.text()?, k.node)?, v.node.text()?.to_owned()))).collect()
    });
    let environment = options.field::<String>(at, "environment").map(|name| {
        let found = options.vocabulary().environments.iter().position(|e| e.name == name);
        if let (None, Some(node)) = (found, at.get("environment")) {
            let message = format!("there is no environment `{name}` under `environments`");
            options.mistake(at.source, node.node.span.clone(), message);
        }
        found
    });
    let given: Vec<&str> = WANTED.into_iter().filter(|k| at.get(k).is_some()).collect();
    let [given] = given[..] else {
        options.mistake(at.source, at.node.span.clone(), format!("one of {} is needed here", WANTED.join(", ")));
        return None;
    };
    let wanted = match given {
        "equals" => Wanted::OneOf(vec![at.get("equals")?.node.text()?.to_owned()]),
        "one-of" => {
            Wanted::OneOf(at.get("one-of")?.items().filter_map(|i| i.node.text().map(ToOwned::to_owned)).collect())
        }
        "matches" => Wanted::Matches(options.field(at, "matches")?),
        presence => match (presence == "present") == options.field::<bool>(at, presence)? {
            true => Wanted::Present,
            false => Wanted::Absent,
        },
    };
    Some(Assertion {
        id: id?,
        files: files?,
        format: format.and_then(|(f, _)| f),
        conditions,
        path: path?,
        key: key?,
        wanted,
        environment: environment.flatten(),
        severity: options.field(at, "severity").map_or(Some(Severity::Error), |Level(s)| s)?,
        message: options.field(at, "message"),
        help: options.field(at, "help"),
    })
}

impl Check<Tree<'_>> for Assertions {
    fn check(&self, tree: &Tree<'_>, out: &mut Findings<'_>) -> Result<()> {
        let branch = tree.name.as_ref().map(|n| n.as_bstr());
        let wanted = |path: &BStr| self.list.iter().any(|a| a.wants(path, branch, &self.environments));
        for entry in structured::touched(tree, wanted)? {
            let mut read: Vec<(Option<Format>, Option<Structured>)> = Vec::new();
            for assertion in &self.list {
                if !assertion.wants(entry.path.as_ref(), branch, &self.environments) {
                    continue;
                }
                let at = match read.iter().position(|(format, _)| *format == assertion.format) {
                    Some(at) => at,
                    None => {
                        read.push((assertion.format, structured::read(tree, entry.clone(), assertion.format)?));
                        read.len() - 1
                    }
                };
                if let Some(file) = &read[at].1 {
                    assertion.judge(file, out);
                }
            }
        }
        Ok(())
    }
}

impl Assertion {
    fn wants(&self, path: &BStr, branch: Option<&BStr>, environments: &[Environment]) -> bool {
        let there = |e| structured::environment_of(path, branch, environments) == Some(e);
        is_match(&self.files, path) && self.environment.is_none_or(there)
    }

    fn judge(&self, file: &Structured, out: &mut Findings<'_>) {
        if let Some(mistake) = file.document.mistakes.first().filter(|_| file.document.roots.is_empty()) {
            let line = crate::text::line_around(&file.bytes, mistake.span.start);
            let message = format!("the file cannot be read: {}", mistake.message);
            out.push(self.violation(file, mistake.span.clone(), message).hide(line));
        }
        for root in &file.document.roots {
            if !self.conditions.iter().all(|(p, text)| p.find(root).iter().any(|f| f.value.text() == Some(text))) {
                continue;
            }
            let found = self.path.find(root);
            if found.is_empty() && !matches!(self.wanted, Wanted::Absent) {
                let near = self.path.nearest(root);
                let at = near.key.unwrap_or(near.value);
                let end = crate::text::line_around(&file.bytes, at.span.start).end.max(at.span.start);
                let span = at.span.start..at.span.end.min(end);
                // What else stands on that line is nobody's business.
                let mut others = Vec::new();
                near.value.walk(&mut |_, node| {
                    if node.text().is_some() && node.span.start < end {
                        others.push(node.span.clone());
                    }
                });
                let message = format!("`{}` is missing", self.key);
                out.push(self.violation(file, span, message).hide_all(others));
            }
            for f in found {
                let text = f.value.text();
                let wrong = match &self.wanted {
                    Wanted::Present => None,
                    Wanted::Absent => Some("must not be there"),
                    Wanted::OneOf(texts) if text.is_some_and(|t| texts.iter().any(|w| w == t)) => None,
                    Wanted::OneOf(_) => Some("is not what it must be"),
                    Wanted::Matches(regex) if text.is_some_and(|t| regex.is_match(t.as_bytes())) => None,
                    Wanted::Matches(_) => Some("does not match what it must"),
                };
                if let Some(wrong) = wrong {
                    let span = f.value.span.clone();
                    out.push(self.violation(file, span.clone(), format!("`{}` {wrong}", self.key)).hide(span));
                }
            }
        }
    }

    fn violation<'f>(&self, file: &'f Structured, span: std::ops::Range<usize>, usual: String) -> Violation<'f> {
        let rule = format!("assertions/{}", self.id);
        let violation = Violation::new(rule, self.severity, file.origin(), &file.bytes, span);
        let violation = violation.message(self.message.clone().unwrap_or(usual)).key(self.key.clone());
        match (&self.help, &self.wanted) {
            (Some(help), _) => violation.help(help.clone()),
            (None, Wanted::OneOf(texts)) => violation.help(format!("the policy wants {}", texts.join(" or "))),
            (None, Wanted::Matches(regex)) => violation.help(format!("the policy wants a match of {regex}")),
            (None, _) => violation,
        }
    }
}
