//! The plan for a terminal: both lanes, the steps, what was left out, the result, advice.

use std::fmt::Write as _;

use crate::finding::Severity;
use crate::promote::advice::count;
use crate::promote::evidence::Promoted;
use crate::promote::plan::{Conflict, Lane, Plan, PlanFinding, Role, State, Step};
use crate::text;

/// Colours, or none of them.
struct Paint {
    on: bool,
}

impl Paint {
    fn with(&self, code: &str, text: &str) -> String {
        if self.on { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Lanes longer than this are a count and their newest few; `verbose` shows all.
const LANE: usize = 20;
const NEWEST: usize = 5;

pub fn human(plan: &Plan, color: bool, verbose: bool) -> String {
    let paint = Paint { on: color };
    let mut out = String::new();
    // Writing to a String does not fail.
    let _ = steps(&mut out, plan, &paint, verbose);
    let _ = rest(&mut out, plan, &paint, verbose);
    let _ = lanes(&mut out, plan, &paint, verbose);
    let _ = verdict(&mut out, plan, &paint);
    out
}

fn glyph(paint: &Paint, promoted: Option<Promoted>) -> String {
    match promoted {
        Some(p) if p.is_settled() => paint.with("32", "●"),
        Some(_) => paint.with("33", "◐"),
        None => "○".to_owned(),
    }
}

fn lanes(out: &mut String, plan: &Plan, paint: &Paint, verbose: bool) -> std::fmt::Result {
    let (from, onto) = (short_ref(&plan.from.name), short_ref(&plan.onto.name));
    writeln!(out, "{} {}  {} not on {}", paint.with("1", from), plan.from.oid.0.short(), plan.candidates.len(), onto)?;
    let shown = newest(plan.candidates.iter().collect(), verbose);
    if shown.len() < plan.candidates.len() {
        let (mut promoted, mut probably, mut open, mut merges) = (0, 0, 0, 0);
        for lane in &plan.candidates[..plan.candidates.len() - shown.len()] {
            let n = match lane.promoted {
                _ if lane.merge => &mut merges,
                Some(p) if p.is_settled() => &mut promoted,
                Some(_) => &mut probably,
                None => &mut open,
            };
            *n += 1;
        }
        let earlier = plan.candidates.len() - shown.len();
        writeln!(
            out,
            "  ┊ {earlier} earlier: {promoted} ●, {probably} ◐, {open} ○, {} (-v shows them)",
            count(merges, "merge")
        )?;
    }
    for lane in shown {
        let mark = if lane.merge { "│".to_owned() } else { glyph(paint, lane.promoted) };
        let step = plan.steps.iter().find(|s| s.commit == lane.commit);
        let role = match step {
            Some(s) if s.state == State::Conflict => paint.with("31", " ✗ conflict"),
            Some(s) if s.state == State::Refused => paint.with("31", " ✗ refused"),
            Some(s) if s.role == Role::Dependency => paint.with("36", " ← needed"),
            Some(_) => paint.with("36", " ← selected"),
            None if plan.skipped.iter().any(|s| s.commit == lane.commit && s.reason.starts_with("cancels out")) => {
                paint.with("2", " ↺ cancels out")
            }
            None => String::new(),
        };
        let on = match lane.promoted.and_then(|p| p.commit) {
            Some(c) => paint.with("2", &format!(" ({} on {onto})", c.0.short())),
            None => String::new(),
        };
        let back = match lane.taken_back {
            Some(by) => paint.with("33", &format!(" (taken back by {})", by.0.short())),
            None => String::new(),
        };
        writeln!(out, "  {mark} {} {}{on}{back}{role}", lane.commit.0.short(), lane.subject)?;
    }
    let own = plan.production.len();
    writeln!(out, "{} {}  {} not on {}", paint.with("1", onto), plan.onto.oid.0.short(), own, from)?;
    let taken: Vec<_> = plan.candidates.iter().filter_map(|c| c.promoted?.commit).collect();
    let is_own = |lane: &&Lane| verbose || !lane.merge && !taken.contains(&lane.commit);
    let owned: Vec<&Lane> = plan.production.iter().filter(is_own).collect();
    if owned.len() < own {
        writeln!(out, "  ┊ picks and merges: {} (-v shows them)", own - owned.len())?;
    }
    let all = owned.len();
    let shown = newest(owned, verbose);
    if shown.len() < all {
        writeln!(out, "  ┊ {} earlier: ◆ (-v shows them)", all - shown.len())?;
    }
    for lane in shown {
        let mark = match (lane.merge, taken.contains(&lane.commit)) {
            (true, _) => "│",
            (_, true) => "●",
            _ => "◆",
        };
        writeln!(out, "  {mark} {} {}", lane.commit.0.short(), lane.subject)?;
    }
    writeln!(out, "  ● promoted  ◐ probably  ○ not  ◆ only on {onto}\n")
}

/// A short lane whole, the newest few of a long one.
fn newest(lane: Vec<&Lane>, verbose: bool) -> Vec<&Lane> {
    let from = if verbose || lane.len() <= LANE { 0 } else { lane.len() - NEWEST };
    lane[from..].to_vec()
}

fn steps(out: &mut String, plan: &Plan, paint: &Paint, verbose: bool) -> std::fmt::Result {
    for ticket in &plan.not_found {
        let from = short_ref(&plan.from.name);
        let ticket = text::sanitise(ticket.as_bytes());
        writeln!(out, "{}", paint.with("31", &format!("no commit that waits on {from} belongs to {ticket}")))?;
    }
    if plan.steps.is_empty() {
        return writeln!(out, "Nothing to promote.\n");
    }
    writeln!(out, "{}", paint.with("1", "Plan"))?;
    for (n, step) in plan.steps.iter().enumerate() {
        writeln!(out, "{:>4}. {} {} {}", n + 1, state(paint, step), step.commit.0.short(), step.subject)?;
        for reason in &step.because {
            let lines = if reason.lines.is_empty() { String::new() } else { format!(":{}", reason.lines) };
            let needed = reason.commit.0.short();
            if reason.path == "Depends-on" {
                writeln!(out, "         needs {needed}: its message says so")?;
            } else {
                writeln!(out, "         needs {needed}: both touch {}{lines}", reason.path)?;
            }
        }
        for conflict in &step.conflicts {
            writeln!(out, "         {}", told(conflict, short_ref(&plan.onto.name)))?;
        }
        for proposal in &step.proposals {
            writeln!(
                out,
                "         {}",
                paint.with("33", &format!("proposed merge of {} ({}):", proposal.path, proposal.what))
            )?;
            proposal.proof.iter().try_for_each(|line| writeln!(out, "           {line}"))?;
            if verbose {
                writeln!(out, "         the merged file:")?;
                proposal.text.lines().try_for_each(|line| writeln!(out, "           {line}"))?;
            }
        }
        if !step.identity.is_empty() {
            let files = step.identity.join(", ");
            writeln!(out, "         {}", paint.with("33", &format!("carries one environment's identity: {files}")))?;
            if !step.split.is_empty() {
                writeln!(out, "         the rest of it alone:")?;
                step.split.iter().try_for_each(|line| writeln!(out, "           {line}"))?;
            }
        }
        step.findings.iter().try_for_each(|f| finding(out, f, paint, "         "))?;
    }
    writeln!(out)
}

fn state(paint: &Paint, step: &Step) -> String {
    match step.state {
        State::Clean => paint.with("32", "clean   "),
        State::Empty => paint.with("2", "empty   "),
        State::Conflict => paint.with("31", "conflict"),
        State::Refused => paint.with("31", "refused "),
    }
}

/// One conflict in one line.
pub fn told(conflict: &Conflict, onto: &str) -> String {
    let at = if conflict.lines.is_empty() { String::new() } else { format!(":{}", conflict.lines) };
    let what = match conflict.kind.as_str() {
        "content" => "both sides change these lines",
        "missing" => "it changes a file that is not there",
        "changed" => "it removes a file that has changed",
        "both-added" => "both sides add it, differently",
        "binary" => "both sides change a file without lines",
        "directory" => "a file stands where a directory must be",
        "attribute" => "`.gitattributes` gives it a merge of its own, which is not run here",
        _ => "a rename on one side meets a change on the other",
    };
    let who = match &conflict.blocker {
        Some(b) => format!("; {} ({}) on {onto} stands in the way", b.commit.0.short(), b.subject),
        None => String::new(),
    };
    format!("{}{at}: {what}{who}", conflict.path)
}

fn finding(out: &mut String, f: &PlanFinding, paint: &Paint, indent: &str) -> std::fmt::Result {
    let code = if f.severity == Severity::Error { "31" } else { "33" };
    let at = match (&f.path, f.line) {
        (Some(path), Some(line)) => format!(" ({path}:{line})"),
        (Some(path), None) => format!(" ({path})"),
        _ => String::new(),
    };
    writeln!(out, "{indent}{}: {}{at}", paint.with(code, &format!("{}[{}]", f.severity, f.rule)), f.message)
}

fn rest(out: &mut String, plan: &Plan, paint: &Paint, verbose: bool) -> std::fmt::Result {
    if !plan.result.findings.is_empty() {
        writeln!(out, "{}", paint.with("1", "The result"))?;
        plan.result.findings.iter().try_for_each(|f| finding(out, f, paint, "      "))?;
        writeln!(out)?;
    }
    if !plan.advice.is_empty() {
        writeln!(out, "{}", paint.with("1", "Advice"))?;
        plan.advice.iter().try_for_each(|a| writeln!(out, "      {a}"))?;
        writeln!(out)?;
    }
    // What is promoted shows in the lane; what else was left out needs its reason.
    let skipped: Vec<_> =
        plan.skipped.iter().filter(|s| verbose || !s.reason.starts_with("already promoted")).collect();
    if !skipped.is_empty() {
        writeln!(out, "{}", paint.with("1", "Left out"))?;
        for s in skipped {
            writeln!(out, "      {} {}: {}", s.commit.0.short(), s.subject, s.reason)?;
        }
        writeln!(out)?;
    }
    if !plan.items.is_empty() {
        writeln!(out, "{}", paint.with("1", "What changes"))?;
        for item in plan.items.iter().take(if verbose { usize::MAX } else { LANE }) {
            let kind = if item.kind.is_empty() { String::new() } else { format!(" ({})", item.kind) };
            writeln!(out, "      {}{kind}: {}", item.path, count(item.commits.len(), "commit"))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// The last line, where a terminal stands.
fn verdict(out: &mut String, plan: &Plan, paint: &Paint) -> std::fmt::Result {
    let n = |state| plan.in_state(state).count();
    let verdict = if plan.is_ready() { paint.with("32", "ready") } else { paint.with("31", "not ready") };
    writeln!(
        out,
        "{verdict}: {}, {} empty, {}, {} refused; result {}",
        count(n(State::Clean), "pick"),
        n(State::Empty),
        count(n(State::Conflict), "conflict"),
        n(State::Refused),
        plan.result.tree.0.short()
    )
}

/// `dev` for `refs/heads/dev`, `origin/dev` for a remote's.
pub fn short_ref(name: &str) -> &str {
    name.strip_prefix("refs/heads/")
        .or_else(|| name.strip_prefix("refs/remotes/"))
        .or_else(|| name.strip_prefix("refs/tags/"))
        .unwrap_or(name)
}
