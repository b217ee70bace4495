//! A first policy, drafted from what a repository holds. Owns what is looked for ([`Survey`]) and how it is written down
//! ([`draft`]); asks git through [`Snapshot`] and [`Graph`] only, and judges nothing. One file for each kind of witness
//! (`families`, `revisions`, `history`), one for what is concluded from them.

mod conclusion;
mod draft;
mod families;
mod from;
mod history;
mod keys;
mod revisions;
mod sources;
mod tiers;

use bstr::{BStr, BString};

pub use draft::draft;
pub use from::{Translated, known_files};
pub use keys::Keys;
pub use sources::Proposal;

use crate::error::Result;
use crate::subject::{Graph, Snapshot};

/// What a repository holds that a policy can speak of.
#[derive(Debug, Default)]
pub struct Survey {
    pub preset: String,
    /// Why this preset.
    pub why: String,
    /// Lowest first; the last one is production.
    pub environments: Vec<Stage>,
    /// Where work lands, when no environment is deployed from it.
    pub start: Option<String>,
    /// The development branch is merged into production's, which dev-main refuses: how often.
    pub merges_development: Option<String>,
    pub sources: Vec<Proposal>,
    /// What was not taken as a source, by reason.
    pub left_out: Vec<(&'static str, usize)>,
    /// Directories with a `wmill.yaml`.
    pub windmill: Vec<BString>,
    /// Pipelines: workflows and `.gitlab-ci.yml`.
    pub pipelines: usize,
    /// Files with objects of Argo CD and of Flux.
    pub argocd: usize,
    pub flux: usize,
    pub witnesses: Vec<Witness>,
    /// What the configurations of other tools ask for.
    pub translated: Translated,
    /// Rules that would have refused a good part of the last landings: warnings until the team is ready.
    pub softened: Vec<Softened>,
}

/// A rule that the last landings do not keep.
#[derive(Debug, PartialEq, Eq)]
pub struct Softened {
    pub rule: String,
    pub refused: usize,
    pub landings: usize,
}

/// An environment as it was found.
#[derive(Debug, Default)]
pub struct Stage {
    pub name: String,
    pub branch: Option<String>,
    /// Other words for it that the repository uses.
    pub aliases: Vec<String>,
    pub tag: Option<String>,
}

/// What a conclusion rests on.
#[derive(Debug, PartialEq, Eq)]
pub struct Witness {
    pub conclusion: String,
    pub evidence: String,
}

/// Names of refs, short.
pub struct Refs {
    pub head: Option<String>,
    pub branches: Vec<String>,
    pub tags: Vec<String>,
}

impl Survey {
    /// Looks at a tree, the names of refs and the last landings; reads only YAML files and files of variables.
    pub fn of(snapshot: &dyn Snapshot, graph: &dyn Graph, refs: &Refs, preset: Option<&str>) -> Result<Self> {
        let entries = snapshot.entries()?;
        let paths: Vec<&BStr> = entries.iter().filter(|e| !e.symlink).map(|e| e.path.as_ref()).collect();
        let mut survey = Self { windmill: windmill(&paths), ..Self::default() };
        let (pipelines, files): (Vec<&BStr>, Vec<&BStr>) = paths.iter().partition(|p| is_pipeline(p));
        survey.pipelines = pipelines.len();
        let controllers = revisions::find(&files, snapshot)?;
        (survey.argocd, survey.flux) = (controllers.argocd, controllers.flux);
        let families = families::find(&paths);
        let directories = families::in_directories(&paths);
        conclusion::Evidence { refs, graph, families: &families, directories, followed: &controllers.followed, preset }
            .conclude(&mut survey)?;
        sources::propose(&mut survey, &paths, &families, snapshot)?;
        Ok(survey)
    }

    pub fn production(&self) -> Option<&Stage> {
        self.environments.last()
    }

    /// The witnesses as a table, a line each.
    pub fn explained(&self) -> String {
        let width = self.witnesses.iter().map(|w| w.conclusion.chars().count()).max().unwrap_or_default();
        let lines = self.witnesses.iter().map(|w| format!("{:width$}  {}\n", w.conclusion, w.evidence));
        let left = self.left_out.iter().map(|(why, n)| format!("{:width$}  {n} files: {why}\n", "not compared"));
        let told = self.translated.told();
        let tools = told.lines().map(|line| format!("{:width$}  {line}\n", "other tools"));
        lines.chain(left).chain(tools).map(|line| crate::text::sanitise(line.trim_end().as_bytes()) + "\n").collect()
    }

    fn witness(&mut self, conclusion: impl Into<String>, evidence: impl Into<String>) {
        self.witnesses.push(Witness { conclusion: conclusion.into(), evidence: evidence.into() });
    }
}

/// Workflows say when something is deployed; they hold no variables.
fn is_pipeline(path: &BStr) -> bool {
    [".github/workflows/", ".gitea/workflows/", ".forgejo/workflows/", ".gitlab/", ".circleci/"]
        .iter()
        .any(|directory| path.starts_with(directory.as_bytes()))
        || path == ".gitlab-ci.yml"
}

/// Directories with a `wmill.yaml`, without their slash.
fn windmill(paths: &[&BStr]) -> Vec<BString> {
    let root = |p: &&BStr| match p.strip_suffix(b"wmill.yaml")? {
        b"" => Some(BString::default()),
        directory => Some(directory.strip_suffix(b"/")?.into()),
    };
    paths.iter().filter_map(root).collect()
}
