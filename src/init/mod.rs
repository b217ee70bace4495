//! A first policy, drafted from what a repository holds. Owns what is looked for ([`Survey`]) and how it is written down
//! ([`draft`]); asks git through [`Snapshot`] only, and judges nothing.

mod draft;
mod sources;

use bstr::{BStr, BString, ByteSlice};

pub use draft::{Keys, draft};
pub use sources::Proposal;

use crate::error::Result;
use crate::subject::Snapshot;

/// Words under which environments go.
pub const STAGING: [&str; 6] = ["staging", "stage", "stg", "dev", "development", "develop"];
pub const PRODUCTION: [&str; 3] = ["production", "prod", "prd"];
/// Branches that release, the likeliest first.
const RELEASING: [&str; 4] = ["main", "master", "production", "prod"];

/// What a repository holds that a policy can speak of.
#[derive(Debug, Default)]
pub struct Survey {
    pub preset: String,
    /// The preset was asked for.
    pub asked: bool,
    pub staging: Option<Stage>,
    pub production: Stage,
    pub sources: Vec<Proposal>,
    /// Directories with a `wmill.yaml`.
    pub windmill: Vec<BString>,
    /// Pipelines: workflows and `.gitlab-ci.yml`.
    pub pipelines: usize,
    /// Files with objects of Argo CD and of Flux.
    pub argocd: usize,
    pub flux: usize,
}

/// An environment as it was found.
#[derive(Debug, Default)]
pub struct Stage {
    pub branch: Option<String>,
    pub aliases: Vec<String>,
    pub tag: Option<String>,
}

/// Names of refs, short.
pub struct Refs {
    pub head: Option<String>,
    pub branches: Vec<String>,
    pub tags: Vec<String>,
}

impl Survey {
    /// Looks at a tree and the names of refs; reads no more than YAML files and what may hold variables.
    pub fn of(snapshot: &dyn Snapshot, refs: &Refs, preset: Option<&str>) -> Result<Self> {
        let entries = snapshot.entries()?;
        let paths: Vec<&BStr> = entries.iter().filter(|e| !e.symlink).map(|e| e.path.as_ref()).collect();
        let branch =
            |names: &[&str]| names.iter().find(|n| refs.branches.iter().any(|b| b == *n)).map(|n| (*n).to_owned());
        let mut survey = Self { windmill: windmill(&paths), asked: preset.is_some(), ..Self::default() };
        let below = branch(&["dev", "develop", "development", "staging", "stage"]);
        let above = branch(&RELEASING).or_else(|| refs.head.clone().filter(|h| Some(h) != below.as_ref()));
        let has_words = |words: &[&str]| paths.iter().any(|p| words.iter().any(|w| has_word(p, w)));
        // Without a branch of its own, only files that stand beside production's speak of another environment.
        let paired = sources::has_twins(&paths);
        let usual = match (&below, survey.windmill.is_empty()) {
            (Some(b), false) if b == "staging" => "windmill",
            (Some(_), _) => "dev-main",
            (None, _) if paired && !refs.tags.is_empty() => "staged-release",
            (None, _) => "trunk",
        };
        survey.preset = preset.unwrap_or(usual).to_owned();
        let alias = |words: &[&str], own: &str, branch: Option<&str>| -> Vec<String> {
            let there = |w: &&&str| **w != own && (Some(**w) == branch || has_words(&[**w]));
            words.iter().filter(there).map(|w| (*w).to_owned()).collect()
        };
        let tag = release_tag(&refs.tags);
        let staged = survey.preset == "staged-release";
        survey.production = Stage {
            aliases: alias(&PRODUCTION, "production", above.as_deref()),
            branch: above.clone().filter(|_| !staged),
            tag: tag.or_else(|| staged.then(|| "v{semver}".to_owned())),
        };
        let lower = if staged { above } else { below };
        if lower.is_some() || paired {
            let aliases = alias(&STAGING, "staging", lower.as_deref());
            survey.staging = Some(Stage { branch: lower, aliases, tag: None });
        }
        for path in &paths {
            let ci = path.starts_with(b".github/workflows/") || *path == ".gitlab-ci.yml";
            survey.pipelines += usize::from(ci);
            if !ci && (path.ends_with(b".yaml") || path.ends_with(b".yml")) {
                let Some(bytes) = snapshot.read(path)? else { continue };
                survey.argocd += usize::from(bytes.find(b"apiVersion: argoproj.io/").is_some());
                survey.flux += usize::from(bytes.find(b"toolkit.fluxcd.io/").is_some());
            }
        }
        survey.sources = sources::propose(&survey, &paths, snapshot)?;
        Ok(survey)
    }
}

/// Directories with a `wmill.yaml`, without their slash.
fn windmill(paths: &[&BStr]) -> Vec<BString> {
    let root = |p: &&BStr| match p.strip_suffix(b"wmill.yaml")? {
        b"" => Some(BString::default()),
        directory => Some(directory.strip_suffix(b"/")?.into()),
    };
    paths.iter().filter_map(root).collect()
}

/// Whether a path has a word, parted by anything but letters and digits.
fn has_word(path: &BStr, word: &str) -> bool {
    path.split(|b: &u8| !b.is_ascii_alphanumeric()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
}

/// The format that most release tags have.
fn release_tag(tags: &[String]) -> Option<String> {
    let is_version = |text: &str| {
        let mut parts = text.split('-').next().unwrap_or_default().split('.');
        let number = |p: Option<&str>| p.is_some_and(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()));
        number(parts.next()) && number(parts.next()) && number(parts.next()) && parts.next().is_none()
    };
    let prefixes = ["v", "", "release-", "release/"];
    let count = |prefix: &str| tags.iter().filter(|t| t.strip_prefix(prefix).is_some_and(is_version)).count();
    let best = prefixes.into_iter().rev().max_by_key(|p| count(p)).filter(|p| count(p) > 0)?;
    Some(format!("{best}{{semver}}"))
}
