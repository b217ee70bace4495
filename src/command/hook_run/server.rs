//! The gates on the server: pre-receive and update. Policy and exceptions come from a trusted place only, never from
//! the push that they judge; whatever cannot be decided in time is refused.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bstr::{BString, ByteSlice};

use super::super::Outside;
use super::super::judge::{POLICY_FILE, mistaken, protected, settle};
use super::HookRun;
use super::audit::{self, Line};
use super::budget::Budget;
use crate::engine::{self, Setting};
use crate::error::{Error, Result};
use crate::finding::Findings;
use crate::git::{self, Known, Local, Push, Quarantine, Repo, Source, Update};
use crate::hooks::Server;
use crate::policy::{self, Batch, Policy, PolicyFile, trust};
use crate::report::{Context, Report, Stats, Undecided, remote};
use crate::rules::secrets::redactor;
use crate::subject::Oid;

/// How long a push waits for the audit log at most, whatever its budget.
const LOG_PATIENCE: Duration = Duration::from_secs(10);

pub fn judge(args: &HookRun, updates: Vec<Update>, outside: &Outside) -> Result<u8> {
    let variable = |name: &str| std::env::var_os(name);
    let pusher = args.server.pusher(variable);
    let line = Line::new(&args.name, pusher.as_deref().map(|p| p.as_bytes()), &updates);
    if updates.is_empty() {
        return Ok(0);
    }
    let repo = open(outside)?;
    let gate = Gate { args, repo: &repo, outside };
    let (policy, notes) = gate.trusted()?;
    let seconds = args.time_budget.unwrap_or(policy.vocabulary().budgets.time);
    let budget = gate.start_budget(Duration::from_secs(seconds), &line);
    let bypassed = pusher.as_ref().is_some_and(|p| args.bypass.iter().any(|b| b.as_bytes() == p.as_slice()));
    let push = Push { updates, known: known(&repo), pusher: pusher.clone(), ..Push::default() };
    let mut report = gate.report(&policy, push).unwrap_or_else(undecided);
    report.notes.splice(0..0, notes);
    let mut line = line.judged(&report);
    if bypassed && report.exit_code() != 0 {
        let reason = args.bypass_reason.clone().unwrap_or_default();
        report.notes.push(format!("let through by configuration, and logged: {reason}"));
        report.enforce = false;
        line = Line { verdict: "bypass".into(), exit_code: 0, remarks: vec![reason], ..line };
    }
    // The verdict stands from here on: the budget must not cut the telling of it.
    let left = budget.left();
    budget.end();
    if let Some(file) = &args.audit_log {
        audit::append(&outside.directory.join(file), &line, LOG_PATIENCE.min(left.max(Duration::from_millis(100))))?;
    }
    tell(args.server, &report)?;
    Ok(report.exit_code())
}

fn open(outside: &Outside) -> Result<Repo> {
    let repo = git::discover(&outside.directory)?
        .ok_or_else(|| Error::undecided(format!("{} is no git repository", outside.directory.display())))?;
    match Quarantine::from_environment(|name| std::env::var_os(name), &outside.directory) {
        Some(quarantine) => repo.with_quarantine(quarantine),
        None => Ok(repo),
    }
}

fn known(repo: &Repo) -> Known {
    if repo.has_quarantine() { Known::Quarantine } else { Known::Refs }
}

fn undecided(error: Error) -> Report {
    let errors = vec![Undecided { error, origin: None }];
    Report {
        findings: Vec::new(),
        errors,
        stats: Stats::default(),
        notes: Vec::new(),
        enforce: true,
        deny_warnings: false,
    }
}

struct Gate<'a> {
    args: &'a HookRun,
    repo: &'a Repo,
    outside: &'a Outside,
}

impl Gate<'_> {
    /// The policy that judges: the administrator's file, else the default branch's as it stands before the push, else
    /// the built-in defaults; with remarks where it is not the one that people expect.
    fn trusted(&self) -> Result<(Policy, Vec<String>)> {
        if let Some(file) = &self.args.policy {
            let path = self.outside.directory.join(file);
            let bytes = std::fs::read(&path).map_err(|e| {
                Error::undecided(format!("the administrator's policy {} cannot be read: {e}", path.display()))
            })?;
            let policy = Policy::load(vec![PolicyFile::new(path.to_string_lossy().into_owned(), bytes)]);
            return policy.map(|p| (p, Vec::new())).map_err(|mistakes| {
                Error::undecided(format!(
                    "the administrator's policy {} cannot be followed: {}",
                    path.display(),
                    mistakes.first().map_or("", |m| m.wrong.message.as_str())
                ))
            });
        }
        let local = self.repo.local();
        let Some(bytes) =
            self.default_branch(&local)?.1.map(|head| local.file_at(head, POLICY_FILE.into())).transpose()?.flatten()
        else {
            return Ok((built_in(), Vec::new()));
        };
        match Policy::load(vec![PolicyFile::new(POLICY_FILE, bytes)]).and_then(trust::valid) {
            Ok(policy) => Ok((policy, Vec::new())),
            Err(mistakes) => {
                let what = mistakes.first().map_or("", |m| m.wrong.message.as_str());
                Ok((
                    built_in(),
                    vec![format!(
                        "the policy on the default branch cannot be followed ({what}): judged by the built-in defaults; a push that mends it can pass"
                    )],
                ))
            }
        }
    }

    /// Full name of the default branch, and its commit before the push.
    fn default_branch(&self, local: &Local<'_>) -> Result<(Option<BString>, Option<Oid>)> {
        Ok((local.head_name()?, local.head()?))
    }

    fn report(&self, policy: &Policy, push: Push) -> Result<Report> {
        let source = Source::Push(push);
        let compiled = match policy.compile(engine::kinds(&source), &[]) {
            Ok(compiled) => compiled,
            Err(mistakes) => return Ok(mistaken(&mistakes)),
        };
        let protected = protected(policy);
        let setting = Setting {
            checks: &compiled,
            protected: &protected,
            path_budget: policy.vocabulary().budgets.paths,
            threads: 0,
        };
        let mut outcome = engine::run(self.repo, &source, &setting)?;
        if let Source::Push(push) = &source {
            outcome.batches.extend(self.policy_changes(policy, push)?);
        }
        Ok(settle(policy, outcome, policy::Run::new(self.outside.today())))
    }

    /// What the push does to the policy on the default branch.
    fn policy_changes(&self, policy: &Policy, push: &Push) -> Result<Option<Batch>> {
        let local = self.repo.local();
        let (Some(name), old) = self.default_branch(&local)? else { return Ok(None) };
        let Some(update) = push.updates.iter().find(|u| u.name == name) else { return Ok(None) };
        let Some(new) = update.new else { return Ok(None) };
        let read = |commit: Option<Oid>| match commit {
            Some(commit) => local.file_at(commit, POLICY_FILE.into()),
            None => Ok(None),
        };
        let (old, bytes) = (read(old)?, read(Some(new))?);
        let mut findings = Findings::new(redactor(), 0);
        trust::judge_change(old.as_deref(), bytes.as_deref(), push.pusher.as_ref(), policy, POLICY_FILE, &mut findings);
        let findings = findings.into_vec();
        Ok((!findings.is_empty()).then(|| Batch { refs: vec![name], findings }))
    }

    fn start_budget(&self, time: Duration, line: &Line) -> Budget {
        let (server, file) = (self.args.server, self.args.audit_log.as_ref().map(|f| self.outside.directory.join(f)));
        let line = line.clone();
        let told = Arc::new(AtomicBool::new(false));
        Budget::start(time, move || {
            let error = Error::undecided(format!("the time budget of {} s is spent", time.as_secs()))
                .hint("push fewer commits at once, or ask the administrator to raise --time-budget");
            let report = undecided(error);
            if let Some(file) = &file
                && !told.swap(true, Ordering::Relaxed)
            {
                // Refused either way; a log that cannot be written cannot be told to anybody else.
                let _ = audit::append(file, &line.judged(&report), Duration::from_secs(1));
            }
            let _ = tell(server, &report);
            3
        })
    }
}

fn built_in() -> Policy {
    Policy::load(Vec::new()).expect("the built-in defaults are tested")
}

fn tell(server: Server, report: &Report) -> Result<()> {
    let context = Context::default();
    let mut out = Vec::new();
    let rendered = match server {
        Server::Gitlab => remote::render_gitlab(report, &context, &mut out),
        _ => remote::render(report, &context, &mut out),
    };
    rendered
        .and_then(|()| {
            // Both streams of a server's hook go to the pusher; standard error is not buffered by anybody in between.
            std::io::stderr().lock().write_all(&out)
        })
        // A pusher who has gone away still gets the verdict by the exit code.
        .or(Ok(()))
}
