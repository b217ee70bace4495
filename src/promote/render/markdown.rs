//! The plan as the body of a pull request: what changes, what comes along and why, findings, a list to tick off.

use std::fmt::Write as _;

use super::human::told;
use super::short_ref;
use crate::promote::advice::count;
use crate::promote::notes::escape;
use crate::promote::plan::{Plan, PlanFinding, Role, State, Step};

pub fn markdown(plan: &Plan) -> String {
    let mut out = String::new();
    // Writing to a String does not fail.
    let _ = write(&mut out, plan);
    out
}

fn write(out: &mut String, plan: &Plan) -> std::fmt::Result {
    let (from, onto) = (short_ref(&plan.from.name), short_ref(&plan.onto.name));
    writeln!(
        out,
        "## Promotion of {} from {} to {}\n",
        count(plan.picks().count(), "commit"),
        escape(from),
        escape(onto)
    )?;
    writeln!(out, "| | commit | what | why |\n|---|---|---|---|")?;
    for step in &plan.steps {
        writeln!(out, "| {} | {} | {} | {} |", state(step), step.commit.0.short(), escape(&step.subject), why(step))?;
    }
    if !plan.items.is_empty() {
        writeln!(out, "\n### What changes\n")?;
        for item in &plan.items {
            let kind = if item.kind.is_empty() { String::new() } else { format!(" ({})", item.kind) };
            writeln!(out, "- {}{}: {}", escape(&item.path), escape(&kind), count(item.commits.len(), "commit"))?;
        }
    }
    let conflicts: Vec<&Step> = plan.in_state(State::Conflict).collect();
    if !conflicts.is_empty() {
        writeln!(out, "\n### Not in this promotion: conflicts\n")?;
        for step in conflicts {
            for conflict in &step.conflicts {
                writeln!(out, "- {}: {}", step.commit.0.short(), escape(&told(conflict, onto)))?;
            }
        }
    }
    let proposals = plan.steps.iter().flat_map(|s| s.proposals.iter().map(move |p| (s, p)));
    for (n, (step, proposal)) in proposals.enumerate() {
        if n == 0 {
            writeln!(out, "\n### Proposed merges, to be made by hand\n")?;
        }
        writeln!(out, "- {}, {} ({})", step.commit.0.short(), escape(&proposal.path), proposal.what)?;
        proposal.proof.iter().try_for_each(|line| writeln!(out, "  - {}", escape(line)))?;
    }
    let findings: Vec<(Option<&Step>, &PlanFinding)> = plan
        .steps
        .iter()
        .flat_map(|s| s.findings.iter().map(move |f| (Some(s), f)))
        .chain(plan.result.findings.iter().map(|f| (None, f)))
        .collect();
    if !findings.is_empty() {
        writeln!(out, "\n### Findings\n")?;
        for (step, f) in findings {
            let at = f.path.as_ref().map_or_else(String::new, |p| format!(" in {}", escape(p)));
            let of = step.map_or_else(String::new, |s| format!(" ({})", s.commit.0.short()));
            writeln!(out, "- **{}** {}: {}{at}{of}", f.severity, escape(&f.rule), escape(&f.message))?;
        }
    }
    if !plan.advice.is_empty() {
        writeln!(out, "\n### Advice\n")?;
        plan.advice.iter().try_for_each(|a| writeln!(out, "- {}", escape(a)))?;
    }
    writeln!(out, "\n### Review\n")?;
    writeln!(out, "- [ ] every commit above is meant for {}", escape(onto))?;
    if plan.steps.iter().any(|s| s.role == Role::Dependency) {
        writeln!(out, "- [ ] the commits that come along are fit for {}, too", escape(onto))?;
    }
    for step in plan.steps.iter().filter(|s| !s.identity.is_empty()) {
        writeln!(
            out,
            "- [ ] {} carries {}: the values are those of {}",
            step.commit.0.short(),
            escape(&step.identity.join(", ")),
            escape(onto)
        )?;
    }
    writeln!(
        out,
        "- [ ] `portcullis promote verify {}..HEAD` says that the picks are what they claim",
        plan.onto.oid.0.short()
    )?;
    writeln!(
        out,
        "\nPlanned on {} and {}; resulting tree {}.",
        plan.from.oid.0.short(),
        plan.onto.oid.0.short(),
        plan.result.tree.0.short()
    )
}

fn state(step: &Step) -> &'static str {
    match step.state {
        State::Clean => "pick",
        State::Empty => "nothing left",
        State::Conflict => "**conflict**",
        State::Refused => "**refused**",
    }
}

fn why(step: &Step) -> String {
    let mut parts = Vec::new();
    if step.role == Role::Dependency {
        parts.push("needed by others".to_owned());
    }
    for reason in &step.because {
        let lines = if reason.lines.is_empty() { String::new() } else { format!(":{}", reason.lines) };
        parts.push(format!("needs {} ({}{lines})", reason.commit.0.short(), escape(&reason.path)));
    }
    parts.join("; ")
}
