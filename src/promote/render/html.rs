//! The plan as one page that needs nothing else: no script, no font, no picture from anywhere.

use std::fmt::Write as _;

use super::human::told;
use super::{lanes, short_ref};
use crate::promote::advice::count;
use crate::promote::plan::{Plan, PlanFinding, Role, State, Step};
use crate::report::page::{escape, open};

const STYLE: &str = include_str!("page.css");

pub fn html(plan: &Plan) -> String {
    let mut out = String::new();
    // Writing to a String does not fail.
    let _ = page(&mut out, plan);
    out
}

fn page(out: &mut String, plan: &Plan) -> std::fmt::Result {
    let (from, onto) = (escape(short_ref(&plan.from.name)), escape(short_ref(&plan.onto.name)));
    out.push_str(&open(
        &format!("Promotion from {} to {}", short_ref(&plan.from.name), short_ref(&plan.onto.name)),
        STYLE,
        None,
    ));
    let ready = plan.is_ready();
    writeln!(
        out,
        "<header><h1>Promotion from {from} to {onto}</h1><p class=\"verdict {}\">{}</p></header>\n<main>",
        if ready { "good" } else { "bad" },
        if ready { "ready" } else { "not ready" }
    )?;
    numbers(out, plan)?;
    writeln!(out, "<section><h2>Steps</h2>")?;
    if plan.steps.is_empty() {
        writeln!(out, "<p>Nothing to promote.</p>")?;
    } else {
        writeln!(out, "<ol class=\"steps\">")?;
        plan.steps.iter().try_for_each(|s| step(out, s, &plan.onto.name))?;
        writeln!(out, "</ol>")?;
    }
    writeln!(out, "</section>")?;
    if !plan.result.findings.is_empty() {
        writeln!(out, "<section><h2>Findings on the result</h2><ul>")?;
        plan.result.findings.iter().try_for_each(|f| finding(out, f))?;
        writeln!(out, "</ul></section>")?;
    }
    if !plan.advice.is_empty() {
        writeln!(out, "<section><h2>Advice</h2><ul>")?;
        plan.advice.iter().try_for_each(|a| writeln!(out, "<li>{}</li>", escape(a)))?;
        writeln!(out, "</ul></section>")?;
    }
    writeln!(out, "<section><h2>Lanes</h2>{}{}</section>", legend(&onto), lanes::svg(plan))?;
    if !plan.items.is_empty() {
        writeln!(out, "<section><h2>What changes</h2><table><tr><th>item</th><th>kind</th><th>commits</th></tr>")?;
        for item in &plan.items {
            let ids: Vec<String> = item.commits.iter().map(|c| c.0.short()[..7].to_owned()).collect();
            writeln!(
                out,
                "<tr><td><code>{}</code></td><td>{}</td><td>{}</td></tr>",
                escape(&item.path),
                escape(&item.kind),
                ids.join(" ")
            )?;
        }
        writeln!(out, "</table></section>")?;
    }
    if !plan.skipped.is_empty() {
        writeln!(out, "<section><details><summary>{} left out</summary><ul>", count(plan.skipped.len(), "commit"))?;
        for s in &plan.skipped {
            writeln!(
                out,
                "<li><code>{}</code> {}: {}</li>",
                &s.commit.0.short()[..7],
                escape(&s.subject),
                escape(&s.reason)
            )?;
        }
        writeln!(out, "</ul></details></section>")?;
    }
    writeln!(
        out,
        "</main><footer>{from} at <code>{}</code>, {onto} at <code>{}</code>, resulting tree <code>{}</code>{}</footer></body></html>",
        plan.from.oid.0,
        plan.onto.oid.0,
        plan.result.tree.0,
        if plan.result.proved { ", proved smallest" } else { "" }
    )
}

fn numbers(out: &mut String, plan: &Plan) -> std::fmt::Result {
    let n = |state| plan.in_state(state).count();
    let along = plan.picks().filter(|s| s.role == Role::Dependency).count();
    let findings = plan.result.findings.len() + plan.steps.iter().map(|s| s.findings.len()).sum::<usize>();
    writeln!(out, "<ul class=\"numbers\">")?;
    for (value, one, many) in [
        (n(State::Clean), "pick", "picks"),
        (along, "of them comes along", "of them come along"),
        (n(State::Conflict), "conflict", "conflicts"),
        (n(State::Refused), "refused", "refused"),
        (findings, "finding", "findings"),
    ] {
        writeln!(out, "<li><strong>{value}</strong> {}</li>", if value == 1 { one } else { many })?;
    }
    writeln!(out, "</ul>")
}

fn legend(onto: &str) -> String {
    let mut out = String::from("<ul class=\"legend\">");
    for (class, what) in [
        ("selected", "selected"),
        ("needed", "comes along"),
        ("conflict", "conflict or refused"),
        ("promoted", "promoted"),
        ("maybe", "probably promoted"),
        ("open", "not promoted"),
        ("own", &format!("only on {onto}")),
    ] {
        let shape = match class {
            "conflict" => "<path d=\"M4 4 l10 10 m0 -10 l-10 10\"/>",
            "own" => "<path d=\"M9 2 l7 7 l-7 7 l-7 -7 z\"/>",
            "maybe" => "<circle cx=\"9\" cy=\"9\" r=\"7\"/><path class=\"half\" d=\"M9 2 a7 7 0 0 0 0 14 z\"/>",
            _ => "<circle cx=\"9\" cy=\"9\" r=\"7\"/>",
        };
        let _ = write!(
            out,
            "<li><svg width=\"18\" height=\"18\" aria-hidden=\"true\"><g class=\"commit {class}\">{shape}</g></svg> {what}</li>"
        );
    }
    out.push_str("</ul>");
    out
}

fn step(out: &mut String, step: &Step, onto: &str) -> std::fmt::Result {
    let (class, word) = match step.state {
        State::Clean if step.role == Role::Dependency => ("needed", "comes along"),
        State::Clean => ("selected", "pick"),
        State::Empty => ("promoted", "nothing left"),
        State::Conflict => ("conflict", "conflict"),
        State::Refused => ("refused", "refused"),
    };
    write!(
        out,
        "<li class=\"{class}\"><span class=\"state\">{word}</span> <code>{}</code> {}",
        &step.commit.0.short()[..7],
        escape(&step.subject)
    )?;
    let mut facts: Vec<String> = Vec::new();
    for reason in &step.because {
        let lines = if reason.lines.is_empty() { String::new() } else { format!(":{}", reason.lines) };
        let needed = &reason.commit.0.short()[..7];
        facts.push(if reason.path == "Depends-on" {
            format!("needs <code>{needed}</code>: its message says so")
        } else {
            format!("needs <code>{needed}</code>: both touch <code>{}{lines}</code>", escape(&reason.path))
        });
    }
    facts.extend(step.conflicts.iter().map(|c| escape(&told(c, short_ref(onto)))));
    if !step.identity.is_empty() {
        facts.push(format!("carries one environment's identity: <code>{}</code>", escape(&step.identity.join(", "))));
    }
    if !step.split.is_empty() {
        facts.push("the rest of it alone:".to_owned());
    }
    facts.extend(step.split.iter().map(|line| format!("<code>{}</code>", escape(line))));
    if !facts.is_empty() || !step.findings.is_empty() {
        write!(out, "<ul>")?;
        facts.iter().try_for_each(|f| writeln!(out, "<li>{f}</li>"))?;
        step.findings.iter().try_for_each(|f| finding(out, f))?;
        write!(out, "</ul>")?;
    }
    for proposal in &step.proposals {
        write!(
            out,
            "<details open><summary>Proposed merge of <code>{}</code> ({}), to be made by hand</summary><ul>",
            escape(&proposal.path),
            escape(&proposal.what)
        )?;
        proposal.proof.iter().try_for_each(|line| write!(out, "<li>{}</li>", escape(line)))?;
        write!(out, "</ul><pre>{}</pre></details>", escape(&proposal.text))?;
    }
    writeln!(out, "</li>")
}

fn finding(out: &mut String, f: &PlanFinding) -> std::fmt::Result {
    let at = match (&f.path, f.line) {
        (Some(path), Some(line)) => format!(" <code>{}:{line}</code>", escape(path)),
        (Some(path), None) => format!(" <code>{}</code>", escape(path)),
        _ => String::new(),
    };
    writeln!(
        out,
        "<li class=\"finding {}\"><strong>{}</strong> {}: {}{at}</li>",
        f.severity,
        f.severity,
        escape(&f.rule),
        escape(&f.message)
    )
}
