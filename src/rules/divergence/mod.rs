//! `divergence`: compares the variables of environments across files and refs: what must differ, match, or exist in both.
//! Owns when to compare; `model` has the decision table, `findings` the messages. Values are compared but never shown.

mod classify;
mod compare;
mod draft;
mod environment_values;
mod findings;
mod keys;
mod model;
mod normalise;
mod settings;
mod side;
mod sources;

pub use classify::{Placeholders, classify_text};
pub use compare::{ComparisonRow, requirement_for, rows, sides};
pub use model::{ComparedValue, EnvironmentValue, KeyVerdict, Requirement, ValueKind, decide};
pub use normalise::of_text as normalised;
pub use settings::{DivergenceSettings, OpaqueAction, VariableSource};
pub use side::{MissingSide, Side, TreeViews};
pub use sources::{SourceFormat, Variable};

use std::collections::HashSet;

use bstr::{BString, ByteSlice as _};
use jiff::civil::Date;

use super::{Check, Checks, Rule};
use crate::error::Result;
use crate::finding::Findings;
use crate::subject::{Kinds, Tree};
use findings::Reporter;

pub static RULE: Rule = Rule {
    id: "divergence",
    looks_at: Kinds::TREE,
    policy: include_str!("../../../policies/divergence.yml"),
    compile: |options| {
        let settings = DivergenceSettings::read(options, today());
        // Without sources the tree need not even be listed.
        if settings.sources.is_empty() {
            return Checks::default();
        }
        Checks { trees: vec![Box::new(Divergence::new(settings))], ..Checks::default() }
    },
};

/// Today's date in UTC, so that every gate agrees on what has expired.
pub fn today() -> Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// The compiled rule.
pub struct Divergence {
    settings: DivergenceSettings,
}

impl Divergence {
    pub fn new(settings: DivergenceSettings) -> Self {
        Self { settings }
    }
}

impl Check<Tree<'_>> for Divergence {
    fn check(&self, tree: &Tree<'_>, out: &mut Findings<'_>) -> Result<()> {
        let settings = &self.settings;
        let name = tree.name.as_ref().map(|n| n.as_bstr());
        let mut views = TreeViews::new(tree.snapshot, name)?;
        let mut before = tree.before.map(|b| TreeViews::new(b, name)).transpose()?;
        let mut touched = false;
        let changed = before.as_ref().map(|before| views.changed(before));
        for source in &settings.sources {
            if !is_touched(settings, source, &views, changed.as_ref(), before.as_ref())? {
                continue;
            }
            touched = true;
            let sides = sides(&mut views, source, settings)?;
            // Read the sides before the change only if a key is missing, to see whether the change removed it.
            let earlier = match &mut before {
                Some(before) if has_missing_keys(&sides) => compare::sides(before, source, settings)?,
                _ => Vec::new(),
            };
            Reporter { settings, source, earlier: &earlier, before: before.is_some() }.report_all(&sides, out);
        }
        if touched || before.is_none() {
            settings.keys.expired(settings.today).for_each(|key| out.push(draft::expired(key)));
        }
        Ok(())
    }
}

/// Whether any environment lacks a key that another has.
fn has_missing_keys(sides: &[Side]) -> bool {
    sides.windows(2).any(|pair| !pair[0].variables.keys().eq(pair[1].variables.keys()))
}

/// Whether the change adds, changes or removes a file that the source reads. Without a tree before it, everything is new.
fn is_touched(
    settings: &DivergenceSettings,
    source: &VariableSource,
    views: &TreeViews<'_>,
    changed: Option<&HashSet<BString>>,
    before: Option<&TreeViews<'_>>,
) -> Result<bool> {
    for (location, environment) in source.locations.iter().zip(&settings.environments) {
        let Some(location) = location.as_ref().filter(|l| views.is_here(l, &environment.branches)) else { continue };
        let (Some(changed), Some(before)) = (changed, before) else { return Ok(true) };
        let mut own = views.watched(location, source).into_iter().chain(before.watched(location, source));
        if own.any(|e| changed.contains(&e.path)) || views.depends_on(location, source, changed)? {
            return Ok(true);
        }
    }
    Ok(false)
}
