//! Variables of the environments against each other, across files and across refs: what must differ, what must match,
//! what must exist in both. Owns when the comparison is made; `model` has the table, `findings` the messages.
//! Values are read, compared and never shown.

mod compare;
mod findings;
mod keys;
mod markers;
mod model;
mod normalise;
mod settings;
mod shared;
mod side;
mod sources;

pub use compare::{Row, asked, rows, sides};
pub use markers::{Placeholders, names, of_text};
pub use model::{Kind, Requirement, Standing, Value, Verdict, judge};
pub use normalise::of_text as normalised;
pub use settings::{Opaque, Settings, Source};
pub use side::{Gap, Side, Views};
pub use sources::{Format, Variable};

use std::collections::HashSet;

use bstr::{BString, ByteSlice};
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
        let settings = Settings::read(options, today());
        // Without sources there is nothing to compare, and the tree is not even listed.
        if settings.sources.is_empty() {
            return Checks::default();
        }
        Checks { trees: vec![Box::new(Divergence::new(settings))], ..Checks::default() }
    },
};

/// In UTC, so that every gate agrees on what has expired.
pub fn today() -> Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// The compiled rule.
pub struct Divergence {
    settings: Settings,
}

impl Divergence {
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }
}

impl Check<Tree<'_>> for Divergence {
    fn check(&self, tree: &Tree<'_>, out: &mut Findings<'_>) -> Result<()> {
        let settings = &self.settings;
        let name = tree.name.as_ref().map(|n| n.as_bstr());
        let mut views = Views::new(tree.snapshot, name)?;
        let mut before = tree.before.map(|b| Views::new(b, name)).transpose()?;
        let mut touched = false;
        let changed = before.as_ref().map(|before| views.changed(before));
        for source in &settings.sources {
            if !is_touched(settings, source, &views, changed.as_ref(), before.as_ref())? {
                continue;
            }
            touched = true;
            let sides = sides(&mut views, source, settings)?;
            // Who took a key away, or brought the first reference to it, is asked only where one is missing.
            let earlier = match &mut before {
                Some(before) if lacks(&sides) => compare::sides(before, source, settings)?,
                _ => Vec::new(),
            };
            Reporter { settings, source, earlier: &earlier, before: before.is_some() }.all(&sides, out);
        }
        if touched || before.is_none() {
            settings.keys.expired(settings.today).for_each(|key| out.push(findings::expired(key)));
        }
        Ok(())
    }
}

/// Whether any environment lacks what another has.
fn lacks(sides: &[Side]) -> bool {
    sides.windows(2).any(|pair| !pair[0].variables.keys().eq(pair[1].variables.keys()))
}

/// Whether the change brings, changes or removes a file that the source is read from. Without a tree before it,
/// everything is new.
fn is_touched(
    settings: &Settings,
    source: &Source,
    views: &Views<'_>,
    changed: Option<&HashSet<BString>>,
    before: Option<&Views<'_>>,
) -> Result<bool> {
    for (location, environment) in source.locations.iter().zip(&settings.environments) {
        let Some(location) = location.as_ref().filter(|l| views.is_here(l, &environment.branches)) else { continue };
        let (Some(changed), Some(before)) = (changed, before) else { return Ok(true) };
        let mut own = views.watched(location, source).into_iter().chain(before.watched(location, source));
        if own.any(|e| changed.contains(&e.path)) || views.depends(location, source, changed)? {
            return Ok(true);
        }
    }
    Ok(false)
}
