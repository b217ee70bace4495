//! Compares two environments: a row per key, each with its verdict. Owns resolving equal references.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::keys::KeyRequirement;
use super::model::{ComparedValue, EnvironmentValue, KeyVerdict, Requirement, ValueKind, decide};
use super::settings::{DivergenceSettings, VariableSource};
use super::side::{Side, TreeViews};
use super::sources::Variable;
use crate::error::Result;

/// One key in two environments.
pub struct ComparisonRow<'s> {
    pub key: &'s str,
    /// Lower and higher.
    pub sides: [Option<&'s Variable>; 2],
    pub requirement: &'s Requirement,
    /// The requirement comes from an entry of `keys`.
    pub declared: bool,
    pub verdict: KeyVerdict,
    /// For each environment of the pair: its value is not the expected one.
    pub unexpected: [bool; 2],
    /// The policy lists the expected values, so they may name any environment.
    pub expected: bool,
    /// Secret in only one environment, or different types.
    pub attribute_differs: bool,
}

/// Reads all sides of a source.
pub fn sides(views: &mut TreeViews<'_>, source: &VariableSource, settings: &DivergenceSettings) -> Result<Vec<Side>> {
    views.open(source, settings)?;
    views.sides(source, settings)
}

/// The requirement on a variable, and whether the policy lists its expected value.
pub fn requirement_for<'s>(
    settings: &'s DivergenceSettings,
    source: &VariableSource,
    variable: &Variable,
) -> (&'s Requirement, bool) {
    let found = settings.keys.requirement_for(&source.id, variable, settings.today);
    (found.requirement, !found.expect.is_empty())
}

/// One row for every key of either side, sorted.
pub fn rows<'s>(
    settings: &'s DivergenceSettings,
    source: &VariableSource,
    low: &'s Side,
    high: &'s Side,
) -> Vec<ComparisonRow<'s>> {
    let keys: BTreeSet<&Rc<str>> = low.variables.keys().chain(high.variables.keys()).collect();
    let environments = [low, high].map(|s| settings.environments[s.environment].name.as_str());
    let row = |key: &'s Rc<str>| {
        let sides = [low, high].map(|s| s.variables.get(key));
        let any = sides[0].or(sides[1])?;
        let KeyRequirement { mut requirement, expect, declared } =
            settings.keys.requirement_for(&source.id, any, settings.today);
        let free = !declared && sides.iter().flatten().any(|v| v.free);
        if free {
            requirement = &Requirement::MayDiffer;
        }
        let standing = |n: usize| EnvironmentValue { environment: environments[n], value: sides[n].map(|v| &v.value) };
        let mut verdict = decide(requirement, [standing(0), standing(1)], &|v| target_differs(v, low, high));
        let empty = sides.iter().flatten().any(|v| v.value.kind == ValueKind::Empty);
        if free && (verdict == KeyVerdict::Missing || verdict == KeyVerdict::Placeholder && empty) {
            verdict = KeyVerdict::Ok;
        }
        let unexpected = [0, 1].map(|n| {
            let wanted = expect.iter().find(|(e, _)| e == environments[n]);
            wanted.zip(sides[n]).is_some_and(|((_, text), v)| v.value.kind == ValueKind::Plain && v.value.text != *text)
        });
        let attribute_differs =
            *requirement != Requirement::Ignore && matches!(sides, [Some(a), Some(b)] if a.attribute != b.attribute);
        let expected = !expect.is_empty();
        Some(ComparisonRow { key, sides, requirement, declared, verdict, unexpected, expected, attribute_differs })
    };
    keys.into_iter().filter_map(row).collect()
}

/// Whether the targets of a reference differ; `None` if that is unknown.
fn target_differs(value: &ComparedValue, low: &Side, high: &Side) -> Option<bool> {
    if value.targets.is_empty() {
        return Some(false);
    }
    let mut seen = true;
    for target in &value.targets {
        let [a, b] = [low, high].map(|s| s.named(target));
        match (a, b) {
            (Some(a), Some(b)) if a.value.kind == ValueKind::Plain && b.value.kind == ValueKind::Plain => {
                if a.value.text != b.value.text {
                    return Some(true);
                }
            }
            (Some(a), Some(b)) if a.value.kind == ValueKind::Deterministic && a.value == b.value => {}
            (Some(a), Some(b)) if a.value.kind == ValueKind::Randomised && a.value == b.value => {}
            _ => seen = false,
        }
    }
    seen.then_some(false)
}
