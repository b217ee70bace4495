//! `portcullis promote`: arguments -> plan request -> plan -> text. Owns the command's output and the clock; plans are judged
//! through `engine`.

mod engine;

use std::io::Read as _;
use std::sync::Arc;

use clap::ValueEnum as _;

use crate::cli::promote::{
    ApplyArgs, BackportArgs, Checks, Format, NotesArgs, PlanArgs, PromoteCommand, RollbackArgs, SelectionArgs,
    StatusArgs, Told, VerifyArgs,
};

use super::Outside;
use super::gate::Gate;
use super::policy_file;
use super::since::{age, since};
use crate::cli::{JudgeArgs, OutputArgs};
use crate::error::{Error, Result};
use crate::finding::{Mask, Redact, safe_words};
use crate::git::{Repo, discover};
use crate::promote::apply::{Applied, Apply};
use crate::promote::backport::Backport;
use crate::promote::closure::Bound;
use crate::promote::history::{History, tip};
use crate::promote::judge::{JudgePlan, Unjudged};
use crate::promote::mask::{learn_from_proposals, masked};
use crate::promote::plan::Plan;
use crate::promote::planner::{PlanRequest, plan};
use crate::promote::selection::Selection;
use crate::promote::verify::Verdict;
use crate::promote::{apply, backport, notes, render, rollback, status, verify, worktree};
use crate::rules::secrets::{redactor, secrets_in_file};
use crate::shell;

/// Runs it; the exit code is 0 when nothing stands in the way, 1 when something does.
pub fn run(command: &PromoteCommand, outside: &Outside) -> Result<u8> {
    let repo = discover(&outside.directory)?.ok_or_else(|| Error::no_repository(&outside.directory))?;
    match command {
        PromoteCommand::Plan(args) => run_plan(args, &repo, outside),
        PromoteCommand::Apply(args) => run_apply(args, &repo, outside),
        PromoteCommand::Status(args) => run_status(args, &repo, outside),
        PromoteCommand::Verify(args) => run_verify(args, &repo, outside),
        PromoteCommand::Backport(args) => run_backport(args, &repo, outside),
        PromoteCommand::Rollback(args) => run_rollback(args, &repo, outside),
        PromoteCommand::Notes(args) => run_notes(args, &repo, outside),
    }
}

fn run_plan(args: &PlanArgs, repo: &Repo, outside: &Outside) -> Result<u8> {
    let selection = selection(&args.selection, outside)?;
    let judge = judge(&args.checks, outside);
    let ask = PlanRequest {
        from: &args.branches.from,
        onto: &args.branches.onto,
        selection: &selection,
        judge: judge.as_ref(),
        bound: Bound::default(),
    };
    let plan = shown_plan(&plan(&repo.thread_local(), &ask)?, repo, outside)?;
    let text = match args.told.format {
        Format::Human => render::human(&plan, args.told.color(outside), args.told.verbose),
        Format::Json => plan.to_json(),
        Format::Sh => render::script(&plan),
        Format::Markdown => render::markdown(&plan),
        Format::Html => render::html(&plan),
    };
    args.told.tell(repo, outside, &text)?;
    Ok(u8::from(!plan.is_ready()))
}

fn run_apply(args: &ApplyArgs, repo: &Repo, outside: &Outside) -> Result<u8> {
    let bytes = if args.plan.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(outside.directory.join(&args.plan))
    };
    let bytes = bytes.map_err(|e| Error::usage(format!("cannot read {}: {e}", args.plan.display())))?;
    let plan = Plan::from_json(&bytes)?;
    let how = Apply {
        branch: args.branch.as_deref(),
        partial: args.partial,
        now: outside.now.as_second(),
        today: outside.today().to_string(),
    };
    let local = repo.thread_local();
    let done = if args.worktree { worktree::apply(&local, &plan, &how) } else { apply::apply(&local, &plan, &how) }?;
    outside.say(&told(&done, &shown_plan(&plan, repo, outside)?))?;
    Ok(0)
}

fn told(done: &Applied, plan: &Plan) -> String {
    let onto = render::short_ref(&plan.onto.name);
    let n = crate::promote::advice::count(done.picks.len(), "pick");
    let what = if done.already { "stands already" } else { "is made" };
    let branch = shell::quote(safe_words(redactor(), &done.branch));
    let mut out = format!(
        "{branch} {what}: {n} on {onto}, tip {}\n  git log --oneline {}..{branch}\n  git push -u origin {branch}\n",
        done.tip.short(),
        shell::quote(onto),
    );
    for step in plan.picks().filter(|s| !s.identity.is_empty()) {
        let files = step.identity.join(", ");
        out.push_str(&format!("look at {}: it carries one environment's identity ({files})\n", step.commit.0.short()));
    }
    out
}

fn run_status(args: &StatusArgs, repo: &Repo, outside: &Outside) -> Result<u8> {
    let history = History::read(&repo.thread_local(), &args.branches.from, &args.branches.onto)?;
    let status = status::status(&history, outside.now.as_second())?;
    let status = masked(&status, &Words::new(repo, outside).mask())?;
    let text = match args.told.format {
        Format::Human => render::status(&status),
        Format::Json => json(&status),
        other => return Err(unknown(other, "human or json")),
    };
    args.told.tell(repo, outside, &text)?;
    Ok(0)
}

fn run_verify(args: &VerifyArgs, repo: &Repo, outside: &Outside) -> Result<u8> {
    let local = repo.thread_local();
    let from = args.from.as_deref().map(|name| tip(&local, name)).transpose()?;
    let claims = verify::verify(&local, &args.range, from.map(|t| t.oid.0))?;
    let claims = masked(&claims, &Words::new(repo, outside).mask())?;
    let text = match args.told.format {
        Format::Human => render::verify(&claims),
        Format::Json => json(&claims),
        other => return Err(unknown(other, "human or json")),
    };
    args.told.tell(repo, outside, &text)?;
    Ok(u8::from(claims.iter().any(|c| c.verdict != Verdict::Same)))
}

fn run_backport(args: &BackportArgs, repo: &Repo, outside: &Outside) -> Result<u8> {
    let selection = selection(&args.selection, outside)?;
    let judge = judge(&args.checks, outside);
    let (from, onto) = (&args.branches.from, &args.branches.onto);
    let back = backport::backport(&repo.thread_local(), from, onto, &selection, judge.as_ref())?;
    let plan = shown_plan(&back.plan, repo, outside)?;
    let back = Backport { plan, ..masked(&back, &Words::new(repo, outside).mask())? };
    let text = match args.told.format {
        Format::Human => render::backport(&back, args.told.color(outside), args.told.verbose),
        // The plan alone, so that `apply` takes it.
        Format::Json => back.plan.to_json(),
        Format::Sh => render::script(&back.plan),
        Format::Markdown => render::markdown(&back.plan),
        Format::Html => render::html(&back.plan),
    };
    args.told.tell(repo, outside, &text)?;
    Ok(u8::from(!back.plan.is_ready()))
}

fn run_rollback(args: &RollbackArgs, repo: &Repo, outside: &Outside) -> Result<u8> {
    let local = repo.thread_local();
    let back = rollback::rollback(&local, &args.onto, &args.tag, &args.keep)?;
    let shown = masked(&back, &Words::new(repo, outside).mask())?;
    let text = match args.told.format {
        Format::Human => render::rollback(&shown),
        Format::Json => json(&shown),
        Format::Sh => render::rollback_script(&shown),
        other => return Err(unknown(other, "human, json or sh")),
    };
    args.told.tell(repo, outside, &text)?;
    if args.apply {
        let branch = render::rollback_branch(&back);
        let tip = rollback::apply(&local, &back, &branch, outside.now.as_second())?;
        let shown = shell::quote(render::rollback_branch(&shown));
        outside.say(&format!("{shown} stands, tip {}\n", tip.short()))?;
    }
    let conflicts = back.reverts.iter().any(|r| !r.conflicts.is_empty());
    Ok(u8::from(conflicts || !back.proved && args.keep.is_empty()))
}

fn run_notes(args: &NotesArgs, repo: &Repo, outside: &Outside) -> Result<u8> {
    let notes = notes::collect(&repo.thread_local(), &args.range)?;
    let notes = masked(&notes, &Words::new(repo, outside).mask())?;
    let text = match args.told.format {
        Format::Human | Format::Markdown => notes::markdown(&notes),
        Format::Json => json(&notes),
        other => return Err(unknown(other, "markdown or json")),
    };
    args.told.tell(repo, outside, &text)?;
    Ok(0)
}

/// What must not be shown of what others wrote.
struct Words {
    /// The policy's detectors, where it has any of its own.
    own: Option<Arc<dyn Redact>>,
}

impl Words {
    fn new(repo: &Repo, outside: &Outside) -> Self {
        let gate = Gate::new(Some(repo), outside, JudgeArgs::default(), OutputArgs::default());
        Self { own: gate.own_redactor() }
    }

    fn mask(&self) -> Mask<'_> {
        Mask::new(self.own.as_deref().unwrap_or(redactor()))
    }
}

/// A plan as it may be shown.
fn shown_plan(plan: &Plan, repo: &Repo, outside: &Outside) -> Result<Plan> {
    let words = Words::new(repo, outside);
    let mut mask = words.mask();
    learn_from_proposals(plan, &mut mask, secrets_in_file);
    masked(plan, &mask)
}

fn unknown(format: Format, instead: &str) -> Error {
    let name = format.to_possible_value().map_or_else(String::new, |v| v.get_name().to_owned());
    Error::usage(format!("this has no {name} form")).hint(format!("--format takes {instead} here"))
}

fn json(value: &impl serde::Serialize) -> String {
    // Strings, numbers and lists: there is nothing in it that JSON cannot say.
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

fn judge<'a>(checks: &Checks, outside: &'a Outside) -> Box<dyn JudgePlan + 'a> {
    if checks.no_check {
        return Box::new(Unjudged);
    }
    let judge = JudgeArgs { policy: checks.policy.clone(), ..JudgeArgs::default() };
    Box::new(engine::ByEngine { outside, judge })
}

impl Told {
    fn color(&self, outside: &Outside) -> bool {
        outside.color() && self.output.is_none()
    }

    fn tell(&self, repo: &Repo, outside: &Outside, text: &str) -> Result<()> {
        match &self.output {
            None => outside.say(text),
            Some(file) => {
                let untrusted = policy_file::untrusted(Some(repo), &outside.directory);
                policy_file::write(&untrusted, &outside.directory.join(file), text.as_bytes())
            }
        }
    }
}

fn selection(args: &SelectionArgs, outside: &Outside) -> Result<Selection> {
    let now = outside.now.as_second();
    let since = args.since.as_deref().map(|text| since(text, now));
    let until = args.min_age.as_deref().map(|text| {
        let seconds = age(text).ok_or_else(|| Error::usage(format!("`{text}` is no age")).hint("write 3d or 12h"))?;
        Ok(now - seconds)
    });
    Ok(Selection {
        revisions: args.revisions.clone(),
        paths: args.path.clone(),
        apps: args.app.clone(),
        scopes: args.scope.clone(),
        kinds: args.kind.clone(),
        authors: args.author.clone(),
        since: since.transpose()?,
        until: until.transpose()?,
        tickets: args
            .pr
            .iter()
            .flat_map(|list| list.split(','))
            .map(str::trim)
            .filter(|t| !t.is_empty())
            .map(ToOwned::to_owned)
            .collect(),
        all_but: args.all_but.clone(),
    })
}
