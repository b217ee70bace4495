//! What a draft would have refused lately, so that a team hears it before it enforces the policy.

use std::collections::BTreeMap;

use super::draft_files::DraftFiles;
use super::own_mistakes;
use crate::command::Outside;
use crate::command::backtest::{PUSH, Reach, Replay};
use crate::error::Result;
use crate::git::Repo;
use crate::init::Softened;
use crate::text::count;

/// Landings of each branch that are replayed. Older ones say how the team worked, not how it works.
const LANDINGS: usize = 200;
/// The families that ask for habits; what the others find is wrong however often it happened.
const HABITS: [&str; 2] = ["branch-topology", "conventional-commits"];

/// The last landings, judged by a draft.
pub struct LastLandings {
    all: usize,
    refused: usize,
    since: String,
    /// How many landings each rule would have refused.
    by_rule: BTreeMap<String, usize>,
}

pub fn replay(repo: &Repo, outside: &Outside, files: &DraftFiles<'_>) -> Result<LastLandings> {
    let policy = files.quick_policy()?;
    let compiled = policy.compile(PUSH, &[]).map_err(own_mistakes)?;
    let replay = Replay { repo, policy: &policy, compiled: &compiled, outside, only: &[] };
    let backtest = replay.run(&[], Reach::Last(LANDINGS))?;
    let mut by_rule = BTreeMap::new();
    for refused in &backtest.refused {
        let mut rules: Vec<String> = refused.findings.iter().map(|f| f.rule.to_string()).collect();
        rules.sort_unstable();
        rules.dedup();
        rules.into_iter().for_each(|rule| *by_rule.entry(rule).or_default() += 1);
    }
    let (all, refused) = backtest.counts();
    Ok(LastLandings { all, refused, since: backtest.since().unwrap_or_default(), by_rule })
}

impl LastLandings {
    /// Rules about habits that more than one landing in twenty did not keep. `told`: the draft softens dev-leak already.
    pub fn to_soften(&self, told: bool) -> Vec<Softened> {
        let is_habit = |rule: &str| HABITS.iter().any(|family| rule.split('/').next() == Some(*family));
        let often = self.by_rule.iter().filter(|(rule, n)| is_habit(rule) && **n > 1 && **n * 20 > self.all);
        let new = often.filter(|(rule, _)| !told || *rule != "branch-topology/dev-leak");
        new.map(|(rule, n)| Softened { rule: rule.clone(), refused: *n, landings: self.all }).collect()
    }

    /// In one line, for people; empty where there is no history.
    pub fn told(&self) -> String {
        match (self.all, self.refused) {
            (0, _) => String::new(),
            (all, 0) => format!("it would have refused none of your last {}\n", count(all as u64, "landing")),
            (all, refused) => format!(
                "it would have refused {refused} of your last {}: portcullis policy backtest --since {}\n",
                count(all as u64, "landing"),
                self.since
            ),
        }
    }
}
