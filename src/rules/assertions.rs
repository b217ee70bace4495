//! Requirements that users write themselves, on values of structured files: `assertions:` of the policy. Owns their
//! reading and judging; paths are `document`'s.

use std::collections::HashSet;
use std::ops::Range;

use bstr::{BStr, BString, ByteSlice};
use regex::bytes::Regex;

use super::structured;
use super::{Check, Checks, Rule};
use crate::document::{Format, Path};
use crate::error::Result;
use crate::finding::{Findings, Origin, Severity, Violation};
use crate::manifests::{self, Files, Graph, SourceFile, helm};
use crate::policy::scope::{Globs, is_match};
use crate::policy::{Environment, Level, Located, Options};
use crate::subject::{Kinds, Tree};
use crate::text::line_around;
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
    /// What the files make is judged, not what they say: kustomizations built, Helm values over the chart's own.
    effective: bool,
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
    let on: String = options.field(at, "on").unwrap_or_else(|| "files".into());
    if let (false, Some(node)) = (["files", "effective"].contains(&on.as_str()), at.get("on")) {
        options.mistake(at.source, node.node.span.clone(), "one of files, effective is needed here");
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
        effective: on == "effective",
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
        let is_effective = self.list.iter().any(|a| a.effective);
        // What is deployed depends on files that no assertion names.
        let touched = structured::touched(tree, |path| is_effective || wanted(path))?;
        if touched.is_empty() {
            return Ok(());
        }
        let files = Files::new(tree.snapshot)?;
        for entry in touched.iter().filter(|e| wanted(e.path.as_ref())) {
            for assertion in self.list.iter().filter(|a| !a.effective) {
                let path: &BStr = entry.path.as_ref();
                let format = assertion.format.or_else(|| Format::of(path));
                if let (true, Some(format)) = (assertion.wants(path, branch, &self.environments), format)
                    && let Some(file) = files.load(path, format)?
                {
                    assertion.unreadable(&file, out);
                    assertion.judge(&files, file.roots.iter(), &mut HashSet::new(), out);
                }
            }
        }
        let touched: HashSet<&BStr> = touched.iter().map(|e| e.path.as_bstr()).collect();
        for assertion in self.list.iter().filter(|a| a.effective) {
            // A base that several overlays share is told of once.
            let mut told = HashSet::new();
            for entry in files.entries().iter().filter(|e| !e.symlink) {
                if assertion.wants(entry.path.as_ref(), branch, &self.environments) {
                    assertion.deployed(&files, entry.path.as_ref(), &touched, &mut told, out)?;
                }
            }
        }
        Ok(())
    }
}

/// Places that an assertion has told of.
type Told = HashSet<(BString, usize)>;

impl Assertion {
    fn wants(&self, path: &BStr, branch: Option<&BStr>, environments: &[Environment]) -> bool {
        let there = |e| structured::environment_of(path, branch, environments) == Some(e);
        is_match(&self.files, path) && self.environment.is_none_or(there)
    }

    /// Judges what a file makes, if the change touches any part of it.
    fn deployed(
        &self,
        files: &Files<'_>,
        path: &BStr,
        touched: &HashSet<&BStr>,
        told: &mut Told,
        out: &mut Findings<'_>,
    ) -> Result<()> {
        if manifests::FILE_NAMES.iter().any(|name| manifests::name(path) == *name) {
            let directory = manifests::directory(path);
            let graph = Graph::of(files, directory)?;
            if !graph.files_of(directory).iter().any(|p| touched.contains(p)) {
                return Ok(());
            }
            if let Some(built) = manifests::build(files, directory)? {
                self.judge(files, built.objects.iter().map(|o| &o.node), told, out);
            }
            return Ok(());
        }
        let base = if manifests::name(path).starts_with(b"values") { helm::base(files, path) } else { None };
        if !touched.contains(path) && !base.as_ref().is_some_and(|b| touched.contains(b.as_bstr())) {
            return Ok(());
        }
        let Some(format) = self.format.or_else(|| Format::of(path)) else { return Ok(()) };
        let Some(file) = files.load(path, format)? else { return Ok(()) };
        self.unreadable(&file, out);
        match base {
            Some(base) if !file.is_broken() => {
                let merged = helm::values(files, &[base, path.to_owned()])?;
                self.judge(files, merged.iter(), told, out);
            }
            _ => self.judge(files, file.roots.iter(), told, out),
        }
        Ok(())
    }

    fn unreadable(&self, file: &SourceFile, out: &mut Findings<'_>) {
        if let Some(mistake) = file.mistakes.first().filter(|_| file.is_broken()) {
            let line = line_around(&file.bytes, mistake.span.start);
            let message = format!("the file cannot be read: {}", mistake.message);
            out.push(self.violation(file, mistake.span.clone(), message).hide(line));
        }
    }

    fn judge<'n>(
        &self,
        files: &Files<'_>,
        roots: impl Iterator<Item = &'n Node>,
        told: &mut Told,
        out: &mut Findings<'_>,
    ) {
        for root in roots {
            if !self.conditions.iter().all(|(p, text)| p.find(root).iter().any(|f| f.value.text() == Some(text))) {
                continue;
            }
            let found = self.path.find(root);
            if found.is_empty() && !matches!(self.wanted, Wanted::Absent) {
                self.missing(files, root, told, out);
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
                let Some((wrong, file)) = wrong.zip(files.locate(&f.value.span)) else { continue };
                let span = file.local(&f.value.span);
                if told.insert((file.path.clone(), span.start)) {
                    out.push(self.violation(&file, span.clone(), format!("`{}` {wrong}", self.key)).hide(span));
                }
            }
        }
    }

    /// Told where the path gets lost.
    fn missing(&self, files: &Files<'_>, root: &Node, told: &mut Told, out: &mut Findings<'_>) {
        let near = self.path.nearest(root);
        let at = near.key.unwrap_or(near.value);
        let Some(file) = files.locate(&at.span) else { return };
        let at = file.local(&at.span);
        let end = line_around(&file.bytes, at.start).end.max(at.start);
        let span = at.start..at.end.min(end);
        // What else stands on that line is nobody's business.
        let others: Vec<_> = file.scalars().iter().filter(|s| at.start <= s.start && s.start < end).cloned().collect();
        if told.insert((file.path.clone(), span.start)) {
            let message = format!("`{}` is missing", self.key);
            out.push(self.violation(&file, span, message).hide_all(others));
        }
    }

    fn violation<'f>(&self, file: &'f SourceFile, span: Range<usize>, usual: String) -> Violation<'f> {
        let rule = format!("assertions/{}", self.id);
        let origin = Origin::File { path: file.path.clone(), commit: None, blob: file.blob };
        let violation = Violation::new(rule, self.severity, origin, &file.bytes, span);
        let violation = violation.message(self.message.clone().unwrap_or(usual)).key(self.key.clone());
        match (&self.help, &self.wanted) {
            (Some(help), _) => violation.help(help.clone()),
            (None, Wanted::OneOf(texts)) => violation.help(format!("the policy wants {}", texts.join(" or "))),
            (None, Wanted::Matches(regex)) => violation.help(format!("the policy wants a match of {regex}")),
            (None, _) => violation,
        }
    }
}
