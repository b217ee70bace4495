//! Two environments side by side: a row per key, each with its verdict. Owns what an equal reference leads to; tells
//! nobody.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::keys::Asked;
use super::model::{Kind, Requirement, Standing, Value, Verdict, judge};
use super::settings::{Settings, Source};
use super::side::{Side, Views};
use super::sources::Variable;
use crate::error::Result;

/// One key in two environments.
pub struct Row<'s> {
    pub key: &'s str,
    /// Lower and higher.
    pub sides: [Option<&'s Variable>; 2],
    pub requirement: &'s Requirement,
    /// An entry of `keys` asks for it.
    pub declared: bool,
    pub verdict: Verdict,
    /// Environments (by their place in the pair) whose value is not the expected one.
    pub unexpected: [bool; 2],
    /// The policy says what the values are, so they may name what they like.
    pub expected: bool,
    /// Secret in one and not in the other, or of another type.
    pub attribute_differs: bool,
}

/// Reads all sides of a source that has files in each of at least two environments.
pub fn sides(views: &mut Views<'_>, source: &Source, settings: &Settings) -> Result<Vec<Side>> {
    views.open(source, settings)?;
    views.sides(source, settings)
}

/// What the policy asks of a variable, and whether it says what the value is.
pub fn asked<'s>(settings: &'s Settings, source: &Source, variable: &Variable) -> (&'s Requirement, bool) {
    let asked = settings.keys.of(&source.id, variable, settings.today);
    (asked.requirement, !asked.expect.is_empty())
}

/// Every key of either side, sorted.
pub fn rows<'s>(settings: &'s Settings, source: &Source, low: &'s Side, high: &'s Side) -> Vec<Row<'s>> {
    let keys: BTreeSet<&Rc<str>> = low.variables.keys().chain(high.variables.keys()).collect();
    let environments = [low, high].map(|s| settings.environments[s.environment].name.as_str());
    let row = |key: &'s Rc<str>| {
        let sides = [low, high].map(|s| s.variables.get(key));
        let any = sides[0].or(sides[1])?;
        let Asked { mut requirement, expect, declared } = settings.keys.of(&source.id, any, settings.today);
        let free = !declared && sides.iter().flatten().any(|v| v.free);
        if free {
            requirement = &Requirement::MayDiffer;
        }
        let standing = |n: usize| Standing { environment: environments[n], value: sides[n].map(|v| &v.value) };
        let mut verdict = judge(requirement, [standing(0), standing(1)], &|v| target_differs(v, low, high));
        let empty = sides.iter().flatten().any(|v| v.value.kind == Kind::Empty);
        if free && (verdict == Verdict::Missing || verdict == Verdict::Placeholder && empty) {
            verdict = Verdict::Ok;
        }
        let unexpected = [0, 1].map(|n| {
            let wanted = expect.iter().find(|(e, _)| e == environments[n]);
            wanted.zip(sides[n]).is_some_and(|((_, text), v)| v.value.kind == Kind::Plain && v.value.text != *text)
        });
        let attribute_differs =
            *requirement != Requirement::Ignore && matches!(sides, [Some(a), Some(b)] if a.attribute != b.attribute);
        let expected = !expect.is_empty();
        Some(Row { key, sides, requirement, declared, verdict, unexpected, expected, attribute_differs })
    };
    keys.into_iter().filter_map(row).collect()
}

/// Whether what a reference leads to differs; `None` where that cannot be seen.
fn target_differs(value: &Value, low: &Side, high: &Side) -> Option<bool> {
    if value.targets.is_empty() {
        return Some(false);
    }
    let mut seen = true;
    for target in &value.targets {
        let [a, b] = [low, high].map(|s| s.named(target));
        match (a, b) {
            (Some(a), Some(b)) if a.value.kind == Kind::Plain && b.value.kind == Kind::Plain => {
                if a.value.text != b.value.text {
                    return Some(true);
                }
            }
            (Some(a), Some(b)) if a.value.kind == Kind::Deterministic && a.value == b.value => {}
            (Some(a), Some(b)) if a.value.kind == Kind::Randomised && a.value == b.value => {}
            _ => seen = false,
        }
    }
    seen.then_some(false)
}
