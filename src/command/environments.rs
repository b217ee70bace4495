//! `portcullis environments`: two environments of the policy side by side, as the `divergence` rules see them.
//! Kinds and verdicts, never values.

use bstr::ByteSlice as _;
use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

use super::Outside;
use super::gate::Gate;
use crate::cli::{EnvironmentsCommand, JudgeArgs, MatrixFormat, OutputArgs};
use crate::error::{Error, Result};
use crate::git::{self, GitSnapshot, SnapshotOf};
use crate::rules::divergence::{
    self, DivergenceSettings, KeyVerdict, MissingSide, Side, TreeViews, ValueKind, Variable, VariableSource,
};
use crate::text::{nearest, sanitise};

/// One key of one source.
#[derive(Serialize)]
struct Line {
    source: String,
    key: String,
    kinds: [&'static str; 2],
    rule: &'static str,
    verdict: &'static str,
}

/// A source that cannot be compared.
#[derive(Serialize)]
struct Incomparable {
    source: String,
    reason: String,
}

#[derive(Serialize)]
struct Matrix {
    version: u32,
    environments: [String; 2],
    rows: Vec<Line>,
    not_comparable: Vec<Incomparable>,
}

pub fn run(command: &EnvironmentsCommand, outside: &Outside) -> Result<u8> {
    let EnvironmentsCommand::Diff { a, b, policy, policy_from, format } = command;
    let repo = git::discover(&outside.directory)?;
    let Some(repo) = &repo else {
        return Err(Error::no_repository(&outside.directory));
    };
    let judge = JudgeArgs { policy: policy.clone(), policy_from: policy_from.clone(), ..JudgeArgs::default() };
    let gate = Gate::new(Some(repo), outside, judge, OutputArgs::default());
    let policy = match gate.policy() {
        Ok(policy) => policy,
        Err(refusal) => return gate.write_refusal(refusal),
    };
    let (mut settings, mistakes) =
        policy.with_options(&divergence::RULE, |options| DivergenceSettings::read(options, outside.today()));
    if !mistakes.is_empty() {
        return gate.write_refusal(mistakes.into());
    }
    let position = |name: &str| {
        let names = || settings.environments.iter().map(|e| e.name.as_str());
        settings.environments.iter().position(|e| e.aliases.iter().any(|w| w == name)).ok_or_else(|| {
            let error = Error::usage(format!("there is no environment `{name}` in the policy"));
            match nearest(name, names()) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint(format!("known: {}", names().collect::<Vec<_>>().join(", "))),
            }
        })
    };
    let pair = (position(a)?, position(b)?);
    if pair.0 == pair.1 {
        return Err(Error::usage("an environment does not differ from itself"));
    }
    if settings.sources.is_empty() {
        return Err(Error::usage("the policy names no sources to compare")
            .hint("list them under `rules: divergence: sources:`; `portcullis init` proposes them"));
    }
    settings.pairs = vec![pair];
    let local = repo.thread_local();
    let of = match (repo.workdir(), local.head()?) {
        (Some(_), _) => SnapshotOf::WorkTree,
        (None, Some(head)) => SnapshotOf::Tree(local.tree_of(head)?),
        (None, None) => return Err(Error::undecided("there is no commit here yet")),
    };
    let snapshot = GitSnapshot::new(&local, of, &[], policy.vocabulary().budgets.paths);
    let name = local.head_name()?;
    let mut views = TreeViews::new(&snapshot, name.as_ref().map(|n| n.as_bstr()))?;
    let mut matrix = Matrix {
        version: 1,
        environments: [pair.0, pair.1].map(|n| settings.environments[n].name.clone()),
        rows: Vec::new(),
        not_comparable: Vec::new(),
    };
    for source in &settings.sources {
        add(&mut matrix, &settings, source, &divergence::sides(&mut views, source, &settings)?);
    }
    let text = match format {
        MatrixFormat::Json => as_json(&matrix)?,
        MatrixFormat::Human => as_table(&matrix),
    };
    outside.say(&text)?;
    Ok(0)
}

fn add(matrix: &mut Matrix, settings: &DivergenceSettings, source: &VariableSource, sides: &[Side]) {
    let (low, high) = settings.pairs[0];
    let side = |n: usize| sides.iter().find(|s| s.environment == n);
    let mut cannot = |reason: String| matrix.not_comparable.push(Incomparable { source: source.id.clone(), reason });
    let (Some(low), Some(high)) = (side(low), side(high)) else {
        let without = if side(low).is_none() { low } else { high };
        return cannot(format!("{} has no place in this source", settings.environments[without].name));
    };
    for side in [low, high] {
        let name = &settings.environments[side.environment].name;
        match &side.gap {
            Some(MissingSide::NoRef(reference)) => return cannot(format!("there is no ref {reference} for {name}")),
            Some(MissingSide::NoFile) => return cannot(format!("there is no file for {name}")),
            None => {}
        }
        if let Some(file) = side.broken() {
            return cannot(format!("{} cannot be read", file.path));
        }
    }
    let kind = |v: Option<&Variable>| v.map_or(ValueKind::Absent, |v| v.value.kind).name();
    for row in divergence::rows(settings, source, low, high) {
        let verdict = match row.verdict {
            _ if row.attribute_differs => KeyVerdict::KindDiffers.name(),
            _ if row.unexpected.contains(&true) => "not as expected",
            verdict => verdict.name(),
        };
        matrix.rows.push(Line {
            source: source.id.clone(),
            key: row.key.to_owned(),
            kinds: row.sides.map(kind),
            rule: row.requirement.name(),
            verdict,
        });
    }
}

fn as_json(matrix: &Matrix) -> Result<String> {
    let text = serde_json::to_string_pretty(matrix)
        .map_err(|e| Error::undecided(format!("the matrix cannot be written as JSON: {e}")))?;
    Ok(text + "\n")
}

fn as_table(matrix: &Matrix) -> String {
    let [a, b] = &matrix.environments;
    let head = ["key", a, b, "rule", "verdict"].map(|w| sanitise(w.as_bytes()));
    let line = |r: &Line| {
        let key = sanitise(format!("{}/{}", r.source, r.key).as_bytes());
        [key, r.kinds[0].into(), r.kinds[1].into(), r.rule.into(), r.verdict.into()]
    };
    let lines: Vec<[String; 5]> = std::iter::once(head).chain(matrix.rows.iter().map(line)).collect();
    let widths: Vec<usize> = (0..5).map(|n| lines.iter().map(|l| l[n].width()).max().unwrap_or(0)).collect();
    let mut out = String::new();
    for line in &lines {
        let cells = line.iter().zip(&widths).map(|(cell, width)| {
            let pad = width.saturating_sub(cell.width());
            format!("{cell}{}", " ".repeat(pad))
        });
        let text = cells.collect::<Vec<_>>().join("  ");
        out.push_str(text.trim_end());
        out.push('\n');
    }
    for source in &matrix.not_comparable {
        out.push_str(&sanitise(format!("{}: not comparable: {}", source.source, source.reason).as_bytes()));
        out.push('\n');
    }
    let odd = matrix.rows.iter().filter(|r| r.verdict != KeyVerdict::Ok.name()).count();
    out.push_str(&format!("{} keys compared, {odd} not ok\n", matrix.rows.len()));
    out
}
