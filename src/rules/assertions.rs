//! `assertions`: requirements that users write themselves, on values of structured files. Owns parsing and checking them;
//! paths into documents are `document`'s.

use std::collections::HashSet;
use std::ops::Range;

use bstr::{BStr, BString, ByteSlice as _};
use regex::bytes::Regex;

use super::structured;
use super::{Check, Checks, Rule};
use crate::document::{Format, Path};
use crate::error::Result;
use crate::finding::{Findings, Origin, Severity, Violation};
use crate::manifests::{self, Files, Graph, SourceFile, helm};
use crate::options::scope::{Globs, is_match};
use crate::options::{Environment, Level, Located, Options};
use crate::subject::{Kinds, Tree};
use crate::text::line_around;
use crate::yaml::Node;

pub static RULE: Rule = Rule {
    id: "assertions",
    looks_at: Kinds::TREE,
    policy: include_str!("../../policies/assertions.yml"),
    compile: |options| {
        let list: Vec<Assertion> =
            options.shared("assertions").into_iter().filter_map(|at| parse_assertion(options, at)).collect();
        if list.is_empty() {
            return Checks::default();
        }
        let environments = options.vocabulary().environments.clone();
        Checks { trees: vec![Box::new(Assertions { list, environments })], ..Checks::default() }
    },
};

/// The requirement on a value.
enum Requirement {
    /// The value must be one of these.
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
    /// Check what is deployed instead of the files as written: built kustomizations, Helm values merged over the chart's.
    effective: bool,
    /// Applies only to documents in which each path has this value.
    conditions: Vec<(Path, String)>,
    path: Path,
    /// The path as written in the policy.
    key: String,
    requirement: Requirement,
    environment: Option<usize>,
    severity: Severity,
    message: Option<String>,
    help: Option<String>,
}

struct Assertions {
    list: Vec<Assertion>,
    environments: Vec<Environment>,
}

const KEYS: [&str; 15] = [
    "id",
    "files",
    "format",
    "on",
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
const REQUIREMENTS: [&str; 5] = ["equals", "matches", "one-of", "absent", "present"];

fn parse_assertion(options: &Options<'_>, at: Located<'_>) -> Option<Assertion> {
    options.known_keys(at, &KEYS);
    let id: Option<String> = options.required(at, "id");
    let files: Option<Globs> = options.required(at, "files");
    let key: Option<String> = options.required(at, "path");
    let format = options.field::<String>(at, "format").map(|name| (Format::named(&name), name));
    if let (Some((None, name)), Some(node)) = (&format, at.get("format")) {
        let message = format!("there is no format `{name}`: one of {} is needed here", Format::NAMES.join(", "));
        options.mistake(at.source, node.node.span.clone(), message);
    }
    if let (Some(id), Some(node)) = (&id, at.get("id"))
        && !id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    {
        options.mistake(at.source, node.node.span.clone(), "an id may contain only letters, digits, `-`, `_` and `.`");
    }
    let on: String = options.field(at, "on").unwrap_or_else(|| "files".into());
    if let (false, Some(node)) = (["files", "effective"].contains(&on.as_str()), at.get("on")) {
        options.mistake(at.source, node.node.span.clone(), "one of `files`, `effective` is needed here");
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
    let given: Vec<&str> = REQUIREMENTS.into_iter().filter(|k| at.get(k).is_some()).collect();
    let [given] = given[..] else {
        options.mistake(at.source, at.node.span.clone(), format!("one of {} is needed here", REQUIREMENTS.join(", ")));
        return None;
    };
    let requirement = match given {
        "equals" => Requirement::OneOf(vec![at.get("equals")?.node.text()?.to_owned()]),
        "one-of" => {
            Requirement::OneOf(at.get("one-of")?.items().filter_map(|i| i.node.text().map(ToOwned::to_owned)).collect())
        }
        "matches" => Requirement::Matches(options.field(at, "matches")?),
        presence => match (presence == "present") == options.field::<bool>(at, presence)? {
            true => Requirement::Present,
            false => Requirement::Absent,
        },
    };
    Some(Assertion {
        id: id?,
        files: files?,
        format: format.and_then(|(f, _)| f),
        effective: on == "effective",
        conditions,
        path: path?,
        key: key?,
        requirement,
        environment: environment.flatten(),
        severity: options.field(at, "severity").map_or(Some(Severity::Error), |Level(s)| s)?,
        message: options.field(at, "message"),
        help: options.field(at, "help"),
    })
}

impl Check<Tree<'_>> for Assertions {
    fn check(&self, tree: &Tree<'_>, out: &mut Findings<'_>) -> Result<()> {
        let branch = tree.name.as_ref().map(|n| n.as_bstr());
        let wanted = |path: &BStr| self.list.iter().any(|a| a.applies_to(path, branch, &self.environments));
        let is_effective = self.list.iter().any(|a| a.effective);
        // Deployed values can come from files that no assertion names.
        let touched = structured::touched(tree, |path| is_effective || wanted(path))?;
        if touched.is_empty() {
            return Ok(());
        }
        let files = Files::new(tree.snapshot)?;
        for entry in touched.iter().filter(|e| wanted(e.path.as_ref())) {
            for assertion in self.list.iter().filter(|a| !a.effective) {
                let path: &BStr = entry.path.as_ref();
                let format = assertion.format.or_else(|| Format::of(path));
                if let (true, Some(format)) = (assertion.applies_to(path, branch, &self.environments), format)
                    && let Some(file) = files.load(path, format)?
                {
                    assertion.report_unreadable(&file, out);
                    assertion.check_documents(&files, file.roots.iter(), &mut HashSet::new(), out);
                }
            }
        }
        let touched: HashSet<&BStr> = touched.iter().map(|e| e.path.as_bstr()).collect();
        for assertion in self.list.iter().filter(|a| a.effective) {
            // Overlays may share a base: report it once.
            let mut reported = HashSet::new();
            for entry in files.entries().iter().filter(|e| !e.symlink) {
                if assertion.applies_to(entry.path.as_ref(), branch, &self.environments) {
                    assertion.check_effective(&files, entry.path.as_ref(), &touched, &mut reported, out)?;
                }
            }
        }
        Ok(())
    }
}

/// Locations that an assertion has reported: path and offset.
type Reported = HashSet<(BString, usize)>;

impl Assertion {
    fn applies_to(&self, path: &BStr, branch: Option<&BStr>, environments: &[Environment]) -> bool {
        let in_environment = |e| structured::environment_of(path, branch, environments) == Some(e);
        is_match(&self.files, path) && self.environment.is_none_or(in_environment)
    }

    /// Checks the deployed documents that a file produces, if the change touches any of their sources.
    fn check_effective(
        &self,
        files: &Files<'_>,
        path: &BStr,
        touched: &HashSet<&BStr>,
        reported: &mut Reported,
        out: &mut Findings<'_>,
    ) -> Result<()> {
        if manifests::FILE_NAMES.iter().any(|name| manifests::name(path) == *name) {
            let directory = manifests::directory(path);
            let graph = Graph::of(files, directory)?;
            if !graph.files_of(directory).iter().any(|p| touched.contains(p)) {
                return Ok(());
            }
            if let Some(built) = manifests::build(files, directory)? {
                self.check_documents(files, built.objects.iter().map(|o| &o.node), reported, out);
            }
            return Ok(());
        }
        let base = if manifests::name(path).starts_with(b"values") { helm::base(files, path) } else { None };
        if !touched.contains(path) && !base.as_ref().is_some_and(|b| touched.contains(b.as_bstr())) {
            return Ok(());
        }
        let Some(format) = self.format.or_else(|| Format::of(path)) else { return Ok(()) };
        let Some(file) = files.load(path, format)? else { return Ok(()) };
        self.report_unreadable(&file, out);
        match base {
            Some(base) if !file.is_broken() => {
                let merged = helm::values(files, &[base, path.to_owned()])?;
                self.check_documents(files, merged.iter(), reported, out);
            }
            _ => self.check_documents(files, file.roots.iter(), reported, out),
        }
        Ok(())
    }

    fn report_unreadable(&self, file: &SourceFile, out: &mut Findings<'_>) {
        if let Some(mistake) = file.mistakes.first().filter(|_| file.is_broken()) {
            let line = line_around(&file.bytes, mistake.span.start);
            let message = format!("this file cannot be parsed: {}", mistake.message);
            out.push(self.violation(file, mistake.span.clone(), message).hide(line));
        }
    }

    fn check_documents<'n>(
        &self,
        files: &Files<'_>,
        roots: impl Iterator<Item = &'n Node>,
        reported: &mut Reported,
        out: &mut Findings<'_>,
    ) {
        for root in roots {
            if !self.conditions.iter().all(|(p, text)| p.find(root).iter().any(|f| f.value.text() == Some(text))) {
                continue;
            }
            let found = self.path.find(root);
            if found.is_empty() && !matches!(self.requirement, Requirement::Absent) {
                self.report_missing(files, root, reported, out);
            }
            for f in found {
                let text = f.value.text();
                let wrong = match &self.requirement {
                    Requirement::Present => None,
                    Requirement::Absent => Some("must be absent"),
                    Requirement::OneOf(texts) if text.is_some_and(|t| texts.iter().any(|w| w == t)) => None,
                    Requirement::OneOf(_) => Some("does not have the required value"),
                    Requirement::Matches(regex) if text.is_some_and(|t| regex.is_match(t.as_bytes())) => None,
                    Requirement::Matches(_) => Some("does not match the required pattern"),
                };
                let Some((wrong, file)) = wrong.zip(files.locate(&f.value.span)) else { continue };
                let span = file.local(&f.value.span);
                if reported.insert((file.path.clone(), span.start)) {
                    out.push(self.violation(&file, span.clone(), format!("`{}` {wrong}", self.key)).hide(span));
                }
            }
        }
    }

    /// Reports a missing value at the deepest existing part of its path.
    fn report_missing(&self, files: &Files<'_>, root: &Node, reported: &mut Reported, out: &mut Findings<'_>) {
        let near = self.path.nearest(root);
        let at = near.key.unwrap_or(near.value);
        let Some(file) = files.locate(&at.span) else { return };
        let at = file.local(&at.span);
        let end = line_around(&file.bytes, at.start).end.max(at.start);
        let span = at.start..at.end.min(end);
        // Mask the other values on that line: they may be secret.
        let others: Vec<_> = file.scalars().iter().filter(|s| at.start <= s.start && s.start < end).cloned().collect();
        if reported.insert((file.path.clone(), span.start)) {
            let message = format!("`{}` is missing", self.key);
            out.push(self.violation(&file, span, message).hide_all(others));
        }
    }

    fn violation<'f>(&self, file: &'f SourceFile, span: Range<usize>, default_message: String) -> Violation<'f> {
        let rule = format!("assertions/{}", self.id);
        let origin = Origin::File { path: file.path.clone(), commit: None, blob: file.blob };
        let violation = Violation::new(rule, self.severity, origin, &file.bytes, span);
        let violation = violation.message(self.message.clone().unwrap_or(default_message)).key(self.key.clone());
        match (&self.help, &self.requirement) {
            (Some(help), _) => violation.help(help.clone()),
            (None, Requirement::OneOf(texts)) => violation.help(format!("set it to {}", texts.join(" or "))),
            (None, Requirement::Matches(regex)) => violation.help(format!("set it to a value that matches {regex}")),
            (None, _) => violation,
        }
    }
}
