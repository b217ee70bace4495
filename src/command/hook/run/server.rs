//! The gates on the server: pre-receive and update. Policy and exceptions come from a trusted place only, never from
//! the push that they judge; whatever cannot be decided, in time, is refused. How a verdict is told is `answer`'s.

use std::time::Duration;

use bstr::ByteSlice as _;

use super::answer::Answer;
use super::audit::Line;
use super::budget::Budget;
use crate::cli::hook::HookRun;
use crate::command::Outside;
use crate::command::gate::Target;
use crate::command::gate::pipeline::Judgement;
use crate::command::gate::reports::{policy_mistakes, undecided};
use crate::command::policy_file;
use crate::engine;
use crate::error::{Error, Result};
use crate::finding::Findings;
use crate::git::{self, DefaultBranch, Excluded, Push, Quarantine, Repo, Source};
use crate::options::{PolicyFile, Vocabulary};
use crate::policy::{self, Batch, Policy, PolicyChanges, trust};
use crate::report::Report;
use crate::rules::secrets::redactor;
use crate::subject::{Pusher, Update};

/// `updates`: what git says moves, or why that could not be read.
pub fn judge(args: &HookRun, updates: Result<Vec<Update>>, outside: &Outside) -> Result<u8> {
    if updates.as_ref().is_ok_and(Vec::is_empty) {
        return Ok(0);
    }
    let pusher = (args.server.pusher)(&|name| std::env::var_os(name));
    let moves = updates.as_deref().unwrap_or_default();
    let line = Line::new(&args.name, pusher.as_deref().map(|p| p.as_bytes()), moves);
    let bypassed = pusher.as_ref().is_some_and(|p| args.bypass.iter().any(|b| b.as_bytes() == p.as_slice()));
    let answer = Answer {
        server: args.server,
        log: args.audit_log.as_ref().map(|f| outside.directory.join(f)),
        bypass: bypassed.then(|| args.bypass_reason.clone().unwrap_or_default()),
        line,
    };
    let mut budget = start_budget(args, &answer);
    let pusher = pusher.map_or(Pusher::Unknown, Pusher::Named);
    let report = updates
        .and_then(|updates| ServerGate { args, repo: &open(outside)?, outside }.decide(updates, pusher, &mut budget))
        .unwrap_or_else(undecided);
    let left = budget.end();
    Ok(answer.give(report, left))
}

/// Until the policy is known, the default is allowed.
fn start_budget(args: &HookRun, answer: &Answer) -> Budget {
    let seconds = args.time_budget.unwrap_or_else(|| Vocabulary::default().budgets.time);
    let (server, answer) = (args.server, answer.clone());
    Budget::start(
        Duration::from_secs(seconds),
        move || Answer::waiting(server),
        move |time| {
            let error = Error::undecided(format!("the time budget of {} s is spent", time.as_secs()))
                .hint("push fewer commits at once, or ask the administrator to raise --time-budget");
            answer.give(undecided(error), Duration::ZERO)
        },
    )
}

fn open(outside: &Outside) -> Result<Repo> {
    let repo = git::discover(&outside.directory)?.ok_or_else(|| Error::no_repository(&outside.directory))?;
    match Quarantine::from_environment(|name| std::env::var_os(name), &outside.directory) {
        Some(quarantine) => repo.with_quarantine(quarantine),
        None => Ok(repo),
    }
}

struct ServerGate<'a> {
    args: &'a HookRun,
    repo: &'a Repo,
    outside: &'a Outside,
}

/// The branch whose policy judges, as it stands before the push, and the files of the policy on it.
struct Trusted {
    branch: DefaultBranch,
    policy: Vec<PolicyFile>,
}

impl ServerGate<'_> {
    fn decide(&self, mut updates: Vec<Update>, pusher: Pusher, budget: &mut Budget) -> Result<Report> {
        let local = self.repo.thread_local();
        for update in &mut updates {
            // Git will move what a symbolic ref points at: that branch's rules count.
            update.name = local.moved_by(update.name.as_ref())?;
        }
        let branch = local.default_branch()?;
        let policy = branch.tip.map(|tip| policy_file::at_commit(&local, tip)).transpose()?.unwrap_or_default();
        let default = Trusted { branch, policy };
        let (policy, notes) = self.trusted(&default)?;
        if self.args.time_budget.is_none() {
            budget.set(Duration::from_secs(policy.vocabulary().budgets.time));
        }
        let known = if self.repo.has_quarantine() { Excluded::Quarantine } else { Excluded::Refs };
        let head_ref = (self.args.server.pull_request)(&|name| std::env::var_os(name));
        let remark = default.branch.remark(&updates);
        let source = Source::Push(Push { updates, known, pusher, head_ref, on_server: true, ..Push::default() });
        let mut report = self.report(&policy, &default, &source)?;
        report.notes.splice(0..0, notes.into_iter().chain(remark));
        Ok(report)
    }

    /// The policy that judges: the administrator's file, else the default branch's as it stands before the push, else
    /// the built-in defaults; with remarks where it is not the one that people expect.
    fn trusted(&self, default: &Trusted) -> Result<(Policy, Vec<String>)> {
        if let Some(file) = &self.args.policy {
            let path = self.outside.directory.join(file);
            let what = format!("the administrator's policy {}", path.display());
            let untrusted = policy_file::untrusted(Some(self.repo), &self.outside.directory);
            let files = policy_file::with_baseline(&path, &path, &untrusted).and_then(|files| {
                let is_there = files.iter().any(|file| !file.is_baseline);
                if is_there { Ok(files) } else { Err(Error::undecided("it is not there")) }
            });
            let files = files.map_err(|e| Error::undecided(format!("{what} cannot be read: {e}")))?;
            return match load(files) {
                Ok(policy) => Ok((policy, Vec::new())),
                Err(wrong) => Err(Error::undecided(format!("{what} cannot be followed: {wrong}"))),
            };
        }
        Ok(match load(default.policy.clone()) {
            Ok(policy) => (policy, Vec::new()),
            Err(wrong) => (
                built_in(),
                vec![format!(
                    "the policy on the default branch cannot be followed ({wrong}): judged by the built-in defaults; a push that mends it can pass"
                )],
            ),
        })
    }

    fn report(&self, policy: &Policy, default: &Trusted, source: &Source) -> Result<Report> {
        let compiled = match policy.compile(engine::kinds(source), &[]) {
            Ok(compiled) => compiled,
            Err(mistakes) => return Ok(policy_mistakes(&mistakes)),
        };
        let run = policy::Run::new(self.outside.today());
        Judgement::new(policy, &compiled).report(&Target::Change(self.repo, source), run, |outcome| {
            if let Source::Push(push) = source {
                outcome.batches.extend(self.policy_change(policy, default, push)?);
            }
            Ok(())
        })
    }

    /// What the push does to the policy that judges the next one; deleting the branch takes the policy away too.
    fn policy_change(&self, policy: &Policy, default: &Trusted, push: &Push) -> Result<Option<Batch>> {
        let Some(update) = default.branch.moved(&push.updates) else { return Ok(None) };
        let local = self.repo.thread_local();
        let new = update.new.map(|commit| policy_file::at_commit(&local, commit)).transpose()?.unwrap_or_default();
        let mut findings = Findings::new(redactor(), 0);
        let change = trust::PolicyChange {
            old: &default.policy,
            new: &new,
            account: push.pusher.name(),
            approvers: &policy.vocabulary().approvers,
            // What a push can bring cannot say who may bring it.
            anyone: self.args.policy.is_some() && policy.policy_changes() == PolicyChanges::Anyone,
        };
        change.judge(&mut findings);
        let findings = findings.into_vec();
        Ok((!findings.is_empty()).then(|| Batch { refs: update.name.clone().into(), findings }))
    }
}

/// A policy whose every option can be followed; else the first thing that is wrong with it.
fn load(files: Vec<PolicyFile>) -> Result<Policy, String> {
    let loaded = Policy::load(files).and_then(trust::valid);
    loaded.map_err(|mistakes| trust::first(&mistakes).1.to_owned())
}

fn built_in() -> Policy {
    Policy::load(Vec::new()).expect("the built-in defaults are tested")
}
