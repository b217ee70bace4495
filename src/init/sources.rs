//! Files that hold the same variables for several environments: families by their names, and files that differ between the
//! environments' branches.

use std::collections::BTreeMap;

use bstr::{BStr, BString, ByteSlice as _};

use super::families::Family;
use super::tiers::{self, TIERS};
use super::{Survey, is_pipeline};
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

/// Fills in the survey's sources, and counts what is not taken.
pub fn propose(
    survey: &mut Survey,
    paths: &[&BStr],
    families: &BTreeMap<BString, Family<'_>>,
    snapshot: &dyn Snapshot,
) -> Result<()> {
    let mut found = Vec::new();
    let mut left_out: BTreeMap<&'static str, usize> = BTreeMap::new();
    if survey.environments.len() > 1 {
        for root in &survey.windmill {
            found.extend(windmill(survey, paths, root));
        }
        for (template, family) in families {
            let mut leave = |why| *left_out.entry(why).or_default() += family.members.len();
            let Some(text) = template.to_str().ok().filter(|t| is_plain(&t.replace("{environment}", ""))) else {
                leave("their names have characters that a pattern cannot have");
                continue;
            };
            let Some(low) = family.lowest() else { continue };
            match format(low, text, text.rsplit('/').next().is_some_and(|n| n.contains("{environment}")), snapshot)? {
                Err(why) => leave(why),
                Ok(_) if found.len() >= MOST => {
                    leave("more than 40 sources; add them under rules: divergence: sources")
                }
                Ok(format) => {
                    let id = unique(&slug(text), &found);
                    found.push(Proposal { id, format, place: format!("path: \"{text}\""), why: family.shown() });
                }
            }
        }
        across(survey, snapshot, &mut found, &mut left_out)?;
    }
    survey.sources = found;
    survey.left_out = left_out.into_iter().collect();
    Ok(())
}

/// Files of variables that stand under one path on the branches of two neighbouring environments and differ today. Those
/// that are the same everywhere are no environment's.
fn across(
    survey: &Survey,
    snapshot: &dyn Snapshot,
    found: &mut Vec<Proposal>,
    left_out: &mut BTreeMap<&'static str, usize>,
) -> Result<()> {
    let mut places: BTreeMap<(String, &'static str), Vec<(&str, &str)>> = BTreeMap::new();
    for pair in survey.environments.windows(2) {
        let (Some(low), Some(high)) = (&pair[0].branch, &pair[1].branch) else { continue };
        let (Some(theirs), Some(ours)) = (snapshot.other(low)?, snapshot.other(high)?) else { continue };
        let below = theirs.entries()?;
        for entry in ours.entries()?.iter().filter(|e| !e.symlink) {
            let differs = |at: usize| !below[at].symlink && below[at].blob != entry.blob;
            let path = entry.path.as_ref();
            if !below.binary_search_by(|e| e.path.as_bstr().cmp(path)).is_ok_and(differs) || is_pipeline(path) {
                continue;
            }
            let Some(text) = path.to_str().ok().filter(|p| is_plain(p)) else { continue };
            let samples = ["example", "sample", "template", "dist", "test"];
            let named = tiers::words().map(|(_, word)| word).chain(samples).any(|w| tiers::has_word(path, w));
            if named || matches!(Format::of(path), Some(Format::Toml | Format::Json)) {
                continue;
            }
            let Ok(format) = format(path, text, true, &*ours)? else { continue };
            let list = places.entry((text.to_owned(), format)).or_default();
            for stage in pair {
                let place = (stage.name.as_str(), stage.branch.as_deref().unwrap_or_default());
                if !list.contains(&place) {
                    list.push(place);
                }
            }
        }
    }
    for ((path, format), list) in places {
        if found.len() >= MOST {
            *left_out.entry("more than 40 sources; add them under rules: divergence: sources").or_default() += 1;
            continue;
        }
        let at: Vec<String> = list.iter().map(|(name, branch)| format!("{name}: \"{branch}:{path}\"")).collect();
        let place = format!("at: {{ {} }}", at.join(", "));
        let branches: Vec<&str> = list.iter().map(|(_, branch)| *branch).collect();
        let why = format!("{path}, which differs between {}", branches.join(" and "));
        found.push(Proposal { id: unique(&slug(&path), found), format, place, why });
    }
    Ok(())
}

/// Can stand in a policy between double quotes, as itself.
fn is_plain(path: &str) -> bool {
    !path.contains(['"', '\\', '*', '?', '[', ':']) && !path.chars().any(char::is_control)
}

fn windmill(survey: &Survey, paths: &[&BStr], root: &BString) -> Option<Proposal> {
    let item = |p: &BStr, end: &str| p.starts_with(root) && p.ends_with(end.as_bytes());
    if !paths.iter().any(|p| item(p, ".variable.yaml") || item(p, ".resource.yaml")) {
        return None;
    }
    let lower = TIERS.iter().take(tiers::PRODUCTION).flat_map(|t| t.words);
    let suffixed = lower.into_iter().any(|w| paths.iter().any(|p| item(p, &format!(".{w}.variable.yaml"))));
    let branches = survey.environments.iter().filter(|e| e.branch.is_some()).count() > 1;
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

/// How a file is read, or why it holds no variables. `in_name`: its own name says whose it is, not its directory.
fn format(
    path: &BStr,
    template: &str,
    in_name: bool,
    snapshot: &dyn Snapshot,
) -> Result<std::result::Result<&'static str, &'static str>> {
    const NONE: &str = "not known to hold variables";
    // `env` is a word of {environment} itself.
    let name = template.rsplit('/').next().unwrap_or_default().replace("{environment}", "");
    if is_pipeline(path) {
        return Ok(Err("pipelines"));
    }
    if path.ends_with(b".variable.yaml") || path.ends_with(b".resource.yaml") {
        return Ok(Err("Windmill's, which one source reads together"));
    }
    let directory = &path[..path.rfind_byte(b'/').map_or(0, |n| n + 1)];
    if directory.starts_with(b"templates/") || directory.contains_str("/templates/") {
        return Ok(Err("templates of charts"));
    }
    Ok(match Format::of(path) {
        Some(Format::Dotenv) => Ok("dotenv"),
        _ if name.ends_with(".env") || name.starts_with(".env.") => Ok("dotenv"),
        Some(Format::Tfvars) => Ok("tfvars"),
        Some(Format::Toml) if in_name => Ok("toml"),
        Some(Format::Json) if in_name && !name.contains("package") => Ok("json"),
        Some(Format::Yaml) if name.contains("compose") => Ok("compose"),
        Some(Format::Yaml) if name.starts_with("values") || path.ends_with(b"/values.yaml") => Ok("helm-values"),
        Some(Format::Yaml) => {
            let Some(bytes) = snapshot.read(path)? else { return Ok(Err(NONE)) };
            let has = |text: &str| bytes.find(text).is_some();
            let kinds = [
                "kind: ConfigMap",
                "kind: Secret",
                "kind: SealedSecret",
                "kind: ExternalSecret",
                "configMapGenerator:",
                "secretGenerator:",
            ];
            let config = ["config", "settings", "values", "vars", "env"].iter().any(|w| name.contains(w));
            if kinds.iter().any(|k| has(k)) {
                Ok("k8s-config")
            } else if in_name && config && !has("apiVersion:") {
                Ok("yaml")
            } else {
                Err(NONE)
            }
        }
        _ => Err(NONE),
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
