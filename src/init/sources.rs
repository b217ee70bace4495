//! Files that hold the same variables for two environments: found by their names, which differ in one word, and by what
//! stands in them.

use std::collections::{BTreeMap, BTreeSet};

use bstr::{BStr, BString, ByteSlice};

use super::{PRODUCTION, STAGING, Survey};
use crate::document::Format;
use crate::error::Result;
use crate::subject::Snapshot;

/// A source for `rules: divergence: sources:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    pub id: String,
    pub format: &'static str,
    /// What stands behind the format: `path: "..."`, or `root` and `layout`.
    pub place: String,
    /// For the comment.
    pub why: String,
}

/// More sources than anybody reads.
const MOST: usize = 40;

pub fn propose(survey: &Survey, paths: &[&BStr], snapshot: &dyn Snapshot) -> Result<Vec<Proposal>> {
    let mut found = Vec::new();
    if survey.staging.is_none() {
        return Ok(found);
    }
    for root in &survey.windmill {
        found.extend(windmill(survey, paths, root));
    }
    for (template, (low, high)) in twins(paths) {
        let Some(template) = template.to_str().ok().filter(|t| !t.contains(['"', '\\', '*', '?', '['])) else {
            continue;
        };
        let Some(format) = format(low, template, snapshot)? else { continue };
        if found.len() == MOST {
            break;
        }
        let id = unique(&slug(template), &found);
        found.push(Proposal { id, format, place: format!("path: \"{template}\""), why: format!("{low} and {high}") });
    }
    across(survey, snapshot, &mut found)?;
    Ok(found)
}

/// Files of variables that stand under one path on the branches of both environments and differ today. Those that are the
/// same everywhere are no environment's.
fn across(survey: &Survey, snapshot: &dyn Snapshot, found: &mut Vec<Proposal>) -> Result<()> {
    let low = survey.staging.as_ref().and_then(|s| s.branch.as_ref());
    let (Some(low), Some(high)) = (low, &survey.production.branch) else { return Ok(()) };
    let (Some(theirs), Some(ours)) = (snapshot.other(low)?, snapshot.other(high)?) else { return Ok(()) };
    let (theirs, ours) = (theirs.entries()?, ours.entries()?);
    for entry in ours.iter().filter(|e| !e.symlink) {
        let differs = |at: usize| !theirs[at].symlink && theirs[at].blob != entry.blob;
        let there = theirs.binary_search_by(|e| e.path.cmp(&entry.path)).is_ok_and(differs);
        let Some(path) = entry.path.to_str().ok().filter(|p| there && is_plain(p)) else { continue };
        let word = |words: &[&str]| words.iter().any(|w| super::has_word(entry.path.as_ref(), w));
        let format = match Format::of(entry.path.as_ref()) {
            Some(Format::Dotenv) => "dotenv",
            Some(Format::Tfvars) => "tfvars",
            _ => continue,
        };
        if word(&STAGING) || word(&PRODUCTION) || word(&["example", "sample", "template", "dist", "test"]) {
            continue;
        }
        if found.len() == MOST {
            break;
        }
        let place = format!("at: {{ staging: \"{low}:{path}\", production: \"{high}:{path}\" }}");
        let why = format!("{path}, which differs between {low} and {high}");
        found.push(Proposal { id: unique(&slug(path), found), format, place, why });
    }
    Ok(())
}

/// Can stand in a policy between double quotes, as itself.
fn is_plain(path: &str) -> bool {
    !path.contains(['"', '\\', '*', '?', '[', ':']) && !path.chars().any(char::is_control)
}

/// Whether any file of staging has one of production beside it.
pub fn has_twins(paths: &[&BStr]) -> bool {
    !twins(paths).is_empty()
}

/// Files whose paths differ in the environment's word only: the path with `{environment}` in it, and both.
fn twins<'p>(paths: &[&'p BStr]) -> BTreeMap<BString, (&'p BStr, String)> {
    let all: BTreeSet<&BStr> = paths.iter().copied().collect();
    let mut templates = BTreeMap::new();
    for path in paths {
        for word in STAGING {
            let Some((before, after)) = around(path, word) else { continue };
            let twin = PRODUCTION.iter().map(|p| joined(before, p, after)).find(|p| all.contains(p.as_bstr()));
            if let Some(twin) = twin {
                let template = joined(before, "{environment}", after);
                templates.entry(template).or_insert((*path, twin.to_string()));
            }
        }
    }
    templates
}

fn windmill(survey: &Survey, paths: &[&BStr], root: &BString) -> Option<Proposal> {
    let item = |p: &BStr, end: &str| p.starts_with(root) && p.ends_with(end.as_bytes());
    if !paths.iter().any(|p| item(p, ".variable.yaml") || item(p, ".resource.yaml")) {
        return None;
    }
    let suffixed = STAGING.iter().any(|w| paths.iter().any(|p| item(p, &format!(".{w}.variable.yaml"))));
    let branches = survey.production.branch.is_some() && survey.staging.as_ref().is_some_and(|s| s.branch.is_some());
    let layout = match (suffixed, branches) {
        (true, _) => "suffix",
        (false, true) => "branch",
        (false, false) => return None,
    };
    let root = root.to_str().ok().filter(|r| !r.contains(['"', '\\']))?;
    Some(Proposal {
        id: if root.is_empty() { "windmill".into() } else { slug(root) },
        format: "windmill",
        place: format!("root: \"{root}\", layout: {layout}"),
        why: format!("wmill.yaml in {}", if root.is_empty() { "the root" } else { root }),
    })
}

/// What stands before and after a word of a path, if it stands there once.
fn around<'p>(path: &'p BStr, word: &str) -> Option<(&'p BStr, &'p BStr)> {
    let mut places = path.find_iter(word).filter(|at| {
        let edge = |b: Option<&u8>| b.is_none_or(|b| !b.is_ascii_alphanumeric());
        edge(at.checked_sub(1).and_then(|n| path.get(n))) && edge(path.get(at + word.len()))
    });
    let at = places.next()?;
    places.next().is_none().then_some((path[..at].as_bstr(), path[at + word.len()..].as_bstr()))
}

fn joined(before: &BStr, word: &str, after: &BStr) -> BString {
    [before.as_bytes(), word.as_bytes(), after.as_bytes()].concat().into()
}

/// How a pair is read; `None` where it holds no variables.
fn format(path: &BStr, template: &str, snapshot: &dyn Snapshot) -> Result<Option<&'static str>> {
    let name = template.rsplit('/').next().unwrap_or_default();
    if path.ends_with(b".variable.yaml") || path.ends_with(b".resource.yaml") {
        return Ok(None);
    }
    let in_name = name.contains("{environment}");
    Ok(match Format::of(path) {
        Some(Format::Dotenv) => Some("dotenv"),
        _ if name.ends_with(".env") || name == ".env" || name.starts_with(".env.") => Some("dotenv"),
        Some(Format::Tfvars) => Some("tfvars"),
        Some(Format::Toml) if in_name => Some("toml"),
        Some(Format::Json) if in_name && !name.contains("package") => Some("json"),
        Some(Format::Yaml) if name.contains("compose") => Some("compose"),
        Some(Format::Yaml) if name.starts_with("values") => Some("helm-values"),
        Some(Format::Yaml) => {
            let Some(bytes) = snapshot.read(path)? else { return Ok(None) };
            let has = |text: &str| bytes.find(text).is_some();
            let kinds = [
                "kind: ConfigMap",
                "kind: Secret",
                "kind: SealedSecret",
                "kind: ExternalSecret",
                "configMapGenerator:",
                "secretGenerator:",
            ];
            if kinds.iter().any(|k| has(k)) {
                Some("k8s-config")
            } else {
                let config = ["config", "settings", "values", "vars", "env"].iter().any(|w| name.contains(w));
                (in_name && config && !has("apiVersion:")).then_some("yaml")
            }
        }
        _ => None,
    })
}

/// An id of letters, digits and dashes, without the environment.
fn slug(template: &str) -> String {
    let stem = template.replace("{environment}", " ");
    let words: Vec<&str> = stem
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|w| !w.is_empty() && !matches!(*w, "yaml" | "yml" | "env" | "overlays" | "k8s" | "kubernetes"))
        .collect();
    let text = words.join("-").to_ascii_lowercase();
    if text.is_empty() { "variables".to_owned() } else { text }
}

fn unique(id: &str, found: &[Proposal]) -> String {
    let taken = |id: &str| found.iter().any(|p| p.id == id);
    if !taken(id) {
        return id.to_owned();
    }
    (2..).map(|n| format!("{id}-{n}")).find(|id| !taken(id)).unwrap_or_default()
}
