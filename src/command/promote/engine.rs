//! A plan before the engine: its commits are written where a push's objects would wait, and the engine judges the move
//! of production onto them as it would judge the push. With production's own policy, unless the user names another.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::super::Outside;
use super::super::judge::{Gate, Matter, mistaken};
use crate::cli::{JudgeArgs, OutputArgs};
use crate::error::{Error, Result};
use crate::finding::Origin;
use crate::git::{Committer, Known, Push, Quarantine, Source, Update, Write, discover};
use crate::promote::apply::commits;
use crate::promote::judge::{JudgePlan, Judgement, Planned};
use crate::promote::plan::{Found, State};
use crate::subject::Oid;

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
        let waiting = Waiting::new()?;
        let write = Write::aside(&history.picker, &waiting.0);
        let by = Committer::planner(history.picker.local().commit(plan.from.oid.0)?.node.committer.time);
        let picks = commits(&history.picker, &write, plan, &by)?;
        for (_, new) in &picks {
            write.keep(*new)?;
        }
        let Some((_, tip)) = picks.last() else { return Ok(Judgement::default()) };
        let repo = discover(&self.outside.directory)?.ok_or_else(|| Error::undecided("the repository is gone"))?;
        let objects = repo.common_dir().join("objects");
        let variable = |name: &str| -> Option<OsString> {
            match name {
                "GIT_QUARANTINE_PATH" => Some(waiting.0.clone().into()),
                "GIT_ALTERNATE_OBJECT_DIRECTORIES" => Some(objects.clone().into()),
                _ => None,
            }
        };
        let quarantine = Quarantine::from_environment(variable, Path::new("/"));
        let quarantine = quarantine.ok_or_else(|| Error::undecided("the planned objects cannot be shown"))?;
        let repo = repo.with_quarantine(quarantine)?;
        let remote = plan.onto.name.strip_prefix("refs/remotes/origin/");
        let name = remote.map_or_else(|| plan.onto.name.clone(), |short| format!("refs/heads/{short}"));
        let source = Source::Push(Push {
            updates: vec![Update { name: name.into(), old: Some(plan.onto.oid.0), new: Some(*tip) }],
            known: Known::Old,
            head_ref: Some(format!("promote/{}", plan.short()).into()),
            branches_at: remote.map(|_| "refs/remotes/origin/".to_owned()),
            ..Push::default()
        });
        let mut judge = self.judge.clone();
        if judge.policy.is_none() {
            judge.policy_from = Some(plan.onto.oid.0.to_string());
        }
        let gate = Gate::new(Some(&repo), self.outside, judge, OutputArgs::default());
        let report = match gate.judge(&Matter::Change(&source))? {
            Ok(judged) => judged.report,
            Err(mistakes) => mistaken(&mistakes),
        };
        let originals: HashMap<Oid, Oid> = picks.iter().map(|(original, new)| (*new, *original)).collect();
        let mut out: Vec<(Option<Oid>, Found)> = report
            .standing()
            .iter()
            .map(|f| (commit_of(&f.origin).and_then(|c| originals.get(&c).copied()), Found::of(f)))
            .collect();
        // What could not be decided is no pass.
        out.extend(report.errors.iter().map(|undecided| (None, not_decided(&undecided.error))));
        Ok(Judgement(out))
    }
}

fn not_decided(error: &Error) -> Found {
    Found {
        rule: "not-decided".to_owned(),
        severity: "error".to_owned(),
        message: crate::text::sanitise(error.message.as_bytes()),
        path: None,
        line: None,
        fingerprint: String::new(),
    }
}

fn commit_of(origin: &Origin) -> Option<Oid> {
    match origin {
        Origin::File { commit, .. } | Origin::Message { commit } => *commit,
        _ => None,
    }
}

/// A directory for the planned objects that goes away with it.
struct Waiting(PathBuf);

impl Waiting {
    fn new() -> Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("portcullis-plan-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        // It must be ours: created here, not found.
        std::fs::create_dir(&path)
            .map_err(|e| Error::undecided(format!("cannot make the directory {}: {e}", path.display())))?;
        Ok(Self(path))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // The system cleans up what we cannot.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
