//! Judges a plan with the engine: its commits exist in memory only, and moving production onto them is judged like the push
//! that would do it, with production's own policy unless the user names another.

use std::collections::HashMap;

use bstr::BStr;

use super::super::Outside;
use super::super::gate::{Gate, Target};
use crate::cli::{JudgeArgs, OutputArgs};
use crate::error::{Error, Result};
use crate::finding::{Origin, Severity};
use crate::git::{Committer, Excluded, Push, Source, Write, discover};
use crate::promote::apply::commits;
use crate::promote::history::History;
use crate::promote::judge::{JudgePlan, Judgement, Planned};
use crate::promote::plan::{PlanFinding, State};
use crate::subject::{Oid, Update};

/// Judges plans as pushes.
pub struct ByEngine<'a> {
    pub outside: &'a Outside,
    pub judge: JudgeArgs,
}

impl JudgePlan for ByEngine<'_> {
    fn judge(&self, planned: &Planned<'_, '_>) -> Result<Judgement> {
        let (history, plan) = (planned.history, planned.plan);
        if plan.in_state(State::Clean).next().is_none() {
            return Ok(Judgement::default());
        }
        let write = Write::to_memory(&history.picker);
        let by = Committer::planner(history.picker.repo().commit(plan.from.oid.0)?.node.committer.time);
        let picks = commits(&history.picker, &write, plan, &by)?;
        for (_, new) in &picks {
            write.keep(*new)?;
        }
        let Some((_, tip)) = picks.last() else { return Ok(Judgement::default()) };
        let repo = discover(&self.outside.directory)?.ok_or_else(|| Error::undecided("the repository is gone"))?;
        let repo = repo.with_memory(write.into_memory());
        let remote = plan.onto.name.strip_prefix("refs/remotes/origin/");
        let name = remote.map_or_else(|| plan.onto.name.clone(), |short| format!("refs/heads/{short}"));
        let source = Source::Push(Push {
            updates: vec![Update { name: name.into(), old: Some(plan.onto.oid.0), new: Some(*tip) }],
            known: Excluded::Old,
            head_ref: Some(format!("promote/{}", plan.short()).into()),
            branches_at: remote.map(|_| "refs/remotes/origin/".to_owned()),
            ..Push::default()
        });
        let mut judge = self.judge.clone();
        if judge.policy.is_none() {
            judge.policy_from = Some(plan.onto.oid.0.to_string());
        }
        let gate = Gate::new(Some(&repo), self.outside, judge, OutputArgs::default());
        let (judged, _) = gate.judge_and_report(&Target::Change(&repo, &source))?;
        let report = judged.report;
        let originals: HashMap<Oid, Oid> = picks.iter().map(|(original, new)| (*new, *original)).collect();
        let mut out: Vec<(Option<Oid>, PlanFinding)> = Vec::new();
        for finding in report.standing() {
            let commit = match &finding.origin {
                Origin::Message { commit } => commit.and_then(|c| originals.get(&c).copied()),
                Origin::File { path, commit, .. } => {
                    let named = commit.and_then(|c| originals.get(&c).copied());
                    toucher(history, named, &picks, path.as_ref())?
                }
                _ => None,
            };
            out.push((commit, PlanFinding::of(finding)));
        }
        // What could not be decided is no pass.
        out.extend(report.errors.iter().map(|undecided| (None, not_decided(&undecided.error))));
        Ok(Judgement(out))
    }
}

fn not_decided(error: &Error) -> PlanFinding {
    PlanFinding {
        rule: "not-decided".to_owned(),
        severity: Severity::Error,
        message: crate::text::sanitise(error.message.as_bytes()),
        path: None,
        line: None,
        fingerprint: String::new(),
    }
}

/// The original that a finding in a file belongs to: the one it names, if that touches the file (what is found in the
/// result names the tip), else the last one that does. None: production has it already.
fn toucher(history: &History<'_>, named: Option<Oid>, picks: &[(Oid, Oid)], path: &BStr) -> Result<Option<Oid>> {
    for original in named.into_iter().chain(picks.iter().rev().map(|(original, _)| *original)) {
        let Some(at) = history.position(original) else { continue };
        let change = &history.dev[at];
        let edits = history.picker.edits(change.base, change.tree())?;
        if edits.binary_search_by(|e| BStr::cmp(e.path.as_ref(), path)).is_ok() {
            return Ok(Some(original));
        }
    }
    Ok(None)
}
