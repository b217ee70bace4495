//! Which environments there are, in which order, which branch each has, and how changes reach production: concluded from
//! the witnesses, each of which is kept for `init --explain`.

use std::collections::BTreeMap;

use bstr::BString;

use super::families::Family;
use super::history::landings;
use super::revisions::Followed;
use super::tiers::{self, DEVELOPMENT, PRODUCTION, STAGING, TIERS};
use super::{Refs, Stage, Survey};
use crate::error::Result;
use crate::subject::Graph;

/// Where work lands in most repositories.
const MAIN: [&str; 3] = ["main", "master", "trunk"];
/// What stands before an environment's word in the name of its branch.
const PREFIXES: [&str; 5] = ["", "env/", "environment/", "environments/", "deploy/"];

/// The witnesses.
pub struct Evidence<'e, 'p> {
    pub refs: &'e Refs,
    pub graph: &'e dyn Graph,
    pub families: &'e BTreeMap<BString, Family<'p>>,
    /// Tiers that directories beside one another name, by word.
    pub directories: Words,
    pub followed: &'e [Followed],
    pub preset: Option<&'e str>,
}

/// Words of the files of each tier, with how many files have each.
type Words = BTreeMap<usize, BTreeMap<&'static str, usize>>;

impl Evidence<'_, '_> {
    pub fn conclude(&self, survey: &mut Survey) -> Result<()> {
        let mut files = self.words_in_files();
        let branches = self.branches(&files, survey);
        // Production without files is production all the same.
        files.entry(PRODUCTION).or_default();
        let tiers: Vec<usize> =
            (0..TIERS.len()).filter(|tier| files.contains_key(tier) || branches.contains_key(tier)).collect();
        let tag = release_tag(&self.refs.tags);
        let development = tiers.iter().filter(|t| **t < PRODUCTION).filter_map(|t| branches.get(t)).next_back();
        self.choose_preset(survey, tiers.len(), &branches, development, tag.as_deref());
        if let Some(production) = branches.get(&PRODUCTION) {
            self.read_landings(survey, production, development)?;
        }
        match &tag {
            Some(tag) => survey.witness("release tags", format!("tags of the form {tag}")),
            None if self.refs.tags.is_empty() => {}
            None => {
                survey.witness("no release tags", format!("none of {} tags is a version", self.refs.tags.len()));
            }
        }
        for tier in tiers {
            let words = files.remove(&tier).unwrap_or_default();
            let mut stage = self.stage(tier, &words, branches.get(&tier));
            if tier == PRODUCTION {
                stage.tag.clone_from(&tag);
                if survey.preset == "staged-release" {
                    stage_releases(survey, &mut stage);
                }
            }
            let total: usize = words.values().sum();
            if total > 0 {
                let evidence = format!("{total} files or directories that another environment has too");
                survey.witness(stage.name.clone(), evidence);
            }
            if let Some(branch) = &stage.branch {
                survey.witness(stage.name.clone(), format!("the branch {branch}"));
            }
            survey.environments.push(stage);
        }
        Ok(())
    }

    /// The branch of each tier, and where work lands if that is none of them.
    fn branches(&self, files: &Words, survey: &mut Survey) -> BTreeMap<usize, String> {
        let mut branches: BTreeMap<usize, String> = BTreeMap::new();
        for (tier, usual) in TIERS.iter().enumerate() {
            let branch = self.branch_of(tier);
            branches.extend(branch.filter(|_| usual.by_branch || files.contains_key(&tier)).map(|b| (tier, b)));
        }
        // A branch `dev` beside files of staging and none of dev is where staging is deployed from.
        if !files.contains_key(&DEVELOPMENT)
            && !branches.contains_key(&STAGING)
            && let Some(branch) = branches.remove(&DEVELOPMENT)
        {
            branches.insert(STAGING, branch);
        }
        let Some(main) = self.main() else { return branches };
        let below = branches.keys().any(|tier| *tier < PRODUCTION);
        if !branches.contains_key(&PRODUCTION) {
            branches.insert(PRODUCTION, main);
        } else if !below {
            // Production has a branch of its own, so that main is what comes before it.
            let tier = files.keys().rfind(|tier| **tier < PRODUCTION).copied();
            branches.insert(tier.unwrap_or(STAGING), main);
        } else if !branches.values().any(|b| *b == main) {
            survey.start = Some(main);
        }
        branches
    }

    fn choose_preset(
        &self,
        survey: &mut Survey,
        environments: usize,
        branches: &BTreeMap<usize, String>,
        development: Option<&String>,
        tag: Option<&str>,
    ) {
        let production = branches.get(&PRODUCTION);
        let follows = self.followed.iter().find(|f| f.tier == PRODUCTION && Some(&f.revision) == production);
        if let Some(followed) = follows {
            survey.witness("production", format!("{} follows {}", followed.path, followed.revision));
        }
        let is_released = |f: &&Followed| f.tier == PRODUCTION && (f.is_range || self.refs.tags.contains(&f.revision));
        let released = self.followed.iter().find(is_released);
        if let Some(followed) = released {
            survey.witness("production", format!("{} follows the release {}", followed.path, followed.revision));
        }
        // Controllers say themselves what they follow; a tag that none of them names may be of anything.
        let controlled = survey.argocd + survey.flux > 0 && released.is_none();
        let (usual, why) = match development {
            Some(b) if b == "staging" && !survey.windmill.is_empty() => {
                ("windmill", "a wmill.yaml and a branch for staging".to_owned())
            }
            Some(b) => ("dev-main", format!("the branch {b} beside the one that releases")),
            None if environments > 1 && tag.is_some() && controlled => {
                let why =
                    "several environments on one branch, and none of Argo CD's or Flux's objects follows a release tag";
                ("trunk", why.to_owned())
            }
            None if environments > 1 && tag.is_some() && follows.is_none() => {
                ("staged-release", "files for several environments, release tags, and one branch".to_owned())
            }
            None if environments > 1 => ("trunk", "several environments on one branch".to_owned()),
            None => ("trunk", "one branch, and no other environment's".to_owned()),
        };
        (survey.preset, survey.why) = match self.preset {
            Some(preset) => (preset.to_owned(), "asked for with --preset".to_owned()),
            None => (usual.to_owned(), why),
        };
        survey.witness(survey.preset.clone(), survey.why.clone());
    }

    /// How changes came to production lately, and whether the preset would have refused that.
    fn read_landings(&self, survey: &mut Survey, production: &str, development: Option<&String>) -> Result<()> {
        let landed = landings(self.graph, production, development.map(String::as_str))?;
        let (all, merges, of_development) = (landed.all, landed.merges, landed.of_development);
        let preset = survey.preset.clone();
        survey.witness(preset.clone(), format!("{merges} of the last {all} landings on {production} are merges"));
        if let Some(development) = development.filter(|_| of_development > 0) {
            let told =
                format!("{of_development} of the last {all} landings on {production} merge {development} as a whole");
            if preset == "dev-main" {
                survey.merges_development = Some(told.clone());
            }
            survey.witness(preset, told);
        }
        Ok(())
    }

    /// How often each tier's words stand in the paths of families; else, in directories beside one another.
    fn words_in_files(&self) -> Words {
        let mut found = Words::new();
        for (tier, members) in self.families.values().flat_map(|f| &f.members) {
            for (word, _) in members {
                *found.entry(*tier).or_default().entry(word).or_default() += 1;
            }
        }
        for (tier, words) in &self.directories {
            found.entry(*tier).or_insert_with(|| words.clone());
        }
        found
    }

    fn main(&self) -> Option<String> {
        let head = self.refs.head.clone().filter(|h| tiers::of_word(h).is_none());
        let usual = MAIN.iter().find(|m| self.refs.branches.iter().any(|b| b == *m)).map(|m| (*m).to_owned());
        usual.or(head)
    }

    fn branch_of(&self, tier: usize) -> Option<String> {
        let names = PREFIXES.iter().flat_map(|p| TIERS[tier].words.iter().map(move |w| format!("{p}{w}")));
        names.into_iter().find(|name| self.refs.branches.contains(name))
    }

    /// Named by the word that most of its files have; by the usual one where only a branch says that it is there.
    fn stage(&self, tier: usize, words: &BTreeMap<&'static str, usize>, branch: Option<&String>) -> Stage {
        let usual = TIERS[tier].words[0];
        let often = |word: &&str| (words[*word], *word == usual);
        let name = words.keys().copied().max_by_key(often).unwrap_or(usual).to_owned();
        let mut aliases: Vec<String> = words.keys().map(|w| (*w).to_owned()).collect();
        aliases.extend(branch.filter(|b| tiers::of_word(b).is_some()).cloned());
        aliases.retain(|word| *word != name);
        aliases.sort();
        aliases.dedup();
        Stage { name, branch: branch.cloned(), aliases, tag: None }
    }
}

/// Production is what is tagged, and the environment before it has the branch.
fn stage_releases(survey: &mut Survey, production: &mut Stage) {
    production.tag.get_or_insert_with(|| "v{semver}".to_owned());
    let branch = production.branch.take();
    match survey.environments.last_mut() {
        Some(below) if below.branch.is_none() => below.branch = branch,
        Some(_) => {}
        None => survey.environments.push(Stage { name: "staging".into(), branch, ..Stage::default() }),
    }
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
