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
    pub directories: BTreeMap<usize, BTreeMap<&'static str, usize>>,
    pub followed: &'e [Followed],
    pub preset: Option<&'e str>,
}

impl Evidence<'_, '_> {
    pub fn conclude(&self, survey: &mut Survey) -> Result<()> {
        let mut files = self.words_in_files();
        let main = self.main();
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
        let own = branches.contains_key(&PRODUCTION);
        let lower = branches.keys().any(|tier| *tier < PRODUCTION);
        if let Some(main) = &main {
            match (own, lower) {
                (false, _) => drop(branches.insert(PRODUCTION, main.clone())),
                (true, true) => survey.start = Some(main.clone()),
                // Production has a branch of its own, so that main is what comes before it.
                (true, false) => {
                    let below = files.keys().rfind(|tier| **tier < PRODUCTION).copied();
                    branches.insert(below.unwrap_or(STAGING), main.clone());
                }
            }
        }
        survey.start.take_if(|start| branches.values().any(|b| b == start));
        let production = branches.get(&PRODUCTION).cloned();
        // Production without files is production all the same.
        files.entry(PRODUCTION).or_default();
        let tiers: Vec<usize> =
            (0..TIERS.len()).filter(|tier| files.contains_key(tier) || branches.contains_key(tier)).collect();
        let follows = self.followed.iter().find(|f| f.tier == PRODUCTION && Some(&f.revision) == production.as_ref());
        let tag = release_tag(&self.refs.tags);
        if let Some(followed) = follows {
            survey.witness("production", format!("{} follows {}", followed.path, followed.revision));
        }
        let development = tiers.iter().filter(|t| **t < PRODUCTION).filter_map(|t| branches.get(t)).next_back();
        let (usual, why) = match development {
            Some(b) if b == "staging" && !survey.windmill.is_empty() => {
                ("windmill", "a wmill.yaml and a branch for staging".to_owned())
            }
            Some(b) => ("dev-main", format!("the branch {b} beside the one that releases")),
            None if tiers.len() > 1 && tag.is_some() && follows.is_none() => {
                ("staged-release", "files for several environments, release tags, and one branch".to_owned())
            }
            None if tiers.len() > 1 => ("trunk", "several environments on one branch".to_owned()),
            None => ("trunk", "one branch, and no other environment's".to_owned()),
        };
        (survey.preset, survey.why) = match self.preset {
            Some(preset) => (preset.to_owned(), "asked for with --preset".to_owned()),
            None => (usual.to_owned(), why),
        };
        let preset = survey.preset.clone();
        survey.witness(preset.clone(), survey.why.clone());
        if let Some(branch) = &production {
            let landed = landings(self.graph, branch, development.map(String::as_str))?;
            let (all, merges) = (landed.all, landed.merges);
            survey.witness(preset.clone(), format!("{merges} of the last {all} landings on {branch} are merges"));
            if let Some(development) = development.filter(|_| landed.of_development > 0) {
                let n = landed.of_development;
                let told = format!("{n} of the last {all} landings on {branch} merge {development} as a whole");
                if preset == "dev-main" {
                    survey.merges_development = Some(told.clone());
                }
                survey.witness(preset.clone(), told);
            }
        }
        if let Some(tag) = &tag {
            survey.witness("release tags", format!("tags of the form {tag}"));
        } else if !self.refs.tags.is_empty() {
            survey.witness("no release tags", format!("none of {} tags is a version", self.refs.tags.len()));
        }
        let staged = preset == "staged-release";
        for tier in tiers {
            let words = files.get(&tier).cloned().unwrap_or_default();
            let mut stage = self.stage(tier, &words, branches.get(&tier));
            if tier == PRODUCTION {
                stage.tag = tag.clone().or_else(|| staged.then(|| "v{semver}".to_owned()));
                if staged {
                    stage.branch = None;
                    // The branch that production does not have is the one that is staged.
                    if let Some(below) = survey.environments.last_mut().filter(|s| s.branch.is_none()) {
                        below.branch.clone_from(&production);
                    } else if survey.environments.is_empty() {
                        let staging = Stage { name: "staging".into(), branch: production.clone(), ..Stage::default() };
                        survey.environments.push(staging);
                    }
                }
            }
            let total: usize = words.values().sum();
            if total > 0 {
                survey.witness(
                    stage.name.clone(),
                    format!("{total} files or directories that another environment has too"),
                );
            }
            if let Some(branch) = &stage.branch {
                survey.witness(stage.name.clone(), format!("the branch {branch}"));
            }
            survey.environments.push(stage);
        }
        Ok(())
    }

    /// How often each tier's words stand in the paths of families; else, in directories beside one another.
    fn words_in_files(&self) -> BTreeMap<usize, BTreeMap<&'static str, usize>> {
        let mut found: BTreeMap<usize, BTreeMap<&'static str, usize>> = BTreeMap::new();
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
